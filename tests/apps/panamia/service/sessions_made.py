"""Mentoring sessions as tests want them, put into the database past the service; and what the rules shall answer."""

from __future__ import annotations

from typing import Any

from apps.panamia.models.ids import new_id
from tests.apps.panamia.service.conftest import World

STATUSES = ("pending", "scheduled", "in_progress", "completed", "cancelled", "declined")
ACTIONS = ("accept", "decline", "cancel", "complete", "note")
TOPIC = "Cómo \"empezar\" <b>'{x}'</b> 🌴"

_TABLE = """
    action   | pending       | scheduled     | in_progress   | completed     | cancelled | declined
    accept   | mentor        |               |               |               |           |
    decline  | mentor        |               |               |               |           |
    cancel   | mentor mentee | mentor mentee |               |               |           |
    complete |               | mentor mentee | mentor mentee |               |           |
    note     |               | mentor mentee | mentor mentee | mentor mentee |           |
"""
_ROWS = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()[1:]]
ALLOWED = {(row[0], status): set(cell.split()) for row in _ROWS for status, cell in zip(STATUSES, row[1:], strict=True)}


def expected(action: str, status: str, who: str) -> int | None:
    """What a request is refused with; None where it is allowed."""
    if who not in {"mentor", "mentee"}:
        return 404
    if who in ALLOWED[action, status]:
        return None
    return 403 if who == "mentee" and action in {"accept", "decline"} else 409


def make_session(
    world: World, mentor: str | None, mentee: str | None, status: str = "pending", **columns: object
) -> str:
    """Make a session, and return its key."""
    key = new_id()
    values: dict[str, object] = {
        "id": key,
        "mentor_email": "mentor@example.org",
        "mentee_email": "mentee@example.org",
        "mentor_user_id": mentor,
        "mentee_user_id": mentee,
        "session_id": key[:16],
        "scheduled_at": "2030-01-01T00:00:00Z",
        "topic": TOPIC,
        "status": status,
        **columns,
    }
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    world.rows(f"INSERT INTO mentor_sessions ({names}) VALUES ({marks})", *values.values())
    return key


def column(world: World, key: str, *names: str) -> Any:
    """Columns of a session: one by itself, several as a tuple."""
    [row] = world.rows(f"SELECT {', '.join(names)} FROM mentor_sessions WHERE id = %s", key)
    return row[0] if len(names) == 1 else row
