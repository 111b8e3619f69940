"""Turn the text a user gives for a source into a Source, or say plainly why it is none.

Decides by what lies at the path, never by guessing at content: folders of mongodump are read, everything else that is
recognised is refused with the way that does work.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import NoReturn

from isthmus.errors import ConfigError, SourceError, Where
from isthmus.sources.dump import DumpSource
from isthmus.sources.dump_folder import DumpedCollection, databases, holds_collections, list_collections
from isthmus.sources.nearest import nearest
from isthmus.sources.protocol import Source

_ARCHIVE_MAGIC = bytes.fromhex("6de29981")
"""First bytes of `mongodump --archive` (mongo-tools, `common/archive/spec.md`)."""

_SERVER_DATABASES = frozenset({"admin", "config", "local"})
_DUMP_HINT = "Give the folder that mongodump wrote: dump/DATABASE, or dump with --db DATABASE."
_JSON_ENDINGS = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")


def open_source(text: str, *, database: str | None = None) -> Source:
    """Open a source.

    Reads folder listings, metadata files and at most one byte of each data file; nothing is kept open.

    Args:
        text: A mongodump folder: one database's, or the root folder with `database`.
        database: Name of the database; needed for a root folder, checked against the folder's name otherwise.

    Raises:
        ConfigError: `text` is a kind of source this version does not read (`source-not-supported`).
        SourceError: there is no such path (`no-such-source`), it is a file (`not-a-folder`, `archive-not-supported`,
            `json-not-supported`), it holds no collection or no document (`empty-source`), the database is not named
            or not there (`database-needed`, `unknown-database`), an oplog must be replayed first (`oplog-present`),
            or a file of the dump contradicts another (`ambiguous-collection`, `metadata-broken`, `unreadable`).
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if scheme is not None:
        _refuse_url(scheme.group(1).lower())
    path = Path(text).expanduser()
    try:
        if not path.exists():
            _refuse_missing(path)
        if not path.is_dir():
            _refuse_file(path)
        return _open_folder(path.resolve(), database)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        raise SourceError(message, code="unreadable", where=Where(file=str(path)), retryable=True) from error


def _open_folder(folder: Path, database: str | None) -> Source:
    below = databases(folder)
    if holds_collections(folder) and database not in below:
        if database is not None and database != folder.name:
            _refuse_database(folder, database, [folder.name, *below])
        return _open_database(folder, folder.name)
    if not below:
        _refuse_empty(folder)
    if database is None:
        mine = [name for name in below if name not in _SERVER_DATABASES] or below
        raise SourceError(
            f"{folder} is the root of a dump; it holds {_listed(below)}.",
            code="database-needed",
            where=Where(file=str(folder)),
            hint=f"Say which database is meant: --db {mine[0]}",
        )
    if database not in below:
        _refuse_database(folder, database, below)
    return _open_database(folder / database, database)


def _open_database(folder: Path, database: str) -> Source:
    for place in (folder, folder.parent):
        _refuse_oplog(place)
    found = list_collections(folder)
    readable = [one for one in found.values() if one.info.readable]
    if not readable:
        _refuse_empty(folder)
    if not any(_has_bytes(one) for one in readable):
        raise SourceError(
            f"Every collection of the dump in {folder} is empty: there is nothing to carry.",
            code="empty-source",
            where=Where(file=str(folder)),
            hint="Was the dump made from the right database?",
        )
    return DumpSource(folder, database, found)


def _has_bytes(one: DumpedCollection) -> bool:
    """Whether reading this collection gives a document or an error rather than nothing at all."""
    if one.path is None:
        return False
    if not one.compressed:
        return one.path.stat().st_size > 0
    try:
        with gzip.open(one.path, "rb") as file:
            return bool(file.read(1))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return True


