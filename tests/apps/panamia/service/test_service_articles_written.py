"""Articles made, read, listed, changed and deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from apps.panamia.models.ids import new_id
from tests.apps.panamia.service.articles_made import HOSTILE, co_author, column, make_article, review
from tests.apps.panamia.service.conftest import ADMIN, World

pytestmark = pytest.mark.anyio
NEW: dict[str, Any] = {"title": "Café Ñandú", "articleType": "business_update"}


async def test_an_article_is_made_as_a_draft(world: World) -> None:
    author, client = world.signed_in("A@Example.org", screenname="Ana-Ñ")
    body = {
        **NEW,
        "title": f"  {HOSTILE} ",
        "content": " word" * 401,
        "tags": ["O'Brien", " {a,b} ", "O'Brien"],
        "coverImage": "https://example.org/a b.png".replace(" ", "%20"),
    }
    answer = await client.post("/api/articles", json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert made["author"] == {"id": author, "screenname": "Ana-Ñ", "name": "Ana-Ñ"}
    assert (made["title"], made["status"], made["readingTime"]) == (HOSTILE, "draft", 3)
    assert made["tags"] == ["O'Brien", "{a,b}"]
    assert made["excerpt"] == (" word" * 401)[:300].strip()
    assert made["slug"] == "ana-s-que-b-x-b"
    assert (await client.get(f"/api/articles/{made['id']}")).json() == made
    assert (await client.get(f"/api/articles/by-slug/{made['slug']}")).json() == made
    assert world.rows("SELECT count(*) FROM notifications") == [(0,)]


async def test_who_has_no_screen_name_is_told_to_choose_one(world: World) -> None:
    _, client = world.signed_in("a@example.org", name="Ana")
    answer = await client.post("/api/articles", json=NEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "SCREENNAME_REQUIRED")
    assert world.rows("SELECT count(*) FROM articles") == [(0,)]


async def test_what_is_no_article_is_refused(world: World) -> None:
    _, client = world.signed_in("a@example.org", screenname="Ana")
    wrong: list[dict[str, object]] = [
        {"title": ""},
        {"title": "  "},
        {"title": "x" * 201},
        {"title": "a\0b"},
        {"title": "a\nb"},
        {"title": None},
        {"content": "a\0b"},
        {"content": "x" * 200_001},
        {"excerpt": "x" * 501},
        {"articleType": "news"},
        {"tags": ["x"] * 11},
        {"tags": ["x" * 51]},
        {"tags": [""]},
        {"tags": "x"},
        {"coverImage": "javascript:alert(1)"},
        {"coverImage": "http://a b"},
        {"inReplyTo": "../x"},
        {"authorId": "somebody"},
        {"status": "published"},
    ]
    for one in wrong:
        answer = await client.post("/api/articles", json={**NEW, **one})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), one
    assert world.rows("SELECT count(*) FROM articles") == [(0,)]


async def test_half_a_letter_is_refused(world: World) -> None:
    _, client = world.signed_in("a@example.org", screenname="Ana")
    content = b'{"title": "\\ud800", "articleType": "business_update"}'
    answer = await client.post("/api/articles", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_answers_need_a_published_article(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    for status, wanted in (("draft", 400), ("removed", 400), ("published", 201)):
        parent = make_article(world, author, status)
        answer = await client.post("/api/articles", json={**NEW, "inReplyTo": parent})
        assert answer.status_code == wanted
        assert answer.json().get("code" if wanted == 400 else "inReplyTo") in {"parent-not-published", parent}
    assert (await client.post("/api/articles", json={**NEW, "inReplyTo": "nothing"})).status_code == 400
    found = (await world.client().get("/api/articles", params={"replyTo": parent})).json()
    assert found["articles"] == []  # the answer is a draft still


async def test_equal_titles_get_different_addresses_at_the_same_moment(world: World) -> None:
    user = world.make_user("a@example.org", screenname="Ana")
    clients = [world.client(world.make_session(user)) for _ in range(8)]
    made = await asyncio.gather(*(client.post("/api/articles", json=NEW) for client in clients))
    assert [one.status_code for one in made] == [201] * 8
    slugs = {one.json()["slug"] for one in made}
    assert len(slugs) == 8
    assert "cafe-nandu" in slugs
    assert all(one.removeprefix("cafe-nandu").removeprefix("-").isdecimal() for one in slugs - {"cafe-nandu"})


async def test_an_address_is_found_where_all_close_ones_are_taken(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    for slug in ("cafe-nandu", *(f"cafe-nandu-{number}" for number in range(2, 50))):
        make_article(world, author, slug=slug)
    made = (await client.post("/api/articles", json=NEW)).json()
    assert int(made["slug"].removeprefix("cafe-nandu-")) >= 1_000


async def test_what_is_not_published_is_there_for_those_who_take_part_alone(world: World) -> None:
    people = {name: world.signed_in(f"{name}@example.org", screenname=name) for name in ("author", "writer", "asked")}
    people |= {name: world.signed_in(f"{name}@example.org") for name in ("no", "reviewer", "stranger")}
    people["admin"] = world.signed_in(ADMIN)
    ids = {name: user for name, (user, _) in people.items()}
    seen_by: dict[str, set[str]] = {}
    for status in ("draft", "pending_review", "revision_needed", "removed", "published"):
        key = make_article(
            world,
            ids["author"],
            status,
            slug=f"sl-{status} ü/%",
            co_authors=(co_author(ids["writer"]), co_author(ids["asked"], "pending"), co_author(ids["no"], "declined")),
            reviewed_by=review(ids["reviewer"], comments=[{"id": "1", "text": "secret"}], earlier=["?", review(None)]),
            removal_reason="because of that",
        )
        everybody = {**{name: client for name, (_, client) in people.items()}, "nobody": world.client()}
        answers = {name: await client.get(f"/api/articles/{key}") for name, client in everybody.items()}
        by_slug = {
            name: await client.get(f"/api/articles/by-slug/sl-{status}%20%C3%BC/%25")
            for name, client in everybody.items()
        }
        assert {name: one.json() for name, one in answers.items()} == {n: one.json() for n, one in by_slug.items()}
        seen_by[status] = {name for name, one in answers.items() if one.status_code == 200}
        refused = [one for one in answers.values() if one.status_code != 200]
        assert all((one.status_code, one.json()) == (404, {"error": "Article not found"}) for one in refused)
        for name in seen_by[status]:
            inside = answers[name].json()
            takes_part = name in {"author", "writer", "asked", "reviewer", "admin"}
            assert (inside["review"] is not None) == takes_part
            assert (inside["removalReason"] is not None) == takes_part
            assert len(inside["earlierReviews"]) == (1 if takes_part else 0)
            assert [one["status"] for one in inside["coAuthors"]] == (
                ["accepted", "pending", "declined"] if takes_part else ["accepted"]
            )
    part = {"author", "writer", "asked", "reviewer", "admin"}
    assert seen_by == dict.fromkeys(seen_by, part) | {"published": {*people, "nobody"}}


async def test_whoever_is_gone_is_a_former_member(world: World) -> None:
    author, _ = world.signed_in("a@example.org", screenname="Ana")
    gone, _ = world.signed_in("g@example.org", screenname="Gone")
    key = make_article(world, author, "published", co_authors=(co_author(gone), co_author(None), {"status": "maybe"}))
    world.rows("DELETE FROM users")
    article = (await world.client().get(f"/api/articles/{key}")).json()
    former = {"id": None, "screenname": None, "name": "Former Member"}
    assert article["author"] == former
    assert [one["person"] for one in article["coAuthors"]] == [former, former]
    assert "Ana" not in str(article)


async def test_pages_of_published_articles_neither_repeat_nor_leave_out(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    other = world.make_user("b@example.org")
    same = "2026-01-01T00:00:00Z"
    made = [make_article(world, author, "published", published_at=same, tags=["{x}"]) for _ in range(4)]
    made += [make_article(world, other, "published", published_at=at) for at in ("1931-05-01", "2026-02-01")]
    undated = [make_article(world, author, "published", published_at=None, tags=["{x}", "y"]) for _ in range(3)]
    for status in ("draft", "pending_review", "revision_needed", "removed"):
        make_article(world, author, status, tags=["{x}"])

    async def pages(**asked: object) -> list[list[str]]:
        found: list[list[str]] = []
        cursor: str | None = None
        while len(found) < 20:
            params = {**asked, **({"cursor": cursor} if cursor else {})}
            page = (await world.client().get("/api/articles", params=params)).json()
            found.append([one["id"] for one in page["articles"]])
            cursor = page["next"]
            if cursor is None:
                return found
        raise AssertionError("pages without an end")

    wanted = [made[5], *sorted(made[:4], reverse=True), made[4], *sorted(undated, reverse=True)]
    for limit in (1, 2, 3, 6, 9, 10, 1_000_000):
        found = await pages(limit=limit)
        assert [one for page in found for one in page] == wanted
        assert max(len(page) for page in found) <= limit
    assert await pages(tag="y", limit=100) == [sorted(undated, reverse=True)]
    assert (await pages(author=other, limit=1)) == [[made[5]], [made[4]]]
    assert await pages(tag="nothing") == [[]]
    first = (await client.get("/api/articles", params={"limit": 2})).json()
    make_article(world, author, "published", published_at="2027-01-01")
    second = await client.get("/api/articles", params={"limit": 2, "cursor": first["next"]})
    assert [one["id"] for one in second.json()["articles"]] == wanted[2:4]


async def test_lists_refuse_what_cannot_be_asked(world: World) -> None:
    _, client = world.signed_in("a@example.org")
    for asked in ({"limit": "0"}, {"limit": "x"}, {"tag": "a\0"}, {"author": "A"}, {"cursor": "x" * 101}):
        assert (await client.get("/api/articles", params=asked)).status_code == 422
    for cursor in ("rubbish", "never.a"):
        answer = await client.get("/api/articles/mine", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor")
    assert (await client.get("/api/articles/mine", params={"part": "owner"})).status_code == 422
    assert (await client.get("/api/articles/UPPER")).status_code == 422
    assert (await client.get("/api/articles/by-slug/a%00b")).status_code == 422


async def test_everybody_lists_what_they_have_a_part_in(world: World) -> None:
    me, client = world.signed_in("a@example.org", screenname="Ana")
    other = world.make_user("b@example.org")
    mine = make_article(world, me, "removed")
    writes = make_article(world, other, co_authors=(co_author(other), co_author(me)))
    twice = make_article(world, other, co_authors=(co_author(me, "pending"), co_author(me)))
    asked = make_article(world, other, co_authors=(co_author(me, "pending"),))
    unsaid = make_article(world, other, "published", co_authors=(co_author(me, None),))
    make_article(world, other, co_authors=(co_author(me, "declined"),))
    make_article(world, other, co_authors=(co_author(me, "maybe"), co_author(other, "pending")))
    make_article(world, other, "removed", co_authors=(co_author(me, "pending"),))
    waits = make_article(world, other, "pending_review", reviewed_by=review(me))
    carried = make_article(world, other, reviewed_by={"userId": me})
    make_article(world, other, reviewed_by=review(me, "approved"))
    make_article(world, other, "published", reviewed_by=review(me))
    make_article(world, other, "pending_review", reviewed_by=review(other))

    async def of(part: str) -> set[str]:
        page = (await client.get("/api/articles/mine", params={"part": part, "limit": 100})).json()
        return {one["id"] for one in page["articles"]}

    assert await of("writer") == {mine, writes, twice}
    assert await of("invited") == {asked, unsaid}
    assert await of("reviewer") == {waits, carried}
    first = (await client.get("/api/articles/mine", params={"limit": 2})).json()
    rest = (await client.get("/api/articles/mine", params={"limit": 2, "cursor": first["next"]})).json()
    assert [len(first["articles"]), len(rest["articles"]), rest["next"]] == [2, 1, None]
    assert {one["id"] for one in first["articles"] + rest["articles"]} == {mine, writes, twice}
    nothing = await world.signed_in("c@example.org")[1].get("/api/articles/mine")
    assert nothing.json() == {"articles": [], "next": None}


async def test_changes_touch_what_they_name(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    writer, other = world.signed_in("b@example.org")
    unknown = {"userId": writer, "status": "accepted", "old ✓": [1]}
    key = make_article(
        world, author, content="old " * 10, excerpt="old " * 9 + "old", cover_image="x:y", co_authors=(unknown,)
    )
    before = column(world, key, "slug", "title", "cover_image", "tags", "article_type")
    changed = await other.patch(f"/api/articles/{key}", json={"content": "new " * 201})
    assert changed.status_code == 200
    assert (changed.json()["readingTime"], changed.json()["excerpt"]) == (2, ("new " * 201)[:300].strip())
    assert column(world, key, "slug", "title", "cover_image", "tags", "article_type") == before
    body = {"title": "Otro", "excerpt": "mine", "coverImage": None, "tags": ["t"], "articleType": None}
    assert (await client.patch(f"/api/articles/{key}", json=body)).status_code == 200
    assert column(world, key, "title", "excerpt", "cover_image", "tags") == ("Otro", "mine", None, ["t"])
    await client.patch(f"/api/articles/{key}", json={"content": "third", "title": None})
    assert column(world, key, "title", "excerpt") == ("Otro", "mine")
    await client.patch(f"/api/articles/{key}", json={"excerpt": None})
    assert column(world, key, "excerpt", "slug", "co_authors") == ("third", before[0], [unknown])
    assert (await client.patch(f"/api/articles/{key}", json={"authorId": writer})).status_code == 422


async def test_a_change_does_not_go_over_somebody_else_s(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    key = make_article(world, author)
    seen = (await client.get(f"/api/articles/{key}")).json()["updatedAt"]
    both = [{"title": title, "unlessChangedSince": seen} for title in ("one", "two")]
    answers = await asyncio.gather(*(client.patch(f"/api/articles/{key}", json=body) for body in both))
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert next(one.json()["code"] for one in answers if one.status_code == 409) == "changed"
    again = {
        "title": "three",
        "unlessChangedSince": next(a.json()["updatedAt"] for a in answers if a.status_code == 200),
    }
    assert (await client.patch(f"/api/articles/{key}", json=again)).status_code == 200


async def test_what_is_published_keeps_a_text(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    key = make_article(world, author, "published")
    answer = await client.patch(f"/api/articles/{key}", json={"content": " \n"})
    assert (answer.status_code, answer.json()["code"]) == (409, "incomplete")
    assert column(world, key, "content") == "Uno dos tres."
    draft = make_article(world, author)
    assert (await client.patch(f"/api/articles/{draft}", json={"content": ""})).status_code == 200


async def test_deleted_drafts_are_gone_and_what_was_announced_stays(world: World) -> None:
    author, client = world.signed_in("a@example.org", screenname="Ana")
    key, announced = make_article(world, author), make_article(world, author)
    answering = make_article(world, author, in_reply_to=key)
    world.rows("INSERT INTO article_announcements (id, article_id, content) VALUES (%s, %s, 'x')", new_id(), announced)
    assert (await client.delete(f"/api/articles/{key}")).status_code == 204
    assert (await client.delete(f"/api/articles/{key}")).status_code == 404
    assert column(world, answering, "in_reply_to") is None
    answer = await client.delete(f"/api/articles/{announced}")
    assert (answer.status_code, answer.json()["code"]) == (409, "announced")
    assert column(world, announced, "status") == "draft"
