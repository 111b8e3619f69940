"""The verbs of the catalogue: each changes a document in one way and says what must come of it. Pure."""

from __future__ import annotations

from typing import Any, Literal

from bson import ObjectId

from apps.generating.outcomes import Outcome, holds, instant, json_holds, kept_aside
from apps.panamia.generator.planting import Change, Do, Document, End, Spot, found, put, take
from apps.panamia.generator.values import CANONICAL, LONG

Form = Literal["id", "hex"]
"""How a field holds an id: as it is, or as 24 hex digits."""


def refers(path: str, person: int | None = None, document: tuple[str, Any] | None = None) -> Outcome:
    """What stands at a path leads to a person's row, or to a document's.

    Args:
        path: Of the value, `[]` for an element of an array.
        person: The person's number.
        document: Collection and `_id` of the document, where it is not a person.
    """
    to = {"person": person} if document is None else {"collection": document[0], "id": str(document[1])}
    return {"kind": "refers", "path": path, "to": to}


def meant(path: str, by: str, person: int) -> Outcome:
    """Whom a name means, for those who can look it up: `by` is `email`, `screenname` or `slug`."""
    return {"kind": "meant", "path": path, "by": by, "person": person}


def nobody(path: str, old: Any) -> Outcome:
    """What stands at a path leads nowhere, and is in the ledger of orphans."""
    return {"kind": "orphan", "path": path, "old": str(old)}


def of_row(path: str, collection: str) -> Outcome:
    """The value is an id of the target: it stays where a row of the table has it, and leads nowhere otherwise."""
    table = "users" if collection == "nextauth_users" else collection
    return {"kind": "row", "path": path, "table": table, "id": CANONICAL}


def _set(path: str, value: Any, *outcomes: Outcome) -> Do:
    """A value, and what must come of it."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        put(document, path, value)
        return list(outcomes)

    return Do(path, change)


def carried(path: str, value: Any) -> Do:
    """A value that is kept as it is, wherever it goes."""
    return _set(path, value)


def becomes(path: str, value: Any, column: str, stored: Any) -> Do:
    """A value, and what the column then holds."""
    return _set(path, value, holds(column, stored))


def becomes_json(path: str, value: Any, stored: Any = None) -> Do:
    """A value that the jsonb column of the same name then holds as it is, or as `stored`, where that is given."""
    return _set(path, value, json_holds(path, value if stored is None else stored))


def long(path: str, column: str) -> Do:
    """A text longer than a batch; the truth tells its length only."""
    return _set(path, LONG, {"kind": "length", "column": column, "characters": len(LONG)})


def refused(path: str, value: Any, code: str) -> Do:
    """A value that makes its document a dead letter."""
    return Do(path, carried(path, value).change, "dead_letter", code)


def without(*paths: str, column: str | None = None, stored: Any = None) -> Do:
    """No such fields, and what a column then holds, where one is named."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        for path in paths:
            take(document, path)
        return [] if column is None else [holds(column, stored)]

    return Do(paths[0], change)


def required(path: str) -> Do:
    """No such field, though there must be one."""
    return Do(path, without(path).change, "dead_letter", "required")


def ended(path: str, value: Any, end: End, why: str) -> Do:
    """A value by which a document ends otherwise."""
    return Do(path, carried(path, value).change, end, why)


def aside(**values: Any) -> Do:
    """Fields that nobody declared."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        document.update(values)
        return [kept_aside(key, value) for key, value in values.items()]

    return Do(next(iter(values)), change)


def without_times() -> Do:
    """Neither of both instants: the time inside the id takes their place."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        for path in ("createdAt", "updatedAt"):
            document.pop(path, None)
        at = instant(document["_id"].generation_time)
        return [holds(column, at) for column in ("created_at", "updated_at")]

    return Do("createdAt", change)


def _held(path: str, document: Document, value: Any) -> None:
    """Put a reference where it stands: in a field, as the only element of an array, or in one that an object has."""
    head, mark, rest = path.partition("[]")
    if not mark:
        put(document, path, value)
    elif not rest:
        put(document, head, [value])
    else:
        elements = found(document, head) or [{}]
        document[head] = [{**elements[0], rest.removeprefix("."): value}]


def _astray(path: str, change: Change, *, fatal: bool) -> Do:
    """A reference that leads nowhere; fatal where the row must have one."""
    return Do(path, change, "dead_letter", "orphan") if fatal else Do(path, change)


def _formed(value: ObjectId, form: Form) -> ObjectId | str:
    return value if form == "id" else str(value)


def gone(path: str, form: Form, *, fatal: bool) -> Do:
    """An id that no document has."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        value = spot.gone()
        _held(path, document, _formed(value, form))
        return [nobody(path, value)]

    return _astray(path, change, fatal=fatal)


def canonical(path: str, collection: str, *, fatal: bool) -> Do:
    """An id of the target already, as a rewrite leaves it; of a row that may not be there."""

    def change(_spot: Spot, document: Document) -> list[Outcome]:
        _held(path, document, CANONICAL)
        return [of_row(path, collection)]

    return _astray(path, change, fatal=fatal)


def turned(path: str, form: Form, collection: str) -> Do:
    """An id in the other form: as text where ids are, as an id where texts are."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        value = spot.id(collection)
        _held(path, document, _formed(value, "hex" if form == "id" else "id"))
        return [_led(path, spot, collection)]

    return Do(path, change)


def twin(path: str, form: Form) -> Do:
    """The id of a user who is joined into another one."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        person, value = spot.twin()
        _held(path, document, _formed(value, form))
        return [refers(path, person)]

    return Do(path, change)


def lost(path: str, form: Form, *, fatal: bool) -> Do:
    """The id of a user whom a person left out."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        value = spot.lost()
        _held(path, document, _formed(value, form))
        return [nobody(path, value)]

    return _astray(path, change, fatal=fatal)


def named(path: str, by: Literal["email", "screenname", "slug"], *, fatal: bool) -> Do:
    """A person's e-mail, screen name or slug, where an id belongs."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        value = {"email": spot.email, "screenname": spot.screenname, "slug": spot.slug}[by]()
        _held(path, document, value)
        return [nobody(path, value), meant(path, by, spot.person())]

    return _astray(path, change, fatal=fatal)


def _led(path: str, spot: Spot, collection: str) -> Outcome:
    if collection in {"users", "nextauth_users"}:
        return refers(path, spot.person())
    return refers(path, document=(collection, spot.id(collection)))
