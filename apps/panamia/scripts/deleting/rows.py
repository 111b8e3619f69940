"""A person's rows in PostgreSQL: all of it in the caller's transaction, so it happens as a whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from isthmus.polyglot.switch import Home

from ...models import Article, ArticleAnnouncement, Event, LinkRequest, MentorSession, Profile, User, metadata
from ...models.shapes import CoAuthor, Review
from ...service.addresses import fold
from ...service.auth.limits import subject_of
from ...service.mentoring.addresses import FORMER, SIDES, address_of, user_of, with_address
from ...service.mentoring.rules import Side
from ...service.people import is_address
from .fates import (
    BY_EMAIL,
    CANCELLED,
    LEFT,
    NOBODYS,
    TO_COME,
    co_authors_without,
    is_lonely,
    review_without,
    status_behind,
)
from .keys import count_keys
from .report import Report

_COPY = "a copy: profiles live in MongoDB"


async def held_user(db: AsyncSession, email: str) -> str | None:
    """Return whose an address is, held so that nothing new can point at the row; None for nobody's."""
    query = sa.select(User.id).where(is_address(User.email, email)).with_for_update()
    return (await db.execute(query)).scalar_one_or_none()


async def held_profiles(db: AsyncSession, user_id: str | None, email: str) -> list[str]:
    """Return the ids of the user's profile, whatever its address, and of one of the address that is nobody's; held."""
    mine = sa.and_(Profile.user_id.is_(None), is_address(Profile.email, email))
    if user_id is not None:
        mine = sa.or_(Profile.user_id == user_id, mine)
    return list((await db.execute(sa.select(Profile.id).where(mine).with_for_update())).scalars())


async def delete_rows(
    db: AsyncSession,
    report: Report,
    user_id: str | None,
    email: str,
    secret: str,
    profiles: Collection[str],
    home: Home,
) -> None:
    """Delete and sign off all that is there of a person.

    Args:
        report: What is done is added.
        user_id: From `held_user`.
        email: Folded.
        secret: AUTH_SECRET.
        profiles: Ids of the person's; some may not be there.
        home: Where profiles live.

    Raises:
        NotDoneError: A foreign key keeps a row from going. Roll back.
    """
    await db.execute(sa.text("SELECT set_config('panamia.keep_updated_at', 'on', true)"))  # nobody has edited anything
    if user_id is not None:
        await _further_addresses(db, report, user_id)
        await _articles(db, report, user_id)
    await _sessions(db, report, user_id, email)
    await _by_email(db, report, email, secret)
    await _profiles(db, report, email, profiles, "" if home == "postgres" else _COPY)
    if user_id is not None:
        await count_keys(db, report, "public.users", [user_id])
        await db.execute(sa.delete(User).where(User.id == user_id))
        await _extras(db, "users", [user_id])
        report.add("users", "removed", "", 1)


async def _further_addresses(db: AsyncSession, report: Report, user_id: str) -> None:
    """Name the addresses beside the person's own. What is known by one may be another one's, so nothing of it goes."""
    found = (await db.execute(sa.select(User.alternate_emails).where(User.id == user_id))).scalar_one()
    for one in sorted({fold(one) for one in found if one}):
        report.add(f"what {one[:254]!r} has", "kept", "nobody has proven that it is theirs: say it again with it", 1)


async def _articles(db: AsyncSession, report: Report, user_id: str) -> None:
    announced = sa.exists().where(ArticleAnnouncement.article_id == Article.id)
    query = sa.select(Article.id, Article.status, Article.co_authors).where(Article.author_id == user_id, ~announced)
    own = (await db.execute(query.with_for_update())).all()
    lonely = [one.id for one in own if is_lonely(one.status, one.co_authors)]
    if lonely:
        await count_keys(db, report, "public.articles", lonely)
        await db.execute(sa.delete(Article).where(Article.id.in_(lonely)))
        await _extras(db, "articles", lonely)
        report.add("articles", "removed", "never published, and nobody else's", len(lonely))
    written = sa.select(Article).where(Article.co_authors.contains([{"userId": user_id}])).with_for_update()
    for one in (await db.execute(written)).scalars():
        one.co_authors = cast("list[CoAuthor]", co_authors_without(one.co_authors, [user_id]))
        report.add("articles", "signed off", "co-authors stay unsigned; invitations go", 1)
    named = {"userId": user_id}
    last, earlier = Article.reviewed_by.contains(named), Article.reviewed_by.contains({"earlier": [named]})
    for one in (await db.execute(sa.select(Article).where(sa.or_(last, earlier)).with_for_update())).scalars():
        one.reviewed_by = cast("Review | None", review_without(one.reviewed_by, [user_id]))
        one.status = status_behind(one.status, one.reviewed_by)
        report.add("articles", "signed off", "reviews stay unsigned; requests go", 1)
    await db.flush()


