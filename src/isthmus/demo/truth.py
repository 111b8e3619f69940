"""What a copy of the sample database must end with, worked out from the documents and the faults alone.

Knows nothing of isthmus: a dozen lines of set arithmetic stand against its transfer. Blind spots: the values of columns
(only rows, pairs and references are counted), and which of two causes a document with both is refused for.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from bson import ObjectId

from isthmus.demo.database import LINKS, REFERENCES, Database, Document, Link
from isthmus.demo.faults import Faults

LEFT_OUT = frozenset({"Sessions"})
"""Collections that the mapping leaves behind as a whole."""

CHILDREN = {
    "task_steps": ("Tasks", ("steps",)),
    "task_checklists": ("Tasks", ("checklists",)),
    "task_checklist_items": ("Tasks", ("checklists", "items")),
    "invoice_lines": ("Invoices", ("lines",)),
}
LEGACY = {
    "Users": ("preferences.notifications.push",),
    "Accounts": ("date_created", "billing.gps"),
    "Leads": ("date_modify", "last_activity_by"),
    "Tasks": ("account",),
}
"""Fields that the mapping does not name, by collection: they go to extras."""


def expected(database: Database, faults: Faults) -> dict[str, object]:
    """Return the books: per collection, per table, per reference, per junction; JSON values only."""
    letters = _dead_letters(database, faults)
    alive: dict[str, dict[object, Document]] = {}
    collections: dict[str, dict[str, int]] = {}
    for name, documents in database.collections.items():
        skipped = faults.skipped.get(name, set())
        gone = letters.get(name, set()) | skipped
        alive[name] = {key(one["_id"]): one for one in documents if key(one["_id"]) not in keys(gone)}
        counts = {"documents": len(documents), "skipped": len(skipped), "dead_letters": len(letters.get(name, ()))}
        if name not in LEFT_OUT:
            collections[name] = {**counts, "rows": len(alive[name])}
    return {
        "collections": collections,
        "left_out": {name: len(database.collections[name]) for name in sorted(LEFT_OUT)},
        "children": {table: _child_rows(alive[name], path) for table, (name, path) in CHILDREN.items()},
        "references": _references(alive),
        "junctions": {link.table: _pairs(alive, link) for link in LINKS},
        "extras": {name: {path: _with(alive[name], path) for path in paths} for name, paths in LEGACY.items()},
    }


def key(value: Any) -> object:
    """Return what an id is compared by: text of 24 hex digits is the ObjectId, other ids keep their BSON type."""
    if isinstance(value, str) and ObjectId.is_valid(value):
        return ObjectId(value)
    return (type(value).__name__, repr(value)) if not isinstance(value, ObjectId) else value


def keys(values: set[Any]) -> set[object]:
    """Return the `key` of every value."""
    return {key(value) for value in values}


def _dead_letters(database: Database, faults: Faults) -> dict[str, set[Any]]:
    """Return the ids that become dead letters, those included that lose a required reference to another one."""
    dead = {name: set(ids) for name, ids in faults.dead.items()}
    grown = True
    while grown:
        grown = False
        for name, path, target, required in REFERENCES:
            if not required:
                continue
            gone = keys(dead.get(target, set()) | faults.skipped.get(target, set()))
            there = {key(one["_id"]) for one in database.collections[target]} - gone
            for one in database.collections[name]:
                known = one["_id"] in dead.get(name, set()) or one["_id"] in faults.skipped.get(name, set())
                if not known and key(one[path]) not in there:
                    dead.setdefault(name, set()).add(one["_id"])
                    grown = True
    return dead


def _child_rows(documents: dict[object, Document], path: tuple[str, ...]) -> int:
    rows = list(documents.values())
    for name in path:
        rows = [inner for one in rows for inner in one.get(name, ())]
    return len(rows)


def _references(alive: dict[str, dict[object, Document]]) -> dict[str, dict[str, int]]:
    """Count, for every reference field, its values, those that resolve and those that become null."""
    found: dict[str, dict[str, int]] = {}
    for name, path, target, _ in REFERENCES:
        values = [one[path] for one in alive[name].values() if one.get(path) is not None]
        ids = [key(getattr(value, "id", value)) for value in values]
        resolved = sum(one in alive[target] for one in ids)
        found[f"{name}.{path}"] = {"values": len(ids), "resolved": resolved, "orphans": len(ids) - resolved}
    return found


def _pairs(alive: dict[str, dict[object, Document]], link: Link) -> dict[str, int]:
    """Count a junction: pairs in the end, pairs that only one side knew, and pairs with an end that is not there."""
    from_left = {
        (one, key(to)) for one, row in alive[link.left].items() for to in row[link.left_path] if to is not None
    }
    from_right = {
        (key(to), one) for one, row in alive[link.right].items() for to in row[link.right_path] if to is not None
    }
    every = from_left | from_right
    good = {pair for pair in every if pair[0] in alive[link.left] and pair[1] in alive[link.right]}
    sides = Counter("both" if pair in from_left and pair in from_right else "one" for pair in good)
    return {"pairs": len(good), "one_sided": sides["one"], "dropped": len(every) - len(good)}


def _with(documents: dict[object, Document], path: str) -> int:
    """Count the documents that have a field, null included."""
    *parents, last = path.split(".")
    found = 0
    for one in documents.values():
        inner: dict[str, Any] = one
        for name in parents:
            inner = inner.get(name, {})
        found += last in inner
    return found
