"""Read JSON of mongoexport: files of documents on lines, written out over many lines, or in one array.

Decides where partitions begin, what a block is and how a place is named. Text becomes documents in `text`, and
documents become BSON in `values`. Positions are offsets in the decompressed file, of the first byte of a document
or of what stands in front of it.
"""

from __future__ import annotations

import os
import re
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from isthmus.errors import SourceError, Where
from isthmus.sources.chosen import readable
from isthmus.sources.extended_json.folder import ExportedCollection
from isthmus.sources.extended_json.inflated import JsonBytes, JsonFile, line_and_column, line_feeds
from isthmus.sources.extended_json.text import BreakError, Document, Documents, Large, holds_array
from isthmus.sources.files import difference, in_bytes, size_and_time
from isthmus.sources.offsets import decode_position, encode_position, first_stop, partitions_between
from isthmus.sources.protocol import Block, CollectionInfo, Partition, Position
from isthmus.sources.shown import shown

_WINDOW_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 12
_WINDOWS = 64
_MOST_REMEMBERED = 200_000  # documents of blocks whose places are remembered

# Only between two documents can this stand: inside one a comma would be missing, and no text of JSON holds a line end.
_BETWEEN = re.compile(rb"\}[ \t\r]*\n[ \t\r\n]*\{")


@dataclass(slots=True)
class _Trail:
    """Where the documents of one block came from.

    Attributes:
        began: Byte where reading began that gave this block.
        lines: Line feeds in front of that byte; None where they were not counted.
        offsets: Offset of each document in the block.
        places: Its byte in the decompressed file.
        feeds: Line feeds between `began` and it.
        size: Bytes of BSON in all.
    """

    began: int
    lines: int | None
    size: int = 0
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("Q"))
    feeds: array[int] = field(default_factory=lambda: array("Q"))


