"""Documents whose references are planted as such, so that a test knows what each must become, and rewrites of them.

A template holds `Ref`s where documents hold old ids. Which row a user became is asked of the target by name: no id of
these tests is computed as isthmus computes it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import bson
import psycopg
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from psycopg import sql
from pymongo import MongoClient

from isthmus.connect.mongo import open_server
from isthmus.mapping import parse_mapping
from isthmus.polyglot.rewrite.result import RewriteResult
from isthmus.polyglot.rewrite.run import Job, rewrite_references
from isthmus.polyglot.rewrite.scope import scope_of
from isthmus.polyglot.rewrite.undo import undo_rewrites
from isthmus.sources.live.source import open_live
from isthmus.transfer.job import Options
from isthmus.transfer.run import copy_database
from isthmus.work.progress import Progress
from tests.fix_mongo import MongoDatabase, database_url
from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import oid

USERS = 'Üs"ers'
POSTS = "posts of '%"
MAPPING = f"""
isthmus: 1
ids: cuid2
extras: more
collections:
  '{USERS}': {{table: 'the üs"ers', fields: {{name: text!, follows: {{junction: follows, own: who}}}}}}
  "{POSTS}":
    table: posts
    fields:
      title: text
      the author: {{references: '{USERS}', on_orphan: "null"}}
      owner: {{first_of: [ownerId, me%ta.öwner], references: '{USERS}', on_orphan: "null"}}
      friends: {{references: '{USERS}', type: "text[]", on_orphan: "null"}}
      lead: {{path: leads, element: -1, of: who, references: '{USERS}', others: "only the last counts"}}
      parent: {{references: "{POSTS}", on_orphan: "null"}}
      about: {{route: {{'{USERS}': about_user, "{POSTS}": about_post}}}}
      coAuthors: {{type: jsonb, rewrite: {{"[].userId": '{USERS}', "[].seen[][].by": "{POSTS}"}}}}
      steps: {{child: steps, fields: {{by: {{references: '{USERS}', on_orphan: "null"}}}}}}
      text: text
junctions:
  follows: {{who: '{USERS}', whom: '{USERS}'}}
