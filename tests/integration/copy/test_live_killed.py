"""A copy whose source server is killed, loses cursors or is written to while it works.

Oracle: the documents that were written to the server; each is a row, once, and the books balance.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from isthmus.errors import SourceError
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


@pytest.mark.parametrize("how", [{"errorCode": 43}, {"errorCode": 10107}, {"closeConnection": True}], ids=str)
def test_cursors_and_connections_that_are_lost_on_the_way_lose_nothing(
    live: World, server: WireServer, how: dict[str, object]
) -> None:
    with server.failing(["getMore"], times=3, **how):
        result = live.copy(MAPPING, workers=2, memory_bytes=4 << 20, retry_seconds=60)
    balanced(result)
    assert_all_there(live)


def test_writes_that_go_on_are_never_called_a_success(live: World, server: WireServer) -> None:
    ended = threading.Event()

    def write() -> None:
        with server.client() as client:
            number = 0
            while not ended.wait(0.02) and number < 2000:
                number += 1
                client["shop"]["Things"].update_one({"_id": oid(number % COUNT)}, {"$inc": {"revision": 1}})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(SourceError, match="was written to") as caught:
            live.copy(MAPPING, workers=2, memory_bytes=2 << 20)
    finally:
        ended.set()
        writer.join()
    assert caught.value.code == "changed-under-us"
