"""Articles published and taken back: by their authors, and by admins. Those who wrote are told."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article
from ..auth.sessions import Signed
from ..notifications.emit import notify
from .rows import Changed, held, judge, now, reference
from .rules import Standing, may_publish, may_remove, may_restore, may_unpublish, standing_of


async def publish(db: AsyncSession, author: Signed, key: str) -> Changed:
    """Show an article to everybody; co-authors and whoever approved it are told.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_publish(it, author))
    article.status, article.published_at = "published", now()
    await db.flush()
    approver = it.reviewer if it.review == "approved" else None
    await notify(db, "article-published", author.id, [*it.accepted, approver], article=reference(article))
    return _after(article, it)


async def unpublish(db: AsyncSession, author: Signed, key: str) -> Changed:
    """Make an article a draft again.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_unpublish(it, author))
    article.status, article.published_at = "draft", None
    await db.flush()
    return _after(article, it)


async def remove(db: AsyncSession, admin: Signed, key: str, reason: str) -> Changed:
    """Take an article out of sight, and tell those who wrote it why.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_remove(it, admin))
    article.status = "removed"
    article.removed_at, article.removed_by, article.removal_reason = now(), admin.id, reason
    await db.flush()
    await notify(db, "article-removed", admin.id, [it.author, *it.accepted], article=reference(article), message=reason)
    return _after(article, it)


async def restore(db: AsyncSession, admin: Signed, key: str) -> Changed:
    """Publish again what was removed; when, by whom and why it was stays written.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_restore(it, admin))
    article.status = "published"
    await db.flush()
    await notify(db, "article-restored", admin.id, [it.author, *it.accepted], article=reference(article))
    return _after(article, it)


def _after(article: Article, before: Standing) -> Changed:
    there = {before.reviewer} if before.reviewer is not None and before.reviewer_there else set[str]()
    return article, standing_of(article, there)
