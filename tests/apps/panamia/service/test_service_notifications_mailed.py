"""Mail of notifications: by preference, behind the commit, once, through trouble and deaths, and none for old rows."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from apps.panamia.models.ids import new_id
from apps.panamia.service.mail import DeferredError, Letter, UndeliverableError, sender_of
from apps.panamia.service.notifications.asking import MOST_A_DAY as MOST_QUESTIONS_A_DAY
from apps.panamia.service.notifications.asking import MOST_TO_ONE_A_DAY
from apps.panamia.service.notifications.emit import ArticleRef, Event, notify
from apps.panamia.service.notifications.letters import MOST_A_DAY, MOST_OF_ONE_A_DAY
from apps.panamia.service.notifications.owing import MOST_TRIES
from apps.panamia.service.notifications.sending import Counts, send_due
from apps.panamia.service.settings import Settings
from apps.panamia.web.errors import RefusedError
from tests.apps.panamia.service.conftest import Start, World
from tests.apps.panamia.service.mails import mails_of
from tests.apps.panamia.service.smtp_server import Post, smtp_server

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]


class Failing:
    """A sender that keeps letters, and fails in the way it is told."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fault: Exception | None = None

    async def send(self, letter: Letter) -> None:
        if self.fault is not None:
            raise self.fault
        self.letters.append(letter)


class Hanging:
    """A sender that takes the letter, and says so to nobody: its process is killed meanwhile."""

    def __init__(self, settings: Settings) -> None: ...

    async def send(self, letter: Letter) -> None:
        await asyncio.to_thread(Path(os.environ["HANGING_TOLD"]).write_text, letter.key or "")
        await asyncio.sleep(60)


class Mailing:
    """An author, a reader with mail, and what is done with it."""

    def __init__(self, world: World) -> None:
        self.world, self.resources = world, world.app.state.resources
        self.author = world.make_user("author@example.org", screenname="Ána")
        self.reader = world.make_user("reader@example.org")
        self.article = ArticleRef(new_id(), "The sea", "the-sea")
        world.rows(
            "INSERT INTO articles (id, slug, title, content, article_type) VALUES (%s, %s, %s, '', 'business_update')",
            *(self.article.id, self.article.slug, self.article.title),
        )

    async def tell(self, event: Event = "coauthor-invited", *targets: str) -> str:
        """Make notifications; return the id of one of the last ones."""
        async with self.resources.sessions.begin() as db:
            await notify(db, event, self.author, targets or [self.reader], article=self.article, message="Come!")
        [(key,)] = self.world.rows("SELECT id FROM notifications ORDER BY created_at DESC, id LIMIT 1")
        return str(key)

    async def send(self, sender: Any = None) -> Counts:
        return await send_due(self.resources.sessions, sender or self.resources.mail, "https://pana.example")

    def owed(self) -> list[tuple[Any, ...]]:
        return self.world.rows(
            "SELECT tries, failure, given_up_at IS NOT NULL, due_at > now() FROM notification_mails ORDER BY 1, 2"
        )

    def due_now(self) -> None:
        self.world.rows("UPDATE notification_mails SET due_at = now()")


@pytest.fixture
async def mailing(start: Start) -> Mailing:
    return Mailing(await start())


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with smtp_server() as running:
        yield running


# What is sent, and what is not


async def test_a_notification_is_mailed_once_and_that_is_written_down(mailing: Mailing) -> None:
    key = await mailing.tell()
    assert await mailing.send() == Counts(sent=1)
    assert await mailing.send() == Counts()
    [mail] = mails_of(mailing.world)
    assert (mail.to, mail.subject) == ("reader@example.org", "Ána invited you to write “The sea” together")
    assert "https://pana.example/articles/the-sea" in mail.text
    assert f"Message-ID: <{key}@localhost>" in next(mailing.world.mail.iterdir()).read_text()
    query = "SELECT email_sent, email_sent_at > now() - interval '1 minute' FROM notifications"
    assert mailing.world.rows(query) == [(True, True)]
    assert mailing.owed() == []


async def test_who_asks_and_takes_back_all_day_is_stopped(mailing: Mailing) -> None:
    """Nobody is asked more often by one person, nor do many of them get mail by one, wherever the rows went."""
    for _ in range(MOST_TO_ONE_A_DAY):
        await mailing.tell()
        mailing.world.rows("DELETE FROM notifications")
    with pytest.raises(RefusedError) as refused:
        await mailing.tell("mentoring-requested")
    assert (refused.value.status, refused.value.code) == (429, "too-often")
    assert 86_300 < int(refused.value.headers["Retry-After"]) <= 86_400
    assert mailing.world.rows("SELECT count(*) FROM notifications") == [(0,)]
    await mailing.tell("coauthor-accepted")  # an answer is no question
    await mailing.tell("coauthor-invited", mailing.world.make_user("other@example.org"))
    mailing.world.rows("UPDATE link_requests SET requested_at[1] = now() - interval '25 hours'")
    await mailing.tell()


