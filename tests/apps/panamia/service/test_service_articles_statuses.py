"""Every action in every state by everybody, as requests: what is refused changes nothing and tells nobody.

Oracle: the table of `articles_made`. Cannot see: what an action does where it is allowed; the other tests of articles
look at that.
"""

from __future__ import annotations

import json

import httpx
import psycopg
import pytest

from tests.apps.panamia.service.articles_made import ACTIONS, STATUSES, co_author, expected, make_article, review
from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio
_WHO = ("author", "accepted", "invited", "reviewer", "stranger", "admin")


async def _act(client: httpx.AsyncClient, action: str, key: str, accepted: str, somebody: str) -> httpx.Response:
    url = f"/api/articles/{key}"
    match action:
        case "update":
            return await client.patch(url, json={"title": "Changed"})
        case "delete":
            return await client.delete(url)
        case "invite":
            return await client.post(f"{url}/co-authors", json={"userId": somebody})
        case "accept" | "decline":
            return await client.post(f"{url}/co-authors/{action}")
        case "part":
            return await client.delete(f"{url}/co-authors/{accepted}")
        case "ask":
            return await client.post(f"{url}/review", json={"userId": somebody})
        case "review":
            return await client.post(f"{url}/review/done", json={"approve": False})
        case "remove":
            return await client.post(f"{url}/remove", json={"reason": "Because of that"})
        case _:
            return await client.post(f"{url}/{action}")


async def test_each_action_in_each_state_by_each_person(world: World) -> None:
    people = {name: world.signed_in(f"{name}@example.org", screenname=name) for name in _WHO if name != "admin"}
    people["admin"] = world.signed_in(ADMIN)
    ids = {name: user for name, (user, _) in people.items()}
    somebody = world.make_user("somebody@example.org")
    key = make_article(world, ids["author"])
    entries = [co_author(ids["accepted"]), co_author(ids["invited"], "pending")]
    wrong: list[object] = []
    with psycopg.connect(world.postgres, autocommit=True) as direct:
        direct.execute("CREATE TABLE kept AS SELECT * FROM articles")
        for action in ACTIONS:
            reviewed = review(ids["reviewer"], "revision_needed" if action == "ask" else "pending")
            for status in STATUSES:
                direct.execute(
                    "UPDATE kept SET status = %s, co_authors = %s, reviewed_by = %s, published_at = %s",
                    (
                        status,
                        json.dumps(entries),
                        json.dumps(reviewed),
                        "2026-01-01" if status in {"published", "removed"} else None,
                    ),
                )
                direct.execute("DELETE FROM articles")
                direct.execute("INSERT INTO articles SELECT * FROM kept")
                for who, (_, client) in people.items():
                    answer = await _act(client, action, key, ids["accepted"], somebody)
                    refused = expected(action, status, who)
                    seen = answer.status_code if answer.status_code >= 400 else None
                    same = direct.execute(
                        "SELECT count(*) FROM (TABLE articles INTERSECT TABLE kept) AS same"
                    ).fetchone()
                    notices = direct.execute("SELECT count(*) FROM notifications").fetchone()
                    if seen != refused or (refused is not None and (same, notices) != ((1,), (0,))):
                        wrong.append((action, status, who, refused, answer.status_code, same, notices))
                    if refused is None:
                        direct.execute("DELETE FROM link_requests")  # or it is enough for a day
                        direct.execute("DELETE FROM notifications")
                        direct.execute("DELETE FROM articles")
                        direct.execute("INSERT INTO articles SELECT * FROM kept")
    assert wrong == []
