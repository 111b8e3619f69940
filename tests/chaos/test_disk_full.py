"""The disk of the target is full, while rows are loaded and while keys are built; then there is space again.

The database lies in a tablespace on a small file system of its own, so that the server itself stays well.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.connect.embedded import EmbeddedServer
from tests.chaos.compare import compare, finish_and_compare
from tests.chaos.sessions import Copy
from tests.fix_copies import Unkilled, World
from tests.fix_postgres import drop_database

_SIZE = "size=64m"


class SmallDisk:
    """A file system of 64 MiB that can be filled up to the last byte and emptied again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65_536))
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0")

    def make_room(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def small_disk(short_path: Path) -> Iterator[SmallDisk]:
    """Return a small file system; skip where none may be mounted."""
    folder = short_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", _SIZE, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small file system is not permitted here: {mounted.stderr.strip()}")
    yield SmallDisk(folder)
    # The server, which is stopped only after this, may still hold files there.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def full_copy(small_disk: SmallDisk, own_server: EmbeddedServer, world: World, tmp_path: Path) -> Iterator[Copy]:
    """Return a copy command whose database lies on the small disk."""
    place = small_disk.folder / "space"
    place.mkdir()
    owner = (own_server.directory / "data").stat()
    for folder in (small_disk.folder, place):
        os.chown(folder, owner.st_uid, owner.st_gid)
    name = f"t {secrets.token_hex(4)}"
    with psycopg.connect(own_server.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(place))))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 TABLESPACE small").format(sql.Identifier(name))
        )
    target = make_conninfo(own_server.conninfo, dbname=name)
    yield world.copy(target, tmp_path)
    drop_database(own_server.conninfo, target)


INSTANTS = [("copy.before-commit", 4), ("finish.primary-key-before-commit", 6)]


@pytest.mark.parametrize(("stage", "number"), INSTANTS)
def test_disk_that_stays_full_ends_the_session_resumable(
    stage: str, number: int, small_disk: SmallDisk, full_copy: Copy, unkilled: Unkilled
) -> None:
    with full_copy.begin("--retry-seconds", "1", pause=(stage, number)) as session:
        session.wait_until_paused()
        small_disk.fill()
        session.go_on()
        ended = session.ended()
    assert ended.code == 4, ended.text
    assert "No space left on device" in ended.words
    assert "run the same command again" in ended.words
    small_disk.make_room()
    finish_and_compare(full_copy, unkilled)


@pytest.mark.parametrize(("stage", "number"), INSTANTS)
def test_disk_that_gets_room_in_time_is_waited_for(
    stage: str, number: int, small_disk: SmallDisk, full_copy: Copy, unkilled: Unkilled
) -> None:
    with full_copy.begin("--retry-seconds", "60", pause=(stage, number)) as session:
        session.wait_until_paused()
        small_disk.fill()
        session.go_on()
        time.sleep(0.5)
        later = threading.Timer(1.0, small_disk.make_room)
        later.start()
        ended = session.ended()
        later.join()
    compare(full_copy, ended, unkilled)
