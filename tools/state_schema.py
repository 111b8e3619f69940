"""Writes what Isthmus's own state migrations make, `src/isthmus/state/migrations/schema.json`, or checks that it is so.

python -m tools.state_schema            write it
python -m tools.state_schema --check    write nothing; exit 1 when it differs

It is what `isthmus schema rehearse` writes for the folders of others. That command reads no schema `isthmus`, and makes
none before the first migration; here the state's own runner does both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

from isthmus.govern.catalog.model import Catalog
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.rehearsing.made import Made, Maker
from isthmus.govern.schema_json import checksum_of, render
from isthmus.govern.scratch import scratch_server
from isthmus.state.migrate import migrate, state_migrations

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "src" / "isthmus" / "state" / "migrations"
FILE = FOLDER / "schema.json"
TITLE = "state"


def state_catalog(connection: psycopg.Connection) -> Catalog:
    """Return what stands in the schema `isthmus`."""
    return {key: one for key, one in read_catalog(connection, but=()).items() if key.schema == "isthmus"}


def made_by(connection: psycopg.Connection) -> str:
    """Return the text of `schema.json`, from an empty database that has the state afterwards."""
    made = Made()
    migrate(connection, [])
    made.follow(state_catalog(connection), Maker("", ""))
    migrations = state_migrations()
    checksums: dict[str, str] = {}
    for number, one in enumerate(migrations, 1):
        migrate(connection, migrations[:number])
        name = f"{one.version:04}_{one.name}"
        made.follow(state_catalog(connection), Maker(TITLE, name))
        checksums[name] = checksum_of(one.sql, None)
    return render(made.schema_json(TITLE, checksums, state_catalog(connection)))


def main(arguments: list[str]) -> int:
    """Write or check the file."""
    with (
        scratch_server() as server,
        server.database() as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        text = made_by(connection)
    if arguments == ["--check"]:
        if FILE.read_text(encoding="utf-8") == text:
            return 0
        sys.stdout.write(f"{FILE.relative_to(ROOT)} is not what the migrations make: python -m tools.state_schema\n")
        return 1
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
