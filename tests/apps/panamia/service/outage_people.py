"""People who use a service while its MongoDB comes and goes, and what they were told: the oracle of the outage tests.

They sign in, claim or begin a profile, save it, write articles together, ask mentors, read what they are told, change
their address, and are deleted. Another program of the same application counts visits: a row of PostgreSQL, and the
event that adds one in MongoDB, in one transaction. What was acknowledged has to be there in the end, and once; what
was refused has not. Only of a save that was answered with `mongodb-unsure` or `postgres-unsure` nobody knows.
"""

from __future__ import annotations

import asyncio
import datetime
import itertools
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from bson import ObjectId

from isthmus.polyglot.outbox import enqueue, update
from tests.apps.panamia.conftest import SETTINGS, isthmus
from tests.apps.panamia.service.conftest import SECRET, World
from tests.apps.panamia.service.mailbox import Mailbox
from tests.apps.panamia.service.serving import ROOT

CARRIED = ("users", "nextauth_users")
"""Collections of people that Isthmus carries."""
VISITS = "outage_visits"
"""Table of the other program."""
_SIGN_IN, _ADDRESS = "Sign in to Pana MIA", "Confirm your new address"
_WORDS = {"fiveWords": "a b c d e"}
_THEN = "2026-01-01"
_SECONDS = 150
"""For what has to succeed in the end."""
BRIEFLY = httpx.Limits(keepalive_expiry=1.0)
"""A connection that is idle is left before the service leaves it."""
_GONE = {400, 404, 409}
"""How it is answered that somebody is gone meanwhile."""
_UNDONE = {"busy", "overloaded", "too-slow", "profile-changed"}
"""How it is answered where the machine has no time, or visits came in faster than a save, and nothing was done."""
_UNSURE = {"mongodb-unsure", "postgres-unsure"}
"""How it is answered where MongoDB was told, and it or PostgreSQL behind it did not answer."""
_ASKS_MONGODB = {"look", "session"}
"""What is answered without MongoDB, but asks whether it is there."""


@dataclass(eq=False)
class Someone:
    """One of them.

    Attributes:
        number: Tells them apart, and stands in all that they write.
        email: As it is now.
        browsers: Of these sessions.
        id: Of the user; empty before the first sign-in.
        profile: Of the document; None while none is known.
        details: What may stand in the profile.
        errands: What is done before anything else.
        leaving: Whether somebody deletes them.
        is_mentor: Whether the profile says so.
    """

    number: int
    email: str
    browsers: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])
    id: str = ""
    profile: ObjectId | None = None
    details: set[str | None] = field(default_factory=lambda: {None})
    errands: list[Callable[[], Awaitable[object]]] = field(default_factory=list[Callable[[], Awaitable[object]]])
    leaving: bool = False
    is_mentor: bool = False


class GoneError(Exception):
    """Whoever asked is no longer there."""


