"""The MongoDB wire server of a measurement: the package `secantusdb` as a process of its own, never imported.

It is a stand-in whose own speed says nothing of MongoDB's, so only processor time of clients is compared.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from bench.data import DATABASE

_PROGRAM = Path(sys.executable).with_name("secantusd-py")
_STARTED_WITHIN_SECONDS = 60
_INSERTED_AT_ONCE = 5_000


def version_of_server() -> str:
    """Name the server and its version."""
    return f"secantusdb {version('secantusdb')}"


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """Run a fresh server that holds the collections of a dump folder; give the URL of its database.

    Args:
        folder: Plain dump folder of one database.
    """
    if not _PROGRAM.exists():
        raise SystemExit("The package secantusdb is not installed; make setup does it.")
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as place:
        port = free_port()
        command = [str(_PROGRAM), "--host", "127.0.0.1", "--port", str(port), "--log-level", "WARNING"]
        with subprocess.Popen([*command, "--storage-path", place], stdin=subprocess.DEVNULL) as process:
            try:
                with MongoClient[RawBSONDocument](
                    f"mongodb://127.0.0.1:{port}", document_class=RawBSONDocument
                ) as client:
                    _await(client)
                    for file in sorted(folder.glob("*.bson")):
                        _insert(client, file)
                yield f"mongodb://127.0.0.1:{port}/{DATABASE}"
            finally:
                process.kill()


def _insert(client: MongoClient[RawBSONDocument], file: Path) -> None:
    collection = client[DATABASE][file.stem]
    part: list[RawBSONDocument] = []
    for document in _documents(file.read_bytes()):
        part.append(RawBSONDocument(document))
        if len(part) == _INSERTED_AT_ONCE:
            collection.insert_many(part)
            part = []
    if part:
        collection.insert_many(part)


def _documents(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        following = at + int.from_bytes(data[at : at + 4], "little")
        yield data[at:following]
        at = following


def _await(client: MongoClient[RawBSONDocument]) -> None:
    give_up_at = time.monotonic() + _STARTED_WITHIN_SECONDS
    while True:
        try:
            client.admin.command("ping")
        except PyMongoError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.1)
        else:
            return


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
