"""Both stores answer the same to the same calls: one suite, run over MongoDB and over PostgreSQL.

Oracle: what the Protocol says, written here as the test's own answers. Cannot see: elections of a replica set; values
that the wire server does not take, such as far dates, which `unit/polyglot/test_stores_form.py` looks at.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from typing import Any

import bson
import psycopg
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.dbref import DBRef

from isthmus.connect.mongo import open_server
from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure import Belonging, ensure, ensure_indexes
from isthmus.polyglot.mark import revision_end
from isthmus.polyglot.rewrite.updates import Change, Replacement, as_update
from isthmus.polyglot.stores import DocumentStore, JsonbStore
from isthmus.polyglot.stores.form import CODEC
from isthmus.polyglot.switch import hold
from isthmus.polyglot.switch.fence import Fence
from isthmus.polyglot.switch.ledger import held
from tests.integration.switch.world import PEOPLE, TABLE, World

Work = Callable[[DocumentStore], Awaitable[None]]
Run = Callable[[Work], None]

NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=dt.UTC)
OID = ObjectId("64b7f0a1c2d3e4f5a6b7c8d9")
UUID = uuid.UUID("0190f5fe-7c00-7a00-8000-0123456789ab")
EVERYTHING: dict[str, Any] = {
    "text": "Zoë \u2028 ' \" \\ % : 🐘",
    "empty": "",
    "": "a field without a name",
    "a.b": "a name with a dot",
    "pe'r\"s:o%n": {"x": 1},
    "int32": 2**31 - 1,
    "int64": Int64(5),
    "large": Int64(2**62 + 1),
    "double": 1.5,
    "whole": 3.0,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "minus zero": -0.0,
    "infinite": float("-inf"),
    "decimal": Decimal128("1.500"),
    "far decimal": Decimal128("1E+6144"),
    "no decimal": Decimal128("NaN"),
    "yes": True,
    "null": None,
    "date": NOON,
    "early": dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC),
    "oid": OID,
    "uuid": UUID,
    "bytes": b"\0\xff",
    "binary": Binary(b"\x01\x02", 128),
    "old uuid": Binary(UUID.bytes, 3),
    "regex": Regex("^a.*b$", "im"),
    "code": Code("return 1"),
    "scoped": Code("return x", {"x": Int64(1)}),
    "timestamp": Timestamp(1, 2),
    "ends": [MinKey(), MaxKey()],
    "reference": DBRef("users", OID, "other"),
    "nested": {"list": [1, [2, {"three": Int64(3)}], {}], "empty": [], "document": {}},
}


@pytest.fixture(params=["mongodb", "postgres"])
def run(request: pytest.FixtureRequest, world: World) -> Run:
    """Return what runs a piece of work on a store."""
    opened: Callable[[], AbstractAsyncContextManager[DocumentStore]] = (
        world.mongo_store if request.param == "mongodb" else world.jsonb_store
    )
    if request.param == "mongodb":
        world.people.create_index("nick", unique=True, partialFilterExpression={"nick": {"$exists": True}})

    def run(work: Work) -> None:
        async def open_and_work() -> None:
            async with opened() as store:
                await work(store)

        asyncio.run(open_and_work())

    return run


async def refused(work: Awaitable[Any], code: str) -> PolyglotError:
    with pytest.raises(PolyglotError) as caught:
        await work
    assert caught.value.code == code, caught.value
    return caught.value


def strict(value: object) -> object:
    """Return a value so that equal ones have equal types, too; of fields the order says nothing."""
    if isinstance(value, dict):
        return {"": {name: strict(one) for name, one in value.items()}}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [strict(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Code):
        return (str(value), strict(value.scope))
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Regex):
        return (value.pattern, value.flags)  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
    return (type(value).__name__, repr(value))


@pytest.mark.parametrize("document_id", [OID, "a ' \" : % ü", UUID], ids=repr)
def test_every_value_comes_back_as_it_was(run: Run, document_id: Any) -> None:
    async def work(store: DocumentStore) -> None:
        written = await store.insert({"_id": document_id, **EVERYTHING})
        found = await store.get(document_id)
        assert found is not None
        wanted: dict[str, Any] = {"_id": document_id, **EVERYTHING}
        assert {name for name in wanted if strict(found.document.get(name)) != strict(wanted[name])} == set()
        assert strict(found.document) == strict(wanted)
        assert (found.id, found.revision) == (document_id, written.revision)
        assert strict(written.document) == strict(found.document)
        other = await store.replace(found.document, revision=found.revision)
        assert strict(other.document) == strict(found.document)
        assert other.revision != found.revision

    run(work)


def test_documents_are_made_changed_and_removed(run: Run) -> None:
    async def work(store: DocumentStore) -> None:
        assert await store.get("ann") is None
        made = await store.insert({"name": "without"})
        assert isinstance(made.id, ObjectId)
        assert made.document == {"_id": made.id, "name": "without"}
        ann = await store.insert({"_id": "ann", "nick": "a", "age": 1})
        await refused(store.insert({"_id": "ann"}), "store-exists")
        await refused(store.insert({"_id": "ben", "nick": "a"}), "store-exists")
        await store.put({"_id": "ben", "nick": "b"})
        await refused(store.put({"_id": "ben", "nick": "a"}), "store-exists")
        await refused(store.put({"_id": "cyd", "nick": "a"}), "store-exists")
        await refused(store.update("ben", set={"nick": "a"}), "store-exists")
        ben = await store.put({"_id": "ben", "age": 3})
        assert (await store.get("ben")) == ben
        assert ben.document == {"_id": "ben", "age": 3}
        ann = await store.update(
            "ann", set={"age": 2, "address.city": "Ulm", "tags": ["x"]}, unset=["nick", "nothing.x"]
        )
        assert ann.document == {"_id": "ann", "age": 2, "address": {"city": "Ulm"}, "tags": ["x"]}
        assert (await store.get("ann")) == ann
        await refused(store.replace({"_id": "nobody"}), "store-absent")
        await refused(store.update("nobody", set={"a": 1}), "store-absent")
        assert await store.delete("ann")
        assert not await store.delete("ann")
        assert not await store.delete("ann", revision=ann.revision)
        assert [one.id for one in await store.find({})] == ["ben"]  # a page is of one kind of ids in MongoDB
        assert (await store.insert({"_id": "ann"})).document == {"_id": "ann"}

    run(lambda store: _without_object_ids(work, store))


async def _without_object_ids(work: Work, store: DocumentStore) -> None:
    """Run the work; what got an ObjectId on the way is removed, for a collection has ids of one kind."""

    class Tidy:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def find(self, *given: Any, **named: Any) -> Any:
            for one in await store.find({"name": "without"}):
                await store.delete(one.id)
            return await store.find(*given, **named)

    await work(Tidy())  # pyright: ignore[reportArgumentType]


def test_a_revision_that_is_over_conflicts(run: Run) -> None:
    async def work(store: DocumentStore) -> None:
        first = await store.insert({"_id": "ann", "n": 1})
        second = await store.update("ann", set={"n": 2}, revision=first.revision)
        for stale in (first.revision, "", "-", "x", str(uuid.uuid4()), "ÿ"):
            await refused(store.replace({"_id": "ann"}, revision=stale), "store-conflict")
            await refused(store.update("ann", set={"n": 9}, revision=stale), "store-conflict")
            await refused(store.delete("ann", revision=stale), "store-conflict")
        assert await store.get("ann") == second
        assert await store.delete("ann", revision=second.revision)
        await refused(store.replace({"_id": "ann"}, revision=second.revision), "store-absent")

    run(work)


def test_pages_are_in_one_order(run: Run) -> None:
    ids = ["a", "B", "b", "ä", "aa", "a b", "Z", "1", "10", "9", "\U0001f418", "\uffee"]

    async def work(store: DocumentStore) -> None:
        for one in ids:
            await store.insert({"_id": one, "even": len(one) % 2 == 0})
        ordered = sorted(ids, key=str.encode)
        found: list[Any] = []
        while page := await store.find({}, limit=5, after=found[-1] if found else None):
            found += [one.id for one in page]
        assert found == ordered
        assert [one.id for one in await store.find({"even": True}, after="a")] == [
            one for one in ordered if len(one) == 2 and one > "a"
        ]
        assert [one.id for one in await store.find({}, limit=2, after="a!")] == ["aa", "b"]
        assert [one.id for one in await store.find({"_id": "b"}, after="a")] == ["b"]
        assert await store.find({"_id": "b"}, after="b") == []

    run(work)


FOUND: list[tuple[dict[str, Any], str]] = [
    ({}, "abcdefgh"),
    ({"n": 5}, "abcdg"),
    ({"n": Int64(5)}, "abcdg"),
    ({"n": 0}, "f"),
    ({"n": 2**60}, "h"),
    ({"n": True}, "e"),
    ({"n": None}, ""),
    ({"t": "x"}, "ac"),
    ({"t": "x", "n": 5}, "ac"),
    ({"t": None}, "defgh"),
    ({"t": ""}, "b"),
    ({"d.e": "y"}, "ab"),
    ({"d.e": 7}, "c"),
    ({"o": OID}, "ab"),
    ({"o": str(OID)}, "c"),
    ({"o": UUID}, "d"),
    ({"o": NOON}, "e"),
    ({"o": b"\1"}, "f"),
    ({"o": dt.datetime(1969, 1, 1, tzinfo=dt.UTC)}, "g"),
    ({"_id": "a"}, "a"),
    ({"q\"' :%s": 1}, "a"),
    ({"nothing": 1}, ""),
]
"""Fields, and the ids of those of the documents below that have them."""


def test_fields_are_found_by_equal_values(run: Run) -> None:
    async def work(store: DocumentStore) -> None:
        await store.put({"_id": "a", "n": 5, "t": "x", "d": {"e": "y"}, "o": OID, "q\"' :%s": 1})
        await store.put({"_id": "b", "n": 5.0, "t": "", "d": [{"e": "y"}, {"e": "z"}], "o": [OID, 1]})
        await store.put({"_id": "c", "n": Int64(5), "t": ["w", "x"], "d": {"e": [7, 8]}, "o": str(OID)})
        await store.put({"_id": "d", "n": Decimal128("5.00"), "d": [[{"e": "y"}]], "o": UUID})
        await store.put({"_id": "e", "n": True, "t": None, "o": NOON})
        await store.put({"_id": "f", "n": -0.0, "o": b"\1"})
        await store.put({"_id": "g", "n": [4, 5, [6]], "o": dt.datetime(1969, 1, 1, tzinfo=dt.UTC)})
        await store.put({"_id": "h", "n": [float(2**60), [0]], "t": None})
        found = [(fields, "".join(one.id for one in await store.find(fields))) for fields, _ in FOUND]
        assert [one for one, wanted in zip(found, FOUND, strict=True) if one != wanted] == []

    run(work)


Call = Callable[[Any], Awaitable[Any]]


def calls(make: Callable[[Any, Any], Awaitable[Any]], *given: Any) -> list[Call]:
    """Return a call for each thing that is given wrong."""
    return [lambda store, one=one: make(store, one) for one in given]


WRONG: dict[str, list[Call]] = {
    "store-id": [
        *calls(lambda store, one: store.get(one), 5, None, b"x", [], "", "a\0", "\ud800", "x" * 1025),
        *calls(lambda store, one: store.put(one), {"name": "no id"}, {"_id": 5}),
        *calls(lambda store, one: store.insert(one), {"_id": 5}),
        *calls(lambda store, one: store.find({}, after=one), 5),
    ],
    "store-document": [
        *calls(
            lambda store, one: store.put({"_id": "a", **one}),
            *({"a": "x\0"}, {"a": [{"b": "\0"}]}, {"a": {"$oid": "x"}}, {"$a": 1}, {"_isthmus": 1}, {"a": object()}),
            *({"a": 2**63}, {"a": "\ud800"}, {"a": "x" * (1 << 24)}, {"a": Regex("\0")}, {"a": {"b\0": 1}}),
            {"a": Code("x", {"y": "\0"})},
        ),
        *calls(lambda store, one: store.update("a", set={"b": one}), "\0", {"$x": 1}, object()),
    ],
    "store-path": [
        *calls(
            lambda store, one: store.update("a", set={one: 1}),
            *("", "a.", ".a", "a..b", "$a", "a.$b", "_id", "_id.x", "_isthmus.v", "a.0", "a\0", 5),
            *("n.x", "l.x", "nil.x", "oid.x"),
        ),
        lambda store: store.update("a"),
        lambda store: store.update("a", set={"x": 1}, unset=["x"]),
        lambda store: store.update("a", set={"x": {}, "x.y": 1}),
        *calls(lambda store, one: store.find({one: 1}), "a.0", "$where", ""),
    ],
    "store-query": [
        *calls(
            lambda store, one: store.find({"a": one}),
            *(1.5, Decimal128("1"), {}, [], Regex("x"), 2**63, "\0", "\ud800", object()),
        ),
        *calls(lambda store, one: store.find(one), {"a.b": None}, {"_isthmus.v": 1}),
        *calls(lambda store, one: store.find({}, limit=one), 0, -1, 10_001, True, "5"),
    ],
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_given_wrong_is_refused_and_changes_nothing(run: Run, code: str) -> None:
    async def work(store: DocumentStore) -> None:
        before = await store.put({"_id": "a", "n": 1, "l": [{}], "nil": None, "oid": OID})
        for call in WRONG[code]:
            fault = await refused(call(store), code)
            assert fault.hint
        assert await store.get("a") == before

    run(work)


def test_an_id_and_its_text_are_two_and_only_one_of_them_fits(world: World) -> None:
    """MongoDB would take both; the table's key is the text. A collection has ids of one kind."""

    async def work() -> None:
        async with world.jsonb_store() as store:
            await store.insert({"_id": OID})
            assert await store.get(str(OID)) is None
            await refused(store.insert({"_id": str(OID)}), "store-exists")
            await refused(store.put({"_id": str(OID)}), "store-exists")
            assert not await store.delete(str(OID))

    asyncio.run(work())


