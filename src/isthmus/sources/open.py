"""Turn the text a user gives for a source into a Source, or say plainly why it is none.

Decides by what lies at the path, never by guessing at content: folders and archives of mongodump and JSON of
mongoexport are read, everything else that is recognised is refused with the way that does work.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from isthmus.errors import ConfigError, SourceError, Where
from isthmus.sources.archive.opening import is_archive, look, open_database
from isthmus.sources.databases import listed, offered
from isthmus.sources.dump.folder import DumpedCollection, databases, holds_collections, list_collections
from isthmus.sources.dump.source import DumpSource
from isthmus.sources.extended_json.folder import collection_name, holds_json
from isthmus.sources.extended_json.opening import open_json
from isthmus.sources.files import unreadable
from isthmus.sources.gzip_stream import GZIP_MAGIC
from isthmus.sources.nearby import said_nearby
from isthmus.sources.nearest import nearest
from isthmus.sources.protocol import Source
from isthmus.sources.shown import quoted, shown

_DUMP_HINT = (
    "Give the folder that mongodump wrote (dump/DATABASE, or dump with --db DATABASE), its archive, or JSON of"
    " mongoexport."
)
_OPLOG_HINT = (
    "Restore it with mongorestore --oplogReplay and dump it again without --oplog; or say --ignore-oplog to carry each "
    "collection as it was at the moment it was dumped."
)
_DATA_ENDINGS = (".bson", ".bson.gz")
_HEAD_BYTES = 512
_LIKE_ADDRESS = re.compile(r"[\s\ufeff]*(mongodb(\+srv)?(:|//)|[^@]*:.*@)", re.IGNORECASE | re.DOTALL)


def open_source(
    text: str,
    *,
    database: str | None = None,
    ignore_oplog: bool = False,
    patience_seconds: float | None = None,
    past_metadata: bool = False,
) -> Source:
    """Open a source.

    Reads folder listings, metadata files and at most one byte of each data file, 64 KiB of each JSON file, and an
    archive once from beginning to end; nothing is kept open.

    Args:
        text: A mongodump folder: one database's, or the root folder with `database`; a mongodump archive;
            or JSON of mongoexport: one file NAME.json (.jsonl, .ndjson, each also .gz), or a folder of them. A folder
            that also holds .bson files is a dump, and its JSON files are not looked at.
        database: Name of the database; needed for a root folder and for an archive of several databases, checked
            against what is there otherwise.
        ignore_oplog: Carry the collections of a dump without the changes in its oplog, rather than refuse it.
        patience_seconds: How long the caller would wait for a server that is away: one question to it lasts no longer.
        past_metadata: List a collection of a dump folder also when its metadata cannot be read, with the reason as its
            `fault`, rather than refuse the dump.

    Raises:
        ConfigError: `text` is a kind of source this version does not read (`source-not-supported`), or a MongoDB URL
            that cannot be used (`bad-source`, `bad-name`).
        SourceError: there is no such path (`no-such-source`), it is a file (`not-a-folder`, `json-name`), it
            holds no collection or no document (`empty-source`), the database is not named or not there
            (`database-needed`, `unknown-database`), an oplog must be replayed first (`oplog-present`), a file of the
            dump contradicts another (`ambiguous-collection`, `metadata-broken`, `unreadable`), or an archive cannot
            be used (`archive-version`, `archive-scattered`; `truncated`, `broken-framing` or `gzip-broken` when its
            prelude is).
    """
    if text == "-":
        _refuse_stream("-")
    scheme = re.match(r"[\s\ufeff]*([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if scheme is not None and scheme[1].lower() in {"mongodb", "mongodb+srv"}:
        from isthmus.sources.live.source import open_live

        return open_live(text.lstrip("\ufeff").strip(), database=database, patience_seconds=patience_seconds)
    if scheme is not None:
        _refuse_url(scheme.group(1).lower())
    if _LIKE_ADDRESS.match(text) and not os.path.exists(text):  # noqa: PTH110  which takes names of any length
        _refuse_mistyped()
    path = Path(text).expanduser()
    try:
        if not path.exists():
            _refuse_missing(path)
        if not path.is_dir() and not path.is_file():
            _refuse_stream(str(path))
        if path.is_file() and is_archive(path):
            return _open_archive(path.resolve(), database, ignore_oplog)
        if path.is_file() and collection_name(path) is not None:
            return open_json(path.absolute(), database=database)
        if not path.is_dir():
            _refuse_file(path)
        return _open_folder(path.resolve(), database, ignore_oplog, past_metadata)
    except OSError as error:
        unreadable(path, None, None, error)


def _open_archive(path: Path, database: str | None, ignore_oplog: bool) -> Source:
    archive = look(path)
    known = archive.databases
    if database is None and len(known) > 1:
        _refuse_unnamed(path, "an archive of several databases", known)
    if database is not None and database not in known:
        _refuse_database(path, database, known)
    source, oplog_bytes = open_database(archive, database if database is not None else known[0] if known else "")
    if oplog_bytes and not ignore_oplog:
        raise SourceError(
            "The archive holds an oplog: changes that were made while the dump ran; without them the collections do not"
            " fit together, and this version does not replay them.",
            code="oplog-present",
            where=Where(file=shown(path)),
            hint=_OPLOG_HINT,
        )
    readable = [one for one in source.collections() if one.readable]
    if not any(one.bytes_total or not one.bytes_exact for one in readable):
        what = "holds only empty collections" if readable else "holds no collection that can be read"
        raise SourceError(
            f"The archive {what}: there is nothing to carry.",
            code="empty-source",
            where=Where(file=shown(path)),
            hint="Was the archive made from the right database?",
        )
    return source


def _open_folder(folder: Path, database: str | None, ignore_oplog: bool, past_metadata: bool) -> Source:
    below = databases(folder)
    if not below and not _holds_data(folder):
        for place in (folder, folder / database if database is not None else folder):
            if place.is_dir() and holds_json(place):
                return open_json(place, database=database)
    if holds_collections(folder) and database not in below:
        if database is not None and database != folder.name:
            _refuse_database(folder, database, [folder.name, *below])
        return _open_database(folder, folder.name, ignore_oplog, past_metadata)
    if not below:
        _refuse_empty(folder, "no NAME.bson of mongodump and no NAME.json of mongoexport, in it or in a folder in it")
    if database is None:
        _refuse_unnamed(folder, "the root of a dump", below)
    if database not in below:
        _refuse_database(folder, database, below)
    return _open_database(folder / database, database, ignore_oplog, past_metadata)


def _open_database(folder: Path, database: str, ignore_oplog: bool, past_metadata: bool) -> Source:
    if not ignore_oplog:
        for place in (folder, folder.parent):
            _refuse_oplog(place)
    found = list_collections(folder, past_metadata=past_metadata)
    readable = [one for one in found.values() if one.info.readable]
    if not readable:
        _refuse_empty(folder, "what is in it are views, or belongs to the server")
    if not any(_has_bytes(one) for one in readable):
        raise SourceError(
            "Every collection of the dump is empty: there is nothing to carry.",
            code="empty-source",
            where=Where(file=shown(folder)),
            hint="Was the dump made from the right database?",
        )
    return DumpSource(folder, database, found)


def _holds_data(folder: Path) -> bool:
    return any(one.name.endswith(_DATA_ENDINGS) for one in folder.iterdir())


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
                "The dump holds changes that were made while it ran; without them the collections do not fit "
                "together, and this version does not replay them.",
                code="oplog-present",
                where=Where(file=shown(path)),
                hint=_OPLOG_HINT,
            )


def _refuse_url(scheme: str) -> NoReturn:
    if scheme in {"postgres", "postgresql"}:
        message = "The source is a PostgreSQL address; PostgreSQL is the target."
        raise ConfigError(message, code="source-not-supported", hint=f"Give it as --target. {_DUMP_HINT}")
    message = f"A source that begins with {scheme}:// is not known."
    raise ConfigError(message, code="source-not-supported", hint=_DUMP_HINT)


def _refuse_mistyped() -> NoReturn:
    raise ConfigError(
        "The source is no file or folder, and looks like an address with a typing error; its text is not repeated here"
        " because it may hold a password.",
        code="bad-source",
        hint="Give mongodb://USER@HOST/DATABASE or mongodb+srv://USER@HOST/DATABASE, or the path of a dump.",
    )


def _refuse_stream(text: str) -> NoReturn:
    raise ConfigError(
        f"{shown(text)} is a stream; a copy reads its source more than once, also to go on after a break, so it needs a"
        " file or folder.",
        code="source-not-supported",
        hint="Write it into a file first (mongodump --archive=FILE) and give that.",
    )


def _refuse_missing(path: Path) -> NoReturn:
    missing = path
    while not missing.parent.exists() and missing.parent != missing:
        missing = missing.parent
    there = missing.parent
    near = nearest(missing.name, [one.name for one in there.iterdir()]) if there.is_dir() else None
    if there.is_file():
        message = "There is no such file or folder: "
        message += f"{shown(there.name)} is a file, so nothing is in it for a path to name."
    elif missing == path:
        message = "There is no such file or folder."
    else:
        message = f"There is no such file or folder. There is no folder {shown(missing.name)} in {shown(there)}."
    hint = _DUMP_HINT
    hint += said_nearby(there)
    meant = there / near / path.relative_to(missing) if near is not None else None
    raise SourceError(
        message,
        code="no-such-source",
        where=Where(file=shown(path)),
        hint=f"Did you mean {shown(meant)}?" if meant is not None and meant.exists() else hint,
    )


def _refuse_file(path: Path) -> NoReturn:
    where = Where(file=shown(path))
    head, name = _head(path), shown(path.name)
    if path.name.endswith((".bson", ".bson.gz")):
        message = f"{name} is one collection's file; the folder around it is the dump."
        raise SourceError(message, code="not-a-folder", where=where, hint=f"Give {shown(path.parent)} instead.")
    if path.name.endswith((".metadata.json", ".metadata.json.gz")):
        message = f"{name} is what mongodump says of a collection; it holds no documents."
        raise SourceError(message, code="not-a-folder", where=where, hint=f"Give {shown(path.parent)} instead.")
    if not head:
        message = f"{name} is empty, or breaks off at its very beginning: nothing of an archive or of JSON is there."
        raise SourceError(message, code="not-a-folder", where=where, hint="Get the file again, or make it again.")
    if head.lstrip()[:1] in {b"{", b"["}:
        message = f"{name} looks like JSON, but its name does not say which collection it is."
        hint = "Call it COLLECTION.json (or .jsonl, .ndjson, each also with .gz)."
        raise SourceError(message, code="json-name", where=where, hint=hint)
    if _is_packed(head):
        message = f"{name} is packed in a form that is not read as it is."
        hint = "Unpack it, and give the folder that mongodump wrote, its archive or the JSON in it."
        raise SourceError(message, code="not-a-folder", where=where, hint=hint)
    if path.name.lower().endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz")):
        message = f"{name} is a table of texts, which do not say what type a value had."
        hint = "Export it again: mongoexport --type=json --jsonFormat=canonical, or use mongodump."
        raise SourceError(message, code="not-a-folder", where=where, hint=hint)
    message = (
        f"{name} is a file, but neither an archive of mongodump, which begins with other bytes, nor JSON of"
        " mongoexport, which is called COLLECTION.json; and a dump is a folder."
    )
    hint = _DUMP_HINT
    hint += said_nearby(path.parent)
    raise SourceError(message, code="not-a-folder", where=where, hint=hint)


# Zip (also empty), 7z, xz, bzip2, zstandard, rar.
_PACKED = (b"PK\3\4", b"PK\5\6", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"Rar!")
_TAR_MAGIC = (257, b"ustar")


def _is_packed(head: bytes) -> bool:
    at, tar = _TAR_MAGIC
    return head.startswith(_PACKED) or head[at : at + len(tar)] == tar


def _head(path: Path) -> bytes:
    """Return the first 512 bytes, decompressed where the file is gzip; fewer where that breaks off."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(GZIP_MAGIC):
        return head
    head = b""
    with suppress(EOFError, zlib.error, gzip.BadGzipFile), gzip.open(path, "rb") as inner:
        # not read: it loses what it has when the file ends before its time
        while len(head) < _HEAD_BYTES and (more := inner.read1(_HEAD_BYTES - len(head))):
            head += more
    return head


def _refuse_empty(folder: Path, why: str) -> NoReturn:
    hint = _DUMP_HINT
    hint += said_nearby(folder)
    raise SourceError(
        f"The folder holds no collection that can be read: {why}.",
        code="empty-source",
        where=Where(file=shown(folder)),
        hint=hint,
    )


def _refuse_unnamed(path: Path, what: str, known: list[str]) -> NoReturn:
    raise SourceError(
        f"This is {what}; it holds {listed(known)}.",
        code="database-needed",
        where=Where(file=shown(path)),
        hint=f"Say which database is meant: {offered(known)}",
    )


def _say_which(known: list[str]) -> str | None:
    return f"Say which database is meant: {offered(known)}" if known else None


def _refuse_database(folder: Path, database: str, known: list[str]) -> NoReturn:
    near = nearest(database, known)
    raise SourceError(
        f"The dump has no database {shown(database)}; it holds {listed(known) if known else 'none'}.",
        code="unknown-database",
        where=Where(file=shown(folder)),
        hint=f"Did you mean --db {quoted(near)}?" if near is not None else _say_which(known),
    )
