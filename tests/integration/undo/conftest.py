"""The fixtures of undos inside tests: one target, one dump, the command as a user runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.fix_postgres import create_database, drop_database
from tests.integration.undo.undoing import World


@pytest.fixture
def world(database: str, tmp_path: Path) -> World:
    """Return an empty target, a folder for a dump and a place for a mapping."""
    folder = tmp_path / "work"
    folder.mkdir()
    return World(database, tmp_path / "dump" / "shop", folder)


@pytest.fixture(scope="module")
def _carried(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a target that everything of the usual dump was carried to."""
    folder = tmp_path_factory.mktemp("carried")
    whole = World(create_database(postgres), folder / "dump" / "shop", folder)
    whole.prepare()
    whole.copy()
    yield whole
    drop_database(postgres, whole.conninfo)


@pytest.fixture
def carried(postgres: str, _carried: World) -> Iterator[World]:
    """Return a target of the test's own that everything of the usual dump was carried to."""
    with copied_world(postgres, _carried, "again") as world:
        yield world


@contextmanager
def copied_world(postgres: str, world: World, suffix: str) -> Iterator[World]:
    """Make a target that is a copy of another one, as long as the block lasts."""
    was = str(conninfo_to_dict(world.conninfo)["dbname"])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(f"{was} {suffix}"), sql.Identifier(was))
        )
    again = World(make_conninfo(postgres, dbname=f"{was} {suffix}"), world.dump, world.folder)
    try:
        yield again
    finally:
        drop_database(postgres, again.conninfo)
