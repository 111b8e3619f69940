"""Places in a collection that is read in the order of its `_id` index.

A position is one BSON document: empty for the beginning, `{"_id": value}` behind the document with that `_id`, and
`{"before": value}` in front of it. The value keeps its bytes, so text that is not UTF-8, far dates and field order
inside an embedded `_id` survive.
"""

from __future__ import annotations

from isthmus._rust import compare_ids, extended_json
from isthmus.errors import ConversionError, SourceError
from isthmus.sources.protocol import Position

BEGIN: Position = b"\x05\0\0\0\0"
"""In front of every document."""

_SHOWN_CHARACTERS = 100
_ID = b"_id\0"
_BEFORE = b"before\0"


def before(position: Position) -> Position:
    """Return the place in front of a document from the one behind it."""
    kind, value = _parts(position)
    return _document(kind + _BEFORE + value)


def behind(position: Position) -> bool:
    """Tell whether a position lies behind a document, not in front of one or at the beginning."""
    return position != BEGIN and position[5:].startswith(_ID)


def id_document(position: Position) -> bytes:
    """Return `{"_id": value}` of the document a position speaks of.

    Raises:
        SourceError: The bytes are no such position, or the beginning (`bad-position`).
    """
    kind, value = _parts(position)
    return _document(kind + _ID + value)


def equals(position: Position) -> bytes:
    """Return the filter `{"_id": {"$eq": value}}`, which takes an embedded document as a value, not as operators."""
    kind, value = _parts(position)
    return _document(b"\x03" + _ID + _document(kind + b"$eq\0" + value))


def same_id(left: bytes, right: bytes) -> bool:
    """Tell whether two `{"_id": value}` are one key of the index: 5 and 5.0 are, 5 and "5" are not."""
    if left == right:
        return True
    try:
        return compare_ids(left, right) == 0
    except ConversionError:
        return False


def show(found: bytes) -> str:
    """Return the `_id` in `{"_id": value}` for people: Extended JSON, shortened."""
    text = extended_json(found).removeprefix('{"_id":').removesuffix("}").strip()
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _parts(position: Position) -> tuple[bytes, bytes]:
    """Return type byte and value."""
    rest = position[5:-1]
    whole = len(position) > 6 and int.from_bytes(position[:4], "little") == len(position) and position[-1] == 0
    for key in (_ID, _BEFORE):
        if whole and rest.startswith(key):
            return position[4:5], rest[len(key) :]
    message = f"The checkpoint holds {position[:40].hex()}, which is no position in a collection of a running server."
    raise SourceError(message, code="bad-position", hint="The checkpoint belongs to another kind of source.")


def _document(elements: bytes) -> bytes:
    return (len(elements) + 5).to_bytes(4, "little") + elements + b"\0"
