"""Each event makes the rows that the table of emissions says, in the transaction of what it reports."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from apps.panamia.models.enums import NotificationActivityType, NotificationContext
from apps.panamia.models.ids import new_id
from apps.panamia.service.notifications.emit import ArticleRef, Event, ProfileRef, SessionRef, notify
from apps.panamia.service.notifications.events import KINDS, PreferenceKey, expiry
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.profile_homes import Home

pytestmark = pytest.mark.anyio

TABLE = """
    event               | type   | context   | object  | days | mail by
    coauthor-invited    | Invite | coauthor  | article |      | coauthorInvites
    coauthor-accepted   | Accept | coauthor  | article |      | coauthorInvites
    coauthor-declined   | Reject | coauthor  | article |      | coauthorInvites
    review-requested    | Invite | review    | article |      | reviewRequests
    review-approved     | Accept | review    | article |      | reviewRequests
    review-revision     | Update | review    | article | 90   | revisionNeeded
    article-published   | Create | article   | article | 90   | articlePublished
    article-removed     | Delete | article   | article | 90   | systemAnnouncements
    article-restored    | Undo   | article   | article | 90   | systemAnnouncements
    mentoring-requested | Invite | mentoring | session |      | mentoringRequests
    mentoring-accepted  | Accept | mentoring | session |      | mentoringRequests
    mentoring-declined  | Reject | mentoring | session |      | mentoringRequests
    mentoring-cancelled | Delete | mentoring | session | 90   | mentoringRequests
    message-sent        | Create | message   |         | 30   |
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()[1:]]
SHOWN = "type::text, context::text, object_type::text, object, object_title, object_url, message, email_preference_key"


@dataclass
class Things:
    """Two people, and what one can do something to."""

    author: str
    reader: str
    article: ArticleRef
    session: SessionRef


def things_of(world: World) -> Things:
    author = world.make_user("author@example.org", screenname="Ána_W", name="Ana")
    reader = world.make_user("reader@example.org")
    article = ArticleRef(new_id(), 'The "sea" & us', "the-sea ü")
    world.rows(
        "INSERT INTO articles (id, slug, title, content, article_type) VALUES (%s, %s, %s, '', 'business_update')",
        *(article.id, article.slug, article.title),
    )
    session = SessionRef(new_id(), "Welding, and more")
    world.rows(
        "INSERT INTO mentor_sessions (id, mentor_email, mentee_email, session_id, scheduled_at, topic)"
        " VALUES (%s, 'author@example.org', 'reader@example.org', %s, now(), %s)",
        *(session.id, new_id(), session.title),
    )
    return Things(author, reader, article, session)


async def tell(world: World, event: Event, actor: str, targets: Iterable[str | None], **more: Any) -> None:
    async with world.app.state.resources.sessions.begin() as db:
        await notify(db, event, actor, targets, **more)


def test_the_table_has_every_event_and_the_choices() -> None:
    assert [row[0] for row in ROWS] == list(get_args(Event)) == list(KINDS)
    assert {row[5] for row in ROWS} - {""} == set(get_args(PreferenceKey)) - {"articleReplies", "bookings"}


async def test_each_event_makes_the_row_of_the_table(world: World) -> None:
    here = things_of(world)
    for event, kind, context, about, days, mail in ROWS:
        refs = {"article": {"article": here.article}, "session": {"session": here.session}, "": {}}[about]
        before = datetime.datetime.now(datetime.UTC)
        await tell(world, event, here.author, [here.reader], message=f"of {event}", **refs)  # pyright: ignore[reportArgumentType]
        [found] = world.rows(f"SELECT actor, target, {SHOWN}, read, email_sent, expires_at FROM notifications")
        ref = {"article": here.article, "session": here.session, "": None}[about]
        named = (ref.id, ref.title, ref.url) if ref else (None, None, None)
        assert found[:4] == (here.author, here.reader, kind, context), event
        assert found[4:8] == (about or None, *named), event
        assert found[8:12] == (f"of {event}", mail or None, False, False), event
        if days:
            assert datetime.timedelta(0) <= found[12] - before - datetime.timedelta(days=int(days)) < MINUTE, event
        else:
            assert found[12] is None, event
        world.rows("DELETE FROM notifications")


MINUTE = datetime.timedelta(minutes=1)
NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


