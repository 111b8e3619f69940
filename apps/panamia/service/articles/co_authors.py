"""The list of co-authors as jsonb: read, and written so that nothing of it is lost. Pure.

Carried lists hold what nobody promised: entries without an id, two of one person, words that are no answer, further
keys. What is not understood gives no right and stays as it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from .texts import moment_of

Answer = Literal["pending", "accepted", "declined"]
_RANKS: dict[str, int] = {"declined": 0, "pending": 1, "accepted": 2}
_Entry = dict[str, Any]


def entries_of(value: object) -> list[object]:
    """Return all there is; what is no list is its only element, and nothing is none."""
    if value is None:
        return []
    return list(cast("list[object]", value)) if isinstance(value, list) else [value]


def person_of(entry: object) -> str | None:
    """Return whom an entry names; None where it names nobody."""
    found = cast("_Entry", entry).get("userId") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else None


def answer_of(entry: object) -> Answer | None:
    """Return what somebody said; an entry that says nothing waits, one that says something else is none."""
    if not isinstance(entry, dict):
        return None
    said = cast("_Entry", entry).get("status")
    said = "pending" if said is None else said
    return cast("Answer", said) if isinstance(said, str) and said in _RANKS else None


def answers_of(value: object) -> Mapping[str, Answer]:
    """Return what everybody said; of two entries of one person the one that says most counts."""
    found: dict[str, Answer] = {}
    for entry in entries_of(value):
        person, answer = person_of(entry), answer_of(entry)
        if person is not None and answer is not None and _RANKS[answer] >= _RANKS[found.get(person, "declined")]:
            found[person] = answer
    return found


def anybody_accepted(value: object) -> bool:
    """Whether somebody did, also somebody who is gone: what was done stays done."""
    return any(answer_of(entry) == "accepted" for entry in entries_of(value))


def invited(value: object, person: str, message: str | None, at: datetime.datetime) -> list[object]:
    """Return the list with somebody who waits; who declined before is asked anew."""
    asked = {"status": "pending", "invitedAt": moment_of(at), "invitationMessage": message}
    changed = _changed(value, person, "declined", lambda entry: {**entry, **asked})
    if any(person_of(entry) == person and answer_of(entry) == "pending" for entry in changed):
        return changed
    return [*changed, {"userId": person, **asked}]


def answered(value: object, person: str, answer: Answer, at: datetime.datetime) -> list[object]:
    """Return the list with somebody's answer to what waited."""
    said = {"status": answer, **({"acceptedAt": moment_of(at)} if answer == "accepted" else {})}
    return _changed(value, person, "pending", lambda entry: {**entry, **said})


def without(value: object, person: str) -> list[object]:
    """Return the list without somebody."""
    return [entry for entry in entries_of(value) if person_of(entry) != person]


def _changed(value: object, person: str, answer: Answer, change: Callable[[_Entry], _Entry]) -> list[object]:
    return [
        change(cast("_Entry", entry)) if person_of(entry) == person and answer_of(entry) == answer else entry
        for entry in entries_of(value)
    ]
