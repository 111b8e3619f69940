"""Articles made, changed and deleted."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article
from ...web.errors import bad, conflict
from ..auth.sessions import Signed
from ..people import stay
from .bodies import ArticleChange, NewArticle
from .rows import Changed, held, judge, standing
from .rules import may_delete, may_update
from .texts import excerpt_of, minutes_of, numbered, slug_of

_CLOSE = range(2, 50)
"""Numbers behind an address that are tried in their order."""
_TRIES_IN_ORDER, _TRIES = 4, 12


async def create(db: AsyncSession, author: Signed, new: NewArticle) -> Article:
    """Make a draft, and return it.

    Raises:
        RefusedError: The author has no screen name (400, code `SCREENNAME_REQUIRED`), or what it answers is not
            published (400, code `parent-not-published`).
    """
    if author.screenname is None:
        raise bad("Choose a screen name before you write", "SCREENNAME_REQUIRED")
    await stay(db, author.id)
    if new.in_reply_to is not None:
        await _need_published(db, new.in_reply_to)
    values = {
        "title": new.title,
        "content": new.content,
        "excerpt": excerpt_of(new.content) if new.excerpt is None else new.excerpt,
        "cover_image": new.cover_image,
        "article_type": new.article_type,
        "tags": new.tags,
        "author_id": author.id,
        "in_reply_to": new.in_reply_to,
        "reading_time": minutes_of(new.content),
    }
    return await _insert(db, slug_of(new.title), values)


async def update(db: AsyncSession, writer: Signed, key: str, change: ArticleChange) -> Changed:
    """Change what is said, and return the article.

    Raises:
        RefusedError: It may not be, or somebody has changed it since the writer saw it (409, code `changed`).
    """
    article, it = await held(db, key)
    judge(may_update(it, writer))
    if change.unless_changed_since not in {None, article.updated_at}:
        raise conflict("The article has been changed since", "changed")
    began = excerpt_of(article.content)
    for name in ("title", "article_type", "content", "tags"):
        said = getattr(change, name)
        if said is not None:
            setattr(article, name, said)
    if change.content is not None:
        article.reading_time = minutes_of(article.content)
    if change.excerpt is not None:
        article.excerpt = change.excerpt
    elif "excerpt" in change.model_fields_set or (article.excerpt or "") == began:
        article.excerpt = excerpt_of(article.content)
    if "cover_image" in change.model_fields_set:
        article.cover_image = change.cover_image
    it = await standing(db, article)
    if it.status == "published" and not it.is_complete:
        raise conflict("A published article needs a title and a text", "incomplete")
    await db.flush()
    return article, it


async def delete(db: AsyncSession, author: Signed, key: str) -> None:
    """Delete what is not published; answers to it stay and answer nothing any more.

    Raises:
        RefusedError: It may not be, or something was posted of it elsewhere (409, code `announced`).
    """
    article, it = await held(db, key)
    judge(may_delete(it, author))
    await db.delete(article)
    try:
        await db.flush()
    except IntegrityError:
        raise conflict("The article was announced elsewhere", "announced") from None


async def _need_published(db: AsyncSession, parent: str) -> None:
    """Hold what is answered, so that nobody deletes it before the answer is there."""
    query = sa.select(Article.status).where(Article.id == parent).with_for_update(read=True, key_share=True)
    if (await db.execute(query)).scalar_one_or_none() != "published":
        raise bad("Only published articles are answered", "parent-not-published")


async def _insert(db: AsyncSession, slug: str, values: dict[str, Any]) -> Article:
    """Insert an article under the first address that is free: the unique index says which one is."""
    candidate = slug
    for turn in range(_TRIES):
        made = await db.execute(
            insert(Article)
            .values(slug=candidate, **values)
            .on_conflict_do_nothing(index_elements=["slug"])
            .returning(Article)
        )
        article = made.scalar_one_or_none()
        if article is not None:
            return article
        candidate = await _free(db, slug) if turn < _TRIES_IN_ORDER else None
        candidate = candidate or numbered(slug, 1_000 + secrets.randbelow(10**9))
    raise conflict("Too many articles get this title at the same moment", "slug")


async def _free(db: AsyncSession, slug: str) -> str | None:
    """Return the first address with a number that nobody has this moment; None where all close ones are taken."""
    close = [numbered(slug, number) for number in _CLOSE]
    taken = set((await db.execute(sa.select(Article.slug).where(Article.slug.in_(close)))).scalars())
    return next((one for one in close if one not in taken), None)
