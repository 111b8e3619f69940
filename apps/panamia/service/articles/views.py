"""What people get of articles: everybody what is published, those who take part what they do together."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article
from ...models.enums import ArticleStatus, ArticleType
from ...web.bodies import Output
from ...web.people import FORMER, Person, shown
from ..profiles.leniently import Texts
from .co_authors import Answer, answer_of, entries_of, person_of
from .reviews import Outcome, comments_of, earlier_of, outcome_of, reviewer_of
from .rules import Asker, Standing


class ArticleSummary(Output):
    """An article as lists show it. One whose author is gone is signed by a former member."""

    id: str
    slug: str
    title: str
    excerpt: str | None
    cover_image: str | None
    article_type: ArticleType
    tags: Texts
    author: Person
    status: ArticleStatus
    published_at: datetime.datetime | None
    reading_time: int
    created_at: datetime.datetime
    updated_at: datetime.datetime


class CoAuthor(Output):
    """A co-author. Whoever does not take part in the article sees those who accepted, and not how they were asked.

    What was written to somebody with the invitation is for that person, the author and admins.
    """

    person: Person
    status: Answer
    invited_at: str | None = None
    accepted_at: str | None = None
    invitation_message: str | None = None


class Remark(Output):
    """What the reviewer said of a place in the text."""

    id: str | None
    text: str
    content_ref: str | None
    resolved: bool
    created_at: str | None


class Review(Output):
    """A review. What was written to the reviewer with the request is for that person, those who write, and admins."""

    reviewer: Person
    status: Outcome
    requested_at: str | None
    approved_at: str | None
    invitation_message: str | None
    checklist: dict[str, bool]
    comments: list[Remark]


class ArticleView(ArticleSummary):
    """A whole article. Reviews and what became of a removal are for those who take part in it, and for admins."""

    content: str
    co_authors: list[CoAuthor]
    review: Review | None
    earlier_reviews: list[Review]
    in_reply_to: str | None
    mastodon_post_url: str | None
    removed_at: datetime.datetime | None
    removal_reason: str | None


class ArticlePage(Output):
    """Articles, and where the next page begins; null behind the last one."""

    articles: list[ArticleSummary]
    next: str | None


async def view(db: AsyncSession, article: Article, it: Standing, asker: Asker | None) -> ArticleView:
    """Return an article as somebody who may see it sees it."""
    takes_part = asker is not None and (asker.is_admin or it.takes_part(asker.id))
    entries = [one for one in entries_of(article.co_authors) if answer_of(one) is not None]
    if not takes_part:
        entries = [one for one in entries if answer_of(one) == "accepted"]
    reviews = [article.reviewed_by, *earlier_of(article.reviewed_by)] if takes_part else []
    people = await shown(db, [article.author_id, *map(reviewer_of, reviews), *map(person_of, entries)])

    def is_one_of(*whom: str | None) -> bool:
        return asker is not None and (asker.is_admin or asker.id in whom)

    last, *earlier = [
        _review(one, people, whole=is_one_of(it.author, *it.accepted, reviewer_of(one))) for one in reviews
    ] or [None]
    return ArticleView(
        **_summary(article, people),
        content=article.content,
        co_authors=[
            _co_author(
                cast("dict[str, Any]", one),
                people,
                takes_part=takes_part,
                whole=is_one_of(it.author, person_of(one)),
            )
            for one in entries
        ],
        review=last,
        earlier_reviews=[one for one in earlier if one is not None],
        in_reply_to=article.in_reply_to,
        mastodon_post_url=article.mastodon_post_url,
        removed_at=article.removed_at if takes_part else None,
        removal_reason=article.removal_reason if takes_part else None,
    )


async def summaries(db: AsyncSession, articles: Sequence[Article]) -> list[ArticleSummary]:
    """Return articles as lists show them, in the same order."""
    people = await shown(db, [one.author_id for one in articles])
    return [ArticleSummary(**_summary(one, people)) for one in articles]


def _summary(article: Article, people: Mapping[str, Person]) -> dict[str, Any]:
    fields = {name: getattr(article, name) for name in ArticleSummary.model_fields if name != "author"}
    return {**fields, "author": _person(people, article.author_id)}


def _person(people: Mapping[str, Person], key: str | None) -> Person:
    return people.get(key, FORMER) if key is not None else FORMER


def _co_author(entry: Mapping[str, Any], people: Mapping[str, Person], *, takes_part: bool, whole: bool) -> CoAuthor:
    known = CoAuthor(person=_person(people, person_of(entry)), status=answer_of(entry) or "pending")
    if takes_part:
        known.invited_at, known.accepted_at = _text(entry, "invitedAt"), _text(entry, "acceptedAt")
    if takes_part and whole:
        known.invitation_message = _text(entry, "invitationMessage")
    return known


def _review(value: object, people: Mapping[str, Person], *, whole: bool) -> Review | None:
    outcome = outcome_of(value)
    if outcome is None:
        return None
    review = cast("dict[str, Any]", value)
    checklist = review.get("checklist")
    return Review(
        reviewer=_person(people, reviewer_of(review)),
        status=outcome,
        requested_at=_text(review, "requestedAt"),
        approved_at=_text(review, "approvedAt"),
        invitation_message=_text(review, "invitationMessage") if whole else None,
        checklist={key: one is True for key, one in cast("dict[str, Any]", checklist).items()}
        if isinstance(checklist, dict)
        else {},
        comments=[
            Remark(
                id=_text(one, "id"),
                text=_text(one, "text") or "",
                content_ref=_text(one, "contentRef"),
                resolved=one.get("resolved") is True,
                created_at=_text(one, "createdAt"),
            )
            for one in comments_of(review)
        ],
    )


def _text(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None
