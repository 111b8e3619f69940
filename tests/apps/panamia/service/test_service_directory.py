"""The directory, wherever profiles live: who is listed, who has a page, and what is never shown."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import httpx
import pytest

from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.profile_homes import Home

pytestmark = pytest.mark.anyio

PRIVATE: dict[str, Any] = {
    "email": "private-address@example.org",
    "phone_number": "private-phone",
    "status": {"access": "private-secret", "notes": "private-notes"},
    "administrative": {"note": "private-administrative"},
    "hearaboutus": "private-hear",
    "affiliate": "private-affiliate",
    "gentedepana": {"code": "private-code", "percentage": "10"},
    "verification": {"panaVerified": True, "verifiedBy": "private-verifier@example.org"},
    "roles": {"contentModerator": True},
    "pusherChannelId": "private-channel",
    "availability": {"timezone": "private-zone"},
    "unknownKey": "private-unknown",
}


@pytest.fixture(params=["mongodb", "postgres"])
def home(world: World, request: pytest.FixtureRequest) -> Home:
    """Both places, one behind the other."""
    return Home(world, request.param)


async def _names(client: httpx.AsyncClient, **query: str | int) -> list[str]:
    answer = await client.get("/api/directory", params=query)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["profiles"]]


async def test_page_shows_what_is_public_and_nothing_else(home: Home) -> None:
    user = home.world.make_user("private-user@example.org", screenname="Ana_M", name="private-name")
    fields = {"name": "Ana", "slug": "ana", "details": "pan", "active": True, "userId": user, **PRIVATE}
    await home.put(**fields, mentoring={"enabled": False, "bio": "private-bio"})
    answer = await home.world.client().get("/api/directory/ana")
    assert answer.status_code == 200
    page = answer.json()
    assert (page["name"], page["slug"], page["screenname"], page["details"]) == ("Ana", "ana", "Ana_M", "pan")
    assert page["panaVerified"] is True
    assert page["mentoring"] is None
    assert page["gentedepana"] == {"percentage": "10", "details": None}
    listed = await home.world.client().get("/api/directory")
    for text in (answer.text, listed.text):
        assert "private" not in text
        assert user not in text


async def test_page_of_a_mentor_says_when(home: Home) -> None:
    schedule = [{"day": "mon", "startTime": "09:00", "endTime": "10:00"}]
    fields = {"name": "Ana", "slug": "ana", "active": True, "availability": {"schedule": schedule}}
    await home.put("a@example.org", **fields, mentoring={"enabled": True, "expertise": ["pan"]})
    page = (await home.world.client().get("/api/directory/ana")).json()
    assert page["mentoring"]["expertise"] == ["pan"]
    assert page["mentoring"]["availability"]["schedule"] == schedule


async def test_page_is_found_by_slug_and_by_names_now_and_then(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org", screenname="first-name")
    await home.put("a@example.org", name="Ana", slug="ana", active=True, userId=user)
    assert (await client.post("/api/screenname", json={"screenname": "Second-Name"})).status_code == 200
    nobody = home.world.client()
    for handle in ("ana", "second-name", "SECOND-NAME", "First-Name"):
        answer = await nobody.get(f"/api/directory/{handle}")
        assert (answer.status_code, answer.json()["screenname"]) == (200, "Second-Name"), handle


async def test_unclaimed_profile_has_its_page(home: Home) -> None:
    """H23: those that nobody has claimed stay reachable."""
    await home.put("a@example.org", name="Ana", slug="ana", active=True)
    page = (await home.world.client().get("/api/directory/ana")).json()
    assert (page["name"], page["screenname"]) == ("Ana", None)


async def test_pages_that_are_none(home: Home) -> None:
    user = home.world.make_user("a@example.org", screenname="hidden_name")
    await home.put("a@example.org", name="Ana", slug="ana", active=False, userId=user)
    home.world.make_user("b@example.org", screenname="without_profile")
    nobody = home.world.client()
    handles = ["ana", "hidden_name", "without_profile", "nobody", "%00", "%ED%A0%80", "a%2Fb", "%0A", "$gt", "x" * 200]
    for handle in handles:
        answer = await nobody.get(f"/api/directory/{handle}")
        assert answer.status_code == 404, (handle, answer.text)
    assert (await nobody.get("/api/directory/ana")).json() == {"error": "Profile not found"}
    assert (await nobody.get(f"/api/directory/{'x' * 201}")).status_code == 422


async def test_list_holds_active_profiles_with_a_slug_page_by_page(home: Home) -> None:
    names = ["ana", "Ana-2", "beto", "celia", "ñandú", "zoe"]
    for number, name in enumerate(reversed(names)):
        await home.put(f"{number}@example.org", name=name, slug=name, active=True)
    await home.put("hidden@example.org", name="hidden", slug="hidden", active=False)
    await home.put("slugless@example.org", name="slugless", active=True)
    await home.put("empty@example.org", name="empty", slug="", active=True)
    client = home.world.client()
    everybody = await _names(client)
    assert everybody == ["Ana-2", "ana", "beto", "celia", "zoe", "ñandú"]  # by bytes, in both databases alike
    met: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, str | int] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/directory", params=query)).json()
        met += [one["name"] for one in page["profiles"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        assert len(page["profiles"]) == 2
    assert met == everybody
    assert await _names(client, limit=2**31 - 1) == everybody
    assert (await client.get("/api/directory", params={"limit": 2**31})).status_code == 422


async def test_list_is_capped(home: Home) -> None:
    for first in range(0, 53, 8):  # no more at once than there are connections
        some = range(first, min(first + 8, 53))
        await asyncio.gather(
            *(home.put(f"{number}@example.org", name="n", slug=f"n{number:03}", active=True) for number in some)
        )
    page = (await home.world.client().get("/api/directory", params={"limit": 1_000})).json()
    assert len(page["profiles"]) == 50
    rest = (await home.world.client().get("/api/directory", params={"cursor": page["nextCursor"]})).json()
    assert [one["slug"] for one in rest["profiles"]] == ["n050", "n051", "n052"]
    assert rest["nextCursor"] is None


async def test_list_is_searched(home: Home) -> None:
    await home.put(
        "a@example.org", name="Panadería", slug="a", active=True, tags="pan, CAFÉ", categories={"food": True}
    )
    await home.put(
        "b@example.org", name="100% b_b", slug="b", active=True, details="Pan (no café)", categories={"Venue": True}
    )
    await home.put("c@example.org", name="C", slug="c", active=True, five_words="pan", mentoring={"enabled": True})
    await home.put("d@example.org", name="pan", slug="d", active=False, categories={"food": True})
    client = home.world.client()
    assert await _names(client, q="PAN") == ["Panadería", "100% b_b", "C"]
    assert await _names(client, q=" pan  (no ") == ["100% b_b"]
    for literal, found in (("100%", ["100% b_b"]), ("b_b", ["100% b_b"]), ("%", ["100% b_b"]), (".*", []), ("\\", [])):
        assert await _names(client, q=literal) == found, literal
    assert await _names(client, category="food") == ["Panadería"]
    assert await _names(client, category="venue") == ["100% b_b"]
    assert await _names(client, mentors="true") == ["C"]
    assert await _names(client, category="food", mentors="true") == []


RUBBISH: list[tuple[dict[str, str], int]] = [
    ({"cursor": "rubbish"}, 400),
    ({"cursor": "ü"}, 400),
    ({"cursor": ""}, 400),
    ({"cursor": base64.urlsafe_b64encode(b"[1, 2]").decode()}, 400),
    ({"cursor": base64.urlsafe_b64encode(b'["a"]').decode()}, 400),
    ({"cursor": base64.urlsafe_b64encode(b"no id\0\xed\xa0\x80").decode()}, 400),
    ({"cursor": base64.urlsafe_b64encode(b"no end of an id").decode()}, 400),
    ({"cursor": base64.urlsafe_b64encode(b"[" * 400).decode()}, 400),
    ({"cursor": "x" * 8_001}, 422),
    ({"cursor": base64.urlsafe_b64encode(b"no id\0a").decode()}, 200),
    ({"limit": "0"}, 422),
    ({"limit": "many"}, 422),
    ({"category": "Venue"}, 422),
    ({"county": "monroe"}, 422),
    ({"q": "a\0b"}, 422),
    ({"q": "x" * 101}, 422),
]


async def test_rubbish_is_refused(world: World) -> None:
    client = world.client()
    for query, status in RUBBISH:
        answer = await client.get("/api/directory", params=query)
        assert answer.status_code == status, (query, answer.text)
        assert status != 400 or answer.json()["code"] == "cursor"


ODD = [
    "a",
    "caf\u00ad-e",
    "caf\u200d",
    "d\n",
    "d'\\\"",
    "e\U0001f334",
    "f" * 2_600,
    "\u00f1" * 1_300,
    "\U0010ffff" * 600,
]
"""Slugs in the order of their bytes, as old programs have made them."""


async def test_every_slug_makes_a_cursor_that_is_taken(home: Home) -> None:
    for number, slug in enumerate(ODD):
        await home.put(f"{number}@example.org", name="n", slug=slug, active=True)
    met: list[str] = []
    query: dict[str, str | int] = {"limit": 1}
    while True:
        answer = await home.world.client().get("/api/directory", params=query)
        assert answer.status_code == 200, (met[-1], answer.text)
        met += [one["slug"] for one in answer.json()["profiles"]]
        if answer.json()["nextCursor"] is None:
            break
        query["cursor"] = answer.json()["nextCursor"]
    assert met == ODD


async def test_slug_with_a_nul_is_gone_past_in_both_databases(world: World) -> None:
    home = Home(world, "mongodb")
    for number, slug in enumerate(["a", "b\0b", "c"]):
        await home.put(f"{number}@example.org", name=f"{number}", slug=slug, active=True)
    page = (await world.client().get("/api/directory", params={"limit": 2})).json()
    assert await _names(world.client(), cursor=page["nextCursor"]) == ["2"]
    moved = Home(world, "postgres")
    for name in ("b", "c"):
        await moved.put(f"{name}@example.org", name=name, slug=name, active=True)
    assert await _names(world.client(), cursor=page["nextCursor"]) == ["c"]


async def test_cursor_stays_good_when_profiles_move(world: World) -> None:
    home = Home(world, "mongodb")
    for name in ("ana", "beto", "celia"):
        await home.put(f"{name}@example.org", name=name, slug=name, active=True)
    client = world.client()
    cursor = (await client.get("/api/directory", params={"limit": 1})).json()["nextCursor"]
    moved = Home(world, "postgres")
    for name in ("ana", "beto", "celia"):
        await moved.put(f"{name}@example.org", name=name, slug=name, active=True)
    assert await _names(client, cursor=cursor) == ["beto", "celia"]
