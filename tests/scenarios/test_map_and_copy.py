"""A mapping as `isthmus map` proposes it, copied unchanged: no dead letter, balanced books, exit 0, every row right.

Oracle: the books of the copy, and the slow reference of `verify`, which reads the documents again and shares nothing
with the core. Where that finds nothing, `isthmus verify` must not either, in any layer. What this cannot see: whether
the proposal is a good one for people; `tests/unit/survey/propose` holds its rules.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generators.hostile import write_hostile
from tests.integration.cli.conftest import run_command
from tests.oracle.copying import compared, copy, url
from tests.planted import crm, random_database
from tests.planted.random_database import Settings
from tests.planted.write import write_dump
from tests.scenarios.test_real_dumps import DUMPS


def carried_unchanged(source: Path, folder: Path, database: str) -> None:
    """Map a source and copy it; every row must be as the oracle says, and every layer of verify must say so too."""
    mapping = folder / "mapping.yaml"
    mapped = run_command(folder, "map", source, "-o", mapping)
    assert mapped.code == 0, mapped.all
    text = mapping.read_text(encoding="utf-8")
    copied = copy(mapping, source, database)
    assert copied.report is not None, copied.said
    letters = {name: books["dead_letters"] for name, books in copied.report["collections"].items()}
    assert (copied.code, sum(letters.values())) == (0, 0), f"{copied.said}\n{text}"
    assert not compared(mapping, source, database).differences
    verified = run_command(
        folder, "verify", mapping, "--source", source, "--sample", "all", env={"DATABASE_URL": url(database)}
    )
    assert verified.code == 0, f"{verified.all}\n{text}"


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.soak)])
def test_sales_office_is_carried(seed: int, database: str, tmp_path: Path) -> None:
    written = write_dump(crm.generate(seed=seed, documents=600), tmp_path)
    carried_unchanged(written.dump, tmp_path, database)


@pytest.mark.parametrize("seed", [*range(1, 5), *(pytest.param(n, marks=pytest.mark.soak) for n in range(5, 60))])
def test_random_databases_with_orphans_and_reused_ids_are_carried(seed: int, database: str, tmp_path: Path) -> None:
    settings = Settings(documents=400, orphan_rate=[0.0, 0.05, 0.3][seed % 3], reuse_rate=[0.5, 0.0, 1.0][seed % 3])
    written = write_dump(random_database.generate(seed=seed, settings=settings), tmp_path)
    carried_unchanged(written.dump, tmp_path, database)


_SEEDS = [*range(6), 171]
"""171: DBRefs whose `$id` is null twice, under an index that says it is unique."""


@pytest.mark.parametrize(
    "seed", [*_SEEDS, *(pytest.param(n, marks=pytest.mark.soak) for n in range(200) if n not in _SEEDS)]
)
def test_databases_that_nobody_would_design_are_carried(seed: int, database: str, tmp_path: Path) -> None:
    carried_unchanged(write_hostile(tmp_path, seed), tmp_path, database)


@pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps are not here; set ISTHMUS_REAL_DUMPS")
@pytest.mark.parametrize("name", ["sample_analytics", "sample_mflix", "sample_training"])
def test_real_dumps_are_carried(name: str, database: str, tmp_path: Path) -> None:
    carried_unchanged(DUMPS / name, tmp_path, database)
