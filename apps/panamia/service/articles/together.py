"""What people do to an article together: invite and answer, ask for a review and do it. Each of it is told."""

from __future__ import annotations

from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from ...models import Article
from ...models.shapes import CoAuthor as CoAuthorShape
from ...models.shapes import Review as ReviewShape
from ..auth.sessions import Signed
from ..notifications.emit import notify
from ..people import find
from .bodies import Invitation, ReviewDone
from .co_authors import Answer, answered, invited, without
from .reviews import Remark, done, requested
from .rows import Changed, held, judge, now, reference, standing
from .rules import may_answer, may_ask_for_review, may_invite, may_part, may_review


async def invite(db: AsyncSession, author: Signed, key: str, invitation: Invitation) -> Changed:
    """Ask somebody to write with the author.

    Raises:
        RefusedError: It may not be, or there is no such person.
    """
    article, it = await held(db, key)
    judge(may_invite(it, author))
    person = await find(db, invitation)
    judge(may_invite(it, author, person))
    await _set_co_authors(db, article, invited(article.co_authors, person, invitation.message, now()))
    await notify(db, "coauthor-invited", author.id, [person], article=reference(article), message=invitation.message)
    return article, await standing(db, article)


async def answer(db: AsyncSession, invitee: Signed, key: str, said: Answer) -> Changed:
    """Accept or decline.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_answer(it, invitee, said))
    await _set_co_authors(db, article, answered(article.co_authors, invitee.id, said, now()))
    event = "coauthor-accepted" if said == "accepted" else "coauthor-declined"
    await notify(db, event, invitee.id, [article.author_id], article=reference(article))
    return article, await standing(db, article)


async def part(db: AsyncSession, asker: Signed, key: str, person: str) -> None:
    """Let a co-author go.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_part(it, asker, person))
    await _set_co_authors(db, article, without(article.co_authors, person))


async def ask_for_review(db: AsyncSession, writer: Signed, key: str, invitation: Invitation) -> Changed:
    """Ask somebody to say whether the article is good.

    Raises:
        RefusedError: It may not be, or there is no such person.
    """
    article, it = await held(db, key)
    judge(may_ask_for_review(it, writer))
    person = await find(db, invitation)
    judge(may_ask_for_review(it, writer, person))
    article.reviewed_by = cast("ReviewShape", requested(article.reviewed_by, person, invitation.message, now()))
    article.status = "pending_review"
    await db.flush()
    await notify(db, "review-requested", writer.id, [person], article=reference(article), message=invitation.message)
    return article, await standing(db, article)


async def review(db: AsyncSession, reviewer: Signed, key: str, found: ReviewDone) -> Changed:
    """Say whether it is: then it is a draft again, approved, or needs a revision.

    Raises:
        RefusedError: It may not be.
    """
    article, it = await held(db, key)
    judge(may_review(it, reviewer, approves=found.approve, checked=found.checklist.is_complete))
    article.reviewed_by = cast(
        "ReviewShape",
        done(
            article.reviewed_by,
            found.checklist.model_dump(by_alias=True),
            [Remark(one.text, one.content_ref) for one in found.comments],
            now(),
            approved=found.approve,
        ),
    )
    article.status = "draft" if found.approve else "revision_needed"
    await db.flush()
    event = "review-approved" if found.approve else "review-revision"
    about = reference(article)
    await notify(db, event, reviewer.id, [it.author], article=about, message=found.message)
    await notify(db, event, reviewer.id, [one for one in it.accepted if one != it.author], article=about)
    return article, await standing(db, article)


async def _set_co_authors(db: AsyncSession, article: Article, entries: list[object]) -> None:
    article.co_authors = cast("list[CoAuthorShape]", entries)
    await db.flush()
