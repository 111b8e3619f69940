"""Every route asked by everybody: nobody, a session that is over, a person, an admin.

The routes are those of the application itself; one that stands in no list here fails the test, so that nobody adds a
route without saying whose it is. Oracle: the lists below, from the facts. Then everybody asks for what is somebody's
(`possessions`): their rows and documents stay as they were, and no answer holds a secret of theirs. Cannot see: what is
kept from a person who has a part in it; each area's tests ask that.
"""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from tests.apps.panamia.routes_of import described, routes_of
from tests.apps.panamia.service.asked_of import NOT_TWICE, Request, bodies_of, granted, requests_of
from tests.apps.panamia.service.conftest import ADMIN, World
from tests.apps.panamia.service.possessions import ARTICLES, Owner, held, own_everything

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
_PAGES = ("", "signin", "confirm-sign-in", "confirm-address", "settings", "docs")
_FILES = ("base.css", "style.css", "home.js", "signin.js", "confirm.js", "settings.js", "docs.js")
HIDDEN = {
    "HEAD /api/auth/callback/email",
    *(f"GET /{page}" for page in _PAGES),
    *(f"GET /pages/{name}" for name in _FILES),
}
"""Everybody's, and not in the OpenAPI; tests of links and of pages ask for them."""
KEY = "z" * 24


def named(app: FastAPI) -> list[str]:
    """Method and path of every route, last the one that ends a session.

    What the OpenAPI hides is none of them, and everybody's.
    """
    return sorted(described(app), key=lambda one: (one == "POST /api/auth/signout", one))


async def ask(client: httpx.AsyncClient, one: str) -> httpx.Response:
    """Ask a route, with a key of nothing where it wants one, and an empty body."""
    method, path = one.split(" ")
    path = re.sub(r"\{[^}]*\}", KEY, path)
    body = {} if method in {"POST", "PUT", "PATCH"} else None
    return await client.request(method, path, json=body)


async def test_every_route_is_somebody_s(world: World) -> None:
    assert sorted(named(world.app)) == sorted([*EVERYBODY, *ADMINS, *PEOPLE])
    assert routes_of(world.app) - described(world.app) == HIDDEN


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


async def test_nothing_of_somebody_is_another_one_s_to_read_or_write(world: World) -> None:
    owner, asked = _aimed_at_somebody(world)
    _, stranger = world.signed_in("stranger@example.org", screenname="stranger", email_verified="2026-01-01")
    before = held(world, owner)
    for one in asked:
        answer = await one.by(stranger)
        _holds_no_secret(answer, owner, one)
        if "{" in one.route and not _is_everybody_s(one, owner):
            assert answer.status_code in {403, 404}, (str(one), answer.text)
    after = held(world, owner)
    assert before - after == set(), "changed or gone"
    assert {row for row in after - before if not row.startswith(_MAY_COME)} == set(), "new"


async def test_admins_see_and_remove_articles_and_nothing_else_of_somebody(world: World) -> None:
    owner, asked = _aimed_at_somebody(world)
    _, admin = world.signed_in(ADMIN, screenname="boss", email_verified="2026-01-01")
    theirs = (owner.articles["published"], owner.articles["removed"])
    before = {row for row in held(world, owner) if not any(key in row for key in theirs)}
    read: set[str] = set()
    for one in asked:
        answer = await one.by(admin)
        seen = one.route.partition(" ")[2].startswith("/api/articles")
        _holds_no_secret(answer, owner, one, *([ARTICLES] if seen else []))
        read |= {one.route} if owner.secrets[ARTICLES] in answer.text else set()
        if "{" in one.route and one.method != "GET" and one.route not in ADMINS:
            assert answer.status_code in {403, 404}, (str(one), answer.text)
    assert before - held(world, owner) == set(), "changed or gone"
    assert {"GET /api/articles/{key}", "GET /api/articles/by-slug/{slug}"} <= read, "admins do see them"


async def test_whoever_is_not_signed_in_reads_and_writes_nothing_of_somebody(world: World) -> None:
    owner, asked = _aimed_at_somebody(world)
    before = held(world, owner)
    over = world.make_session(owner.id, hours=-1)
    clients = [world.client(), world.client(over), world.client("no such session")]
    for one in asked:
        if one.route == "POST /api/auth/signout":
            continue
        for client in clients if one.route not in EVERYBODY else clients[:2]:
            answer = await one.by(client)
            _holds_no_secret(answer, owner, one)
            if one.route not in EVERYBODY:
                assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"}), str(one)
    after = {row for row in held(world, owner) if over not in row}
    assert before - after == set(), "changed or gone"
    assert {row for row in after - before if not row.startswith("verification_tokens: ")} == set(), "new"


async def test_the_owner_is_refused_none_of_it(world: World) -> None:
    """What the tests before this one send is sound, then: only whose it is stands against it."""
    owner, asked = _aimed_at_somebody(world)
    done = await granted(world.client(owner.token), asked)
    assert set(named(world.app)) - done == ADMINS | NOT_TWICE


_MAY_COME = ("verification_tokens: ", "email_migrations: ", "articles: ")
"""Links that somebody asks for in the owner's name and changes to the owner's address, of which only the owner gets the
mail; answers to what the owner published."""


def _aimed_at_somebody(world: World) -> tuple[Owner, list[Request]]:
    """Make somebody who has everything, and all requests for it."""
    owner = own_everything(world, "ana")
    bodies = bodies_of(owner, world)
    routes = named(world.app)
    writing = {one for one in routes if one.split(" ")[0] in {"POST", "PUT", "PATCH"}}
    assert writing == bodies.keys(), "say what is sent to a route that writes"
    return owner, list(requests_of(routes, owner, bodies))


def _is_everybody_s(one: Request, owner: Owner) -> bool:
    """Whether a request reads what everybody may: an article that is published, an active profile, a name."""
    return one.method == "GET" and (owner.published in one.path or one.path.endswith(f"/{owner.name}-friend"))


def _holds_no_secret(answer: httpx.Response, owner: Owner, one: Request, *known: str) -> None:
    told = f"{answer.headers} {answer.text}"
    for kind, secret in owner.secrets.items():
        assert kind in known or secret not in told, f"{one}: a {kind} is told"
    sent = str(one)
    for secret in (owner.email, owner.token, *owner.token_hashes):
        assert secret in sent or secret not in told, f"{one}: an address or a token is told"
    assert answer.status_code < 500, str(one)
