"""Profiles of generated people, switched over as the how-to says while the service answers, and back.

Oracle: what people were told of their saves, and the documents as MongoDB holds them. Cannot see: a MongoDB of several
servers, where what was acknowledged may not be everywhere yet.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bson
import httpx
import pytest
from bson import ObjectId
from pymongo import MongoClient
from ruamel.yaml import YAML

from apps.panamia.generate import main as generate
from apps.panamia.moving.phases import PHASES
from apps.panamia.service.profiles.document import profile_of
from tests.apps.panamia.conftest import PEOPLE, Ran, isthmus
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.twins import twin_of
from tests.fix_mongo import database_url
from tests.fix_postgres import drop_database

# Two phases and six switches, each in processes of their own, on machines that may be busy.
pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(900)]
SAVERS = 6


@dataclass
class Deployment:
    """Generated people whose identities are moved and whose documents point at PostgreSQL, and the service.

    Attributes:
        world: The service and its databases.
        answers: What people answered about identities.
    """

    world: World
    answers: Path

    async def isthmus(self, *words: str) -> Ran:
        """Run a command of Isthmus beside the service."""
        return await asyncio.to_thread(isthmus, *words, database=self.world.postgres)

    async def switch(self, verb: str, *more: str) -> Ran:
        """Run a switch of profiles with the mapping of the application."""
        words = ("switch", verb, "profiles", "--mapping", "mapping.yaml", "--source", self.world.mongodb)
        return await self.isthmus(*words, *more)

    async def run(self) -> Ran:
        """Switch profiles to PostgreSQL."""
        return await self.switch("run", "--resolutions", str(self.answers))

    def owners(self) -> list[str]:
        """Users whose profile may be saved, in the order of their documents in MongoDB."""
        users = {user for (user,) in self.world.rows("SELECT id FROM users WHERE locked_at IS NULL")}
        return [
            one["userId"]
            for one in self.world.documents("profiles")
            if one.get("userId") in users and one.get("name") and one.get("five_words")
        ]


@dataclass
class Saver:
    """Somebody who saves their profile again and again.

    Attributes:
        client: Their browser.
        user: Who they are.
        details: What was acknowledged last.
        told: How often each store took a save, or it was frozen.
    """

    client: httpx.AsyncClient
    user: str
    details: str = ""
    told: list[str] = field(default_factory=list[str])

    async def save(self, number: int) -> None:
        """Save once; what is refused must have changed nothing."""
        said = f"{self.user} says {number}"
        answer = await self.client.patch("/api/profile", json={"details": said})
        if answer.status_code == 503:
            assert answer.json()["code"] == "switch-frozen", answer.text
            self.told.append("frozen")
            return
        assert answer.status_code == 200, answer.text
        self.details = said
        self.told.append(answer.json()["store"])

    async def shows(self) -> str | None:
        """What the service shows of them."""
        return (await self.client.get("/api/profile")).json()["profile"]["details"]


@asynccontextmanager
async def saving(savers: list[Saver]) -> AsyncGenerator[None]:
    """Let people save all the time while the block lasts."""
    over = asyncio.Event()

    async def work(one: Saver) -> None:
        for number in itertools.count():
            if over.is_set():
                return
            await one.save(number)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for one in savers:
            group.create_task(work(one))
        try:
            yield
        finally:
            over.set()


@pytest.fixture
async def deployment(
    postgres: str, mongo_server: str, schema: str, start: Start, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """The service behind phases 1 and 2, as far as profiles need them."""
    name, database, answers = f"switched-{secrets.token_hex(4)}", twin_of(postgres, schema), tmp_path / "answers.yaml"
    source = database_url(mongo_server, name)
    more = ["--truth", str(tmp_path / "truth.json"), "--resolutions", str(answers)]
    assert generate([source, "--people", str(PEOPLE), *more]) == 0
    identity, references = PHASES[0], PHASES[1]
    only = [part for entry in identity.entries for part in ("--only", entry)]
    words = ["copy", "mapping.yaml", "--source", source, "--resolutions", str(answers), *only]
    ran = await asyncio.to_thread(isthmus, *words, database=database)
    assert ran.code == 1, ran.said  # what was planted cannot all be carried
    to = [part for entry in references.entries for part in ("--to", entry)]
    words = ["refs", "rewrite", "mapping.yaml", "--source", source, "--live", *to]
    ran = await asyncio.to_thread(isthmus, *words, database=database)
    assert ran.code == 1, ran.said
    busy = "60000"  # switches in processes of their own leave MongoDB little of a machine
    world: World = await start(POSTGRES_URL=database, MONGODB_URI=source, MONGODB_TIMEOUT_MS=busy)
    world.postgres = database
    yield Deployment(world, answers)
    with MongoClient[dict[str, Any]](mongo_server) as client:
        client.drop_database(name)
    drop_database(postgres, database)


async def test_profiles_are_switched_over_and_back_and_over_while_people_save_them(deployment: Deployment) -> None:
    world = deployment.world
    owners = deployment.owners()
    assert len(owners) > 100
    savers = [Saver(world.client(world.make_session(one)), one) for one in owners[:SAVERS]]
    for one in savers:
        await one.save(-1)
    assert {store for one in savers for store in one.told} == {"mongodb"}
    fresh, claiming = await _who_came_since(world)

    ran = await deployment.run()
    assert (ran.code, "(switch-not-carried)" in ran.said, "Frozen" in ran.said) == (1, True, False), ran.said
    assert "Dead letter" in ran.said
    ran = await deployment.isthmus("letters", "acknowledge", "-c", "profiles", "--reason", "planted")
    assert ran.code == 0, ran.said
    behind = _left_behind(deployment)
    planted = await _dangling(deployment)
    assert planted

    shown = [await one.shows() for one in savers]
    ran = await deployment.run()
    assert ran.code == 0, ran.said
    assert [await one.shows() for one in savers] == shown == [one.details for one in savers]
    await _is_what_mongodb_says(deployment, behind)
    assert await _dangling(deployment) <= planted
    ran = await deployment.isthmus("undo", "mapping.yaml", "--only", "profiles", "--live")
    assert (ran.code, "(lives-in-postgres)" in ran.said) == (4, True), ran.said

    ran = await deployment.switch("back")
    assert ran.code == 0, ran.said
    for one in savers:
        one.told.clear()
        await one.save(-2)
        assert one.told == ["mongodb"]

    async with saving(savers):
        ran = await deployment.run()
    assert ran.code == 0, ran.said
    told = {store for one in savers for store in one.told}
    assert told == {"mongodb", "frozen", "postgres"}
    for one in savers:
        assert [*dict.fromkeys(one.told)] == ["mongodb", "frozen", "postgres"], "one place at a time"
        await one.save(-3)
        assert one.told[-1] == "postgres"
        assert await one.shows() == one.details
    changed = {one.user for one in savers}
    await _is_what_mongodb_says(deployment, behind, but=changed)
    assert await _dangling(deployment) <= planted
    rows = {one.get("userId"): one for one in await Home(world, "postgres").all()}
    assert {fresh, claiming} <= rows.keys()
    assert not [one for one in rows.values() if "_isthmus" in one]

    ran = await deployment.switch("back")
    assert (ran.code, "(switch-back-written)" in ran.said) == (1, True), ran.said
    for one in savers:
        assert await one.shows() == one.details
        await one.save(-4)
        assert one.told[-1] == "postgres", "nobody waits, and nothing was dropped"


async def _who_came_since(world: World) -> tuple[str, str]:
    """Let one person begin a profile and one claim one, of whom MongoDB's users know nothing; return their ids."""
    fresh, client = world.signed_in("fresh@example.org")
    said = {"email": "fresh@example.org", "name": "Ana", "fiveWords": "a b c d e", "website": "a.example.org"}
    answer = await client.post("/api/profile", json=said)
    assert answer.status_code == 201, answer.text
    taken = {email for (email,) in world.rows("SELECT email FROM users")}
    free = (str(one.get("email")).strip().lower() for one in world.documents("profiles") if "userId" not in one)
    claiming, client = world.signed_in(next(email for email in free if "@" in email and email not in taken))
    assert (await client.get("/api/profile")).json()["profile"]["userId"] == claiming
    return fresh, claiming


