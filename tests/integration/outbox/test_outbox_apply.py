"""What becomes of events in MongoDB: each operation, every type, hostile names, refusals, marks of others.

Oracle: documents as the driver reads them. Cannot see: what a real MongoDB refuses and the wire server does not.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import bson
import psycopg
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from psycopg.conninfo import make_conninfo

from isthmus.errors import ConfigError, TargetError
from isthmus.polyglot.outbox import delete, insert, put, update
from isthmus.polyglot.outbox.answers import Choice, retry, skip
from isthmus.polyglot.outbox.backoff import Patience
from isthmus.polyglot.outbox.key import CODEC, document_key
from isthmus.polyglot.outbox.status import read_status
from isthmus.state.up_to_date import bring_up_to_date
from tests.fix_mongo import MongoDatabase
from tests.integration.outbox.world import PEOPLE, World

EVERYTHING: dict[str, Any] = {
    "double": -0.0,
    "nan": float("inf"),
    "text": "ü'\"%s :x $y \U0001f98b",
    "document": {"$set": {"a.b": 1}, "": {"..": None}},
    "array": [1, [], {}, [None]],
    "binary": Binary(b"\0\xff", 128),
    "uuid": Binary(uuid.UUID(int=7).bytes, 4),
    "objectid": ObjectId("0123456789abcdef01234567"),
    "bool": True,
    "far": DatetimeMS(253402300799999),
    "null": None,
    "regex": Regex("^a/", "im"),
    "code": Code("x", {"y": 1}),
    "int32": 2**31 - 1,
    "int64": Int64(5),
    "timestamp": Timestamp(1, 2),
    "decimal": Decimal128("1.500E+10"),
    "min": MinKey(),
    "max": MaxKey(),
    "ref": DBRef("a", 1, "b"),
    "dotted.name": 1,
}


def raw(world: World, document_id: object) -> bytes:
    collection = world.documents.get_collection(PEOPLE, codec_options=bson.CodecOptions(document_class=RawBSONDocument))
    return bytes(collection.find_one({"_id": {"$eq": document_id}}).raw)


@pytest.mark.parametrize("operation", [insert, put])
def test_a_document_arrives_byte_by_byte_with_its_mark_last(world: World, operation: Any) -> None:
    (number,) = world.enqueue(operation(PEOPLE, "ä$.", EVERYTHING))
    world.drain()
    elements = bson.encode({"_id": "ä$.", **EVERYTHING}, codec_options=CODEC)[4:-1]
    found = raw(world, "ä$.")
    assert found[4 : 4 + len(elements)] == elements
    assert list(RawBSONDocument(found))[-1] == "_isthmus"
    assert RawBSONDocument(found)["_isthmus"]["v"] == number


def test_fields_are_set_with_their_types_unset_and_incremented_and_others_stay(world: World) -> None:
    world.documents[PEOPLE].insert_one({"_id": 1, "mine": "stays", "a": {"b": 1, "c": 2}, "n": 5, "gone": 1})
    values = {f"v.{name}": one for name, one in EVERYTHING.items() if "." not in name}
    world.enqueue(
        update(PEOPLE, 1, set={**values, "a.b": [1]}, unset=["gone", "not.there"], increment={"n": -7, "m": 1.5})
    )
    world.drain()
    found = RawBSONDocument(raw(world, 1))
    there = {name: one for name, one in EVERYTHING.items() if "." not in name}
    assert bytes(found["v"].raw) == bson.encode(there, codec_options=CODEC)
    assert (found["mine"], found["n"], found["m"], "gone" in found) == ("stays", -2, 1.5, False)
    assert world.documents[PEOPLE].find_one({"_id": 1}, {"a": 1})["a"] == {"b": [1], "c": 2}


@pytest.mark.parametrize(
    "document_id",
    [
        *(5.0, "5", ObjectId("0123456789abcdef01234567"), {"b": 1, "a": {"x": 1.5}}, None, True, b"\0x"),
        *(Decimal128("1E+3"), uuid.UUID(int=1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), MinKey(), Int64(2**62)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_any_id_goes_through_all_operations(world: World, document_id: object) -> None:
    world.enqueue(insert(PEOPLE, document_id, {"n": 1}), update(PEOPLE, document_id, increment={"n": 1}))
    world.drain()
    (found,) = world.documents[PEOPLE].find({}, {"_id": 0})
    assert found["n"] == 2
    world.enqueue(put(PEOPLE, document_id, {"m": 1}), delete(PEOPLE, document_id))
    assert world.drain().applied == 2
    assert world.documents[PEOPLE].count_documents({}) == 0


def test_numbers_that_are_one_id_are_one_key_in_the_order_of_their_events(world: World) -> None:
    world.enqueue(put(PEOPLE, 5, {"x": 1}), put(PEOPLE, 5.0, {"x": 2}), put(PEOPLE, Decimal128("5.00"), {"x": 3}))
    world.enqueue(put(PEOPLE, {"a": 1}, {"x": 4}), put(PEOPLE, {"a": 1.5}, {"x": 5}))
    world.drain()
    assert world.do("SELECT count(*) FROM isthmus.outbox_key") == [(3,)]
    assert world.documents[PEOPLE].find_one({"_id": 5}, {"_id": 0, "x": 1}) == {"x": 3}


def test_put_replaces_what_others_wrote_and_makes_what_is_not_there(world: World) -> None:
    world.documents[PEOPLE].insert_one({"_id": 1, "old": 1})
    world.enqueue(
        put(PEOPLE, 1, {"_id": 1, "new": 1}), put(PEOPLE, 2, {}), update(PEOPLE, 3, set={"a": 1}, create=True)
    )
    world.drain()
    assert world.there() == {1: {"new": 1}, 2: {}, 3: {"a": 1}}


def test_elements_leave_an_array_and_those_that_others_add_meanwhile_stay(world: World) -> None:
    people = world.documents[PEOPLE]
    members = [{"of": "x", "state": "asked"}, {"of": "x", "state": "in"}, {"of": "y", "state": "asked"}, "text"]
    people.insert_one({"_id": 1, "a": {"list": ["x", 1, "y", Int64(1), None]}, "members": members})
    world.enqueue(
        update(PEOPLE, 1, pull={"a.list": {"$in": ["x", 1]}, "members": {"of": "x", "state": {"$ne": "in"}}}),
        update(PEOPLE, 1, pull={"none": "x"}, increment={"n": 1}),
    )
    people.update_one({"_id": 1}, {"$push": {"a.list": "late", "members": {"of": "late"}}})
    assert world.drain().applied == 2
    left = [*members[1:], {"of": "late"}]
    assert world.there() == {1: {"a": {"list": ["y", None, "late"]}, "members": left, "n": 1}}


def test_a_pull_that_is_sent_again_takes_nothing_that_was_added_since(world: World) -> None:
    people = world.documents[PEOPLE]
    people.insert_one({"_id": 1, "list": ["x", "y"]})
    world.enqueue(update(PEOPLE, 1, pull={"list": "x"}))
    assert world.drain().applied == 1
    people.update_one({"_id": 1}, {"$push": {"list": "x"}})
    world.do("UPDATE isthmus.outbox SET applied_at = NULL, outcome = NULL")
    assert world.drain().applied == 1
    assert world.there() == {1: {"list": ["y", "x"]}}


def test_an_update_with_a_condition_is_done_where_it_holds_when_it_is_applied(world: World) -> None:
    people = world.documents[PEOPLE]
    people.insert_many([{"_id": n, "of": "x", "all": [{"of": "y"}, {"of": "x"}, {"of": "x"}]} for n in range(3)])
    named = {"of": {"$in": ["x", 7]}}
    world.enqueue(
        *(update(PEOPLE, n, unset=["of"], increment={"n": 1}, where=named) for n in range(4)),
        update(PEOPLE, 2, set={"all.$.of": None}, where={"all": {"$elemMatch": {"of": "x"}}}),
    )
    people.update_one({"_id": 1}, {"$set": {"of": "another"}})
    done = world.drain()
    assert (done.applied, done.refused) == (5, 0)
    several = [{"of": "y"}, {"of": "x"}, {"of": "x"}]
    assert world.there() == {
        0: {"all": several, "n": 1},
        1: {"of": "another", "all": several},
        2: {"all": [{"of": "y"}, {"of": None}, {"of": "x"}], "n": 1},
    }
    world.do("UPDATE isthmus.outbox SET applied_at = NULL, outcome = NULL")
    people.update_one({"_id": 0}, {"$set": {"of": "x"}})  # its mark says that it was done
    assert world.drain().applied == 5
    assert world.there()[0] == {"all": several, "n": 1, "of": "x"}


def test_an_update_with_a_condition_behind_a_delete_has_nothing_to_do(world: World) -> None:
    world.documents[PEOPLE].insert_many([{"_id": 1}, {"_id": 2}])
    world.enqueue(
        delete(PEOPLE, 1), update(PEOPLE, 1, set={"x": 1}, where={}), update(PEOPLE, 2, set={"x": 1}, where={})
    )
    done = world.drain()
    assert (done.applied, done.refused) == (3, 0)
    assert world.there() == {2: {"x": 1}}


def test_an_update_whose_condition_does_not_hold_notices_a_database_that_was_restored(world: World) -> None:
    world.enqueue(put(PEOPLE, 1, {"n": 1}), put(PEOPLE, 1, {"n": 2}))
    world.drain()
    world.do("TRUNCATE isthmus.outbox, isthmus.outbox_key RESTART IDENTITY")
    world.enqueue(update(PEOPLE, 1, set={"n": 3}, where={"n": 1}))
    world.drain()
    assert refused(world) == {"newer-version": 0}


def test_delete_of_what_is_not_there_is_done_with(world: World) -> None:
    world.documents[PEOPLE].insert_one({"_id": 1})
    world.enqueue(delete(PEOPLE, 1), delete(PEOPLE, 2))
    assert world.drain().applied == 2
    assert world.there() == {}


def refused(world: World) -> dict[str, int]:
    return {one.fault: one.behind for one in world.status().troubled}


@pytest.mark.parametrize(
    ("intent", "fault"),
    [
        (insert(PEOPLE, 1, {"x": 1}), "already-there"),
        (insert(PEOPLE, 9, {"mail": "a@b"}), "duplicate-key"),
        (put(PEOPLE, 9, {"mail": "a@b"}), "duplicate-key"),
        (put(PEOPLE, 1, {"mail": "a@b"}), "duplicate-key"),
        (update(PEOPLE, 1, set={"mail": "a@b"}), "duplicate-key"),
        (update(PEOPLE, 9, set={"x": 1}), "no-document"),
        (update(PEOPLE, 1, pull={"text": "x"}), "code-2"),
        (update(PEOPLE, 1, set={"x": 1}, where={"x": {"$strange": 1}}), "code-2"),
        (update(PEOPLE, 1, increment={"text": 1}), "code-14"),
        (update(PEOPLE, 1, set={"text.inside": 1}), "path-not-viable"),
        pytest.param(update(PEOPLE, 1, set={"more": "x" * (9 << 20)}), "too-large", marks=pytest.mark.soak),
    ],
    ids=lambda one: one if isinstance(one, str) else one.operation,
)
def test_what_mongodb_refuses_parks_its_key_and_no_other(world: World, intent: Any, fault: str) -> None:
    people = world.documents[PEOPLE]
    people.insert_one({"_id": 1, "text": "x", "big": "x" * (9 << 20) if fault == "too-large" else ""})
    people.insert_one({"_id": 2, "mail": "a@b"})
    people.create_index("mail", unique=True, sparse=True)
    before = people.find_one({"_id": 1})
    (number,) = world.enqueue(intent)
    behind = world.enqueue(*(put(PEOPLE, bson.decode(intent.key.document_id)["_id"], {"late": n}) for n in range(2)))
    world.enqueue(put(PEOPLE, 3, {"other": 1}))
    done = world.drain()
    assert (done.applied, done.refused, done.parked) == (1, 2, 1)
    assert refused(world) == {fault: 2}
    assert world.open_events() == [number, *behind]
    assert people.find_one({"_id": 1}) == before
    assert world.there()[3] == {"other": 1}
    ((words,),) = world.do("SELECT last_error FROM isthmus.outbox WHERE id = %s", number)
    assert words
    assert "a@b" not in words


@pytest.mark.parametrize(
    "payload", [b"", b"\5\0\0\0", bson.encode({"set": 1}), bson.encode({}), bson.encode({"where": 1})]
)
@pytest.mark.parametrize("operation", [put, insert, None])
def test_event_that_somebody_broke_does_not_end_the_relay(world: World, payload: bytes, operation: Any) -> None:
    broken = update(PEOPLE, 1, set={"a": 1}, create=True) if operation is None else operation(PEOPLE, 1, {"a": 1})
    (number,) = world.enqueue(broken)
    world.do("UPDATE isthmus.outbox SET payload = %s WHERE id = %s", payload, number)
    world.enqueue(put(PEOPLE, 2, {}))
    world.drain()
    assert 2 in world.there()
    assert world.status().lag_events == 0


def test_events_of_a_collection_that_lives_in_postgresql_are_parked_at_once_and_never_applied(world: World) -> None:
    world.do("INSERT INTO isthmus.switch (collection) VALUES (%s), ('other')", PEOPLE)
    world.enqueue(put(PEOPLE, 1, {"x": 1}), put("other", 1, {"x": 1}))
    assert world.drain().applied == 2
    numbers = world.enqueue(
        update(PEOPLE, 1, set={"x": 2}), delete(PEOPLE, 1), put(PEOPLE, 2, {}), put("other", 1, {"x": 2})
    )
    world.do("UPDATE isthmus.switch SET home = 'postgres' WHERE collection = %s", PEOPLE)
    found = world.status()
    assert (found.outcome, found.elsewhere, found.parked) == ("elsewhere", (PEOPLE,), 0)
    done = world.drain(patience=Patience(attempts=50))
    assert (done.applied, done.refused, done.parked) == (1, 2, 2)
    assert (world.there(), world.there("other")) == ({1: {"x": 1}}, {1: {"x": 2}})
    found = world.status()
    assert (found.outcome, found.elsewhere, found.parked, found.behind) == ("parked", (PEOPLE,), 2, 1)
    assert {one.fault for one in found.troubled} == {"lives-elsewhere"}
    world.do("UPDATE isthmus.switch SET home = 'mongodb' WHERE collection = %s", PEOPLE)
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        assert retry(connection, Choice(collection=PEOPLE)) == [numbers[0], numbers[2]]
    assert world.drain().applied == 3
    assert world.there() == {2: {}}
    assert world.status().outcome == "clear"


def test_a_relay_that_may_not_ask_where_collections_live_writes_nothing(world: World) -> None:
    (number,) = world.enqueue(put(PEOPLE, 1, {}))
    role = "outbox_relay"
    world.do(f"DROP ROLE IF EXISTS {role}")
    world.do(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA isthmus TO {role}")
    world.do(f"GRANT SELECT, UPDATE, DELETE ON isthmus.outbox, isthmus.outbox_key TO {role}")
    address = make_conninfo(world.conninfo, options=f"-c role={role}")
    try:
        with pytest.raises(TargetError) as caught:
            world.drain(conninfo=address)
        assert caught.value.code == "no-right"
        assert "isthmus.switch" in (caught.value.hint or "")
        assert world.open_events() == [number]
        with psycopg.connect(address, autocommit=True) as connection:
            assert read_status(connection).outcome == "behind"
        world.do(f"GRANT SELECT ON isthmus.switch TO {role}")
        assert world.drain(conninfo=address).applied == 1
    finally:
        world.do(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_database_of_an_older_version_knows_no_switches(database: str, mongo: MongoDatabase) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        bring_up_to_date(connection)
        connection.execute("DROP TABLE isthmus.switch CASCADE")
    world = World(database, mongo.url, mongo.client[mongo.name])
    world.enqueue(put(PEOPLE, 1, {}))
    assert world.status().outcome == "behind"
    assert world.drain().applied == 1


def test_validator_refuses(world: World) -> None:
    world.documents.create_collection(PEOPLE, validator={"$jsonSchema": {"required": ["name"]}})
    world.enqueue(put(PEOPLE, 1, {"x": 1}))
    world.drain()
    assert refused(world) == {"validation": 0}


def test_retry_applies_what_was_parked_and_what_waited_behind_it_in_order(world: World) -> None:
    (number,) = world.enqueue(update(PEOPLE, 1, increment={"n": 1}))
    world.enqueue(update(PEOPLE, 1, set={"x": 1}), update(PEOPLE, 1, set={"x": 2}))
    world.drain()
    world.documents[PEOPLE].insert_one({"_id": 1})
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        with pytest.raises(ConfigError) as caught:
            retry(connection, Choice((number, number + 1)))
        assert (caught.value.code, world.status().parked) == ("which-ones", 1)
        assert retry(connection, Choice(keys=(document_key(PEOPLE, 2),))) == []
        assert retry(connection, Choice(collection="another")) == []
        assert retry(connection, Choice(keys=(document_key(PEOPLE, 1.0), document_key(PEOPLE, "1")))) == [number]
        assert retry(connection, Choice()) == []
    world.drain()
    assert world.there() == {1: {"n": 1, "x": 2}}
    assert world.status().outcome == "clear"


def test_skip_leaves_an_event_out_for_good_with_the_reason(world: World) -> None:
    (number,) = world.enqueue(update(PEOPLE, 1, set={"x": 1}))
    (behind,) = world.enqueue(put(PEOPLE, 1, {"y": 1}))
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        with pytest.raises(ConfigError) as caught:
            skip(connection, [number], "no", by=None)
        assert caught.value.code == "which-ones"
        world.drain()
        with pytest.raises(ConfigError) as caught:
            skip(connection, [number], " \n", by=None)
        assert caught.value.code == "no-reason"
        assert skip(connection, [number], "gone: it's ü", by="Ann") == [number]
    world.drain(keep_seconds=0.0)
    assert world.there() == {1: {"y": 1}}
    kept = world.do("SELECT id, outcome, reason, said_by, role = session_user FROM isthmus.outbox")
    assert kept == [(number, "skipped", "gone: it's ü", "Ann", True)]
    assert behind not in world.open_events()


def test_event_that_was_written_and_not_marked_is_recognised(world: World) -> None:
    numbers = world.enqueue(
        insert(PEOPLE, 1, {"n": 1}),
        *(update(PEOPLE, 2, increment={"n": 1}, create=True), put(PEOPLE, 3, {"n": 1}), delete(PEOPLE, 4)),
    )
    assert world.drain().applied == 4
    world.documents[PEOPLE].update_many({}, {"$set": {"theirs": 1}})  # what others write meanwhile stays
    world.do("UPDATE isthmus.outbox SET applied_at = NULL, outcome = NULL, confirm_at = NULL")
    assert world.drain().applied == 4
    assert world.there() == {n: {"n": 1, "theirs": 1} for n in (1, 2, 3)}
    assert len(numbers) == 4


def test_database_that_was_restored_from_a_backup_is_noticed_and_nothing_is_lost(world: World) -> None:
    """Numbers come again then; a higher mark must not pass for its own work."""
    world.enqueue(*(put(PEOPLE, n, {"n": n}) for n in range(3)))
    world.drain()
    world.do("TRUNCATE isthmus.outbox, isthmus.outbox_key RESTART IDENTITY")
    world.enqueue(*(update(PEOPLE, n, set={"again": 1}) for n in range(3)))
    world.drain()
    assert set(refused(world)) == {"newer-version"}
    assert world.status().parked == 3
    assert world.there() == {n: {"n": n} for n in range(3)}


def test_late_write_of_a_lost_relay_is_removed_behind_a_delete(world: World) -> None:
    """What a relay had sent before it was lost may arrive when the key is long done with."""
    world.enqueue(put(PEOPLE, 1, {"n": 1}))
    world.drain()
    late = world.documents[PEOPLE].find_one({"_id": 1})
    world.enqueue(delete(PEOPLE, 1))
    world.drain(grace_seconds=0.3)
    world.documents[PEOPLE].insert_one(late)
    time.sleep(0.3)
    world.drain()
    assert world.there() == {}
    assert world.do("SELECT count(*) FROM isthmus.outbox WHERE confirm_at IS NOT NULL") == [(0,)]


def test_look_behind_a_delete_leaves_what_came_later(world: World) -> None:
    world.enqueue(put(PEOPLE, 1, {}), delete(PEOPLE, 1), delete(PEOPLE, 2))
    world.drain(grace_seconds=0.3)
    world.enqueue(put(PEOPLE, 1, {"later": 1}))
    world.documents[PEOPLE].insert_one({"_id": 2, "of": "others"})
    time.sleep(0.3)
    world.drain()
    assert world.do("SELECT count(*) FROM isthmus.outbox WHERE confirm_at IS NOT NULL") == [(0,)]
    assert world.there() == {1: {"later": 1}, 2: {"of": "others"}}


def test_events_are_forgotten_after_a_while_and_versions_go_on(world: World) -> None:
    (first,) = world.enqueue(put(PEOPLE, 1, {"n": 1}))
    world.drain(keep_seconds=0.0)
    assert world.do("SELECT (SELECT count(*) FROM isthmus.outbox), (SELECT count(*) FROM isthmus.outbox_key)") == [
        (0, 0)
    ]
    (second,) = world.enqueue(update(PEOPLE, 1, set={"n": 2}))
    assert second > first
    world.drain(keep_seconds=3600.0)
    assert world.there() == {1: {"n": 2}}
    assert world.do("SELECT count(*) FROM isthmus.outbox") == [(1,)]
