"""What people send of mentoring sessions."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from ...models.enums import SessionType
from ...web.bodies import Input
from ...web.inputs import NO_NUL, ONE_LINE
from ..people import Someone

_FARTHEST = datetime.timedelta(days=2 * 366)


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("is no time as 2030-01-31T17:00:00-05:00")
    return value


def _ahead(at: datetime.datetime) -> datetime.datetime:
    now = datetime.datetime.now(datetime.UTC)
    if at <= now:
        raise ValueError("is not in the future")
    if at > now + _FARTHEST:
        raise ValueError("is more than two years away")
    return at.astimezone(datetime.UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(_ahead)]
Topic = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=200), ONE_LINE]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), NO_NUL]
Notes = Annotated[str, StringConstraints(max_length=5_000), NO_NUL]


class SessionRequest(Someone):
    """Which mentor is asked for which hour. The time is ISO 8601 with its zone, in the future; the duration minutes."""

    scheduled_at: Moment
    topic: Topic
    session_type: SessionType
    duration: Annotated[int, Field(ge=15, le=120)] = 60


class Because(Input):
    """Why it will not be; the other one is told."""

    reason: Reason


class Noted(Input):
    """What both want to remember of it."""

    notes: Notes


class Completion(Input):
    """That it took place; notes that are left out stay as they are."""

    notes: Notes | None = None
