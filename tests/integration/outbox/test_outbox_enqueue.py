"""Intents are written in the transaction of the rows that they belong to, on whatever connection an application has.

Oracle: the rows of both, after a commit and after a rollback. Cannot see: drivers that are not installed.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row, namedtuple_row, tuple_row
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from isthmus.errors import PolyglotError
from isthmus.polyglot.outbox import enqueue, enqueue_async, insert, put, update
from tests.integration.copy.pooler import pooling
from tests.integration.outbox.world import PEOPLE, World

INTENTS = [put(PEOPLE, n, {"n": n, "colon": ":x %s"}) for n in range(4)]
ROW = "INSERT INTO rows VALUES (1)"


@pytest.fixture
def rows(world: World) -> World:
    world.do("CREATE TABLE rows (id integer)")
    return world


def engine_address(world: World) -> Callable[[], Any]:
    return lambda: psycopg.connect(world.conninfo)


def written(world: World) -> tuple[int, int]:
    ((there, events),) = world.do("SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM isthmus.outbox)")
    return there, events


@pytest.mark.parametrize("factory", [tuple_row, dict_row, namedtuple_row])
def test_psycopg_connection_with_any_row_factory(rows: World, factory: Any) -> None:
    with psycopg.connect(rows.conninfo, row_factory=factory) as connection:
        connection.execute(ROW)
        numbers = enqueue(connection, *INTENTS)
        connection.rollback()
        assert written(rows) == (0, 0)
        connection.execute(ROW)
        numbers = enqueue(connection, *INTENTS)
    assert written(rows) == (1, 4)
    found = rows.do("SELECT e.id, k.document_id FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id")
    assert dict(found) == {number: intent.key.document_id for number, intent in zip(numbers, INTENTS, strict=True)}


def test_psycopg_cursor_and_open_transaction_of_an_autocommit_connection(rows: World) -> None:
    with psycopg.connect(rows.conninfo, autocommit=True) as connection:
        with pytest.raises(PolyglotError) as caught:
            enqueue(connection, *INTENTS)
        assert caught.value.code == "outbox-no-transaction"
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(ROW)
            enqueue(cursor, *INTENTS)
            with connection.transaction() as savepoint:
                enqueue(cursor, insert(PEOPLE, "rolled back to a savepoint", {}))
                raise psycopg.Rollback(savepoint)
    assert written(rows) == (1, 4)


def test_psycopg_async(rows: World) -> None:
    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(rows.conninfo) as connection:
            await connection.execute(ROW)
            await enqueue_async(connection, *INTENTS)
            await connection.rollback()
            await connection.execute(ROW)
            assert len(await enqueue_async(connection, *INTENTS)) == 4
        async with await psycopg.AsyncConnection.connect(rows.conninfo, autocommit=True) as connection:
            with pytest.raises(PolyglotError):
                await enqueue_async(connection, *INTENTS)

    asyncio.run(work())
    assert written(rows) == (1, 4)


def test_sqlalchemy_connection_and_session(rows: World) -> None:
    engine = create_engine("postgresql+psycopg://", creator=engine_address(rows))
    with engine.connect() as connection:
        connection.execute(text(ROW))
        enqueue(connection, *INTENTS)
        connection.rollback()
    with engine.begin() as connection:
        connection.execute(text(ROW))
        enqueue(connection, *INTENTS[:2])
    with Session(engine) as session:
        session.execute(text(ROW))
        enqueue(session, *INTENTS[2:])
        session.commit()
    assert written(rows) == (2, 4)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(PolyglotError) as caught:
            enqueue(connection, *INTENTS)
        assert caught.value.code == "outbox-no-transaction"
    engine.dispose()


def test_sqlalchemy_async_connection_and_session(rows: World) -> None:
    pytest.importorskip("greenlet", reason="SQLAlchemy's asyncio needs greenlet")
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    async def connect() -> Any:
        return await psycopg.AsyncConnection.connect(rows.conninfo)

    async def work() -> None:
        engine = create_async_engine("postgresql+psycopg://", async_creator=connect)
        async with engine.begin() as connection:
            await connection.execute(text(ROW))
            await enqueue_async(connection, *INTENTS[:2])
        async with AsyncSession(engine) as session:
            await session.execute(text(ROW))
            await enqueue_async(session, *INTENTS[2:])
            await session.rollback()
            await enqueue_async(session, *INTENTS[2:])
            await session.commit()
        await engine.dispose()

    asyncio.run(work())
    assert written(rows) == (1, 4)


def test_what_is_no_connection_or_the_other_kind_is_refused(world: World) -> None:
    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            with pytest.raises(PolyglotError) as caught:
                enqueue(connection, *INTENTS)
            assert caught.value.code == "outbox-connection"
        with psycopg.connect(world.conninfo) as connection:
            with pytest.raises(PolyglotError) as caught:
                await enqueue_async(connection, *INTENTS)
            assert caught.value.code == "outbox-connection"

    asyncio.run(work())
    with pytest.raises(PolyglotError) as caught:
        enqueue(world.conninfo, *INTENTS)
    assert caught.value.code == "outbox-connection"


def test_database_without_an_outbox_is_told(database: str) -> None:
    with psycopg.connect(database) as connection:
        with pytest.raises(PolyglotError) as caught:
            enqueue(connection, *INTENTS)
        assert caught.value.code == "outbox-missing"
        connection.rollback()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database))
    with engine.connect() as connection, pytest.raises(PolyglotError) as caught:
        enqueue(connection, *INTENTS)
    assert caught.value.code == "outbox-missing"
    engine.dispose()


def test_rights_of_the_page_are_enough_for_an_application(rows: World) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "run-the-outbox.md").read_text(encoding="utf-8")
    grants = page.partition("```sql\n")[2].partition("```")[0]
    role = f"app_{secrets.token_hex(4)}"
    rows.do(f"CREATE ROLE {role}; {grants.replace(' TO app;', f' TO {role};')}")
    try:
        for _ in range(2):  # the second time the key is there
            with psycopg.connect(rows.conninfo) as connection:
                connection.execute(f"SET LOCAL ROLE {role}".encode())
                enqueue(connection, *INTENTS)
    finally:
        rows.do(f"DROP OWNED BY {role}; DROP ROLE {role}")
    assert rows.drain().applied == 8


def test_writers_of_one_key_wait_for_each_other_so_versions_follow_commits(world: World) -> None:
    with psycopg.connect(world.conninfo) as first, psycopg.connect(world.conninfo) as second:
        (early,) = enqueue(first, update(PEOPLE, 1, set={"x": 1}, create=True))
        enqueued: list[int] = []
        thread = threading.Thread(target=lambda: enqueued.extend(enqueue(second, update(PEOPLE, 1.0, set={"x": 2}))))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert not enqueued
        first.commit()
        thread.join(10)
        assert enqueued[0] > early
        second.commit()
    world.drain()
    assert world.there() == {1: {"x": 2}}


def test_calls_that_name_keys_in_other_orders_do_not_block_each_other_for_ever(world: World) -> None:
    def write(order: int) -> None:
        with psycopg.connect(world.conninfo) as connection:
            for _ in range(20):
                enqueue(connection, *INTENTS[::order])
                connection.commit()

    threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert world.do("SELECT count(*) FROM isthmus.outbox") == [(320,)]


def test_through_a_pooler_in_transaction_mode_it_is_written_and_applied(rows: World) -> None:
    with pooling(rows.conninfo, per_transaction=True) as conninfo:
        for intent in INTENTS:
            with psycopg.connect(conninfo) as connection:
                connection.execute(ROW)
                enqueue(connection, intent)
        assert rows.drain(conninfo=conninfo).applied == 4
    assert set(rows.there()) == {0, 1, 2, 3}
