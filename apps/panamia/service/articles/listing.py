"""Lists of articles, page by page: those for everybody, and those that somebody has a part in."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article
from ...web.cursors import Cursor
from .rules import UNPUBLISHED
from .views import ArticlePage, summaries

MOST = 100
Part = Literal["writer", "invited", "reviewer"]
"""What somebody has to do with an article: writes it, has not answered the invitation yet, has a review to do."""
_WAITS = '$[*] ? (@.userId == $user && (!exists(@.status) || @.status == null || @.status == "pending"))'


async def published(
    db: AsyncSession,
    *,
    tag: str | None,
    author: str | None,
    reply_to: str | None,
    after: Cursor | None,
    limit: int,
) -> ArticlePage:
    """Return what is published, the newest first; carried articles that do not say when they were come last."""
    query = sa.select(Article).where(Article.status == "published")
    if tag is not None:
        query = query.where(Article.tags.contains([tag]))
    if author is not None:
        query = query.where(Article.author_id == author)
    if reply_to is not None:
        query = query.where(Article.in_reply_to == reply_to)
    found: list[Article] = []
    if after is None or after.at is not None:
        dated = query.where(Article.published_at.is_not(None))
        if after is not None:
            dated = dated.where(after.before(Article.published_at, Article.id))
        dated = dated.order_by(Article.published_at.desc(), Article.id.desc()).limit(limit + 1)
        found += (await db.execute(dated)).scalars()
    if len(found) <= limit:
        undated = query.where(Article.published_at.is_(None))
        if after is not None and after.at is None:
            undated = undated.where(Article.id < after.id)
        undated = undated.order_by(Article.id.desc()).limit(limit + 1 - len(found))
        found += (await db.execute(undated)).scalars()
    last = Cursor(found[limit - 1].published_at, found[limit - 1].id) if len(found) > limit else None
    return ArticlePage(articles=await summaries(db, found[:limit]), next=str(last) if last else None)


async def mine(db: AsyncSession, person: str, part: Part, after: Cursor | None, limit: int) -> ArticlePage:
    """Return the articles that somebody has such a part in, the newest first.

    A review waits until the article is published; an invitation until the article is removed.
    """
    query = sa.select(Article).where(_has_part(person, part))
    if after is not None:
        query = query.where(after.before(Article.created_at, Article.id))
    query = query.order_by(Article.created_at.desc(), Article.id.desc()).limit(limit + 1)
    found = list((await db.execute(query)).scalars())
    last = Cursor(found[limit - 1].created_at, found[limit - 1].id) if len(found) > limit else None
    return ArticlePage(articles=await summaries(db, found[:limit]), next=str(last) if last else None)


def _has_part(person: str, part: Part) -> sa.ColumnElement[bool]:
    accepted = Article.co_authors.contains([{"userId": person, "status": "accepted"}])
    if part == "writer":
        return sa.or_(Article.author_id == person, accepted)
    if part == "invited":
        # the first of these finds them by the index
        return sa.and_(
            Article.co_authors.contains([{"userId": person}]),
            sa.func.jsonb_path_exists(
                Article.co_authors,
                sa.cast(_WAITS, JSONPATH),
                sa.func.jsonb_build_object("user", person),
            ),
            sa.not_(accepted),
            Article.status != "removed",
        )
    return sa.and_(
        Article.status.in_(sorted(UNPUBLISHED)),
        Article.reviewed_by.contains({"userId": person}),
        sa.func.coalesce(Article.reviewed_by["status"].astext, "pending") == "pending",
    )
