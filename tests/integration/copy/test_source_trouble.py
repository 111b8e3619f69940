"""Sources that lie about where documents begin, fail for a moment, or hold a document once more."""

from __future__ import annotations

import errno
import os
import threading

import bson
import pytest

from isthmus.errors import InternalError, SourceError
from isthmus.sources import open_source
from isthmus.sources.dump import source as dump
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = """
    isthmus: 1
    collections:
      Things: {fields: {n: integer, data: bytea}}
"""
SIZE = 100_000


def thing(number: int, payload: bytes = b"\xff" * SIZE) -> bytes:
    return bson.encode({"_id": oid(number), "n": number, "data": payload})


def test_lying_length_that_leads_into_a_document_makes_no_part_begin_there(world: World) -> None:
    # 5000 looks like a length, and no document of that length begins there, nor does the liar end there
    bait = b"\xff" * 500 + (5000).to_bytes(4, "little")
    documents = [thing(n, bait + b"\xff" * SIZE if n == 60 else b"\xff" * SIZE) for n in range(100)]
    whole = b"".join(documents)
    liar, place = sum(map(len, documents[:30])), whole.index(bait) + len(bait) - 4
    files = world.write({"Things": whole})
    files["Things"].write_bytes(whole[:liar] + (place - liar).to_bytes(4, "little") + whole[liar + 4 :])
    source = open_source(str(world.folder))
    assert len(source.partitions("Things", 2)) == 1
    source.close()
    result = world.copy(MAPPING, workers=2)
    assert (result.exit_code, list(result.broken)) == (3, ["Things"])
    files["Things"].write_bytes(whole)
    assert len(open_source(str(world.folder)).partitions("Things", 2)) == 2


def test_document_that_stands_once_more_in_a_finished_source_is_named(world: World) -> None:
    documents = [thing(n, b"x") for n in range(20)]
    files = world.write({"Things": documents})
    balanced(world.copy(MAPPING))
    files["Things"].write_bytes(b"".join([*documents, documents[3], documents[3]]))
    again = world.copy(MAPPING)
    assert again.changes is not None
    assert (again.changes.new, again.changes.changed, again.changes.gone) == (2, 0, 0)
    assert again.changes.named == {"Things": [str(oid(3))]}
    assert again.exit_code == 1


def test_document_of_a_pair_that_is_gone_from_a_finished_source_is_counted(world: World) -> None:
    documents = [thing(n, b"x") for n in range(20)]
    files = world.write({"Things": [*documents, documents[3]]})
    world.copy(MAPPING)
    files["Things"].write_bytes(b"".join(documents))
    again = world.copy(MAPPING)
    assert again.changes is not None
    assert (again.changes.new, again.changes.changed, again.changes.gone) == (0, 0, 1)


class FailingReads:
    """`os.pread` on a disk that fails for a number of reads, from the first one behind an offset on."""

    def __init__(self, behind: int, times: int) -> None:
        self.behind, self.times, self.failed = behind, times, 0
        self._read, self._mutex = os.pread, threading.Lock()

    def __call__(self, descriptor: int, size: int, offset: int) -> bytes:
        with self._mutex:
            if offset >= self.behind and self.failed < self.times:
                self.failed += 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._read(descriptor, size, offset)


def test_disk_that_fails_for_a_moment_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [thing(n) for n in range(60)]
    world.write({"Things": documents})
    disk = FailingReads(3_000_000, 3)
    monkeypatch.setattr(dump.os, "pread", disk)
    balanced(world.copy(MAPPING, workers=1, memory_bytes=8 << 20))
    assert disk.failed == 3
    assert any("Trying again" in note for note in world.notes), world.notes
    assert world.column("SELECT n FROM things ORDER BY 1") == list(range(60))


def test_disk_that_goes_on_failing_ends_the_collection_resumable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [thing(n) for n in range(60)]
    world.write({"Things": documents})
    with monkeypatch.context() as patch:
        patch.setattr(dump.os, "pread", FailingReads(3_000_000, 1_000_000))
        result = world.copy(MAPPING, workers=1, memory_bytes=8 << 20, retry_seconds=0.3)
    assert (result.exit_code, result.broken["Things"].code) == (3, "unreadable")
    assert 0 < world.one("SELECT count(*) FROM things") < 60
    balanced(world.copy(MAPPING))


