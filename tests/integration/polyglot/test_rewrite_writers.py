"""Rewrites beside writers: what others change between the reading and the update is neither lost nor overwritten.

Writers write at the instant at which the plan is committed and the update is not sent, which is when it hurts most.
Oracle: what the tests write. Cannot see: writers on other members of a replica set.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson import ObjectId

from isthmus.polyglot.rewrite import live
from tests.integration.copy.carrying import listening, oid
from tests.integration.polyglot.rewriting import Ref, Rewriting, copied, totals

MAPPING = """
isthmus: 1
ids: cuid2
collections:
  users: {fields: {name: text}}
  posts:
    fields:
      title: text
      by: {references: users}
      fans: {references: users, type: "text[]"}
      notes: {type: jsonb, rewrite: {"[].by": users}}
"""


def planted() -> dict[str, list[dict[str, Any]]]:
    """Return templates of nine users and three posts."""
    return {
        "users": [{"_id": oid(n), "name": f"u{n}"} for n in range(1, 10)],
        "posts": [
            {
                "_id": n,
                "title": f"post {n}",
                "by": Ref("u1"),
                "fans": [Ref("u2"), Ref("u3", str), Ref("u4")],
                "notes": [{"by": Ref("u5"), "n": 1}, {"n": 2}],
            }
            for n in (1, 2, 3)
        ],
    }


@pytest.fixture(scope="module")
def _copied(mongo_server: str, postgres: str) -> Iterator[Rewriting]:
    with copied(mongo_server, postgres, planted(), MAPPING) as made:
        yield made


@pytest.fixture
def world(_copied: Rewriting) -> Rewriting:
    """Return nine users and three posts that are copied."""
    _copied.begin_anew(planted(), MAPPING)
    return _copied


@contextmanager
def meanwhile(world: Rewriting, *writes: Callable[[], Any]) -> Iterator[list[str]]:
    """Write when a plan is committed: the first time the first write, and so on; the last one every time after."""
    told: list[str] = []

    def listen(stage: str) -> None:
        if stage == "rewrite.planned":
            writes[min(len(told), len(writes) - 1)]()
            told.append(stage)

    with listening(listen):
        yield told
    assert told


def nothing() -> None:
    """Write nothing."""


def user(world: Rewriting, number: int) -> str:
    """Return the id of a user's row."""
    return str(world.do("SELECT id FROM users WHERE name = %s", f"u{number}")[0][0])


def post(world: Rewriting, by: int = 1, fans: tuple[int, ...] = (2, 3, 4), notes: tuple[int, ...] = (5,)) -> Any:
    """Return what is left of a rewritten post: its references."""
    return user(world, by), [user(world, n) for n in fans], [user(world, n) for n in notes]


