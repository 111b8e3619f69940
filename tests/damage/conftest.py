"""The verified target that damage is done to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.damage.source import MAPPING, database
from tests.damage.target import Target, create_database, drop_database, write_dump


@pytest.fixture(scope="session")
def verified(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The database, copied and verified; nobody damages it, and nobody stays connected to it."""
    folder = tmp_path_factory.mktemp("damage")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    dump = write_dump(folder / "dump" / "shop", database())
    target = Target(create_database(postgres), dump, folder / "mapping.yaml")
    copied = target.copy()
    assert copied.code == 1, copied.said  # some of its documents are refused on purpose
    ended = target.verify()
    assert ended.code == 0, ended.said
    yield target
    drop_database(postgres, target.conninfo)


@pytest.fixture
def twin(verified: Target, postgres: str) -> Iterator[Callable[[], Target]]:
    """Return a function that makes twins of the verified target, dropped after the test."""
    made: list[Target] = []

    def make() -> Target:
        made.append(verified.twin(postgres))
        return made[-1]

    yield make
    for one in made:
        drop_database(postgres, one.conninfo)


@pytest.fixture
def own_files(verified: Target) -> Iterator[Path]:
    """Return the dump's folder; dump and mapping are as they were after the test."""
    files = {path: path.read_bytes() for path in [*verified.dump.iterdir(), verified.mapping]}
    yield verified.dump
    for path in [*verified.dump.iterdir()]:
        if path not in files:
            path.unlink()
    for path, data in files.items():
        path.write_bytes(data)
