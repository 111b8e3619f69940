"""Every route asked for what is somebody's: with each of their keys, and with bodies that only rights refuse."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.possessions import Owner

Body = dict[str, object]
_CHECKED = {"factsVerified": True, "sourcesChecked": True, "communityStandards": True}
_PLACE = re.compile(r"\{(\w+)[^}]*\}")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        route: Method and path, as the OpenAPI has it.
        path: With its keys and its query.
        body: None for none.
    """

    route: str
    path: str
    body: Body | None = None

    @property
    def method(self) -> str:
        """Of HTTP."""
        return self.route.partition(" ")[0]

    async def by(self, client: httpx.AsyncClient) -> httpx.Response:
        """Send it."""
        return await client.request(self.method, self.path, json=self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body or ''}"


def bodies_of(owner: Owner, world: World) -> dict[str, list[Body]]:
    """Return what is sent to each route that writes."""
    later = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9)).isoformat()
    link, change, verification = owner.token_hashes
    tokens: list[Body] = [{"token": one} for one in (link, change, verification, owner.token)]
    third = world.make_user(f"third.{owner.name}@example.org", screenname=f"third-{owner.name}")
    someone: list[Body] = [{"userId": third}]
    because: list[Body] = [{"reason": "Somebody else wants it so"}]
    empty: list[Body] = [{}]
    return {
        "POST /api/auth/signin/email": [{"email": owner.email}],
        "POST /api/auth/signout": empty,
        "POST /api/auth/complete-oauth-verification": tokens,
        "POST /api/user/complete-email-migration": tokens,
        "POST /api/user/request-email-migration": [{"newEmail": owner.email}, {"newEmail": f"next.{owner.email}"}],
        "POST /api/articles": [
            {"title": "An answer", "articleType": "business_update", "inReplyTo": key}
            for key in owner.articles.values()
        ],
        "PATCH /api/articles/{key}": [{"title": "Another title", "content": "Another text", "tags": ["another"]}],
        "POST /api/articles/{key}/publish": empty,
        "POST /api/articles/{key}/unpublish": empty,
        "POST /api/articles/{key}/remove": because,
        "POST /api/articles/{key}/restore": empty,
        "POST /api/articles/{key}/co-authors": someone,
        "POST /api/articles/{key}/co-authors/accept": empty,
        "POST /api/articles/{key}/co-authors/decline": empty,
        "POST /api/articles/{key}/review": someone,
        "POST /api/articles/{key}/review/done": [{"approve": True, "checklist": _CHECKED}],
        "POST /api/mentoring/sessions": [
            {"userId": owner.friend, "scheduledAt": later, "topic": "A talk", "sessionType": "artistic"}
        ],
        "POST /api/mentoring/sessions/{key}/accept": empty,
        "POST /api/mentoring/sessions/{key}/decline": because,
        "POST /api/mentoring/sessions/{key}/cancel": because,
        "POST /api/mentoring/sessions/{key}/complete": [{"notes": "Other notes"}],
        "PUT /api/mentoring/sessions/{key}/notes": [{"notes": "Other notes"}],
        "PATCH /api/notifications/preferences": [{"coauthorInvites": False}],
        "POST /api/notifications/mark-all-read": empty,
        "POST /api/notifications/{notification}/read": empty,
        "POST /api/profile": [{"email": owner.email, "name": "Another name", "website": "https://example.org"}],
        "PATCH /api/profile": [{"name": "Another name", "fiveWords": "v w x y z"}],
        "POST /api/screenname": [{"screenname": owner.name}, {"screenname": f"{owner.name}-before"}],
    }


def requests_of(routes: Iterable[str], owner: Owner, bodies: dict[str, list[Body]]) -> Iterator[Request]:
    """Give every request: each route with each key of the owner that fits, each query and each body."""
    for route in routes:
        method, _, path = route.partition(" ")
        places = list[str](_PLACE.findall(path))
        for keys in itertools.product(*(keys_of(owner, path, name) for name in places)):
            found = _filled(path, dict(zip(places, keys, strict=True)))
            for query in _queries(owner, path) if method == "GET" else ("",):
                for body in bodies[route] if method in {"POST", "PUT", "PATCH"} else (None,):
                    yield Request(route, found + query, body)


def keys_of(owner: Owner, path: str, name: str) -> list[str]:
    """Return what of the owner fits a place of a path."""
    match name:
        case "key" if path.startswith("/api/articles"):
            return list(owner.articles.values())
        case "key" if path.startswith("/api/mentoring"):
            return list(owner.sessions.values())
        case "slug":
            return [f"s-{key}" for key in owner.articles.values()]
        case "handle":
            return [owner.name, f"{owner.name}-before", f"{owner.name}-friend"]
        case "notification":
            return owner.notifications
        case "person":
            return [owner.id, owner.friend]
        case _:
            raise AssertionError(f"{path}: say whose {name} is asked for")


def _filled(path: str, keys: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: quote(keys[place[1]], safe=""), path)


def _queries(owner: Owner, path: str) -> list[str]:
    """Return the queries of a route that reads; the first one is none."""
    found = [""]
    match path:
        case "/api/articles":
            found += [f"?author={owner.id}", f"?author={owner.friend}", f"?replyTo={owner.published}"]
        case "/api/articles/mine":
            found += ["?part=writer", "?part=invited", "?part=reviewer"]
        case "/api/mentoring/sessions":
            found += ["?side=mentor", "?side=mentee"]
        case "/api/notifications":
            found += ["?limit=100", "?unreadOnly=true"]
        case "/api/directory":
            found += ["?q=secret", "?mentors=true", "?q=private"]
        case "/api/screenname/check":
            found = [f"?name={owner.name}"]
        case "/api/auth/callback/email":
            found = [f"?email={quote(owner.email)}&token={one}" for one in (*owner.token_hashes, owner.token)]
        case _:
            pass
    return found


NOT_TWICE = {
    "POST /api/auth/complete-oauth-verification",
    "POST /api/user/complete-email-migration",
    "POST /api/user/request-email-migration",
    "POST /api/profile",
}
"""What not even the owner gets by what a table holds of a token, by an address or for a profile that there is."""
_ORDER = ("GET", "PATCH", "PUT", "POST", "DELETE")


async def granted(client: httpx.AsyncClient, asked: Iterable[Request]) -> set[str]:
    """Let the owner ask all of it, and return the routes that did what they were asked, or had done so before."""
    found: set[str] = set()
    for one in sorted(asked, key=lambda one: (one.route == "POST /api/auth/signout", _ORDER.index(one.method))):
        status = (await one.by(client)).status_code
        assert status < 500, (str(one), status)
        if status not in {400, 401, 403, 404, 422}:
            found.add(one.route)
    return found
