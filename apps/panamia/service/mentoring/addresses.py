"""The addresses in mentoring sessions: those of the two, and that of whoever declined or called it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from ...models import MentorSession
from .rules import Side

SIDES: tuple[Side, ...] = ("mentor", "mentee")
FORMER: Mapping[Side, str] = {"mentor": "former mentor", "mentee": "former mentee"}
"""What stands in the place of the address of who was deleted: no address, so nobody ever proves that it is theirs."""


def user_of(side: Side) -> InstrumentedAttribute[str | None]:
    """Return the column with the id of one of the two."""
    return MentorSession.mentor_user_id if side == "mentor" else MentorSession.mentee_user_id


def address_of(side: Side) -> InstrumentedAttribute[str]:
    """Return the column with the address of one of the two."""
    return MentorSession.mentor_email if side == "mentor" else MentorSession.mentee_email


def with_address(side: Side, address: str) -> Mapping[Any, Any]:
    """Return what an UPDATE sets so that one of the two has another address, everywhere in the session."""
    old = address_of(side)

    def same(who: InstrumentedAttribute[str | None]) -> sa.ColumnElement[str | None]:
        return sa.case((sa.func.lower(sa.func.btrim(who)) == sa.func.lower(sa.func.btrim(old)), address), else_=who)

    return {old: address, **{who: same(who) for who in (MentorSession.cancelled_by, MentorSession.declined_by)}}
