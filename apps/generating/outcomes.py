"""What must become of something that was planted, as plain JSON: the words a test reads. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from bson import ObjectId, json_util

Outcome = dict[str, Any]


def extended(value: Any) -> Any:
    """A BSON value as canonical Extended JSON."""
    return json.loads(json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS))


def instant(at: datetime) -> str:
    """An instant of UTC in ISO form, as outcomes tell it."""
    return at.replace(tzinfo=None).isoformat()


def holds(column: str, value: Any) -> Outcome:
    """The row has the value in a column: text, number, boolean, None, a list, or a text in ISO form for an instant."""
    return {"kind": "value", "column": column, "value": value}


def json_holds(column: str, value: Any) -> Outcome:
    """The row's jsonb column is this JSON."""
    return {"kind": "json", "column": column, "value": value}


def points(column: str, collection: str, label: str) -> Outcome:
    """The column has the id of the row with that label."""
    return {"kind": "reference", "column": column, "collection": collection, "label": label}


def lists(column: str, collection: str, labels: list[str]) -> Outcome:
    """The array column has the ids of the rows with these labels, in order."""
    return {"kind": "references", "column": column, "collection": collection, "labels": labels}


def orphan(column: str, old: ObjectId | str, action: str = "null", table: str | None = None) -> Outcome:
    """The reference is in the ledger of orphans; with `null` the column is NULL.

    Args:
        column: Where it stands.
        old: What the document held.
        action: `null`, `drop` or `dead_letter`.
        table: The junction, where it is not the document's own table.
    """
    return {"kind": "orphan", "table": table, "column": column, "old": str(old), "action": action}


def letter(code: str) -> Outcome:
    """The document is a dead letter for this reason, whole, and no row of it is there."""
    return {"kind": "letter", "code": code}


def kept_aside(key: str, value: Any) -> Outcome:
    """The value stands under its key in extras."""
    return {"kind": "extras", "key": key, "value": extended(value)}


def joined(label: str) -> Outcome:
    """The document has no row of its own; it was joined into the row with this label."""
    return {"kind": "merged", "label": label}