class JsonSource:
    """Collections exported by mongoexport.

    Args:
        path: The folder, or the only file.
        found: The collections, as `list_exported` returns them.
    """

    kind = "json"
    moves = False

    def __init__(self, path: Path, found: dict[str, ExportedCollection]) -> None:
        self._path = path
        self._found = found
        self.name = f"JSON in {shown(path)}"
        self._seen = {name: size_and_time(one.file.path) for name, one in found.items()}
        self._mutex = threading.Lock()
        self._trails: OrderedDict[tuple[str, Position], _Trail] = OrderedDict()
        self._remembered = 0
        self._lines: dict[str, dict[int, int]] = {name: {0: 0} for name in found}

    def identity(self) -> dict[str, object]:
        """Return kind and the names of the readable collections; see `Source.identity`. JSON names no database."""
        return {"kind": self.kind, "collections": [name for name, one in self._found.items() if one.info.readable]}

    def collections(self) -> list[CollectionInfo]:
        """List every collection sorted by name, also those that a rule leaves out."""
        return [one.info for one in self._found.values()]

    def partitions(self, collection: str, wanted: int) -> list[Partition]:
        """Split a collection; see `Source.partitions`. An array or a gzipped file is always one partition.

        Raises:
            SourceError: `unknown-collection`, `collection-not-read` or `unreadable`.
        """
        file = self._readable(collection)
        boundaries = [0]
        if wanted > 1 and not file.compressed:
            with file.opened() as descriptor:
                try:
                    if not holds_array(JsonBytes(file, descriptor)):
                        boundaries += _boundaries(descriptor, os.fstat(descriptor).st_size, wanted)
                except OSError as error:
                    file.unreadable(None, error)
        return partitions_between(collection, boundaries)

    def read(
        self,
        partition: Partition,
        *,
        after: Position | None,
        until: Position | None,
        max_bytes: int,
        grow: Callable[[int], None] | None = None,
    ) -> Iterator[Block]:
        """Yield a partition's documents; see `Source.read`.

        Memory: at most `max_bytes` of BSON, and as much text, or one document where that is larger.

        Raises:
            SourceError: `broken-json`, `truncated`, `gzip-broken`, `unreadable` or `changed-under-us`, after every
                whole document before the break.
        """
        file = self._readable(partition.collection)
        start = decode_position(partition.start if after is None else after)
        stop = first_stop(partition.end, until)
        if stop is not None and stop <= start:
            return
        with file.opened() as descriptor:
            size = os.fstat(descriptor).st_size
            data, before = _positioned(file, descriptor, start)
            try:
                if data.offset < start:
                    _short(data, start)
                trail = _Trail(start, data.lines)
                found = Documents(data, stop=stop, before=before, max_bytes=max(1, max_bytes))
                yield from self._blocks(file, found, trail, stop, max(1, max_bytes), grow)
                if os.fstat(descriptor).st_size != size:
                    what = f"went from {size:,} to {in_bytes(os.fstat(descriptor).st_size)} while it was read"
                    raise BreakError("changed-under-us", found.behind, what)
            except BreakError as error:
                _raise(file, error, data.compressed_offset)

    def locate(self, position: Position, offset: int, *, collection: str | None = None) -> str:
        """Name a place: file, line and byte of the document there; see `Source.locate`.

        A place in a block that was read not long ago is known; for any other one the file is read again from there.
        """
        start = decode_position(position)
        one = self._found.get(collection) if collection is not None else None
        if one is None:
            return f"byte {start:,}"
        file = one.file
        with self._mutex:
            trail = self._trails.get((file.collection, position))
        try:
            if trail is None or trail.size <= offset:
                trail = self._retrace(file, start, offset)
            number = bisect_right(trail.offsets, offset) - 1
            if number >= 0:
                line = self._feeds(file, trail) + trail.feeds[number] + 1
                return f"{shown(file.path.name)} at line {line:,} ({_byte(file, trail.places[number])})"
        except SourceError:
            pass  # the place is still a place
        return f"{shown(file.path.name)} at {_byte(file, start)}"

    def tell(self, note: Callable[[str], None]) -> None:
        """Take nothing: files have nothing to tell; see `Source.tell`."""

    def changed(self, collection: str) -> str | None:
        """Compare size and time of a collection's file with those at the opening; see `Source.changed`."""
        file = self._found[collection].file
        try:
            return difference(self._seen[collection], size_and_time(file.path))
        except OSError as error:
            file.unreadable(None, error)

    def close(self) -> None:
        """Do nothing: every reader closes its own descriptor."""

    def _readable(self, collection: str) -> JsonFile:
        return readable(self._found, collection, f"JSON in {self._path}", str(self._path)).file

    def _blocks(
        self,
        file: JsonFile,
        found: Documents,
        first: _Trail,
        stop: int | None,
        max_bytes: int,
        grow: Callable[[int], None] | None,
    ) -> Iterator[Block]:
        """Put documents together; a block ends where the next document begins, or where reading ends."""
        held: list[bytes] = []
        size, start, trail = 0, first.began, first

        def block(end: int) -> Block:
            nonlocal held, size, start, trail
            made = Block(b"".join(held), encode_position(start), encode_position(end))
            self._remember(file.collection, made.start, trail)
            held, size, start, trail = [], 0, end, _Trail(first.began, first.lines)
            return made

        broken: BreakError | None = None
        try:
            for one in found:
                data = one.data if isinstance(one, Document) else b""
                if held and (isinstance(one, Large) or size + len(data) > max_bytes):
                    yield block(one.start)
                if isinstance(one, Large):
                    if grow is not None:
                        grow(one.size)
                    continue
                if len(data) > max_bytes and grow is not None:
                    grow(len(data))
                trail.offsets.append(size)
                trail.places.append(one.start)
                trail.feeds.append(one.lines)
                held.append(data)
                trail.size = size = size + len(data)
        except BreakError as error:
            broken = error
        if held:
            yield block(found.behind if broken is not None or stop is None else stop)
        if broken is not None:
            raise broken

    def _remember(self, collection: str, position: Position, trail: _Trail) -> None:
        """Keep where a block's documents came from; let go of the oldest ones."""
        with self._mutex:
            before = self._trails.pop((collection, position), None)
            if before is not None:  # another reader, with blocks of another size
                self._remembered -= len(before.offsets)
                trail = max(trail, before, key=lambda one: one.size)
            self._trails[(collection, position)] = trail
            self._remembered += len(trail.offsets)
            while self._remembered > _MOST_REMEMBERED and len(self._trails) > 1:
                self._remembered -= len(self._trails.popitem(last=False)[1].offsets)

    def _retrace(self, file: JsonFile, start: int, offset: int) -> _Trail:
        """Find the document again that holds an offset counted in BSON from a byte of the file."""
        size = 0
        with file.opened() as descriptor:
            data, before = _positioned(file, descriptor, start)
            trail = _Trail(start, data.lines)
            try:
                for one in Documents(data, stop=None, before=before, max_bytes=_WINDOW_BYTES):
                    if isinstance(one, Large):
                        continue
                    trail.offsets.append(size)
                    trail.places.append(one.start)
                    trail.feeds.append(one.lines)
                    trail.size = size = size + len(one.data)
                    if size > offset:
                        break
            except BreakError:
                pass
        return trail

    def _feeds(self, file: JsonFile, trail: _Trail) -> int:
        """Return the line feeds in front of where the reading of a block began."""
        if trail.lines is not None:
            return trail.lines
        with self._mutex:
            known = self._lines[file.collection]
            nearest_start = max(start for start in known if start <= trail.began)
            feeds = known[nearest_start]
        feeds += line_feeds(file, nearest_start, trail.began)
        with self._mutex:
            known[trail.began] = feeds
        return feeds


