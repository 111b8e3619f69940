"""Show and read the `_id` values of documents.

A source id is kept as the BSON document `{"_id": value}`. People see and type 24 hex digits for an ObjectId, the text
itself for a string, and Extended JSON for everything else. A string that could be taken for one of the others is shown
in quotes.
"""

from __future__ import annotations

import json
import re
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion, ObjectId, json_util
from bson.errors import BSONError, InvalidBSON

from isthmus._rust import extended_json
from isthmus.errors import ConfigError

_HEX = re.compile(r"[0-9a-fA-F]{24}")
_OTHER = re.compile(r'[\[{"\-0-9]|(?:true|false|null|NaN|Infinity)\Z')
_SHOWN_CHARACTERS = 200
# Datetimes beyond Python's years stay what they are.
_CODEC = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)
_OPTIONS = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def show(source_id: bytes, *, shorten: bool = True) -> str:
    """Return a source id for people.

    Args:
        source_id: `{"_id": value}` as BSON.
        shorten: Cut what is longer than 200 characters.
    """
    try:
        value = value_of(source_id)
    except (InvalidBSON, KeyError):
        value = None
    if isinstance(value, ObjectId):
        return str(value)
    if type(value) is str:  # not a subclass: Code is one
        text = value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
    else:
        text = extended_json(source_id)
        text = text.removeprefix('{"_id":').removesuffix("}").strip()
    return text if len(text) <= _SHOWN_CHARACTERS or not shorten else text[: _SHOWN_CHARACTERS - 1] + "…"


def _is_plain(text: str) -> bool:
    """Tell whether a string can stand without quotes: nothing else looks like it, and nothing of it is unseen."""
    return (
        bool(text) and text == text.strip() and text.isprintable() and not (_HEX.fullmatch(text) or _OTHER.match(text))
    )


def value_of(source_id: bytes) -> object:
    """Return the value of `{"_id": value}`.

    Raises:
        InvalidBSON: It cannot be read, for example because text in it is not UTF-8.
    """
    document: dict[str, Any] = bson.decode(source_id, _CODEC)  # pyright: ignore[reportUnknownMemberType]  pymongo's generics
    return document["_id"]


def parse(text: str) -> list[bytes]:
    """Return the source ids that a person may mean: an ObjectId, a value as Extended JSON, a string.

    Args:
        text: 24 hex digits are an ObjectId and nothing else; `5` may be the number or the string.

    Returns:
        `{"_id": value}` as BSON of each meaning, the likelier first.

    Raises:
        ConfigError: The text is too long or too deep to be an `_id`.
    """
    if _HEX.fullmatch(text):
        return [bson.encode({"_id": ObjectId(text)})]
    meanings: list[bytes] = []
    if _OTHER.match(text):
        for read in (lambda: json_util.loads(text, json_options=_OPTIONS), lambda: json.loads(text)):
            try:
                meanings.append(bson.encode({"_id": read()}))
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError, BSONError):
                continue
            break
    try:
        meanings.append(bson.encode({"_id": text}))
    except (BSONError, UnicodeError) as fault:
        raise ConfigError("This text cannot be an _id.", code="bad-source-id") from fault
    return meanings