def test_the_marks_of_the_outbox_stay_in_mongodb_and_its_writes_end_a_revision(world: World) -> None:
    mark = {"v": Int64(7), "e": uuid.uuid4()}
    people = world.people.with_options(codec_options=CODEC)

    async def work() -> None:
        async with world.mongo_store() as store:
            people.insert_one({"_id": "a", "n": 1})
            plain = await store.get("a")
            assert plain is not None
            people.update_one({"_id": "a"}, {"$set": {"_isthmus": mark}})
            await refused(store.replace({"_id": "a"}, revision=plain.revision), "store-conflict")
            for written in (await store.replace({"_id": "a", "n": 2}), await store.put({"_id": "a", "n": 3})):
                assert "_isthmus" not in written.document
            written = await store.update("a", set={"n": 4})
            kept = people.find_one({"_id": "a"})
            assert {name: kept["_isthmus"][name] for name in ("v", "e")} == mark
            people.update_one({"_id": "a"}, {"$set": {"_isthmus": {**mark, "v": Int64(8)}}})
            await refused(store.update("a", set={"n": 5}, revision=written.revision), "store-conflict")

    asyncio.run(work())


@pytest.mark.parametrize("written_before", [False, True], ids=["no mark", "a mark"])
def test_a_claim_and_a_rewrite_end_a_revision_that_was_read_before(world: World, written_before: bool) -> None:
    """Each is done behind the store's back, as `ensure` and `refs rewrite` do it."""
    row = "tz4a98xxat96iws9zmbrgj3a"
    belonging = Belonging("userId", holds=str, email="email")
    ensure_indexes(world.people, belonging)

    def claim() -> None:
        assert ensure(world.people, belonging, row, email="ann@x.example").how == "claimed"

    def rewrite() -> None:
        (document,) = world.people.find({"_id": "a"}, {"_isthmus": 1})
        replaced = Replacement(("by",), OID, row)
        change = Change(bson.encode({"_id": "a"}), (replaced,), revision_end(document))
        done = world.people.bulk_write([as_update(change, collated=False)])
        assert done.modified_count == 1

    async def work(end: Callable[[], None], call: Callable[[Any, Any], Awaitable[Any]]) -> None:
        world.people.delete_many({})
        async with world.mongo_store() as store:
            document = {"_id": "a", "email": "ann@x.example", "by": OID, "n": 1}
            if written_before:
                await store.insert(document)
            else:
                world.people.insert_one(document)
            read = await store.get("a")
            assert read is not None
            assert (await store.get("a")) == read
            end()
            await refused(call(store, read), "store-conflict")
            after = await store.get("a")
            assert after is not None
            assert row in (after.document.get("userId"), after.document["by"])
            assert (await store.replace({**after.document, "n": 2}, revision=after.revision)).document["n"] == 2

    for end in (claim, rewrite):
        asyncio.run(work(end, lambda store, read: store.replace({**read.document, "n": 5}, revision=read.revision)))
        asyncio.run(work(end, lambda store, read: store.update("a", set={"n": 5}, revision=read.revision)))
        asyncio.run(work(end, lambda store, read: store.delete("a", revision=read.revision)))


