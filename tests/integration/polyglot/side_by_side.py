"""A small application on two databases: users live in PostgreSQL already, articles and the rest still in MongoDB.

Names are not plain words, on purpose. Every document has the number of its ObjectId in its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from isthmus.mapping import load_mapping, parse_mapping
from isthmus.polyglot.audit import audit_references
from isthmus.polyglot.audit_result import Audit
from isthmus.sources import open_source
from isthmus.sources.reading import Options
from isthmus.transfer.job import Options as CopyOptions
from isthmus.transfer.run import copy_database
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.copy.carrying import oid

SCHEMA = 'Side by "side" ü'
TABLES = f"""
CREATE SCHEMA "{SCHEMA.replace('"', '""')}";
SET search_path = "{SCHEMA.replace('"', '""')}";
CREATE TABLE users (id text PRIMARY KEY, name text, "e-mail" text UNIQUE);
CREATE TABLE "Art'icles" (id text PRIMARY KEY, title text, author_id text, "co Authors" jsonb, editors text[]);
CREATE TABLE notes (id text PRIMARY KEY, object text, actor_id text REFERENCES users);
CREATE TABLE follows (follower text, followed text, PRIMARY KEY (follower, followed));
"""
MAPPING = f"""
isthmus: 1
target: {{tables: existing, schema: '{SCHEMA}'}}
ids: cuid2
extras: dead_letter
collections:
  users:
    fields:
      name: text
      email: {{column: e-mail, type: text, unique: true}}
      following: {{junction: follows, own: follower}}
  art.icles "ü":
    table: Art'icles
    fields:
      title: text
      authorId: {{column: author_id, references: users, on_orphan: "null"}}
      co Authors: {{column: co Authors, type: jsonb, rewrite: {{"[].userId": users}}}}
      editors: {{column: editors, type: "text[]", references: users, on_orphan: drop}}
  notes:
    fields:
      object: {{references: art.icles "ü", on_orphan: "null"}}
      actor: {{column: actor_id, references: users, on_orphan: "null"}}
junctions:
  follows: {{follower: users, followed: users}}
"""
ARTICLES = 'art.icles "ü"'
GONE = oid(99)
"""Nobody has this `_id`."""


def documents() -> dict[str, list[dict[str, Any]]]:
    """Return four users, three articles and two notes; one author, one editor and one follower do not exist."""
    return {
        "users": [
            {"_id": oid(1), "name": "Ann 1", "email": "ann@example.org", "following": [oid(2), oid(3)]},
            {"_id": oid(2), "name": "Ben 2", "email": "ben@example.org", "following": [oid(1), GONE]},
            {"_id": oid(3), "name": "Cy 3", "email": "cy@example.org"},
            {"_id": oid(4), "name": "Di 4", "email": "di@example.org", "following": [str(oid(1))]},
        ],
        ARTICLES: [
            {
                "_id": oid(11),
                "title": "11",
                "authorId": oid(1),
                "co Authors": [{"userId": oid(2)}],
                "editors": [oid(3)],
            },
            {"_id": oid(12), "authorId": str(oid(2)), "co Authors": [], "editors": [GONE, oid(1)]},
            {"_id": oid(13), "authorId": GONE, "co Authors": [{"userId": oid(1)}, {"userId": oid(98)}]},
        ],
        "notes": [
            {"_id": oid(21), "object": oid(11), "actor": oid(1)},
            {"_id": oid(22), "object": oid(12), "actor": oid(4)},
        ],
    }


@dataclass
class Application:
    """The application of one test.

    Attributes:
        folder: Where its commands run; `mapping.yaml` is in it.
        target: Conninfo.
        source: URL of its MongoDB database, or the folder of a dump.
        mongo: The database, where it is a live one.
    """

    folder: Path
    target: str
    source: str
    mongo: MongoDatabase | None = None
    env: dict[str, str] = field(default_factory=dict[str, str])

    def run(self, *arguments: object) -> Ran:
        """Run a command of isthmus."""
        return run_command(self.folder, *arguments, env=self.env)

    def copy(self, *only: str) -> Ran:
        """Copy all, or some collections."""
        chosen = [word for name in only for word in ("--only", name)]
        return self.run("copy", "mapping.yaml", "-s", self.source, "-t", self.target, *chosen)

    def carry(self, *only: str) -> None:
        """Copy all, or some collections, in this process."""
        text = (self.folder / "mapping.yaml").read_text(encoding="utf-8")
        source = open_source(self.source)
        try:
            options = CopyOptions(only=only)
            copied = copy_database(parse_mapping(text), source, self.target, mapping_text=text, options=options)
            assert copied.outcome == "complete"
        finally:
            source.close()

    def audit(self, *more: object) -> Ran:
        """Look for what dangles."""
        return self.run("refs", "audit", "mapping.yaml", "-s", self.source, "-t", self.target, *more)

    def sql(self, statement: str, given: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Ask the target; names without a schema are those of the application."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (SCHEMA,))
            cursor = connection.execute(statement.encode(), given)
            return cursor.fetchall() if cursor.description is not None else []

    def look(self, **options: Any) -> Audit:
        """Audit in this process."""
        source = open_source(self.source)
        try:
            wanted = Options(workers=1, **options)
            return audit_references(load_mapping(self.folder / "mapping.yaml"), source, self.target, options=wanted)
        finally:
            source.close()

    def id_of(self, name: str) -> str:
        """Return the id of the user of that name."""
        return str(self.sql("SELECT id FROM users WHERE name = %s", (name,))[0][0])

    def collection(self, name: str) -> Any:
        """Return a live collection."""
        assert self.mongo is not None
        return self.mongo.client[self.mongo.name][name]


def make_application(
    folder: Path,
    target: str,
    mongo: MongoDatabase,
    *,
    made: Mapping[str, list[dict[str, Any]]] | None = None,
    mapping: str = MAPPING,
) -> Application:
    """Make tables, documents and the mapping of an application; nothing is copied yet."""
    folder.mkdir(exist_ok=True)
    (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(TABLES.encode())
    mongo.write(documents() if made is None else made)
    return Application(folder, target, mongo.url, mongo)
