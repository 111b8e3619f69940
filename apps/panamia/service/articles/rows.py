"""An article's row, held by the transaction that judges it."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article, User
from ...web.errors import RefusedError, not_found
from ..notifications.emit import ArticleRef
from .reviews import reviewer_of
from .rules import Standing, standing_of

Changed = tuple[Article, Standing]
"""An article as it is now, and how it stands."""


async def held(db: AsyncSession, key: str) -> Changed:
    """Return an article and how it stands, which nobody else changes until the transaction ends.

    Raises:
        RefusedError: It is not there (404).
    """
    article = (await db.execute(sa.select(Article).where(Article.id == key).with_for_update())).scalar_one_or_none()
    if article is None:
        raise not_found("Article")
    return article, await standing(db, article)


async def standing(db: AsyncSession, article: Article) -> Standing:
    """Return how an article stands."""
    reviewer = reviewer_of(article.reviewed_by)
    there: set[str] = set()
    if reviewer is not None:
        query = sa.select(User.id).where(User.id == reviewer, User.locked_at.is_(None))
        there = set((await db.execute(query)).scalars())
    return standing_of(article, there)


def judge(refused: RefusedError | None) -> None:
    """Go on, or refuse.

    Raises:
        RefusedError: A rule says so.
    """
    if refused is not None:
        raise refused


def now() -> datetime.datetime:
    """Return what is written as the instant of an action."""
    return datetime.datetime.now(datetime.UTC)


def reference(article: Article) -> ArticleRef:
    """Return an article as notifications name it."""
    return ArticleRef(article.id, article.title, article.slug)
