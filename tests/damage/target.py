"""A dump, its mapping and its target: the real commands run on them, and plain SQL.

Nothing of isthmus is imported here: commands run as processes of their own.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests import forkserver
from tests.damage.source import SCHEMA
from tests.fix_dumps import Documents, write_collection

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("isthmus")


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, its `--json` (None where it wrote none), all it said, its errors."""

    code: int
    report: dict[str, Any] | None
    said: str
    errors: str


@dataclass(frozen=True)
class Target:
    """A target with what it was copied from.

    Attributes:
        conninfo: The database.
        dump: The dump's folder.
        mapping: The mapping file.
        schema: What statements find without naming a schema.
    """

    conninfo: str
    dump: Path
    mapping: Path
    schema: str = SCHEMA

    def do(self, statements: Sequence[str]) -> None:
        """Run statements in one transaction in which neither triggers nor foreign keys are looked at."""
        with psycopg.connect(self.conninfo) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.schema)))
            for statement in statements:
                connection.execute(statement.encode())

    def one(self, query: str) -> str:
        """Return the only value of a query."""
        with psycopg.connect(self.conninfo) as connection:
            connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.schema)))
            rows = connection.execute(query.encode()).fetchall()
        assert len(rows) == 1, (query, rows)
        return str(rows[0][0])

    def copy(self, *more: str, faults: str | None = None) -> Ended:
        """`isthmus copy`; with faults as `tests.faulty_core` takes them."""
        return self._run("copy", *more, faults=faults)

    def verify(self, *more: str, faults: str | None = None) -> Ended:
        """`isthmus verify` of every document; with faults as `tests.faulty_core` takes them."""
        return self._run("verify", "--sample", "all", *more, faults=faults)

    def _run(self, command: str, *more: str, faults: str | None) -> Ended:
        source = [] if "--source" in more else ["--source", str(self.dump)]
        return run([command, str(self.mapping), *source, "--json", "-", *more], self.conninfo, faults)

    def twin(self, server: str) -> Target:
        """Return the same target once more; nobody may be connected to this one."""
        return replace(self, conninfo=create_database(server, template=self.conninfo))


def run(arguments: Sequence[str], conninfo: str, faults: str | None = None) -> Ended:
    """Run a command; the target is given through the environment."""
    environment = {**os.environ, "DATABASE_URL": url(conninfo)}
    if faults is None and forkserver.possible():
        ended = forkserver.run("isthmus", arguments, cwd=Path.cwd(), env=environment, timeout=240)
    else:
        command = [COMMAND] if faults is None else [sys.executable, "-m", "tests.faulty_core", faults]
        ended = subprocess.run(
            [*command, *arguments], capture_output=True, check=False, cwd=ROOT, env=environment, timeout=240
        )
    report = json.loads(ended.stdout) if ended.stdout.strip() else None
    errors = ended.stderr.decode()
    return Ended(ended.returncode, report, ended.stdout.decode() + errors, errors)


def url(conninfo: str) -> str:
    """Return a conninfo as an address."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    database = quote(parts.pop("dbname"), safe="")
    options = "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())
    return f"postgresql:///{database}?{options}"


def create_database(server: str, *, template: str | None = None) -> str:
    """Make a database, as a twin of another one where that is given, and return its conninfo."""
    name = f"d {secrets.token_hex(4)} \"ü'%"
    origin = "template0" if template is None else str(conninfo_to_dict(template)["dbname"])
    with psycopg.connect(server, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(origin)))
    return make_conninfo(server, dbname=name)


def drop_database(server: str, conninfo: str) -> None:
    """Drop a database, whoever is connected."""
    name = str(conninfo_to_dict(conninfo)["dbname"])
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def write_dump(folder: Path, collections: Mapping[str, Documents]) -> Path:
    """Write collections as mongodump does, and return the folder."""
    for name, documents in collections.items():
        write_collection(folder, name, documents)
    return folder
