"""Copies of a server that others write to: what moved is counted, named and kept, and the rows are what was read.

Oracle: the writes of the test, made at a stage where it is known what was read before and what is read after. Cannot
see snapshots: the wire server pins none, so what is written before a document is read is read as it was written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import psycopg
import pytest
from pymongo.collection import Collection

from isthmus.errors import MappingError, SourceError
from isthmus.transfer.result import Result
from tests.fix_mongo import MongoDatabase, WireServer, database_url
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer, pad: text}}}\n"
TWO = "isthmus: 1\ncollections: {A: {fields: {n: integer}}, B: {fields: {n: integer}}}\n"

Writes = Callable[[Collection[dict[str, Any]]], object]


@pytest.fixture
def live(world: World, mongo: MongoDatabase) -> World:
    """Return an empty target whose source is the server."""
    return replace(world, folder=cast("Any", mongo.url))


def collection(mongo: MongoDatabase, name: str = "Things") -> Collection[dict[str, Any]]:
    return mongo.client[mongo.name][name]


def things(count: int, size: int = 10) -> list[dict[str, Any]]:
    return [{"_id": oid(number), "n": number, "pad": "x" * size} for number in range(count)]


@contextmanager
def once_at(stage: str, act: Callable[[], object]) -> Iterator[None]:
    """Act when a copy inside the block reaches a stage for the first time."""
    acted = threading.Event()

    def listen(reached: str) -> None:
        if reached == stage and not acted.is_set():
            acted.set()
            act()

    with listening(listen):
        yield
    assert acted.is_set(), f"{stage} was not reached"


def moved(result: Result) -> tuple[int, int, int]:
    assert result.moved is not None
    return result.moved.new, result.moved.changed, result.moved.gone


WRITES: dict[str, tuple[Writes, tuple[int, int, int]]] = {
    "added at the end": (lambda c: c.insert_one({"_id": oid(1000)}), (1, 0, 0)),
    "added in front": (lambda c: c.insert_one({"_id": -1}), (1, 0, 0)),
    "removed": (lambda c: c.delete_one({"_id": oid(7)}), (0, 0, 1)),
    "the last removed": (lambda c: c.delete_one({"_id": oid(39)}), (0, 0, 1)),
    "written to": (lambda c: c.update_one({"_id": oid(8)}, {"$set": {"pad": "y" * 10}}), (0, 1, 0)),
    "one for another": (
        lambda c: (c.delete_one({"_id": oid(8)}), c.insert_one({"_id": 5, "n": 8, "pad": "x" * 10})),
        (1, 0, 1),
    ),
    "all removed": (lambda c: c.delete_many({}), (0, 0, 40)),
    "dropped": (lambda c: c.drop(), (0, 0, 40)),
}


@pytest.mark.parametrize("write", WRITES)
def test_every_write_since_the_read_is_told_and_the_rows_are_what_was_read(
    live: World, mongo: MongoDatabase, write: str
) -> None:
    act, expected = WRITES[write]
    mongo.write({"Things": things(40)})
    with once_at("copy.partition-done", lambda: act(collection(mongo))):
        result = live.copy(MAPPING, workers=1)
    balanced(result)
    assert (moved(result), result.exit_code) == (expected, 1)
    assert live.column("SELECT n FROM things ORDER BY n") == list(range(40))


def test_source_that_stood_still_did_not_move(live: World, mongo: MongoDatabase) -> None:
    mongo.write({"Things": things(40)})
    result = live.copy(MAPPING)
    balanced(result)
    assert (moved(result), bool(result.moved), result.exit_code) == ((0, 0, 0), False, 0)


def test_what_moved_is_named_and_news_once(live: World, mongo: MongoDatabase) -> None:
    mongo.write({"Things": things(40)})

    def write() -> None:
        collection(mongo).update_one({"_id": oid(3)}, {"$set": {"n": 1000}})
        collection(mongo).insert_one({"_id": oid(77)})

    with once_at("copy.partition-done", write):
        result = live.copy(MAPPING, workers=1)
    assert result.moved is not None
    assert sorted(result.moved.named["Things"]) == [str(oid(3)), str(oid(77))]
    collection(mongo).update_one({"_id": oid(3)}, {"$set": {"n": 3}})
    collection(mongo).delete_one({"_id": oid(77)})
    again = live.copy(MAPPING)  # compares anew: the source came back to what was read
    assert (again.repeated, again.told, bool(again.changes), again.exit_code) == (True, True, False, 0)
    collection(mongo).delete_one({"_id": oid(5)})
    again = live.copy(MAPPING)
    assert again.changes is not None
    assert (again.changes.gone, again.exit_code) == (1, 1)


@pytest.mark.parametrize("dies_at", ["copy.complete", "finish.before-complete", "complete.after-commit"])
def test_what_moved_outlives_the_process_that_found_it(live: World, mongo: MongoDatabase, dies_at: str) -> None:
    mongo.write({"Things": things(40)})

    with (
        once_at("copy.partition-done", lambda: collection(mongo).delete_one({"_id": oid(5)})),
        once_at(dies_at, die),
        pytest.raises(KeyboardInterrupt),
    ):
        live.copy(MAPPING, workers=1)
    collection(mongo).insert_one(things(6)[5])  # as it was, so that only the run knows
    result = live.copy(MAPPING)
    balanced(result)
    assert (moved(result), result.told, result.exit_code) == ((0, 0, 1), False, 1)
    assert live.copy(MAPPING).exit_code == 0


def die() -> None:
    raise KeyboardInterrupt


def interrupted(live: World, *, batches: int = 6) -> None:
    """Carry a part of the things with one worker, and stop after some batches."""
    stop = threading.Event()

    def press(stage: str) -> None:
        if stage == "copy.after-commit" and live.one("SELECT count(*) FROM isthmus.batch") >= batches:
            stop.set()
            time.sleep(0.5)  # the copy looks at it five times a second

    with listening(press):
        result = live.copy(MAPPING, workers=1, memory_bytes=2 << 20, stop=stop)
    assert result.outcome == "interrupted"


def test_part_that_was_read_and_changed_then_refuses_no_resume(live: World, mongo: MongoDatabase) -> None:
    mongo.write({"Things": things(120, 50_000)})
    interrupted(live)
    carried = live.column("SELECT n FROM things ORDER BY n")
    assert 2 < len(carried) < 118
    collection(mongo).update_one({"_id": oid(1)}, {"$set": {"n": -1}})
    collection(mongo).delete_one({"_id": oid(2)})
    collection(mongo).delete_one({"_id": oid(118)})  # not read yet: never seen, and nothing to tell
    result = live.copy(MAPPING, workers=1, memory_bytes=2 << 20)
    balanced(result)
    assert (result.resumed, moved(result), result.exit_code) == (True, (0, 1, 1), 1)
    assert live.column("SELECT n FROM things ORDER BY n") == [n for n in range(120) if n != 118]


def test_parts_whose_last_documents_are_removed_before_they_are_read_are_complete(
    live: World, mongo: MongoDatabase
) -> None:
    mongo.write({"Things": things(200, 50_000)})
    with once_at("begin.after-commit", die), pytest.raises(KeyboardInterrupt):
        live.copy(MAPPING, workers=2)  # several workers make several parts
    interrupted(live, batches=1)
    parts = live.rows("SELECT done, batches FROM isthmus.partition ORDER BY number")
    assert parts == [(False, 1), *[(False, 0)] * (len(parts) - 1)]
    assert len(parts) > 1
    carried = live.column("SELECT n FROM things ORDER BY n")
    collection(mongo).delete_many({"_id": {"$nin": [oid(n) for n in carried]}})
    result = live.copy(MAPPING, workers=2, memory_bytes=2 << 20)
    balanced(result)
    assert (moved(result), result.exit_code) == ((0, 0, 0), 0)
    assert live.column("SELECT n FROM things ORDER BY n") == carried
    assert live.one("SELECT count(*) FROM isthmus.partition WHERE position <> end_position") == 1


def test_part_whose_documents_are_all_removed_before_it_begins_is_complete(live: World, mongo: MongoDatabase) -> None:
    mongo.write({"Things": things(200, 50_000)})
    # where the parts are cut is drawn from a sample, but never before the second document
    with once_at("begin.after-commit", lambda: collection(mongo).delete_many({"n": {"$gte": 1}})):
        result = live.copy(MAPPING, workers=2)
    balanced(result)
    assert live.column("SELECT n FROM things ORDER BY n") == [0]
    assert live.one("SELECT count(*) FROM isthmus.partition WHERE batches = 0") >= 1


def test_collection_that_was_dropped_before_a_resume_is_an_error_until_it_is_there_again(
    live: World, mongo: MongoDatabase
) -> None:
    mongo.write({"A": [{"_id": 1, "n": 1}], "B": [{"_id": 2, "n": 2}]})

    with once_at("copy.partition-done", die), pytest.raises(KeyboardInterrupt):
        live.copy(TWO, workers=1)
    collection(mongo, "A").drop()
    with pytest.raises(SourceError) as caught:
        live.copy(TWO)
    assert caught.value.code == "no-such-collection"
    assert "create it again, empty" in str(caught.value.problems[0].hint)
    mongo.client[mongo.name].create_collection("A")
    result = live.copy(TWO)
    balanced(result)
    assert (moved(result), result.exit_code) == ((0, 0, 1), 1)
    assert live.column("SELECT n FROM a") == [1]


def test_collection_that_came_into_being_meanwhile_is_told_and_refuses_no_resume(
    live: World, mongo: MongoDatabase
) -> None:
    mongo.write({"Things": things(120, 50_000)})
    interrupted(live)
    mongo.write({"Later": [{"_id": 1}]})
    result = live.copy(MAPPING)
    balanced(result)
    assert any("the collection Later" in note and "--fresh" in note for note in live.notes)
    with pytest.raises(MappingError) as caught:  # of a run that is complete what it left out is no remark
        live.copy(MAPPING)
    assert caught.value.code == "unnamed-collection"


def test_resume_goes_on_at_another_address_and_another_database_shows_at_the_end(
    live: World, mongo: MongoDatabase, own_mongo: WireServer
) -> None:
    mongo.write({"Things": things(120, 50_000)})
    interrupted(live)
    with own_mongo.client() as client:
        client[mongo.name]["Things"].insert_many(things(121, 50_000))
    from urllib.parse import quote

    elsewhere = replace(live, folder=cast("Any", database_url(own_mongo.url, quote(mongo.name, safe=""))))
    result = elsewhere.copy(MAPPING)
    balanced(result)
    assert (moved(result), result.exit_code) == ((0, 0, 0), 0), "the same documents: a member that took over"
    assert live.column("SELECT n FROM things ORDER BY n") == list(range(121))
    live.rows("UPDATE isthmus.run SET stage = 'copying', moved = NULL, balance = NULL")
    with own_mongo.client() as client:
        client[mongo.name]["Things"].update_many({}, {"$set": {"pad": "another"}})
    result = elsewhere.copy(MAPPING)
    assert (moved(result), result.exit_code) == ((0, 121, 0), 1)


def test_server_that_is_away_when_it_is_compared_ends_the_copy_resumable(live: World, own_mongo: WireServer) -> None:
    url = database_url(own_mongo.url, "shop").replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=500")
    write = {"A": [{"_id": n, "n": n} for n in range(40)], "B": [{"_id": 1, "n": 1}]}
    with own_mongo.client() as client:
        for name, documents in write.items():
            client["shop"][name].insert_many(documents)
    world = replace(live, folder=cast("Any", url))

    def kill(stage: str) -> None:
        if stage == "copy.partition-done" and world.one("SELECT bool_and(done) FROM isthmus.partition"):
            own_mongo.kill()

    with listening(kill):
        result = world.copy(TWO, workers=1, retry_seconds=1)
    assert (result.outcome, result.exit_code, result.moved) == ("failed", 3, None)
    assert {name: fault.code for name, fault in result.broken.items()} == {"A": "source-unreachable"}, "waited for once"
    assert world.column("SELECT stage FROM isthmus.run") == ["copying"]
    own_mongo.start()
    with own_mongo.client() as client:  # a killed wire server forgets what was written last
        client.drop_database("shop")
        client["shop"]["A"].insert_many(write["A"][1:])
        client["shop"]["B"].insert_many(write["B"])
    result = world.copy(TWO)
    balanced(result)
    assert (result.resumed, moved(result), result.exit_code) == (True, (0, 0, 1), 1)


def test_right_that_is_taken_away_before_the_comparison_is_no_success(live: World, own_mongo: WireServer) -> None:
    with own_mongo.client() as client:
        client["shop"]["Things"].insert_many(things(40))
    world = replace(live, folder=cast("Any", database_url(own_mongo.url, "shop")))
    refusing = own_mongo.failing(["find"], times=50, errorCode=13)
    with once_at("copy.partition-done", refusing.__enter__):
        result = world.copy(MAPPING, workers=1)
    refusing.__exit__(None, None, None)
    assert (result.outcome, result.exit_code, result.broken["Things"].code) == ("failed", 3, "source-right")
    balanced(world.copy(MAPPING))


UNIQUE = """
    isthmus: 1
    collections:
      Users:
        fields:
          email: text!
          friend: {column: friend_id, references: Users, on_orphan: "null"}
          tags: {child: user_tags, fields: {name: text!}}
          groups: {junction: users_to_groups}
        indexes: [{columns: [email], unique: true}]
      Groups: {fields: {name: text}}
      Posts: {fields: {user: {column: user_id, references: Users, required: true}}}
    junctions:
      users_to_groups: {user_id: Users, group_id: Groups}
