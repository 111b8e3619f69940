"""The export of a collection, as mongodump writes it, that is read again before anything is dropped.

DIR/DATABASE/COLLECTION.bson and .metadata.json, readable by their owner alone, and never in the place of a file that is
there. A file comes into being whole: what is half written has a name that begins with a dot.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bson import json_util
from pymongo.errors import PyMongoError

from isthmus.connect.mongo import MongoServer
from isthmus.errors import ConfigError, GovernError

from .contents import Contents, Counting, contents_of, in_file, on_server
from .leaving_out import Change, as_it_is, left_out

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Export:
    """A collection on disk.

    Attributes:
        file: Its documents.
        sha256: Of that file, hex, as it was read again.
        contents: What is in it, as it was read again.
        left_out: How many values of secret fields it lacks.
    """

    file: Path
    sha256: str
    contents: Contents
    left_out: int = 0


def export_collection(
    server: MongoServer, database: str, collection: str, folder: Path, change: Change = as_it_is
) -> Export:
    """Write a collection, and read it again. One that is there already and holds the same is taken as it is.

    Args:
        server: Where it is.
        database: Its database.
        collection: Its name.
        folder: For exports; the database gets a folder in it.
        change: What is written of a document: takes out what is to stand in no file.

    Raises:
        ConfigError: It cannot be written (`export-unwritable`), another file is there (`export-exists`), or what is
            read again is not what was written (`export-broken`).
        GovernError: It is not there any more (`collection-changed`).
        SourceError: The server does not give it.
    """
    file = export_file(folder, database, collection)
    make_folder(file.parent)
    metadata = file.with_name(f"{file.name.removesuffix('.bson')}.metadata.json")
    if not metadata.exists():
        write_new(metadata, [_metadata(server, database, collection)])
    if not file.exists():
        counting = Counting()
        sha256 = write_new(file, counting.pass_on(map(change, on_server(server, database, collection))))
        written = counting.contents()
        found = read_again(file)
        if (found.sha256, found.contents) != (sha256, written):
            raise _broken(file, "what is read from it is not what was written")
        return found
    return read_again(file)


def export_file(folder: Path, database: str, collection: str) -> Path:
    """Return where the documents of a collection go."""
    return folder / database / f"{quote(collection, safe='$&+=:@~')}.bson"


def read_again(file: Path) -> Export:
    """Read an export from disk.

    Raises:
        ConfigError: It cannot be read, or is broken (code `export-broken`).
    """
    digest, without = hashlib.sha256(), 0

    def hashed() -> Iterable[bytes]:
        nonlocal without
        for one in in_file(file):
            digest.update(one)
            without += left_out(one)
            yield one

    contents = contents_of(hashed())
    return Export(file, digest.hexdigest(), contents, without)


def write_manifest(path: Path, facts: dict[str, Any]) -> None:
    """Write what was exported (`collections`, by name), unless a list that says the same of them is there.

    Raises:
        ConfigError: It cannot be written (`export-unwritable`), or another one is there (`export-exists`).
    """
    if not path.exists():
        write_new(path, [(json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()])
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))["collections"]
        same = all(there[name]["sha256"] == one["sha256"] for name, one in facts["collections"].items())
    except (OSError, ValueError, LookupError, TypeError):
        same = False
    if not same:
        raise already_there(path, "is the list of other exports")


def write_new(path: Path, parts: Iterable[bytes]) -> str:
    """Write a file that is not there yet, whole and to the disk, or not at all; return its SHA-256, hex.

    Raises:
        ConfigError: It cannot be written (`export-unwritable`), or is there by now (`export-exists`).
    """
    digest = hashlib.sha256()
    half: str | None = None
    try:
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        with os.fdopen(handle, "wb", buffering=_CHUNK_BYTES) as file:
            for part in parts:
                digest.update(part)
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, path)
        _to_disk(path.parent)
    except FileExistsError:
        raise already_there(path, "was made by somebody else meanwhile") from None
    except OSError as fault:
        raise ConfigError(
            f"{path} cannot be written: {fault.strerror or type(fault).__name__}.",
            code="export-unwritable",
            hint="Nothing was dropped. Make room or give the right to write there, or name another folder.",
        ) from None
    finally:
        if half is not None:
            with suppress(OSError):
                Path(half).unlink()
    return digest.hexdigest()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for their owner alone.

    Raises:
        ConfigError: It cannot be made (code `export-unwritable`).
    """
    try:
        for one in [*reversed(folder.parents), folder]:
            if not one.is_dir():
                one.mkdir(mode=0o700)
    except OSError as fault:
        raise ConfigError(
            f"The folder {folder} cannot be made: {fault.strerror or type(fault).__name__}.",
            code="export-unwritable",
            hint="Nothing was dropped. Name a folder where you may write.",
        ) from None


def already_there(path: Path, why: str) -> ConfigError:
    """Return the refusal to write over a file."""
    return ConfigError(
        f"{path} is there already, and {why}.",
        code="export-exists",
        hint="No file is written over, and nothing was dropped. Move it away, or name another folder with --export.",
    )


def _metadata(server: MongoServer, database: str, collection: str) -> bytes:
    """Return what mongodump writes beside the documents: options, indexes, the name."""
    there = server.client[database]

    def ask() -> dict[str, Any]:
        info = next(iter(there.list_collections(filter={"name": collection})), None)
        if info is None:
            raise GovernError(
                f"Somebody has dropped the collection {collection} meanwhile.",
                code="collection-changed",
                hint="Find out who; nothing was dropped by this command.",
            )
        uuid = info.get("info", {}).get("uuid")
        indexes = [dict(one) for one in there[collection].list_indexes()]
        return {
            "options": info.get("options", {}),
            "indexes": indexes,
            "uuid": bytes(uuid).hex() if uuid is not None else "",
            "collectionName": collection,
            "type": info.get("type", "collection"),
        }

    try:
        facts = ask()
    except PyMongoError as error:
        raise server.trouble(error, "tell its indexes", collection=collection) from None
    return json_util.dumps(facts, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()


def _broken(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"The export {path} is no good: {why}.",
        code="export-broken",
        hint="Nothing was dropped because of it. Look at the disk; move the file away and try again.",
    )


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
