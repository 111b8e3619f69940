"""A person's own profile, wherever profiles live: seen, begun, saved; what is private, and who is faster."""

from __future__ import annotations

import asyncio
import datetime
import json
from typing import Any

import psycopg
import pytest
from bson import ObjectId

from apps.panamia.service.profiles.belonging import ProfileFlags, claim_profile, flags_of
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home

pytestmark = pytest.mark.anyio
LONG_AGO = datetime.datetime(2025, 11, 3, 8, 30, 15, 123_000, tzinfo=datetime.UTC)


@pytest.fixture(params=["mongodb", "postgres"])
def home(world: World, request: pytest.FixtureRequest) -> Home:
    """Both places, one behind the other."""
    return Home(world, request.param)


WHOLE: dict[str, Any] = {
    "name": "Ana María",
    "slug": "ana-maria",
    "five_words": "café y pan de guayaba",
    "details": "Horneamos.\nSiempre.",
    "active": True,
    "status": {"submitted": LONG_AGO, "access": "s3cret-access", "notes": "inside only"},
    "administrative": {"flags": ["vip-inside"]},
    "phone_number": 13055550100,
    "pronouns": {"sheher": True, "theythem": True, "other": True, "other_desc": "elle"},
    "counties": {"broward": True, "miami_dade": False, "monroe": True},
    "categories": {"food": True, "Venue": True, "clothing": True, "art": False, "Brujería": True},
    "primary_address": {"street1": "Calle 8", "city": "Miami", "zipcode": 33135, "lat": "25.7650000", "lng": "-80.22"},
    "geo": {"type": "Point", "coordinates": [-80.22, 25.765]},
    "locations": [{"name": "el otro", "city": "Doral", "lat": 25.8, "lng": "x", "floor": 3}],
    "images": {
        "primary": "p.jpg",
        "primaryCDN": "https://cdn.example.org/p.jpg",
        "gallery1CDN": "https://cdn.example.org/1.jpg",
        "gallery3": "3.jpg",
        "banner": "unknown.jpg",
    },
    "socials": {"website": "https://ana.example.org", "twitter": "", "mastodon": "@ana"},
    "mentoring": {"enabled": True, "expertise": ["pan"], "hourlyRate": "35", "level": 3},
    "availability": {"timezone": "America/New_York", "schedule": [{"day": "mon", "startTime": "09:00", "x": 1}]},
    "verification": {"panaVerified": True, "verifiedOn": LONG_AGO, "verifiedBy": "boss-inside@example.org"},
    "roles": {"mentoringModerator": True, "dj": True},
    "gentedepana": {"code": "PANA-inside", "percentage": "10"},
    "pusherChannelId": "channel-inside",
    "tiktokLive": True,
    "migratedFrom": {"airtable": ObjectId("64b0000000000000000000aa"), "at": LONG_AGO},
    "createdAt": LONG_AGO,
}
"""A profile of both vintages, with keys of nobody's."""


async def test_profile_of_every_vintage_is_shown_in_one_shape(home: Home) -> None:
    user, client = home.world.signed_in("ana@example.org")
    await home.put(" Ana@Example.org", userId=user, **WHOLE)
    answer = await client.get("/api/profile")
    assert answer.status_code == 200
    profile = answer.json()["profile"]
    assert answer.json()["store"] == home.name
    assert profile["email"] == "ana@example.org"
    assert profile["userId"] == user
    assert profile["fiveWords"] == "café y pan de guayaba"
    assert profile["phoneNumber"] == "13055550100"
    assert profile["pronouns"] == ["she/her", "they/them", "other"]  # H15: all of them
    assert profile["pronounsOther"] == "elle"
    assert profile["categories"] == ["food", "clothing", "venue"]
    assert profile["counties"] == ["broward"]
    assert profile["address"]["line1"] == "Calle 8"
    assert profile["address"]["postalCode"] == "33135"
    assert (profile["address"]["lat"], profile["address"]["lng"]) == (25.765, -80.22)
    assert profile["point"] == {"lat": 25.765, "lng": -80.22}  # H27: the map
    assert profile["images"]["gallery1Cdn"] == "https://cdn.example.org/1.jpg"  # H27: the gallery
    assert profile["images"]["gallery3"] == "3.jpg"
    (other,) = profile["locations"]
    assert (other["locality"], other["lat"], other["lng"]) == ("Doral", 25.8, None)  # H15: what is no number
    assert profile["mentoring"]["hourlyRate"] == 35
    assert profile["availability"]["schedule"] == [{"day": "mon", "startTime": "09:00", "endTime": None}]
    assert profile["verification"] == {
        "panaVerified": True,
        "legalAgeVerified": False,
        "verifiedOn": "2025-11-03T08:30:15.123000Z",
    }
    assert profile["status"]["submitted"] == "2025-11-03T08:30:15.123000Z"
    assert profile["createdAt"] == "2025-11-03T08:30:15.123000Z"
    assert "s3cret" not in answer.text
    assert answer.text.count("inside") == 1  # the code of the discount, which is the owner's


