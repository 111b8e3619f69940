"""A copy whose source server is killed, loses cursors, refuses or is written to while it works.

Oracle: the documents that were written to the server; each is a row, once, and the books balance.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from pymongo.collection import Collection

from isthmus.errors import SourceError
from isthmus.transfer.result import Result
from tests.fix_mongo import WireServer, database_url, needs_wire_server
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer, pad: text}}}\n"
COUNT = 250


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireServer]:
    """Return a server with documents on disk, for all tests here."""
    needs_wire_server()
    made = WireServer(tmp_path_factory.mktemp("mongo"), ("--enable-test-commands",))
    made.start()
    with made.client() as client:
        client["shop"]["Things"].insert_many([{"_id": oid(n), "n": n, "pad": "x" * 50_000} for n in range(COUNT)])
    made.stop()  # a killed wire server forgets what was written last
    made.start()
    yield made
    made.kill()


@pytest.fixture
def live(world: World, server: WireServer) -> World:
    """Return an empty target whose source is the server."""
    if not server.running:
        server.start()
    url = database_url(server.url, "shop").replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=1000")
    return replace(world, folder=cast("Any", url))


def assert_all_there(world: World) -> None:
    assert world.column("SELECT n FROM things ORDER BY 1") == list(range(COUNT))
    assert world.one("SELECT sum(length(pad)) FROM things") == COUNT * 50_000


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
def test_server_that_is_killed_again_and_again_is_waited_for(live: World, server: WireServer, times: int) -> None:
    instants = random.Random(times)
    waits: list[int] = sorted(instants.sample(range(1, 40), times))
    killed: list[int] = []
    restarts: list[threading.Thread] = []
    mutex = threading.Lock()
    commits = 0

    def kill(stage: str) -> None:
        nonlocal commits
        if stage != "copy.after-commit":
            return
        with mutex:
            commits += 1
            if waits and commits >= waits[0]:
                waits.pop(0)
                for thread in restarts:
                    thread.join()
                server.kill()
                killed.append(commits)
                restarts.append(threading.Thread(target=server.start))
                restarts[-1].start()

    with listening(kill):
        result = live.copy(MAPPING, workers=2, memory_bytes=2 << 20, retry_seconds=60)
    for thread in restarts:
        thread.join()
    balanced(result)
    assert result.exit_code == 0
    assert len(killed) == times
    assert_all_there(live)


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.soak)])
@pytest.mark.timeout(900)
def test_server_that_is_killed_at_random_instants_loses_nothing(
    live: World, server: WireServer, times: int, record_property: Any
) -> None:
    """Kills it while copies begin, read, compare and finish; whatever it hits, the same command goes on."""
    chance = random.Random(times)
    stage = "before the first stage"
    hits: list[str] = []
    copies = 0

    def note(reached: str) -> None:
        nonlocal stage
        stage = reached

    def kill_now_and_then(done: threading.Event) -> None:
        while len(hits) < times and not done.wait(chance.uniform(0.05, 0.8)):
            hits.append(stage)
            server.kill()
            done.wait(chance.uniform(0, 0.5))
            server.start()

    with listening(note):
        while len(hits) < times:
            copies += 1
            live.rows("DROP SCHEMA IF EXISTS isthmus CASCADE")
            live.rows("DROP TABLE IF EXISTS things")
            done = threading.Event()
            killer = threading.Thread(target=kill_now_and_then, args=(done,))
            killer.start()
            try:
                result = until_complete(live, server)
            finally:
                done.set()
                killer.join()
            balanced(result)
            assert (result.exit_code, bool(result.moved)) == (0, False)
            assert_all_there(live)
    record_property("killed", len(hits))
    record_property("copies", copies)
    record_property("behind", sorted(set(hits)))


def until_complete(world: World, server: WireServer) -> Result:
    """Give the same command again for as long as it stops because the server is away."""
    while True:
        try:
            result = world.copy(MAPPING, workers=2, memory_bytes=2 << 20, retry_seconds=60)
        except SourceError as fault:
            assert fault.code in {"source-unreachable", "source-interrupted"}  # noqa: PT017  what stops it may be only this
        else:
            assert result.outcome in {"complete", "failed"}
            if result.outcome == "complete":
                return result
            assert result.exit_code == 3
        while not server.running:
            time.sleep(0.05)


def test_server_that_stays_away_ends_the_copy_resumable(live: World, server: WireServer) -> None:
    def kill(stage: str) -> None:
        if stage == "copy.after-commit" and server.running and live.one("SELECT count(*) FROM things") > 20:
            server.kill()

    with listening(kill):
        result = live.copy(MAPPING, workers=1, memory_bytes=2 << 20, retry_seconds=1)
    assert (result.outcome, result.exit_code, result.broken["Things"].code) == ("failed", 3, "source-unreachable")
    assert 20 < live.one("SELECT count(*) FROM things") < COUNT
    with pytest.raises(SourceError):
        live.copy(MAPPING)
    server.start()
    result = live.copy(MAPPING)
    balanced(result)
    assert (result.resumed, result.exit_code) == (True, 0)
    assert_all_there(live)


LOST = {
    "cursor not found": {"errorCode": 43},
    "cursor killed": {"errorCode": 237},
    "session lost": {"errorCode": 206},
    "stepped down": {"errorCode": 10107},
    "connection cut": {"closeConnection": True},
}


@pytest.mark.parametrize("how", LOST.values(), ids=LOST.keys())
def test_cursors_and_connections_that_are_lost_on_the_way_lose_nothing(
    live: World, server: WireServer, how: dict[str, object]
) -> None:
    with server.failing(["getMore"], times=3, **how):
        result = live.copy(MAPPING, workers=2, memory_bytes=4 << 20, retry_seconds=60)
    balanced(result)
    assert_all_there(live)


@pytest.mark.parametrize("code", [20, 72, 246])
def test_snapshot_that_is_refused_is_told_and_everything_is_carried(live: World, server: WireServer, code: int) -> None:
    refusing = server.failing(["find"], times=1, errorCode=code)

    def refuse(stage: str) -> None:
        if stage == "begin.after-commit":
            refusing.__enter__()

    with listening(refuse):
        result = live.copy(MAPPING, workers=1)
    refusing.__exit__(None, None, None)
    balanced(result)
    assert result.exit_code == 0
    assert [note for note in live.notes if "no snapshot of Things" in note]
    assert_all_there(live)


@pytest.fixture
def busy(server: WireServer) -> Iterator[Collection[dict[str, Any]]]:
    """Return a collection of a database of its own that a test writes to."""
    with server.client() as client:
        client.drop_database("busy")
        client["busy"]["Things"].insert_many(
            [{"_id": oid(n), "n": n, "revision": 0, "pad": "x" * 20_000} for n in range(0, 2 * COUNT, 2)]
        )
        yield client["busy"]["Things"]
        client.drop_database("busy")


def test_collection_that_may_not_be_read_refuses_the_copy_before_anything_is_written(
    live: World, server: WireServer, busy: Collection[dict[str, Any]]
) -> None:
    busy.database["Accounts"].insert_one({"_id": 1})
    world = replace(live, folder=cast("Any", database_url(server.url, "busy")))
    mapping = "isthmus: 1\ncollections: {Accounts: {fields: {n: integer}}, Things: {fields: {n: integer}}}\n"
    refusing = server.failing(["find"], times=1, errorCode=13)  # the first look into the first collection
    with refusing, pytest.raises(SourceError) as caught:
        world.copy(mapping)
    assert (caught.value.code, caught.value.exit_code) == ("not-readable", 3)
    assert "Accounts may not be read by the user" in caught.value.problems[0].message
    assert not live.has_state()


REVISIONS = "isthmus: 1\ncollections: {Things: {fields: {n: integer, revision: integer, pad: text}}}\n"


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 21))])
def test_writes_that_go_on_are_told_and_rows_differ_from_the_source_by_just_these(
    live: World, server: WireServer, busy: Collection[dict[str, Any]], seed: int, record_property: Any
) -> None:
    """Oracle: the rows against the documents when the writer has ended, which it does before the comparison."""
    chance = random.Random(seed)
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.002):
            number = chance.randrange(2 * COUNT)
            match chance.randrange(4):
                case 0:
                    busy.replace_one({"_id": oid(number)}, {"n": number, "revision": 1, "pad": ""}, upsert=True)
                case 1:
                    busy.delete_one({"_id": oid(number)})
                case _:
                    busy.update_one({"_id": oid(number)}, {"$inc": {"revision": 1}})

    def end(stage: str) -> None:
        if stage == "copy.after-commit":
            time.sleep(0.02)  # so that much is written behind the reader's back
        if stage == "copy.partition-done":
            ended.set()
            writer.join()

    writer = threading.Thread(target=write)
    writer.start()
    url = database_url(server.url, "busy")
    try:
        with listening(end):
            result = replace(live, folder=cast("Any", url)).copy(REVISIONS, workers=1, memory_bytes=2 << 20)
    finally:
        ended.set()
        writer.join()
    balanced(result)
    rows = {n: (revision, pad) for n, revision, pad in live.rows("SELECT n, revision, pad FROM things")}
    there = {one["n"]: (one["revision"], one["pad"]) for one in busy.find()}
    changed = sum(rows[n] != there[n] for n in rows.keys() & there.keys())
    expected = len(there.keys() - rows.keys()), changed, len(rows.keys() - there.keys())
    assert result.moved is not None
    assert (result.moved.new, result.moved.changed, result.moved.gone) == expected
    assert sum(expected) > 1, "too few writes for a test"
    assert result.exit_code == 1
    record_property("moved", f"{expected[0]} new, {expected[1]} changed, {expected[2]} gone of {len(rows)}")