def test_a_rewrite_of_a_document_that_gets_its_first_mark_meanwhile_is_not_done(world: World) -> None:
    world.people.insert_one({"_id": "a", "by": OID})
    change = Change(bson.encode({"_id": "a"}), (Replacement(("by",), OID, "new"),), revision_end({}))
    world.people.update_one({"_id": "a"}, {"$set": {"_isthmus": {"r": uuid.uuid4().hex}}})
    for tried in (False, True):
        update = as_update(replace(change, tried=tried), collated=False)
        assert world.people.bulk_write([update]).matched_count == 0


def test_a_document_without_a_mark_is_written_once_on_condition_of_what_was_read(world: World) -> None:
    calls: list[Callable[[Any, str], Awaitable[Any]]] = [
        lambda store, revision: store.replace({"_id": "a", "n": 2}, revision=revision),
        lambda store, revision: store.update("a", set={"n": 2}, revision=revision),
        lambda store, revision: store.delete("a", revision=revision),
    ]

    async def work(call: Callable[[Any, str], Awaitable[Any]]) -> None:
        async with world.mongo_store() as store:
            world.people.insert_one({"_id": "a", "n": 1})
            read = await store.get("a")
            assert read is not None
            for wrong in ("", "-", "-" + "0" * 64, "QQ==", "x"):
                await refused(store.update("a", set={"n": 9}, revision=wrong), "store-conflict")
            again = await store.get("a")  # a condition that was not met may have put a mark there, and nothing else
            assert again is not None
            assert again.document == read.document
            outcomes = await asyncio.gather(*(call(store, again.revision) for _ in range(3)), return_exceptions=True)
            assert sum(not isinstance(one, PolyglotError) for one in outcomes) >= 1
            assert {one.code for one in outcomes if isinstance(one, PolyglotError)} <= {"store-conflict"}

    async def first(call: Callable[[Any, str], Awaitable[Any]]) -> None:
        async with world.mongo_store() as store:
            world.people.insert_one({"_id": "a", "n": 1})
            read = await store.get("a")
            assert read is not None
            await call(store, read.revision)
            assert (await store.get("a")) is None or (await store.get("a")).document["n"] == 2  # pyright: ignore[reportOptionalMemberAccess]

    for call in calls:
        for run_ in (work, first):
            world.people.delete_many({})
            asyncio.run(run_(call))


