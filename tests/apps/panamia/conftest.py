"""A generated Pana MIA database, moved once a session, phase by phase; tests only read what is left."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.panamia.generate import main as generate
from apps.panamia.moving.phases import PHASES
from tests import forkserver
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import COMMAND, url

HOME = Path(__file__).parents[3] / "apps" / "panamia"
MAPPING = HOME / "mapping.yaml"
PEOPLE = 200
SETTINGS = ("MONGODB_URI", "POSTGRES_", "DATABASE_URL", "ISTHMUS_", "PG")
"""How the names of all settings begin."""


@dataclass(frozen=True)
class Ran:
    """One finished command, with the JSON it wrote."""

    code: int
    said: str
    result: dict[str, Any]


def isthmus(*words: str, database: str, json_file: Path | None = None) -> Ran:
    """Run `isthmus` in the application's folder, with `DATABASE_URL` as its only setting."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment["DATABASE_URL"] = url(database)
    arguments = [*words, *(["--json", str(json_file)] if json_file is not None else [])]
    if forkserver.possible():
        ran = forkserver.run("isthmus", arguments, cwd=HOME, env=environment, timeout=240)
    else:
        ran = subprocess.run(
            [COMMAND, *arguments], cwd=HOME, capture_output=True, check=False, env=environment, timeout=240
        )
    there = json_file is not None and json_file.is_file() and json_file.stat().st_size > 0
    result = json.loads(json_file.read_text()) if json_file is not None and there else {}
    return Ran(ran.returncode, ran.stderr.decode() + ran.stdout.decode(), result)


@dataclass
class Moved:
    """A generated database and where it was moved to.

    Attributes:
        dump: Its folder.
        database: Conninfo of the target.
        answers: The answers to its conflicts.
        truth: The page of what was planted; `lines` reads the rest.
        copies: How each phase's copy ended, by number.
        proofs: How its verification did.
    """

    dump: Path
    database: str
    answers: Path
    truth: dict[str, Any]
    copies: dict[int, Ran] = field(default_factory=dict[int, Ran])
    proofs: dict[int, Ran] = field(default_factory=dict[int, Ran])
    _ids: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def lines(self, name: str) -> list[dict[str, Any]]:
        """One of the files of lines beside the truth."""
        path = self.dump.parent / self.truth["files"][name]["file"]
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]

    def run(self, number: int, folder: Path) -> Ran:
        """Copy a phase."""
        phase = next(one for one in PHASES if one.number == number)
        only = [part for entry in phase.entries for part in ("--only", entry)]
        words = ["copy", "mapping.yaml", "--source", str(self.dump), "--resolutions", str(self.answers), *only]
        return isthmus(*words, database=self.database, json_file=folder / f"copy{number}.json")

    def verify(self, number: int, folder: Path) -> Ran:
        """Verify what was copied last, every document."""
        words = ["verify", "mapping.yaml", "--source", str(self.dump), "--sample", "all"]
        return isthmus(*words, database=self.database, json_file=folder / f"verify{number}.json")

    def row_of(self, collection: str, document: str) -> str | None:
        """The id of the row that a document is, or is a part of; None where it has none."""
        if not self._ids:
            written = isthmus("ids", "export", database=self.database).said
            for line in csv.DictReader(io.StringIO(written[written.index("collection,") :])):
                self._ids[line["collection"], line["source_id"]] = line["id"]
        return self._ids.get((collection, document)) or self._ids.get(("", document))


@pytest.fixture(scope="session")
def moved(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """All phases, each verified, of a small database from a dump."""
    folder = tmp_path_factory.mktemp("panamia")
    dump = folder / "dump"
    assert generate([str(dump), "--people", str(PEOPLE)]) == 0
    database = create_database(postgres)
    deployed = isthmus("schema", "deploy", database=database)
    assert deployed.code == 0, deployed.said
    truth = json.loads((folder / "dump.truth.json").read_text())
    made = Moved(dump, database, folder / "dump.resolutions.yaml", truth)
    for phase in PHASES:
        if phase.kind == "copy":
            made.copies[phase.number] = made.run(phase.number, folder)
            made.proofs[phase.number] = made.verify(phase.number, folder)
    yield made
    drop_database(postgres, database)


@pytest.fixture
def rows(moved: Moved) -> Iterator[psycopg.Connection[Any]]:
    """The target, to be asked with plain SQL."""
    with psycopg.connect(moved.database) as connection:
        yield connection
