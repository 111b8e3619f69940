"""The guard: writers hold their collection where it is, whoever comes later is turned away, and no write is lost.

Oracle: what writers were told, held against what the new store has. Cannot see: a writer that ignores what it was told.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from pymongo import AsyncMongoClient

from isthmus.connect.postgres import connect
from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure import Belonging, ensure_async, ensure_indexes
from isthmus.polyglot.stores import JsonbStore
from isthmus.polyglot.switch import Homes, Standing, Switch, guard, hold, look
from isthmus.polyglot.switch.ledger import Ledger, held
from tests.integration.copy.pooler import pooling
from tests.integration.switch.world import PEOPLE, TABLE, World

WITH = ("--table", TABLE)


@pytest.fixture
def ledger(world: World) -> Any:
    with held(world.conninfo, PEOPLE) as ledger:
        yield ledger


async def refused(work: Any, code: str) -> PolyglotError:
    with pytest.raises(PolyglotError) as caught:
        await work
    assert caught.value.code == code, caught.value
    return caught.value


async def write(switch: Switch[Any], name: str, **named: Any) -> None:
    async with switch.writing(PEOPLE, **named) as store:
        await store.put({"_id": name})


def test_a_collection_that_nobody_switched_is_entered_and_lives_in_mongodb(world: World) -> None:
    async def work() -> None:
        async with world.switch() as switch:
            assert await switch.standing(PEOPLE) == Standing("mongodb", 0, None)
            await write(switch, "a")
            async with switch.reading(PEOPLE) as store:
                assert await store.get("a") is not None
            await refused(write_to(switch, "other"), "switch-unknown")

    async def write_to(switch: Switch[Any], collection: str) -> None:
        async with switch.writing(collection):
            pass

    asyncio.run(work())
    assert world.people.count_documents({}) == 1
    assert world.do("SELECT collection, home FROM isthmus.switch") == [(PEOPLE, "mongodb")]


def test_freezing_waits_for_writers_and_turns_away_those_who_come(world: World, ledger: Ledger) -> None:
    move = ledger.begin("postgres", "table x", "Ann")

    async def work() -> None:
        async with world.switch() as switch:
            await write(switch, "a")
            entered, leave = asyncio.Event(), asyncio.Event()

            async def slow() -> None:
                async with switch.writing(PEOPLE) as store:
                    entered.set()
                    await leave.wait()
                    await store.put({"_id": "slow"})

            writer = asyncio.create_task(slow())
            await entered.wait()
            ledger.announce(move)
            with pytest.raises(PolyglotError) as caught:
                await asyncio.to_thread(ledger.freeze, wait_seconds=0.1)
            assert caught.value.code == "switch-writers"
            assert "pid" in str(caught.value)
            freeze = asyncio.create_task(asyncio.to_thread(ledger.freeze, wait_seconds=30))
            await refused(write(switch, "late"), "switch-frozen")
            await asyncio.sleep(0.2)
            assert not freeze.done()
            leave.set()
            await asyncio.gather(writer, freeze)
            fault = await refused(write(switch, "late"), "switch-frozen")
            assert fault.retryable
            async with switch.reading(PEOPLE) as store:
                assert [one.id for one in await store.find({})] == ["a", "slow"]
            assert (await switch.standing(PEOPLE)).frozen_at is not None
            waits = asyncio.create_task(write(switch, "waited", wait_seconds=30))
            await asyncio.sleep(0.2)
            with ledger.connection.transaction():
                assert ledger.flip(move, "Ann", forget_fence=False)[0] == 1
            await waits

    asyncio.run(work())
    assert set(world.rows()) == {"waited"}
    assert {one["_id"] for one in world.people.find()} == {"a", "slow"}


def test_new_writers_cannot_keep_a_freeze_waiting_for_ever(world: World, ledger: Ledger) -> None:
    """Each writer holds the row before the one ahead of it lets go."""
    move = ledger.begin("postgres", "table x", None)

    async def work() -> None:
        async with world.switch() as switch:

            async def chain() -> None:
                async with switch.writing(PEOPLE):
                    await asyncio.sleep(0.3)

            async def without_end() -> None:
                while True:
                    writers.append(asyncio.create_task(chain()))
                    await asyncio.sleep(0.05)

            writers: list[asyncio.Task[None]] = []
            endless = asyncio.create_task(without_end())
            await asyncio.sleep(0.5)
            ledger.announce(move)
            await asyncio.to_thread(ledger.freeze, wait_seconds=10)
            endless.cancel()
            found = await asyncio.gather(*writers, return_exceptions=True)
            assert any(isinstance(one, PolyglotError) for one in found)
            assert any(one is None for one in found)

    asyncio.run(work())


def test_a_lost_connection_is_told_and_the_write_is_not_called_done(world: World) -> None:
    async def work() -> None:
        async with world.switch() as switch:
            fault = await refused(cut(switch), "switch-lost")
            assert not fault.retryable, "it may have been done"

    async def cut(switch: Switch[Any]) -> None:
        async with switch.writing(PEOPLE) as store:
            world.do(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l"
                " WHERE l.relation = 'isthmus.switch'::regclass AND l.mode = 'RowShareLock'"
            )
            await store.put({"_id": "a"})

    asyncio.run(work())


def test_through_a_pooler_that_lends_sessions_for_a_transaction(world: World, ledger: Ledger) -> None:
    move = ledger.begin("postgres", "table x", None)

    async def work(conninfo: str) -> None:
        async with world.mongo_store() as mongo:
            options = {"prepare_threshold": None}
            async with AsyncConnectionPool(conninfo, kwargs=options, min_size=2, open=False) as pool:
                homes = Homes[Any](mongo, lambda connection: JsonbStore(connection, TABLE))
                switch = Switch(pool.connection, {PEOPLE: homes})
                await asyncio.gather(*(write(switch, f"a{number}") for number in range(4)))
                ledger.announce(move)
                ledger.freeze(wait_seconds=10)
                await refused(write(switch, "late"), "switch-frozen")
                with ledger.connection.transaction():
                    ledger.flip(move, None, forget_fence=False)
                await asyncio.gather(*(write(switch, f"b{number}") for number in range(4)))

    with pooling(world.conninfo, per_transaction=True) as pooled:
        asyncio.run(work(pooled))
    assert (world.people.count_documents({}), len(world.rows())) == (4, 4)


def test_a_transaction_of_the_applications_own_holds_until_its_end(world: World, ledger: Ledger) -> None:
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    move = ledger.begin("postgres", "table x", None)

    async def work() -> None:
        engine = create_async_engine(
            "postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(world.conninfo)
        )
        begin = async_sessionmaker(engine).begin
        async with world.switch() as switch:
            async with begin() as session, switch.writing(PEOPLE, connection=session) as store:
                await store.put({"_id": "a"})
                assert (await look(session, PEOPLE)).home == "mongodb"
            async with begin() as session:
                assert (await hold(session, PEOPLE)).home == "mongodb"
                with pytest.raises(PolyglotError):
                    await asyncio.to_thread(ledger.freeze, wait_seconds=0.1)
            ledger.announce(move)
            ledger.freeze(wait_seconds=10)
            async with begin() as session:
                await refused(hold(session, PEOPLE), "switch-frozen")
            with ledger.connection.transaction():
                ledger.flip(move, None, forget_fence=False)
            with pytest.raises(ZeroDivisionError):
                await undone(begin, switch)
            async with begin() as session, switch.writing(PEOPLE, connection=session) as store:
                await store.put({"_id": "kept"})
        by_itself = engine.execution_options(isolation_level="AUTOCOMMIT")
        for begin in (by_itself.begin, async_sessionmaker(by_itself).begin):
            async with begin() as each:
                await refused(hold(each, PEOPLE), "switch-no-transaction")
        await engine.dispose()
        async with await psycopg.AsyncConnection.connect(world.conninfo, autocommit=True) as alone:
            await refused(hold(alone, PEOPLE), "switch-no-transaction")

    async def undone(begin: Any, switch: Switch[Any]) -> None:
        async with begin() as session, switch.writing(PEOPLE, connection=session) as store:
            await store.put({"_id": "undone"})
            raise ZeroDivisionError

    asyncio.run(work())
    assert set(world.rows()) == {"kept"}


def test_a_transaction_that_ends_inside_the_block_is_told(world: World, ledger: Ledger) -> None:
    """Behind its end nobody holds the collection, whatever the connection still answers."""
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    move = ledger.begin("postgres", "table x", None)
    name = iter(f"a{number}" for number in range(100))

    async def ended(writing: Any, end: Callable[[Any], Any]) -> None:
        async with writing as store:
            await end(store)
            await store.put({"_id": next(name)})

    async def work() -> None:
        engine = create_async_engine(
            "postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(world.conninfo)
        )
        sessions = async_sessionmaker(engine)
        ends: list[Callable[[Any], Any]] = [
            lambda session: session.commit(),
            lambda session: session.rollback(),
        ]
        async with world.mongo_store() as mongo:
            for end in ends:
                async with sessions() as session:
                    switch = Switch(sessions.begin, {PEOPLE: Homes[Any](mongo, lambda on: JsonbStore(on, TABLE))})
                    given = switch.writing(PEOPLE, connection=session)
                    fault = await refused(ended(given, lambda _, end=end, session=session: end(session)), "switch-lost")
                    assert "Commit behind it" in (fault.hint or "")
                    assert not fault.retryable
            ledger.announce(move)
            ledger.freeze(wait_seconds=10)
            with ledger.connection.transaction():
                ledger.flip(move, None, forget_fence=False)

            async def commits(store: Any) -> None:
                await store.connection.commit()

            class Open(JsonbStore):
                def __init__(self, connection: Any) -> None:
                    super().__init__(connection, TABLE)
                    self.connection = connection

            async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
                switch = Switch(sessions.begin, {PEOPLE: Homes[Any](mongo, Open)})
                await refused(ended(switch.writing(PEOPLE, connection=connection), commits), "switch-lost")
            own = Switch(sessions, {PEOPLE: Homes[Any](mongo, Open)})
            await refused(ended(own.writing(PEOPLE), commits), "switch-lost")
        await engine.dispose()

    asyncio.run(work())


def test_what_ensure_makes_while_the_collection_is_held_is_there_before_the_freeze(
    world: World, ledger: Ledger
) -> None:
    move = ledger.begin("postgres", "table x", None)
    belonging = Belonging("userId", holds=str, email="email")
    ensure_indexes(world.people, belonging)
    world.people.insert_one({"_id": "a", "email": "ann@x.example"})

    async def signed_in(user: str) -> str:
        async with (
            AsyncMongoClient[dict[str, Any]](world.url) as client,
            await psycopg.AsyncConnection.connect(world.conninfo) as connection,
        ):
            assert (await hold(connection, PEOPLE)).home == "mongodb"
            people = client[world.documents.name][PEOPLE]
            ledger.announce(move)
            freeze = asyncio.create_task(asyncio.to_thread(ledger.freeze, wait_seconds=30))
            found = await ensure_async(
                people, belonging, user, email="ann@x.example", create=lambda: {"_id": "made", "email": "new@x.example"}
            )
            await asyncio.sleep(0.2)
            assert not freeze.done()
        await freeze
        return found.how

    assert asyncio.run(signed_in("tz4a98xxat96iws9zmbrgj3a")) == "claimed"
    (claimed,) = world.people.find()
    assert (claimed["_id"], claimed["userId"]) == ("a", "tz4a98xxat96iws9zmbrgj3a")
    ledger.thaw(move)


def test_an_error_of_the_blocks_own_is_not_called_a_lost_connection(world: World) -> None:
    """The transaction failed, which the server says when it is asked, or at its COMMIT; its end is known."""

    class Open(JsonbStore):
        def __init__(self, connection: Any) -> None:
            super().__init__(connection, TABLE)
            self.connection = connection

    async def in_block(switch: Switch[Any], *statements: bytes, seconds: float = 0.0) -> None:
        async with switch.writing(PEOPLE) as store:
            for statement in statements:
                await store.connection.execute(statement)
            await asyncio.sleep(seconds)

    async def own() -> None:
        twice = b"CREATE TEMP TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)", b"INSERT INTO t VALUES (1), (1)"
        async with world.mongo_store() as mongo:
            switch = Switch(lambda: _Opened(world.conninfo), {PEOPLE: Homes[Any](mongo, Open)})
            world.do("INSERT INTO isthmus.switch (collection, home) VALUES (%s, 'postgres')", PEOPLE)
            with pytest.raises(psycopg.errors.UniqueViolation):
                await in_block(switch, *twice)
            silent = b"SET LOCAL idle_in_transaction_session_timeout = '100ms'"
            await refused(in_block(switch, silent, seconds=0.5), "switch-lost")

    async def work() -> None:
        await own()
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection, world.switch() as switch:
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                await failing(switch, connection)

    async def failing(switch: Switch[Any], connection: Any) -> None:
        async with switch.writing(PEOPLE, connection=connection):
            with pytest.raises(psycopg.errors.UndefinedTable):
                await connection.execute("SELECT * FROM nothing")

    asyncio.run(work())


def test_who_is_refused_goes_on_with_the_transaction_and_holds_nothing(world: World, ledger: Ledger) -> None:
    """Else a writer that was turned away, and has other work to do, would stand in the way of the flip."""
    move = ledger.begin("postgres", "table x", None)
    ledger.freeze(wait_seconds=10)  # unannounced, as it looks to whoever asked before it was
    role = "switch_looker"
    world.do(f"DROP ROLE IF EXISTS {role}")
    world.do(f"CREATE ROLE {role}")
    world.do(f"GRANT USAGE ON SCHEMA isthmus TO {role}")
    world.do(f"GRANT SELECT ON isthmus.switch, isthmus.switch_move TO {role}")
    world.do(f"GRANT UPDATE (may_lock) ON isthmus.switch TO {role}")

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            await connection.execute("CREATE TEMP TABLE rows (n int)")
            await connection.execute("INSERT INTO rows VALUES (1)")
            await refused(hold(connection, PEOPLE), "switch-frozen")
            world.do("SELECT FROM isthmus.switch WHERE collection = %s FOR UPDATE NOWAIT", PEOPLE)
            async with world.switch() as switch:
                await refused(write(switch, "a", connection=connection), "switch-frozen")
            await connection.execute(f"SET LOCAL ROLE {role}".encode())
            await refused(hold(connection, "a collection that nobody knows"), "switch-unknown")
            await connection.execute("RESET ROLE")
            found = await (await connection.execute("SELECT n FROM rows")).fetchall()
            assert found == [(1,)]

    try:
        asyncio.run(work())
    finally:
        world.do(f"DROP OWNED BY {role}")
        world.do(f"DROP ROLE {role}")
    ledger.thaw(move)


def test_a_row_that_is_there_is_never_entered(world: World, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move is announced when the row is asked for, and cancelled before one looks why it was not given."""
    move = ledger.begin("postgres", "table x", None)
    ledger.announce(move)
    asked: list[str] = []
    ask = guard._asked  # pyright: ignore[reportPrivateUsage]

    async def cancelling(connection: Any, name: str, collection: str) -> Any:
        asked.append(name)
        rows = await ask(connection, name, collection)
        if asked == ["hold"]:
            ledger.thaw(move)
        return rows

    monkeypatch.setattr(guard, "_asked", cancelling)

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            assert (await hold(connection, PEOPLE)).home == "mongodb"

    asyncio.run(work())
    assert asked == ["hold", "look", "hold"]