def test_of_writers_with_one_revision_one_wins(run: Run, world: World, request: pytest.FixtureRequest) -> None:
    opened: Any = world.mongo_store if "mongodb" in request.node.name else world.jsonb_store

    async def one(number: int, revision: str) -> bool:
        async with opened() as store:
            try:
                await store.update("a", set={"by": number}, revision=revision)
            except PolyglotError as fault:
                return fault.code != "store-conflict"
        return True

    async def put(number: int) -> None:
        async with opened() as store:
            await store.put({"_id": "new", "by": number})

    async def all_at_once() -> None:
        async with opened() as store:
            first = await store.insert({"_id": "a"})
        assert sum(await asyncio.gather(*(one(number, first.revision) for number in range(6)))) == 1
        await asyncio.gather(*(put(number) for number in range(6)))

    asyncio.run(all_at_once())


def test_sqlalchemys_connections_and_a_refusal_that_leaves_the_transaction_usable(world: World) -> None:
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    async def work() -> None:
        engine = create_async_engine(
            "postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(world.conninfo)
        )
        try:
            for begin in (engine.begin, async_sessionmaker(engine).begin):
                async with begin() as connection:
                    store = JsonbStore(connection, TABLE, schema="public")
                    await store.put({"_id": "a:b %s \\: x", "nick": "one:two %(x)s \\: y", "d": NOON})
                    await refused(store.insert({"_id": "other", "nick": "one:two %(x)s \\: y"}), "store-exists")
                    await connection.execute(text("SELECT 1"))
                async with begin() as connection:
                    (found,) = await JsonbStore(connection, TABLE).find({"nick": "one:two %(x)s \\: y", "d": NOON})
                    assert found.id == "a:b %s \\: x"
        finally:
            await engine.dispose()
        with psycopg.connect(world.conninfo) as sync:
            await refused(JsonbStore(sync, TABLE).get("a"), "store-connection")

    asyncio.run(work())


