"""Two at the same moment: one wins, the other is told, and both databases' rows say what the answers said."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.apps.panamia.service.articles_made import about, co_author, column, make_article, review, told
from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio
TIMES = 4


def codes(answers: list[httpx.Response]) -> list[int]:
    return sorted(one.status_code for one in answers)


async def test_of_two_answers_to_an_invitation_one_counts(world: World) -> None:
    author = world.make_user("a@example.org", screenname="Ana")
    guest = world.make_user("b@example.org")
    browsers = [world.client(world.make_session(guest)) for _ in range(2)]
    for _ in range(TIMES):
        key = make_article(world, author, co_authors=(co_author(guest, "pending"),))
        url = f"/api/articles/{key}/co-authors"
        accepted, declined = await asyncio.gather(browsers[0].post(f"{url}/accept"), browsers[1].post(f"{url}/decline"))
        [entry] = column(world, key, "co_authors")
        if accepted.status_code == 200:
            assert (declined.status_code, entry["status"]) == (409, "accepted")
            assert told(world) == about(key, "Accept", "coauthor", guest, author)
        else:
            assert (accepted.status_code, declined.status_code, entry["status"]) == (409, 204, "declined")
            assert told(world) == about(key, "Reject", "coauthor", guest, author)


async def test_of_two_requests_for_a_review_one_counts(world: World) -> None:
    author = world.make_user("a@example.org", screenname="Ana")
    writer = world.make_user("w@example.org")
    readers = [world.make_user(f"r{number}@example.org") for number in range(2)]
    browsers = [world.client(world.make_session(user)) for user in (author, writer)]
    for _ in range(TIMES):
        key = make_article(world, author, co_authors=(co_author(writer),))
        asked = zip(browsers, readers, strict=True)
        answers = await asyncio.gather(
            *(browser.post(f"/api/articles/{key}/review", json={"userId": reader}) for browser, reader in asked)
        )
        assert codes(list(answers)) == [201, 409]
        winner = next(place for place, one in enumerate(answers) if one.status_code == 201)
        assert column(world, key, "reviewed_by")["userId"] == readers[winner]
        assert told(world) == about(key, "Invite", "review", (author, writer)[winner], readers[winner])


async def test_publishing_and_removing_at_the_same_moment_agree(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    writer = world.make_user("w@example.org")
    _, boss = world.signed_in(ADMIN)
    reason = {"reason": "Because of that"}
    for _ in range(TIMES):
        key = make_article(world, author, co_authors=(co_author(writer),))
        url = f"/api/articles/{key}"
        published, removed = await asyncio.gather(
            client.post(f"{url}/publish"), boss.post(f"{url}/remove", json=reason)
        )
        assert published.status_code == 200
        assert removed.status_code in {200, 409}
        assert column(world, key, "status") == ("removed" if removed.status_code == 200 else "published")
        assert len(told(world)) == (3 if removed.status_code == 200 else 1)

        key = make_article(world, author, "published", co_authors=(co_author(writer),))
        url = f"/api/articles/{key}"
        answers = await asyncio.gather(client.post(f"{url}/unpublish"), boss.post(f"{url}/remove", json=reason))
        assert codes(list(answers)) == [200, 409]
        assert column(world, key, "status") == ("draft" if answers[0].status_code == 200 else "removed")
        assert len(told(world)) == (0 if answers[0].status_code == 200 else 2)


async def test_the_same_thing_sent_twice_happens_once(world: World) -> None:
    author = world.make_user("a@example.org", screenname="Ana")
    guest, reader = world.make_user("b@example.org"), world.make_user("r@example.org")
    authors, readers, admins = (
        [world.client(world.make_session(user)) for _ in range(3)] for user in (author, reader, world.make_user(ADMIN))
    )
    key = make_article(world, author, reviewed_by=review(reader))
    url = f"/api/articles/{key}"
    for browsers, path, body, done in (
        (authors, "/co-authors", {"userId": guest}, 201),
        (readers, "/review/done", {"approve": False}, 200),
        (authors, "/review", {"userId": reader}, 201),
        (readers, "/review/done", {"approve": True, "checklist": dict.fromkeys(ALL, True)}, 200),
        (authors, "/publish", None, 200),
        (admins, "/remove", {"reason": "Because of that"}, 200),
        (admins, "/restore", None, 200),
        (authors, "/unpublish", None, 200),
    ):
        answers = await asyncio.gather(*(browser.post(url + path, json=body) for browser in browsers))
        assert codes(list(answers)) == [done, 409, 409], path
        assert len(told(world)) == (0 if path == "/unpublish" else 1), path
    deleted = await asyncio.gather(*(browser.delete(url) for browser in authors))
    assert codes(list(deleted)) == [204, 404, 404]


async def test_answering_what_is_taken_back_and_deleted_at_the_moment_is_no_fault(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    _, other = world.signed_in("b@example.org", screenname="Beto")
    again = world.client(world.make_session(author))
    for _ in range(2 * TIMES):
        parent = make_article(world, author, "published")
        body = {"title": "Re", "articleType": "community_commentary", "inReplyTo": parent}
        made, taken, _ = await asyncio.gather(
            other.post("/api/articles", json=body),
            client.post(f"/api/articles/{parent}/unpublish"),
            again.delete(f"/api/articles/{parent}"),
        )
        assert taken.status_code in {200, 409}
        assert made.status_code in {201, 400}
        if made.status_code == 201:
            assert column(world, made.json()["id"], "in_reply_to") in {parent, None}


async def test_a_person_who_vanishes_at_the_moment_is_no_fault(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    for number in range(TIMES):
        guest, guests = world.signed_in(f"g{number}@example.org")
        key = make_article(world, author)
        await client.post(f"/api/articles/{key}/co-authors", json={"userId": guest})
        answers = await asyncio.gather(
            guests.post(f"/api/articles/{key}/co-authors/accept"),
            client.post(f"/api/articles/{key}/review", json={"userId": guest}),
            asyncio.to_thread(world.rows, "DELETE FROM users WHERE id = %s", guest),
        )
        assert answers[0].status_code in {200, 401, 409}
        assert answers[1].status_code in {201, 400, 404}
        assert (await client.get(f"/api/articles/{key}")).status_code == 200


ALL = ("factsVerified", "sourcesChecked", "communityStandards")
