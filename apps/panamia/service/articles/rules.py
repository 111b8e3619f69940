"""Who may do what to an article, and when. Pure: each rule answers None, or what the request is refused with.

The order is the same everywhere. Whoever may not know of an article is told that there is none (404); whoever may know
and has no part in it is told so (403); then comes what the article is at the moment (409), then what is asked (400).

What somebody did stays done when they are gone. Who was asked and can no longer answer stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Protocol

from ...models import Article
from ...models.enums import ArticleStatus
from ...web.errors import RefusedError, bad, conflict, forbidden, not_found
from .co_authors import Answer, answers_of, anybody_accepted
from .reviews import Outcome, earlier_of, outcome_of, reviewer_of

UNPUBLISHED: frozenset[ArticleStatus] = frozenset({"draft", "pending_review", "revision_needed"})
MOST_CO_AUTHORS = 20
MOST_REVIEWS = 50


class Asker(Protocol):
    """Who asks."""

    @property
    def id(self) -> str:
        """Of the user."""
        ...

    @property
    def is_admin(self) -> bool:
        """Whether an admin asks."""
        ...


@dataclass(frozen=True)
class Standing:
    """An article as the rules see it.

    Attributes:
        author: None where the author is gone.
        answers: What each co-author said to the invitation, those included who are gone.
        anybody_accepted: Whether a co-author did, perhaps one whom nobody knows any more.
        reviewer: Whoever was asked last; None where nobody is named.
        reviewer_there: Whether the reviewer is a user still, and not locked.
        review: How the last review stands; None without one.
        reviews: How many there were, the last one included.
        is_complete: Whether it has a title and a text.
    """

    status: ArticleStatus
    author: str | None
    answers: Mapping[str, Answer]
    anybody_accepted: bool = False
    reviewer: str | None = None
    reviewer_there: bool = False
    review: Outcome | None = None
    reviews: int = 0
    is_complete: bool = True

    @property
    def accepted(self) -> list[str]:
        """The co-authors who accepted, in order."""
        return [person for person, answer in self.answers.items() if answer == "accepted"]

    @property
    def waits_for_review(self) -> bool:
        """Whether somebody was asked who can do it still."""
        return (
            self.review == "pending"
            and self.reviewer is not None
            and self.reviewer_there
            and not self.writes(self.reviewer)
        )

    def writes(self, person: str) -> bool:
        """Whether somebody is the author, or a co-author who accepted."""
        return person == self.author or self.answers.get(person) == "accepted"

    def takes_part(self, person: str) -> bool:
        """Whether somebody writes, is invited to, or was asked for the review."""
        return self.writes(person) or self.answers.get(person) == "pending" or person == self.reviewer


def standing_of(article: Article, there: Set[str]) -> Standing:
    """Return how an article stands; `there` are those of its people who can still do something."""
    reviewer = reviewer_of(article.reviewed_by)
    return Standing(
        status=article.status,
        author=article.author_id,
        answers=answers_of(article.co_authors),
        anybody_accepted=anybody_accepted(article.co_authors),
        reviewer=reviewer,
        reviewer_there=reviewer in there,
        review=outcome_of(article.reviewed_by),
        reviews=0 if article.reviewed_by is None else 1 + len(earlier_of(article.reviewed_by)),
        is_complete=bool(article.title.strip() and article.content.strip()),
    )


def may_see(it: Standing, asker: Asker | None) -> bool:
    """What is published everybody may; the rest those who take part, and admins."""
    return it.status == "published" or (asker is not None and (asker.is_admin or it.takes_part(asker.id)))


def may_update(it: Standing, asker: Asker) -> RefusedError | None:
    """The author and accepted co-authors, unless it is removed."""
    return _first(_known(it, asker), _of_writers(it, asker), _not_removed(it))


def may_delete(it: Standing, asker: Asker) -> RefusedError | None:
    """The author, while it is not published; what an admin removed stays."""
    return _first(_known(it, asker), _of_author(it, asker), _unpublished(it))


def may_invite(it: Standing, asker: Asker, invitee: str | None = None) -> RefusedError | None:
    """The author invites anybody else who is neither invited nor a co-author yet; None: whether anybody at all."""
    refused = _first(_known(it, asker), _of_author(it, asker), _not_removed(it))
    if refused:
        return refused
    if invitee is None:
        return None
    if invitee == it.author:
        return bad("The author is no co-author", "own-article")
    if it.answers.get(invitee) in {"pending", "accepted"}:
        return conflict("This person is invited already", "already-invited")
    if len(it.answers) >= MOST_CO_AUTHORS and invitee not in it.answers:
        return conflict(f"An article has {MOST_CO_AUTHORS} co-authors at most", "too-many")
    return None


def may_answer(it: Standing, asker: Asker, answer: Answer) -> RefusedError | None:
    """Whoever is invited, once; who is to review the article says how it is before becoming a part of it."""
    said = it.answers.get(asker.id)
    if said in {"accepted", "declined"}:
        return conflict("The invitation is answered already", "answered")
    refused = _known(it, asker)
    if refused is None and said is None:
        refused = forbidden("You are not invited to this article")
    refused = refused or _not_removed(it)
    if refused:
        return refused
    if answer == "accepted" and it.waits_for_review and it.reviewer == asker.id:
        return conflict("You are asked to review this article, which a co-author cannot", "review-pending")
    return None


def may_part(it: Standing, asker: Asker, person: str) -> RefusedError | None:
    """The author lets any co-author go, and each co-author may go."""
    refused = _known(it, asker)
    if refused is None and asker.id not in {it.author, person}:
        refused = _not_yours()
    if refused is None and person not in it.answers:
        refused = not_found("Co-author")
    return refused or _not_removed(it)


def may_ask_for_review(it: Standing, asker: Asker, reviewer: str | None = None) -> RefusedError | None:
    """The author and accepted co-authors, one review at a time, by somebody who does not write; None: by anybody."""
    refused = _first(_known(it, asker), _of_writers(it, asker), _unpublished(it))
    if refused:
        return refused
    if it.waits_for_review:
        return conflict("A review is pending already", "review-pending")
    if it.reviews >= MOST_REVIEWS:
        return conflict(f"An article has {MOST_REVIEWS} reviews at most", "too-many")
    if reviewer is not None and it.writes(reviewer):
        return bad("Nobody reviews an article of their own", "own-article")
    return None


def may_review(it: Standing, asker: Asker, *, approves: bool, checked: bool) -> RefusedError | None:
    """The reviewer, once, while it is not published; approval needs every item of the checklist."""
    refused = _known(it, asker)
    if refused is None and asker.id != it.reviewer:
        refused = forbidden("You are not asked to review this article")
    if refused is None and it.writes(asker.id):
        refused = forbidden("Nobody reviews an article of their own")
    refused = refused or _unpublished(it)
    if refused is None and it.review != "pending":
        refused = conflict("The review is done already", "reviewed")
    if refused is None and approves and not checked:
        refused = bad("An approval needs every item of the checklist", "checklist-incomplete")
    return refused


def may_publish(it: Standing, asker: Asker) -> RefusedError | None:
    """The author, once it has title and text, and a co-author who accepted or a review that approved."""
    refused = _first(_known(it, asker), _of_author(it, asker), _unpublished(it))
    if refused:
        return refused
    if not it.is_complete:
        return conflict("An article needs a title and a text to be published", "incomplete")
    if not it.anybody_accepted and it.review != "approved":
        return conflict("An article needs a co-author who accepted, or a review that approved", "not-seen-by-others")
    return None


def may_unpublish(it: Standing, asker: Asker) -> RefusedError | None:
    """The author, what is published."""
    return _first(_known(it, asker), _of_author(it, asker), _published(it))


def may_remove(it: Standing, asker: Asker) -> RefusedError | None:
    """Admins, what is published."""
    return _first(_known(it, asker), _of_admins(asker), _published(it))


def may_restore(it: Standing, asker: Asker) -> RefusedError | None:
    """Admins, what was removed."""
    refused = _first(_known(it, asker), _of_admins(asker))
    if refused is None and it.status != "removed":
        refused = conflict("The article is not removed", "not-removed")
    return refused


def _first(*refusals: RefusedError | None) -> RefusedError | None:
    return next((one for one in refusals if one is not None), None)


def _not_yours() -> RefusedError:
    return forbidden("This is not your article")


def _known(it: Standing, asker: Asker) -> RefusedError | None:
    return None if may_see(it, asker) else not_found("Article")


def _of_author(it: Standing, asker: Asker) -> RefusedError | None:
    return None if asker.id == it.author else _not_yours()


def _of_writers(it: Standing, asker: Asker) -> RefusedError | None:
    return None if it.writes(asker.id) else _not_yours()


def _of_admins(asker: Asker) -> RefusedError | None:
    return None if asker.is_admin else forbidden()


def _not_removed(it: Standing) -> RefusedError | None:
    return conflict("The article is removed", "removed") if it.status == "removed" else None


def _published(it: Standing) -> RefusedError | None:
    return None if it.status == "published" else conflict("The article is not published", "not-published")


def _unpublished(it: Standing) -> RefusedError | None:
    if it.status in UNPUBLISHED:
        return None
    return _not_removed(it) or conflict("The article is published", "published")
