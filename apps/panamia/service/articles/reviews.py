"""The review of an article as jsonb: read, and written so that nothing of it is lost. Pure.

A new request moves the review before it into `earlier`, whole. Carried reviews may name nobody, lack keys and have
further ones.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from ...models.ids import new_id
from .texts import moment_of

Outcome = Literal["pending", "approved", "revision_needed"]
ITEMS = ("factsVerified", "sourcesChecked", "communityStandards")
"""What whoever approves says of the article."""
_OUTCOMES = ("pending", "approved", "revision_needed")
_Object = dict[str, Any]


@dataclass(frozen=True)
class Remark:
    """What a reviewer says of a place in the text."""

    text: str
    place: str | None


def _object(value: object) -> _Object:
    return cast("_Object", value) if isinstance(value, dict) else {}


def reviewer_of(value: object) -> str | None:
    """Return who was asked; None where nobody was, or nobody is named."""
    found = _object(value).get("userId")
    return found if isinstance(found, str) else None


def outcome_of(value: object) -> Outcome | None:
    """Return how it stands; None where there is none. A review that does not say waits."""
    if not _object(value):
        return None
    said = _object(value).get("status")
    said = "pending" if said is None else said
    return said if said in _OUTCOMES else None


def comments_of(value: object) -> list[_Object]:
    """Return what the reviewer said of places in the text."""
    return [_object(one) for one in _list(_object(value).get("comments")) if _object(one)]


def earlier_of(value: object) -> list[object]:
    """Return the reviews before it, the oldest first."""
    return _list(_object(value).get("earlier"))


def requested(value: object, person: str, message: str | None, at: datetime.datetime) -> _Object:
    """Return a review that waits for somebody."""
    earlier = earlier_of(value)
    if value is not None:
        before = {key: one for key, one in _object(value).items() if key != "earlier"} if _object(value) else value
        earlier = [*earlier, before]
    asked: _Object = {
        "userId": person,
        "requestedAt": moment_of(at),
        "invitationMessage": message,
        "status": "pending",
        "checklist": dict.fromkeys(ITEMS, False),
        "comments": [],
        "approvedAt": None,
    }
    return {**asked, **({"earlier": earlier} if earlier else {})}


def done(
    value: object, checklist: Mapping[str, bool], remarks: Iterable[Remark], at: datetime.datetime, *, approved: bool
) -> _Object:
    """Return a review with what the reviewer found."""
    comments = [
        {
            "id": new_id(),
            "text": remark.text,
            "contentRef": remark.place,
            "resolved": False,
            "resolvedAt": None,
            "createdAt": moment_of(at),
        }
        for remark in remarks
    ]
    old = _object(value)
    return {
        **old,
        "status": "approved" if approved else "revision_needed",
        "checklist": {**_object(old.get("checklist")), **checklist},
        "comments": [*_list(old.get("comments")), *comments],
        "approvedAt": moment_of(at) if approved else None,
    }


def _list(value: object) -> list[object]:
    return list(cast("list[object]", value)) if isinstance(value, list) else []
