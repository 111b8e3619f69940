"""Generated NextCRM databases, copied once a session as in a cutover: `isthmus schema deploy`, then `isthmus copy`.

Tests only read what the commands left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from tests.apps.nextcrm.target import Target
from tests.apps.running import isthmus
from tests.apps.twins import twin_of
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import Copied, copy

HOME = Path(__file__).parents[3] / "apps" / "nextcrm"
MAPPING = HOME / "mapping.yaml"
run = partial(isthmus, home=HOME)


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
def make_deployed(postgres: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes databases as `isthmus schema deploy` leaves an empty one; it is run once."""
    made = [create_database(postgres)]
    ran = run("schema", "deploy", database=made[0])
    assert ran.code == 0, ran.said

    def make() -> str:
        made.append(twin_of(postgres, made[0]))
        return made[-1]

    yield make
    for database in made:
        drop_database(postgres, database)


@pytest.fixture
def deployed(make_deployed: Callable[[], str]) -> str:
    """Conninfo of a database with the tables of the migrations, empty."""
    return make_deployed()


@pytest.fixture(scope="session")
def carry(make_deployed: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Carry:
    """Return a function that generates a database and copies it: profile, documents, seed."""

    def make(profile: str, documents: int, seed: int) -> Carried:
        folder = tmp_path_factory.mktemp("nextcrm")
        dump = folder / "nextcrm"
        generate(profile_of(profile, documents), seed, DumpFolder(dump)).write(folder / "truth.json")
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        database = make_deployed()
        return Carried(dump, truth, copy(MAPPING, dump, database), database)

    return make


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
