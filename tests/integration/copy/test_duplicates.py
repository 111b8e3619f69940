"""Settling duplicates: how often the source is read for it, how much memory it takes, who stays, and after an end.

Oracle: the documents planted, counted by hand; an undisturbed copy for one that was ended. What a source gives is
counted where it is read; memory is what Python allocates, so the core's own is not seen.
"""

from __future__ import annotations

import textwrap
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64

from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.sources.protocol import Block, Partition
from isthmus.transfer.finishing import duplicates, origins, remove
from isthmus.transfer.job import Options
from isthmus.transfer.run import Result, copy_database
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.integration.copy.carrying import World, balanced, listening, oid

KEY = bytes(range(32))
MIB = 1 << 20


def copy_counting(world: World, mapping: str) -> tuple[Result, Counter[str]]:
    """Copy; return also how often each collection was begun to be read after the load."""
    text = textwrap.dedent(mapping)
    source = open_source(str(world.folder))
    read = source.read
    loaded = threading.Event()
    passes: Counter[str] = Counter()

    def note(stage: str) -> None:
        if stage == "copy.complete":
            loaded.set()

    def counted(partition: Partition, **named: Any) -> Iterator[Block]:
        if loaded.is_set():
            passes[partition.collection] += 1
        return read(partition, **named)

    with listening(note), pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "read", counted)
        result = copy_database(
            parse_mapping(text, file_name="mapping.yaml"),
            source,
            world.conninfo,
            mapping_text=text,
            options=Options(id_key=KEY),
        )
    source.close()
    assert loaded.is_set()
    return result, passes


def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "_HELD_BYTES", 0)