@pytest.mark.parametrize("kind", ["psycopg", "connection", "session"])
def test_calls_that_are_awaited_at_once_on_one_connection_do_not_undo_each_other(world: World, kind: str) -> None:
    """One of them is refused each time; another one's write is not to lie in the savepoint that is undone for it."""
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    async def work() -> None:
        engine = create_async_engine(
            "postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(world.conninfo)
        )
        begin: Any = {
            "psycopg": lambda: psycopg.AsyncConnection.connect(world.conninfo),
            "connection": engine.begin,
            "session": async_sessionmaker(engine).begin,
        }[kind]
        made = begin()
        async with await made if kind == "psycopg" else made as connection:
            one, other = JsonbStore(connection, TABLE), JsonbStore(connection, TABLE, schema="public")
            await one.insert({"_id": "a", "nick": "a", "n": 0})
            calls = [
                call
                for number in range(10)
                for call in (
                    one.insert({"_id": f"w{number}", "nick": "a"}),
                    other.insert({"_id": f"x{number}"}),
                    one.put({"_id": f"y{number}"}),
                    other.update("a", set={f"n{number}": number}),
                    other.replace({"_id": "nobody"}),
                    one.get("a"),
                    other.find({"nick": "a"}),
                    hold(connection, PEOPLE),
                )
            ]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            faults = [getattr(one, "code", repr(one)) for one in outcomes if isinstance(one, BaseException)]
            assert sorted(faults) == ["store-absent"] * 10 + ["store-exists"] * 10
            await connection.execute(text("SELECT 1") if kind != "psycopg" else "SELECT 1")
        await engine.dispose()

    asyncio.run(work())
    rows = world.rows()
    assert rows.keys() == {"a", *(f"{letter}{number}" for number in range(10) for letter in "xy")}
    assert rows["a"] == {"_id": "a", "nick": "a", "n": 0, **{f"n{number}": number for number in range(10)}}