def _refuse_oplog(folder: Path) -> None:
    for name in ("oplog.bson", "oplog.bson.gz"):
        path = folder / name
        if path.is_file() and path.stat().st_size > (20 if name.endswith(".gz") else 0):
            raise SourceError(
                f"{path} holds changes that were made while the dump ran; without them the collections do not fit "
                "together, and this version does not replay them.",
                code="oplog-present",
                where=Where(file=str(path)),
                hint="Restore the dump with mongorestore --oplogReplay and dump it again without --oplog; or move "
                "oplog.bson away to carry each collection as it was at the moment it was dumped.",
            )


def _refuse_url(scheme: str) -> NoReturn:
    if scheme.startswith("mongodb"):
        message = "Reading from a live MongoDB server is not yet in this version; it reads folders of mongodump."
        hint = "Dump the database and give the folder: mongodump --uri … --db DATABASE --out dump, then dump/DATABASE."
        raise ConfigError(message, code="source-not-supported", hint=hint)
    if scheme in {"postgres", "postgresql"}:
        message = "The source is a PostgreSQL address; PostgreSQL is the target."
        raise ConfigError(message, code="source-not-supported", hint=f"Give it as --target. {_DUMP_HINT}")
    message = f"A source that begins with {scheme}:// is not known."
    raise ConfigError(message, code="source-not-supported", hint=_DUMP_HINT)


def _refuse_missing(path: Path) -> NoReturn:
    parent = path.parent
    near = nearest(path.name, [one.name for one in parent.iterdir()]) if parent.is_dir() else None
    raise SourceError(
        f"There is no file or folder {path}.",
        code="no-such-source",
        where=Where(file=str(path)),
        hint=f"Did you mean {parent / near}?" if near is not None else _DUMP_HINT,
    )


def _refuse_file(path: Path) -> NoReturn:
    where = Where(file=str(path))
    if path.name.endswith((".bson", ".bson.gz")):
        message = f"{path.name} is one collection's file; the folder around it is the dump."
        raise SourceError(message, code="not-a-folder", where=where, hint=f"Give {path.parent} instead.")
    head = _head(path)
    if head == _ARCHIVE_MAGIC:
        message = f"{path.name} is a mongodump archive; this version reads folders, archives come with the next one."
        hint = "Restore it with mongorestore --archive and dump it with --out, or make the dump again with --out."
        raise SourceError(message, code="archive-not-supported", where=where, hint=hint)
    if path.name.endswith(_JSON_ENDINGS) or head.lstrip()[:1] in {b"{", b"["}:
        message = f"{path.name} is JSON; this version reads folders of mongodump, JSON comes with the next one."
        hint = "Dump the collection with mongodump: JSON from mongoexport has lost types that BSON keeps."
        raise SourceError(message, code="json-not-supported", where=where, hint=hint)
    message = f"{path.name} is a file, not a folder of mongodump."
    raise SourceError(message, code="not-a-folder", where=where, hint=_DUMP_HINT)


def _head(path: Path) -> bytes:
    """Return the first four bytes, decompressed where the file is gzip."""
    with path.open("rb") as file:
        head = file.read(4)
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        with gzip.open(path, "rb") as inner:
            return inner.read(4)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


def _refuse_empty(folder: Path) -> NoReturn:
    if not holds_collections(folder) and any(one.name.endswith(_JSON_ENDINGS) for one in folder.iterdir()):
        what = "holds JSON files but no collection of a mongodump; JSON comes with the next version"
        code = "json-not-supported"
    else:
        what, code = "holds no collection that can be read", "empty-source"
    raise SourceError(f"{folder} {what}.", code=code, where=Where(file=str(folder)), hint=_DUMP_HINT)


def _refuse_database(folder: Path, database: str, known: list[str]) -> NoReturn:
    near = nearest(database, known)
    raise SourceError(
        f"The dump in {folder} has no database {database}; it holds {_listed(known)}.",
        code="unknown-database",
        where=Where(file=str(folder)),
        hint=f"Did you mean --db {near}?" if near is not None else None,
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{'the database' if len(names) == 1 else 'the databases'} {shown}{more}"