"""
KEPT = (
    UNIQUE.replace("isthmus: 1", "isthmus: 1\n    ids: keep")
    .replace("email: text!", "_id: integer\n          email: text!")
    .replace("fields: {name: text}}", "fields: {_id: integer, name: text}}")
    .replace("fields: {user:", "fields: {_id: integer, user:")
)


def users(make: Callable[[int], Any]) -> list[dict[str, Any]]:
    """Return twelve users: of each two one email is the same, so the odd ones have to leave."""
    return [
        {
            "_id": make(number),
            "email": f"{number // 2}@x",
            "friend": make((number + 1) % 12),
            "tags": [{"name": "a"}, {"name": "b"}],
            "groups": [make(100), make(999)],
        }
        for number in range(12)
    ]


PAIRS = ["1@x", "2@x"]
CHANGES: dict[str, Writes] = {
    "removed": lambda c: c.delete_many({"email": {"$in": PAIRS}}),
    "changed": lambda c: c.update_many({"email": {"$in": PAIRS}}, {"$set": {"tags": [], "groups": []}}),
    "changed to what is refused": lambda c: c.update_many({"email": {"$in": PAIRS}}, {"$set": {"email": None}}),
    "all removed": lambda c: c.delete_many({}),
}


@pytest.mark.parametrize("when", ["copy.partition-done", "copy.complete"])
@pytest.mark.parametrize("kind", ["derived", "keep"])
@pytest.mark.parametrize("change", CHANGES)
def test_document_that_cannot_stay_and_is_gone_or_changed_leaves_with_a_letter_that_says_so(
    live: World, mongo: MongoDatabase, change: str, kind: str, when: str
) -> None:
    make: Callable[[int], Any] = oid if kind == "derived" else int
    mapping = UNIQUE if kind == "derived" else KEPT
    everybody = users(make)
    mongo.write(
        {
            "Users": everybody,
            "Groups": [{"_id": make(100), "name": "g"}],
            "Posts": [{"_id": make(200 + n), "user": make(n)} for n in range(12)],
        }
    )
    done = []

    def write(stage: str) -> None:
        done.append(stage)
        if stage == when and done.count(stage) == (3 if when == "copy.partition-done" else 1):
            CHANGES[change](collection(mongo, "Users"))

    with listening(write):
        result = live.copy(mapping, workers=1)
    balanced(result)
    assert result.exit_code == 1
    letters = live.letters("Users")
    assert len(letters) == 6, "one of each pair"
    assert live.one("SELECT count(*) FROM users") == 6
    assert live.one("SELECT count(*) FROM posts") == 6
    assert live.one("SELECT count(*) FROM user_tags") == 12
    hit = 6 if change == "all removed" else 2
    by_cause = sorted(tuple(cause["code"] for cause in letter.causes) for letter in letters)
    if "removed" in change:
        assert by_cause == sorted([("original-gone", "duplicate-key")] * hit + [("duplicate-key",)] * (6 - hit))
        assert sum(not letter.document for letter in letters) == hit
    else:
        assert by_cause == sorted([("duplicate-key", "original-changed")] * hit + [("duplicate-key",)] * (6 - hit))
        assert all(letter.document for letter in letters)
    if kind == "derived":
        assert all(letter.source_id is not None for letter in letters)
    assert live.copy(mapping).exit_code == 1  # the source is not what was carried


@pytest.mark.parametrize("fate", ["removed", "changed"])
def test_orphan_that_costs_a_document_which_is_gone_or_changed_is_accounted_for(
    live: World, mongo: MongoDatabase, fate: str
) -> None:
    mapping = """
        isthmus: 1
        collections:
          Users: {fields: {name: text}}
          Posts:
            fields:
              friend: {column: friend_id, references: Users, on_orphan: "null"}
              user: {column: user_id, references: Users, required: true}
    """
    # the friend is nobody and set to NULL before it shows that the user is nobody, too
    mongo.write(
        {
            "Users": [{"_id": oid(1), "name": "a"}],
            "Posts": [{"_id": oid(n), "friend": oid(3), "user": oid(1 if n < 15 else 2)} for n in range(10, 20)],
        }
    )

    def write() -> None:
        posts = collection(mongo, "Posts")
        if fate == "removed":
            posts.delete_one({"_id": oid(16)})
        else:  # it refers to somebody who is there now, which its row does not
            posts.update_one({"_id": oid(16)}, {"$set": {"user": oid(1)}})

    with once_at("copy.complete", write):
        result = live.copy(mapping, workers=1)
    balanced(result)
    assert live.one("SELECT count(*) FROM posts") == 5
    codes = live.codes("Posts")
    assert codes[str(oid(16))] == ("original-gone" if fate == "removed" else "orphan")
    assert sorted(codes.values()).count("orphan") == (4 if fate == "removed" else 5)
    assert result.balance is not None
    assert result.balance.references["posts.user_id"].refused == 5
    assert result.balance.references["posts.friend_id"].actions == {"null": 5}


@pytest.mark.parametrize("change", ["nothing", "one removed", "one changed", "both removed"])
def test_two_documents_of_one_id_that_moved_both_leave(live: World, mongo: MongoDatabase, change: str) -> None:
    mongo.write({"Things": [{"_id": str(oid(1)), "n": 1}, {"_id": oid(1), "n": 2}, {"_id": oid(3), "n": 3}]})
    found = collection(mongo)
    acts: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "one removed": lambda: found.delete_one({"_id": oid(1)}),
        "one changed": lambda: found.update_one({"_id": str(oid(1))}, {"$set": {"n": 5}}),
        "both removed": lambda: found.delete_many({"_id": {"$ne": oid(3)}}),
    }
    with once_at("copy.complete", acts[change]):
        result = live.copy(MAPPING, workers=1)
    balanced(result)
    letters = live.letters()
    assert {letter.causes[-1]["code"] for letter in letters} <= {"duplicate-id", "original-changed"}
    assert live.column("SELECT n FROM things ORDER BY n") == ([1, 3] if change == "nothing" else [3])
    assert len(letters) == (1 if change == "nothing" else 2)
    assert sum(not letter.document for letter in letters) == {"one removed": 1, "both removed": 2}.get(change, 0)


def test_document_that_left_for_its_id_does_not_leave_again_with_the_one_that_had_it(
    live: World, mongo: MongoDatabase
) -> None:
    mapping = """
        isthmus: 1
        collections:
          Users: {fields: {name: text}}
          Posts: {fields: {user: {column: user_id, references: Users, required: true}}}
    """
    mongo.write(
        {
            "Users": [{"_id": oid(1), "name": "a"}],
            "Posts": [{"_id": str(oid(9)), "user": oid(2)}, {"_id": oid(9), "user": oid(1)}],
        }
    )
    result = live.copy(mapping)
    balanced(result)
    assert live.codes("Posts") == {f'"{oid(9)}"': "orphan", str(oid(9)): "duplicate-id"}
    assert len(live.letters()) == 2
    assert live.one("SELECT count(*) FROM posts") == 0


def test_run_that_died_in_finish_and_whose_documents_went_meanwhile_goes_on(live: World, mongo: MongoDatabase) -> None:
    mapping = (
        "isthmus: 1\ncollections: {Users: {fields: {email: text!}, indexes: [{columns: [email], unique: true}]}}\n"
    )
    mongo.write({"Users": [{"_id": oid(n), "email": f"{n // 2}@x"} for n in range(12)]})

    with once_at("finish.duplicates-before-commit", die), pytest.raises(KeyboardInterrupt):
        live.copy(mapping, workers=1)
    collection(mongo, "Users").delete_many({"email": {"$ne": "3@x"}})
    result = live.copy(mapping)
    balanced(result)
    assert moved(result) == (0, 0, 0), "found at the end of the load; what is written later the next copy names"
    assert live.one("SELECT count(*) FROM users") == 6
    assert sorted(live.codes().values()) == ["duplicate-key", *["original-gone"] * 5]
    again = live.copy(mapping)
    assert again.changes is not None
    assert (again.changes.gone, again.exit_code) == (10, 1)


def test_state_of_an_older_version_says_nothing_of_what_moved(live: World, mongo: MongoDatabase) -> None:
    from isthmus.transfer.moving.moved import moved_of

    mongo.write({"Things": things(4)})
    balanced(live.copy(MAPPING))
    live.rows("ALTER TABLE isthmus.run DROP COLUMN moved")
    with psycopg.connect(live.conninfo) as connection:
        assert moved_of(connection, 1) is None