"""


REFS = 22
"""References that `people` and `posts` plant."""

_RAW: Any = bson.CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True)
class Ref:
    """An old id: of which name, and how it is written."""

    name: str
    form: Callable[[Any], Any] = lambda one: one


@dataclass(frozen=True)
class Stays:
    """A value that is none of what a rewrite may change."""

    value: Any


def filled(template: Any, fill: Callable[[Ref], Any]) -> Any:
    """Return a template with values in the place of its references."""
    if isinstance(template, Ref):
        return fill(template)
    if isinstance(template, Stays):
        return template.value
    if isinstance(template, dict):
        return {key: filled(one, fill) for key, one in cast("dict[str, Any]", template).items()}
    if isinstance(template, list):
        return [filled(one, fill) for one in cast("list[Any]", template)]
    return template


def upper(one: ObjectId) -> str:
    """Write an ObjectId in capitals."""
    return str(one).upper()


NAMES: dict[str, Any] = {
    **{f"u{n}": oid(n) for n in range(1, 10)},
    "number": 7,
    "text": "näme's",
    "embedded": {"a": 1, "b": oid(3)},
    **{f"p{n}": oid(100 + n) for n in range(1, 10)},
}
"""Name → `_id`: users, and posts whose names begin with p."""


def people() -> list[dict[str, Any]]:
    """Return templates of users: with ObjectIds, a number, a text and a document as `_id`."""
    made: list[dict[str, Any]] = [{"_id": one, "name": name} for name, one in NAMES.items() if not is_post(name)]
    made[0]["follows"] = [Ref("u2"), Ref("u3", str), Ref("text")]
    return made


def is_post(name: str) -> bool:
    """Tell which collection a name is of."""
    return name[0] == "p" and name[1:].isdigit()


def posts() -> list[dict[str, Any]]:
    """Return templates of posts with a reference in every place that the mapping names, and look-alikes elsewhere."""
    return [
        {
            "_id": oid(101),
            "title": "p1",
            "the author": Ref("u1"),
            "ownerId": Ref("u2", str),
            "me%ta": {"öwner": Ref("u3", upper), "other": Stays(oid(3))},
            "friends": [Ref("u4"), Ref("u5", str), Ref("number"), Ref("text"), None],
            "leads": [{"who": Stays(oid(1))}, {"who": Ref("u6"), "since": 2020}],
            "coAuthors": [
                {"userId": Ref("u7"), "n": 1, "seen": [[{"by": Ref("p2")}, {"at": 5}], [], [{"by": Ref("p3", str)}]]},
                {"n": 2.5},
                {"userId": Ref("embedded")},
            ],
            "steps": [{"by": Ref("u8")}, {"by": None}, {"by": Ref("u1", str), "by the way": Stays(str(oid(1)))}],
            "text": Stays(str(oid(1))),
            "follows": [Stays(oid(1))],
        },
        {"_id": oid(102), "title": "p2", "parent": Ref("p1"), "about": Ref("u9"), "ownerId": None},
        {"_id": oid(103), "title": "p3", "parent": Ref("p2", str), "about": Ref("p1"), "the author": Ref("u1")},
        {"_id": oid(104), "title": "p4", "friends": [], "coAuthors": None},
        {"_id": oid(105), "title": "p5"},
    ]


@dataclass
class Rewriting:
    """A database of documents, and the target that they were copied to.

    Attributes:
        mongo: The documents.
        target: Conninfo.
        mapping: Text of the mapping.
        notes: Sentences the last command told the person watching.
    """

    mongo: MongoDatabase
    target: str
    mapping: str = MAPPING
    notes: list[str] = field(default_factory=list[str])
    templates: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    _ids: dict[str, str] = field(default_factory=dict[str, str])

    def plant(self, templates: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """Write documents from templates, with old ids."""
        self.templates |= {name: list(group) for name, group in templates.items()}
        self.mongo.write({name: [filled(one, _old) for one in group] for name, group in templates.items()})

    def begin_anew(self, templates: Mapping[str, Sequence[dict[str, Any]]], mapping: str) -> None:
        """Bring documents and state to where they were behind the copy; rows of the target stay as they are."""
        self.do("DO $$ BEGIN IF to_regclass('isthmus.rewrite') IS NOT NULL THEN TRUNCATE isthmus.rewrite CASCADE;"
                " END IF; END $$")  # fmt: skip
        for name in self.templates:
            self.mongo.client[self.mongo.name].drop_collection(name)
        self.mapping, self.templates = mapping, {}
        self.plant(templates)

    def plant_more(self, name: str, templates: Sequence[dict[str, Any]]) -> None:
        """Write further documents into a collection that is there."""
        self.templates[name] += templates
        self.mongo.client[self.mongo.name][name].insert_many([filled(one, _old) for one in templates])

    def copy(self, *only: str) -> None:
        """Copy everything, or some collections."""
        with closing(open_live(self.mongo.url)) as source:
            copy_database(
                parse_mapping(self.mapping),
                source,
                self.target,
                mapping_text=self.mapping,
                options=Options(workers=1, retry_seconds=20, only=only),
            )

    def rewrite(
        self,
        *,
        live: bool = True,
        undo: bool = False,
        to: Sequence[str] = (),
        only: Sequence[str] = (),
        stop: threading.Event | None = None,
        limit: int = 100,
    ) -> RewriteResult:
        """Rewrite, or undo it, as the command line does."""
        mapping = parse_mapping(self.mapping)
        everything = undo and not (to or only)
        scope = scope_of(mapping, to, only, may_be_empty=everything)
        result = RewriteResult("live" if live else "dry-run", limit=limit)
        self.notes.clear()
        with closing(open_live(self.mongo.url)) as source, closing(open_server(self.mongo.url)) as server:
            progress = Progress(on_note=self.notes.append)
            job = Job(mapping, scope, source, server, self.target, 5.0, progress, stop or threading.Event())
            if undo:
                undo_rewrites(job, result, live=live, everything=everything)
            else:
                rewrite_references(job, result, live=live)
        return result

    def id_of(self, name: str) -> str:
        """Return the id of the row that a document became."""
        if name in self._ids:
            return self._ids[name]
        table, column = ("posts", "title") if is_post(name) else ('the üs"ers', "name")
        query = sql.SQL("SELECT id FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
        with psycopg.connect(self.target, autocommit=True) as connection:
            ((found,),) = connection.execute(query, (name,)).fetchall()
        self._ids[name] = str(found)
        return str(found)

    def expected(self) -> dict[str, list[bytes]]:
        """Return the documents as they must be when every reference is rewritten, by collection, as BSON."""
        return {
            name: [bson.encode(filled(one, lambda ref: self.id_of(ref.name))) for one in group]
            for name, group in self.templates.items()
        }

    def planted(self) -> dict[str, list[bytes]]:
        """Return the documents as they were planted."""
        return {name: [bson.encode(filled(one, _old)) for one in group] for name, group in self.templates.items()}

    def there(self) -> dict[str, list[bytes]]:
        """Return the documents as they are, in the order in which they were planted."""
        found: dict[str, list[bytes]] = {}
        for name, group in self.templates.items():
            collection: Any = self.mongo.client[self.mongo.name].get_collection(name, codec_options=_RAW)
            ones = [collection.find_one({"_id": {"$eq": template["_id"]}}) for template in group]
            found[name] = [bytes(one.raw) for one in ones if one is not None]
        return found

    def do(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        """Execute a statement in the target."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), given)
            return cursor.fetchall() if cursor.description is not None else []

    def log(self) -> list[tuple[Any, ...]]:
        """Return the lines of the log without what differs from run to run."""
        return self.do(
            "SELECT collection, encode(source_id, 'hex'), site, path::text, encode(old_value, 'hex'), new_text, state,"
            " reason FROM isthmus.rewrite_log ORDER BY 1, 2, 3, 4, 5, 7"
        )

    def one(self, collection: str, source_id: Any) -> dict[str, Any]:
        """Return a document."""
        found = self.mongo.client[self.mongo.name][collection].find_one({"_id": {"$eq": source_id}})
        assert found is not None
        return found

    def set(self, collection: str, source_id: Any, **update: Any) -> None:
        """Update a document; operators are named without their dollar sign."""
        self.mongo.client[self.mongo.name][collection].update_one(
            {"_id": {"$eq": source_id}}, {f"${name}": what for name, what in update.items()}
        )


@contextmanager
def copied(
    mongo_server: str, postgres: str, templates: Mapping[str, Sequence[dict[str, Any]]], mapping: str = MAPPING
) -> Iterator[Rewriting]:
    """Plant documents in databases of their own and copy them: for tests that leave the rows of the target alone."""
    target, name = create_database(postgres), f"t-{secrets.token_hex(4)}-ü'%"
    with MongoClient[dict[str, Any]](mongo_server) as client:
        made = Rewriting(MongoDatabase(name, database_url(mongo_server, quote(name, safe="")), client), target, mapping)
        made.plant(templates)
        made.copy()
        try:
            yield made
        finally:
            client.drop_database(name)
            drop_database(postgres, target)


def totals(result: RewriteResult) -> dict[str, int]:
    """Return outcome → values, of all paths together; reasons behind a colon."""
    found: dict[str, int] = {}
    for books in result.places.values():
        for name, count in books.counts.items():
            if count:
                found[name] = found.get(name, 0) + count
    return found


def _old(ref: Ref) -> Any:
    return ref.form(NAMES[ref.name])
