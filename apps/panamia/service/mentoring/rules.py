"""Who may do what to a mentoring session, and when. Pure: each rule answers None, or what is refused.

A session is nobody's business but that of the two: everybody else, admins too, is told that there is none (404).

Whose it is the ids of users say. Carried sessions, from before there were ids, belong to whoever has their address and
has proven it. Of who was deleted neither is left, so that side is nobody's for good.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal, Protocol

from ...models import MentorSession
from ...models.enums import SessionStatus
from ...web.errors import RefusedError, conflict, forbidden, not_found
from ..addresses import fold

Side = Literal["mentor", "mentee"]
AGREED: frozenset[SessionStatus] = frozenset({"scheduled", "in_progress"})


class Asker(Protocol):
    """Who asks."""

    @property
    def id(self) -> str:
        """Of the user."""
        ...

    @property
    def email(self) -> str:
        """Trimmed, in lower case."""
        ...

    @property
    def email_verified(self) -> datetime.datetime | None:
        """None while it may be somebody else's."""
        ...


@dataclass(frozen=True)
class Standing:
    """A session as the rules see it.

    Attributes:
        side: What whoever asks is in it; None for nobody.
    """

    status: SessionStatus
    side: Side | None


def side_of(session: MentorSession, asker: Asker) -> Side | None:
    """Return what somebody is in a session; None for nobody. Who is both by mistake is the mentor."""
    if _is(session.mentor_user_id, session.mentor_email, asker):
        return "mentor"
    return "mentee" if _is(session.mentee_user_id, session.mentee_email, asker) else None


def may_see(it: Standing) -> RefusedError | None:
    """The two."""
    return None if it.side is not None else not_found("Session")


def may_answer(it: Standing) -> RefusedError | None:
    """The mentor, once."""
    refused = may_see(it)
    if refused is None and it.side != "mentor":
        refused = forbidden("The mentor answers")
    if refused is None and it.status != "pending":
        refused = conflict("The session is not pending", "not-pending")
    return refused


def may_cancel(it: Standing) -> RefusedError | None:
    """Either, while it is asked for or agreed on and has not begun."""
    refused = may_see(it)
    if refused is None and it.status not in {"pending", "scheduled"}:
        refused = conflict("Only pending and scheduled sessions are cancelled", "not-cancellable")
    return refused


def may_complete(it: Standing) -> RefusedError | None:
    """Either, what was agreed on."""
    refused = may_see(it)
    if refused is None and it.status not in AGREED:
        refused = conflict("Only sessions that were agreed on are completed", "not-scheduled")
    return refused


def may_note(it: Standing) -> RefusedError | None:
    """Either, from the agreement on, also afterwards."""
    refused = may_see(it)
    if refused is None and it.status not in AGREED | {"completed"}:
        refused = conflict("Only sessions that were agreed on have notes", "not-scheduled")
    return refused


def _is(user: str | None, email: str, asker: Asker) -> bool:
    if user is not None:
        return user == asker.id
    return asker.email_verified is not None and fold(email) == asker.email
