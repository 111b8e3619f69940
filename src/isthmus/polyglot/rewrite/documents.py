"""Documents and single values of them: decoded, known by the bytes of their `_id`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion
from bson.errors import InvalidBSON

from isthmus._rust import source_id
from isthmus.errors import SourceError, Where
from isthmus.state.source_ids import show

# Far dates stay what they are, and text that is not UTF-8 is no reason to stop: it is never an id of a row.
CODEC = CodecOptions[dict[str, Any]](
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)


@dataclass(frozen=True)
class Read:
    """A document.

    Attributes:
        source_id: `{"_id": value}` as BSON.
        content: Its fields, decoded.
        size_bytes: Its BSON.
    """

    source_id: bytes
    content: dict[str, Any]
    size_bytes: int


def decoded(data: bytes) -> dict[str, Any]:
    """Return the fields of a document.

    Raises:
        BSONError: It is not BSON.
        OverflowError, RecursionError: It is, and more than Python takes.
    """
    fields: dict[str, Any] = bson.decode(data, CODEC)  # pyright: ignore[reportUnknownMemberType]  pymongo's generics
    return fields


def document(data: bytes) -> Read:
    """Return one document.

    Raises:
        SourceError: It is not BSON, or has no `_id` that can be read (code `broken-document`).
    """
    found = source_id(data)
    try:
        content = decoded(data)
    except (InvalidBSON, OverflowError) as fault:
        raise _broken(found, str(fault)) from None
    if found is None:
        raise _broken(None, "it has no _id that can be read")
    return Read(found, content, len(data))


def _broken(found: bytes | None, why: str) -> SourceError:
    return SourceError(
        f"The server gives a document that is no readable BSON: {why}.",
        code="broken-document",
        where=Where(source_id=show(found) if found is not None else None),
        hint="Run validate on its collection, or leave the collection out with --only.",
    )


def held(value: object) -> bytes:
    """Return `{"": value}` as BSON: how a value is compared and kept."""
    return bson.encode({"": value}, codec_options=CODEC)


def holding(data: bytes) -> object:
    """Return the value of `{"": value}`."""
    return decoded(data)[""]


def as_id(data: bytes) -> bytes:
    """Return `{"_id": value}` of `{"": value}`: how a value is shown to people."""
    size = int.from_bytes(data[:4], "little") + len(b"_id")
    return size.to_bytes(4, "little") + data[4:5] + b"_id" + data[5:]


def standing(content: object, place: tuple[str | int, ...]) -> object:
    """Return what stands at a concrete path; None where nothing does."""
    there = content
    for step in place:
        if isinstance(there, dict) and isinstance(step, str):
            there = there.get(step)  # pyright: ignore[reportUnknownVariableType,reportUnknownMemberType]
        elif isinstance(there, list) and isinstance(step, int) and step < len(there):  # pyright: ignore[reportUnknownArgumentType]
            there = there[step]  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    return there  # pyright: ignore[reportUnknownVariableType]
