"""A running server that takes cursors and sessions away, refuses, steps down, cuts connections or is killed.

Oracle: the documents that were written to it. None may be missing, none may come twice, and an error is never the end.
Cannot see: elections (the wire server is alone), real snapshots (it takes the read concern and pins nothing).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import bson
import pytest
from pymongo.collection import Collection

from isthmus.errors import SourceError
from isthmus.sources import open_source
from isthmus.sources.live import read as live_read
from isthmus.sources.live.source import LiveSource
from isthmus.sources.protocol import Block, Position
from tests.fix_mongo import WireServer, database_url, needs_wire_server

RAW = [bson.encode({"_id": number, "pad": "x" * 1000}) for number in range(1000)]
WHOLE = b"".join(RAW)
BLOCK_BYTES = 20_000


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireServer]:
    """Return a server with 1,000 documents on disk, for all tests here."""
    needs_wire_server()
    server = WireServer(tmp_path_factory.mktemp("mongo"), ("--enable-test-commands",))
    server.start()
    with server.client() as client:
        client["shop"]["Things"].insert_many([bson.decode(one) for one in RAW])
    server.stop()  # a killed wire server forgets what was written last
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(_filled: WireServer) -> WireServer:
    """Return the server, running."""
    if not _filled.running:
        _filled.start()
    return _filled


@pytest.fixture
def opened(server: WireServer) -> Iterator[Callable[[], LiveSource]]:
    """Return a function that opens the database, closed after the test."""
    made: list[LiveSource] = []

    def make() -> LiveSource:
        url = database_url(server.url, "shop").replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=1000")
        source = open_source(url)
        assert isinstance(source, LiveSource)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def reading(source: LiveSource, after: Position | None = None) -> Iterator[Block]:
    (partition,) = source.partitions("Things", 1)
    return source.read(partition, after=after, until=None, max_bytes=BLOCK_BYTES)


def joined(blocks: list[Block]) -> bytes:
    assert all(left.end == right.start for left, right in itertools.pairwise(blocks))
    return b"".join(block.data for block in blocks)


LOST = {"cursor not found": 43, "cursor killed": 237, "plan killed": 175, "no session": 206, "snapshot too old": 239}


@pytest.mark.parametrize("code", LOST.values(), ids=LOST.keys())
def test_lost_cursor_is_no_end_and_reading_goes_on_by_itself(
    server: WireServer, opened: Callable[[], LiveSource], code: int
) -> None:
    blocks = reading(opened())
    found = list(itertools.islice(blocks, 3))
    with server.failing(["getMore"], errorCode=code):
        found += blocks
    assert joined(found) == WHOLE


def test_cursor_that_an_operator_kills_is_no_end(
    server: WireServer, opened: Callable[[], LiveSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened()
    cursors: list[Any] = []
    find = Collection.find_raw_batches

    def noted(self: Collection[Any], *arguments: Any, **more: Any) -> Any:
        cursors.append(find(self, *arguments, **more))
        return cursors[-1]

    monkeypatch.setattr(Collection, "find_raw_batches", noted)
    blocks = reading(source)
    found = [next(blocks)]
    opened_so_far = len(cursors)
    with server.client() as client:
        killed = client["shop"].command("killCursors", "Things", cursors=[cursors[-1].cursor_id])
    assert killed["cursorsKilled"] == [cursors[-1].cursor_id]
    found += blocks
    assert joined(found) == WHOLE
    assert len(cursors) > opened_so_far


def test_cursors_that_are_lost_one_after_another_end_the_read_retryable(
    server: WireServer, opened: Callable[[], LiveSource]
) -> None:
    source = opened()
    blocks = reading(source)
    found = [next(blocks)]
    with server.failing(["getMore", "find"], times=50, errorCode=43), pytest.raises(SourceError) as caught:
        found += blocks
    assert (caught.value.code, caught.value.retryable) == ("source-interrupted", True)
    found += reading(source, after=found[-1].end)
    assert joined(found) == WHOLE


TROUBLE = {
    "stepped down": ({"errorCode": 10107}, "source-unreachable"),
    "shuts down": ({"errorCode": 91}, "source-unreachable"),
    "connection cut": ({"closeConnection": True}, "source-unreachable"),
    "interrupted": ({"errorCode": 11601}, "source-interrupted"),
    "took too long": ({"errorCode": 50}, "source-interrupted"),
}


@pytest.mark.parametrize(("how", "code"), TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_that_passes_is_told_as_such_and_what_was_read_stays_read(
    server: WireServer, opened: Callable[[], LiveSource], how: dict[str, object], code: str
) -> None:
    source = opened()
    blocks = reading(source)
    found = list(itertools.islice(blocks, 2))
    with server.failing(["getMore"], times=5, **how), pytest.raises(SourceError) as caught:
        found += blocks
    assert (caught.value.code, caught.value.retryable, caught.value.exit_code) == (code, True, 3)
    assert 0 < len(joined(found)) < len(WHOLE)
    found += reading(source, after=found[-1].end)
    assert joined(found) == WHOLE


@pytest.mark.parametrize(("number", "code"), [(13, "source-right"), (8, "source-refuses"), (18, "source-login")])
def test_refusal_in_the_middle_does_not_pass(
    server: WireServer, opened: Callable[[], LiveSource], number: int, code: str
) -> None:
    blocks = reading(opened())
    next(blocks)
    with server.failing(["getMore"], errorCode=number), pytest.raises(SourceError) as caught:
        list(blocks)
    assert (caught.value.code, caught.value.retryable) == (code, False)
    assert caught.value.where.collection == "Things"


@pytest.mark.parametrize("code", [20, 72, 246])
def test_snapshot_that_is_refused_becomes_majority_and_is_told_once(
    server: WireServer, opened: Callable[[], LiveSource], code: int
) -> None:
    source = opened()
    notes: list[str] = []
    source.tell(notes.append)
    with server.failing(["find"], errorCode=code):
        assert joined(list(reading(source))) == WHOLE
    assert joined(list(reading(source))) == WHOLE
    assert [("no snapshot of Things" in note, "majority" in note) for note in notes] == [(True, True)]


def test_sample_that_is_refused_makes_one_partition(server: WireServer, opened: Callable[[], LiveSource]) -> None:
    source = opened()
    assert len(source.partitions("Things", 4)) == 4
    with server.failing(["aggregate"], errorCode=13):
        assert len(source.partitions("Things", 4)) == 1
    with server.failing(["aggregate"], times=5, errorCode=11601), pytest.raises(SourceError) as caught:
        source.partitions("Things", 4)
    assert caught.value.retryable


def test_session_that_idled_is_not_used_again(
    server: WireServer, opened: Callable[[], LiveSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_read, "_IDLE_SECONDS", 0.0)
    with server.failing(["getMore"], times=1000, errorCode=13):  # no cursor is asked a second time
        assert joined(list(reading(opened()))) == WHOLE


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_server_that_is_killed_and_comes_back_loses_nothing(
    server: WireServer, opened: Callable[[], LiveSource], times: int
) -> None:
    source = opened()
    instants = random.Random(times)
    found: list[Block] = []
    for _ in range(times):
        blocks = reading(source, after=found[-1].end if found else None)
        found += itertools.islice(blocks, instants.choice([0, 1, 1, 2]) if times > 10 else 2)
        server.kill()
        with pytest.raises(SourceError) as caught:
            list(blocks)
        assert (caught.value.code, caught.value.retryable) == ("source-unreachable", True)
        server.start()
    assert len(joined(found)) < len(WHOLE)
    found += reading(source, after=found[-1].end)
    assert joined(found) == WHOLE