def there(world: Rewriting, number: int) -> Any:
    """Return the references of a post as they are."""
    found = world.one("posts", number)
    return found["by"], found["fans"], [note["by"] for note in found["notes"] if "by" in note]


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"set": {"by": oid(9)}}, {"by": 9}),
        ({"set": {"title": "another"}}, {}),
        ({"push": {"fans": {"$each": [oid(9)], "$position": 0}}}, {"fans": (9, 2, 3, 4)}),
        ({"pull": {"fans": oid(2)}}, {"fans": (3, 4)}),
        ({"pop": {"fans": -1}}, {"fans": (3, 4)}),
        ({"push": {"notes": {"$each": [{"by": oid(9)}], "$position": 0}}}, {"notes": (9, 5)}),
        ({"set": {"fans": [oid(4), oid(3), oid(2)]}}, {"fans": (4, 3, 2)}),
        ({"set": {"fans": []}}, {"fans": ()}),
        ({"set": {"notes": {"0": {"by": oid(5)}}}}, None),
    ],
)
def test_what_is_written_between_reading_and_update_is_kept_and_rewritten(
    world: Rewriting, update: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    with meanwhile(world, lambda: world.set("posts", 2, **update), nothing):
        result = world.rewrite()
    assert result.exit_code == 0
    assert there(world, 1) == there(world, 3) == post(world)
    if expected is None:
        assert world.one("posts", 2)["notes"] == {"0": {"by": oid(5)}}
    else:
        assert there(world, 2) == post(world, **expected)
    assert world.one("posts", 2)["title"] == ("another" if "title" in str(update) else "post 2")
    assert {line[6] for line in world.log()} == {"done"}


def test_a_value_that_became_an_array_with_it_is_rewritten_as_one(world: Rewriting) -> None:
    """A plain query `{by: old}` would take the array, and the update would put one text in its place."""
    with meanwhile(world, lambda: world.set("posts", 2, set={"by": [oid(1), oid(7)]}), nothing):
        world.rewrite()
    assert world.one("posts", 2)["by"] == [user(world, 1), user(world, 7)]


def test_an_array_whose_elements_have_a_field_called_as_a_position_is_not_taken_for_it(world: Rewriting) -> None:
    """A plain query `{fans.2: old}` would take the third element, and the update would put a text in its place."""
    fans = [oid(2), str(oid(3)), {"2": oid(4)}]
    with meanwhile(world, lambda: world.set("posts", 2, set={"fans": fans}), nothing):
        world.rewrite()
    assert world.one("posts", 2)["fans"] == [user(world, 2), user(world, 3), {"2": oid(4)}]
    assert there(world, 1) == post(world)


def test_an_element_that_gets_a_field_called_as_a_position_is_not_taken_for_it(world: Rewriting) -> None:
    notes = [{"n": 2}, {"0": {"by": oid(5)}, "n": 1}]
    with meanwhile(world, lambda: world.set("posts", 2, set={"notes": notes}), nothing):
        world.rewrite()
    assert world.one("posts", 2)["notes"] == notes
    assert there(world, 3) == post(world)


def test_a_document_that_is_deleted_meanwhile_is_no_trouble(world: Rewriting) -> None:
    posts = world.mongo.client[world.mongo.name]["posts"]
    with meanwhile(world, lambda: posts.delete_one({"_id": 2}), nothing):
        result = world.rewrite()
    assert (result.exit_code, totals(result)) == (0, {"changed": 10})
    assert posts.count_documents({}) == 2


def test_what_a_writer_rewrote_itself_is_left(world: Rewriting) -> None:
    ids = {"by": user(world, 1), "fans": [user(world, n) for n in (2, 3, 4)]}
    with meanwhile(world, lambda: world.set("posts", 2, set=ids), nothing):
        result = world.rewrite()
    assert totals(result) == {"changed": 11, "canonical": 4}
    assert there(world, 2) == post(world)


def test_a_document_that_changes_each_time_is_listed_and_found_by_the_next_run(world: Rewriting) -> None:
    numbers = iter(range(100))

    def write() -> None:
        world.set("posts", 2, set={"by": oid(2 + next(numbers) % 8)})

    with meanwhile(world, write) as told:
        result = world.rewrite()
    assert len(told) == live.MOST_TRIES
    assert totals(result) == {"changed": 10, "moved": 5}
    assert result.exit_code == 1
    assert {one.outcome for one in result.listed if one.source_id == result.listed[-1].source_id} >= {"moved"}
    assert type(world.one("posts", 2)["by"]) is ObjectId
    result = world.rewrite()
    assert (result.exit_code, totals(result)) == (0, {"changed": 5, "canonical": 10})
    assert there(world, 2)[1:] == post(world)[1:]
    assert {line[6] for line in world.log()} == {"done"}


def test_documents_written_behind_the_reader_are_found_by_the_next_run(world: Rewriting) -> None:
    posts = world.mongo.client[world.mongo.name]["posts"]

    def listen(stage: str) -> None:
        if stage == "rewrite.checkpoint" and posts.count_documents({"_id": 0}) == 0:
            posts.insert_one({"_id": 0, "by": oid(1)})

    with listening(listen):
        world.rewrite()
    assert totals(world.rewrite()) == {"changed": 1, "canonical": 15}


@pytest.mark.timeout(120)
def test_nothing_that_busy_writers_write_is_lost(world: Rewriting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "DOCUMENTS", 20)
    posts = world.mongo.client[world.mongo.name]["posts"]
    count = 120
    posts.insert_many([{"_id": n, "by": oid(1 + n % 9), "fans": [oid(2)], "n": 0} for n in range(10, 10 + count)])
    ended = threading.Event()
    written: dict[int, list[int]] = {}

    def write(first: int) -> None:
        while not ended.is_set():
            for n in range(first, 10 + count, 7):
                number = 3 + len(written.setdefault(n, [])) % 6
                posts.update_one(
                    {"_id": n}, {"$push": {"fans": {"$each": [oid(number)], "$position": 0}}, "$inc": {"n": 1}}
                )
                written[n].append(number)
                if ended.wait(0.002):
                    return

    threads = [threading.Thread(target=write, args=(first,)) for first in (10, 13)]
    for thread in threads:
        thread.start()
    try:
        world.rewrite()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert world.rewrite().exit_code == 0
    names = {user(world, n): n for n in range(1, 10)}
    for n in range(10, 10 + count):
        found = world.one("posts", n)
        assert names[found["by"]] == 1 + n % 9
        assert [names[fan] for fan in found["fans"]] == [*reversed(written.get(n, [])), 2]
        assert found["n"] == len(written.get(n, []))
    assert sum(map(len, written.values())) > 20
    assert totals(world.rewrite(undo=True)).keys() == {"restored"}
    old = {oid(n): n for n in range(1, 10)}
    for n in range(10, 10 + count):
        found = world.one("posts", n)
        assert [old.get(fan) or names[fan] for fan in found["fans"]] == [*reversed(written.get(n, [])), 2]
        assert old[found["by"]] == 1 + n % 9
