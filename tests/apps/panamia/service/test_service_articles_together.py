"""What people do to an article together, who is told of it, and what becomes of carried forms."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panamia.service.articles.rules import MOST_REVIEWS
from tests.apps.panamia.service.articles_made import about, co_author, column, make_article, review, told
from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio
ALL = {"factsVerified": True, "sourcesChecked": True, "communityStandards": True}


async def test_an_invitation_is_told_answered_and_told(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    guest, guests = world.signed_in("b@example.org", screenname="Béto-1")
    other, others = world.signed_in("c@example.org")
    key = make_article(world, author)
    url = f"/api/articles/{key}/co-authors"
    asked = await client.post(url, json={"screenname": " bÉTO-1 ", "message": " ¿Vienes? "})
    assert asked.status_code == 201
    assert told(world) == about(key, "Invite", "coauthor", author, guest, message="¿Vienes?")
    assert (await client.post(url, json={"userId": other})).status_code == 201
    assert told(world) == about(key, "Invite", "coauthor", author, other)
    assert (await guests.post(f"{url}/accept")).json()["coAuthors"][0]["status"] == "accepted"
    assert told(world) == about(key, "Accept", "coauthor", guest, author)
    assert (await others.post(f"{url}/decline")).status_code == 204
    assert told(world) == about(key, "Reject", "coauthor", other, author)
    assert (await others.get(f"/api/articles/{key}")).status_code == 404
    assert (await client.post(url, json={"userId": other})).status_code == 201
    assert [(one["userId"], one["status"]) for one in column(world, key, "co_authors")] == [
        (guest, "accepted"),
        (other, "pending"),
    ]


async def test_who_cannot_be_invited(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    world.make_user("l@example.org", screenname="Locked", locked_at="2026-01-01T00:00:00Z")
    key = make_article(world, author)
    for path in ("co-authors", "review"):
        url = f"/api/articles/{key}/{path}"
        for nobody in ({"screenname": "nobody"}, {"screenname": "locked"}, {"userId": "gone"}):
            answer = await client.post(url, json=nobody)
            assert (answer.status_code, answer.json()) == (404, {"error": "Person not found"})
        for wrong in ({}, {"userId": author, "screenname": "Ana"}, {"userId": "A b"}, {"screenname": "a\0"}, {"x": 1}):
            assert (await client.post(url, json=wrong)).status_code == 422
        assert (await client.post(url, json={"userId": author, "message": "x" * 501})).status_code == 422
        own = await client.post(url, json={"screenname": "ANA"})
        assert (own.status_code, own.json()["code"]) == (400, "own-article")
    assert (column(world, key, "co_authors", "reviewed_by"), told(world)) == (([], None), [])


async def test_strangers_learn_nothing_about_people_by_inviting(world: World) -> None:
    author = world.make_user("a@example.org", screenname="Ana")
    _, stranger = world.signed_in("s@example.org")
    key = make_article(world, author)
    for named in ({"screenname": "Ana"}, {"screenname": "nobody"}):
        for path in ("co-authors", "review"):
            answer = await stranger.post(f"/api/articles/{key}/{path}", json=named)
            assert answer.json() == {"error": "Article not found"}


async def test_co_authors_are_let_go_and_go(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    first, firsts = world.signed_in("b@example.org")
    second, _ = world.signed_in("c@example.org")
    junk = [{"status": "pending", "x": 1}, "?"]
    entries = (co_author(first), *junk, co_author(second, "pending"), co_author(second))
    key = make_article(world, author, co_authors=entries)
    url = f"/api/articles/{key}/co-authors"
    assert (await firsts.delete(f"{url}/{second}")).status_code == 403
    assert (await firsts.delete(f"{url}/{first}")).status_code == 204
    assert (await firsts.get(f"/api/articles/{key}")).status_code == 404
    assert (await client.delete(f"{url}/{second}")).status_code == 204
    assert (await client.delete(f"{url}/{second}")).status_code == 404
    assert column(world, key, "co_authors") == junk


async def test_a_review_from_the_request_to_the_publication(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    writer, writers = world.signed_in("w@example.org", screenname="Wendy")
    reader, readers = world.signed_in("r@example.org", screenname="Rita")
    last, lasts = world.signed_in("l@example.org", screenname="Lola")
    key = make_article(world, author, co_authors=(co_author(writer),))
    url = f"/api/articles/{key}"
    asked = await writers.post(f"{url}/review", json={"screenname": "rita", "message": "¿Lo lees?"})
    assert (asked.status_code, asked.json()["status"]) == (201, "pending_review")
    assert told(world) == about(key, "Invite", "review", writer, reader, message="¿Lo lees?")
    again = await client.post(f"{url}/review", json={"userId": last})
    assert (again.status_code, again.json()["code"]) == (409, "review-pending")
    assert (await lasts.post(f"{url}/review/done", json={"approve": False})).status_code == 404

    found = {"approve": False, "message": "Casi.", "comments": [{"text": "¿Fuente?", "contentRef": "p:1"}]}
    done = (await readers.post(f"{url}/review/done", json=found)).json()
    assert (done["status"], done["review"]["status"]) == ("revision_needed", "revision_needed")
    assert done["review"]["comments"][0]["text"] == "¿Fuente?"
    assert told(world) == sorted(
        about(key, "Update", "review", reader, author, message="Casi.")
        + about(key, "Update", "review", reader, writer),
        key=repr,
    )
    assert (await client.post(f"{url}/review", json={"userId": last})).status_code == 201
    told(world)
    short = await lasts.post(
        f"{url}/review/done", json={"approve": True, "checklist": {**ALL, "sourcesChecked": False}}
    )
    assert (short.status_code, short.json()["code"]) == (400, "checklist-incomplete")
    assert (column(world, key, "status"), told(world)) == ("pending_review", [])
    done = (await lasts.post(f"{url}/review/done", json={"approve": True, "checklist": ALL})).json()
    assert (done["status"], done["review"]["status"], done["review"]["checklist"]) == ("draft", "approved", ALL)
    assert told(world) == about(key, "Accept", "review", last, author, writer)
    [shown] = done["earlierReviews"]
    assert (shown["reviewer"]["id"], shown["comments"][0]["text"]) == (reader, "¿Fuente?")
    [earlier] = column(world, key, "reviewed_by")["earlier"]
    assert (earlier["userId"], earlier["comments"][0]["text"]) == (reader, "¿Fuente?")

    published = (await client.post(f"{url}/publish")).json()
    assert (published["status"], published["publishedAt"] is not None) == ("published", True)
    assert told(world) == about(key, "Create", "article", author, writer, last)


async def test_a_publication_is_not_told_to_who_did_not_approve(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    writer, asked, no, reader = (world.make_user(f"{name}@example.org") for name in ("w", "i", "n", "r"))
    people = (co_author(writer), co_author(asked, "pending"), co_author(no, "declined"), co_author(author))
    for outcome in ("pending", "revision_needed"):
        key = make_article(world, author, co_authors=people, reviewed_by=review(reader, outcome))
        assert (await client.post(f"/api/articles/{key}/publish")).status_code == 200
        assert told(world) == about(key, "Create", "article", author, writer)


async def test_publishing_needs_somebody_else_and_a_text(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    guest = world.make_user("b@example.org")
    for people, reviewed, content, wanted in (
        ((), None, "x", "not-seen-by-others"),
        ((co_author(guest, "pending"),), review(guest), "x", "not-seen-by-others"),
        ((co_author(guest),), None, " \n", "incomplete"),
        ((), review(None, "approved"), "x", None),
        ((co_author(None),), None, "x", None),
    ):
        key = make_article(world, author, co_authors=people, reviewed_by=reviewed, content=content)
        answer = await client.post(f"/api/articles/{key}/publish")
        assert (answer.status_code, answer.json().get("code")) == (200 if wanted is None else 409, wanted)


async def test_an_admin_removes_and_restores_and_all_who_wrote_are_told(world: World) -> None:
    admin, boss = world.signed_in(ADMIN)
    author, client = world.signed_in("a@example.org", screenname="Ana")
    writer, reader, gone = (world.make_user(f"{name}@example.org") for name in ("w", "r", "g"))
    people = (co_author(writer), co_author(writer), co_author(gone), co_author(None), co_author(reader, "pending"))
    key = make_article(world, author, "published", co_authors=people, reviewed_by=review(reader, "approved"))
    world.rows("DELETE FROM users WHERE id = %s", gone)
    url = f"/api/articles/{key}"
    for reason in ("too short", " " * 20, "x" * 1_001):
        assert (await boss.post(f"{url}/remove", json={"reason": reason})).status_code == 422
    assert (await client.post(f"{url}/remove", json={"reason": "x" * 10})).status_code == 403
    removed = await boss.post(f"{url}/remove", json={"reason": "  Not what it says.  "})
    assert (removed.status_code, removed.json()["status"]) == (200, "removed")
    assert told(world) == about(key, "Delete", "article", admin, author, writer, message="Not what it says.")
    assert (await client.get(url)).json()["removalReason"] == "Not what it says."
    before = column(world, key, "published_at", "removed_at", "removed_by", "removal_reason")
    assert (await boss.post(f"{url}/restore")).json()["status"] == "published"
    assert told(world) == about(key, "Undo", "article", admin, author, writer)
    assert column(world, key, "published_at", "removed_at", "removed_by", "removal_reason") == before
    assert before[2:] == (admin, "Not what it says.")
    assert (await world.client().get(url)).json()["removalReason"] is None


async def test_an_admin_who_wrote_it_is_not_told_by_themselves(world: World) -> None:
    admin, boss = world.signed_in(ADMIN)
    writer = world.make_user("w@example.org")
    key = make_article(world, admin, "published", co_authors=(co_author(writer), co_author(admin)))
    await boss.post(f"/api/articles/{key}/remove", json={"reason": "Mine was wrong"})
    assert told(world) == about(key, "Delete", "article", admin, writer, message="Mine was wrong")


async def test_unpublishing_forgets_when_it_was_and_tells_nobody(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    key = make_article(world, author, "published", co_authors=(co_author(world.make_user("w@example.org")),))
    assert (await client.post(f"/api/articles/{key}/unpublish")).json()["publishedAt"] is None
    assert (column(world, key, "status", "published_at"), told(world)) == (("draft", None), [])


async def test_without_an_author_answers_are_told_to_nobody(world: World) -> None:
    guest, guests = world.signed_in("b@example.org")
    key = make_article(world, None, co_authors=(co_author(guest, "pending"),), reviewed_by=review(guest))
    assert (await guests.post(f"/api/articles/{key}/review/done", json={"approve": False})).status_code == 200
    assert (await guests.post(f"/api/articles/{key}/co-authors/accept")).status_code == 200
    assert told(world) == []


async def test_carried_forms_are_worked_with_and_kept(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    guest, guests = world.signed_in("b@example.org", screenname="Beto")
    junk: list[Any] = [{"status": "pending", "invitedAt": "2026-01-12"}, {"userId": None, "x": 1}, None, "?", 5, ["a"]]
    told_once = {"userId": guest, "x ✓": {"y": 1}}  # from before there were answers: it waits
    reviewed = {"userId": guest, "checklist": {"factsVerified": None, "spelling ✓": True}, "comments": "?", "z": 1}
    key = make_article(world, author, co_authors=[*junk, told_once], reviewed_by=reviewed)
    url = f"/api/articles/{key}"
    shown = (await client.get(url)).json()
    assert [one["person"]["name"] for one in shown["coAuthors"]] == ["Former Member", "Former Member", "Beto"]
    assert shown["review"]["checklist"] == {"factsVerified": False, "spelling ✓": True}
    assert (await guests.post(f"{url}/review/done", json={"approve": False})).status_code == 200
    assert (await guests.post(f"{url}/co-authors/accept")).status_code == 200
    stored, kept = column(world, key, "co_authors", "reviewed_by")
    assert stored[:-1] == junk
    assert stored[-1] == {**told_once, "status": "accepted", "acceptedAt": stored[-1]["acceptedAt"]}
    assert (kept["z"], kept["checklist"]["spelling ✓"], kept["status"]) == (1, True, "revision_needed")
    other = make_article(world, author, co_authors={"userId": guest})
    assert (await client.get(f"/api/articles/{other}")).status_code == 200
    assert (await guests.post(f"/api/articles/{other}/co-authors/accept")).status_code == 200


async def test_a_reviewer_who_is_gone_makes_room_for_another_one(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    gone, reader = world.make_user("g@example.org"), world.make_user("r@example.org")
    key = make_article(world, author, "pending_review", reviewed_by=review(gone))
    assert (await client.post(f"/api/articles/{key}/review", json={"userId": reader})).status_code == 409
    world.rows("DELETE FROM users WHERE id = %s", gone)
    assert (await client.get(f"/api/articles/{key}")).json()["review"]["reviewer"]["name"] == "Former Member"
    assert (await client.post(f"/api/articles/{key}/review", json={"userId": reader})).status_code == 201
    assert column(world, key, "reviewed_by")["earlier"] == [review(gone)]


async def test_the_last_review_of_all_is_not_asked_for_again(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    reader = world.make_user("r@example.org")
    earlier = [review(reader, "revision_needed") for _ in range(MOST_REVIEWS - 2)]
    last = review(reader, "revision_needed", earlier=earlier)
    key = make_article(world, author, "revision_needed", reviewed_by=last)
    assert (await client.post(f"/api/articles/{key}/review", json={"userId": reader})).status_code == 201
    world.rows('UPDATE articles SET reviewed_by = reviewed_by || \'{"status": "revision_needed"}\' WHERE id = %s', key)
    refused = await client.post(f"/api/articles/{key}/review", json={"userId": reader})
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many")
    assert len(column(world, key, "reviewed_by")["earlier"]) == MOST_REVIEWS - 1


async def test_what_is_written_with_a_question_is_for_whoever_is_asked(world: World) -> None:
    author, writes = world.signed_in("a@example.org", screenname="Ana")
    guest, guests = world.signed_in("b@example.org")
    helper, helpers = world.signed_in("c@example.org")
    reader, readers = world.signed_in("r@example.org")
    _, boss = world.signed_in(ADMIN)
    key = make_article(
        world,
        author,
        "pending_review",
        co_authors=(
            co_author(guest, "pending", invitationMessage="for b"),
            co_author(helper, "accepted", invitationMessage="for c"),
        ),
        reviewed_by=review(
            reader, invitationMessage="for r", earlier=[review(helper, "approved", invitationMessage="for c, too")]
        ),
    )
    seen = {}
    for name, client in {"a": writes, "b": guests, "c": helpers, "r": readers, "admin": boss}.items():
        found = (await client.get(f"/api/articles/{key}")).json()
        asked = [*found["coAuthors"], found["review"], *found["earlierReviews"]]
        seen[name] = [one["invitationMessage"] for one in asked]
    assert seen == {
        "a": ["for b", "for c", "for r", "for c, too"],
        "b": ["for b", None, None, None],
        "c": [None, "for c", "for r", "for c, too"],
        "r": [None, None, "for r", None],
        "admin": ["for b", "for c", "for r", "for c, too"],
    }


async def test_carried_tags_that_are_none_are_left_out(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    for tags in ([None, "mar", ""], [["mar", "sol"]]):
        key = make_article(world, author, "published", tags=tags)
        shown = await client.get(f"/api/articles/{key}")
        assert (shown.status_code, shown.json()["tags"]) == (200, ["mar"] if None in tags else [])
    assert len((await client.get("/api/articles")).json()["articles"]) == 2
