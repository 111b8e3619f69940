"""Counts a written database again, from its bytes alone and another way than `tally`: as a stream of values.

It shares with the generators nothing but the dataclasses of the truth, and takes from the truth only which paths are
maps and which paths are references. What both sides would get wrong alike: the meaning of the words in `truth`.
"""

from __future__ import annotations

import gzip
import math
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.planted.truth import ITEMS, KEYS, DistinctValue, Hits, KeyOddity, MapTruth, PathTruth, Refused

FIXED = {
    0x01: ("double", 8),
    0x06: ("undefined", 0),
    0x07: ("objectId", 12),
    0x08: ("bool", 1),
    0x09: ("date", 8),
    0x0A: ("null", 0),
    0x10: ("int", 4),
    0x11: ("timestamp", 8),
    0x12: ("long", 8),
    0x13: ("decimal", 16),
    0x7F: ("maxKey", 0),
    0xFF: ("minKey", 0),
}
# Types that begin with a length, and how many bytes that length does not count.
SIZED = {
    0x02: ("string", 4),
    0x03: ("object", 0),
    0x04: ("array", 0),
    0x05: ("binData", 5),
    0x0C: ("dbPointer", 16),
    0x0D: ("javascript", 4),
    0x0E: ("symbol", 4),
    0x0F: ("javascriptWithScope", 0),
}


@dataclass(frozen=True)
class Found:
    """A value where it stands: `data[start:end]`."""

    type: str
    raw: bytes


def elements(raw: bytes) -> Iterator[tuple[bytes, Found]]:
    """Give the elements of a document's bytes, in order."""
    at, end = 4, len(raw) - 1
    if struct.unpack_from("<i", raw)[0] != len(raw) or raw[end]:
        raise ValueError("not the bytes of one document")
    while at < end:
        code = raw[at]
        stop = raw.index(0, at)
        key, at = raw[at + 1 : stop], stop + 1
        if code in FIXED:
            name, size = FIXED[code]
        elif code == 0x0B:
            name, size = "regex", raw.index(0, raw.index(0, at) + 1) + 1 - at
        else:
            name, more = SIZED[code]
            size = struct.unpack_from("<i", raw, at)[0] + more
        yield key, Found(name, raw[at : at + size])
        at += size


def final(raw: bytes) -> dict[bytes, Found]:
    """Give a document's elements; of a key that stands twice the last."""
    return dict(elements(raw))


def documents_of(data: bytes) -> Iterator[bytes]:
    """Cut a data file into documents."""
    at = 0
    while at < len(data):
        size = struct.unpack_from("<i", data, at)[0]
        yield data[at : at + size]
        at += size


def read_dump(folder: Path) -> dict[str, list[bytes]]:
    """Read the documents of all collections of a dump; a view has no data file and is not among them."""
    found: dict[str, list[bytes]] = {}
    for file in folder.iterdir():
        if file.suffix == ".gz" and file.stem.endswith(".bson"):
            found[unquote(file.stem.removesuffix(".bson"))] = list(documents_of(gzip.decompress(file.read_bytes())))
        elif file.suffix == ".bson":
            found[unquote(file.stem)] = list(documents_of(file.read_bytes()))
    return found


class Recount:
    """What stands in the documents of one collection.

    Args:
        maps: What the truth says of sub-documents whose keys are data; only their paths are used.
    """

    def __init__(self, documents: list[bytes], maps: Iterable[MapTruth]) -> None:
        self._maps = {tuple(one.path): set[bytes]() for one in maps}
        self._values: dict[tuple[str, ...], list[tuple[int, Found]]] = defaultdict(list)
        self._holders: Counter[tuple[str, ...]] = Counter()
        self._odd: Counter[tuple[tuple[str, ...], str]] = Counter()
        for number, raw in enumerate(documents):
            self._take(number, (), raw)

    def _take(self, number: int, top: tuple[str, ...], document: bytes) -> None:
        waiting = [(top, document)]
        while waiting:
            path, raw = waiting.pop()
            self._holders[path] += 1
            names = [key for key, _ in elements(raw)]
            final_elements = final(raw)
            if path in self._maps:
                self._maps[path].update(names)
            for key, found in final_elements.items():
                name = KEYS if path in self._maps else key.decode("utf-8", "surrogateescape")
                self._odd.update(((*path, name), kind) for kind in _oddities(key, names, final_elements))
                inner = [((*path, name), found)]
                while inner:
                    place, value = inner.pop()
                    self._values[place].append((number, value))
                    if value.type == "array":
                        inner += [((*place, ITEMS), item) for _, item in elements(value.raw)]
                    elif value.type == "object":
                        waiting.append((place, value.raw))

    def paths(self) -> list[PathTruth]:
        """Return what `CollectionTruth.paths` should be."""
        return [self._path(path) for path in sorted(self._values)]

    def _path(self, path: tuple[str, ...]) -> PathTruth:
        met = [found for _, found in self._values[path]]
        null = sum(found.type == "null" for found in met)
        scalars = [found for found in met if found.type not in ("null", "object", "array")]
        distinct = Counter(scalars)
        texts = [len(found.raw) - 5 for found in met if found.type == "string"]
        arrays = [sum(1 for _ in elements(found.raw)) for found in met if found.type == "array"]
        if path[-1] == ITEMS:
            parents = sum(found.type == "array" for _, found in self._values[path[:-1]])
        else:
            parents = self._holders[path[:-1]]
        listed = [DistinctValue(found.type, as_text(found), count) for found, count in distinct.items()]
        listed.sort(key=lambda one: (-one.count, one.type, one.value))
        return PathTruth(
            path=list(path),
            parents=parents,
            missing=parents - len(met) if path[-1] not in (ITEMS, KEYS) else 0,
            null=null,
            present=len(met) - null,
            types=dict(sorted(Counter(found.type for found in met).items())),
            distinct=len(distinct),
            values=listed if len(listed) <= 20 else None,
            string_bytes=[min(texts), max(texts)] if texts else None,
            array_items=[min(arrays), max(arrays)] if arrays else None,
        )

    def key_oddities(self) -> list[KeyOddity]:
        """Return what `CollectionTruth.key_oddities` should be."""
        return [KeyOddity(list(path), kind, count) for (path, kind), count in sorted(self._odd.items())]

    def maps(self) -> dict[tuple[str, ...], tuple[int, int]]:
        """Return documents and distinct keys of the maps."""
        return {path: (self._holders[path], len(keys)) for path, keys in self._maps.items()}

    def refused(self) -> list[Refused]:
        """Return what `CollectionTruth.refused` should be."""
        counted: dict[tuple[tuple[str, ...], str], list[int]] = defaultdict(list)
        for path, met in self._values.items():
            for number, found in met:
                for kind in _refusals(found, identifier=path == ("_id",)):
                    counted[path, kind].append(number)
        return [
            Refused(list(path), kind, len(numbers), len(set(numbers)))
            for (path, kind), numbers in sorted(counted.items())
        ]