async def test_one_person_asks_so_many_a_day(mailing: Mailing) -> None:
    people = [mailing.world.make_user(f"{one}@example.net") for one in range(MOST_QUESTIONS_A_DAY + 1)]
    await mailing.tell("coauthor-invited", *people[1:])
    with pytest.raises(RefusedError):
        await mailing.tell("coauthor-invited", people[0])
    [(subject,)] = mailing.world.rows("SELECT max(length(subject)) FROM link_requests")
    assert subject == 64
    kept = str(mailing.world.rows("SELECT l::text FROM link_requests l"))
    assert mailing.author not in kept


async def test_of_questions_at_one_moment_none_slips_through(mailing: Mailing) -> None:
    told = await asyncio.gather(*(mailing.tell() for _ in range(MOST_TO_ONE_A_DAY + 4)), return_exceptions=True)
    assert sum(isinstance(one, RefusedError) for one in told) == 4
    assert mailing.world.rows("SELECT count(*) FROM notifications") == [(MOST_TO_ONE_A_DAY,)]


async def test_nobody_gets_more_mail_a_day_than_is_bearable(mailing: Mailing) -> None:
    sender = Failing()
    for _ in range(MOST_OF_ONE_A_DAY + 2):
        await mailing.tell("article-published")
    assert await mailing.send(sender) == Counts(sent=MOST_OF_ONE_A_DAY, dropped=2)
    mailing.author = mailing.world.make_user("second@example.org")
    await mailing.tell("article-published")
    assert await mailing.send(sender) == Counts(sent=1)
    written = "INSERT INTO notifications (id, type, actor, target, context, email_sent, email_sent_at)"
    written += " VALUES (%s, 'Create', %s, %s, 'article', true, now() - %s::interval)"
    other = mailing.world.make_user("third@example.org")
    for _ in range(MOST_A_DAY - MOST_OF_ONE_A_DAY - 1):
        mailing.world.rows(written, new_id(), other, mailing.reader, "23 hours")
    await mailing.tell("article-published")
    assert await mailing.send(sender) == Counts(dropped=1)
    mailing.world.rows(
        "UPDATE notifications SET email_sent_at = email_sent_at - interval '2 hours' WHERE actor = %s", other
    )
    await mailing.tell("article-published")
    assert await mailing.send(sender) == Counts(sent=1)


async def test_nothing_is_mailed_of_what_was_rolled_back(mailing: Mailing) -> None:
    sender = Failing()
    async with mailing.resources.sessions() as db, db.begin() as transaction:
        await notify(db, "coauthor-invited", mailing.author, [mailing.reader], article=mailing.article)
        assert await mailing.send(sender) == Counts(), "it is not committed yet"
        await transaction.rollback()
    assert await mailing.send(sender) == Counts()
    assert sender.letters == []


async def test_a_choice_turns_off_its_own_mail_until_the_moment_it_is_sent(mailing: Mailing) -> None:
    await mailing.tell("coauthor-invited")
    await mailing.tell("review-revision")
    preferences = json.dumps({"coauthorInvites": False, "reviewRequests": False})
    mailing.world.rows("UPDATE users SET notification_preferences = %s WHERE id = %s", preferences, mailing.reader)
    assert await mailing.send() == Counts(sent=1, dropped=1)
    assert [one.subject for one in mails_of(mailing.world)] == ["Ána asks for a revision of “The sea”"]
    assert mailing.owed() == []


async def test_what_is_read_over_or_gone_is_not_mailed(mailing: Mailing) -> None:
    sender = Failing()
    for number, (meanwhile, dropped) in enumerate(
        [
            ("UPDATE notifications SET read = true WHERE target = %s", 1),
            ("UPDATE notifications SET expires_at = now() WHERE target = %s", 1),
            ("UPDATE users SET locked_at = now() WHERE id = %s", 1),
            ("DELETE FROM notifications WHERE target = %s", 0),
            ("DELETE FROM users WHERE id = %s", 0),
        ]
    ):
        reader = mailing.world.make_user(f"reader{number}@example.org")
        await mailing.tell("coauthor-invited", reader)
        mailing.world.rows(meanwhile, reader)
        assert await mailing.send(sender) == Counts(dropped=dropped), meanwhile
        assert (sender.letters, mailing.owed()) == ([], [])
    assert mailing.world.rows("SELECT count(*) FROM notifications WHERE email_sent") == [(0,)]


