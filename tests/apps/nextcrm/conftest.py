"""Generated NextCRM databases, copied once a session as in a cutover: `isthmus schema deploy`, then `isthmus copy`.

Tests only read what the commands left.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from tests import forkserver
from tests.apps.nextcrm.target import Target
from tests.fix_postgres import create_database, drop_database
from tests.oracle.copying import COMMAND, Copied, copy, url

HOME = Path(__file__).parents[3] / "apps" / "nextcrm"
MAPPING = HOME / "mapping.yaml"
SETTINGS = ("MONGODB_URI", "POSTGRES_", "DATABASE_URL", "ISTHMUS_", "PG")
"""How the names of all settings begin."""


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


@dataclass(frozen=True)
class Ran:
    """One finished command.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output.
        said: What it wrote to standard error.
    """

    code: int
    out: str
    said: str


def run(*words: str, database: str, home: Path = HOME) -> Ran:
    """Run `isthmus` in the application's folder as an operator does, with `DATABASE_URL` as its only setting."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment["DATABASE_URL"] = url(database)
    if forkserver.possible():
        ran = forkserver.run("isthmus", list(words), cwd=home, env=environment, timeout=240)
    else:
        ran = subprocess.run(
            [COMMAND, *words], cwd=home, capture_output=True, check=False, env=environment, timeout=240
        )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


@pytest.fixture(scope="session")
def make_deployed(postgres: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes databases as `isthmus schema deploy` leaves an empty one; it is run once."""
    made = [create_database(postgres)]
    ran = run("schema", "deploy", database=made[0])
    assert ran.code == 0, ran.said
    template = str(conninfo_to_dict(made[0])["dbname"])

    def make() -> str:
        name = f"{template} {secrets.token_hex(4)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        made.append(make_conninfo(postgres, dbname=name))
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
