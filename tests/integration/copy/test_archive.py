"""Copies from a mongodump archive: the same tables as from the folder, also after cuts, stops and repairs.

Oracle: the copy of a folder with the same documents under the same id key, and the list of documents. Blind spot:
archives that a real mongodump wrote.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import bson
import pytest

from isthmus.errors import InternalError, SourceError
from tests.fix_archives import archive, checksum, end_block, write_archive
from tests.fix_dumps import raw_bytes
from tests.integration.cli.conftest import run_command
from tests.integration.copy.carrying import World, balanced, listening, oid

KEY = bytes(range(32))
MAPPING = """
    isthmus: 1
    collections:
      Users: {fields: {name: text!, n: integer!}}
      Tasks: {fields: {name: text!, n: integer!, owner: {references: Users}}}
"""
BOTH = pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])


def users(count: int, text: str = "name") -> list[bytes]:
    return [bson.encode({"_id": oid(n), "name": f"{text} {n}", "n": n}) for n in range(count)]


def tasks(count: int) -> list[bytes]:
    return [
        bson.encode({"_id": oid(10_000 + n), "name": f"task {n}", "n": n, "owner": oid(n % 50)}) for n in range(count)
    ]


def tables(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of the target."""
    names = world.column(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1"
    )
    return {name: world.rows(f'SELECT t::text FROM public."{name}" AS t ORDER BY 1') for name in names}


def take(world: World, data: bytes, *, compressed: bool = False) -> Path:
    """Make an archive the source of the next copies."""
    world.folder = write_archive(world.folder.parent / "shop.archive", data, compressed=compressed)
    return world.folder


@BOTH
@pytest.mark.parametrize("in_segment", [None, 1, 17])
def test_archive_gives_the_tables_that_the_folder_gives(world: World, compressed: bool, in_segment: int | None) -> None:
    written = {"Users": users(60), "Tasks": [*tasks(200), bson.encode({"_id": oid(5), "name": 5, "n": "no"})]}
    world.write(written)
    first = world.copy(MAPPING, id_key=KEY)
    expected, letters = tables(world), [(one.code, one.document) for one in world.letters()]
    assert (len(expected["users"]), len(expected["tasks"]), len(letters)) == (60, 200, 1)
    take(world, archive(written, in_segment=in_segment), compressed=compressed)
    result = world.copy(MAPPING, id_key=KEY, fresh=True)
    balanced(result)
    assert result.exit_code == first.exit_code == 1
    assert tables(world) == expected
    assert [(one.code, one.document) for one in world.letters()] == letters
    (letter,) = world.letters()
    assert letter.location.startswith("shop.archive at ")
    assert letter.location.endswith("(collection Tasks)")
    again = world.copy(MAPPING, id_key=KEY)
    assert again.changes is not None
    assert not again.changes


@BOTH
@pytest.mark.parametrize("share", [0.25, 0.4, 0.6, 0.85, 0.999])
def test_cut_archive_is_carried_as_far_as_it_goes_and_resumes_after_repair(
    world: World, compressed: bool, share: float
) -> None:
    written = {"Users": users(50), "Tasks": tasks(150)}
    path = take(world, archive(written, in_segment=20), compressed=compressed)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    result = world.copy(MAPPING)
    assert (result.outcome, result.exit_code) == ("failed", 3)
    assert {fault.code for fault in result.broken.values()} == {"gzip-broken" if compressed else "truncated"}
    part = path.read_bytes()
    if not compressed:
        assert world.one("SELECT count(*) FROM users") == sum(one in part for one in written["Users"])
        assert world.one("SELECT count(*) FROM tasks") == sum(one in part for one in written["Tasks"])
    path.write_bytes(whole)
    repaired = world.copy(MAPPING)
    balanced(repaired)
    assert repaired.exit_code == 0
    assert world.column("SELECT n FROM users ORDER BY 1") == list(range(50))
    assert world.column("SELECT n FROM tasks ORDER BY 1") == list(range(150))


def test_archive_cut_before_its_first_block_is_refused_and_leaves_nothing(world: World) -> None:
    whole = archive({"Users": users(50), "Tasks": tasks(150)})
    take(world, whole[:300])
    with pytest.raises(SourceError) as caught:
        world.copy(MAPPING)
    assert caught.value.code == "truncated"
    assert not world.has_state()
    take(world, whole)
    balanced(world.copy(MAPPING))