async def test_what_somebody_did_who_is_gone_is_mailed_without_the_name(mailing: Mailing) -> None:
    reader = mailing.world.make_user("asked@example.org")
    await mailing.tell("coauthor-invited", reader)
    mailing.world.rows("DELETE FROM users WHERE id = %s", mailing.author)
    assert await mailing.send() == Counts(sent=1)
    [mail] = mails_of(mailing.world)
    assert mail.subject.startswith("Former Member ")
    assert mailing.owed() == []


async def test_what_has_no_choice_is_not_mailed(mailing: Mailing) -> None:
    async with mailing.resources.sessions.begin() as db:
        await notify(db, "message-sent", mailing.author, [mailing.reader], message="hi")
    assert mailing.owed() == []


async def test_rows_that_were_carried_set_off_no_mail(mailing: Mailing) -> None:
    """Whatever they say: unread, never mailed, with a choice, old or of today; and none is taken up later."""
    mailing.world.rows(
        "INSERT INTO notifications (id, type, actor, target, context, email_preference_key, created_at, expires_at)"
        " SELECT 'n' || lpad(n::text, 23, '0'), 'Invite', %s, %s, 'coauthor', 'coauthorInvites',"
        " now() - n * interval '6 hours', CASE n %% 3 WHEN 0 THEN now() + interval '90 days' END"
        " FROM generate_series(0, 999) AS n",
        *(mailing.author, mailing.reader),
    )
    await mailing.tell("review-requested")
    sender = Failing()
    assert await mailing.send(sender) == Counts(sent=1)
    assert [one.subject for one in sender.letters] == ["Ána asked you to review “The sea”"]
    assert mailing.world.rows("SELECT count(*) FROM notifications WHERE email_sent") == [(1,)]


async def test_an_old_address_that_is_none_is_given_up_and_others_get_theirs(mailing: Mailing, post: Post) -> None:
    odd = mailing.world.make_user("Ana\"María's <mail>@Example.org")
    await mailing.tell("coauthor-invited", odd, mailing.reader)
    sender = sender_of(mailing.world.settings.model_copy(update={"mail": SecretStr(f"smtp://127.0.0.1:{post.port}")}))
    assert await mailing.send(sender) == Counts(sent=1, given_up=1)
    assert [recipients for _, recipients, _ in post.mails] == [["reader@example.org"]]
    assert mailing.owed() == [(1, "the address is none", True, True)]


# Trouble


async def test_many_workers_send_each_mail_once(mailing: Mailing, post: Post) -> None:
    people = [mailing.world.make_user(f"p{number}@example.org") for number in range(30)]
    await mailing.tell("article-published", *people)
    sender = sender_of(mailing.world.settings.model_copy(update={"mail": SecretStr(f"smtp://127.0.0.1:{post.port}")}))
    counts = await asyncio.gather(*(mailing.send(sender) for _ in range(6)))
    assert sum(one.sent for one in counts) == 30
    came = sorted(recipient for _, [recipient], _ in post.mails)
    assert came == sorted(f"p{number}@example.org" for number in range(30))


async def test_a_mail_that_is_put_off_is_tried_later_and_given_up_in_the_end(mailing: Mailing) -> None:
    await mailing.tell()
    sender = Failing()
    sender.fault = DeferredError("the server refused the address for now (450)")
    for tries in range(1, MOST_TRIES):
        assert await mailing.send(sender) == Counts(put_off=1)
        assert mailing.owed() == [(tries, "the server refused the address for now (450)", False, True)]
        assert await mailing.send(sender) == Counts(), "it is not due"
        mailing.due_now()
    assert await mailing.send(sender) == Counts(given_up=1)
    mailing.due_now()
    assert await mailing.send(Failing()) == Counts(), "it is given up"
    assert mailing.owed() == [(MOST_TRIES, "the server refused the address for now (450)", True, False)]


async def test_what_never_arrives_is_given_up_at_once(mailing: Mailing) -> None:
    await mailing.tell()
    sender = Failing()
    sender.fault = UndeliverableError("the server refused the address (550)")
    assert await mailing.send(sender) == Counts(given_up=1)
    assert mailing.owed() == [(1, "the server refused the address (550)", True, True)]


async def test_a_server_that_is_away_is_asked_once_and_loses_nothing(mailing: Mailing) -> None:
    people = [mailing.world.make_user(f"p{number}@example.org") for number in range(5)]
    await mailing.tell("article-published", *people)
    sender = Failing()
    sender.fault = ConnectionRefusedError("with reader@example.org in its words")
    assert await mailing.send(sender) == Counts(put_off=1)
    assert mailing.owed() == [*[(0, None, False, False)] * 4, (1, "ConnectionRefusedError", False, True)]
    sender.fault = None
    mailing.due_now()
    assert await mailing.send(sender) == Counts(sent=5)


