"""How the tables of a mapping fit tables that are there: what stands against it, and which column goes where. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field

from isthmus.errors import MappingError, Problem, Where
from isthmus.mapping import Mapping
from isthmus.mapping.model import Flow
from isthmus.mapping.names import quote_identifier
from isthmus.mapping.placing import place_tables
from isthmus.mapping.tables import Column, Table, TargetSchema
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.catalog import ThereColumn, ThereKey, ThereTable, ThereUnique
from isthmus.transfer.existing.relations import (
    fit_pointers,
    fit_relation,
    note,
    refuse,
)
from isthmus.transfer.existing.types import Differs, fit_type

_LIKENESS = 0.8
"""Share of letters from which on a name may be meant by another one: a wrong guess would fill a stranger's table."""


@dataclass(frozen=True)
class FedColumn:
    """A column that rows are delivered to.

    Attributes:
        column: The mapping's.
        there: The one that is there.
        check: SQL that is true of values that fit, over the column's quoted name; None when all do.
    """

    column: Column
    there: ThereColumn
    check: str | None

    @property
    def name(self) -> str:
        """Its name, the same on both sides."""
        return self.column.name


@dataclass(frozen=True)
class FedTable:
    """A table that rows are delivered to.

    Attributes:
        table: The mapping's.
        there: The one that is there.
        columns: Those that get a value, in the order of the mapping.
        extras: The mapping's column of unnamed fields, when the table has none of that name: they go to
            `isthmus.extras`. None when it has one, or the mapping has none.
    """

    table: Table
    there: ThereTable
    columns: tuple[FedColumn, ...]
    extras: str | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.table.name

    @property
    def is_idless(self) -> bool:
        """Whether its rows keep no id of their document; they are known by `row_key` then, or by nothing."""
        return any(column.role == "id" and column.hidden for column in self.table.columns)

    @property
    def row_key(self) -> tuple[str, ...]:
        """Columns by which a row of a root table is known; empty for none."""
        return self.table.primary_key if self.is_idless else (key_column(self.table),)

    def fed(self, name: str) -> FedColumn | None:
        """Return the column of a name; None when it gets no values."""
        return next((column for column in self.columns if column.name == name), None)

    def stage_uniques(self) -> list[ThereUnique]:
        """Return the unique keys that duplicates are looked for with before anything is delivered.

        Of the others (over columns the mapping does not fill, also in a predicate, or with equal NULLs) the server has
        the word then.
        """
        own = {tuple(sorted(index.columns)) for index in self.table.indexes if index.unique and index.where is None}
        own.add(tuple(sorted(self.table.primary_key)))
        return [
            unique
            for unique in self.there.uniques
            if self.knows_values(unique)
            and (unique.where is not None or tuple(sorted(unique.keys)) not in own or self._folds(unique))
        ]

    def knows_values(self, unique: ThereUnique) -> bool:
        """Tell whether what the mapping fills says alone which values a unique key holds, and which of them collide."""
        plain = unique.nulls_distinct and not unique.expressions
        return plain and all(self.fed(name) is not None for name in unique.reads)

    def _folds(self, unique: ThereUnique) -> bool:
        return any(self.there.columns[key].folds for key in unique.keys)


@dataclass(frozen=True)
class Existing:
    """Everything a mapping fills that was there before.

    Attributes:
        schema: Its schema.
        tables: By name, in the order of the mapping.
    """

    schema: str
    tables: dict[str, FedTable] = field(default_factory=dict[str, FedTable])

    def shape(self) -> list[str]:
        """Return lines that say what a copy depends on; see `ThereTable.shape`."""
        return [line for table in self.tables.values() for line in table.there.shape()]


