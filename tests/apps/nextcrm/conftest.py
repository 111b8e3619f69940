"""Generated NextCRM databases, copied once a session by the command; tests only read what it left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.nextcrm.generator.build import generate, profile_of
from apps.nextcrm.generator.sinks import DumpFolder
from tests.apps.nextcrm.target import Target
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import Copied, copy

MAPPING = Path(__file__).parents[3] / "apps" / "nextcrm" / "mapping.yaml"


@dataclass(frozen=True)
class Carried:
    """A generated database and the target it was copied to.

    Attributes:
        dump: The dump's folder.
        truth: What was planted, as read back from its JSON file.
        copied: How the command ended.
        database: Conninfo of the target.
    """

    dump: Path
    truth: dict[str, Any]
    copied: Copied
    database: str


Carry = Callable[[str, int, int], Carried]


@pytest.fixture(scope="session")
def carry(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carry]:
    """Return a function that generates and copies a database: profile, documents, seed."""
    made: list[str] = []

    def make(profile: str, documents: int, seed: int) -> Carried:
        folder = tmp_path_factory.mktemp("nextcrm")
        dump = folder / "nextcrm"
        generate(profile_of(profile, documents), seed, DumpFolder(dump)).write(folder / "truth.json")
        made.append(create_database(postgres))
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        return Carried(dump, truth, copy(MAPPING, dump, made[-1]), made[-1])

    yield make
    for database in made:
        drop_database(postgres, database)


@pytest.fixture(scope="session")
def as_run(carry: Carry) -> Carried:
    """The 9,288 documents of the real run."""
    return carry("as-run", 0, 1)


@pytest.fixture(scope="session")
def busy(carry: Carry) -> Carried:
    """A small busy database: every collection, every junction, everything that is planted."""
    return carry("busy", 2_500, 2)


@pytest.fixture(params=["as_run", "busy"])
def carried(request: pytest.FixtureRequest) -> Carried:
    """Each of the two."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def target(carried: Carried) -> Iterator[Target]:
    """What the copy left, to be asked with plain SQL."""
    with psycopg.connect(carried.database) as connection:
        yield Target(connection, carried.truth["labels"])
