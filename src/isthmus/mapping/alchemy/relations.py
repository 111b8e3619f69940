"""Relations: which attributes lead from a row to other rows, and how they are called. Pure.

A foreign key gives two: from the row that holds it to the row it points at, and back. A junction gives one to each of
its sides. Tables without a class have none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.mapping.alchemy.python_names import Scope, identifier, snake
from isthmus.mapping.target import ForeignKey, Table, TargetSchema

_REFERENCE = re.compile(r"(?P<stem>.*[^_])(?:_id|_ID|(?<=[a-z0-9])I[dD])")


@dataclass(frozen=True)
class ByKey:
    """An attribute that follows a foreign key.

    Attributes:
        name: The attribute.
        target: The table it leads to.
        back: The attribute that leads back.
        key: The foreign key.
        forward: Whether the row holds the key; False for the way back.
        many: Whether it is a list.
        optional: Whether it may be None.
        part: Whether the rows with the key are part of the other: those of a child table.
        ambiguous: Whether another foreign key joins the same two tables, in either direction.
    """

    name: str
    target: str
    back: str
    key: ForeignKey
    forward: bool
    many: bool
    optional: bool
    part: bool
    ambiguous: bool

    @property
    def to_itself(self) -> bool:
        """Whether the key points at its own table."""
        return self.key.table == self.key.target_table


@dataclass(frozen=True)
class ByJunction:
    """A list that goes through a junction table.

    Attributes:
        name: The attribute.
        target: The table it leads to.
        back: The attribute that leads back.
        junction: The table between.
        near: The junction's foreign key to the row's own table.
        far: The one to the target.
    """

    name: str
    target: str
    back: str
    junction: str
    near: ForeignKey
    far: ForeignKey


Relation = ByKey | ByJunction


def relations(schema: TargetSchema, scopes: dict[str, Scope]) -> dict[str, list[Relation]]:
    """Find the attributes of all tables that have classes.

    A row a key points at is called as the column without its `_id`, or as the column with `_row`; a list as the other
    table, with `_by_` and the column or junction where it comes in several ways.

    Args:
        schema: All tables.
        scopes: By table that has a class, the names its columns have taken; the relations' are taken too.

    Returns:
        By table, in the order of the schema.
    """
    keys = [key for name in scopes for key in schema.tables[name].foreign_keys if key.target_table in scopes]
    junctions = [
        (table.name, near, far)
        for table in schema.tables.values()
        if table.kind == "junction" and all(key.target_table in scopes for key in table.foreign_keys)
        for near, far in (table.foreign_keys, table.foreign_keys[::-1])
    ]
    ways = Counter([(key.target_table, key.table) for key in keys])
    ways.update((near.target_table, far.target_table) for _, near, far in junctions)
    joined = Counter(frozenset((key.table, key.target_table)) for key in keys)
    forward = {key: scopes[key.table].take(*_forward_names(schema, key)) for key in keys}
    found: dict[str, list[Relation]] = {name: [] for name in scopes}
    back: dict[ForeignKey, str] = {}
    for key in keys:
        back[key] = _list_name(scopes, ways, key.target_table, key.table, "_".join(key.columns))
    for leads in (True, False):
        for key in keys:
            one = _by_key(schema.tables[key.table], key, forward[key], back[key], joined, forward=leads)
            found[key.table if leads else key.target_table].append(one)
    for owner, relation in _through(scopes, ways, junctions):
        found[owner].append(relation)
    return found


def _by_key(
    table: Table,
    key: ForeignKey,
    there: str,
    back: str,
    joined: Counter[frozenset[str]],
    *,
    forward: bool,
) -> ByKey:
    many = not forward and not _one_row_each(table, key)
    nullable = any(table.column(name).nullable for name in key.columns)
    return ByKey(
        name=there if forward else back,
        target=key.target_table if forward else key.table,
        back=back if forward else there,
        key=key,
        forward=forward,
        many=many,
        optional=nullable if forward else not many,
        part=_is_parent(table, key),
        ambiguous=joined[frozenset((key.table, key.target_table))] > 1,
    )


def _through(
    scopes: dict[str, Scope], ways: Counter[tuple[str, str]], junctions: list[tuple[str, ForeignKey, ForeignKey]]
) -> Iterator[tuple[str, ByJunction]]:
    names: dict[tuple[str, ForeignKey], str] = {}
    for junction, near, far in junctions:
        owner, target = near.target_table, far.target_table
        via = f"{junction}_{far.columns[0]}" if owner == target else junction
        names[junction, near] = _list_name(scopes, ways, owner, target, via)
    for junction, near, far in junctions:
        ends = names[junction, near], names[junction, far]
        yield near.target_table, ByJunction(ends[0], far.target_table, ends[1], junction, near, far)


def _list_name(scopes: dict[str, Scope], ways: Counter[tuple[str, str]], owner: str, target: str, via: str) -> str:
    name = snake(target, "rows")
    if ways[owner, target] > 1:
        name = f"{name}_by_{snake(via, 'key')}"
    return scopes[owner].take(name, f"{name}_")


def _forward_names(schema: TargetSchema, key: ForeignKey) -> tuple[str, ...]:
    if _is_parent(schema.tables[key.table], key):
        return "parent", "parent_row"
    column = identifier("_".join(key.columns), "column")
    found = _REFERENCE.fullmatch(column)
    return (found["stem"], f"{found['stem']}_row") if found is not None else (f"{column}_row",)


def _is_parent(table: Table, key: ForeignKey) -> bool:
    """Tell whether a foreign key is the one by which a child table's rows belong to their parent."""
    return table.parent == key.target_table and key.columns == table.primary_key[:-1]


def _one_row_each(table: Table, key: ForeignKey) -> bool:
    """Tell whether no two rows of a table can hold the same key."""
    unique = [index.columns for index in table.indexes if index.unique and index.where is None]
    return any(set(columns) == set(key.columns) for columns in [*unique, table.primary_key])
