"""A load is called complete only when everything was read: batches, partitions and source agree.

Oracle: state that a test changes by hand between the last batch and the end of the load, or a dump that it changes
then; each change alone must stop the run and say what is wrong, and none of them loses what was carried.
"""

from __future__ import annotations

import os
import re

import psycopg
import pytest
from bson import encode

from isthmus.errors import InternalError, SourceError
from tests.integration.copy.carrying import World, balanced, listening, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer, pad: text}}}\n"


def things(first: int, last: int) -> list[bytes]:
    return [encode({"_id": oid(n), "n": n, "pad": "x" * 50_000}) for n in range(first, last)]


CHANGES = {
    "documents of a batch": ("UPDATE isthmus.batch SET documents = documents - 1 WHERE number = 0", "do not agree"),
    "bytes of a batch": ("UPDATE isthmus.batch SET source_bytes = source_bytes + 1 WHERE number = 1", "do not agree"),
    "a batch is gone, the sums are right": (
        """WITH gone AS (DELETE FROM isthmus.batch WHERE number = 1 RETURNING documents, source_bytes)
           UPDATE isthmus.batch b SET documents = b.documents + gone.documents,
                  source_bytes = b.source_bytes + gone.source_bytes FROM gone WHERE b.number = 0""",
        "batches of its part 0 are missing",
    ),
    "a batch begins elsewhere": (
        "UPDATE isthmus.batch SET start_position = decode('0000000000000001', 'hex') WHERE number = 1",
        "batches of its part 0 are missing",
    ),
    "the first batch begins elsewhere": (
        "UPDATE isthmus.batch SET start_position = decode('0000000000000001', 'hex') WHERE number = 0",
        "do not begin or end where it does",
    ),
    "the last batch ends elsewhere": (
        """UPDATE isthmus.batch SET end_position = decode('00ffffffffffffff', 'hex')
           WHERE number = (SELECT max(number) FROM isthmus.batch)""",
        "do not begin or end where it does",
    ),
    "a part is not done": ("UPDATE isthmus.partition SET done = false", "not read to its end"),
    "the last part has an end": ("UPDATE isthmus.partition SET end_position = position", "do not cover it"),
    "a part is missing": ("DELETE FROM isthmus.partition", "not read to its end"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_books_that_do_not_agree_are_never_called_complete(world: World, change: str) -> None:
    query, words = CHANGES[change]
    world.write({"Things": b"".join(things(0, 90))})

    def tamper(stage: str) -> None:
        if stage == "copy.partition-done":
            with psycopg.connect(world.conninfo) as connection:
                connection.execute(query.encode())

    with listening(tamper), pytest.raises(InternalError, match=re.escape(words)) as caught:
        world.copy(MAPPING, workers=1, memory_bytes=2 << 20)
    assert caught.value.code == "load-incomplete"
    assert world.column("SELECT stage FROM isthmus.run") == ["copying"]


@pytest.mark.parametrize("now", [25, 15], ids=["grown", "cut"])
def test_dump_that_changed_between_the_first_look_and_the_read_is_no_success_until_it_is_run_again(
    world: World, now: int
) -> None:
    files = world.write({"Things": b"".join(things(0, 20))})

    def change(stage: str) -> None:
        if stage == "begin.after-commit":
            files["Things"].write_bytes(b"".join(things(0, now)))

    with listening(change), pytest.raises(SourceError) as caught:
        world.copy(MAPPING, workers=1)
    assert (caught.value.code, caught.value.exit_code) == ("changed-under-us", 3)
    assert "run the same command again" in str(caught.value.hint)
    balanced(world.copy(MAPPING, workers=1))
    assert world.column("SELECT n FROM things ORDER BY n") == list(range(now))


def test_part_that_ends_before_the_next_begins_is_never_called_complete(world: World) -> None:
    world.write({"Things": b"".join(things(0, 180))})
    done = []

    def tamper(stage: str) -> None:
        if stage == "copy.partition-done":
            done.append(stage)
        if stage == "copy.partition-done" and len(done) == 2:
            # Every number agrees with every other one; only where the first part ended is not where it should.
            with psycopg.connect(world.conninfo) as connection:
                connection.execute(
                    "UPDATE isthmus.partition SET end_position = decode('00000000000000ff', 'hex') WHERE number = 0;"
                    "UPDATE isthmus.partition SET start_position = decode('00000000000000ff', 'hex') WHERE number = 1;"
                    "UPDATE isthmus.batch SET start_position = decode('00000000000000ff', 'hex')"
                    " WHERE partition_number = 1 AND number = 0"
                )

    with listening(tamper), pytest.raises(InternalError, match="its part 0 was not read to its end") as caught:
        world.copy(MAPPING, workers=2)
    assert caught.value.code == "load-incomplete"


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_dump_that_grows_behind_what_was_read_is_no_success(world: World, compressed: bool) -> None:
    files = world.write({"Things": b"".join(things(0, 20))}, compressed=compressed)

    def grow(stage: str) -> None:
        if stage == "copy.partition-done":
            world.write({"Things": b"".join(things(0, 21))}, compressed=compressed)

    with listening(grow), pytest.raises(SourceError, match=r"went from [\d,]+ to [\d,]+ bytes") as caught:
        world.copy(MAPPING, workers=1)
    assert (caught.value.code, caught.value.exit_code) == ("changed-under-us", 3)
    assert world.column("SELECT stage FROM isthmus.run") == ["copying"]
    with pytest.raises(SourceError, match="holds more documents than before"):
        world.copy(MAPPING, workers=1)
    files["Things"].unlink()
    world.write({"Things": b"".join(things(0, 20))}, compressed=compressed)
    balanced(world.copy(MAPPING, workers=1))


def test_dump_that_was_written_to_and_kept_its_size_is_read_again(world: World) -> None:
    files = world.write({"Things": b"".join(things(0, 20))})

    def rewrite(stage: str) -> None:
        if stage == "copy.partition-done":
            found = files["Things"].stat()
            os.utime(files["Things"], ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))

    with listening(rewrite), pytest.raises(SourceError, match="was written to since the copy began") as caught:
        world.copy(MAPPING, workers=1)
    assert caught.value.code == "changed-under-us"
    result = world.copy(MAPPING, workers=1)
    balanced(result)
    assert result.resumed


def test_dump_that_went_away_before_the_end_is_no_success(world: World) -> None:
    files = world.write({"Things": b"".join(things(0, 20))})

    def remove(stage: str) -> None:
        if stage == "copy.partition-done":
            files["Things"].unlink()

    with listening(remove), pytest.raises(SourceError, match="went away since the copy began"):
        world.copy(MAPPING, workers=1)


def test_collection_that_was_empty_when_it_was_done_is_looked_at_again(world: World) -> None:
    """It made no batch, and nothing else was committed; a compressed file does not tell how much it holds."""
    mapping = "isthmus: 1\ncollections: {A: {fields: {n: integer}}, B: {fields: {n: integer}}}\n"
    world.write({"A": []}, compressed=True)
    world.write({"B": [{"_id": oid(n), "n": n} for n in range(5)]})
    ended = []

    def die(stage: str) -> None:
        if stage == "copy.partition-done" and not ended:
            ended.append(stage)
            raise KeyboardInterrupt

    with listening(die), pytest.raises(KeyboardInterrupt):
        world.copy(mapping, workers=1)
    assert world.rows("SELECT collection, done, batches FROM isthmus.partition ORDER BY 1") == [
        ("A", True, 0),
        ("B", False, 0),
    ]
    world.write({"A": [{"_id": oid(n), "n": n} for n in range(7)]}, compressed=True)
    with pytest.raises(SourceError, match=r"A\.bson\.gz.*holds more documents than before") as caught:
        world.copy(mapping, workers=1)
    assert caught.value.code == "source-changed"
    world.write({"A": []}, compressed=True)
    balanced(world.copy(mapping, workers=1))


def test_what_a_run_came_to_is_news_until_it_was_told(world: World) -> None:
    world.write({"Things": [{"_id": oid(1), "n": "no number"}, {"_id": oid(2), "n": 2}]})
    told = []

    def die(stage: str) -> None:
        if stage == "complete.after-commit" and not told:
            told.append(stage)
            raise KeyboardInterrupt

    with listening(die), pytest.raises(KeyboardInterrupt):
        world.copy(MAPPING)
    assert world.column("SELECT stage FROM isthmus.run") == ["complete"]
    again = world.copy(MAPPING)
    assert (again.repeated, again.told, again.exit_code) == (True, False, 1)
    again = world.copy(MAPPING)
    assert (again.repeated, again.told, again.exit_code) == (True, True, 0)
