"""The indexes of profiles in MongoDB: made when the service starts, around what stands double, never at a sign-in.

Oracle: the indexes as the server lists them, and the documents.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from apps.panamia.service.profiles.documents import DocumentProfiles
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home
from tests.fix_mongo import WireServer

pytestmark = pytest.mark.anyio
MADE = ["_id_", "isthmus_ensure_email", "isthmus_ensure_userId", "slug_1__id_1"]


def indexes(world: World) -> list[str]:
    """Return the names of the indexes on profiles."""
    with MongoClient[dict[str, Any]](world.mongodb) as client:
        return sorted(one["name"] for one in client.get_default_database()["profiles"].list_indexes())


def drop_indexes(world: World) -> None:
    """Let profiles be as in a database that no service has seen."""
    with MongoClient[dict[str, Any]](world.mongodb) as client:
        client.get_default_database()["profiles"].drop_indexes()


def said(email: str) -> dict[str, str]:
    return {"email": email, "name": "Ana", "website": "a.example.org"}


async def test_start_makes_the_indexes_and_no_sign_in_does(start: Start) -> None:
    world: World = await start()
    assert indexes(world) == MADE
    drop_indexes(world)
    _, client = world.signed_in("a@example.org")
    world.write("profiles", {"email": "a@example.org", "name": "Ana"})
    seen = (await client.get("/api/profile")).json()
    assert (seen["profile"], seen["profileUnavailable"]) == (None, True)
    answer = await client.post("/api/profile", json=said("a@example.org"))
    assert (answer.status_code, answer.json()["code"]) == (503, "ensure-no-index")
    assert answer.headers["retry-after"] == "5"
    assert indexes(world) == ["_id_"]
    await start()
    assert indexes(world) == MADE
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "Ana"


async def test_profiles_that_live_in_postgresql_get_no_collection(start: Start) -> None:
    world: World = await start()
    Home(world, "postgres")
    with MongoClient[dict[str, Any]](world.mongodb) as client:
        client.get_default_database().drop_collection("profiles")
    await start()
    assert indexes(world) == []


async def test_users_that_two_profiles_hold_keep_nobody_else_from_theirs(start: Start) -> None:
    """H15: MongoDB kept them from nothing; who stands double waits for somebody to look, and all others do not."""
    world: World = await start()
    drop_indexes(world)
    user, client = world.signed_in("a@example.org")
    both = [{"email": f"{name}@example.org", "userId": user, "name": name, "five_words": "uno"} for name in ("a", "b")]
    world.write("profiles", *both, {"email": "C@example.org", "name": "Celia"})
    await start()
    (but,) = set(indexes(world)) - {*MADE, "isthmus_ensure_userId_plain"}
    assert but.startswith("isthmus_ensure_userId_but_")
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "a"
    assert (await client.patch("/api/profile", json={"details": "x"})).status_code == 200
    answer = await client.post("/api/profile", json=said("a@example.org"))
    assert (answer.status_code, answer.json()["code"]) == (503, "ensure-duplicate")

    celia, claims = world.signed_in("c@example.org")
    assert (await claims.get("/api/profile")).json()["profile"]["userId"] == celia
    _, begins = world.signed_in("d@example.org")
    assert (await begins.post("/api/profile", json=said("d@example.org"))).status_code == 201
    assert len(world.documents("profiles")) == 4

    with MongoClient[dict[str, Any]](world.mongodb) as mongo:
        mongo.get_default_database()["profiles"].update_many({"userId": user}, {"$unset": {"userId": 1}})
    seen = (await client.get("/api/profile")).json()
    assert (seen["profile"], seen["profileUnavailable"]) == (None, True)  # the index still leaves the user out
    await start()
    assert indexes(world) == MADE
    assert (await client.get("/api/profile")).json()["profile"]["name"] == "a"


async def test_of_many_who_ask_at_once_each_has_one_profile_beside_those_that_stand_double(start: Start) -> None:
    world: World = await start()
    drop_indexes(world)
    world.write("profiles", *({"email": f"{one}@x", "userId": "double"} for one in range(2)))
    await start()
    people = [world.signed_in(f"{number}@example.org") for number in range(3)]
    world.write("profiles", {"email": "0@example.org", "name": "waits"})
    clients = [client for _, client in people]
    asked = [one.post("/api/profile", json=said(f"{number}@example.org")) for number, one in enumerate(clients)]
    more = [one.get("/api/profile") for one in clients for _ in range(3)]
    codes = [answer.status_code for answer in await asyncio.gather(*asked, *more)]
    assert codes[:3] == [400, 201, 201]
    held = [one["userId"] for one in world.documents("profiles") if one["userId"] != "double"]
    assert sorted(held) == sorted(user for user, _ in people)


async def test_service_that_starts_before_mongodb_prepares_when_it_is_there(
    start: Start, own_mongo: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_mongo.stop()
    address = own_mongo.url.replace("/?", "/panamia?")
    with caplog.at_level(logging.INFO, "panamia.profiles"):
        world: World = await start(MONGODB_URI=address, MONGODB_TIMEOUT_MS="300")
        assert [one.message for one in caplog.records if one.name == "panamia.profiles"] == [
            "profiles are not prepared yet, and none is claimed: MongoAwayError"
        ]
        own_mongo.start()
        for _ in range(200):
            if await asyncio.to_thread(indexes, world) == MADE:
                break
            await asyncio.sleep(0.1)
    assert indexes(world) == MADE


async def test_what_keeps_profiles_from_being_claimed_is_told(start: Start) -> None:
    world: World = await start()
    drop_indexes(world)
    world.write("profiles", *({"_id": one, "email": f"{one}@x", "userId": "double"} for one in range(2)))
    resources = world.app.state.resources
    documents = DocumentProfiles(resources.mongo, 5)
    assert {one.code for one in await documents.faults()} == {"ensure-no-index", "ensure-duplicate"}
    assert len(await documents.prepare()) == 4
    assert await documents.prepare() == []
    assert [one.code for one in await documents.faults()] == ["ensure-duplicate"]


async def test_script_makes_the_indexes_and_lists_what_stands_double(start: Start, tmp_path: Path) -> None:
    world: World = await start()
    drop_indexes(world)
    world.write("profiles", *({"_id": one, "email": f"{one}@x", "userId": "double"} for one in range(2)))
    file = tmp_path / "found.json"
    environment = {**os.environ, "POSTGRES_URL": world.postgres, "MONGODB_URI": world.mongodb}

    async def ran(*words: str) -> tuple[int | None, str]:
        command = [sys.executable, "-m", "apps.panamia.scripts.prepare_profiles", *words]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
        return process.returncode, told.decode()

    code, told = await ran("--check")
    assert (code, indexes(world)) == (1, ["_id_"])
    assert "2 documents hold 'double'" in told
    code, told = await ran("--json", str(file))
    assert code == 1
    assert "made the index isthmus_ensure_userId_but_" in told
    assert [one["code"] for one in json.loads(file.read_text())["findings"]] == ["ensure-duplicate"]
    Home(world, "postgres")
    assert await ran() == (0, "Profiles live in PostgreSQL: nothing is needed in MongoDB.\n")
    environment["MONGODB_URI"] = "mongodb://127.0.0.1:9/none"
    world.rows("DELETE FROM isthmus.switch")
    environment["MONGODB_TIMEOUT_MS"] = "200"
    assert (await ran())[0] == 3