async def test_odd_documents_are_shown_as_far_as_they_mean_something(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put(
        "a@example.org",
        userId=user,
        pronouns="she/her",
        categories=None,
        primary_address="Calle 8, Miami",
        locations={"name": "only one"},
        tags=["música", "arte"],
        mentoring={"enabled": "yes", "expertise": None, "hourlyRate": "a lot"},
        availability={"schedule": "always"},
        geo={"type": "Point", "coordinates": ["x"]},
        socials={"website": "javascript:alert(1)"},
        roles=[],
    )
    answer = await client.get("/api/profile")
    assert answer.status_code == 200
    profile = answer.json()["profile"]
    assert profile["name"] is None
    assert profile["pronouns"] == []
    assert profile["tags"] == "música, arte"
    assert profile["locations"][0]["name"] == "only one"
    assert profile["point"] is None
    assert profile["socials"]["website"] is None
    assert profile["mentoring"]["enabled"] is False


async def test_save_changes_what_it_names_and_nothing_else(home: Home) -> None:
    user, client = home.world.signed_in("ana@example.org")
    await home.put("ana@example.org", userId=user, **WHOLE)
    before = await home.one()
    said = {
        "details": "otra cosa",
        "socials": {"instagram": "@ana", "website": None},
        "categories": ["food", "venue", "music"],
        "pronouns": ["he/him", "other"],
        "address": {"line1": "Calle Ocho 88", "line2": ""},
        "locations": [{"name": "el otro", "locality": "Hialeah"}],
        "mentoring": {"languages": ["español"], "hourlyRate": None},
        "availability": {"schedule": [{"day": "tue", "startTime": "10:00", "endTime": "12:00"}]},
        "images": {"gallery1Cdn": None, "gallery2Cdn": "https://cdn.example.org/2.jpg"},
    }
    answer = await client.patch("/api/profile", json=said)
    assert answer.status_code == 200, answer.text
    profile = answer.json()["profile"]
    assert profile["categories"] == ["music", "food", "venue"]
    assert profile["pronouns"] == ["he/him", "other"]
    assert profile["address"]["line1"] == "Calle Ocho 88"
    after = await home.one()
    assert after["tiktokLive"] is True
    assert after["migratedFrom"] == before["migratedFrom"] == WHOLE["migratedFrom"]
    assert after["socials"] == {"instagram": "@ana", "twitter": "", "mastodon": "@ana"}
    assert after["categories"]["Brujería"] is True
    assert after["categories"]["clothing"] is False
    assert after["locations"][0]["floor"] == 3
    assert after["availability"]["schedule"][0]["x"] == 1
    assert after["mentoring"] == {"enabled": True, "expertise": ["pan"], "level": 3, "languages": ["español"]}
    assert after["images"]["banner"] == "unknown.jpg"
    assert "gallery1CDN" not in after["images"]
    assert after["updatedAt"] > LONG_AGO
    kept = set(before) - {*said, "updatedAt", "primary_address"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert (await client.get("/api/profile")).json() == answer.json()


async def test_point_on_the_map_follows_the_address(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana")
    answer = await client.patch("/api/profile", json={"address": {"lat": 25.77, "lng": -80.2}})
    assert answer.json()["profile"]["point"] == {"lat": 25.77, "lng": -80.2}
    assert (await home.one())["geo"] == {"type": "Point", "coordinates": [-80.2, 25.77]}
    answer = await client.patch("/api/profile", json={"address": None})
    assert answer.json()["profile"]["point"] is None
    assert "geo" not in await home.one()


async def test_objects_take_the_place_of_what_is_none(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    odd = {"socials": None, "primary_address": "Calle 8", "pronouns": "she/her", "mentoring": []}
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana", **odd)
    said = {
        "socials": {"website": "ana.example.org"},
        "address": {"locality": "Miami"},
        "pronouns": ["she/her"],
        "mentoring": {"enabled": True},
    }
    answer = await client.patch("/api/profile", json=said)
    assert answer.status_code == 200, answer.text
    profile = answer.json()["profile"]
    assert profile["socials"]["website"] == "ana.example.org"
    assert profile["address"]["locality"] == "Miami"
    assert profile["pronouns"] == ["she/her"]
    assert profile["mentoring"]["enabled"] is True


NO_SAVES: list[Any] = [
    {"active": True},
    {"roles": {"contentModerator": True}},
    {"verification": {"panaVerified": True}},
    {"status": {"approved": "2026-01-01T00:00:00Z"}},
    {"email": "other@example.org"},
    {"userId": "x"},
    {"slug": "somebody-else"},
    {"details": "a\0b"},
    {"details": "\ud800"},
    {"name": "a\nb"},
    {"name": "a"},
    {"details": "x" * 5_001},
    {"categories": ["brujeria"]},
    {"address": {"lat": 91}},
    {"address": {"lat": "NaN"}},
    {"mentoring": {"hourlyRate": -1}},
    {"mentoring": {"hourlyRate": 1e999}},
    {"availability": {"schedule": [{"day": "funday", "startTime": "09:00", "endTime": "10:00"}]}},
    {"availability": {"schedule": [{"day": "mon", "startTime": "10:00", "endTime": "09:00"}]}},
    {"availability": {"schedule": [{"day": "mon", "startTime": "25:99", "endTime": "26:00"}]}},
    {"socials": {"website": "javascript:alert(1)"}},
    {"socials": {"website": "java\tscript:alert(1)"}},
    {"socials": {"$set": 1}},
    {"locations": [{}] * 21},
    [],
    None,
]


async def test_what_is_no_save_is_refused(world: World) -> None:
    user, client = world.signed_in("a@example.org")
    world.write("profiles", {"email": "a@example.org", "userId": user, "name": "Ana", "five_words": "uno"})
    for said in NO_SAVES:
        text = json.dumps(said)
        answer = await client.patch("/api/profile", content=text, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), said
    assert world.documents("profiles")[0].keys() == {"_id", "email", "userId", "name", "five_words"}


async def test_name_and_five_words_are_needed(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, mentoring={"enabled": True, "bio": "…"})
    refused = {"error": "A profile needs a name and five words", "code": "profile-incomplete"}
    for said in ({"details": "x"}, {"name": "Ana"}, {"name": "Ana", "fiveWords": ""}, {"name": None, "fiveWords": "u"}):
        answer = await client.patch("/api/profile", json=said)
        assert (answer.status_code, answer.json()) == (400, refused), said
    answer = await client.patch("/api/profile", json={"name": "Ana", "fiveWords": "uno dos", "details": "x"})
    assert answer.status_code == 200
    assert answer.json()["profile"]["slug"] == "ana"  # from now on there is a page to be found
    for said in ({"name": None}, {"fiveWords": " "}):
        assert (await client.patch("/api/profile", json=said)).json() == refused


async def test_save_without_a_profile_is_not_found(home: Home) -> None:
    _, client = home.world.signed_in("a@example.org")
    answer = await client.patch("/api/profile", json={"details": "x"})
    assert (answer.status_code, answer.json()) == (404, {"error": "Profile not found"})


async def test_save_of_what_somebody_changed_since_is_refused(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana")
    read = (await client.get("/api/profile")).headers["etag"]
    saved = await client.patch("/api/profile", json={"details": "one"}, headers={"if-match": read})
    assert saved.status_code == 200
    assert saved.headers["etag"] != read
    late = await client.patch("/api/profile", json={"details": "two"}, headers={"if-match": read})
    assert (late.status_code, late.json()["code"]) == (412, "profile-changed")
    assert (await home.one())["details"] == "one"
    for good in (f'"x", {saved.headers["etag"]}', "*"):
        answer = await client.patch("/api/profile", json={"details": "3"}, headers={"if-match": good})
        assert answer.status_code == 200
    for nonsense in ("", '"', "ü", "W/" + read, "-", "()"):
        headers = [(b"if-match", nonsense.encode("latin-1"))]
        answer = await client.patch("/api/profile", json={"details": "4"}, headers=headers)
        assert answer.status_code == 412


async def test_saves_at_once_lose_nothing(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana", oldSlug="kept")
    parts: list[dict[str, Any]] = [
        {"details": "d"},
        {"socials": {"website": "https://a.example.org"}},
        {"socials": {"instagram": "@a"}},
        {"address": {"line1": "Calle 8"}},
        {"mentoring": {"bio": "b"}},
    ]
    clients = [home.world.client(client.cookies["authjs.session-token"]) for _ in parts]
    answers = await asyncio.gather(
        *(one.patch("/api/profile", json=said) for one, said in zip(clients, parts, strict=True))
    )
    assert [one.status_code for one in answers] == [200] * len(parts)
    found = await home.one()
    assert found["details"] == "d"
    assert found["socials"] == {"website": "https://a.example.org", "instagram": "@a"}
    assert found["primary_address"]["street1"] == "Calle 8"
    assert found["mentoring"] == {"bio": "b"}
    assert found["oldSlug"] == "kept"


async def test_of_two_saves_of_one_revision_one_wins(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana")
    read = (await client.get("/api/profile")).headers["etag"]
    clients = [home.world.client(client.cookies["authjs.session-token"]) for _ in range(4)]
    answers = await asyncio.gather(
        *(
            one.patch("/api/profile", json={"details": str(number)}, headers={"if-match": read})
            for number, one in enumerate(clients)
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 412, 412, 412]
    (winner,) = [str(number) for number, one in enumerate(answers) if one.status_code == 200]
    assert (await home.one())["details"] == winner


async def test_profile_begins_inactive_with_a_secret_that_nobody_is_told(home: Home) -> None:
    user, client = home.world.signed_in("Ana@example.org", screenname="ana_m")
    said = {"email": "ANA@example.org ", "name": "  Peña & Söhne ", "website": "ana.example.org"}
    answer = await client.post("/api/profile", json=said)
    assert answer.status_code == 201, answer.text
    profile = answer.json()["profile"]
    assert (profile["name"], profile["slug"], profile["active"]) == ("Peña & Söhne", "pena-sohne", False)
    assert profile["status"]["submitted"] is not None
    found = await home.one()
    assert (found["userId"], found["email"]) == (user, "ana@example.org")
    assert len(found["status"]["access"]) >= 24
    assert found["status"]["access"] not in answer.text
    assert (await home.world.client().get("/api/directory/pena-sohne")).status_code == 404
    again = await client.post("/api/profile", json=said)
    assert (again.status_code, again.json()["code"]) == (400, "profile-exists")


async def test_profile_is_not_begun_by_who_may_not(home: Home) -> None:
    said = {"email": "a@example.org", "name": "Ana", "website": "a.example.org"}
    assert (await home.world.client().post("/api/profile", json=said)).status_code == 401
    _, client = home.world.signed_in("a@example.org")
    for part in ({"name": "A"}, {"website": "a.ex"}, {"email": 1}, {"website": "javascript:1"}, {"active": True}):
        assert (await client.post("/api/profile", json={**said, **part})).status_code == 422
    for email in ("b@example.org", "none", "", "a@example.org\0"):
        other = await client.post("/api/profile", json={**said, "email": email})
        assert (other.status_code, other.json()["code"]) == (400, "email-mismatch")
    theirs = home.world.make_user("b@example.org")
    await home.put("a@example.org", userId=theirs, name="Ana")
    taken = await client.post("/api/profile", json=said)
    assert (taken.status_code, taken.json()["code"]) == (400, "profile-exists")
    assert len(await home.all()) == 1


@pytest.mark.parametrize(("said", "begun"), [("old@example.org", False), ("new@example.org", True)])
async def test_profile_begun_while_the_address_changes_has_the_new_one(home: Home, said: str, begun: bool) -> None:
    """H30: the change found no profile to move, so it is the beginning that has to look again."""
    world = home.world
    user, client = world.signed_in("old@example.org")
    body = {"email": said, "name": "Ana", "website": "a.example.org"}
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(world.postgres) as changing:
        changing.execute("UPDATE users SET email = 'new@example.org' WHERE id = %s", (user,))
        asked = asyncio.create_task(client.post("/api/profile", json=body))
        while world.rows(waiting) == [(0,)]:
            assert not asked.done(), asked.result().text
            await asyncio.sleep(0.02)
        changing.commit()
    answer = await asked
    if begun:
        assert answer.status_code == 201, answer.text
        assert (await home.one())["email"] == "new@example.org"
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "email-mismatch")
        assert await home.all() == []


async def test_of_two_who_begin_at_once_one_has_begun(home: Home) -> None:
    _, client = home.world.signed_in("a@example.org")
    clients = [home.world.client(client.cookies["authjs.session-token"]) for _ in range(3)]
    said = {"email": "a@example.org", "name": "Ana", "website": "a.example.org"}
    answers = await asyncio.gather(*(one.post("/api/profile", json=said) for one in clients))
    assert sorted(one.status_code for one in answers) == [201, 400, 400]
    assert len(await home.all()) == 1


async def test_slugs_of_who_begin_at_once_differ(home: Home) -> None:
    await home.put("x@example.org", name="Ana", slug="ana")
    home.world.make_user("named@example.org", screenname="ANA-2")
    people = [home.world.signed_in(f"a{number}@example.org")[1] for number in range(3)]
    answers = await asyncio.gather(
        *(
            one.post("/api/profile", json={"email": f"a{n}@example.org", "name": "Ana", "website": "a.example.org"})
            for n, one in enumerate(people)
        )
    )
    assert [one.status_code for one in answers] == [201] * 3
    assert sorted(one.json()["profile"]["slug"] for one in answers) == ["ana-3", "ana-4", "ana-5"]


async def test_profile_that_was_nobodys_is_claimed_when_its_person_asks(home: Home) -> None:
    await home.put("Ana@Example.org ", name="Ana", slug="ana", userId=None)
    user, client = home.world.signed_in("ana@example.org")
    assert (await client.get("/api/profile")).json()["profile"]["userId"] == user
    assert (await home.one())["userId"] == user


async def test_another_persons_profile_is_neither_shown_nor_written(home: Home) -> None:
    mine, _ = home.world.signed_in("a@example.org")
    await home.put("b@example.org", userId=mine, name="Ana", five_words="uno", slug="ana")
    _, other = home.world.signed_in("b@example.org")  # has the e-mail of that profile, which is claimed
    answer = await other.get("/api/profile")
    assert answer.json()["profile"] is None
    assert (await other.patch("/api/profile", json={"name": "Bo"})).status_code == 404
    assert (await home.one())["name"] == "Ana"
    nobody = home.world.client()
    for answer in (await nobody.get("/api/profile"), await nobody.patch("/api/profile", json={})):
        assert (answer.status_code, answer.json()) == (401, {"error": "Unauthorized"})


async def test_frozen_profiles_are_read_and_not_written(home: Home) -> None:
    user, client = home.world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana", active=True)
    home.freeze()
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "Ana"
    assert (await client.get("/api/directory/ana")).status_code == 200
    _, new = home.world.signed_in("new@example.org")
    said = {"email": "new@example.org", "name": "Neu", "website": "n.example.org"}
    for answer in (await client.patch("/api/profile", json={"name": "Bo"}), await new.post("/api/profile", json=said)):
        assert (answer.status_code, answer.json()["code"]) == (503, "switch-frozen")
        assert int(answer.headers["retry-after"]) > 0
    waiting = (await new.get("/api/profile")).json()  # for all anybody knows a profile waits to be claimed
    assert (waiting["profile"], waiting["profileUnavailable"]) == (None, True)
    assert (await home.one())["name"] == "Ana"


async def test_without_mongodb_the_profile_is_null_with_a_flag(start: Start) -> None:
    world: World = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    _, client = world.signed_in("a@example.org")
    answer = await client.get("/api/profile")
    assert (answer.status_code, answer.json()["profile"]) == (200, None)
    assert answer.json()["profileUnavailable"] is True
    for away in (
        await client.patch("/api/profile", json={"name": "Ana"}),
        await client.get("/api/directory"),
        await client.get("/api/directory/ana"),
    ):
        assert (away.status_code, away.json()["code"]) == (503, "mongodb-away")
    assert (await client.get("/api/auth/session")).status_code == 200


async def test_without_mongodb_profiles_in_postgresql_are_all_there(start: Start) -> None:
    world: World = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    home = Home(world, "postgres")
    user, client = world.signed_in("a@example.org")
    await home.put("a@example.org", userId=user, name="Ana", five_words="uno", slug="ana", active=True)
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "Ana"
    assert (await client.patch("/api/profile", json={"name": "Bo"})).status_code == 200
    assert (await client.get("/api/directory/ana")).json()["name"] == "Bo"


async def test_two_profiles_of_one_person_lose_none(world: World) -> None:
    """H15: the second of them is still there, and nobody else's."""
    world.write(
        "profiles",
        {"email": "ana@example.org", "name": "Ana", "userId": None},
        {"email": "Ana@Example.org", "name": "Ana again"},
    )
    _, client = world.signed_in("ana@example.org")
    assert (await client.get("/api/profile")).json()["profile"] is None  # a person decides which one it is
    assert [one.get("userId") for one in world.documents("profiles")] == [None, None]
    said = {"email": "ana@example.org", "name": "Ana", "website": "a.example.org"}
    assert (await client.post("/api/profile", json=said)).status_code == 400


async def test_profile_is_claimed_and_begun_by_a_proven_address_alone(home: Home) -> None:
    await home.put("ana@example.org", name="Ana", slug="ana", userId=None)
    user, client = home.world.signed_in("ana@example.org", email_verified=None)
    seen = (await client.get("/api/profile")).json()
    assert (seen["profile"], seen["profileUnavailable"]) == (None, False)
    said = {"email": "ana@example.org", "name": "Ana", "website": "a.example.org"}
    answer = await client.post("/api/profile", json=said)
    assert (answer.status_code, answer.json()["code"]) == (403, "email-unproven")
    resources = home.world.app.state.resources
    async with resources.sessions.begin() as db:
        assert await claim_profile(resources, db, user) == "unproven"
    assert (await home.one()).get("userId") is None
    home.world.rows("UPDATE users SET email_verified = now() WHERE id = %s", user)
    assert (await client.get("/api/profile")).json()["profile"]["userId"] == user


async def test_sign_in_tells_the_flags_of_the_profile(home: Home) -> None:
    user = home.world.make_user("a@example.org")
    flags = {"verification": {"panaVerified": True, "legalAgeVerified": "true"}, "roles": {"eventOrganizer": True}}
    await home.put("a@example.org", userId=user, **flags)
    resources = home.world.app.state.resources
    async with resources.sessions.begin() as db:
        found = await flags_of(resources, db, user)
        nobody = await flags_of(resources, db, "nobody")
    assert found == ProfileFlags(pana_verified=True, is_event_organizer=True)
    assert nobody == ProfileFlags()


async def test_of_two_who_claim_one_profile_one_wins(home: Home) -> None:
    await home.put("A@example.org", name="Ana")
    users = [home.world.make_user(f"{' ' * number}a@Example.org") for number in range(4)]
    resources = home.world.app.state.resources

    async def claim(user: str) -> str:
        async with resources.sessions.begin() as db:
            return await claim_profile(resources, db, user)

    came_to = await asyncio.gather(*(claim(user) for user in users))
    assert sorted(came_to) == ["claimed", "taken", "taken", "taken"]
    assert (await home.one())["userId"] == users[came_to.index("claimed")]
    assert await claim(users[came_to.index("claimed")]) == "found"
    home.freeze()
    assert await claim(users[0]) == "away"


async def test_claim_and_flags_do_without_mongodb(start: Start) -> None:
    world: World = await start(MONGODB_URI="mongodb://127.0.0.1:9/panamia", MONGODB_TIMEOUT_MS="200")
    user = world.make_user("a@example.org")
    resources = world.app.state.resources
    async with resources.sessions.begin() as db:
        assert await claim_profile(resources, db, user) == "away"
        assert await flags_of(resources, db, user) == ProfileFlags()


async def test_user_that_is_no_key_claims_nothing(world: World) -> None:
    """What phase 2 could not rewrite is somebody's all the same."""
    world.write("profiles", {"email": "a@example.org", "userId": "507f1f77bcf86cd799439011", "name": "Ana"})
    _, client = world.signed_in("a@example.org")
    assert (await client.get("/api/profile")).json()["profile"] is None
    assert world.documents("profiles")[0]["userId"] == "507f1f77bcf86cd799439011"
