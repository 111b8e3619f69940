"""What PostgreSQL refuses, undoes or does not do in time, and what nobody has foreseen: each has its own answer."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

import bson
import psycopg
import pytest
import sqlalchemy as sa
from bson import ObjectId
from bson.datetime_ms import DatetimeMS
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError

from apps.panamia.service.articles import routes
from apps.panamia.service.profiles.document import card_of, profile_of
from apps.panamia.web.again import Again, ask_again
from apps.panamia.web.faults import meaning_of
from tests.apps.panamia.service.conftest import Start, World

pytestmark = pytest.mark.anyio
ARTICLE = {"title": "A title", "articleType": "business_update", "content": "Text."}


def refusing(world: World, table: str, code: str, times: int, *, deferred: bool = False) -> None:
    """Let PostgreSQL refuse the first writes to a table, with a code of its appendix."""
    world.rows("CREATE SEQUENCE IF NOT EXISTS refusals")
    world.rows("ALTER SEQUENCE refusals RESTART")
    world.rows(
        f"""CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('refusals') <= {times} THEN RAISE EXCEPTION 'a secret' USING ERRCODE = '{code}'; END IF;
        RETURN NEW; END $$"""
    )
    if deferred:
        world.rows(
            f"CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    else:
        world.rows(
            f"CREATE OR REPLACE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION refuse()"
        )


async def test_what_was_undone_so_that_others_could_go_on_is_run_again(world: World) -> None:
    user, client = world.signed_in("a@example.org", screenname="anna")
    for code in ("40P01", "40001"):
        refusing(world, "articles", code, 2)
        made = await client.post("/api/articles", json=ARTICLE)
        assert made.status_code == 201, made.text
    assert world.rows("SELECT count(*) FROM articles WHERE author_id = %s", user) == [(2,)]


async def test_what_is_undone_again_and_again_is_told_and_nothing_is_done(world: World) -> None:
    _, client = world.signed_in("a@example.org", screenname="anna")
    refusing(world, "articles", "40P01", 3)
    answer = await client.post("/api/articles", json=ARTICLE)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "1"
    assert world.rows("SELECT last_value FROM refusals") == [(3,)]
    assert world.rows("SELECT count(*) FROM articles") == [(0,)]


async def test_two_real_deadlocks_end_well(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.rows("CREATE TABLE pairs (id int PRIMARY KEY, n int)")
    world.rows("INSERT INTO pairs VALUES (1, 0), (2, 0)")
    world.rows(
        """CREATE FUNCTION both_ways() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE one int := length(NEW.title) % 2;
        BEGIN UPDATE pairs SET n = n + 1 WHERE id = 1 + one; PERFORM pg_sleep(0.2);
        UPDATE pairs SET n = n + 1 WHERE id = 2 - one; RETURN NEW; END $$"""
    )
    world.rows("CREATE TRIGGER both_ways BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION both_ways()")
    _, client = world.signed_in("a@example.org", screenname="anna")
    asked = [client.post("/api/articles", json={**ARTICLE, "title": title}) for title in ("even", "odd")]
    assert [one.status_code for one in await asyncio.gather(*asked)] == [201, 201]
    assert world.rows("SELECT n FROM pairs") == [(2,), (2,)]


async def test_what_was_written_to_mongodb_is_not_written_twice(world: World) -> None:
    user = world.make_user("a@example.org")
    client = world.client(world.make_session(user, hours=1))  # it is prolonged, so there is something to commit
    refusing(world, "sessions", "40P01", 1, deferred=True)
    new = {"email": "a@example.org", "name": "Anna", "website": "anna.example"}
    answer = await client.post("/api/profile", json=new)
    assert world.rows("SELECT last_value FROM refusals") == [(1,)]
    assert (answer.status_code, answer.json()["code"]) == (503, "postgres-unsure")
    assert "look first" in answer.json()["error"]
    assert "retry-after" not in answer.headers
    assert len(world.documents("profiles")) == 1
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "Anna"


async def test_a_connection_that_is_lost_while_it_commits_leaves_open_what_was_done(world: World) -> None:
    _, client = world.signed_in("a@example.org", screenname="anna")
    world.rows(
        "CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
    )
    world.rows(
        "CREATE CONSTRAINT TRIGGER lost AFTER INSERT ON articles DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION lost()"
    )
    answer = await client.post("/api/articles", json=ARTICLE)
    assert (answer.status_code, answer.json()["code"]) == (503, "postgres-unsure")
    assert "look first" in answer.json()["error"]
    assert "retry-after" not in answer.headers
    assert (await client.get("/api/articles/mine")).status_code == 200


async def test_what_is_refused_while_it_commits_was_not_done(world: World) -> None:
    _, client = world.signed_in("a@example.org", screenname="anna")
    refusing(world, "articles", "57P01", 1, deferred=True)
    answer = await client.post("/api/articles", json=ARTICLE)
    assert (answer.status_code, answer.json()["code"]) == (503, "postgres-away")
    assert answer.headers["retry-after"] == "1"
    assert world.rows("SELECT count(*) FROM articles") == [(0,)]


async def test_what_was_only_claimed_in_mongodb_is_run_again(world: World) -> None:
    """Again it is the same, so nobody has to look."""
    user = world.make_user("a@example.org")
    client = world.client(world.make_session(user, hours=1))
    world.write("profiles", {"email": "a@example.org", "name": "Anna"})
    refusing(world, "sessions", "40P01", 2, deferred=True)
    answer = await client.get("/api/profile")
    assert (answer.status_code, answer.json()["profile"]["name"]) == (200, "Anna")
    assert world.rows("SELECT last_value FROM refusals") == [(3,)]


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("55P03", 503, "busy"),
        ("57014", 503, "too-slow"),
        ("23505", 409, "conflict"),
        ("23503", 409, "conflict"),
        ("53300", 503, "postgres-away"),
        ("57P01", 503, "postgres-away"),
        ("25006", 503, "postgres-away"),
        ("22012", 500, None),
        ("42P01", 500, None),
    ],
)
async def test_each_kind_of_refusal_has_its_answer_and_no_log_has_its_text(
    world: World, caplog: pytest.LogCaptureFixture, code: str, status: int, told: str | None
) -> None:
    _, client = world.signed_in("a@example.org", screenname="anna")
    refusing(world, "articles", code, 1_000)
    answer = await client.post("/api/articles", json=ARTICLE)
    assert (answer.status_code, answer.json().get("code")) == (status, told)
    assert "secret" not in answer.text
    (record,) = [one for one in caplog.records if one.name == "panamia"]
    assert record.levelno == (logging.ERROR if status == 500 else logging.WARNING)
    if status == 500:
        assert "secret" not in record.getMessage()
        assert code in record.getMessage()
        assert "articles/writing.py:" in record.getMessage()


def test_errors_without_a_code_are_of_the_connection_unless_a_value_cannot_be() -> None:
    assert meaning_of(InterfaceError("", {}, psycopg.InterfaceError())) == "away"
    assert meaning_of(DataError("", {}, psycopg.DataError())) == "wrong"


async def test_a_statement_that_takes_too_long_is_ended(start: Start) -> None:
    world = await start(STATEMENT_SECONDS="0.3")
    _, client = world.signed_in("a@example.org", screenname="anna")
    world.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NEW; END'"
    )
    world.rows("CREATE TRIGGER slow BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION slow()")
    answer = await asyncio.wait_for(client.post("/api/articles", json=ARTICLE), 15)
    assert (answer.status_code, answer.json()["code"]) == (503, "too-slow")
    assert (await client.get("/api/articles")).status_code == 200


async def test_each_transaction_knows_how_long_to_wait_and_no_session_does(world: World) -> None:
    names = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    shown = sa.text("SELECT " + ", ".join(f"current_setting('{one}')" for one in names))
    engine = world.app.state.resources.engine
    async with engine.connect() as connection:
        assert tuple((await connection.execute(shown)).one()) == ("15s", "5s", "80s")
        await connection.rollback()
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.set_autocommit(True)
        assert await (await raw.execute(str(shown))).fetchone() == ("0", "0", "0")


async def test_no_error_holds_the_values_of_its_statement(world: World) -> None:
    value = secrets.token_hex(8)
    async with world.app.state.resources.sessions() as db:
        with pytest.raises(DBAPIError) as caught:
            await db.execute(sa.text("SELECT :value / 0, :other"), {"value": 1, "other": value})
    assert value not in str(caught.value)


async def test_nobody_waits_for_ever_for_a_free_connection(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.panamia.web.database._WAIT_SECONDS", 0.3)
    world = await start(POOL_SIZE="2")
    engine = world.app.state.resources.engine
    async with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            await connection.execute(sa.text("SELECT 1"))
        answer = await world.client().get("/api/articles")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert (await world.client().get("/api/articles")).status_code == 200


async def test_what_nobody_has_foreseen_is_answered_and_told_without_its_text(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ValueError("somebody's secret")

    monkeypatch.setattr(routes.listing, "published", broken)
    answer = await world.client().get("/api/articles")
    assert (answer.status_code, answer.json()) == (500, {"error": "Something went wrong here"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    (record,) = [one for one in caplog.records if one.name == "panamia"]
    assert "ValueError, at " in record.getMessage()
    assert "articles/routes.py:" in record.getMessage()
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        b'{"\\ud800": 1}',
        b'{"email": "\\udfff@example.org"}',
        b"[" * 100_000,
        b'{"email": ' * 20_000,
        b'{"email": ' + b"1" * 5_000 + b"}",
        b'{"email": 1e999}',
        b"\xff\xfe",
        b'{"email": NaN}',
        b'"\\ud800"',
        b"",
        b"{" + b",".join(b'"%d": 0' % number for number in range(30_000)) + b"}",
        b'{"' + b"x" * 400_000 + b'": 0}',
    ],
)
async def test_bodies_of_no_form_are_refused_in_few_words(world: World, content: bytes) -> None:
    client = world.client()
    answer = await client.post("/api/auth/signin/email", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text[:300]
    assert len(answer.content) < 10_000
    assert answer.json()["error"]


async def test_cookies_and_queries_of_no_form_are_no_fault(world: World) -> None:
    for cookie in (r'authjs.session-token="\000"', 'authjs.session-token="\\777\\377"', "authjs.session-token=\xff"):
        client = world.client()
        answer = await client.get("/api/auth/session", headers={"cookie": cookie.encode("latin-1")})  # pyright: ignore[reportArgumentType]
        assert answer.status_code == 401, cookie
    client = world.client()
    for path in ("%00", "%ff", "%ed%a0%80", "a" * 3_000, "%2e%2e", "%f0%9f%87%a8"):
        for of in ("/api/articles/", "/api/articles/by-slug/", "/api/directory/", "/api/screenname/check?name="):
            assert (await client.get(of + path)).status_code < 500, of + path
    for query in (
        "limit=1e9",
        f"limit={'9' * 5_000}",
        "cursor=%00",
        "tag=%00",
        "author=%ff",
        "q=%ed%a0%80",
        "replyTo=",
    ):
        for of in ("/api/articles?", "/api/directory?"):
            assert (await client.get(of + query)).status_code < 500, of + query


@pytest.mark.parametrize("at", [253_402_300_800_000, -62_135_596_800_001, 2**63 - 1, -(2**63)])
async def test_a_document_with_a_date_that_python_has_not_is_read(world: World, at: int) -> None:
    """The wire server of the tests holds no such dates, so what is asked is how its client reads them."""
    fields: dict[str, Any] = {"createdAt": DatetimeMS(at), "status": {"approved": DatetimeMS(at)}, "slug": "anna"}
    fields |= {"_id": ObjectId(), "images": {"primaryCDN": DatetimeMS(at)}, "counties": DatetimeMS(at), "name": "Anna"}
    database = world.app.state.resources.mongo.database
    read: dict[str, Any] = bson.decode(bson.encode(fields), codec_options=database["profiles"].codec_options)  # pyright: ignore[reportUnknownMemberType]
    assert read["createdAt"] == DatetimeMS(at)
    profile = profile_of(read)
    assert (profile.name, profile.created_at, card_of(profile).image) == ("Anna", None, None)


async def test_a_request_that_is_over_is_not_run_again() -> None:
    runs: list[bytes] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        runs.append(message["body"] + (await receive())["body"])
        if len(runs) < 3:
            ask_again(scope)
        await send({"type": "http.response.start", "status": 503 if len(runs) < 3 else 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    parts = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "body": b"b"}]

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await Again(app)({"type": "http"}, receive, send)
    assert runs == [b"ab"] * 3
    assert [one.get("status") for one in sent] == [200, None]
    ask_again({"type": "http"})  # beside any request: nothing
