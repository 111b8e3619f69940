"""A target that documents are carried to and taken back from, by the command; read with SQL of the tests' own."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.fix_dumps import Documents, write_collection
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.carrying import oid

TABLES = """
CREATE SCHEMA "Other's One";
CREATE TABLE "Places" (id uuid PRIMARY KEY, name text UNIQUE, keeper uuid);
CREATE TABLE people (
  id uuid PRIMARY KEY, "full ""name" text UNIQUE, "Place" uuid REFERENCES "Places" ON DELETE SET NULL,
  boss uuid REFERENCES people ON DELETE RESTRICT, town uuid REFERENCES "Places" ON DELETE CASCADE,
  seen uuid[], towns uuid[], notes jsonb, "nicht abgebildet ß" text DEFAULT 'von hier');
ALTER TABLE "Places" ADD FOREIGN KEY (keeper) REFERENCES people;
CREATE TABLE trips (people_id uuid REFERENCES people ON DELETE CASCADE, position integer,
  place uuid REFERENCES "Places", said text, PRIMARY KEY (people_id, position));
CREATE TABLE "Visits" (place uuid REFERENCES "Places" ON DELETE CASCADE, person uuid REFERENCES people, noted text,
  PRIMARY KEY (person, place));
CREATE TABLE follows (follower uuid REFERENCES people, followed uuid REFERENCES people,
  PRIMARY KEY (follower, followed));
"""
MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  people:
    match: [['full "name']]
    fields:
      name: {column: 'full "name', type: text}
      place: {column: Place, references: Places, on_orphan: "null"}
      boss: {references: people, on_orphan: "null"}
      town: {references: Places.name, on_orphan: "null"}
      seen: {references: Places, type: "uuid[]", on_orphan: "null"}
      towns: {references: Places.name, type: "uuid[]", on_orphan: "null"}
      notes: {type: jsonb, rewrite: {"[].place": Places}}
      trips: {child: trips, fields: {place: {references: Places, on_orphan: "null"}, said: text}}
      visits: {junction: Visits, own: person}
      follows: {junction: follows, own: follower}
  Places:
    table: Places
    match: [[name]]
    fields:
      name: {type: text, unique: true}
      keeper: {references: people, on_orphan: "null"}
junctions: {Visits: {person: people, place: Places}, follows: {follower: people, followed: people}}
"""
DUMP: dict[str, list[dict[str, Any]]] = {
    "people": [
        {
            "_id": oid(1),
            "name": "Ann",
            "place": oid(11),
            "boss": oid(2),
            "town": "Oslo",
            "seen": [oid(12), oid(11)],
            "towns": ["Oslo", "Rome"],
            "notes": [{"place": oid(11)}, {"place": oid(12), "x": 1}],
            "trips": [{"place": oid(11), "said": "a"}, {"place": oid(12)}],
            "visits": [oid(11), oid(12)],
            "follows": [oid(2), oid(3)],
            "unnamed": {"k": 1},
        },
        {"_id": oid(2), "name": "Bob 'B\"", "place": oid(12), "boss": oid(1), "follows": [oid(1)]},
        {"_id": oid(3), "name": "Çid", "boss": oid(3), "trips": [{"place": oid(12), "said": "c"}]},
    ],
    "Places": [
        {"_id": oid(11), "name": "Rome", "keeper": oid(1), "unnamed": True},
        {"_id": oid(12), "name": "Oslo", "keeper": oid(2)},
    ],
}

# What differs between two copies that came to the same: numbers of runs and entries, instants.
_LEFT_OUT = {"run", "partition", "batch", "verification", "undo", "tally", "migration", "saved_ddl"}
_NUMBERS = {"id", "run_id", "created_at", "made_at", "changed_at", "gone_in"}


@dataclass
class World:
    """One target, one dump of the database `shop`, one mapping.

    Attributes:
        conninfo: The target.
        dump: The dump folder.
        folder: Where commands run.
    """

    conninfo: str
    dump: Path
    folder: Path

    @property
    def mapping(self) -> Path:
        """The mapping file."""
        return self.folder / "mapping.yaml"

    def prepare(
        self, tables: str = TABLES, mapping: str = MAPPING, dump: Mapping[str, Documents | None] | None = None
    ) -> None:
        """Make tables, mapping and dump."""
        self.do(tables)
        self.map(mapping)
        self.write(DUMP if dump is None else dump)

    def map(self, mapping: str) -> None:
        """Write the mapping file."""
        self.mapping.write_text(textwrap.dedent(mapping), "utf-8")

    def write(self, collections: Mapping[str, Documents | None]) -> None:
        """Write, or replace, collections of the dump."""
        for name, documents in collections.items():
            write_collection(self.dump, name, documents)

    def run(self, *words: object, env: dict[str, str] | None = None) -> Ran:
        """Run the command."""
        return run_command(self.folder, *words, env=env)

    def copy(self, *only: str, code: int = 0, more: tuple[object, ...] = ()) -> Ran:
        """Copy some entries, or all."""
        ran = self.run("copy", self.mapping, "-s", self.dump, "-t", self.conninfo, *_only(only), *more)
        assert ran.code == code, ran.all
        return ran

    def verify(self, code: int = 0) -> Ran:
        """Verify the last run, every document."""
        ran = self.run("verify", self.mapping, "-s", self.dump, "-t", self.conninfo, "--sample", "all")
        assert ran.code == code, ran.all
        return ran

    def undo(self, *only: str, live: bool = True, code: int = 0, leave: bool = False) -> dict[str, Any]:
        """Take back some entries, or all; return the JSON."""
        flags = [*(["--live"] if live else []), *(["--leave-new-rows"] if leave else [])]
        ran = self.run("undo", self.mapping, "-t", self.conninfo, *_only(only), *flags, "--json", "-")
        assert ran.code == code, ran.all
        said: dict[str, Any] = json.loads(ran.out)
        assert said["exit_code"] == code
        return said

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters or None).fetchall()

    def one(self, query: str, *parameters: object) -> Any:
        """Return the first value of a statement's only row."""
        rows = self.rows(query, *parameters)
        assert len(rows) == 1, rows
        return rows[0][0]

    def do(self, statements: str) -> None:
        """Run statements, as somebody else would."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(statements.encode())

    def everything(self, *, state: bool = True) -> dict[str, list[str]]:
        """Return every row of every table as text, those of Isthmus without what two equal copies differ in."""
        with psycopg.connect(self.conninfo) as connection:
            tables = connection.execute(
                "SELECT n.nspname, c.relname, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid"
                " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
                r" AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2"
            ).fetchall()
            found: dict[str, list[str]] = {}
            for schema, name, columns in tables:
                own = schema == "isthmus"
                if own and (name in _LEFT_OUT or not state):
                    continue
                shown = [column for column in columns if not own or column not in _NUMBERS or name == "id_map"]
                query = sql.SQL("SELECT ROW({})::text FROM {} ORDER BY 1").format(
                    sql.SQL(", ").join(map(sql.Identifier, shown)), sql.Identifier(schema, name)
                )
                found[f"{schema}.{name}"] = [str(row) for (row,) in connection.execute(query).fetchall()]
            return found


def _only(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in ("--only", name)]