def test_a_fence_says_that_the_collection_is_frozen(world: World) -> None:
    world.people.insert_one({"_id": "a", "n": 1})

    async def work() -> None:
        async with world.mongo_store() as store:
            read = await store.get("a")
            assert read is not None
            with held(world.conninfo, PEOPLE) as ledger, closing(open_server(world.url)) as server:
                fence = Fence(server, world.documents.name, ledger)
                assert fence.raise_() is None
                calls = [
                    store.insert({"_id": "b"}),
                    store.put({"_id": "a"}),
                    store.replace({"_id": "a"}),
                    store.replace({"_id": "a"}, revision=read.revision),
                    store.update("a", set={"n": 2}),
                    store.update("a", set={"n": 2}, revision=read.revision),
                    store.delete("a", revision=read.revision),
                ]
                for call in calls:
                    fault = await refused(call, "switch-frozen")
                    assert fault.retryable
                assert await store.get("a") == read
                assert fence.lower() is None
            await store.update("a", set={"n": 2}, revision=read.revision)

    asyncio.run(work())


def test_what_the_database_refuses_is_said_and_undone(world: World) -> None:
    world.documents.create_collection(PEOPLE, validator={"n": {"$lt": 10}})
    table = TABLE.replace('"', '""')
    world.do(f"ALTER TABLE \"{table}\" ADD CONSTRAINT small CHECK (NOT document @? '$.n ? (@ >= 10)')")

    async def work() -> None:
        async with world.mongo_store() as store:
            await refused(store.insert({"_id": "a", "n": 10}), "store-refused")
            await store.insert({"_id": "a", "n": 1})
            await refused(store.update("a", set={"n": 10}), "store-refused")
        async with world.jsonb_store() as store:
            await refused(store.insert({"_id": "a", "n": 10}), "store-refused")
            await store.insert({"_id": "a", "n": 1})
            await refused(store.update("a", set={"n": 10}), "store-refused")
            assert (await store.find({"n": 1}))[0].id == "a"

    try:
        asyncio.run(work())
    finally:
        world.do(f'ALTER TABLE "{table}" DROP CONSTRAINT small')
