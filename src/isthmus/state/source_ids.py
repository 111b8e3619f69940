"""Show and read the `_id` values of documents.

A source id is kept as the BSON document `{"_id": value}`. People see and type 24 hex digits for an ObjectId, the text
itself for a string, and Extended JSON for everything else.
"""

from __future__ import annotations

import json
import re
from typing import Any

import bson
from bson import ObjectId, json_util
from bson.errors import InvalidBSON

from isthmus._rust import extended_json
from isthmus.errors import ConfigError

_HEX = re.compile(r"[0-9a-fA-F]{24}")
_SHOWN_CHARACTERS = 200


def show(source_id: bytes) -> str:
    """Return a source id for people, shortened to 200 characters.

    Args:
        source_id: `{"_id": value}` as BSON.
    """
    try:
        value = value_of(source_id)
    except (InvalidBSON, KeyError):
        value = None
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, str) and not _HEX.fullmatch(value):
        text = value
    else:
        text = extended_json(source_id)
        text = text.removeprefix('{"_id":').removesuffix("}").strip()
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def value_of(source_id: bytes) -> object:
    """Return the value of `{"_id": value}`.

    Raises:
        InvalidBSON: It cannot be read, for example because text in it is not UTF-8.
    """
    document: dict[str, Any] = bson.decode(source_id)  # pyright: ignore[reportUnknownMemberType]  pymongo's generics
    return document["_id"]


def parse(text: str) -> bytes:
    """Return the source id that a person typed: 24 hex digits, Extended JSON, or plain text.

    Raises:
        ConfigError: The text begins like JSON and is none.
    """
    if _HEX.fullmatch(text):
        return bson.encode({"_id": ObjectId(text)})
    if re.match(r'^[\[{"\-0-9]', text):
        try:
            return bson.encode({"_id": json_util.loads(text)})
        except (ValueError, TypeError, KeyError, json.JSONDecodeError):
            if text[0] in '[{"':
                raise ConfigError(f"{text} is not Extended JSON.", code="bad-source-id") from None
    return bson.encode({"_id": text})
