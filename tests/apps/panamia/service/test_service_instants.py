"""Rows with instants and numbers that Python has not: read, listed page by page, and written back as they were."""

from __future__ import annotations

import datetime

import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from apps.panamia.models import Profile, User
from apps.panamia.models.ids import new_id
from apps.panamia.web.cursors import Cursor, cursor_of
from apps.panamia.web.errors import RefusedError
from apps.panamia.web.instants import FIRST, LAST, Beyond, beyond
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home

pytestmark = pytest.mark.anyio

STRANGE = (
    "infinity",
    "-infinity",
    "20000-01-01 00:00:00+00",
    "294276-12-31 23:59:59.999999+00",
    "10000-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "0001-01-01 00:00:00+00",
    "0001-12-31 23:59:59+00 BC",
    "0044-03-15 12:00:00.25+00 BC",
    "4713-01-01 00:00:00+00 BC",
)
COMMON = ("2026-01-01 00:00:00+00", "1999-12-31 23:59:59.999999+00", "2024-02-29 12:00:00.5+00")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Amsterdam"])
async def test_any_instant_is_read_and_written_back_as_it_was(world: World, zone: str) -> None:
    async with world.app.state.resources.sessions.begin() as db:
        await db.execute(sa.text(f"SET LOCAL timezone = '{zone}'"))
        for text in (*STRANGE, *COMMON):
            read = (await db.execute(sa.text(f"SELECT timestamptz '{text}'"))).scalar_one()
            assert isinstance(read, Beyond) is (text in STRANGE), text
            assert FIRST <= read <= LAST
            assert read.utcoffset() == datetime.timedelta(0)
            same = sa.text(f"SELECT :read = timestamptz '{text}'").bindparams(sa.bindparam("read", read))
            assert (await db.execute(same)).scalar_one() is True, text


async def test_no_date_style_of_the_server_stands_in_the_way(world: World) -> None:
    name = str(conninfo_to_dict(world.postgres)["dbname"]).replace('"', '""')
    world.rows(f"""ALTER DATABASE "{name}" SET datestyle = 'German'""")
    await world.app.state.resources.engine.dispose()
    _, client = world.signed_in("a@example.org")
    assert (await client.get("/api/auth/session")).status_code == 200


def test_what_is_reckoned_from_one_is_an_ordinary_instant() -> None:
    later = beyond(2**63 - 1) - datetime.timedelta(days=1)
    assert getattr(later, "postgres", None) is None
    for nothing in (2**63 - 2, -(2**63) + 1, 9_223_371_331_200_000_000):
        with pytest.raises(ValueError, match="no instant"):
            beyond(nothing)


def test_cursors_hold_them_and_refuse_what_postgresql_has_not() -> None:
    for count in (2**63 - 1, -(2**63), 568_025_136_000_000_000):
        cursor = cursor_of(str(Cursor(beyond(count), "a1")))
        assert cursor is not None
        assert isinstance(cursor.at, Beyond)
        assert (cursor.at.postgres, cursor.id) == (count, "a1")
    for rubbish in ("x9223372036854775806.a", "x-9223372036854775807.a", "9999999999999999999.a", "x.a", "xx1.a"):
        with pytest.raises(RefusedError):
            cursor_of(rubbish)


async def test_lists_with_such_rows_lose_none_page_by_page(world: World) -> None:
    user, client = world.signed_in("a@example.org", screenname="anna", email_verified="2026-01-01")
    other = world.make_user("b@example.org")
    made: dict[str, set[str]] = {"notifications": set(), "articles": set(), "sessions": set()}
    for at in (*STRANGE, *STRANGE, *COMMON):
        ids = {name: new_id() for name in made}
        for name, key in ids.items():
            made[name].add(key)
        world.rows(
            "INSERT INTO notifications (id, type, context, actor, target, created_at, read_at, expires_at)"
            " VALUES (%s, 'Follow', 'follow', %s, %s, %s, %s, 'infinity')",
            ids["notifications"], other, user, at, at,
        )  # fmt: skip
        world.rows(
            "INSERT INTO articles (id, slug, title, content, article_type, author_id, status, published_at, created_at,"
            " removed_at) VALUES (%s, %s, 't', 'c', 'business_update', %s, 'published', %s, %s, %s)",
            ids["articles"], ids["articles"], user, at, at, at,
        )  # fmt: skip
        world.rows(
            "INSERT INTO mentor_sessions (id, session_id, mentor_email, mentee_email, mentor_user_id, mentee_user_id,"
            " topic, scheduled_at, created_at, cancelled_at)"
            " VALUES (%s, %s, 'a@example.org', 'b@example.org', %s, %s, 'topic', %s, %s, %s)",
            ids["sessions"], ids["sessions"], user, other, at, at, at,
        )  # fmt: skip
    lists = {
        "/api/notifications": ("notifications", "notifications", "nextCursor"),
        "/api/articles": ("articles", "articles", "next"),
        "/api/articles/mine": ("articles", "articles", "next"),
        "/api/mentoring/sessions": ("sessions", "sessions", "next"),
    }
    for path, (kind, key, following) in lists.items():
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": "2"} | ({"cursor": cursor} if cursor is not None else {})
            answer = await client.get(path, params=params)
            assert answer.status_code == 200, (path, answer.text)
            seen += [one["id"] for one in answer.json()[key]]
            cursor = answer.json()[following]
            if cursor is None:
                break
        assert sorted(seen) == sorted(made[kind]), path
    for path, kind in (("/api/articles/", "articles"), ("/api/mentoring/sessions/", "sessions")):
        for one in made[kind]:
            assert (await client.get(f"{path}{one}")).status_code == 200