def _positioned(file: JsonFile, descriptor: int, start: int) -> tuple[JsonBytes, bytes | None]:
    """Return the file's bytes from a place on, and the byte in front of it where that lies in an array."""
    data = JsonBytes(file, descriptor)
    if start == 0:
        return data, None
    is_array = holds_array(JsonBytes(file, descriptor))
    data.skip(start - 1)
    before = data.read(1)
    if data.lines is not None:
        data.lines += before.count(b"\n")
    return data, before if is_array else None


def _boundaries(descriptor: int, size: int, wanted: int) -> list[int]:
    """Return up to `wanted - 1` places where a document begins a line, ascending, near equal shares of the file."""
    found: list[int] = []
    for share in range(1, wanted):
        offset = max(size * share // wanted, found[-1] + 1 if found else 1)
        for _ in range(_WINDOWS):
            window = os.pread(descriptor, _WINDOW_BYTES, offset)
            place = _BETWEEN.search(window)
            if place is not None:
                found.append(offset + place.end() - 1)
                break
            if len(window) <= _OVERLAP_BYTES:
                return found
            offset += len(window) - _OVERLAP_BYTES
    return found


def _short(data: JsonBytes, start: int) -> NoReturn:
    """Raise for a file that ends before the place where reading should go on."""
    if data.broken is not None:
        raise BreakError("gzip-broken", data.offset, data.broken)
    raise BreakError("changed-under-us", data.offset, f"has only {in_bytes(data.offset)} where {start:,} were")


def _byte(file: JsonFile, offset: int) -> str:
    return f"{'decompressed ' if file.compressed else ''}byte {offset:,}"


def _raise(file: JsonFile, error: BreakError, compressed: int | None) -> NoReturn:
    """Raise a break as the error to show, with the line it is in."""
    line, column = line_and_column(file, error.offset)
    name, where = shown(file.path.name), Where(file=shown(file.path), line=line, collection=file.collection)
    context = {
        "offset": error.offset,
        "line": line,
        "column": column,
        "decompressed": compressed is not None,
        "compressed_offset": compressed,
    }
    if error.code == "changed-under-us":
        raise SourceError(
            f"{name} is not what it was: it {error.reason}.",
            code="changed-under-us",
            where=where,
            context=context,
            hint="Is mongoexport still writing it, or was it replaced? Wait until the file is complete and run again.",
        ) from error
    place = f"line {line:,}, column {column:,}"
    if error.code == "gzip-broken":
        place = f"compressed byte {compressed:,}, behind the document that ends at {place}"
    what = f"{name} cannot be read on at {place}: it {error.reason}. Every document before it was read."
    if error.code == "broken-json":
        hint = "Mend the file, or export it again, and run the same command: it goes on from here."
        raise SourceError(what, code="broken-json", where=where, context=context, hint=hint) from error
    hint = "Export the collection again and run the same command: it goes on from here."
    if error.code == "truncated":
        raise SourceError(what, code="truncated", where=where, context=context, hint=hint) from error
    raise SourceError(what, code="gzip-broken", where=where, context=context, hint=hint) from error
