"""Co-authors and reviews of articles."""

from __future__ import annotations

from fastapi import APIRouter

from ...web.database import Db
from ...web.inputs import Key
from ..auth.current import User
from . import together
from .bodies import Invitation, ReviewDone
from .views import ArticleView, view

router = APIRouter(prefix="/api/articles", tags=["articles"])


@router.post("/{key}/co-authors", status_code=201)
async def invite(key: Key, body: Invitation, user: User, db: Db) -> ArticleView:
    """Invite somebody to write: the author."""
    return await view(db, *await together.invite(db, user, key, body), user)


@router.post("/{key}/co-authors/accept")
async def accept(key: Key, user: User, db: Db) -> ArticleView:
    """Accept an invitation, once: whoever is invited."""
    return await view(db, *await together.answer(db, user, key, "accepted"), user)


@router.post("/{key}/co-authors/decline", status_code=204)
async def decline(key: Key, user: User, db: Db) -> None:
    """Decline an invitation, once: whoever is invited."""
    await together.answer(db, user, key, "declined")


@router.delete("/{key}/co-authors/{person}", status_code=204)
async def part(key: Key, person: Key, user: User, db: Db) -> None:
    """Let a co-author go: the author anybody, everybody themselves."""
    await together.part(db, user, key, person)


@router.post("/{key}/review", status_code=201)
async def ask_for_review(key: Key, body: Invitation, user: User, db: Db) -> ArticleView:
    """Ask somebody for a review: the author and co-authors, for one at a time."""
    return await view(db, *await together.ask_for_review(db, user, key, body), user)


@router.post("/{key}/review/done")
async def review(key: Key, body: ReviewDone, user: User, db: Db) -> ArticleView:
    """Say what the article is like: whoever was asked. An approval needs the whole checklist."""
    return await view(db, *await together.review(db, user, key, body), user)
