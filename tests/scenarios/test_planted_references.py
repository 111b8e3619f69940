"""References of databases with planted truth: found by looking values up, and nothing else found.

The larger runs are in `bench/references.py`, which prints what it measured.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from isthmus._rust import Profiler
from isthmus.sources import open_source
from isthmus.sources.reading import Options
from isthmus.survey.reference import Reference
from isthmus.survey.references import find_references
from isthmus.survey.scan import scan
from isthmus.work.progress import Progress
from tests.oracle.references import Score, score, units
from tests.planted import crm, random_database
from tests.planted.database import Database
from tests.planted.planter import Blemishes
from tests.planted.random_database import Settings
from tests.planted.write import write_dump


def references_of(database: Database, folder: Path, sample: int | None = None) -> tuple[Reference, ...]:
    source = open_source(str(write_dump(database, folder).dump))
    try:
        options, stop = Options(sample=sample), threading.Event()
        survey, ids = scan(source, options, Progress(), stop)
        return find_references(source, survey, ids, options, Progress(), stop)
    finally:
        source.close()


def scored(database: Database, folder: Path) -> Score:
    return score(database.truth, references_of(database, folder))


def place(one: Reference) -> tuple[str, tuple[str, ...]]:
    return one.collection, one.path


def together(scores: list[Score]) -> tuple[float, float]:
    """Return precision and recall of all units of several databases."""
    right = sum(len(one.right) for one in scores)
    wrong, missed = sum(len(one.wrong) for one in scores), sum(len(one.missed) for one in scores)
    return right / (right + wrong), right / (right + missed)


@pytest.mark.parametrize("documents", [300, 1000, pytest.param(20_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_reference_of_the_crm_is_found_and_nothing_else(seed: int, documents: int, tmp_path: Path) -> None:
    found = scored(crm.generate(seed=seed, documents=documents), tmp_path)
    assert (found.missed, found.wrong, found.told) == (set(), set(), [])
    assert found.judged > 30


@pytest.mark.parametrize("seed", [11, 12])
def test_orphans_do_not_hide_references_of_the_crm(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm, "ORPHANS", Blemishes(orphans=0.05))
    found = scored(crm.generate(seed=seed, documents=1000), tmp_path)
    assert (found.missed, found.wrong, found.told) == (set(), set(), [])


@pytest.mark.parametrize(
    ("seeds", "settings"),
    [
        pytest.param(range(10), Settings(), id="ordinary"),
        pytest.param(range(100, 105), Settings(orphan_rate=0.2, stray_rate=0.05), id="many-orphans"),
        pytest.param(range(200, 206), Settings(reuse_rate=0.8), id="most-ids-reused"),
        pytest.param(range(300, 302), Settings(collections=12, references=25, documents=3000), id="many-collections"),
        pytest.param(range(1000, 1200), Settings(), id="many", marks=pytest.mark.soak),
    ],
)
def test_references_of_random_databases_are_found(seeds: range, settings: Settings, tmp_path: Path) -> None:
    scores = [scored(random_database.generate(seed=seed, settings=settings), tmp_path / str(seed)) for seed in seeds]
    precision, recall = together(scores)
    assert precision >= 0.95, [one.wrong for one in scores if one.wrong]
    assert recall >= 0.95, [one.missed for one in scores if one.missed]
    told, judged = [sentence for one in scores for sentence in one.told], sum(one.judged for one in scores)
    assert judged > 10 * len(scores) * 0.8
    assert len(told) <= 0.05 * judged, told


@pytest.mark.parametrize("seed", [1, 2])
def test_names_are_hardly_needed(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.survey.chance.likeness", lambda *_: 0.0)
    monkeypatch.setattr("isthmus.survey.chance.is_same_name", lambda *_: False)
    monkeypatch.setattr("isthmus.survey.chance.says_reference", lambda *_, **__: False)
    found = scored(random_database.generate(seed=seed), tmp_path)
    assert not found.wrong
    assert found.recall >= 0.95


def test_ids_that_fit_only_into_filters_give_the_same_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = crm.generate(seed=4, documents=6000)
    exact = {place(one): one for one in references_of(database, tmp_path)}
    monkeypatch.setattr("isthmus.survey.scan.Profiler", lambda _: Profiler('{"ids_bytes": 2048}'))
    filtered = {place(one): one for one in references_of(database, tmp_path)}
    assert filtered.keys() == exact.keys()
    rates = [one.false_positives for one in filtered.values()]
    assert max(rates) > 0.01
    for where, one in filtered.items():
        noise = one.false_positives * one.values
        assert (one.to, set(one.several)) == (exact[where].to, set(exact[where].several))
        assert abs(one.hits - exact[where].hits) <= 4 + noise / 2
        assert one.hits <= one.values


@pytest.mark.parametrize("seed", [5, 6])
def test_a_sample_claims_nothing_that_all_documents_deny(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.sources.reading.BLOCK_BYTES", 4096)  # a sample is made of whole blocks
    database = crm.generate(seed=seed, documents=4000)
    found = references_of(database, tmp_path, sample=40)
    planted = {
        (one.collection, tuple(one.path), one.target, tuple(one.target_path)) for one in database.truth.references
    }
    claimed = {unit for one in found for unit in units(one)}
    assert claimed <= planted
    assert len(claimed) > 5
    assert sum(one.sampled for one in found) > len(found) / 2
    # What is once in a sample may be twice in the rest.
    assert {one.cardinality for one in found} <= {"many-to-one", "many-to-many"}
