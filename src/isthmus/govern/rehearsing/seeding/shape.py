"""What a row of a table must be, as far as the catalog says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from isthmus.govern.catalog.model import Key
from isthmus.state.statements import statements


@dataclass(frozen=True)
class Column:
    """A column that a row needs a value for; generated ones are left out.

    Attributes:
        name: Its name.
        type: Its type, or what its domain is made of, without length: `character varying`.
        form: `b` base, `e` enum, `c` composite, `r` range, `m` multirange, as the catalog has it.
        modifier: Its length or precision, as the catalog has it; -1 where none.
        values: Labels of its enum, or of the enum that its array is of.
        element: Type of an array's elements; None where it is none.
        subtype: Type of a range's ends; None where it is none.
        attributes: Types of a composite's attributes.
        domain: Name of its domain; None where it is of none.
        checks: Definitions of the domain's CHECK constraints.
        nullable: Whether it may be null.
        numbered: Whether a sequence numbers it.
        always: Whether a value may be given only by overriding.
        default: Whether it has a default.
    """

    name: str
    type: str
    form: str
    category: str
    modifier: int
    values: tuple[str, ...]
    element: str | None
    subtype: str | None
    attributes: tuple[str, ...]
    domain: str | None
    checks: tuple[str, ...]
    nullable: bool
    numbered: bool
    always: bool
    default: bool


@dataclass(frozen=True)
class Reference:
    """A foreign key: columns, the table they point at, the columns there."""

    columns: tuple[str, ...]
    table: Key
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """A plain table.

    Attributes:
        key: Of the table.
        columns: Name → column, in their order.
        references: Its foreign keys.
        checks: Name of a CHECK constraint → its definition and the columns that it names.
        unique: Columns of keys, unique indexes and exclusions.
        bound: Where it is a partition: its bounds as the server prints them.
        partitioned_by: Columns that choose the partition.
    """

    key: Key
    columns: Mapping[str, Column]
    references: tuple[Reference, ...]
    checks: Mapping[str, tuple[str, tuple[str, ...]]]
    unique: frozenset[str]
    bound: str | None
    partitioned_by: tuple[str, ...]

    @property
    def points_at(self) -> frozenset[Key]:
        """Tables that its foreign keys point at."""
        return frozenset(one.table for one in self.references)


def read_shapes(connection: psycopg.Connection) -> list[Shape]:
    """Return the shape of every plain table of a database, partitions among them."""
    query = statements("shapes", "isthmus.govern.rehearsing.seeding")["shapes"]
    return [_shape(*row) for row in connection.execute(query)]


def _shape(
    schema: str,
    name: str,
    bound: str | None,
    columns: list[dict[str, Any]] | None,
    constraints: list[dict[str, Any]] | None,
    unique: list[str] | None,
    partitioned_by: list[str] | None,
) -> Shape:
    stated = constraints or []
    return Shape(
        Key("table", schema, name),
        {one["name"]: _column(one) for one in columns or []},
        tuple(
            Reference(tuple(one["columns"]), Key("table", one["schema"], one["table"]), tuple(one["keys"]))
            for one in stated
            if one["kind"] == "f"
        ),
        {one["name"]: (one["definition"], tuple(one["columns"] or ())) for one in stated if one["kind"] == "c"},
        frozenset(unique or ())
        | {name for one in stated if one["kind"] in {"p", "u", "x"} for name in one["columns"] or ()},
        bound,
        tuple(partitioned_by or ()),
    )


def _column(found: dict[str, Any]) -> Column:
    lists: dict[str, Any] = {name: tuple(found[name] or ()) for name in ("values", "attributes", "checks")}
    return Column(**(found | lists))