async def _sessions(db: AsyncSession, report: Report, user_id: str | None, email: str) -> None:
    """Cancel what is still to come: the other one shall not wait. Whose a session is its id says, else the address.

    The address goes, too: without an id it would say whose the session is, and whoever proves it could read the notes.
    """

    def is_of(user: Mapped[str | None], address: Mapped[str]) -> sa.ColumnElement[bool]:
        by_address = sa.and_(user.is_(None), is_address(address, email))
        return by_address if user_id is None else sa.or_(user == user_id, by_address)

    sides: dict[Side, sa.ColumnElement[bool]] = {side: is_of(user_of(side), address_of(side)) for side in SIDES}
    values = {"status": "cancelled", "cancelled_at": sa.func.now(), "cancel_reason": LEFT}
    to_come = sa.and_(sa.or_(*sides.values()), MentorSession.status.in_(TO_COME))
    report.add("mentor_sessions", "signed off", CANCELLED, await _changed(db, to_come, values))
    for side, mine in sides.items():
        report.add("mentor_sessions", "signed off", NOBODYS, await _changed(db, mine, with_address(side, FORMER[side])))


async def _changed(db: AsyncSession, which: sa.ColumnElement[bool], values: Mapping[Any, Any]) -> int:
    changed = sa.update(MentorSession).where(which).values(values).returning(MentorSession.id)
    return len((await db.execute(changed, execution_options={"synchronize_session": False})).all())


async def _by_email(db: AsyncSession, report: Report, email: str, secret: str) -> None:
    for one in BY_EMAIL:
        table = metadata.tables[one.table]
        mine = is_address(table.c[one.column], email)
        if one.fate == "removed":
            count = len((await db.execute(sa.delete(table).where(mine).returning(table.c[one.column]))).all())
        else:
            count = (await db.execute(sa.select(sa.func.count()).select_from(table).where(mine))).scalar_one()
        report.add(one.table, one.fate, one.why, count)
    subject = subject_of(email, secret)
    gone = await db.execute(sa.delete(LinkRequest).where(LinkRequest.subject == subject).returning(LinkRequest.subject))
    report.add("link_requests", "removed", "", len(gone.all()))


async def _profiles(db: AsyncSession, report: Report, email: str, ids: Collection[str], why: str) -> None:
    query = sa.select(Profile.id).where(Profile.id.in_(ids)).with_for_update()
    found = (await db.execute(query)).scalars().all()
    has_address = sa.and_(is_address(Profile.email, email), Profile.id.not_in(found))
    others = sa.select(sa.func.count()).select_from(Profile).where(has_address)
    report.add("profiles", "kept", "another member's, with this address", (await db.scalar(others)) or 0)
    if not found:
        return
    await count_keys(db, report, "public.profiles", found)
    for model in (Profile, Event):
        for gone in found:
            linked = sa.update(model).where(model.linked_profiles.has_key(gone), model.id.not_in(found))
            changed = linked.values(linked_profiles=model.linked_profiles.op("-")(gone)).returning(model.id)
            count = len((await db.execute(changed, execution_options={"synchronize_session": False})).all())
            report.add(model.__tablename__, "signed off", "it was linked there", count)
    await db.execute(sa.delete(Profile).where(Profile.id.in_(found)))
    await _extras(db, "profiles", found)
    report.add("profiles", "removed", why, len(found))


async def _extras(db: AsyncSession, table: str, ids: Sequence[str]) -> None:
    """Delete what Isthmus kept aside of rows when they were carried."""
    if (await db.execute(sa.text("SELECT to_regclass('isthmus.extras') IS NOT NULL"))).scalar_one():
        gone = "DELETE FROM isthmus.extras WHERE table_schema = 'public' AND table_name = :table AND id = ANY (:ids)"
        await db.execute(sa.text(gone), {"table": table, "ids": list(ids)})