async def test_a_sender_of_ones_own_that_breaks_breaks_nothing_else(mailing: Mailing) -> None:
    await mailing.tell()
    sender = Failing()
    sender.fault = KeyError("Come!")
    assert await mailing.send(sender) == Counts(put_off=1)
    assert mailing.owed() == [(1, "KeyError", False, True)]


async def test_whoever_dies_while_sending_leaves_mail_that_is_due_again_later(mailing: Mailing, tmp_path: Path) -> None:
    key = await mailing.tell()
    told = tmp_path / "told"
    environment = {**os.environ, "POSTGRES_URL": mailing.world.postgres, "HANGING_TOLD": str(told)}
    environment["MAIL"] = f"{__name__}:Hanging"
    process = subprocess.Popen([sys.executable, "-m", "apps.panamia.scripts.send_mail"], cwd=ROOT, env=environment)
    give_up_at = time.monotonic() + 60
    while not told.exists() or not told.read_text():
        assert process.poll() is None
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert told.read_text() == key
    assert mailing.owed() == [(1, None, False, True)]
    sender = Failing()
    assert await mailing.send(sender) == Counts(), "the one who has it might still live"
    mailing.due_now()
    assert await mailing.send(sender) == Counts(sent=1)
    assert [one.key for one in sender.letters] == [key], "twice at most, and known by its id"
    assert mailing.owed() == []


async def test_a_mail_that_its_process_never_survives_is_given_up(mailing: Mailing) -> None:
    await mailing.tell()
    mailing.world.rows("UPDATE notification_mails SET tries = %s", MOST_TRIES)
    sender = Failing()
    assert await mailing.send(sender) == Counts(given_up=1)
    assert sender.letters == []
    assert mailing.owed()[0][1:3] == ("the process that sent it ended, time and again", True)


async def test_no_mail_is_held_in_a_transaction_while_a_server_is_waited_for(mailing: Mailing) -> None:
    await mailing.tell()
    seen: list[Any] = []

    class Looking(Failing):
        async def send(self, letter: Letter) -> None:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%%'"
            )
            seen.append(mailing.world.rows(query))
            mailing.world.rows("UPDATE notifications SET message = 'changed'")  # nobody holds it
            await super().send(letter)

    assert await mailing.send(Looking()) == Counts(sent=1)
    assert seen == [[(0,)]]


# Beside the service


async def test_the_service_sends_by_itself_and_goes_on_behind_trouble(start: Start) -> None:
    mailing = Mailing(await start(MAIL_EVERY_SECONDS="0.05"))
    mailing.world.rows("ALTER TABLE notification_mails RENAME TO gone_for_now")
    await asyncio.sleep(0.3)
    mailing.world.rows("ALTER TABLE gone_for_now RENAME TO notification_mails")
    await mailing.tell()
    give_up_at = time.monotonic() + 30
    while not mails_of(mailing.world) or mailing.owed():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.05)
    assert len(mails_of(mailing.world)) == 1
    assert mailing.world.rows("SELECT email_sent FROM notifications") == [(True,)]


def _script(world: World, *words: str, mail: str) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POSTGRES", "MONGODB", "PG"))}
    environment = {**kept, "POSTGRES_URL": world.postgres, "MAIL": mail, "PUBLIC_URL": "https://pana.example"}
    environment["AUTH_SECRET"] = "x" * 20
    command = [sys.executable, "-m", "apps.panamia.scripts.send_mail", *words]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


async def test_the_script_sends_tells_what_is_owed_and_takes_up_again(mailing: Mailing, tmp_path: Path) -> None:
    world, folder = mailing.world, tmp_path / "sent"
    odd = world.make_user("odd@[127.0.0.1]")
    await mailing.tell("coauthor-invited", odd, mailing.reader)
    code, out, said = await asyncio.to_thread(_script, world, mail=f"file:{folder}")
    assert (code, out.splitlines()) == (
        1,
        [
            "1 sent, 0 dropped, 0 put off, 1 given up",
            "0 waiting, 0 of them failed before; 1 given up",
            "given up, 1: the address is none",
        ],
    )
    assert "odd@" not in out + said
    world.rows("UPDATE users SET email = 'mended@example.org' WHERE id = %s", odd)
    code, out, _ = await asyncio.to_thread(_script, world, "--retry", "--json", "-", mail=f"file:{folder}")
    assert code == 0
    assert json.loads(out) == {
        "exit_code": 0,
        "sent": 1,
        "dropped": 0,
        "put_off": 0,
        "given_up": 0,
        "taken_up_again": 1,
        "owed": {"waiting": 0, "failing": 0, "given_up": 0, "oldest_seconds": 0.0, "failures": {}},
    }
    assert len(list(folder.iterdir())) == 2
