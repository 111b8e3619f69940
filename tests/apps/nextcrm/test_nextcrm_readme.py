"""Every test, file and plant that the tables of `apps/nextcrm/README.md` name is there under that name.

Cannot see: whether the test shows what its row says.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from apps.nextcrm.generator.catalogue import PLANTS

ROOT = Path(__file__).parents[3]
README = ROOT / "apps" / "nextcrm" / "README.md"
HERE = Path(__file__).parent
_NAME = re.compile(r"`([^`]+)`")
BY_BUILD = {"of-task", "of-crm-task", "dangling"}
"""What the generator plants everywhere, not in one document of a collection."""


def rows() -> list[str]:
    """The rows of the two tables that say what is shown by what."""
    text = README.read_text(encoding="utf-8")
    part = text[text.index("## Requirements of the papers") :]
    return [
        line for line in part.splitlines() if line.startswith("| ") and "shown by" not in line and "---" not in line
    ]


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of a module's functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def faults_of(row: str) -> list[str]:
    """What of a row's names is not there. `…x.py` is `test_nextcrm_x.py`; `…::f` is of the file before."""
    faults: list[str] = []
    before: Path | None = None
    plants = {plant.name for own in PLANTS.values() for plant in own} | BY_BUILD
    shown_by = row.rstrip("| ").rpartition(" | ")[2]
    for name in _NAME.findall(shown_by):
        if name.startswith("…::"):
            path, test = before, name[3:]
        elif ".py" in name:
            file, _, test = name.partition("::")
            path = found(file.replace("…", "test_nextcrm_"), before)
        elif "/" in name:
            faults += [] if (ROOT / name).exists() else [name]
            continue
        else:
            if "truth.py" in shown_by and re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", name) and name not in plants:
                faults.append(name)
            continue
        if path is None or not path.is_file() or (test and test not in functions(path)):
            faults.append(name)
        before = path or before
    return faults


def found(file: str, before: Path | None) -> Path | None:
    """A file by its path from the root, beside these tests, or beside the one that was named before it."""
    places = [ROOT, HERE, *([before.parent] if before is not None else [])]
    return next((place / file for place in places if (place / file).is_file()), None)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip()[:40])
def test_what_a_row_names_is_there(row: str) -> None:
    assert faults_of(row) == []


def test_links_into_the_page_lead_to_its_headings() -> None:
    text = README.read_text(encoding="utf-8")
    headings = {line.strip("# ").lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert links
    assert not set(links) - headings


def test_a_name_that_is_not_there_is_found() -> None:
    """Or the test above could not fail."""
    names = (
        "test_nextcrm_truth.py::test_nothing",
        "…::test_no",
        "tests/nowhere",
        "…nofile.py",
        "no-plant` in `…truth.py",
    )
    row = f"| x | `{'`, `'.join(names)}` |"
    assert len(faults_of(row)) == 5


def test_every_hazard_has_a_row() -> None:
    numbers = {int(number) for row in rows() for number in re.findall(r"\bH(\d+)\b", row.split("|")[1])}
    assert numbers == set(range(1, 33))
