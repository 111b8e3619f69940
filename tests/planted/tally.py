"""Counts what stands in documents while they are still trees; `recount` does the same from the bytes, another way."""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from tests.generators.bson_writer import Value
from tests.planted.nodes import Array, Document, Node
from tests.planted.truth import (
    FEW_VALUES,
    ITEMS,
    KEYS,
    CollectionTruth,
    DistinctValue,
    IndexTruth,
    KeyOddity,
    MapTruth,
    PathTruth,
    Refused,
)

Path = tuple[str, ...]

TYPE_NAMES = {
    0x01: "double",
    0x02: "string",
    0x03: "object",
    0x04: "array",
    0x05: "binData",
    0x06: "undefined",
    0x07: "objectId",
    0x08: "bool",
    0x09: "date",
    0x0A: "null",
    0x0B: "regex",
    0x0C: "dbPointer",
    0x0D: "javascript",
    0x0E: "symbol",
    0x0F: "javascriptWithScope",
    0x10: "int",
    0x11: "timestamp",
    0x12: "long",
    0x13: "decimal",
    0x7F: "maxKey",
    0xFF: "minKey",
}
NAME_BYTES = 63
# A btree entry of PostgreSQL takes 2704 bytes; text up to 2692 bytes is sure to fit.
ENTRY_BYTES = 2692
# Milliseconds since 1970; the upper end does not belong to a timestamp's range (4714-11-24 BC to the end of 294276).
TIMESTAMP_RANGE = range(-210_866_803_200_000, 9_224_318_016_000_000)


@dataclass
class _Seen:
    """What was seen at a path."""

    types: Counter[str] = field(default_factory=Counter[str])
    values: Counter[tuple[int, bytes]] = field(default_factory=Counter[tuple[int, bytes]])
    string_bytes: list[int] | None = None
    array_items: list[int] | None = None


@dataclass
class _Keys:
    """The keys of a map."""

    kind: str
    met: set[bytes] = field(default_factory=set[bytes])


class Tally:
    """Counts the documents of one collection.

    Args:
        maps: Paths of sub-documents whose keys are data, and what these keys are.
    """

    def __init__(self, maps: dict[Path, str] | None = None) -> None:
        self._maps = {path: _Keys(kind) for path, kind in (maps or {}).items()}
        self._seen: dict[Path, _Seen] = {}
        self._parents: Counter[Path] = Counter()
        self._oddities: Counter[tuple[Path, str]] = Counter()
        self._refused: dict[tuple[Path, str], list[int]] = {}
        self._sizes: list[int] = []

    def count(self, tree: Document, size: int) -> None:
        """Count a document of that many bytes."""
        self._sizes.append(size)
        self._document((), tree)

    def truth(self, name: str, *, kind: str, options: dict[str, object], indexes: list[IndexTruth]) -> CollectionTruth:
        """Return what was counted, in an order that does not depend on that of the documents."""
        maps = sorted((path, keys) for path, keys in self._maps.items() if self._parents[path])
        return CollectionTruth(
            name=name,
            kind=kind,
            options=options,
            documents=len(self._sizes),
            bytes=sum(self._sizes),
            smallest=min(self._sizes, default=0),
            largest=max(self._sizes, default=0),
            paths=[self._path(path, self._seen[path]) for path in sorted(self._seen)],
            key_oddities=[KeyOddity(list(path), odd, count) for (path, odd), count in sorted(self._oddities.items())],
            maps=[MapTruth(list(path), keys.kind, self._parents[path], len(keys.met)) for path, keys in maps],
            refused=[
                Refused(list(path), why, len(numbers), len(set(numbers)))
                for (path, why), numbers in sorted(self._refused.items())
            ],
            indexes=indexes,
        )

    def _path(self, path: Path, seen: _Seen) -> PathTruth:
        parents = self._parents[path[:-1]] if path[-1] != ITEMS else self._seen[path[:-1]].types["array"]
        met = seen.types.total()
        null = seen.types["null"]
        return PathTruth(
            path=list(path),
            parents=parents,
            missing=0 if path[-1] in (ITEMS, KEYS) else parents - met,
            null=null,
            present=met - null,
            types=dict(sorted(seen.types.items())),
            distinct=len(seen.values),
            values=_listed(seen.values) if len(seen.values) <= FEW_VALUES else None,
            string_bytes=seen.string_bytes,
            array_items=seen.array_items,
        )

    def _document(self, path: Path, tree: Document) -> None:
        self._parents[path] += 1
        keys = self._maps.get(path)
        last = dict(tree.elements)
        plain = {b"$ref", b"$id", b"$db"} if _is_dbref(last) else set[bytes]()
        if keys is not None:
            keys.met.update(last)
        for key, value in last.items():
            below = (*path, KEYS if keys is not None else key.decode("utf-8", "surrogateescape"))
            for oddity in () if key in plain else _oddities(key):
                self._oddities[below, oddity] += 1
            if len(last) < len(tree.elements) and sum(other == key for other, _ in tree.elements) > 1:
                self._oddities[below, "duplicate"] += 1
            self._value(below, value)

    def _value(self, path: Path, value: Node) -> None:
        seen = self._seen.setdefault(path, _Seen())
        match value:
            case Document():
                seen.types["object"] += 1
                self._document(path, value)
            case Array():
                seen.types["array"] += 1
                seen.array_items = _widened(seen.array_items, len(value.items))
                for item in value.items:
                    self._value((*path, ITEMS), item)
            case Value():
                seen.types[TYPE_NAMES[value.type]] += 1
                if value.type != 0x0A:
                    seen.values[value.type, value.raw] += 1
                if value.type == 0x02:
                    seen.string_bytes = _widened(seen.string_bytes, len(value.raw) - 5)
                for why in refusals(path, value):
                    self._refused.setdefault((path, why), []).append(len(self._sizes))


