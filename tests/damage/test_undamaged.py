"""A target that nobody damaged passes, whatever was copied into it: nothing is ever named that is as it must be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.damage.generated import Generated, databases
from tests.damage.target import Ended, Target, create_database, drop_database, run

KINDS = {
    "types": 33,
    "forms": 33,
    "planted": 8,
    "mixed ids": 6,
    "shop": 6,
    "mingled": 6,
    "joined": 3,
    "hostile": 3,
    "crm": 1,
    "troubled": 1,
}
"""How many databases of each kind are copied and verified; ten times as many in the full size."""

_SEEDS_A_TEST = 15
SIZES = [
    pytest.param(kind, range(start, min(start + _SEEDS_A_TEST, stop)), id=f"{kind} from {start}", marks=marks)
    for kind, count in KINDS.items()
    for first, stop, marks in ((0, count, pytest.mark.slow), (count, 10 * count, pytest.mark.soak))
    for start in range(first, stop, _SEEDS_A_TEST)
]


def test_there_are_as_many_databases_as_promised() -> None:
    assert sum(KINDS.values()) == 100


@pytest.mark.parametrize(("kind", "seeds"), SIZES)
def test_undamaged_target_passes(kind: str, seeds: range, postgres: str, tmp_path: Path) -> None:
    wrong: list[str] = []
    for one in databases(kind, seeds):
        folder = tmp_path / one.name
        if found := alarm(one, folder, postgres):
            wrong.append(f"{one.name} in {folder}: {found}")
        else:
            shutil.rmtree(folder)
    assert not wrong, "\n".join(wrong)


def alarm(one: Generated, folder: Path, server: str) -> str:
    """Copy a database and verify it; return what was said against it."""
    folder.mkdir()
    written = one.write(folder)
    mapping = folder / "mapping.yaml"
    target = Target(create_database(server), written.dump, mapping, one.schema)
    try:
        if written.mapping is None:
            proposed = run(["map", str(written.dump), "-o", str(mapping)], target.conninfo)
            assert proposed.code == 0, proposed.said
        else:
            mapping.write_text(written.mapping, encoding="utf-8")
        copied = target.copy()
        assert copied.code in (0, 1), copied.errors
        assert copied.report is not None
        assert copied.report["outcome"] == "complete", copied.errors
        return told(target.verify())
    finally:
        drop_database(server, target.conninfo)


def told(ended: Ended) -> str:
    """Return what `isthmus verify` said against a target; nothing where it passed."""
    if ended.code == 0:
        return ""
    named = [
        f"{one['layer']} {one['table']} {one['id']} {one['path']}: {one['expected']} / {one['actual']}"
        for one in (ended.report or {}).get("differences", [])[:4]
    ]
    return f"exit code {ended.code}; {'; '.join(named) or ended.errors[:500]}"
