"""Every test that the tables of `apps/panamia/README.md` name is there, and every hazard and promise has its row.

Cannot see: whether the test shows what its row says.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACES = ("tests/apps/panamia", "tests/integration", "tests/unit")


def rows() -> list[str]:
    text = (ROOT / "apps" / "panamia" / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## Hazards of the real scripts") :]
    return [line for line in part.splitlines() if re.match(r"\| [HP]\d", line)]


def test_each_named_test_is_there() -> None:
    sources = [path.read_text(encoding="utf-8") for place in PLACES for path in (ROOT / place).rglob("test_*.py")]
    there = {name for source in sources for name in re.findall(r"def (test_\w+)\(", source)}
    named = {name for row in rows() for name in re.findall(r"`(test_\w+)`", row)}
    assert len(named) > 30
    assert named - there == set()


def test_each_hazard_and_promise_has_a_row_that_says_something() -> None:
    told = {one for row in rows() for one in re.findall(r"[HP]\d+", row.split("|")[1])}
    assert told == {f"H{number}" for number in range(1, 33)} | {f"P{number}" for number in range(1, 13)}
    assert [row for row in rows() if not row.rstrip("| ").rpartition(" | ")[2].strip()] == []
