"""Documents without the secrets in them: each value of a secret field becomes a keyed digest of it. Pure.

All other bytes stay as they are, so that count, order, types and `_id`s are those of the server.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from functools import cache

from isthmus.cli.sensitive import Sensitive
from isthmus.errors import SourceError
from isthmus.mapping import Mapping
from isthmus.mapping.model import ColumnField
from isthmus.survey.sensitive_names import is_sensitive

BEGINS = "(left out) hmac-sha256:"
_MARK = BEGINS.encode()
_STRING, _DOCUMENT, _ARRAY = 2, 3, 4
_PLAIN = frozenset({6, 8, 9, 10, 255, 127})  # undefined, booleans, dates, null, the two keys: no secrets
_FIXED = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 255: 0, 127: 0}
_EMPTY_TEXT = (_STRING, b"\x01\x00\x00\x00\x00")

_Path = tuple[str, ...]
Change = Callable[[bytes], bytes]


class LeavingOut:
    """Takes secrets out of documents.

    A field is secret where the mapping calls it sensitive. Of fields that are no column of their own the names decide;
    what stands below a secret one is secret too.

    Args:
        mapping: The mapping.
        key: Keys the digests, so that nobody can try values out who has the export alone.
    """

    def __init__(self, mapping: Mapping, key: bytes) -> None:
        self._mapping = mapping
        self._sensitive = Sensitive(mapping)
        self._key = key

    def of(self, collection: str) -> Change:
        """Return what takes secrets out of the documents of a collection.

        The same value becomes the same text, so that two documents without secrets are equal where they were before.
        """
        hidden = frozenset(tuple(key for key in path if key != "[]") for path in self._sensitive.paths(collection))

        columns = frozenset(self._columns(collection))

        @cache
        def secret(path: _Path) -> bool:
            return path in hidden or (path not in columns and is_sensitive(path[-1:]))

        def change(raw: bytes) -> bytes:
            try:
                return self._document(raw, (), secret, below=False, array=False)
            except (IndexError, ValueError):
                raise SourceError(
                    f"{collection} has a document that is no readable BSON.",
                    code="broken-document",
                    hint="Run validate on the collection; nothing was dropped because of it.",
                ) from None

        return change

    def _columns(self, collection: str) -> Iterator[_Path]:
        """Yield the paths of fields that the mapping makes columns of."""
        for flow in self._mapping.flows_of(collection):
            for field in self._mapping.collections[flow.entry].fields:
                if isinstance(field, ColumnField):
                    yield from field.paths

    def _document(self, raw: bytes, path: _Path, secret: Callable[[_Path], bool], *, below: bool, array: bool) -> bytes:
        """Return a document, or an array, without the values of its secret fields; `below` one without any."""
        parts: list[bytes] = []
        for kind, head, name, value in _elements(raw):
            here = path if array else (*path, name)
            hides = below or (not array and secret(here))
            if kind in {_DOCUMENT, _ARRAY}:
                parts += [head, self._document(value, here, secret, below=hides, array=kind == _ARRAY)]
            elif hides and kind not in _PLAIN and (kind, value) != _EMPTY_TEXT:
                text = f"{BEGINS}{hmac.digest(self._key, bytes([kind]) + value, 'sha256').hex()}".encode()
                parts += [b"\x02", head[1:], (len(text) + 1).to_bytes(4, "little"), text, b"\x00"]
            else:
                parts += [head, value]
        body = b"".join(parts)
        return (len(body) + 5).to_bytes(4, "little") + body + b"\x00"


def names_secrets(mapping: Mapping, collection: str) -> bool:
    """Tell whether a mapping calls a field of a collection secret. Others may hold some in fields that it lacks."""
    return bool(Sensitive(mapping).paths(collection))


def left_out(raw: bytes) -> int:
    """Return how many values were left out of a document, or of several that lie back to back."""
    return raw.count(_MARK)


def as_it_is(raw: bytes) -> bytes:
    """Return a document as it is: what changes nothing."""
    return raw


def _elements(raw: bytes) -> Iterator[tuple[int, bytes, str, bytes]]:
    """Yield of each element its type, its type and name as they stand, its name, and the bytes of its value."""
    at, end = 4, len(raw) - 1
    while at < end:
        kind = raw[at]
        behind = raw.index(0, at + 1) + 1
        size = _size(kind, raw, behind)
        if size < 0 or behind + size > end:
            raise ValueError
        yield kind, raw[at:behind], raw[at + 1 : behind - 1].decode("utf-8", "replace"), raw[behind : behind + size]
        at = behind + size


def _size(kind: int, raw: bytes, at: int) -> int:
    """Return how many bytes a value has. As bsonspec.org says, version 1.1."""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == 11:  # a regular expression: two texts
        return raw.index(0, raw.index(0, at) + 1) + 1 - at
    said = int.from_bytes(raw[at : at + 4], "little")
    if kind in {_STRING, 13, 14}:
        return 4 + said
    if kind in {_DOCUMENT, _ARRAY, 15}:
        return said
    if kind == 5:
        return 5 + said
    if kind == 12:
        return 16 + said
    raise ValueError