def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make passes, transactions and loads so small that a few documents need several of each."""
    nothing_held(monkeypatch)
    monkeypatch.setattr(origins, "PASS_IDS", 7)
    monkeypatch.setattr(duplicates, "PASS_IDS", 7)
    monkeypatch.setattr(remove, "STEP_DOCUMENTS", 3)
    monkeypatch.setattr(duplicates, "STEP_BYTES", 200)
    monkeypatch.setattr(duplicates, "_RELOAD_BYTES", 100)


def test_large_duplicates_are_never_held_together(world: World) -> None:
    size, pairs = 4 * MIB, 40
    text = "x" * size

    def twice() -> Iterator[dict[str, Any]]:
        for number in range(pairs):
            yield {"_id": oid(number), "n": number, "large": text}
        for number in range(pairs):
            same = oid(number) if number % 2 else str(oid(number))
            yield {"_id": same, "n": pairs + number, "large": text}

    world.write({"C": twice()})
    peaks: list[int] = []

    def measure(stage: str) -> None:
        if stage == "copy.complete":
            tracemalloc.start()
        elif stage == "finish.before-complete":
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    with listening(measure):
        result = world.copy('isthmus: 1\ncollections: {C: {fields: {n: integer, large: {drop: "large"}}}}\n')
    balanced(result)
    # even numbers: the text form comes before the ObjectId; odd numbers: the first of two equal ones
    stay = sorted(number if number % 2 else pairs + number for number in range(pairs))
    assert world.column("SELECT n FROM c ORDER BY n") == stay
    assert world.one("SELECT count(*) FROM isthmus.dead_letter WHERE length(document) > 4000000") == pairs
    assert peaks[0] < 96 * MIB, f"{peaks[0] / MIB:.0f} MiB for {2 * pairs * size / MIB:.0f} MiB of duplicates"


@pytest.mark.parametrize(("held", "passes"), [(True, 1), (False, 3)])
def test_passes_over_the_source_do_not_grow_with_the_number_of_shared_ids(
    world: World, monkeypatch: pytest.MonkeyPatch, held: bool, passes: int
) -> None:
    if not held:
        nothing_held(monkeypatch)
    ids = range(1_500)
    world.write({"C": [{"_id": oid(n), "n": turn} for turn in range(2) for n in ids]})
    result, counted = copy_counting(world, "isthmus: 1\ncollections: {C: {fields: {n: integer}}}\n")
    balanced(result)
    assert world.rows("SELECT n, count(*) FROM c GROUP BY n") == [(0, len(ids))]
    assert world.one("SELECT count(*) FROM isthmus.dead_letter WHERE code = 'duplicate-id'") == len(ids)
    assert counted == {"C": passes}


@pytest.mark.parametrize(("ids", "passes"), [("uuid", 1), ("keep", 2)])
@pytest.mark.parametrize("child", [False, True], ids=["root table", "child table"])
def test_passes_over_the_source_do_not_grow_with_the_number_of_shared_values(
    world: World, ids: str, passes: int, child: bool
) -> None:
    count = 4_500
    fields = (
        "k: {child: c_k, fields: {v: {type: integer, unique: true}}}" if child else "v: {type: integer, unique: true}"
    )
    world.write({"C": [{"_id": n, **({"k": [{"v": n % 2_000}]} if child else {"v": n % 2_000})} for n in range(count)]})
    mapping = f"isthmus: 1\nids: {ids}\ncollections: {{C: {{fields: {{_id: bigint, {fields}}}}}}}\n"
    result, counted = copy_counting(world, mapping if ids == "keep" else mapping.replace("_id: bigint, ", ""))
    balanced(result)
    letters = world.column("SELECT document FROM isthmus.dead_letter WHERE code = 'duplicate-key'")
    assert sorted(bson.decode(one)["_id"] for one in letters) == list(range(2_000, count))
    assert counted == {"C": passes}


def test_passes_over_the_source_do_not_grow_with_the_number_of_orphans(world: World) -> None:
    mapping = """
    isthmus: 1
    collections:
      C: {fields: {d: {references: D, required: true, on_orphan: dead_letter}}}
      D: {fields: {}}
    """
    world.write({"C": [{"_id": oid(n), "d": oid(n)} for n in range(4_500)], "D": [{"_id": oid(0)}]})
    result, counted = copy_counting(world, mapping)
    balanced(result)
    assert world.one("SELECT count(*) FROM c") == 1
    assert counted == {"C": 1}


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("bigint", 9, 10),
        ("bigint", Int64(-10), 9),
        ("numeric", Decimal128("9.5"), 10),
        ("numeric(20,4)", Decimal128("-9.5000"), Decimal128("1E+2")),
        ("timestamptz", datetime(999, 1, 1, tzinfo=UTC), datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)),
        ("date", datetime(1969, 12, 31, tzinfo=UTC), datetime(2024, 5, 6, tzinfo=UTC)),
        ("bytea", b"\xff", b"\0a"),  # MongoDB sorts shorter ones first
        ("text", "9", "b"),
        # MongoDB sorts texts before ObjectIds; as texts these are the other way round
        ("text", "zebra", oid(1)),
        ("text", "\U0001f600", oid(0xFFFFFF)),
    ],
)
@pytest.mark.parametrize("child", [False, True], ids=["root table", "child table"])
@pytest.mark.parametrize("first", ["low", "high"])
def test_lowest_id_as_mongodb_orders_it_stays_when_ids_are_kept(
    world: World, kind: str, low: object, high: object, child: bool, first: str
) -> None:
    mapping = f"""
    isthmus: 1
    ids: keep
    collections:
      C: {{fields: {{_id: "{kind}", n: integer, mail: {{type: text, unique: true}}, k: {{child: c_k, fields:
          {{v: {{type: text, unique: true}}}}}}}}}}
    """
    shared = {"k": [{"v": "same"}]} if child else {"mail": "same"}
    documents = [{"_id": low, "n": 1, **shared}, {"_id": high, "n": 2, **shared}]
    world.write({"C": documents if first == "low" else documents[::-1]})
    result = world.copy(mapping)
    balanced(result)
    assert world.column("SELECT n FROM c") == [1]
    (letter,) = world.letters()
    assert (letter.code, bson.decode(letter.document)["n"]) == ("duplicate-key", 2)
    shown = world.one("SELECT id::text FROM c")
    assert f"held by the document {shown}, which is kept" in letter.message


TROUBLED = """
isthmus: 1
policies: {nul: remove}
collections:
  C:
    fields:
      name: text
      mail: {type: text, unique: true}
      k: {child: c_k, fields: {v: {type: integer, unique: true}}}
      ds: {junction: c_to_d}
  D: {ids: keep, fields: {_id: bigint, mail: {type: text, unique: true}}}