def test_an_old_snapshot_does_not_hide_a_freeze(world: World, ledger: Ledger) -> None:
    move = ledger.begin("postgres", "table x", None)

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.execute("SELECT 1")
            ledger.announce(move)
            ledger.freeze(wait_seconds=10)
            with ledger.connection.transaction():
                ledger.flip(move, None, forget_fence=False)
            with pytest.raises(psycopg.errors.SerializationFailure):
                await hold(connection, PEOPLE)

    asyncio.run(work())


def test_database_without_tables_and_role_without_rights_are_told(world: World, database: str) -> None:
    role = "switch_reader"
    world.do(f"DROP ROLE IF EXISTS {role}")
    world.do(f"CREATE ROLE {role}")
    world.do(f"GRANT USAGE ON SCHEMA isthmus TO {role}")
    world.do(f"GRANT SELECT ON isthmus.switch, isthmus.switch_move TO {role}")
    world.do(f"GRANT UPDATE (may_lock) ON isthmus.switch TO {role}")

    async def work() -> None:
        async with world.switch(database) as switch:
            await refused(write(switch, "a"), "switch-missing")
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            await connection.execute(f"SET LOCAL ROLE {role}".encode())
            await refused(hold(connection, PEOPLE), "switch-unknown")
        world.do("INSERT INTO isthmus.switch (collection) VALUES (%s)", PEOPLE)
        async with await psycopg.AsyncConnection.connect(world.conninfo) as connection:
            await connection.execute(f"SET LOCAL ROLE {role}".encode())
            assert (await hold(connection, PEOPLE)).home == "mongodb"

    try:
        asyncio.run(work())
    finally:
        world.do(f"DROP OWNED BY {role}")
        world.do(f"DROP ROLE {role}")


