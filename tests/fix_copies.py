"""Fixtures for tests that copy the troubled database in sessions of their own and compare what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.sessions import Copy, Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.generators.troubled import COMPRESSED, troubled

SCHEMA = 'Troubled "ü"'
KEY = "5eed" * 16
FINISHED = 1  # the exit code of a complete copy of the troubled database: not everything in it can be carried


@dataclass(frozen=True)
class World:
    """The troubled database as files.

    Attributes:
        dump: Folder of the database.
        mapping: Mapping file.
        key: File with the id key that every copy is given, so that ids can be compared between targets.
    """

    dump: Path
    mapping: Path
    key: Path

    def copy(self, target: str, folder: Path) -> Copy:
        """Return the copy command for a target; `folder` takes its logs."""
        return Copy(self.mapping, self.dump, target, self.key, folder)


@dataclass(frozen=True)
class Unkilled:
    """What a copy that nothing disturbed came to."""

    ended: Ended
    left: Snapshot


def write_world(folder: Path, *, seed: int = 1, scale: int = 1) -> World:
    """Write a troubled database, its mapping and an id key into a folder."""
    made = troubled(seed, scale)
    for name, documents in made.collections.items():
        write_collection(folder / "dump" / "shop", name, documents, compressed=name in COMPRESSED)
    (folder / "mapping.yaml").write_text(made.mapping, encoding="utf-8")
    (folder / "id.key").write_text(KEY, encoding="ascii")
    return World(folder / "dump" / "shop", folder / "mapping.yaml", folder / "id.key")


def undisturbed(world: World, server: str, folder: Path) -> Unkilled:
    """Copy a world into a fresh database of a server and return what it came to."""
    target = create_database(server)
    try:
        ended = world.copy(target, folder).run()
        assert ended.code == FINISHED, ended.text
        assert "The books balance" in ended.text
        return Unkilled(ended, snapshot(target, SCHEMA))
    finally:
        drop_database(server, target)


def assert_equal(target: str, unkilled: Unkilled) -> None:
    """Assert that rows, ledgers and catalog of a target are those of an unkilled copy."""
    difference = differences(snapshot(target, SCHEMA), unkilled.left)
    assert not difference, difference


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return the troubled database of seed 1."""
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def unkilled(world: World, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Unkilled:
    """Return what an undisturbed copy of `world` comes to."""
    return undisturbed(world, postgres, tmp_path_factory.mktemp("unkilled"))


@pytest.fixture
def make_copy(world: World, postgres: str, tmp_path: Path) -> Iterator[Callable[[], Copy]]:
    """Return a function that makes a copy command of `world` for a fresh database, dropped after the test."""
    made: list[str] = []

    def make() -> Copy:
        made.append(create_database(postgres))
        folder = tmp_path / f"copy-{len(made)}"
        folder.mkdir()
        return world.copy(made[-1], folder)

    yield make
    for target in made:
        drop_database(postgres, target)


@pytest.fixture
def copy(make_copy: Callable[[], Copy]) -> Copy:
    """Return a copy command of `world` for a fresh database."""
    return make_copy()
