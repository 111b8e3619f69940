"""A server that is lost at awkward moments of a copy: twice in one batch, again long after, right behind the end.

Oracle: the books, and what the target holds. Whole sessions with a server in trouble stand in tests/chaos.
"""

from __future__ import annotations

import dataclasses
import time

import psycopg
import pytest
from bson import encode

from tests.chaos.proxy import Proxy
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer, pad: text}}}\n"


def test_late_commit_and_another_loss_inside_the_next_try_keep_the_books(world: World) -> None:
    """The first COMMIT is not to be seen when its batch is sent again, and the second try ends before it is counted."""
    world.write({"Things": b"".join(encode({"_id": oid(n), "n": n, "pad": "x" * 50_000}) for n in range(90))})
    seen: list[str] = []

    def disturb(stage: str) -> None:
        seen.append(stage)
        if stage == "copy.before-commit" and seen.count(stage) == 2:
            proxy.cut_next("late-commit")
        if stage == "copy.within-table" and proxy.cuts == 1:
            proxy.let_go()
            ends_at = time.monotonic() + 20
            while world.one("SELECT count(*) FROM isthmus.batch") < 2:
                assert time.monotonic() < ends_at, "the withheld COMMIT did not go through"
                time.sleep(0.01)
            proxy.cut_next("within-copy")

    with Proxy(world.conninfo) as proxy, listening(disturb):
        through = dataclasses.replace(world, conninfo=proxy.conninfo(world.conninfo))
        result = through.copy(MAPPING, workers=1, memory_bytes=2 << 20)
        assert proxy.cuts == 2
    balanced(result)
    assert result.balance is not None
    assert result.balance.collections["Things"].read == 90
    assert world.column("SELECT n FROM things ORDER BY 1") == list(range(90))
    assert world.one("SELECT sum(documents) FROM isthmus.batch") == 90


def end_workers(world: World) -> None:
    """End the sessions of the copy that work, not the one that holds the lease."""
    world.rows(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'isthmus'"
    )


def test_second_loss_of_a_step_long_after_the_first_is_waited_for(world: World) -> None:
    world.write({"Things": [{"_id": oid(n), "n": n} for n in range(20)]})
    seen: list[str] = []

    def disturb(stage: str) -> None:
        if stage == "copy.complete-before-commit":
            seen.append(stage)
            if len(seen) == 2:
                time.sleep(1.2)
            if len(seen) < 3:
                end_workers(world)

    with listening(disturb):
        balanced(world.copy(MAPPING, retry_seconds=1.0))
    assert len(seen) == 3
    assert sum("Trying again" in note for note in world.notes) == 2, world.notes


@pytest.mark.parametrize("value", [1, "no number"], ids=["all carried", "a dead letter"])
def test_copy_that_loses_the_server_behind_its_end_still_shows_what_it_came_to(world: World, value: object) -> None:
    world.write({"Things": [{"_id": oid(1), "n": value}, {"_id": oid(2), "n": 2}]})
    lost: list[str] = []

    def lose(stage: str) -> None:
        if stage == "complete.after-commit":
            lost.append(stage)
            raise psycopg.OperationalError("the connection is lost")

    with listening(lose):
        result = world.copy(MAPPING)
    assert len(lost) == 1
    balanced(result)
    assert (result.repeated, result.told, result.changes) == (False, False, None)
    assert result.exit_code == (0 if value == 1 else 1)
    again = world.copy(MAPPING)
    assert (again.repeated, again.told, again.exit_code) == (True, True, 0)