def fit_tables(
    schema: TargetSchema, there: dict[str, ThereTable], others: MappingABC[str, ThereTable] | None = None
) -> tuple[Existing, list[Finding]]:
    """Hold the tables of a mapping against those that are there.

    Args:
        schema: What the mapping wants.
        there: What the catalog says, by name.
        others: The tables of the schema that the mapping does not fill, for what may be meant by one that is not there.

    Returns:
        What fits (of no use when a finding is serious), and what stands against it, table by table.
    """
    existing, findings = Existing(schema.schema), list[Finding]()
    meant = {table.name: _meant(table, others or {}) for table in schema.tables.values() if table.name not in there}
    if len(meant) > 1 and len(meant) == len(schema.tables) and not any(meant.values()):
        return existing, [_none_there(schema)]
    for table in schema.tables.values():
        found = there.get(table.name)
        if found is None:
            findings.append(
                refuse(
                    "table-missing",
                    table.name,
                    f"The target has no table {schema.schema}.{table.name}.",
                    meant[table.name] or _instead(table),
                )
            )
            continue
        fed, own = _fit_table(schema, table, found)
        existing.tables[table.name] = fed
        findings += own
        findings += fit_relation(found)
        findings += fit_pointers(table, found, set(schema.tables))
    findings += _orders(existing)
    return existing, findings


def find_lacking(mapping: Mapping, existing: Existing, collections: Collection[str]) -> list[Finding]:
    """Return remarks about columns that must have a value and whose field a document may lack, as the mapping has it.

    Args:
        mapping: The mapping.
        existing: The tables that are there.
        collections: The source collections that are carried.
    """
    found: dict[str, Finding] = {}
    for flow in [flow for flow in mapping.flows if flow.collection in collections]:
        for table in place_tables(mapping, flow):
            fed = existing.tables.get(table.name)
            for placed in table.columns if fed is not None else ():
                there = fed.fed(placed.column.name) if fed is not None else None
                if fed is None or there is None or placed.rule is None or not there.there.not_null:
                    continue
                routed = placed.column.reference is not None and placed.column.reference.routed
                filled = placed.rule.default_for if placed.rule.default is not None else ()
                if placed.column.nullable and not routed and "null" not in filled:
                    place = f"{fed.name}.{there.name}"
                    found.setdefault(place, _may_lack(flow, placed.column, fed, filled_in="missing" in filled))
    return list(found.values())


def _none_there(schema: TargetSchema) -> Finding:
    return refuse(
        "table-missing",
        schema.schema,
        f"None of the mapping's {len(schema.tables)} tables is there, in the schema {schema.schema}.",
        "Is this the right database? Have its migrations been applied (`isthmus schema deploy`, or the application's"
        " own)?",
    )


def _meant(table: Table, others: MappingABC[str, ThereTable]) -> str:
    """Return a hint that names the table which may be meant by one that is not there; empty for none."""
    near = _near(table.name, [name for name, there in others.items() if _may_be(table, there)])
    if near is None:
        return ""
    say = f"say `table: {near}`" if table.kind == "root" else "correct its name in the mapping"
    return f"Did you mean {quote_identifier(near)}? Then {say}."


def _may_be(table: Table, there: ThereTable) -> bool:
    """Tell whether a table has what the mapping must fill, and asks for nothing that it does not fill; by names."""
    wanted = {_bare(column.name): column for column in table.columns if not column.hidden and column.role != "extras"}
    have = {_bare(name): column for name, column in there.columns.items()}
    must = {name for name, column in have.items() if column.not_null and not column.filled and not column.generated}
    return must <= set(wanted) and {name for name, column in wanted.items() if not column.nullable} <= set(have)


def _instead(table: Table) -> str:
    """Return a hint for a table that is not there and has no namesake."""
    if table.kind == "root":
        return (
            "Let its migrations make it, correct `table` in the mapping, use `tables: create`, or leave its documents"
            ' behind: `skip: "why"`.'
        )
    return "Let its migrations make it, correct its name in the mapping, or take out the fields that fill it."


def _near(name: str, names: Collection[str]) -> str | None:
    """Return the name that is nearest by case, underscores or spelling; None for none."""
    import difflib

    bare = {_bare(one): one for one in sorted(names, reverse=True)}
    close = difflib.get_close_matches(_bare(name), list(bare), 1, _LIKENESS)
    return bare[close[0]] if close else None


def _bare(name: str) -> str:
    return name.replace("_", "").casefold()


