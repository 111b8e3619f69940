"""The rules of mentoring by themselves: every action in every state by everybody, and whose a session is.

Oracle: the table of `sessions_made`, from the facts. Cannot see: whether requests are judged by them; the same table
through HTTP does.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

import pytest

from apps.panamia.models import MentorSession
from apps.panamia.models.enums import SessionStatus
from apps.panamia.service.mentoring.rules import (
    Side,
    Standing,
    may_answer,
    may_cancel,
    may_complete,
    may_note,
    may_see,
    side_of,
)
from apps.panamia.web.errors import RefusedError
from tests.apps.panamia.service.sessions_made import ACTIONS, STATUSES, expected

RULES: dict[str, Callable[[Standing], RefusedError | None]] = {
    "accept": may_answer,
    "decline": may_answer,
    "cancel": may_cancel,
    "complete": may_complete,
    "note": may_note,
}


@dataclass
class Asker:
    id: str
    email: str
    email_verified: datetime.datetime | None = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))


@pytest.mark.parametrize("action", ACTIONS)
def test_each_state_and_person(action: str) -> None:
    assert get_args(SessionStatus) == STATUSES
    for status in get_args(SessionStatus):
        for side in (*get_args(Side), None):
            refused = RULES[action](Standing(status, side))
            assert (refused.status if refused else None) == expected(action, status, str(side)), (status, side)


def test_only_the_two_see_a_session() -> None:
    for status in get_args(SessionStatus):
        assert may_see(Standing(status, "mentor")) is may_see(Standing(status, "mentee")) is None
        refused = may_see(Standing(status, None))
        assert refused is not None
        assert refused.status == 404


ANA, BEA = "ana@example.org", "bea@example.org"


@pytest.mark.parametrize(
    ("mentor", "mentee", "asker", "side"),
    [
        (("a", ANA), ("b", BEA), Asker("a", "new@example.org"), "mentor"),
        (("a", ANA), ("b", BEA), Asker("b", "new@example.org"), "mentee"),
        (("a", ANA), ("b", BEA), Asker("x", ANA), None),
        ((None, ANA), (None, BEA), Asker("x", ANA), "mentor"),
        ((None, " Ana@Example.org "), (None, BEA), Asker("x", ANA), "mentor"),
        ((None, ANA), (None, BEA), Asker("x", BEA), "mentee"),
        ((None, ANA), ("b", BEA), Asker("x", BEA), None),
        ((None, ANA), (None, BEA), Asker("x", ANA, None), None),
        ((None, ANA), (None, ANA), Asker("x", ANA), "mentor"),
        ((None, ""), (None, ""), Asker("x", ANA), None),
    ],
)
def test_whose_a_session_is(
    mentor: tuple[str | None, str], mentee: tuple[str | None, str], asker: Asker, side: Side | None
) -> None:
    session = MentorSession(
        mentor_user_id=mentor[0], mentor_email=mentor[1], mentee_user_id=mentee[0], mentee_email=mentee[1]
    )
    assert side_of(session, asker) == side
