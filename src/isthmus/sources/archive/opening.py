"""Open a mongodump archive: look at its prelude, then go through it once to learn where everything stands."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import SourceError, Where
from isthmus.sources.archive.collections import describe
from isthmus.sources.archive.format import MAGIC, VERSION
from isthmus.sources.archive.index import (
    Break,
    BrokenError,
    Contents,
    NewerVersionError,
    Prelude,
    TooManySegmentsError,
    read_blocks,
    read_prelude,
)
from isthmus.sources.archive.inflated import ArchiveBytes, GzipBytes, LoggedBytes, Places, PlainBytes
from isthmus.sources.archive.source import ArchiveSource, Opened
from isthmus.sources.files import of_stat, opened
from isthmus.sources.gzip_stream import GZIP_MAGIC
from isthmus.sources.shown import shown

_AGAIN = "Get the archive again, or make it again."


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose prelude was read.

    Attributes:
        path: The file.
        prelude: What it says of itself.
    """

    path: Path
    prelude: Prelude

    @property
    def databases(self) -> list[str]:
        """Names of its databases, sorted; the oplog belongs to none."""
        return sorted({one.database for one in self.prelude.descriptions} - {""})


def is_archive(path: Path) -> bool:
    """Tell whether a file begins as an archive does, plain or gzipped.

    Raises:
        OSError: It cannot be read.
    """
    with _bytes(path, Places()) as (data, _, _):
        return data.read(0, len(MAGIC)) == MAGIC


def look(path: Path) -> Archive:
    """Read an archive's prelude.

    Raises:
        SourceError: It cannot be used (`truncated`, `broken-framing`, `gzip-broken`), or is of a newer version
            (`archive-version`).
        OSError: The file cannot be read.
    """
    with _bytes(path, Places()) as (data, _, _):
        try:
            return Archive(path, read_prelude(data))
        except BrokenError as error:
            raise SourceError(
                f"{shown(path.name)} {_told(error.where)} What its collections are stands at the beginning, so nothing"
                " of it can be read.",
                code=error.where.code,
                where=Where(file=shown(path)),
                hint=_AGAIN,
            ) from error
        except NewerVersionError as error:
            raise SourceError(
                f"{shown(path.name)} is an archive of version {str(error) or '(none)'}; this Isthmus reads version"
                f" {VERSION} only.",
                code="archive-version",
                where=Where(file=shown(path)),
                hint="Restore it with a mongorestore that knows this version, and dump it into a folder with --out.",
            ) from error


def open_database(archive: Archive, database: str) -> tuple[ArchiveSource, int]:
    """Open one database of an archive; reads through the whole file.

    Returns:
        The source, and how many bytes of oplog the archive holds.

    Raises:
        SourceError: Its documents stand in too many places (`archive-scattered`), a collection is described twice
            (`ambiguous-collection`) or not legibly (`metadata-broken`).
        OSError: The file cannot be read.
    """
    path, places = archive.path, Places()
    mine = [one for one in archive.prelude.descriptions if one.database == database and database]
    with _bytes(path, places, keep=True) as (data, is_gzip, now):
        try:
            logged = LoggedBytes(data, shown(path.name), now.st_size)
            contents = read_blocks(logged, archive.prelude.end, database, [one.name for one in mine])
        except TooManySegmentsError as error:
            raise SourceError(
                f"The documents of {shown(path.name)} stand in more than two million separate places, more than this"
                " version keeps in memory.",
                code="archive-scattered",
                where=Where(file=shown(path)),
                hint="Restore it with mongorestore --archive, and dump it into a folder with --out.",
            ) from error
    found = describe(mine, contents.extents, shown(path))
    file = Opened(path, of_stat(now), places if is_gzip else None)
    readable = {name for name, one in found.items() if one.info.readable}
    return ArchiveSource(file, database, found, contents.broken, _unproven(contents, readable)), contents.oplog_bytes


def _unproven(contents: Contents, readable: set[str]) -> str | None:
    """Return the collection to tell of a break that no collection meets: the one that ended last before it."""
    ended = [name for name in contents.ended if name in readable]
    return None if contents.whole or len(ended) < len(readable) or not ended else ended[-1]


def _told(broken: Break) -> str:
    if broken.code == "gzip-broken":
        return f"{broken.reason}, at compressed byte {broken.compressed_offset:,}."
    return f"breaks at byte {broken.offset:,}. {broken.reason}"


@contextmanager
def _bytes(
    path: Path, places: Places, *, keep: bool = False
) -> Generator[tuple[ArchiveBytes, bool, os.stat_result], None, None]:
    with opened(path) as descriptor:
        is_gzip = os.pread(descriptor, len(GZIP_MAGIC), 0) == GZIP_MAGIC
        data = GzipBytes(descriptor, places, keep=keep) if is_gzip else PlainBytes(descriptor)
        yield data, is_gzip, os.fstat(descriptor)