def stopped_in_the_middle(world: World) -> None:
    """Copy until some batches of Users are committed, and die then."""
    commits = 0

    def die(stage: str) -> None:
        nonlocal commits
        commits += stage == "copy.after-commit"
        if commits == 5:
            raise InternalError("On purpose.", code="on-purpose")

    with listening(die), pytest.raises(InternalError, match="On purpose"):
        world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
    batches = world.rows("SELECT batches, done FROM isthmus.partition WHERE collection = 'Users'")
    assert batches[0][0] > 0
    assert not batches[0][1]


@BOTH
def test_copy_stopped_in_the_middle_of_a_collection_goes_on_and_checks_the_whole_checksum(
    world: World, compressed: bool
) -> None:
    written = {"Users": users(400, "x" * 20_000), "Tasks": tasks(10)}
    take(world, archive(written, in_segment=30), compressed=compressed)
    stopped_in_the_middle(world)
    result = world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
    balanced(result)
    assert (result.exit_code, result.resumed) == (0, True)
    assert world.column("SELECT n FROM users ORDER BY 1") == list(range(400))


@BOTH
def test_wrong_checksum_is_found_also_across_a_resume_and_stays_found(world: World, compressed: bool) -> None:
    written = {"Users": users(400, "x" * 20_000), "Tasks": tasks(10)}
    right = checksum(raw_bytes(written["Users"]))
    data = archive(written, in_segment=30)
    wrong = data.replace(end_block("shop", "Users", right), end_block("shop", "Users", right ^ 1))
    take(world, wrong, compressed=compressed)
    stopped_in_the_middle(world)
    for _ in range(2):
        result = world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
        assert (result.outcome, result.exit_code, list(result.broken)) == ("failed", 3, ["Users"])
        assert result.broken["Users"].code == "crc-differs"
        assert world.one("SELECT count(*) FROM users") == 400
    take(world, data, compressed=compressed)  # it was the end block that was damaged, not a document
    balanced(world.copy(MAPPING))


@BOTH
@pytest.mark.parametrize("n", [3, 390], ids=["part already read", "part still to be read"])
def test_bit_flipped_while_a_copy_was_stopped_is_found_by_the_resume(world: World, compressed: bool, n: int) -> None:
    written = {"Users": users(400, "x" * 20_000), "Tasks": tasks(10)}
    data = archive(written, in_segment=30)
    take(world, data, compressed=compressed)
    stopped_in_the_middle(world)
    begun = world.column("SELECT n FROM users")
    assert (n in begun) == (n == 3)
    at = data.index(written["Users"][n]) + 500
    damaged = bytearray(data)
    damaged[at] ^= 4
    take(world, bytes(damaged), compressed=compressed)
    if n in begun:
        with pytest.raises(SourceError) as caught:
            world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
        assert (caught.value.code, caught.value.exit_code) == ("source-changed", 3)
        assert "--fresh" in str(caught.value.hint)
        assert sorted(world.column("SELECT n FROM users")) == sorted(begun)
    else:
        result = world.copy(MAPPING, workers=1, memory_bytes=8 << 20)
        assert (result.outcome, result.exit_code) == ("failed", 3)
        assert {name: fault.code for name, fault in result.broken.items()} == {"Users": "crc-differs"}
    take(world, data, compressed=compressed)
    repaired = world.copy(MAPPING, fresh=n not in begun)
    balanced(repaired)
    assert repaired.exit_code == 0
    assert world.column("SELECT n FROM users ORDER BY 1") == list(range(400))


@pytest.mark.parametrize(
    "where",
    [
        "behind the prelude",
        "behind a terminator",
        "before a terminator",
        "in a header",
        "in the checksum",
        "behind an end",
        "one byte",
    ],
)
def test_archive_cut_at_its_joints_is_never_a_success(world: World, tmp_path: Path, where: str) -> None:
    written = {"Users": users(8), "Tasks": tasks(8)}
    whole = archive(written, in_segment=2)
    end = end_block("shop", "Users", checksum(raw_bytes(written["Users"])))
    behind = whole.index(written["Users"][1]) + len(written["Users"][1])
    cut = {
        "behind the prelude": whole.index(b"\xff\xff\xff\xff") + 4,
        "behind a terminator": behind + 4,
        "before a terminator": behind,
        "in a header": behind + 20,
        "in the checksum": whole.index(end) + len(end) - 8,
        "behind an end": whole.index(end) + len(end),
        "one byte": len(whole) - 1,
    }[where]
    path = take(world, whole[:cut])
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(textwrap.dedent(MAPPING), encoding="utf-8")
    done = run_command(tmp_path, "copy", mapping, "-s", path, "-t", world.conninfo)
    assert done.code == 3, done.all
    assert "truncated" in done.all
    if world.has_state():
        assert world.one("SELECT count(*) FROM users") == sum(one in whole[:cut] for one in written["Users"])
    take(world, whole)
    mended = run_command(tmp_path, "copy", mapping, "-s", path, "-t", world.conninfo)
    assert mended.code == 0, mended.all
    assert (world.one("SELECT count(*) FROM users"), world.one("SELECT count(*) FROM tasks")) == (8, 8)


