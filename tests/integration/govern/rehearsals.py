"""Migrations for rehearsals: a first one that makes what the others change, then one a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.rehearsing.outcome import Outcome
from isthmus.govern.rehearsing.rehearse import Part, Rehearsed, rehearse
from isthmus.govern.rehearsing.seeding.seed_file import SeedFile
from isthmus.govern.scratch import Scratch
from isthmus.govern.settings import SchemaSettings


@dataclass(frozen=True)
class Case:
    """One migration.

    Attributes:
        name: What comes behind its number.
        first: SQL that makes what it changes.
        up: Its SQL.
        down: Its rollback.
        said: What must be said of it, `kind: sentence`, all of it.
        reversible: What its header says.
        more: Further lines of the header.
    """

    name: str
    first: str
    up: str
    down: str
    said: tuple[str, ...] = ()
    reversible: str = "Yes"
    more: str = ""

    @property
    def text(self) -> str:
        """The migration as a file."""
        down = "\n".join(f"--   {line}" for line in self.down.splitlines())
        return (
            f"-- Purpose: a case\n-- Ticket: N/A\n-- Reversible: {self.reversible}\n"
            f"{self.more}-- Rollback:\n{down}\n\n{self.up}\n"
        )


def write_cases(folder: Path, cases: Sequence[Case]) -> None:
    """Write the cases into a folder in the flat layout; 0001 makes what they change."""
    folder.mkdir(parents=True, exist_ok=True)
    first = "\n".join(f"{one.first.rstrip(';')};" for one in cases if one.first)
    header = "-- Purpose: before all\n-- Ticket: N/A\n-- Reversible: No\n\n"
    (folder / "0001_first.sql").write_text(f"{header}{first or 'SELECT 1;'}\n", encoding="utf-8")
    for number, one in enumerate(cases, 2):
        (folder / f"{number:04}_{one.name}.sql").write_text(one.text, encoding="utf-8")


def rehearse_folder(
    folder: Path, scratch: Scratch, *, seeds: Sequence[SeedFile] = (), last: int | None = None, **settings: Any
) -> tuple[dict[str, Outcome], Rehearsed]:
    """Rehearse a folder, and return what became of each migration by what comes behind its number."""
    stated = SchemaSettings(folder="m", layout="flat", **settings)
    part = Part(stated, folder, tuple(read_scripts(folder, stated)))
    outcomes: list[Outcome] = []
    found = rehearse([part], scratch, seeds=seeds, last=last, tell=outcomes.append)
    return {one.name.partition("_")[2]: one for one in outcomes}, found


def said_of(outcome: Outcome) -> tuple[str, ...]:
    """Return what was said of a migration as `kind: sentence`."""
    return tuple(f"{one.kind}: {one.sentence}" for one in outcome.said)
