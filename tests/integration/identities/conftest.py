"""People in three collections with hostile names: what a plan and a live map make of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from bson import ObjectId

from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.resolutions import Resolutions, parse_resolutions
from isthmus.mapping.things import Things
from isthmus.sources import open_source
from isthmus.sources.optional import with_optional
from isthmus.sources.reading import Options
from isthmus.state.identities import identities_exist, load_things
from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate
from isthmus.state.runs import id_key
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.live import concerned, find_live, keep_live
from isthmus.transfer.identities.planning import Options as PlanOptions
from isthmus.transfer.identities.planning import plan_identities
from isthmus.transfer.identities.reading import Reading
from isthmus.work.progress import Progress
from tests.fix_dumps import Documents, write_collection
from tests.fix_postgres import create_database, drop_database

KEY = bytes(range(32))
USERS, AUTH, PROFILES = "Users \"ü'%", "auth: users", "profiles"
NAME = 'peo"ple ü'
MAPPING = f"""\
isthmus: 1
ids: cuid2
identities:
  '{NAME}':
    keys: {{'E-Mail ü': [trim, lower]}}
    members:
      '{USERS.replace("'", "''")}': {{keys: {{'E-Mail ü': 'e-mail "ü"'}}}}
      '{AUTH}': {{keys: {{'E-Mail ü': email}}}}
    linked:
      {PROFILES}:
        keys: {{'E-Mail ü': contact.email}}
        links: {{owner.userId: ['{AUTH}', '{USERS.replace("'", "''")}']}}
collections:
  '{USERS.replace("'", "''")}':
    table: people
    skip: [{{when: {{kind: robot}}, why: "no person"}}]
    fields: {{'e-mail "ü"': {{column: email, type: text, coerce: true}}, kind: text}}
  '{AUTH}': {{table: people, optional: ['{AUTH}'], fields: {{email: {{column: email, type: text, coerce: true}}}}}}
  {PROFILES}:
    fields:
      owner.userId: {{column: user_id, references: '{USERS.replace("'", "''")}', identity: '{NAME}'}}
      contact.email: {{column: email, type: text, coerce: true}}
"""


def oid(number: int) -> ObjectId:
    return ObjectId(f"{number:024x}")


def user(number: int, email: object = None, **more: object) -> dict[str, object]:
    return {"_id": oid(number), **({} if email is None else {'e-mail "ü"': email}), **more}


def auth(number: int, email: object = None) -> dict[str, object]:
    return {"_id": oid(number), **({} if email is None else {"email": email})}


def profile(number: int, email: object = None, owner: object = None) -> dict[str, object]:
    contact = {} if email is None else {"contact": {"email": email}}
    return {"_id": oid(number), **contact, **({} if owner is None else {"owner": {"userId": owner}})}


@dataclass
class People:
    """A target, and a folder for dumps.

    Attributes:
        target: Conninfo.
        folder: Where dumps are written.
        mapping_text: The mapping.
    """

    target: str
    folder: Path
    mapping_text: str = MAPPING
    _number: int = 0

    def dump(self, collections: Mapping[str, Documents]) -> Path:
        """Write a dump of its own and return its folder."""
        self._number += 1
        folder = self.folder / f"dump-{self._number}" / "people"
        for name, documents in collections.items():
            write_collection(folder, name, documents)
        return folder

    def answers(self, *lines: str) -> Resolutions:
        """Return answers to the identity, a line of YAML each; their reasons are added."""
        mapping = parse_mapping(self.mapping_text)
        body = "".join(f"    - {line}\n      reason: asked\n" for line in lines)
        head = f"isthmus: 1\nidentities:\n  '{NAME}':\n" if lines else "isthmus: 1\n"
        return parse_resolutions(head + body, mapping)

    def plan(self, source: str | Path, *lines: str) -> Found:
        """Plan, and return what it came to."""
        mapping = parse_mapping(self.mapping_text)
        with closing(open_source(str(source))) as opened:
            (found,) = plan_identities(
                mapping, opened, self.target, self.answers(*lines), options=PlanOptions(id_key=KEY)
            )
        return found

    def go_live(self, source: str | Path, *lines: str, only: tuple[str, ...] = ()) -> Things:
        """Make the live map as a copy of all collections, or of some, does."""
        mapping = parse_mapping(self.mapping_text)
        lease = Lease(self.target)
        lease.acquire()
        try:
            migrate(lease.connection)
            key = id_key(lease.connection, create=True, given=KEY)
            with closing(with_optional(open_source(str(source)), mapping.optional_collections)) as opened:
                plans = compile_plans(as_loaded(mapping))
                reading = Reading(mapping, plans, opened, key, Options(), Progress(), threading.Event())
                names = concerned(mapping, only or plans)
                found = find_live(reading, names, self.answers(*lines), lease.connection)
                keep_live(found, opened.name, lease.connection)
            things = load_things(lease.connection, mapping)
            assert things is not None
            return things
        finally:
            lease.release()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="session")
def _people_database(postgres: str) -> Iterator[str]:
    conninfo = create_database(postgres)
    yield conninfo
    drop_database(postgres, conninfo)


@pytest.fixture
def people(_people_database: str, tmp_path: Path) -> People:
    """Return a target that knows no identities, with a folder for dumps."""
    with psycopg.connect(_people_database, autocommit=True) as connection:
        if identities_exist(connection):
            connection.execute("TRUNCATE isthmus.identity, isthmus.identity_member, isthmus.identity_conflict")
    return People(_people_database, tmp_path)