class People:
    """All of them.

    Args:
        world: The databases.
        url: Of the service.
        seed: Of what they do.
        pause_seconds: Between what one of them does, at most.
        is_calm: Whether the machine has time; else MongoDB may take too long to answer at any moment.

    Attributes:
        away: Whether MongoDB may be away.
        stopped: Whether they are to come to an end.
        answers: What they did and how it was answered → how often.
        answers_away: The same while MongoDB may be away.
        faults: What should not have been.
        told: Notifications that there have to be: type, context, actor, target, key of what they are about.
        topics: Of mentoring sessions that there have to be → who asked, and whom.
        written: Keys of articles → who wrote them.
        visits: How many were committed.
        slowest: Seconds of the slowest answer to what needs no MongoDB, while it may be away.
    """

    def __init__(self, world: World, url: str, seed: int, pause_seconds: float, *, is_calm: bool) -> None:
        self.world, self.url = world, url
        self.all: list[Someone] = []
        self.away, self.stopped, self._is_calm = False, False, is_calm
        self.answers: Counter[str] = Counter()
        self.answers_away: Counter[str] = Counter()
        self.faults: list[str] = []
        self.told: Counter[tuple[str, str, str, str, str]] = Counter()
        self.topics: dict[str, tuple[Someone, Someone]] = {}
        self.written: dict[str, Someone] = {}
        self.visits, self.slowest = 0, 0.0
        self.mailbox = Mailbox(world.mail)
        self._chance, self._pause_seconds = random.Random(seed), pause_seconds
        self._numbers = itertools.count(1)
        self._nobody = self._browser()
        world.rows(f"CREATE TABLE {VISITS} (person text PRIMARY KEY, n bigint NOT NULL)")

    def settled(self) -> Someone:
        """Make somebody who has a profile and two sessions; who was carried already is found."""
        one = self.new()
        named = "UPDATE users SET screenname = %s, email_verified = %s WHERE email = %s RETURNING id"
        name = f"person-{one.number}"
        carried = self.world.rows(named, name, _THEN, one.email)
        one.id = carried[0][0] if carried else self.world.make_user(one.email, screenname=name, email_verified=_THEN)
        one.profile = self._write(one, userId=one.id)
        one.browsers = [self._browser(self.world.make_session(one.id)) for _ in range(2)]
        return one

    def waiting(self) -> Someone:
        """Make somebody who never signed in, with a profile that waits."""
        one = self.new()
        self._write(one, email=f" {one.email.title()}" if one.number % 2 else one.email)
        return one

    def new(self) -> Someone:
        """Make somebody of whom nothing is there."""
        self.all.append(Someone(len(self.all), f"person.{len(self.all)}@example.org"))
        return self.all[-1]

    def _write(self, one: Someone, **more: Any) -> ObjectId:
        key, one.is_mentor = ObjectId(), True
        words = {
            "name": f"Person {one.number}",
            "five_words": "a b c d e",
            "kept": "🌴",
            "mentoring": {"enabled": True},
        }
        self.world.write("profiles", {"_id": key, "email": one.email, **words, **more})
        return key

    def _browser(self, session: str | None = None) -> httpx.AsyncClient:
        cookies = {} if session is None else {"authjs.session-token": session}
        browser = httpx.AsyncClient(
            base_url=self.url, cookies=cookies, headers={"origin": self.url}, timeout=60, limits=BRIEFLY
        )
        self.world.clients.append(browser)
        return browser

    async def live(self, one: Someone, *, begins_after: float = 0.0) -> None:
        """Do one thing after the other until it is stopped, or one is deleted."""
        try:
            await asyncio.sleep(begins_after)
            if not one.id:
                await self.sign_in(one)
                await self._until(one, "name", "/api/screenname", 200, {"screenname": f"new-{one.number}"})
            while one.profile is None:
                await self.begin(one)
            some = [self.save] * 4 + [self.visit] * 4 + [self.look, self.read, self.read, self.write, self.ask]
            while one.errands or not self.stopped:
                if one.errands:
                    await one.errands.pop(0)()
                else:
                    await self._chance.choice(some)(one)
                await asyncio.sleep(self._chance.random() * self._pause_seconds)
        except GoneError:
            if not one.leaving:
                self.faults.append(f"person {one.number} is not let in")
        except Exception as fault:  # noqa: BLE001  all of them at once, in the end
            self.faults.append(f"person {one.number}: {fault!r}")

    async def sign_in(self, one: Someone) -> None:
        """Sign in in two browsers at the same moment, and in a third with a link that one of them has."""
        links: list[str] = []
        for _ in range(2):
            await self._asked(
                one, "link", "POST", "/api/auth/signin/email", 202, json={"email": one.email}, by=self._nobody
            )
            links.append(await self.mailbox.link(one.email, _SIGN_IN))
        tried = [(link, self._browser()) for link in (*links, links[0])]
        asked = (self._asked(one, "sign in", "GET", link, 302, by=browser) for link, browser in tried)
        went = [answer.headers["location"] for answer in await asyncio.gather(*asked)]
        assert sorted(went) == ["/", "/", "/signin?error=Verification"], went
        one.browsers = [browser for (_, browser), to in zip(tried, went, strict=True) if to == "/"]
        for browser in one.browsers:
            session = await self._asked(one, "session", "GET", "/api/auth/session", 200, by=browser)
            assert one.id in {"", session.json()["user"]["id"]}, "somebody became another user"
            one.id = session.json()["user"]["id"]

    async def begin(self, one: Someone) -> None:
        """Find the profile that waited, or begin one in two browsers at the same moment: one of them does."""
        page = await self._page(one)
        if page["profileUnavailable"]:
            await asyncio.sleep(0.2)
        if page["profileUnavailable"] or page["profile"] is not None:
            return
        body = {"email": one.email, "name": f"Person {one.number}", "website": "https://example.org"}
        asked = (
            self._asked(one, "begin", "POST", "/api/profile", 201, 400, away=True, json=body | _WORDS, by=browser)
            for browser in one.browsers
        )
        answers = await asyncio.gather(*asked)
        made = Counter(answer.json()["code"] if answer.is_client_error else answer.status_code for answer in answers)
        if made[201] > 1 or made.keys() - {201, 503, "profile-exists"}:
            self.faults.append(f"person {one.number} began: {made}")

    async def look(self, one: Someone) -> None:
        """Look at the profile: what was saved stands in it, whenever it is to be had."""
        page = await self._page(one)
        if page["profile"] is None and not page["profileUnavailable"] and not one.leaving:
            self.faults.append(f"the profile of person {one.number} is lost")

    async def _page(self, one: Someone) -> Any:
        page = (await self._asked(one, "look", "GET", "/api/profile", 200)).json()
        profile = page["profile"]
        if page["profileUnavailable"]:
            self._count("look away")
            if not self._may_be_away:
                self.faults.append("a profile is not to be had, and MongoDB is there")
        elif profile is not None:
            one.profile = ObjectId(profile["id"])
            if profile["userId"] != one.id or profile["details"] not in one.details:
                self.faults.append(f"person {one.number} sees {profile['details']!r} of {profile['userId']!r}")
        return page

    async def save(self, one: Someone) -> None:
        """Save what nobody else saves."""
        text = f"save {next(self._numbers)} of {one.number}"
        said = {"details": text}
        answer = await self._asked(one, "save", "PATCH", "/api/profile", 200, away=True, json=said, of=[one])
        if answer.status_code == 200:
            one.details = {text}
        elif answer.status_code == 503 and answer.json()["code"] in _UNSURE:
            one.details.add(text)

    async def visit(self, one: Someone) -> None:
        """Let the other program count a visit; some of its transactions are rolled back."""
        if not one.leaving:
            commits = self._chance.random() < 0.8
            await asyncio.to_thread(self._visit, one, commits)
            self.visits += commits
            self._count(f"visit {'committed' if commits else 'rolled back'}")

    def _visit(self, one: Someone, commits: bool) -> None:
        counted = f"INSERT INTO {VISITS} AS v VALUES (%s, 1) ON CONFLICT (person) DO UPDATE SET n = v.n + 1"
        with psycopg.connect(self.world.postgres) as connection:
            connection.execute(counted.encode(), (one.id,))
            enqueue(connection, update("profiles", one.profile, increment={"visits": 1}))
            if not commits:
                connection.rollback()

    async def write(self, one: Someone) -> None:
        """Write an article and invite somebody, who is to accept; then it is published."""
        new = {"title": f"Article {next(self._numbers)}", "articleType": "business_update", "content": "Uno dos."}
        key = (await self._asked(one, "article", "POST", "/api/articles", 201, json=new)).json()["id"]
        self.written[key] = one
        other, path = self._other(one), f"/api/articles/{key}"

        async def done(who: Someone, what: str, place: str, status: int, json: object = None) -> bool:
            answer = await self._asked(who, what, "POST", path + place, status, 429, json=json, of=[one, other])
            return answer.status_code == status

        async def publish() -> None:
            if await done(one, "publish", "/publish", 200):
                self.told["Create", "article", one.id, other.id, key] += 1

        async def accept() -> None:
            if await done(other, "accept", "/co-authors/accept", 200):
                self.told["Accept", "coauthor", other.id, one.id, key] += 1
                one.errands.append(publish)

        if await done(one, "invite", "/co-authors", 201, {"userId": other.id}):
            self.told["Invite", "coauthor", one.id, other.id, key] += 1
            other.errands.append(accept)

    async def ask(self, one: Someone) -> None:
        """Ask a mentor: MongoDB knows who is one."""
        topic, other = f"Topic {next(self._numbers)}", self._other(one, mentor=True)
        later = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).isoformat()
        body = {"userId": other.id, "scheduledAt": later, "topic": topic, "sessionType": "pana_support"}
        answer = await self._asked(
            one, "ask", "POST", "/api/mentoring/sessions", 201, 429, away=True, json=body, of=[one, other]
        )
        if answer.status_code == 201:
            self.topics[topic] = one, other
            self.told["Invite", "mentoring", one.id, other.id, answer.json()["id"]] += 1

    async def read(self, one: Someone) -> None:
        """Read one of what one is told: it is marked once."""
        page = (await self._asked(one, "list", "GET", "/api/notifications?unreadOnly=true", 200)).json()
        for told in page["notifications"][:1]:
            path = f"/api/notifications/{told['id']}/read"
            marked = [await self._asked(one, "read", "POST", path, 200, of=self.all) for _ in range(2)]
            found = [answer.json()["alreadyRead"] for answer in marked if answer.status_code == 200]
            if found != [False, True] and not any(other.leaving for other in self.all):
                self.faults.append(f"person {one.number} marked a notification twice: {found}")

    async def move(self, one: Someone) -> None:
        """Change the address, whatever is away meanwhile; every session ends, and one signs in with the new one."""
        new = f"moved.{one.number}.{next(self._numbers)}@example.org"
        await self._until(one, "wish", "/api/user/request-email-migration", 202, {"newEmail": new})
        token = (await self.mailbox.link(new, _ADDRESS)).partition("token=")[2]
        await self._until(one, "move", "/api/user/complete-email-migration", 200, {"token": token})
        one.email = new
        for browser in one.browsers:
            await self._asked(one, "session ended", "GET", "/api/auth/session", 401, by=browser)
        await self.sign_in(one)

    async def delete(self, one: Someone) -> None:
        """Delete somebody by the script, however often it takes."""
        one.leaving = True
        give_up_at = time.monotonic() + _SECONDS
        while True:
            was_away = self._may_be_away
            code, said = await asyncio.to_thread(self._delete, one.email)
            self._count(f"delete {code}")
            if code == 0:
                return
            if code != 1 or not was_away or "MongoDB" not in said or time.monotonic() > give_up_at:
                self.faults.append(f"the deletion of person {one.number} ended with {code}: {said}")
                return
            await asyncio.sleep(3.0)

    def _delete(self, address: str) -> tuple[int, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
        environment |= {"POSTGRES_URL": self.world.postgres, "MONGODB_URI": self.world.mongodb, "AUTH_SECRET": SECRET}
        command = [sys.executable, "-m", "apps.panamia.scripts.delete_user", address, "--yes"]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=_SECONDS)
        return ran.returncode, (ran.stdout + ran.stderr).decode()

    @property
    def _may_be_away(self) -> bool:
        return self.away or not self._is_calm

    def _count(self, what: str) -> None:
        self.answers[what] += 1
        if self.away:
            self.answers_away[what] += 1

    def _other(self, one: Someone, *, mentor: bool = False) -> Someone:
        """Return somebody else who has a profile; of the settled some always do."""
        others = [other for other in self.all if other is not one and other.profile is not None and not other.leaving]
        return self._chance.choice([other for other in others if other.is_mentor or not mentor])

    async def _until(self, one: Someone, what: str, path: str, status: int, body: object) -> None:
        give_up_at = time.monotonic() + _SECONDS
        while True:
            answer = await self._asked(one, what, "POST", path, status, away=True, json=body)
            if answer.status_code == status:
                return
            assert time.monotonic() < give_up_at, what
            await asyncio.sleep(0.2)

    async def _asked(
        self,
        one: Someone,
        what: str,
        method: str,
        path: str,
        *expected: int,
        away: bool = False,
        json: object = None,
        by: httpx.AsyncClient | None = None,
        of: Iterable[Someone] = (),
    ) -> httpx.Response:
        """Ask the service.

        Args:
            one: Who asks.
            what: Is done, in a word.
            expected: How it may be answered; what is not is a fault, and ends the one who asks.
            away: Whether it needs MongoDB, so that 503 is an answer while that may be away.
            by: Of the browsers; default: any.
            of: Whom it is about: where one of them is deleted it may be refused.
        """
        browser = by or self._chance.choice(one.browsers)
        was_away, began = self._may_be_away, time.monotonic()
        answer = await browser.request(method, path, json=json)
        while not self._is_calm and answer.status_code in {409, 503} and answer.json()["code"] in _UNDONE:
            await asyncio.sleep(0.5)
            answer = await browser.request(method, path, json=json)
        self._count(f"{what} {answer.status_code}")
        if self.away and not away and what not in _ASKS_MONGODB:
            self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status_code in expected:
            return answer
        if answer.status_code in _GONE and any(other.leaving for other in of):
            return answer
        if (
            answer.status_code == 503
            and away
            and (was_away or self._may_be_away)
            and answer.json()["code"] in {"mongodb-away", *_UNSURE}
        ):
            return answer
        if answer.status_code == 401:
            raise GoneError
        raise AssertionError(f"{what}: {answer.status_code} {answer.text}")


def carry(world: World) -> None:
    """Let the first two come from MongoDB by a copy, as all of Pana MIA does; an audit looks at what was carried."""
    for number, collection in enumerate(CARRIED):
        world.write(collection, {"_id": ObjectId(), "email": f"Person.{number}@example.org", "name": "Somebody"})
    words = [word for collection in CARRIED for word in ("--only", collection)]
    ran = isthmus("copy", "mapping.yaml", "--source", world.mongodb, *words, database=world.postgres)
    assert ran.code == 0, ran.said
