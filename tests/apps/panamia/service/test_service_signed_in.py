"""Who is signed in, and who is not."""

from __future__ import annotations

import pytest

from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio
UNAUTHORIZED = {"error": "Unauthorized"}


async def test_nobody_is_told_so(world: World) -> None:
    for client in (world.client(), world.client("unknown"), world.client("x" * 300)):
        answer = await client.get("/api/profile")
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_a_session_that_is_over_is_none(world: World) -> None:
    user = world.make_user("a@example.org")
    answer = await world.client(world.make_session(user, hours=-0.01)).get("/api/profile")
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


async def test_profile_is_null_where_there_is_none(world: World) -> None:
    user, client = world.signed_in("A@Example.org")
    answer = (await client.get("/api/profile")).json()
    assert answer["user"] == {"id": user, "email": "a@example.org", "screenname": None}
    assert answer["profile"] is None
    assert answer["profileUnavailable"] is False


async def test_admins_are_those_of_the_setting_however_it_is_written(world: World) -> None:
    _, boss = world.signed_in(ADMIN.title())
    _, other = world.signed_in("someone@example.org", role="admin")
    assert (await boss.get("/api/auth/session")).json()["user"]["isAdmin"] is True
    assert (await other.get("/api/auth/session")).json()["user"]["isAdmin"] is False


async def test_sign_out_ends_the_session(world: World) -> None:
    _, client = world.signed_in("a@example.org")
    assert (await client.post("/api/auth/signout")).status_code == 204
    assert world.rows("SELECT count(*) FROM sessions") == [(0,)]
    assert (await client.get("/api/auth/session")).status_code == 401