def _may_lack(flow: Flow, column: Column, fed: FedTable, *, filled_in: bool) -> Finding:
    field = ".".join(column.path or (column.name,))
    lacks = "with null there" if filled_in else "without it, or with null there,"
    there = fed.there.columns[column.name]
    leave = " Or leave it out of the mapping: then the column gets its own DEFAULT." if there.filled else ""
    give = (
        "add `default_for: [missing, null]`"
        if filled_in
        else "give the field a `default` (`default_for: [missing, null]` fills nulls, too)"
    )
    return Finding(
        Problem(
            "not-null-column",
            "The column takes no NULL, and the mapping does not say that the field must be there."
            f" Each document {lacks} becomes a dead letter (`required`).",
            Where(collection=flow.collection, path=field, table=f"{fed.name}.{column.name}"),
            f"Nothing, if all have a value. Else {give}, or let the column take NULL.{leave}",
        ),
        None,
    )


def _fit_table(schema: TargetSchema, table: Table, there: ThereTable) -> tuple[FedTable, list[Finding]]:
    findings: list[Finding] = []
    fed: list[FedColumn] = []
    extras: str | None = None
    unfolded = _unfolded(table, there)
    for column in table.columns:
        if column.hidden:
            continue
        found = there.columns.get(column.name)
        if column.role == "extras" and (found is None or found.base not in {"jsonb", "json"} or found.generated):
            extras = column.name
            continue
        if found is None:
            findings.append(_missing_column(table, column, there, unfolded))
            continue
        fit = _fit_column(schema, table, column, there, found)
        if isinstance(fit, Finding):
            findings.append(fit)
        else:
            fed.append(fit)
    names = {column.name for column in fed} | {column.name for column in table.columns}
    for found in there.columns.values():
        if found.name not in names and found.not_null and not found.filled and not found.generated:
            findings.append(
                refuse(
                    "column-not-fed",
                    f"{table.name}.{found.name}",
                    f"{there.label}.{found.name} must have a value; the mapping gives it none, and the table has no"
                    " default for it.",
                    "Map a field to it, or give the column a DEFAULT.",
                )
            )
    result = FedTable(table, there, tuple(fed), extras)
    if there.kind == "r":
        findings += _row_key(result)
    if result.is_idless and not result.row_key and extras is not None:
        findings.append(
            refuse(
                "extras-need-key",
                table.name,
                f"Rows of {there.label} have neither id nor key, so fields that nobody named cannot be kept beside it.",
                f"Give the table a jsonb column {extras}, or say `extras: dead_letter`.",
                MappingError,
            )
        )
    return result, findings


def _unfolded(table: Table, there: ThereTable) -> dict[str, str]:
    """Return the columns that are there under their field's own name (createdAt), and not as the mapping folds it."""
    return {
        column.name: column.path[-1]
        for column in table.columns
        if column.path and column.name not in there.columns and column.path[-1] in there.columns
    }


def _missing_column(table: Table, column: Column, there: ThereTable, unfolded: dict[str, str]) -> Finding:
    near = _near(column.name, set(there.columns) - {one.name for one in table.columns})
    hint = "Let its migrations add it, or drop the field."
    if near is not None:
        hint = f"Did you mean {quote_identifier(near)}? Say so with `column: {near}`."
    if column.name in unfolded and len(unfolded) > 1:
        hint = (
            f"Did you mean {quote_identifier(unfolded[column.name])}? {len(unfolded)} columns of this table are there"
            " under their field's own name: say `naming: keep` at the top of the mapping."
        )
    if column.role in {"position", "ancestor_position", "root_id"}:
        hint = "Rows of a child table are known by their document's id and their place in the array; add the column."
    return refuse("column-missing", f"{table.name}.{column.name}", f"{there.label} has no column {column.name}.", hint)


