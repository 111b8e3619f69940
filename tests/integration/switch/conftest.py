"""Fixtures of stores and of the switch: a database with Isthmus's tables and one for documents, emptied each time."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from isthmus.state.up_to_date import bring_up_to_date
from tests.fix_mongo import MongoDatabase
from tests.fix_postgres import create_database, drop_database
from tests.integration.switch.world import TABLE, World, made_table


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def switch_database(postgres: str) -> Iterator[str]:
    """Conninfo of a database with Isthmus's tables and one for documents."""
    conninfo = create_database(postgres)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        bring_up_to_date(connection)
        connection.execute(made_table(TABLE))
    yield conninfo
    drop_database(postgres, conninfo)


@pytest.fixture
def world(switch_database: str, mongo: MongoDatabase) -> World:
    """Return both databases, empty."""
    with psycopg.connect(switch_database, autocommit=True) as connection:
        connection.execute("TRUNCATE isthmus.outbox, isthmus.outbox_key RESTART IDENTITY")
        connection.execute("TRUNCATE isthmus.switch, isthmus.switch_move, isthmus.switch_fence RESTART IDENTITY")
        connection.execute(f'TRUNCATE "{TABLE.replace(chr(34), chr(34) * 2)}"'.encode())
    return World(switch_database, mongo.url, mongo.client[mongo.name])
