"""Servers that fail while references are rewritten: it waits, looks at what was written, and comes to the same end.

Cannot see: elections of a replica set, writes that a new primary rolls back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from isthmus.errors import SourceError, TargetError
from tests.fix_mongo import MongoDatabase, WireServer, database_url
from tests.integration.copy.carrying import listening
from tests.integration.polyglot.rewriting import POSTS, REFS, USERS, Rewriting, people, posts, totals


@pytest.fixture
def world(own_mongo: WireServer, database: str) -> Iterator[Rewriting]:
    """Return planted documents that are copied, on a server that can be made to fail."""
    with own_mongo.client() as client:
        made = Rewriting(MongoDatabase("app", database_url(own_mongo.url, "app"), client), database)
        made.plant({USERS: people(), POSTS: posts()})
        made.copy()
        yield made


@pytest.mark.parametrize(
    ("commands", "how"),
    [
        (["update"], {"closeConnection": True}),
        pytest.param(["update"], {"errorCode": 189}, marks=pytest.mark.soak),
        (["update"], {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}),
    ],
)
def test_trouble_of_the_source_is_waited_for(
    world: Rewriting, own_mongo: WireServer, commands: list[str], how: dict[str, Any]
) -> None:
    with own_mongo.failing(commands, times=3, **how):
        result = world.rewrite()
    assert totals(result) == {"changed": REFS}
    assert world.there() == world.expected()
    with own_mongo.failing(commands, times=3, **how):
        world.rewrite(undo=True)
    assert world.there() == world.planted()
    assert {line[6] for line in world.log()} == {"undone"}


def test_reading_that_breaks_off_goes_on_behind_the_checkpoint(world: Rewriting, own_mongo: WireServer) -> None:
    with ExitStack() as stack:

        def listen(reached: str) -> None:
            if reached == "rewrite.checkpoint" and not broken:
                broken.append(stack.enter_context(own_mongo.failing(["find"], times=3, errorCode=11600)))

        broken: list[None] = []
        stack.enter_context(listening(listen))
        result = world.rewrite()
    assert broken
    assert totals(result) == {"changed": REFS}
    assert result.documents == {USERS: 12, POSTS: 5}
    assert world.there() == world.expected()


def test_a_user_who_may_not_write_is_told_the_right_that_is_missing(world: Rewriting, own_mongo: WireServer) -> None:
    with own_mongo.failing(["update"], times=9, errorCode=13), pytest.raises(SourceError) as caught:
        world.rewrite()
    assert (caught.value.code, "readWrite" in (caught.value.hint or "")) == ("source-right", True)
    assert world.there() == world.planted()
    assert totals(world.rewrite()) == {"changed": REFS}


@pytest.mark.parametrize(
    "stage",
    [
        "updated",
        "before-commit",
        pytest.param("planned", marks=pytest.mark.soak),
        pytest.param("checkpoint", marks=pytest.mark.soak),
    ],
)
def test_a_connection_to_the_target_that_is_cut_is_made_anew(world: Rewriting, stage: str) -> None:
    cut: list[str] = []

    def listen(reached: str) -> None:
        if reached == f"rewrite.{stage}" and not cut:
            cut.append(reached)
            with psycopg.connect(world.target, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )

    with listening(listen):
        result = world.rewrite()
    assert cut
    assert totals(result) == {"changed": REFS}
    assert (result.exit_code, result.resumed) == (0, False)
    assert world.there() == world.expected()


def test_one_that_lost_its_lease_writes_no_more(world: Rewriting) -> None:
    def listen(reached: str) -> None:
        if reached == "rewrite.updated":
            world.do("UPDATE isthmus.run SET lease_token = gen_random_uuid()")

    with listening(listen), pytest.raises(TargetError) as caught:
        world.rewrite()
    assert caught.value.code == "lease-lost"
    assert totals(world.rewrite()) == {"changed": REFS}
    assert world.there() == world.expected()