def _oddities(key: bytes, names: list[bytes], all_elements: dict[bytes, Found]) -> Iterator[str]:
    if names.count(key) > 1:
        yield "duplicate"
    if key in (b"$ref", b"$id", b"$db") and b"$id" in all_elements:
        reference = all_elements.get(b"$ref")
        if reference is not None and reference.type == "string":
            return
    if b"." in key:
        yield "dot"
    if key[:1] == b"$":
        yield "dollar"
    if key == b"":
        yield "empty"
    if len(key) >= 64:
        yield "long"
    if key.decode("utf-8", "replace").encode() != key:
        yield "invalid-utf8"


def _refusals(found: Found, *, identifier: bool) -> Iterator[str]:
    if found.type in ("string", "javascript", "symbol"):
        text = found.raw[4:-1]
        if 0 in text:
            yield "nul"
        if text.decode("utf-8", "replace").encode() != text:
            yield "invalid-utf8"
        if identifier and len(text) > 2692:
            yield "wide-id"
    elif found.type == "double":
        number = struct.unpack("<d", found.raw)[0]
        if math.isnan(number):
            yield "nan"
        elif abs(number) == math.inf:
            yield "infinity"
    elif found.type == "decimal":
        # The bits behind the sign: all ones for NaN, 11110 for infinity.
        head = int.from_bytes(found.raw, "little") >> 122 & 0b11111
        if head == 0b11111:
            yield "decimal-nan"
        elif head == 0b11110:
            yield "decimal-infinity"
    elif found.type == "date":
        days, _ = divmod(int.from_bytes(found.raw, "little", signed=True), 86_400_000)
        # Julian day 0 (4714-11-24 BC), and the first day of the year 294277.
        if not -2_440_588 <= days < 109_203_528 - 2_440_588:
            yield "date-range"


def as_text(found: Found) -> str:
    """Return a value as the truth writes it."""
    if found.type == "string":
        return found.raw[4:-1].decode("utf-8", "surrogateescape")
    if found.type in ("int", "long", "date"):
        return str(struct.unpack("<i" if len(found.raw) == 4 else "<q", found.raw)[0])
    if found.type == "double":
        return repr(struct.unpack("<d", found.raw)[0])
    if found.type == "bool":
        return "false" if found.raw == b"\0" else "true"
    return found.raw.hex()


def key_of(found: Found) -> Any:
    """Return what two values have in common exactly if they are the same key; numbers are, whatever their type."""
    if found.type in ("int", "long"):
        return "number", int.from_bytes(found.raw, "little", signed=True)
    if found.type == "double":
        return "number", struct.unpack("<d", found.raw)[0]
    if found.type == "object":
        return "object", tuple((key, key_of(value)) for key, value in elements(found.raw))
    return found.type, found.raw


def values_at(documents: Iterable[bytes], path: list[str]) -> Iterator[tuple[int, Found, dict[bytes, Found]]]:
    """Give the values at a path that are not null: the document's number, the value, and what stands beside it."""
    for number, raw in enumerate(documents):
        yield from ((number, found, beside) for found, beside in _below(raw, path))


def _below(raw: bytes, path: list[str]) -> Iterator[tuple[Found, dict[bytes, Found]]]:
    beside = final(raw)
    named = {key: key.decode("utf-8", "surrogateescape") for key in beside}
    met = [found for key, found in beside.items() if path[0] in (KEYS, named[key])]
    rest = path[1:]
    while rest and rest[0] == ITEMS:
        met = [item for found in met if found.type == "array" for _, item in elements(found.raw)]
        rest = rest[1:]
    for found in met:
        if not rest:
            if found.type != "null":
                yield found, beside
        elif found.type == "object":
            yield from _below(found.raw, rest)


def hits_of(keys: Iterable[Any], known: dict[tuple[str, str], set[Any]]) -> list[Hits]:
    """Say how many keys each collection knows."""
    listed = list(keys)
    counted = {place: sum(key in one for key in listed) for place, one in known.items()}
    return [Hits(collection, [field], number) for (collection, field), number in counted.items() if number]
