"""Articles as tests want them, put into the database past the service; and what the rules shall answer, as a table."""

from __future__ import annotations

import json
from typing import Any

from apps.panamia.models.ids import new_id
from tests.apps.panamia.service.conftest import World

HOSTILE = "Ána's \"¿qué?\" <b>{x}</b> \\ 🌴 ' ; --"
STATUSES = ("draft", "pending_review", "revision_needed", "published", "removed")
WHO = ("author", "accepted", "invited", "declined", "reviewer", "stranger", "admin")

_TABLE = """
    action    | draft           | pending_review  | revision_needed | published       | removed
    update    | author accepted | author accepted | author accepted | author accepted |
    delete    | author          | author          | author          |                 |
    invite    | author          | author          | author          | author          |
    accept    | invited         | invited         | invited         | invited         |
    decline   | invited         | invited         | invited         | invited         |
    part      | author accepted | author accepted | author accepted | author accepted |
    ask       | author accepted | author accepted | author accepted |                 |
    review    | reviewer        | reviewer        | reviewer        |                 |
    publish   | author          | author          | author          |                 |
    unpublish |                 |                 |                 | author          |
    remove    |                 |                 |                 | admin           |
    restore   |                 |                 |                 |                 | admin
"""
_ROWS = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()[1:]]
ALLOWED = {(row[0], status): set(cell.split()) for row in _ROWS for status, cell in zip(STATUSES, row[1:], strict=True)}
ACTIONS = tuple(row[0] for row in _ROWS)
_ANSWERED = {"accepted", "declined"}


def expected(action: str, status: str, who: str) -> int | None:
    """What a request is refused with; None where it is allowed."""
    if who in ALLOWED[action, status]:
        return None
    if action in {"accept", "decline"} and who in _ANSWERED:
        return 409
    if status != "published" and who in {"stranger", "declined"}:
        return 403 if action in {"remove", "restore"} else 404
    ever = set[str]().union(*(ALLOWED[action, one] for one in STATUSES))
    return 409 if who in ever else 403


def co_author(person: str | None, status: str | None = "accepted", **more: object) -> dict[str, Any]:
    """An entry of the list; None of either is left out."""
    given = {"userId": person, "status": status}
    return {key: value for key, value in given.items() if value is not None} | more


def review(person: str | None, status: str = "pending", **more: object) -> dict[str, Any]:
    """A review."""
    return {"userId": person, "status": status, **more}


def make_article(
    world: World,
    author: str | None,
    status: str = "draft",
    *,
    co_authors: object = (),
    reviewed_by: object = None,
    **columns: object,
) -> str:
    """Make an article, and return its key."""
    key = new_id()
    values: dict[str, object] = {
        "id": key,
        "slug": f"s-{key}",
        "title": HOSTILE,
        "content": "Uno dos tres.",
        "article_type": "business_update",
        "author_id": author,
        "status": status,
        "co_authors": json.dumps(list(co_authors) if isinstance(co_authors, tuple) else co_authors),
        "reviewed_by": None if reviewed_by is None else json.dumps(reviewed_by),
        **columns,
    }
    if status in {"published", "removed"}:
        values.setdefault("published_at", "2026-01-01T00:00:00Z")
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    world.rows(f"INSERT INTO articles ({names}) VALUES ({marks})", *values.values())
    return key


def column(world: World, key: str, *names: str) -> Any:
    """Columns of an article: one by itself, several as a tuple."""
    [row] = world.rows(f"SELECT {', '.join(names)} FROM articles WHERE id = %s", key)
    return row[0] if len(names) == 1 else row


def told(world: World) -> list[tuple[Any, ...]]:
    """What was told since the last time: what, to what, by whom, to whom, about what, with which words."""
    return sorted(
        world.rows(
            "WITH gone AS (DELETE FROM notifications RETURNING *)"
            " SELECT type::text, context::text, actor, target, object, message FROM gone"
        ),
        key=repr,
    )


def about(
    key: str, kind: str, context: str, actor: str, *targets: str, message: str | None = None
) -> list[tuple[Any, ...]]:
    """The same as it shall be."""
    return sorted(((kind, context, actor, one, key, message) for one in targets), key=repr)