junctions: {c_to_d: {c_id: C, d_id: D}}
"""


def troubled() -> dict[str, list[dict[str, Any]]]:
    """Shared ids (some of documents that leave for a value later), shared values, chains of them in a child table."""
    documents: list[dict[str, Any]] = []
    for turn in range(3):
        for number in range(20):
            same = str(oid(number)) if turn == 2 and number % 3 == 0 else oid(number)
            values = [{"v": 100 * turn + number}, {"v": 100 * turn + (number * 7) % 20}]
            documents.append(
                {
                    "_id": same,
                    "name": f"{number}\0{turn}",
                    "mail": f"{number % 12}@x",
                    "k": values[: 1 + number % 2],
                    "ds": [number % 25],
                }
            )
    for number in range(30):
        values = [{"v": 1_000 + number}, {"v": 1_000 + (number * 11) % 30}]
        documents.append({"_id": oid(1_000 + number), "name": "a\0b", "mail": f"m{number % 9}", "k": values})
    return {"C": documents, "D": [{"_id": n, "mail": f"{n % 8}"} for n in range(25, -1, -1)]}


def left_by(world: World) -> Snapshot:
    left = snapshot(world.conninfo, "public")
    assert any(left["ledger: dead_letter"])
    return left


def test_passes_and_transactions_may_be_cut_anywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(troubled())
    balanced(world.copy(TROUBLED, id_key=KEY))
    expected = left_by(world)
    assert {"duplicate-id", "duplicate-key"} == {letter.code for letter in world.letters()}
    cut_small(monkeypatch)
    balanced(world.copy(TROUBLED, id_key=KEY, fresh=True))
    assert not (difference := differences(left_by(world), expected)), difference


class Ended(Exception):  # noqa: N818  not an error: the test asked for it
    """The copy was ended by its test."""


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("stage", ["finish.duplicates-before-commit", "finish.duplicates-after-commit"])
def test_ended_between_any_two_transactions_then_equal(
    world: World, monkeypatch: pytest.MonkeyPatch, stage: str, step: int
) -> None:
    world.write(troubled())
    balanced(world.copy(TROUBLED, id_key=KEY))
    expected = left_by(world)
    cut_small(monkeypatch)
    often: list[str] = []
    with listening(often.append):
        balanced(world.copy(TROUBLED, id_key=KEY, fresh=True))
    assert often.count(stage) > 20
    for number in range(1, often.count(stage) + 1, step):
        ended = end_at(stage, number)
        with listening(ended), pytest.raises(Ended):
            world.copy(TROUBLED, id_key=KEY, fresh=True)
        with listening(end_at(stage, 2)), suppress(Ended):  # fewer than two may be left
            world.copy(TROUBLED, id_key=KEY)
        balanced(world.copy(TROUBLED, id_key=KEY))
        assert not (difference := differences(left_by(world), expected)), f"{number}: {difference}"


@pytest.mark.parametrize("number", [1, 3, 8, 14])
def test_dump_that_is_compressed_after_an_end_leads_to_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    files = world.write(troubled())
    balanced(world.copy(TROUBLED, id_key=KEY))
    expected = known_by_content(world)
    cut_small(monkeypatch)
    with listening(end_at("finish.duplicates-after-commit", number)), pytest.raises(Ended):
        world.copy(TROUBLED, id_key=KEY, fresh=True)
    assert world.one("SELECT count(*) FROM isthmus.dead_letter WHERE code = 'duplicate-id'") > 0
    for file in files.values():
        file.unlink()
        file.with_name(f"{file.stem}.metadata.json").unlink(missing_ok=True)
    world.write(troubled(), compressed=True)
    balanced(world.copy(TROUBLED, id_key=KEY))
    assert known_by_content(world) == expected


def known_by_content(world: World) -> tuple[list[Any], list[Any]]:
    """Return all rows, and all letters without the place of the document."""
    letters = world.rows("SELECT collection, source_id, code, document FROM isthmus.dead_letter")
    return sorted(letters), world.rows("SELECT to_jsonb(c) FROM c UNION ALL SELECT to_jsonb(d) FROM d ORDER BY 1")


def end_at(stage: str, number: int) -> Callable[[str], None]:
    """Return a listener that ends a copy at the nth time it comes by a stage."""
    seen: Counter[str] = Counter()

    def listener(reached: str) -> None:
        seen[reached] += 1
        if reached == stage and seen[stage] == number:
            raise Ended

    return listener


@pytest.mark.parametrize(
    ("fields", "document", "path"),
    [
        ("steps: {child: a_steps, fields: {bs: {junction: a_to_b}}}", {"steps": [{"bs": [oid(9)]}]}, "steps.[].bs"),
        (
            "steps: {child: a_steps, fields: {parts: {child: a_parts, fields: {meta.bs: {junction: a_to_b}}}}}",
            {"steps": [{}, {"parts": [{"meta": {"bs": [oid(9)]}}]}]},
            "steps.[].parts.[].meta.bs",
        ),
        ('x: {path: [meta, "a.b"], junction: a_to_b}', {"meta": {"a.b": [oid(9)]}}, "meta.a\\.b"),
        (
            "bs: {junction: a_to_b}, steps: {child: a_steps, fields: {bs: {junction: a_to_b}}}",
            {"steps": [{"bs": [oid(9)]}]},
            "bs, steps.[].bs",
        ),
    ],
    ids=["child", "sub-document of a child's child", "key with a dot", "two arrays"],
)
def test_orphan_of_a_junction_names_the_path_of_its_array(
    world: World, fields: str, document: dict[str, Any], path: str
) -> None:
    mapping = f"""
    isthmus: 1
    collections:
      A: {{fields: {{{fields}}}}}
      B: {{fields: {{}}}}
    junctions: {{a_to_b: {{columns: {{a_id: A, b_id: B}}, on_orphan: dead_letter}}}}
    """
    world.write({"A": [{"_id": oid(1), **document}], "B": [{"_id": oid(2)}]})
    balanced(world.copy(mapping))
    (letter,) = world.letters()
    assert (letter.code, letter.path) == ("orphan", path)