@pytest.mark.parametrize("at", ["infinity", "-infinity", "20000-01-01", "0044-03-15 BC"])
async def test_a_person_with_such_instants_is_served(world: World, at: str) -> None:
    user, client = world.signed_in("a@example.org", screenname="anna", last_screenname_change=at, email_verified=at)
    world.rows("UPDATE users SET created_at = %s, updated_at = %s, date_joined = %s", at, at, at)
    world.rows("UPDATE sessions SET expires = 'infinity', created_at = %s", at)
    for path in ("/api/auth/session", "/api/screenname", "/api/profile", "/api/notifications"):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    changed = await client.post("/api/screenname", json={"screenname": "Bella"})
    assert changed.status_code == (429 if at in {"infinity", "20000-01-01"} else 200), changed.text
    kept = world.rows("SELECT created_at = %s FROM users WHERE id = %s", at, user)
    assert kept == [(True,)]


async def test_a_profile_of_rows_keeps_what_python_has_not(world: World) -> None:
    home = Home(world, "postgres")
    user, client = world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Anna", five_words="a b c d e", slug="anna", active=True)
    strange = '{"enabled": true, "hourlyRate": 1' + "0" * 5_000 + ', "languages": ["es"], "n": 9223372036854775808}'
    world.rows(
        "UPDATE profiles SET created_at = 'infinity', updated_at = '20000-01-01', social_eligible_at = '-infinity',"
        " address_lat = 'NaN', address_lng = 'NaN', mentoring = %s::jsonb, verification = %s::jsonb",
        strange,
        '{"verifiedOn": "20000-01-01T00:00:00Z", "panaVerified": true}',
    )
    for path in ("/api/profile", "/api/directory/anna", "/api/directory"):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    saved = await client.patch("/api/profile", json={"details": "new"})
    assert saved.status_code == 200, saved.text
    kept = world.rows(
        "SELECT created_at = 'infinity', social_eligible_at = '-infinity', address_lat = 'NaN',"
        " mentoring = %s::jsonb FROM profiles",
        strange,
    )
    assert kept == [(True, True, True, True)]


async def test_a_save_writes_no_instant_that_nobody_named(world: World) -> None:
    home = Home(world, "postgres")
    user, client = world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Anna", five_words="a b c d e", slug="anna")
    world.rows("UPDATE profiles SET created_at = '2026-01-01 00:00:00.123456+00'")
    assert (await client.patch("/api/profile", json={"details": "new"})).status_code == 200
    assert world.rows("SELECT created_at = '2026-01-01 00:00:00.123456+00' FROM profiles") == [(True,)]


async def test_such_instants_stay_where_an_orm_row_is_written(start: Start) -> None:
    world = await start()
    user = world.make_user("a@example.org", date_joined="infinity")
    world.rows("INSERT INTO profiles (id, email, created_at) VALUES (%s, 'a@example.org', '0044-03-15 BC')", new_id())
    async with world.app.state.resources.sessions.begin() as db:
        row = (await db.execute(sa.select(User))).scalar_one()
        profile = (await db.execute(sa.select(Profile))).scalar_one()
        row.locked_at, row.name = row.date_joined, "Anna"
        profile.social_eligible_at = profile.created_at
    assert world.rows("SELECT locked_at = 'infinity' FROM users WHERE id = %s", user) == [(True,)]
    assert world.rows("SELECT social_eligible_at = '0044-03-15 BC' FROM profiles") == [(True,)]
