"""What stands in the rows of a switch that is under way, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from isthmus.polyglot.switch.carrier import Home
from isthmus.polyglot.switch.place import Place, Table


@dataclass(frozen=True)
class Move:
    """A switch that is under way.

    Attributes:
        id: Its number.
        goal: Where the collection goes.
        step: How far it is.
        announced: Whether new writers are turned away.
        place: What it was begun with.
    """

    id: int
    goal: Home
    step: str
    announced: bool
    place: Place


@dataclass(frozen=True)
class Kept:
    """What a fence stands in the place of.

    Attributes:
        before: {validator, validationLevel, validationAction} as BSON.
        database: The database of MongoDB; None: not known.
        uuid: Of the collection; None: not known.
    """

    before: bytes
    database: str | None
    uuid: UUID | None


def place_of(carrier: str, oid: int | None, name: str | None, database: str | None, uuid: UUID | None) -> Place:
    """Return the place that columns name."""
    return Place(carrier, Table(int(oid), str(name)) if oid is not None else None, database, uuid)


def columns_of(place: Place) -> dict[str, Any]:
    """Return a place as parameters of statements."""
    oid, name = (place.table.oid, place.table.name) if place.table is not None else (None, None)
    return {"table": oid, "table_name": name, "database": place.database, "uuid": place.uuid}
