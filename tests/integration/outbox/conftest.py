"""Fixtures of the outbox: a database with its tables, emptied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from isthmus.state.up_to_date import bring_up_to_date
from tests.fix_mongo import MongoDatabase, WireServer, database_url
from tests.fix_postgres import create_database, drop_database
from tests.integration.outbox.world import World


@pytest.fixture(scope="session")
def outbox_database(postgres: str) -> Iterator[str]:
    """Conninfo of a database with Isthmus's tables."""
    conninfo = create_database(postgres)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        bring_up_to_date(connection)
    yield conninfo
    drop_database(postgres, conninfo)


@pytest.fixture
def emptied(outbox_database: str) -> str:
    """Return a database with an outbox, in which no event ever was."""
    with psycopg.connect(outbox_database, autocommit=True) as connection:
        connection.execute("TRUNCATE isthmus.outbox, isthmus.outbox_key RESTART IDENTITY")
        connection.execute("TRUNCATE isthmus.switch CASCADE")
        connection.execute("DROP TABLE IF EXISTS rows")
    return outbox_database


@pytest.fixture
def world(emptied: str, mongo: MongoDatabase) -> World:
    """Return a world on the servers of this session."""
    return World(emptied, mongo.url, mongo.client[mongo.name])


@pytest.fixture
def own_world(emptied: str, own_mongo: WireServer) -> Iterator[World]:
    """Return a world whose MongoDB may be stopped."""
    with own_mongo.client() as client:
        yield World(emptied, database_url(own_mongo.url, "app"), client["app"])