def _fit_column(
    schema: TargetSchema, table: Table, column: Column, there: ThereTable, found: ThereColumn
) -> FedColumn | Finding:
    place, label = f"{table.name}.{column.name}", f"{there.label}.{column.name}"
    if found.generated:
        return refuse(
            "column-generated",
            place,
            f"{label} is computed by the table and takes no values.",
            "Take the field out of the mapping, or drop it by name (`drop`).",
            MappingError,
        )
    labels = schema.enums.get(column.type.enum or "", [])
    fit = fit_type(column.name, column.type, found, labels, schema.schema)
    if isinstance(fit, Differs):
        if fit.missing:
            named = ", ".join(fit.missing)
            return refuse(
                "enum-labels", place, f"The type {found.enum} of {label} has not the labels {named}.", fit.hint
            )
        why = f": {fit.reason}" if fit.reason else ""
        return refuse(
            "column-type",
            place,
            f"{label} is {found.type}, the mapping says {column.type}{why}.",
            fit.hint,
            MappingError,
        )
    reference = column.reference
    if found.not_null and reference is not None and reference.routed:
        owned = f"{quote_identifier(there.schema)}.{quote_identifier(there.name)}"
        return refuse(
            "not-null-route",
            place,
            f"{label} takes no NULL, and an id that goes to another column of its route leaves it NULL.",
            f"Run as its owner: ALTER TABLE {owned} ALTER COLUMN {quote_identifier(found.name)} DROP NOT NULL",
        )
    if found.not_null and column.nullable and reference is not None and reference.on_orphan == "null":
        return refuse(
            "not-null-reference",
            place,
            f"{label} takes no NULL, and the mapping sets it to NULL where the reference leads nowhere.",
            "Say `required: true`, or `on_orphan: dead_letter`.",
            MappingError,
        )
    return FedColumn(column, found, fit.check)


def _row_key(fed: FedTable) -> Iterator[Finding]:
    """Yield a finding unless a unique key of the table tells its rows apart as the mapping does."""
    key = fed.row_key if fed.table.kind == "root" else fed.table.primary_key
    if not key or any(fed.fed(name) is None for name in key):
        return  # said already
    for unique in fed.there.uniques:
        whole = unique.where is None and not unique.expressions and not unique.deferrable
        if whole and set(unique.keys) <= set(key):
            return
    columns = ", ".join(key)
    yield refuse(
        "no-row-key",
        fed.name,
        f"{fed.there.label} has no primary key or unique constraint over {columns}, by which its rows are known.",
        f"Let its migrations add one: UNIQUE ({columns}).",
    )


def delivery_order(existing: Existing) -> list[FedTable]:
    """Return the tables, each behind those it points at as far as they do not point in a circle."""
    order: list[FedTable] = []
    on_the_way: set[str] = set()

    def visit(name: str) -> None:
        if name in on_the_way:
            return
        on_the_way.add(name)
        fed = existing.tables[name]
        if fed.table.parent is not None and fed.table.parent in existing.tables:
            visit(fed.table.parent)
        for key in fed.there.keys:
            schema, target = key.target
            if schema == existing.schema and target in existing.tables:
                visit(target)
        order.append(fed)

    for name in existing.tables:
        visit(name)
    return order


def backward_keys(existing: Existing) -> Iterator[tuple[FedTable, ThereKey]]:
    """Yield the foreign keys that a delivery in that order cannot please row by row: those that close a circle."""
    order = [fed.name for fed in delivery_order(existing)]
    for fed in existing.tables.values():
        for key in fed.there.keys:
            schema, target = key.target
            if schema == existing.schema and target in order and order.index(target) >= order.index(fed.name):
                yield fed, key


def _orders(existing: Existing) -> Iterator[Finding]:
    """Yield findings about foreign keys of the tables that are there."""
    for fed, key in backward_keys(existing):
        if not key.deferrable and not fed.there.owned and key.target[1] != fed.name:
            yield refuse(
                "keys-in-a-circle",
                f"{fed.name}.{', '.join(key.columns)}",
                f"{fed.there.label} and {'.'.join(key.target)} point at each other, so that no order of rows pleases"
                f" the constraint {key.name}; this role does not own the table and may not let it wait.",
                f'Run as its owner ({fed.there.owner}): ALTER TABLE "{fed.there.schema}"."{fed.name}" ALTER CONSTRAINT'
                f' "{key.name}" DEFERRABLE.',
            )
    own = {(table.there.schema, table.there.name) for table in existing.tables.values()}
    for fed in existing.tables.values():
        for key in fed.there.keys:
            fills = [name for name in key.columns if fed.fed(name) is not None]
            if key.target not in own and fills:
                yield note(
                    "points-outside",
                    f"{fed.name}.{', '.join(key.columns)}",
                    f"{fed.there.label} points at {'.'.join(key.target)}, which this mapping does not fill"
                    f" (constraint {key.name}). A document whose value is not there becomes a dead letter.",
                    "Fill that table first, if it is to hold these values.",
                )
