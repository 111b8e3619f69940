"""The shipped sample is what its generator writes, its mapping is sound, and every planted fault has the stated fate.

The core is run over the sample and compared with the generator's own truth. Blind spot: what only a database finds
(duplicates, orphans) is compared where the demo is copied, not here.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import pytest

from isthmus import demo
from isthmus._rust import Batch, Transcoder
from isthmus.demo import generate
from isthmus.mapping import load_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.sources import open_source

FOUND_BY_THE_DATABASE = {"orphan", "duplicate-key"}
NOW_US = 1_750_000_000_000_000


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads(demo.TRUTH.read_text())


@pytest.fixture(scope="module")
def batches() -> dict[str, list[Batch]]:
    """Every mapped collection of the sample, transcoded in small blocks."""
    source = open_source(str(demo.DUMP))
    found: dict[str, list[Batch]] = {}
    for name, plan in compile_plans(load_mapping(demo.MAPPING)).items():
        transcoder = Transcoder(plan, bytes(range(32)), NOW_US)
        for partition in source.partitions(name, 3):
            blocks = source.read(partition, after=None, until=None, max_bytes=20_000)
            found.setdefault(name, []).extend(transcoder.transcode(block.data) for block in blocks)
    return found


def planted(truth: dict[str, Any], fate: str) -> Iterator[tuple[str, str, str]]:
    for one in truth["planted"]:
        if one["fate"] == fate:
            yield one["collection"], one["id"], one.get("code", "")


def test_shipped_files_are_what_the_generator_writes() -> None:
    made = generate.files()
    shipped = {str(path.relative_to(demo.DATA)): path for path in demo.DATA.rglob("*") if path.is_file()}
    assert set(shipped) == set(made), "write them again: python -m isthmus.demo.generate src/isthmus/demo/data"
    for name, path in shipped.items():
        content = path.read_bytes()
        assert (gzip.decompress(content) if name.endswith(".gz") else content) == made[name], name


def test_generator_writes_what_it_makes_and_another_seed_makes_other_data(tmp_path: Path) -> None:
    assert generate.main([str(tmp_path), "5"]) == 0
    users = (tmp_path / "dump" / "crm" / "Users.bson").read_bytes()
    assert users == generate.files(5)["dump/crm/Users.bson"]
    assert users != generate.files()["dump/crm/Users.bson"]
    assert json.loads((tmp_path / "truth.json").read_text())["seed"] == 5


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["a", "1", "c"]])
def test_generator_refuses_other_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_sample_is_small_and_has_something_of_everything(truth: dict[str, Any]) -> None:
    assert sum(path.stat().st_size for path in demo.DATA.rglob("*") if path.is_file()) < 2_000_000
    collections = truth["expected"]["collections"]
    assert 3000 <= sum(one["documents"] for one in collections.values()) <= 5000
    assert {one["fate"] for one in truth["planted"]} == {
        *("dead_letter", "adjusted", "null", "pair_dropped", "skipped", "once", "left_out", "last_wins"),
    }
    assert all(one["pairs"] and one["one_sided"] for one in truth["expected"]["junctions"].values())
    assert all(one["rows"] for one in collections.values())


def test_every_collection_of_the_sample_is_in_the_mapping() -> None:
    mapping = load_mapping(demo.MAPPING)
    for info in open_source(str(demo.DUMP)).collections():
        assert info.name in mapping.collections or mapping.why_skipped(info.name)


def test_faults_become_dead_letters_with_the_planted_code_and_nothing_else_does(
    truth: dict[str, Any], batches: dict[str, list[Batch]]
) -> None:
    expected = {one for one in planted(truth, "dead_letter") if one[2] not in FOUND_BY_THE_DATABASE}
    rejected: set[tuple[str, str, str]] = set()
    for name, parts in batches.items():
        for reject in (one for batch in parts for one in batch.rejects):
            assert reject.source_id is not None
            rejected.add((name, str(bson.decode(reject.source_id)["_id"]), reject.causes[0].code))
            assert len(reject.causes) == 1
    assert rejected == expected


def test_conditions_skip_what_was_planted_for_them(truth: dict[str, Any], batches: dict[str, list[Batch]]) -> None:
    expected = Counter(collection for collection, _, _ in planted(truth, "skipped"))
    assert {name: sum(batch.skipped for batch in parts) for name, parts in batches.items()} == {
        name: expected[name] for name in batches
    }


def test_policies_adjust_what_was_planted_for_them(truth: dict[str, Any], batches: dict[str, list[Batch]]) -> None:
    expected = Counter((collection, code) for collection, _, code in planted(truth, "adjusted"))
    found = Counter((name, one.kind) for name, parts in batches.items() for batch in parts for one in batch.adjustments)
    assert found == expected


def test_rows_balance_and_children_are_as_many_as_planted(
    truth: dict[str, Any], batches: dict[str, list[Batch]]
) -> None:
    rows: Counter[str] = Counter()
    for name, parts in batches.items():
        books = truth["expected"]["collections"][name]
        assert sum(batch.documents for batch in parts) == books["documents"]
        for batch in parts:
            assert batch.documents == batch.accepted + batch.skipped + len(batch.rejects)
            assert batch.rows(0) == batch.accepted
            rows.update({table: batch.rows(number) for number, table in enumerate(batch.tables)})
    for table, count in truth["expected"]["children"].items():
        assert rows[table] == count


def test_sensitive_values_of_the_sample_stay_out_of_rejects(batches: dict[str, list[Batch]]) -> None:
    for parts in batches.values():
        for cause in (cause for batch in parts for reject in batch.rejects for cause in reject.causes):
            assert "$2b$" not in f"{cause.value}{cause.message}"
            assert "sk-" not in f"{cause.value}{cause.message}"
