"""A folder of migrations in the flat layout, and a database that they are deployed to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from isthmus.govern.deploying.deploy import deploy
from isthmus.govern.deploying.standing import standings
from isthmus.govern.migrations.script import Script, read_scripts
from isthmus.govern.settings import SchemaSettings
from isthmus.state.schema_history import read_history

HEADER = "-- Purpose: a test\n-- Ticket: N/A\n-- Reversible: No\n"
NONE = "-- Transaction: none\n"
SETTINGS = SchemaSettings(folder="m", layout="flat")


class Project:
    """A folder of migrations and a database."""

    def __init__(self, folder: Path, conninfo: str, settings: SchemaSettings = SETTINGS) -> None:
        self.root, self.folder, self.conninfo, self.settings = folder, folder / settings.folder, conninfo, settings
        self.folder.mkdir(parents=True)
        (folder / "isthmus.toml").write_text(f'[schema]\nfolder = "{settings.folder}"\nlayout = "{settings.layout}"\n')

    def write(self, name: str, sql: str, *, more: str = "") -> Path:
        """Write a migration, with its header."""
        return self.put(name, f"{HEADER}{more}\n{sql}\n")

    def put(self, name: str, text: str) -> Path:
        """Write a migration as it is."""
        file = self.folder / (f"{name}.sql" if self.settings.layout == "flat" else f"{name}/migration.sql")
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
        return file

    def scripts(self) -> list[Script]:
        """Read the folder."""
        return read_scripts(self.folder, self.settings)

    def deploy(self, **how: Any) -> list[str]:
        """Deploy; return what was applied."""
        return [one.name for one in deploy(how.pop("conninfo", self.conninfo), "m", self.scripts(), **how)]

    def stands(self, *, at_work: bool = False) -> dict[str, str]:
        """Return name → where it stands."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            history = read_history(connection, "m")
        return {one.name: one.stand for one in standings(self.scripts(), history, at_work=at_work)}

    def do(self, *statements: str) -> None:
        """Execute statements, each for itself."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for one in statements:
                connection.execute(one.encode())

    def one(self, query: str) -> Any:
        """Return the first value of the first row."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
            return row and row[0]

    def line(self, name: str) -> dict[str, Any] | None:
        """Return a line of the history."""
        return self.one(f"SELECT to_jsonb(h) FROM isthmus.schema_history h WHERE name = '{name}'")