def test_process_that_was_replaced_delivers_nothing(world: World) -> None:
    with held(world.conninfo, PEOPLE) as first:
        move = first.begin("postgres", "table x", None)
    with held(world.conninfo, PEOPLE) as second, connect(world.conninfo, autocommit=True) as connection:
        second.go_on(move, "table x", None)
        with connection.transaction():
            second.assert_mine(connection)
        with pytest.raises(Exception, match="at work"), connection.transaction():
            first.assert_mine(connection)


def _writer(world: World, number: int, stop: Any, told: Any) -> None:
    """Write documents until the stop is set, each under a name of its own, and tell of each what came of it."""

    async def work() -> None:
        done: list[str] = []
        not_done: list[str] = []
        async with world.switch() as switch:
            count = 0
            while not stop.is_set():
                name = f"w{number}-{count:05}"
                count += 1
                try:
                    await write(switch, name)
                except PolyglotError as fault:
                    if fault.code != "switch-frozen":
                        raise
                    not_done.append(name)
                    await asyncio.sleep(0.01)
                else:
                    done.append(name)
        told.put((done, not_done))

    asyncio.run(work())


@pytest.mark.parametrize(("writers", "each"), [(2, 10), pytest.param(8, 200, marks=pytest.mark.soak)])
@pytest.mark.parametrize("there_and_back", [False, True], ids=["there", "there and back, without a fence"])
def test_each_acknowledged_write_of_many_processes_is_in_the_new_store(
    world: World, tmp_path: Path, writers: int, each: int, there_and_back: bool
) -> None:
    """Without a fence the guard alone keeps writers out; nobody here writes past it."""
    context = multiprocessing.get_context("spawn")
    start: Callable[..., Any] = context.Process
    stop, told = context.Event(), context.Queue()
    bare = World(world.conninfo, world.url, _Named(world.documents.name))
    processes = [start(target=_writer, args=(bare, number, stop, told)) for number in range(writers)]
    for process in processes:
        process.start()

    def wait_for(count: Callable[[], int], number: int) -> None:
        give_up_at = time.monotonic() + 100
        while count() < number:
            assert time.monotonic() < give_up_at
            assert all(process.is_alive() for process in processes)
            time.sleep(0.05)

    wait_for(lambda: world.people.count_documents({}), each * writers)
    options = ("--wait-seconds", "60", *(["--no-fence"] if there_and_back else []))
    ran = world.runs(tmp_path).run("run", *WITH, *options)
    there_at_first = len(world.rows())
    wait_for(lambda: len(world.rows()), there_at_first + each * writers)
    if there_and_back:
        assert ran.code == 0, ran.text
        ran = world.runs(tmp_path).run("back", *WITH, "--wait-seconds", "60")
        there_at_first = world.people.count_documents({})
        wait_for(lambda: world.people.count_documents({}), there_at_first + each * writers)
    stop.set()
    answers: list[Any] = [told.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert ran.code == 0, ran.text
    done = {name for one, _ in answers for name in one}
    not_done = {name for _, one in answers for name in one}
    rows, documents = set(world.rows()), {one["_id"] for one in world.people.find()}
    there, left = (documents, rows) if there_and_back else (rows, documents)
    assert done <= there, "acknowledged, and lost"
    assert not not_done & there, "refused, and written"
    assert left < there, "what came behind the flip is in the new store alone"
    assert there == done


class _Opened:
    """A connection that is opened for a block."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo

    async def __aenter__(self) -> Any:
        self._made = await psycopg.AsyncConnection.connect(self._conninfo)
        return await self._made.__aenter__()

    async def __aexit__(self, *given: Any) -> None:
        try:
            await self._made.__aexit__(*given)
        finally:
            await self._made.close()  # which it leaves out when its COMMIT fails


class _Named:
    """Stands for a database in another process, which opens its own."""

    def __init__(self, name: str) -> None:
        self.name = name
