"""The rules of articles by themselves: every action in every state by everybody, and what else they ask.

Oracle: the table of `articles_made`, from the facts. Cannot see: whether requests are judged by them; the same table
through HTTP does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from apps.panamia.service.articles.rules import (
    MOST_CO_AUTHORS,
    MOST_REVIEWS,
    Standing,
    may_answer,
    may_ask_for_review,
    may_delete,
    may_invite,
    may_part,
    may_publish,
    may_remove,
    may_restore,
    may_review,
    may_see,
    may_unpublish,
    may_update,
)
from apps.panamia.web.errors import RefusedError
from tests.apps.panamia.service.articles_made import ACTIONS, STATUSES, WHO, expected


@dataclass
class Asker:
    id: str
    is_admin: bool = False


AUTHOR, ADMIN = Asker("author"), Asker("admin", is_admin=True)
STANDING = Standing(
    status="draft",
    author="author",
    answers={"accepted": "accepted", "invited": "pending", "declined": "declined"},
    anybody_accepted=True,
    reviewer="reviewer",
    reviewer_there=True,
    review="pending",
)
RULES: dict[str, Callable[[Standing, Asker], RefusedError | None]] = {
    "update": may_update,
    "delete": may_delete,
    "invite": lambda it, who: may_invite(it, who, "somebody"),
    "accept": lambda it, who: may_answer(it, who, "accepted"),
    "decline": lambda it, who: may_answer(it, who, "declined"),
    "part": lambda it, who: may_part(it, who, "accepted"),
    "ask": lambda it, who: may_ask_for_review(replace(it, review="approved"), who, "somebody"),
    "review": lambda it, who: may_review(it, who, approves=True, checked=True),
    "publish": may_publish,
    "unpublish": may_unpublish,
    "remove": may_remove,
    "restore": may_restore,
}


def code(refused: RefusedError | None) -> tuple[int, str | None] | None:
    return None if refused is None else (refused.status, refused.code)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_state_and_person(action: str) -> None:
    for status in STATUSES:
        for who in WHO:
            refused = RULES[action](replace(STANDING, status=status), ADMIN if who == "admin" else Asker(who))
            wanted = expected(action, status, who)
            if wanted == 403 and not may_see(replace(STANDING, status=status), Asker(who)) and who != "admin":
                wanted = 404  # the route asks first whether it is an admin
            assert (refused.status if refused else None) == wanted, (action, status, who)


def test_what_is_not_published_is_seen_by_those_who_take_part() -> None:
    seen = {
        status: {who for who in WHO if may_see(replace(STANDING, status=status), Asker(who, is_admin=who == "admin"))}
        for status in STATUSES
    }
    part = {"author", "accepted", "invited", "reviewer", "admin"}
    assert seen == {status: set(WHO) if status == "published" else part for status in STATUSES}
    assert [may_see(replace(STANDING, status=status), None) for status in STATUSES] == [False] * 3 + [True, False]


def test_publishing_needs_somebody_else_and_a_text() -> None:
    alone = replace(STANDING, anybody_accepted=False, answers={"invited": "pending"}, review=None, reviewer=None)
    assert code(may_publish(alone, AUTHOR)) == (409, "not-seen-by-others")
    assert code(may_publish(replace(alone, review="pending"), AUTHOR)) == (409, "not-seen-by-others")
    assert code(may_publish(replace(alone, review="revision_needed"), AUTHOR)) == (409, "not-seen-by-others")
    assert may_publish(replace(alone, review="approved"), AUTHOR) is None
    assert may_publish(replace(alone, anybody_accepted=True), AUTHOR) is None
    assert code(may_publish(replace(STANDING, is_complete=False), AUTHOR)) == (409, "incomplete")


def test_nobody_invites_the_author_or_the_same_person_twice() -> None:
    assert code(may_invite(STANDING, AUTHOR, "author")) == (400, "own-article")
    assert code(may_invite(STANDING, AUTHOR, "invited")) == (409, "already-invited")
    assert code(may_invite(STANDING, AUTHOR, "accepted")) == (409, "already-invited")
    assert may_invite(STANDING, AUTHOR, "declined") is None


def test_co_authors_are_not_endless() -> None:
    many = replace(STANDING, answers={f"p{number}": "declined" for number in range(MOST_CO_AUTHORS)})
    assert code(may_invite(many, AUTHOR, "one-more")) == (409, "too-many")
    assert may_invite(many, AUTHOR, "p0") is None


def test_co_authors_go_themselves_and_take_nobody_with_them() -> None:
    assert may_part(STANDING, Asker("invited"), "invited") is None
    assert code(may_part(STANDING, Asker("accepted"), "invited")) == (403, None)
    assert code(may_part(STANDING, AUTHOR, "stranger")) == (404, None)


def test_one_review_at_a_time_by_somebody_who_does_not_write() -> None:
    assert code(may_ask_for_review(STANDING, AUTHOR, "somebody")) == (409, "review-pending")
    done = replace(STANDING, review="revision_needed")
    assert may_ask_for_review(done, AUTHOR, "invited") is None
    assert code(may_ask_for_review(done, AUTHOR, "author")) == (400, "own-article")
    assert code(may_ask_for_review(done, AUTHOR, "accepted")) == (400, "own-article")


def test_reviews_are_not_endless() -> None:
    done = replace(STANDING, review="revision_needed", reviews=MOST_REVIEWS)
    assert code(may_ask_for_review(done, AUTHOR)) == (409, "too-many")
    assert code(may_ask_for_review(done, AUTHOR, "somebody")) == (409, "too-many")
    assert may_ask_for_review(replace(done, reviews=MOST_REVIEWS - 1), AUTHOR, "somebody") is None


@pytest.mark.parametrize(
    "cannot",
    [{"reviewer_there": False}, {"reviewer": None}, {"reviewer": "author"}, {"reviewer": "accepted"}],
    ids=["gone", "nobody", "author", "co-author"],
)
def test_a_review_that_nobody_can_do_stands_in_nobodys_way(cannot: dict[str, object]) -> None:
    assert may_ask_for_review(replace(STANDING, **cannot), AUTHOR, "somebody") is None  # pyright: ignore[reportArgumentType]


def test_who_writes_does_not_review_and_who_reviews_does_not_write() -> None:
    for writer in ("author", "accepted"):
        refused = may_review(replace(STANDING, reviewer=writer), Asker(writer), approves=True, checked=True)
        assert code(refused) == (403, None)
    both = replace(STANDING, answers={"reviewer": "pending"})
    assert code(may_answer(both, Asker("reviewer"), "accepted")) == (409, "review-pending")
    assert may_answer(both, Asker("reviewer"), "declined") is None
    assert may_answer(replace(both, review="approved"), Asker("reviewer"), "accepted") is None


def test_approval_needs_the_checklist_and_a_review_is_done_once() -> None:
    reviewer = Asker("reviewer")
    assert code(may_review(STANDING, reviewer, approves=True, checked=False)) == (400, "checklist-incomplete")
    assert may_review(STANDING, reviewer, approves=False, checked=False) is None
    for outcome in ("approved", "revision_needed"):
        refused = may_review(replace(STANDING, review=outcome), reviewer, approves=False, checked=True)
        assert code(refused) == (409, "reviewed")


def test_without_an_author_nobody_publishes_and_co_authors_still_write() -> None:
    orphan = replace(STANDING, author=None)
    assert code(may_publish(orphan, Asker("accepted"))) == (403, None)
    assert may_update(orphan, Asker("accepted")) is None
