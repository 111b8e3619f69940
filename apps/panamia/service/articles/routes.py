"""Articles: read, listed, made, changed, deleted, published and taken back."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query

from ...models import Article
from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.errors import not_found
from ...web.inputs import NO_NUL, Key, KeyText, up_to
from ..auth.current import Admin, Somebody, User
from . import listing, publishing, writing
from .bodies import ArticleChange, NewArticle, Removal, Tag
from .listing import MOST, Part
from .rows import standing
from .rules import Asker, may_see
from .views import ArticlePage, ArticleView, view

router = APIRouter(prefix="/api/articles", tags=["articles"])

CursorText = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]
Limit = Annotated[int, up_to(MOST, "articles")]
Slug = Annotated[str, Path(min_length=1, max_length=500), NO_NUL]


@router.get("")
async def published(
    db: Db,
    tag: Annotated[Tag | None, Query()] = None,
    author: Annotated[KeyText | None, Query()] = None,
    reply_to: Annotated[KeyText | None, Query(alias="replyTo")] = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> ArticlePage:
    """List what is published, the newest first: all, with a tag, by an author, in answer to an article."""
    after = cursor_of(cursor, undated=True)
    return await listing.published(db, tag=tag, author=author, reply_to=reply_to, after=after, limit=min(limit, MOST))


@router.post("", status_code=201)
async def create(body: NewArticle, user: User, db: Db) -> ArticleView:
    """Make a draft."""
    article = await writing.create(db, user, body)
    return await view(db, article, await standing(db, article), user)


@router.get("/mine")
async def mine(
    user: User, db: Db, part: Annotated[Part, Query()] = "writer", cursor: CursorText = None, limit: Limit = 20
) -> ArticlePage:
    """List what somebody writes, is invited to, or has to review."""
    return await listing.mine(db, user.id, part, cursor_of(cursor), min(limit, MOST))


@router.get("/by-slug/{slug:path}")
async def read_by_slug(slug: Slug, somebody: Somebody, db: Db) -> ArticleView:
    """Read an article under its address."""
    return await _read(db, Article.slug == slug, somebody)


@router.get("/{key}")
async def read(key: Key, somebody: Somebody, db: Db) -> ArticleView:
    """Read an article: published ones everybody, others those who take part in them, and admins."""
    return await _read(db, Article.id == key, somebody)


@router.patch("/{key}")
async def update(key: Key, body: ArticleChange, user: User, db: Db) -> ArticleView:
    """Change an article: its author and co-authors."""
    return await view(db, *await writing.update(db, user, key, body), user)


@router.delete("/{key}", status_code=204)
async def delete(key: Key, user: User, db: Db) -> None:
    """Delete an article that is not published: its author."""
    await writing.delete(db, user, key)


@router.post("/{key}/publish")
async def publish(key: Key, user: User, db: Db) -> ArticleView:
    """Publish an article that somebody else has seen: its author."""
    return await view(db, *await publishing.publish(db, user, key), user)


@router.post("/{key}/unpublish")
async def unpublish(key: Key, user: User, db: Db) -> ArticleView:
    """Make a published article a draft again: its author."""
    return await view(db, *await publishing.unpublish(db, user, key), user)


@router.post("/{key}/remove")
async def remove(key: Key, body: Removal, admin: Admin, db: Db) -> ArticleView:
    """Take a published article out of sight: admins, with a reason."""
    return await view(db, *await publishing.remove(db, admin, key, body.reason), admin)


@router.post("/{key}/restore")
async def restore(key: Key, admin: Admin, db: Db) -> ArticleView:
    """Publish a removed article again: admins."""
    return await view(db, *await publishing.restore(db, admin, key), admin)


async def _read(db: Db, which: sa.ColumnElement[bool], asker: Asker | None) -> ArticleView:
    article = (await db.execute(sa.select(Article).where(which))).scalar_one_or_none()
    if article is None:
        raise not_found("Article")
    it = await standing(db, article)
    if not may_see(it, asker):
        raise not_found("Article")
    return await view(db, article, it, asker)
