"""What PostgreSQL refuses in the name of a constraint is told in the words that a service has for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from apps.panamia.web import health
from apps.panamia.web.database import Db
from apps.panamia.web.errors import add_handlers, conflict
from apps.panamia.web.resources import opened
from apps.panamia.web.settings import SidecarSettings, read
from tests.fix_postgres import create_database, drop_database

pytestmark = pytest.mark.anyio
TABLE = """
CREATE TABLE shelf (
    place integer CONSTRAINT shelf_place_check CHECK (place > 0),
    thing text CONSTRAINT shelf_thing_check CHECK (thing <> ''), CONSTRAINT shelf_place_key UNIQUE (place)
)"""
AT_THE_COMMIT = """
CREATE FUNCTION at_the_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.thing = 'lost' THEN PERFORM pg_terminate_backend(pg_backend_pid());
    ELSIF NEW.thing = 'refused' THEN RAISE unique_violation;
    END IF;
    RETURN NEW;
END $$"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER at_the_commit AFTER INSERT ON shelf DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION at_the_commit()"""


class Settings(SidecarSettings):
    """Those of a service that is none."""

    public_url: str = "http://localhost:3009"
    port: int = 3009


@pytest.fixture
async def client(postgres: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before an application with one table, and words for one of its constraints."""
    database = create_database(postgres)
    app = FastAPI()
    add_handlers(app, {"shelf_place_check": conflict("Places begin with one", "no-place")})
    app.include_router(health.router)

    @app.post("/{place}/{thing}")
    async def put(place: int, thing: str, db: Db) -> None:
        await db.execute(text("INSERT INTO shelf VALUES (:place, btrim(:thing))"), {"place": place, "thing": thing})

    async with opened(read(Settings, {"POSTGRES_URL": database})) as resources:
        app.state.resources = resources
        async with resources.engine.begin() as connection:
            for statement in (TABLE, AT_THE_COMMIT, TRIGGER):
                await connection.execute(text(statement))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as browser:
            yield browser
    drop_database(postgres, database)


async def test_constraint_with_words_is_told_in_them(client: httpx.AsyncClient) -> None:
    assert (await client.post("/1/a")).status_code == 200
    answer = await client.post("/0/b")
    assert (answer.status_code, answer.json()) == (409, {"error": "Places begin with one", "code": "no-place"})


async def test_constraint_without_words_means_what_it_means_everywhere(client: httpx.AsyncClient) -> None:
    assert (await client.post("/1/a")).status_code == 200
    twice = await client.post("/1/b")
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    nobody_foresaw = await client.post("/2/%20")
    assert (nobody_foresaw.status_code, nobody_foresaw.json()) == (500, {"error": "Something went wrong here"})


async def test_health_and_readiness_are_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert (await client.get("/ready")).json() == {"status": "ok", "postgres": "up"}


async def test_connection_that_is_lost_while_it_commits_leaves_open_what_was_done(client: httpx.AsyncClient) -> None:
    answer = await client.post("/1/lost")
    assert (answer.status_code, answer.json()["code"]) == (503, "postgres-unsure")
    assert "look first" in answer.json()["error"]
    assert "retry-after" not in answer.headers


async def test_what_is_refused_while_it_commits_was_not_done(client: httpx.AsyncClient) -> None:
    answer = await client.post("/1/refused")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert (await client.post("/1/a")).status_code == 200
