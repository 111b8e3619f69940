"""Profiles that the mapping has carried: PostgreSQL shows of each what MongoDB shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import bson
import httpx
import psycopg
import pytest
from bson import CodecOptions
from psycopg.rows import dict_row

from apps.panamia.generate import main as generate
from apps.panamia.moving.phases import PHASES
from apps.panamia.service.profiles.columns import row_of
from apps.panamia.service.profiles.document import profile_of
from apps.panamia.service.profiles.rows import RowProfiles
from apps.panamia.web.database import open_engine, sessions_of
from isthmus.polyglot.stores.form import to_json
from tests.apps.panamia.conftest import PEOPLE, isthmus
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.twins import twin_of
from tests.fix_postgres import drop_database

pytestmark = pytest.mark.anyio


@dataclass
class Carried:
    """Generated profiles, and a database that phases 1 and 5 have carried them to.

    Attributes:
        database: Conninfo.
        documents: All profiles as they were in MongoDB.
        rows: Those that have a row, as the store of rows gives them, by e-mail.
    """

    database: str
    documents: list[dict[str, Any]]
    rows: dict[str, dict[str, Any]]

    def pairs(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each document with what its row is as one; not the second one of two profiles with one e-mail."""
        for document in self.documents:
            row = self.rows.get(str(document.get("email")).strip().lower())
            if row is not None and row.get("slug") == document.get("slug"):
                yield document, row


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated database, its answers beside it."""
    folder = tmp_path_factory.mktemp("panamia-profiles")
    words = ["--people", str(PEOPLE), "--truth", str(folder / "dump.truth.json")]
    assert generate([str(folder / "dump"), *words, "--resolutions", str(folder / "answers.yaml")]) == 0
    return folder / "dump"


@pytest.fixture(scope="module")
async def carried(postgres: str, schema: str, dump: Path) -> Any:
    """What the mapping carried."""
    database = twin_of(postgres, schema)
    only = [part for one in PHASES if one.number in {1, 5} for name in one.entries for part in ("--only", name)]
    answers = str(dump.with_name("answers.yaml"))
    ran = isthmus("copy", "mapping.yaml", "--source", str(dump), "--resolutions", answers, *only, database=database)
    assert ran.code == 1, ran.said  # what was planted cannot all be carried
    options: CodecOptions[Any] = CodecOptions(tz_aware=True)
    documents = bson.decode_all((dump / "profiles.bson").read_bytes(), options)
    engine = open_engine(database, 2)
    async with sessions_of(engine).begin() as session:
        found = await RowProfiles(session).find({}, limit=10_000)
    await engine.dispose()
    yield Carried(database, documents, {one.document["email"]: one.document for one in found})
    drop_database(postgres, database)


@pytest.fixture
def twin(postgres: str, carried: Carried) -> Iterator[str]:
    """Conninfo of a copy, to be written to."""
    database = twin_of(postgres, carried.database)
    yield database
    drop_database(postgres, database)


async def test_both_show_the_same_of_each_profile(carried: Carried) -> None:
    compared = told = 0
    for document, row in carried.pairs():
        mongo, postgres = profile_of(document).model_dump(), profile_of(row).model_dump()
        assert postgres.pop("id") != mongo.pop("id")
        for shown in (mongo, postgres):
            del shown["userId"]  # phase 2 writes it anew in documents
        for name in ("createdAt", "updatedAt"):
            if document.get(name) is None:
                assert postgres.pop(name) is not None
                del mongo[name]
        assert postgres == mongo, document["_id"]
        told += sum(value not in (None, [], False) for value in postgres.values())
        compared += 1
    assert compared > 100
    assert told > 15 * compared


async def test_documents_become_the_rows_that_the_mapping_makes_of_them(carried: Carried) -> None:
    """What is saved in a row is what a copy would have put there: the same columns, and the same beside them."""
    with psycopg.connect(carried.database) as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = {one["email"]: one for one in cursor.execute("SELECT * FROM profiles").fetchall()}
        query = "SELECT id, document FROM isthmus.extras WHERE table_name = 'profiles'"
        beside = {one["id"]: one["document"] for one in cursor.execute(query).fetchall()}
    elsewhere = {"id", "user_id", "created_at", "updated_at", "linked_profiles", "verification"}  # ids, and defaults
    compared = 0
    for document, _ in carried.pairs():
        there = rows[document["email"].strip().lower()]
        row, rest = row_of(document)
        for column in row.keys() - elsewhere:
            assert _bare(row[column]) == _bare(there[column]), (document["_id"], column)
        rest.pop("userId", None)
        assert to_json(bson.encode(rest)) == beside.get(there["id"], {}), document["_id"]
        compared += 1
    assert compared > 100
    assert sum(len(one["pronouns"]) > 1 for one in rows.values()) > 0


def _bare(value: Any) -> Any:
    """Return a value without what says nothing: nothing and empty objects, digits behind the seventh."""
    if isinstance(value, Decimal):
        return round(float(value), 7)
    return None if value == {} else value


async def test_nothing_of_a_document_is_lost_in_its_row(carried: Carried) -> None:
    """What no column takes stands beside the row, and is in the document that is read from it."""
    unknown = ("tiktokLive", "migratedFrom", "oldSlug")
    met = 0
    for document, row in carried.pairs():
        for name in unknown:
            if name in document:
                met += 1
                assert row[name] == document[name]
        if isinstance(document.get("pronouns"), str) or isinstance(document.get("primary_address"), str):
            met += 1
            assert [row.get(one) for one in ("pronouns", "primary_address") if isinstance(document.get(one), str)] == [
                document[one] for one in ("pronouns", "primary_address") if isinstance(document.get(one), str)
            ]
    assert met >= 5


async def test_save_of_a_carried_row_keeps_what_it_does_not_name(carried: Carried, twin: str, start: Start) -> None:
    world: World = await start(POSTGRES_URL=twin)
    world.postgres = twin
    home = Home(world, "postgres")
    people = [row for _, row in carried.pairs() if row.get("userId") and row.get("name") and row.get("five_words")]
    people.sort(key=lambda row: "tiktokLive" not in row)
    assert "tiktokLive" in people[0]
    before = {one["_id"]: one for one in await home.all()}
    for row in people[:6]:
        client = world.client(world.make_session(row["userId"]))
        answer = await client.patch("/api/profile", json={"details": "saved", "socials": {"tiktok": "@saved"}})
        assert answer.status_code == 200, answer.text
    after = {one["_id"]: one for one in await home.all()}
    for row in people[:6]:
        was, now = before.pop(row["_id"]), after.pop(row["_id"])
        socials = was.get("socials", {}) | {"tiktok": "@saved"}
        assert now == was | {"details": "saved", "socials": socials, "updatedAt": now["updatedAt"]}
    assert after == before


async def test_people_see_the_same_before_and_behind_the_switch(carried: Carried, twin: str, start: Start) -> None:
    world: World = await start(POSTGRES_URL=twin)
    world.postgres = twin
    world.write("profiles", *(document | {"userId": row.get("userId")} for document, row in carried.pairs()))
    owners = [row["userId"] for _, row in carried.pairs() if "userId" in row][:8]
    clients = [world.client(world.make_session(owner)) for owner in owners]
    before = await _seen(world, clients)
    Home(world, "postgres")
    assert await _seen(world, clients) == before
    assert all(before[0])
    assert sum(len(one) for one in before[1]) > 20


async def _seen(world: World, clients: list[httpx.AsyncClient]) -> tuple[list[Any], list[Any]]:
    own = [(await one.get("/api/profile")).json()["profile"] for one in clients]
    for one in own:
        del one["id"]
        for name in ("createdAt", "updatedAt"):
            del one[name]  # filled in where nobody said it
    nobody = world.client()
    queries: list[dict[str, Any]] = [{"limit": 20}, {"q": "panader"}, {"category": "food"}, {"mentors": True}]
    pages = [(await nobody.get("/api/directory", params=one)).json()["profiles"] for one in queries]
    public = [(await nobody.get(f"/api/directory/{one['slug']}")).json() for one in pages[0]]
    return own, [*pages, public]