@pytest.mark.parametrize("when", ["planning", "resuming", "comparing"])
def test_disk_that_fails_for_a_moment_is_waited_for_also_when_nothing_is_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    documents = [thing(n) for n in range(90)]
    files = world.write({"Things": documents})

    def stop(stage: str) -> None:
        if stage == "copy.partition-before-commit":
            raise InternalError("On purpose.", code="on-purpose")

    if when == "resuming":
        with listening(stop), pytest.raises(InternalError):
            world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
    if when == "comparing":
        balanced(world.copy(MAPPING, workers=1))
        files["Things"].write_bytes(b"".join(reversed(documents)))
    disk = FailingReads(0 if when == "planning" else 3_000_000, 3)
    monkeypatch.setattr(dump.os, "pread", disk)
    result = world.copy(MAPPING, workers=2)
    assert disk.failed == 3
    assert any("Trying again" in note for note in world.notes), world.notes
    assert result.outcome == "complete"
    if when == "comparing":
        assert result.changes is not None
        assert (bool(result.changes), result.changes.reordered) == (False, ["Things"])
    assert world.column("SELECT n FROM things ORDER BY 1") == list(range(90))


def test_disk_that_goes_on_failing_makes_no_comparison(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write({"Things": [thing(n) for n in range(60)]})
    balanced(world.copy(MAPPING))
    monkeypatch.setattr(dump.os, "pread", FailingReads(3_000_000, 1_000_000))
    again = world.copy(MAPPING, retry_seconds=0.3)
    assert again.changes is not None
    assert (again.exit_code, list(again.changes.broken)) == (3, ["Things"])


@pytest.mark.parametrize("how", ["no right", "cut", "garbage"])
def test_only_other_content_makes_what_was_read_another_source(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What cannot be looked at may well be the same: starting over, as another source would need, destroys the run."""
    documents = [thing(n) for n in range(60)]
    whole = b"".join(documents)
    files = world.write({"Things": documents})

    def end(stage: str) -> None:
        if stage == "copy.partition-done":
            raise InternalError("On purpose.", code="on-purpose")

    with listening(end), pytest.raises(InternalError):
        world.copy(MAPPING, workers=1, memory_bytes=8 << 20)

    def refuse(*_: object) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        if how == "no right":
            patch.setattr(dump.os, "pread", refuse)
        else:
            here = len(whole) // 2 // len(documents[0]) * len(documents[0])
            files["Things"].write_bytes(whole[: here + 50] if how == "cut" else whole[:here] + b"\0" * 20)
        with pytest.raises(SourceError) as caught:
            world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
    if how == "no right":
        assert caught.value.code == "unreadable"
        assert "Permission denied" in caught.value.message
        assert "--fresh" not in str(caught.value.hint)
    else:
        assert caught.value.code == "source-changed"
    files["Things"].write_bytes(whole)
    balanced(world.copy(MAPPING, workers=1))


def test_break_is_told_also_when_the_user_stops_the_copy(world: World) -> None:
    files = world.write({name: [thing(n) for n in range(60)] for name in ("A", "B")})
    whole = files["A"].read_bytes()
    files["A"].write_bytes(whole[: len(whole) // 2 - 100])
    mapping = (
        "isthmus: 1\ncollections: {A: {fields: {n: integer, data: bytea}}, B: {fields: {n: integer, data: bytea}}}"
    )
    stop = threading.Event()

    def press(stage: str) -> None:
        if stage == "copy.after-commit" and world.one("SELECT count(*) FROM isthmus.batch WHERE collection = 'B'"):
            stop.set()

    with listening(press):
        result = world.copy(mapping, stop=stop, workers=1, memory_bytes=8 << 20)
    assert (result.exit_code, result.outcome) == (130, "interrupted")
    assert {name: fault.code for name, fault in result.broken.items()} == {"A": "truncated"}
    files["A"].write_bytes(whole)
    balanced(world.copy(mapping))


@pytest.mark.timeout(60)
def test_error_that_ends_a_run_lets_go_of_workers_that_wait_for_room(world: World) -> None:
    world.write({name: [thing(n, b"\xff" * (3 << 20)) for n in range(4)] for name in ("A", "B", "C", "D")})
    mapping = "isthmus: 1\ncollections:\n" + "".join(
        f"  {name}: {{fields: {{n: integer, data: bytea}}}}\n" for name in ("A", "B", "C", "D")
    )
    failed = threading.Event()

    def fail(stage: str) -> None:
        if stage == "copy.within-table" and not failed.is_set():
            failed.set()
            raise InternalError("On purpose.", code="on-purpose")

    with listening(fail), pytest.raises(InternalError, match="On purpose"):
        world.copy(mapping, workers=4, memory_bytes=16 << 20)
    balanced(world.copy(mapping, workers=4, memory_bytes=16 << 20))
