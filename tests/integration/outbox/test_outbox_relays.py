"""Relays that run while applications write: woken, several at once, MongoDB or PostgreSQL away, stopped.

Oracle: counters that a second application of an event would show, and the order of what each event appends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from isthmus.connect.embedded import EmbeddedServer
from isthmus.polyglot.outbox import delete, enqueue, insert, put, update
from isthmus.state.up_to_date import bring_up_to_date
from tests.fix_mongo import MongoDatabase, WireServer
from tests.fix_postgres import create_database, start_server
from tests.integration.copy.carrying import listening
from tests.integration.outbox.world import PEOPLE, World


def wait_until(what: Callable[[], Any], seconds: float = 30.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up_at, "it did not come to that"
        time.sleep(0.02)


def count(number: int) -> Any:
    return update(PEOPLE, number, increment={"n": 1}, create=True)


def test_relay_that_listens_is_woken_and_one_that_looks_finds_it_as_well(world: World) -> None:
    with world.relaying(poll_seconds=600.0):
        time.sleep(0.3)
        world.enqueue(count(1))
        wait_until(lambda: world.there() == {1: {"n": 1}}, 5.0)
    with world.relaying(poll_seconds=0.1, conninfo=world.conninfo):
        world.enqueue(count(1))
        wait_until(lambda: world.there() == {1: {"n": 2}}, 5.0)


def test_listener_that_was_cut_comes_back(world: World) -> None:
    with world.relaying(poll_seconds=0.5):
        time.sleep(0.3)
        world.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'isthmus outbox' AND datname = current_database()"
        )
        world.enqueue(count(1))
        wait_until(lambda: world.there() == {1: {"n": 1}}, 10.0)
    assert world.status().outcome == "clear"


def test_event_that_was_refused_is_tried_again_in_time_without_being_woken(world: World) -> None:
    world.enqueue(update(PEOPLE, 1, set={"x": 1}))
    with world.relaying(poll_seconds=600.0):
        wait_until(lambda: world.status().troubled)
        world.documents[PEOPLE].insert_one({"_id": 1})
        wait_until(lambda: world.there() == {1: {"x": 1}}, 10.0)


def test_two_relays_share_the_keys_and_apply_each_event_once_in_order(world: World) -> None:
    world.enqueue(*(count(n % 30) for n in range(300)))
    with world.relaying() as one, world.relaying() as other:
        for n in range(60):
            world.enqueue(count(n % 30), update(PEOPLE, n % 30, set={"last": n}))
        wait_until(lambda: not world.open_events())
    assert world.there() == {n: {"n": 12, "last": 30 + n} for n in range(30)}
    assert one.done.applied + other.done.applied == 420


def test_key_that_a_relay_holds_is_left_alone_and_who_enqueues_does_not_wait(world: World) -> None:
    """While one relay stands between the write and the mark, another goes on with other keys only."""
    stands, go_on = threading.Event(), threading.Event()
    world.enqueue(count(1))

    def stand(stage: str) -> None:
        if stage == "outbox.written" and not stands.is_set():
            stands.set()
            assert go_on.wait(30)

    with listening(stand), world.relaying() as first:
        assert stands.wait(10)
        began = time.monotonic()
        world.enqueue(count(1), count(2))
        assert time.monotonic() - began < 5.0
        with world.relaying() as second:
            wait_until(lambda: second.done.applied == 1)
            assert world.there() == {1: {"n": 1}, 2: {"n": 1}}
            go_on.set()
            wait_until(lambda: not world.open_events())
    assert first.done.applied + second.done.applied == 3
    assert world.there() == {1: {"n": 2}, 2: {"n": 1}}


def test_mongodb_that_stops_under_load_is_waited_for_and_nothing_is_parked(
    own_world: World, own_mongo: WireServer
) -> None:
    world = own_world
    with world.relaying():
        world.enqueue(*(count(n) for n in range(20)))
        wait_until(lambda: not world.open_events())
        own_mongo.kill()
        for n in range(60):
            world.enqueue(count(n % 20))
        time.sleep(1.0)
        found = world.status()
        assert (found.outcome, found.lag_events, found.troubled) == ("behind", 60, ())
        assert found.lag_seconds > 0.5
        own_mongo.start()
        wait_until(lambda: not world.open_events(), 60.0)
    assert world.there() == {n: {"n": 4} for n in range(20)}
    assert world.status().outcome == "clear"


@pytest.mark.parametrize(
    "how",
    [
        {"closeConnection": True},
        {"errorCode": 189},
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
    ],
    ids=["lost", "stepdown", "not-replicated"],
)
def test_write_whose_outcome_is_unknown_counts_against_no_event(
    own_world: World, own_mongo: WireServer, how: dict[str, Any]
) -> None:
    own_world.enqueue(count(1), insert(PEOPLE, 2, {}), put(PEOPLE, 3, {}), delete(PEOPLE, 4))
    with own_mongo.failing(["update", "insert", "delete"], times=6, **how):
        done = own_world.drain()
    assert (done.applied, done.refused) == (4, 0)
    assert own_world.there() == {1: {"n": 1}, 2: {}, 3: {}}


def test_connection_that_is_cut_between_the_write_and_its_commit(world: World) -> None:
    """The write is done and the transaction is undone: the same relay recognises it."""
    cut: list[int] = []

    def cut_once(stage: str) -> None:
        if stage == "outbox.written" and len(cut) < 2:
            cut.append(1)
            world.do(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'isthmus outbox' AND state = 'idle in transaction'"
            )

    world.enqueue(count(1), insert(PEOPLE, 2, {"n": 1}), put(PEOPLE, 3, {"n": 1}), delete(PEOPLE, 4), count(1))
    with listening(cut_once):
        assert world.drain().applied == 5
    assert world.there() == {1: {"n": 2}, 2: {"n": 1}, 3: {"n": 1}}


def test_relay_that_begins_while_mongodb_is_away_waits_for_it(
    own_world: World, own_mongo: WireServer, tmp_path: Path
) -> None:
    own_mongo.kill()
    own_world.enqueue(count(1))
    with own_world.relays(tmp_path).begin() as session:
        time.sleep(1.5)
        assert session.process.poll() is None
        own_mongo.start()
        wait_until(lambda: not own_world.open_events())
        session.process.terminate()
        ended = session.ended(30)
    assert ended.code == 0, ended.text
    assert "Waiting for" in ended.words
    assert own_world.there() == {1: {"n": 1}}


def test_postgresql_that_goes_away_is_waited_for(
    own_server: EmbeddedServer, short_path: Path, mongo: MongoDatabase
) -> None:
    conninfo = create_database(own_server.conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        bring_up_to_date(connection)
    world = World(conninfo, mongo.url, mongo.client[mongo.name])
    with world.relaying(poll_seconds=0.2) as relay:
        world.enqueue(count(1))
        wait_until(lambda: relay.done.applied == 1)
        own_server.close()
        time.sleep(0.5)
        again = start_server(short_path, port=str(conninfo_to_dict(conninfo)["port"]))
        try:
            world.enqueue(count(1))
            wait_until(lambda: relay.done.applied == 2)
        finally:
            again.close()
    assert world.there() == {1: {"n": 2}}


def test_transactions_that_overlap_a_relay_are_all_seen(world: World) -> None:
    """A transaction with a lower number that commits later is not passed over."""
    with psycopg.connect(world.conninfo) as slow:
        (early,) = enqueue(slow, count(1))
        (late,) = world.enqueue(count(2))
        assert early < late
        assert world.drain().applied == 1
        slow.commit()
    assert world.drain().applied == 1
    assert world.there() == {1: {"n": 1}, 2: {"n": 1}}


def test_server_that_answers_and_takes_no_writes_is_told_once(
    own_world: World, own_mongo: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_world.enqueue(count(1))
    with own_mongo.failing(["update"], times=8, errorCode=14031):
        assert own_world.drain().applied == 1
    told = [one.getMessage() for one in caplog.records if "MongoDB is" in one.getMessage()]
    assert [" ".join(one.split()[:3]) for one in told] == ["MongoDB is in", "MongoDB is well"]
