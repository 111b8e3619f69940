"""Two at the same moment over one session: one wins, the other is told, and one notification says what happened."""

from __future__ import annotations

import asyncio

import pytest

from tests.apps.panamia.service.articles_made import about, told
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.sessions_made import column, make_session

pytestmark = pytest.mark.anyio
URL = "/api/mentoring/sessions"
TIMES = 4
REASON = {"reason": "r"}


async def test_of_two_answers_one_counts(world: World) -> None:
    mentor, first = world.signed_in("mentor@example.org")
    mentee = world.make_user("mentee@example.org")
    second = world.client(world.make_session(mentor))
    for _ in range(TIMES):
        key = make_session(world, mentor, mentee)
        accepted, declined = await asyncio.gather(
            first.post(f"{URL}/{key}/accept"), second.post(f"{URL}/{key}/decline", json=REASON)
        )
        assert sorted([accepted.status_code, declined.status_code]) == [200, 409]
        if accepted.status_code == 200:
            assert column(world, key, "status", "declined_at", "decline_reason") == ("scheduled", None, None)
            assert told(world) == about(key, "Accept", "mentoring", mentor, mentee)
        else:
            assert column(world, key, "status", "decline_reason") == ("declined", "r")
            assert told(world) == about(key, "Reject", "mentoring", mentor, mentee, message="r")


async def test_declining_and_cancelling_at_the_same_moment_agree(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    mentee, mentees = world.signed_in("mentee@example.org")
    for _ in range(TIMES):
        key = make_session(world, mentor, mentee)
        declined, cancelled = await asyncio.gather(
            mentors.post(f"{URL}/{key}/decline", json=REASON), mentees.post(f"{URL}/{key}/cancel", json=REASON)
        )
        assert sorted([declined.status_code, cancelled.status_code]) == [200, 409]
        won = "declined" if declined.status_code == 200 else "cancelled"
        assert column(world, key, "status", f"{won}_at IS NOT NULL", "num_nonnulls(declined_at, cancelled_at)") == (
            won,
            True,
            1,
        )
        assert len(told(world)) == 1


async def test_the_same_thing_sent_three_times_happens_once(world: World) -> None:
    mentor, mentors = world.signed_in("mentor@example.org")
    mentee = world.make_user("mentee@example.org")
    browsers = [mentors, *(world.client(world.make_session(mentor)) for _ in range(2))]
    for path, status, notices in (("accept", "pending", 1), ("cancel", "scheduled", 1), ("complete", "scheduled", 0)):
        key = make_session(world, mentor, mentee, status)
        body = REASON if path == "cancel" else {}
        answers = await asyncio.gather(*(one.post(f"{URL}/{key}/{path}", json=body) for one in browsers))
        assert sorted(one.status_code for one in answers) == [200, 409, 409]
        assert len(told(world)) == notices