def test_flipped_bit_in_a_document_is_told_and_the_repaired_archive_starts_over(world: World) -> None:
    written = {"Users": users(50), "Tasks": tasks(20)}
    data = archive(written, in_segment=7)
    take(world, data.replace(b"name 17\0", b"name 57\0"))
    result = world.copy(MAPPING)
    assert (result.exit_code, {name: fault.code for name, fault in result.broken.items()}) == (
        3,
        {"Users": "crc-differs"},
    )
    take(world, data)
    with pytest.raises(SourceError) as caught:
        world.copy(MAPPING)
    assert caught.value.code == "source-changed"
    balanced(world.copy(MAPPING, fresh=True))
    assert world.one("SELECT name FROM users WHERE n = 17") == "name 17"


def test_references_into_an_archive_are_resolved_and_duplicates_found_again(world: World) -> None:
    """What finish looks up in the source a second time is read from the archive as well."""
    twice = [*users(30), bson.encode({"_id": oid(3), "name": "again", "n": 3})]
    take(world, archive({"Users": twice, "Tasks": tasks(60)}, in_segment=4), compressed=True)
    result = world.copy(MAPPING)
    balanced(result)
    assert world.one("SELECT count(*) FROM users") == 30
    assert [one.document for one in world.letters("Users")] == [twice[-1]]
    orphans = world.one("SELECT count(*) FROM tasks WHERE owner IS NULL")
    assert orphans == sum(n % 50 >= 30 for n in range(60))


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_dump_with_an_oplog_is_refused_unless_it_is_to_be_ignored(world: World, tmp_path: Path, form: str) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("isthmus: 1\ncollections: {Users: {fields: {name: text!, n: integer!}}}\n")
    if form == "archive":
        source = take(world, archive({"Users": users(5)}, oplog=[{"ts": 1, "op": "i"}]))
    else:
        source = world.folder
        world.write({"Users": users(5)})
        (source / "oplog.bson").write_bytes(bson.encode({"ts": 1}))
    for command in (["check", mapping, "-s", source], ["copy", mapping, "-s", source, "-t", world.conninfo]):
        refused = run_command(tmp_path, *command)
        assert refused.code == 3, refused.all
        assert "--ignore-oplog" in refused.err
        done = run_command(tmp_path, *command, "--ignore-oplog")
        assert done.code == 0, done.all
    assert world.one("SELECT count(*) FROM users") == 5


@pytest.mark.parametrize("damaged", ["document", "end block"])
def test_what_is_said_of_a_wrong_checksum_is_what_then_happens(world: World, tmp_path: Path, damaged: str) -> None:
    written = {"Users": users(50), "Tasks": tasks(20)}
    data = archive(written, in_segment=7)
    right = checksum(raw_bytes(written["Users"]))
    wrong = {
        "document": data.replace(b"name 17\0", b"name 57\0"),
        "end block": data.replace(end_block("shop", "Users", right), end_block("shop", "Users", right ^ 1)),
    }[damaged]
    path = take(world, wrong)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(textwrap.dedent(MAPPING), encoding="utf-8")
    copy = ["copy", mapping, "-s", path, "-t", world.conninfo]
    told = run_command(tmp_path, *copy)
    assert told.code == 3
    said = " ".join(told.all.split())
    assert "1 collection was read to the end and is not what was dumped:" in said
    assert "one of its documents or the end block" in said
    assert "run the same command with --fresh" in said
    for untrue in ("could not be read to the end", "goes on from here", "before that"):
        assert untrue not in said, said
    assert world.one("SELECT count(*) FROM users") == 50
    assert run_command(tmp_path, *copy).all == told.all, "the same archive says the same"
    take(world, data)
    again = run_command(tmp_path, *copy)
    assert (again.code, "(source-changed)" in again.all) == ((3, True) if damaged == "document" else (0, False))
    assert run_command(tmp_path, *copy, "--fresh").code == 0