@pytest.mark.parametrize("context", get_args(NotificationContext))
@pytest.mark.parametrize("kind", get_args(NotificationActivityType))
def test_expiry_goes_by_type_and_then_by_context(kind: NotificationActivityType, context: NotificationContext) -> None:
    ends = expiry(kind, context, NOW)
    if kind in {"Invite", "Accept", "Reject"}:
        assert ends is None
    else:
        days = 90 if context in {"article", "coauthor", "review", "mentoring"} else 30
        assert ends == NOW + datetime.timedelta(days=days)


async def test_the_actor_is_called_what_everybody_may_know_at_the_moment(world: World) -> None:
    here = things_of(world)
    hidden, shown = world.make_user("n@example.org", name="Private"), world.make_user("p@example.org", name="Private")
    for number, (user, name, active) in enumerate(((hidden, "Hidden", False), (shown, " Pia's ", True))):
        insert = "INSERT INTO profiles (id, user_id, email, name, active) VALUES (%s, %s, %s, %s, %s)"
        world.rows(insert, new_id(), user, f"{number}@x.org", name, active)
    called: list[object] = []
    for home in ("mongodb", "postgres"):
        Home(world, home)
        for actor in (here.author, hidden, shown):
            await tell(world, "coauthor-invited", actor, [here.reader], article=here.article)
        world.rows("UPDATE users SET screenname = 'other', name = 'Other' WHERE id = %s", here.author)
        rows = world.rows("DELETE FROM notifications RETURNING actor, actor_screenname, actor_name")
        found = {actor: names for actor, *names in rows}
        called.append([found[one] for one in (here.author, hidden, shown)])
    assert called == [
        [["Ána_W", None], [None, None], [None, None]],
        [["other", None], [None, None], [None, "Pia's"]],
    ]


async def test_nobody_is_told_of_their_own_deed_or_twice_or_when_gone_or_locked(world: World) -> None:
    here = things_of(world)
    locked = world.make_user("locked@example.org", locked_at=datetime.datetime.now(datetime.UTC))
    targets = [here.reader, here.author, here.reader, None, locked, new_id(), "no id at all"]
    await tell(world, "article-published", here.author, targets, article=here.article)
    assert world.rows("SELECT target FROM notifications") == [(here.reader,)]
    await tell(world, "article-published", here.author, [here.author], article=here.article)
    await tell(world, "article-published", here.author, [], article=here.article)
    await tell(world, "article-published", new_id(), [here.reader], article=here.article)
    assert world.rows("SELECT count(*) FROM notifications") == [(1,)]


async def test_a_blank_message_is_none_and_two_objects_are_refused(world: World) -> None:
    here = things_of(world)
    await tell(world, "review-requested", here.author, [here.reader], article=here.article, message=" \n ")
    assert world.rows("SELECT message FROM notifications") == [(None,)]
    with pytest.raises(ValueError, match="one object"):
        await tell(world, "review-requested", here.author, [here.reader], article=here.article, session=here.session)


async def test_a_profile_may_be_what_is_told_of(world: World) -> None:
    here = things_of(world)
    profile = ProfileRef(new_id(), None, None)
    world.rows("INSERT INTO profiles (id, email) VALUES (%s, 'p@example.org')", profile.id)
    await tell(world, "message-sent", here.author, [here.reader], profile=profile)
    assert world.rows("SELECT object_type::text, profile_id, object_url FROM notifications") == [
        ("profile", profile.id, None)
    ]


async def test_it_is_there_with_what_it_reports_or_not_at_all(world: World) -> None:
    here = things_of(world)

    async def fails(db: AsyncSession) -> None:
        await notify(db, "article-removed", here.author, [here.reader], article=here.article, message="spam and lies")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with world.app.state.resources.sessions.begin() as db:
            await fails(db)
    assert world.rows("SELECT count(*) FROM notifications") == [(0,)]


async def test_whoever_is_told_is_not_deleted_before_it_is_committed(world: World) -> None:
    here = things_of(world)
    with psycopg.connect(world.postgres) as deleting:
        deleting.execute("DELETE FROM users WHERE id = %s", [here.reader])
        telling = asyncio.create_task(tell(world, "coauthor-invited", here.author, [here.reader], article=here.article))
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while world.rows(waiting) == [(0,)]:  # until it waits for the one who deletes
            assert not telling.done()
            await asyncio.sleep(0.02)
        deleting.commit()
    await telling
    assert world.rows("SELECT count(*) FROM notifications") == [(0,)]
