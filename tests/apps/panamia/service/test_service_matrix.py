"""Every route asked by everybody: nobody, a session that is over, a person, an admin.

The routes are those of the application itself; one that stands in no list here fails the test, so that nobody adds a
route without saying whose it is. Oracle: the lists below, from the facts. Cannot see: whether what a person gets is
theirs; each area's tests ask that.
"""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio

EVERYBODY = {
    "GET /health",
    "GET /ready",
    "POST /api/auth/signin/email",
    "GET /api/auth/callback/email",
    "POST /api/auth/signout",
    "POST /api/auth/complete-oauth-verification",
    "POST /api/user/complete-email-migration",
    "GET /api/articles",
    "GET /api/articles/by-slug/{slug}",
    "GET /api/articles/{key}",
    "GET /api/directory",
    "GET /api/directory/{handle}",
    "GET /api/screenname/check",
}
ADMINS = {"POST /api/articles/{key}/remove", "POST /api/articles/{key}/restore"}
PEOPLE = {
    "GET /api/auth/session",
    "POST /api/user/request-email-migration",
    "POST /api/articles",
    "GET /api/articles/mine",
    "PATCH /api/articles/{key}",
    "DELETE /api/articles/{key}",
    "POST /api/articles/{key}/publish",
    "POST /api/articles/{key}/unpublish",
    "POST /api/articles/{key}/co-authors",
    "POST /api/articles/{key}/co-authors/accept",
    "POST /api/articles/{key}/co-authors/decline",
    "DELETE /api/articles/{key}/co-authors/{person}",
    "POST /api/articles/{key}/review",
    "POST /api/articles/{key}/review/done",
    "GET /api/mentoring/sessions",
    "POST /api/mentoring/sessions",
    "GET /api/mentoring/sessions/{key}",
    "POST /api/mentoring/sessions/{key}/accept",
    "POST /api/mentoring/sessions/{key}/decline",
    "POST /api/mentoring/sessions/{key}/cancel",
    "POST /api/mentoring/sessions/{key}/complete",
    "PUT /api/mentoring/sessions/{key}/notes",
    "GET /api/notifications",
    "GET /api/notifications/unread-count",
    "GET /api/notifications/preferences",
    "PATCH /api/notifications/preferences",
    "POST /api/notifications/mark-all-read",
    "POST /api/notifications/{notification}/read",
    "DELETE /api/notifications/{notification}",
    "GET /api/profile",
    "POST /api/profile",
    "PATCH /api/profile",
    "GET /api/screenname",
    "POST /api/screenname",
}
KEY = "z" * 24


def named(app: FastAPI) -> list[str]:
    """Method and path of every route, last the one that ends a session.

    The pages are none of the API, and everybody's.
    """
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    found = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    return sorted(found, key=lambda one: (one == "POST /api/auth/signout", one))


async def ask(client: httpx.AsyncClient, one: str) -> httpx.Response:
    """Ask a route, with a key of nothing where it wants one, and an empty body."""
    method, path = one.split(" ")
    path = re.sub(r"\{[^}]*\}", KEY, path)
    body = {} if method in {"POST", "PUT", "PATCH"} else None
    return await client.request(method, path, json=body)


async def test_every_route_is_somebody_s(world: World) -> None:
    assert sorted(named(world.app)) == sorted([*EVERYBODY, *ADMINS, *PEOPLE])


async def test_nobody_gets_nothing_but_what_is_everybody_s(world: World) -> None:
    over = world.client(world.make_session(world.make_user("over@example.org"), hours=-1))
    for who in (world.client(), over, world.client("no such session")):
        for one in named(world.app):
            answer = await ask(who, one)
            if one in EVERYBODY:
                assert answer.status_code != 401, one
            else:
                assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"}), one


async def test_people_are_refused_what_is_admins(world: World) -> None:
    _, person = world.signed_in("person@example.org", screenname="person", role="admin")
    _, admin = world.signed_in(ADMIN)
    for one in named(world.app):
        status = (await ask(person, one)).status_code
        assert (status == 403) == (one in ADMINS), (one, status)
        assert (await ask(admin, one)).status_code not in {401, 403}, one


async def test_no_answer_is_a_fault(world: World) -> None:
    _, person = world.signed_in("person@example.org", screenname="person")
    for one in named(world.app):
        assert (await ask(person, one)).status_code < 500, one
