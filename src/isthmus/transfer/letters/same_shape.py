"""Whether two mappings want the same tables with the same ids, so that a run of the one takes documents of the other.

Pure. The same are: every table, column, type, key, index and foreign key (what `isthmus ddl` prints), the ids, what
refers to what, and which collections fill which tables. What becomes of a value may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, replace
from typing import NamedTuple

from isthmus.errors import ConfigError, Problem, Where
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.reading.fields import show_path
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import Column, Table, TargetSchema, build_schema
from isthmus.transfer.job import feeders


@dataclass(frozen=True)
class Shape:
    """What follows from one mapping: its tables, and the compiled plan of each source collection."""

    mapping: Mapping
    schema: TargetSchema
    plans: ReadOnly[str, str]


class Difference(NamedTuple):
    """One thing that two mappings want otherwise; no table where it is none of one."""

    table: str | None
    sentence: str


def shape_of(mapping: Mapping) -> Shape:
    """Return what follows from a mapping."""
    loaded = as_loaded(mapping)
    return Shape(mapping, build_schema(loaded), compile_plans(loaded))


def refuse_other_shape(run: int, before: Shape, now: Shape) -> None:
    """Raise unless two mappings want the same tables and ids.

    Raises:
        ConfigError: They do not (code `other-shape`); `problems` names every difference.
    """
    differences = [Difference(*one) for one in shape_differences(before, now)]
    problems = tuple(Problem("other-shape", one.sentence, Where(table=one.table)) for one in differences)
    if not problems:
        return
    raise ConfigError(
        f"This mapping wants other tables or ids than run {run} made, so the run's dead letters cannot be carried.",
        code="other-shape",
        problems=problems,
        hint="For a retry change what becomes of values: coerce, default, policies, values, skip, drop, on_orphan."
        " Tables, types and required columns stay as they are; to change those, start over with isthmus copy --fresh.",
    )


def shape_differences(before: Shape, now: Shape) -> Iterator[tuple[str | None, str]]:
    """Yield (table or None, sentence) of everything that differs, in the order of the tables."""
    old, new = before.schema, now.schema
    if old.schema != new.schema:
        yield None, f"The tables are in the schema {old.schema}; this mapping puts them into {new.schema}."
    modes = [shape.mapping.target.tables for shape in (before, now)]
    if modes[0] != modes[1]:
        yield None, f"The run was told `tables: {modes[0]}`; this mapping says `tables: {modes[1]}`."
    entries, wanted = before.mapping.collections, now.mapping.collections
    yield from _names("collection", entries, wanted)
    for name, entry in entries.items():
        if name not in wanted:
            continue
        if entry.ids != wanted[name].ids:
            yield None, f"The ids of {name} are made as {entry.ids}; this mapping makes them as {wanted[name].ids}."
        read, reads = (sorted(one.source_names) for one in (entry, wanted[name]))
        if read != reads:
            yield None, f"{name} was read from {', '.join(read)}; this mapping reads it from {', '.join(reads)}."
    yield from _names("enum", old.enums, new.enums)
    for name, values in old.enums.items():
        if name in new.enums and new.enums[name] != values:
            yield (
                None,
                f"The enum {name} has the values {_list(values)}; this mapping gives it {_list(new.enums[name])}.",
            )
    yield from _names("table", old.tables, new.tables)
    for name, table in old.tables.items():
        if name in new.tables:
            yield from ((name, text) for text in _table_differences(old, table, new.tables[name]))
    sides = [
        {(one.junction, one.own, one.other, one.flow.entry) for one in feeders(shape.plans, shape.schema)}
        for shape in (before, now)
    ]
    for junction, own, _, entry in sorted(sides[0] ^ sides[1]):
        verb = "no longer" if (sides[0] - sides[1]) & {(junction, own, _, entry)} else "now also"
        yield junction, f"Arrays of {entry} {verb} fill it by its column {own}."


def with_sensitive_of(schema: TargetSchema, other: TargetSchema) -> TargetSchema:
    """Return a schema in which every column is sensitive that is so in either of two of the same shape."""
    tables = {
        name: replace(
            table,
            columns=tuple(
                replace(column, sensitive=column.sensitive or before.sensitive)
                for column, before in zip(table.columns, other.tables[name].columns, strict=True)
            ),
        )
        for name, table in schema.tables.items()
    }
    return replace(schema, tables=tables)


def _names(what: str, before: ReadOnly[str, object], now: ReadOnly[str, object]) -> Iterator[tuple[None, str]]:
    for name in before:
        if name not in now:
            yield None, f"The {what} {name} is not in this mapping."
    for name in now:
        if name not in before:
            yield None, f"The {what} {name} is new in this mapping."


def _table_differences(schema: TargetSchema, before: Table, now: Table) -> Iterator[str]:
    old, new = ({column.name: column for column in table.columns} for table in (before, now))
    for name, column in old.items():
        if name not in new:
            yield f"Its column {name} is not in this mapping."
        else:
            yield from _column_differences(schema, column, new[name])
    for name in new:
        if name not in old:
            yield f"Its column {name} is new in this mapping."
    if old.keys() == new.keys() and list(old) != list(new):
        yield f"Its columns stand in the order {_list(old)}; this mapping wants {_list(new)}."
    if before.primary_key != now.primary_key:
        yield f"Its primary key is {_list(before.primary_key)}; this mapping wants {_list(now.primary_key)}."
    for what, had, wants in (
        ("index", before.indexes, now.indexes),
        ("foreign key", before.foreign_keys, now.foreign_keys),
    ):
        known, asked = ({one.name: one for one in some} for some in (had, wants))
        for name in sorted(known.keys() | asked.keys()):
            if name not in asked:
                yield f"Its {what} {name} is not in this mapping."
            elif name not in known:
                yield f"Its {what} {name} is new in this mapping."
            elif known[name] != asked[name]:
                yield f"Its {what} {name} is another one in this mapping."


def _column_differences(schema: TargetSchema, before: Column, now: Column) -> Iterator[str]:
    name = before.name
    old_type, new_type = before.type.sql(schema.schema), now.type.sql(schema.schema)
    if old_type != new_type:
        yield f"Its column {name} has the type {old_type}; this mapping wants {new_type}."
    if before.nullable != now.nullable:
        was, wants = ("nullable", "required") if before.nullable else ("required (NOT NULL)", "nullable")
        yield f"Its column {name} is {was}; this mapping wants it {wants}."
    points = [_points_at(one) for one in (before, now)]
    if points[0] != points[1]:
        yield f"Its column {name} refers to {points[0]}; in this mapping to {points[1]}."
    elif _kind(before) != _kind(now):
        yield f"Its column {name} refers to {points[0]} in another way in this mapping."
    if set(before.rewrites) != set(now.rewrites):
        old, new = (
            _list(f"{show_path(path)} ({collection})" for path, collection in one.rewrites) or "none"
            for one in (before, now)
        )
        yield f"The ids inside its column {name} are {old}; in this mapping {new}."
    if before.role != now.role:
        yield f"Its column {name} holds a {before.role}; in this mapping a {now.role}."


def _points_at(column: Column) -> str:
    reference = column.reference
    if reference is None:
        return "nothing"
    return reference.entry if reference.by is None else f"{reference.entry} by its {reference.by}"


def _kind(column: Column) -> object:
    """Return what a reference is, whatever becomes of its orphans."""
    return None if column.reference is None else replace(column.reference, on_orphan="null", stated=False)


def _list(names: Sequence[str] | Iterator[str] | dict[str, Column]) -> str:
    return ", ".join(names)
