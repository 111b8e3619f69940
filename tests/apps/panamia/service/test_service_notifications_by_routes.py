"""The table of emissions, row by row, through the routes: somebody does something, and others find it in their list."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from apps.panamia.service.notifications.events import KINDS, Event
from tests.apps.panamia.service.conftest import ADMIN, World
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.panamia.service.test_service_faults import refusing

pytestmark = pytest.mark.anyio
CHECKED = {"factsVerified": True, "sourcesChecked": True, "communityStandards": True}
WHY = "It is an advertisement."


@dataclass
class Cast:
    """Everybody of the play, by name."""

    world: World
    ids: dict[str, str] = field(default_factory=dict[str, str])
    browsers: dict[str, httpx.AsyncClient] = field(default_factory=dict[str, httpx.AsyncClient])

    def enter(self, name: str, email: str) -> None:
        columns = {"screenname": f"The_{name}", "name": name.title(), "email_verified": "2026-01-01"}
        self.ids[name], self.browsers[name] = self.world.signed_in(email, **columns)

    async def does(self, name: str, path: str, body: object = None) -> dict[str, Any]:
        answer = await self.browsers[name].post(path, json=body)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else {}

    async def newest(self, name: str) -> dict[str, Any]:
        return (await self.browsers[name].get("/api/notifications?limit=1")).json()["notifications"][0]

    def told(self) -> int:
        return self.world.rows("SELECT count(*) FROM notifications")[0][0]


async def test_each_event_reaches_those_of_the_table_and_nobody_else(world: World) -> None:
    play = Cast(world)
    for name in ("author", "helper", "other", "reviewer", "mentor", "mentee"):
        play.enter(name, f"{name}@example.org")
    play.enter("boss", ADMIN)
    await Home(world, "mongodb").put(
        "mentor@example.org", userId=play.ids["mentor"], name="M", mentoring={"enabled": True}
    )
    ids = play.ids
    article = await play.does("author", "/api/articles", {"title": "The sea", "articleType": "business_update"})
    when = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)).isoformat()
    at, sessions = f"/api/articles/{article['id']}", "/api/mentoring/sessions"
    await play.browsers["author"].patch(at, json={"content": "Uno dos tres."})
    asked = {"userId": ids["mentor"], "scheduledAt": when, "topic": "Welding", "sessionType": "artistic"}
    to_both: dict[str, str | None] = {"author": None, "helper": None}

    async def then(
        event: Event, who: str, path: str, body: object = None, *, to: dict[str, str | None], about: str = "The sea"
    ) -> dict[str, Any]:
        """Let somebody do something; `to` is who is told, with which message."""
        before = play.told()
        answer = await play.does(who, path, body)
        assert play.told() - before == len(to), event
        for target, message in to.items():
            found = await play.newest(target)
            key = article["id"] if about == "The sea" else answer["id"]
            assert (found["type"], found["context"]) == (KINDS[event].type, KINDS[event].context), (event, target)
            assert (found["actor"], found["actorScreenname"]) == (ids[who], f"The_{who}"), event
            assert (found["object"], found["objectTitle"], found["message"]) == (key, about, message), event
            assert found["objectUrl"].startswith("/"), event
            assert found["displayMessage"].startswith(f"The_{who} "), event
            assert about in found["displayMessage"], event
        seen.append(event)
        return answer

    seen: list[Event] = []
    await then(
        "coauthor-invited",
        "author",
        f"{at}/co-authors",
        {"userId": ids["helper"], "message": "Come!"},
        to={"helper": "Come!"},
    )
    await then("coauthor-accepted", "helper", f"{at}/co-authors/accept", to={"author": None})
    await play.does("author", f"{at}/co-authors", {"userId": ids["other"]})
    await then("coauthor-declined", "other", f"{at}/co-authors/decline", to={"author": None})
    review = {"userId": ids["reviewer"], "message": "Please"}
    await then("review-requested", "helper", f"{at}/review", review, to={"reviewer": "Please"})
    no = {"approve": False, "message": "Too short"}
    await then("review-revision", "reviewer", f"{at}/review/done", no, to={"author": "Too short", "helper": None})
    await play.does("author", f"{at}/review", review)
    yes = {"approve": True, "checklist": CHECKED}
    await then("review-approved", "reviewer", f"{at}/review/done", yes, to=to_both)
    await then("article-published", "author", f"{at}/publish", to={"helper": None, "reviewer": None})
    both_told = {"author": WHY, "helper": WHY}
    await then("article-removed", "boss", f"{at}/remove", {"reason": WHY}, to=dict(both_told))
    await then("article-restored", "boss", f"{at}/restore", to=to_both)

    about = "Welding"
    one = await then("mentoring-requested", "mentee", sessions, asked, to={"mentor": None}, about=about)
    path = f"{sessions}/{one['id']}"
    await then("mentoring-accepted", "mentor", f"{path}/accept", to={"mentee": None}, about=about)
    ill = {"reason": "I am ill"}
    await then("mentoring-cancelled", "mentee", f"{path}/cancel", ill, to={"mentor": "I am ill"}, about=about)
    two = await play.does("mentee", sessions, asked)
    path = f"{sessions}/{two['id']}/decline"
    await then("mentoring-declined", "mentor", path, ill, to={"mentee": "I am ill"}, about=about)
    assert set(seen) == set(KINDS) - {"message-sent"}, "nothing makes a message yet"
    assert world.rows("SELECT count(*) FROM notifications WHERE actor = target") == [(0,)]


async def test_what_is_refused_while_it_commits_is_told_to_nobody(world: World) -> None:
    play = Cast(world)
    for name in ("author", "helper"):
        play.enter(name, f"{name}@example.org")
    await Home(world, "mongodb").put(
        "helper@example.org", userId=play.ids["helper"], name="H", mentoring={"enabled": True}
    )
    article = await play.does("author", "/api/articles", {"title": "The sea", "articleType": "business_update"})
    when = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)).isoformat()
    helper = {"userId": play.ids["helper"]}
    asked = {**helper, "scheduledAt": when, "topic": "Welding", "sessionType": "artistic"}
    for number, (table, path, body) in enumerate(
        [
            ("articles", f"/api/articles/{article['id']}/co-authors", helper),
            ("mentor_sessions", "/api/mentoring/sessions", asked),
        ]
    ):
        refusing(world, table, "57P01", 1, deferred=True)
        answer = await play.browsers["author"].post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "postgres-away")
        assert world.rows("SELECT last_value FROM refusals") == [(1,)], "so it came as far as that"
        assert play.told() == number
        await play.does("author", path, body)
        assert play.told() == number + 1
