"""The fixtures of copies inside tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import World


@pytest.fixture(scope="session")
def _swept_database(postgres: str) -> Iterator[str]:
    """Conninfo of one database for all copies of this session; making one each would cost more than the copies."""
    conninfo = create_database(postgres)
    yield conninfo
    drop_database(postgres, conninfo)


@pytest.fixture
def world(_swept_database: str, tmp_path: Path) -> World:
    """Return an empty target and a folder for a dump of the database `shop`."""
    with psycopg.connect(_swept_database, autocommit=True) as connection:
        for (name,) in connection.execute(
            r"SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        connection.execute("CREATE SCHEMA public")
    return World(_swept_database, tmp_path / "dump" / "shop")