def _left_behind(deployment: Deployment) -> set[ObjectId]:
    """Return which profiles a person has let be: letters that were acknowledged, and those that an answer drops."""
    letters = deployment.world.rows("SELECT source_id FROM isthmus.dead_letter WHERE collection = 'profiles'")
    answers = YAML(typ="safe").load(deployment.answers)["identities"]["people"]
    dropped = {ObjectId(one["drop"]["profiles"]) for one in answers if "profiles" in one.get("drop", {})}
    return dropped | {next(iter(bson.decode(bytes(one)).values())) for (one,) in letters}


async def _dangling(deployment: Deployment) -> set[tuple[str, str, str]]:
    """Return place, holder and value of each reference that leads nowhere and that no ledger has."""
    told = deployment.answers.with_name("audit.json")
    words = ("refs", "audit", "mapping.yaml", "--source", deployment.world.mongodb, "--json", str(told))
    ran = await deployment.isthmus(*words)
    assert ran.code == 1, ran.said  # what was planted
    found = json.loads(told.read_text("utf-8"))
    places = [*found["in_documents"], *found["in_rows"]]
    assert all(one["dangling"] == len(one["listed"]) for one in places)
    return {
        (place["place"], one["id"], one["value"]) for place in places for one in place["listed"] if not one["known"]
    }


async def _is_what_mongodb_says(deployment: Deployment, behind: set[ObjectId], but: Collection[str] = ()) -> None:
    """Compare each document in MongoDB with its row, as both are shown; those that stay behind have none."""
    world, answers = deployment.world, deployment.answers.read_text("utf-8")
    rows = {one["email"]: one for one in await Home(world, "postgres").all()}
    users = {user for (user,) in world.rows("SELECT id FROM users")}
    compared = 0
    for document in world.documents("profiles"):
        if document["_id"] in behind:
            continue
        row = rows.pop(document["email"].strip().lower())
        compared += 1
        if row.get("userId") in but:
            continue
        mongo, postgres = profile_of(document).model_dump(), profile_of(row).model_dump()
        del mongo["id"], postgres["id"]
        filled = [name for name in ("createdAt", "updatedAt") if mongo[name] is None]  # by the mapping
        answered = mongo["userId"] not in users or str(document["_id"]) in answers
        for name in [*filled, *(["userId"] if answered else [])]:
            del mongo[name], postgres[name]
        assert postgres == mongo, document["_id"]
    assert compared > 150
    assert not rows