def _is_dbref(elements: dict[bytes, Node]) -> bool:
    name = elements.get(b"$ref")
    return isinstance(name, Value) and name.type == 0x02 and b"$id" in elements


def _widened(ends: list[int] | None, number: int) -> list[int]:
    return [number, number] if ends is None else [min(ends[0], number), max(ends[1], number)]


@lru_cache(10_000)
def _oddities(key: bytes) -> list[str]:
    found = {
        "dot": b"." in key,
        "dollar": key.startswith(b"$"),
        "empty": not key,
        "long": len(key) > NAME_BYTES,
        "invalid-utf8": not _is_utf8(key),
    }
    return [kind for kind, holds in found.items() if holds]


def refusals(path: Path, value: Value) -> list[str]:
    """Say why PostgreSQL would refuse a scalar; see `truth.Refused`."""
    raw = value.raw
    match value.type:
        case 0x01:
            return _of_number(struct.unpack("<d", raw)[0])
        case 0x02 | 0x0D | 0x0E:
            text = raw[4:-1]
            wide = path == ("_id",) and len(text) > ENTRY_BYTES
            found = {"nul": b"\0" in text, "invalid-utf8": not _is_utf8(text), "wide-id": wide}
            return [why for why, holds in found.items() if holds]
        case 0x09:
            return [] if struct.unpack("<q", raw)[0] in TIMESTAMP_RANGE else ["date-range"]
        case 0x13:
            # Five bits behind the sign: 11111 is not a number, 11110 infinite.
            top = raw[15] >> 2 & 0x1F
            return {0x1F: ["decimal-nan"], 0x1E: ["decimal-infinity"]}.get(top, [])
        case _:
            return []


def _of_number(number: float) -> list[str]:
    if math.isnan(number):
        return ["nan"]
    return ["infinity"] if math.isinf(number) else []


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _listed(values: Counter[tuple[int, bytes]]) -> list[DistinctValue]:
    listed = [DistinctValue(TYPE_NAMES[kind], _text(kind, raw), count) for (kind, raw), count in values.items()]
    return sorted(listed, key=lambda one: (-one.count, one.type, one.value))


def _text(kind: int, raw: bytes) -> str:
    match kind:
        case 0x01:
            return repr(struct.unpack("<d", raw)[0])
        case 0x02:
            return raw[4:-1].decode("utf-8", "surrogateescape")
        case 0x08:
            return "true" if raw[0] else "false"
        case 0x09 | 0x10 | 0x12:
            return str(int.from_bytes(raw, "little", signed=True))
        case _:
            return raw.hex()
