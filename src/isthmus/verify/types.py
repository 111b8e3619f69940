"""Layer types: of every column, the values that the source has there against those that the target holds.

How many, and the smallest and the largest. The source's side is what the profiler counts, which shares nothing with the
conversion; the target's side is SQL. Cannot see: which row a value stands in, and values between the extremes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from psycopg import sql

from isthmus.mapping import Mapping
from isthmus.mapping.model import ColumnField, Flow
from isthmus.mapping.placing import PlacedColumn, PlacedTable, place_tables
from isthmus.mapping.tables import Table
from isthmus.mapping.types import INTEGER_RANGES
from isthmus.verify.reference.printed import printed_float, printed_instant
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.subject import Subject
from isthmus.work.amounts import plural

_Node = ReadOnly[str, Any]
_NULLS = ("null", "undefined")
_COLUMNS_AT_ONCE = 400
"""Three values of each in a select list, which may hold 1,664 (PostgreSQL: MaxTupleAttributeNumber)."""


@dataclass
class _Expected:
    """What the source says of a column.

    Attributes:
        filled: Values that are not null.
        types: MongoDB's names of types → values.
        low: Smallest value; None where the extremes are not compared.
        high: Largest one.
        how: SQL that gives what they are compared with, over the column.
        words: What smallest and largest are called.
        shown: Prints them for people.
        why: Why the column is not compared, a sentence; empty where it is.
        nowhere: DBRefs with a null `$id` that stand for NULL, and are not among `filled`.
    """

    filled: int = 0
    types: Counter[str] | None = None
    low: Any = None
    high: Any = None
    how: str = ""
    words: tuple[str, str] = ("smallest value", "largest value")
    shown: Callable[[Any], str] = str
    why: str = ""
    nowhere: int = 0


def check(subject: Subject, facts: SourceFacts, but: ReadOnly[tuple[str, str], str] | None = None) -> LayerResult:
    """Hold what each column holds against what the source's fields hold; `but` says of (table, column) why not."""
    result = LayerResult("types", unit="columns")
    result.notes.append("Numbers and extremes of values cannot see which row a value stands in.")
    gone = _nulled(subject)
    profiles = {name: json.loads(found.profile) for name, found in facts.collections.items() if found.profile}
    tables = [table for table in subject.schema.tables.values() if table.kind != "junction"]
    for table in subject.progress.counting(tables, "tables", len(tables), even=False):
        expected = _of_table(subject, table, facts, profiles)
        for name, one in expected.items():
            one.why = one.why or (but or {}).get((table.name, name), "")
        compared = {name: one for name, one in expected.items() if not one.why}
        there = _there(subject, table, compared)
        for name, one in expected.items():
            column = ColumnCheck(table.name, name, why=one.why, seen=_histogram(one.types))
            result.columns.append(column)
            if one.why:
                column.left_out = 1
                continue
            result.checked += 1
            column.accounted = gone[table.name, name]
            column.compared = there[name][0]
            if one.nowhere:
                are = "has a null $id, and is" if one.nowhere == 1 else "have a null $id, and are"
                result.notes.append(f"{plural(one.nowhere, 'DBRef')} of {table.name}.{name} {are} NULL.")
            _compare(subject, result, table.name, name, one, there[name], gone[table.name, name])
    return result


def _compare(
    subject: Subject,
    result: LayerResult,
    table: str,
    column: str,
    expected: _Expected,
    there: tuple[int, Any, Any],
    gone: int,
) -> None:
    count, low, high = there
    hiding = subject.hiding
    if count != expected.filled - gone:
        wanted = expected.filled - gone
        result.differs(
            table,
            column,
            f"{table}.{column} holds {count:,} values; the source has {wanted:,}"
            f"{f' without the {gone:,} orphans' if gone else ''}.",
            expected=str(wanted),
            actual=str(count),
            times=abs(count - wanted),
        )
    if expected.how and not gone and count:
        for word, mine, other in zip(expected.words, (expected.low, expected.high), (low, high), strict=True):
            if mine != other:
                result.differs(
                    table,
                    column,
                    f"The {word} of {table}.{column} is not that of the source.",
                    expected=hiding.shown(table, column, None if mine is None else expected.shown(mine)),
                    actual=hiding.shown(table, column, None if other is None else expected.shown(other)),
                )


def _histogram(types: Counter[str] | None) -> str:
    if not types:
        return ""
    return ", ".join(f"{name} {count:,}" for name, count in types.most_common())


def _nulled(subject: Subject) -> Counter[tuple[str, str]]:
    """Return (table, column) → references that the ledger says were set to null, in columns of one value."""
    arrays = {
        (table.name, column.name)
        for table in subject.schema.tables.values()
        for column in table.columns
        if column.type.array
    }
    rows = subject.connection.execute(
        "SELECT table_name, column_name, count(*) FROM isthmus.orphan WHERE run_id = %s AND action = 'null'"
        " GROUP BY 1, 2",
        (subject.run.id,),
    )
    found = {(str(table), str(column)): int(count) for table, column, count in rows}
    return Counter({place: count for place, count in found.items() if place not in arrays})


def _of_table(
    subject: Subject, table: Table, facts: SourceFacts, profiles: ReadOnly[str, _Node]
) -> dict[str, _Expected]:
    """Return what the source says of each column of a table."""
    if len(table.flows) != 1:
        return {column.name: _Expected(why="Several flows fill the table.") for column in table.final.columns}
    (flow,) = table.flows
    found = facts.collections.get(flow.collection)
    profile = profiles.get(flow.collection)
    mapping = subject.mapping
    why = ""
    if found is None:
        why = "Its documents were not carried by this copy."
    elif profile is None:
        why = "Its collection could not be read."
    elif found.skipped or len(mapping.flows_of(flow.collection)) > 1:
        why = "Only some documents of its collection go into the table."
    elif mapping.joins(subject.schema.root_of(table).entries):
        why = "Its documents may be joined."
    placed = next(one for one in place_tables(mapping, flow) if one.name == table.name)
    earlier = [_rules_of(one.mapping, flow, table.name) for one in subject.histories]
    expected: dict[str, _Expected] = {}
    for column in placed.columns:
        if not column.column.hidden:
            if why or profile is None:
                one = _Expected(why=why)
            elif any(_differ(before.get(column.column.name), column.rule) for before in earlier):
                one = _Expected(why="Some documents were carried with another rule for it.")
            else:
                one = _of_column(mapping, placed, column, profile)
            expected[column.column.name] = one
    return expected


def _rules_of(mapping: Mapping, flow: Flow, table: str) -> dict[str, ColumnField | None]:
    """Return column → its rule under one of the mappings that rows came from."""
    same = next((one for one in mapping.flows if (one.entry, one.collection) == (flow.entry, flow.collection)), None)
    placed = next((one for one in place_tables(mapping, same) if one.name == table), None) if same else None
    return {column.column.name: column.rule for column in placed.columns} if placed else {}


def _differ(before: ColumnField | None, rule: ColumnField | None) -> bool:
    """Tell whether two rules may make other values of a document; `expect`, which no dump of a model has, does not."""
    return (before and before.model_dump()) != (rule and rule.model_dump())


def _of_column(mapping: Mapping, placed: PlacedTable, column: PlacedColumn, profile: _Node) -> _Expected:
    rule = column.rule
    if column.column.role not in {"value", "reference"} or rule is None:
        return _Expected(why="Isthmus makes its values.")
    reference = column.column.reference
    if (
        rule.first_of
        or rule.element is not None
        or rule.flags
        or rule.object
        or (reference is not None and reference.routed)
    ):
        return _Expected(why="Several fields, or parts of one, fill it.")
    if rule.values or rule.other_values is not None:
        return _Expected(why="The mapping replaces its values.")
    if rule.identity is not None and mapping.things is not None:
        return _Expected(why="The things that documents belong to fill it.")
    path = [step for at in placed.at for step in (*at, None)] + list(rule.path)
    node = _node_at(profile["root"], path)
    if node is None:
        return _Expected(why="Its field leads through what is no document in places.")
    types = Counter({str(name): int(count) for name, count in node.get("types", {}).items()})
    if node.get("duplicate_keys"):
        return _Expected(types=types, why="Some documents have the key more than once.")
    if rule.default is not None:
        return _Expected(types=types, why="A default fills what is missing.")
    if _is_changed(node, column.column.type.kind) and any(
        getattr(rule.policies, name) != "dead_letter" for name in ("nan", "range")
    ):
        return _Expected(types=types, why="A policy changes values that do not fit.")
    filled = sum(count for name, count in types.items() if name not in _NULLS)
    nowhere: int | None = 0
    keeps = reference is not None and reference.by is None and mapping.collections[reference.entry].ids == "keep"
    if keeps and not column.column.type.array:
        nowhere = _null_dbrefs(node)
        if nowhere is None:
            return _Expected(types=types, why="How many of its DBRefs have a null $id was not counted.")
        filled -= nowhere
    expected = _Expected(filled, types, nowhere=nowhere)
    if not rule.coerce and not rule.normalise and not column.column.type.array and column.referred is None:
        _set_extremes(expected, column.column.type.kind, node)
    return expected


def _null_dbrefs(node: _Node) -> int | None:
    """Count the DBRefs whose `$id` is null, which a reference to a kept id takes for null; None where that cannot be
    told."""
    dbrefs = int(node.get("document", {}).get("dbref", 0))
    if not dbrefs:
        return 0
    types: ReadOnly[str, int] = node.get("fields", {}).get("$id", {}).get("types", {})
    met, nulls = sum(types.values()), sum(types.get(name, 0) for name in _NULLS)
    if met == dbrefs:
        return nulls
    return None if nulls or met < dbrefs else 0  # of documents that are no DBRefs some may have an `$id` too


def _is_changed(node: _Node, kind: str) -> bool:
    """Whether there are values that policies for NaN and for what is out of range may speak of."""
    doubles, decimals, dates = (node.get(name, {}) for name in ("double", "decimal", "date"))
    special = any(numbers.get(name) for numbers in (doubles, decimals) for name in ("nan", "infinite"))
    whole = kind in {"smallint", "integer", "bigint"} and ("double" in node or "decimal" in node)
    low, high = node.get("integer", {}).get("range", (0, 0))
    least, most = INTEGER_RANGES.get(kind, (low, high))
    return bool(special or whole or dates.get("out_of_range") or low < least or high > most)


def _set_extremes(expected: _Expected, kind: str, node: _Node) -> None:
    kinds = {name for name in expected.types or () if name not in _NULLS}
    if kinds and kinds <= {"int", "long"} and kind in {"smallint", "integer", "bigint", "numeric"}:
        (low, high), how = node["integer"]["range"], "{}::numeric"
        expected.low, expected.high, expected.how = Decimal(low), Decimal(high), how
    elif kinds == {"double"} and kind == "double" and "range" in node["double"] and not _special(node["double"]):
        (low, high), how = node["double"]["range"], "{}"
        expected.low, expected.high, expected.how = float(low), float(high), how
        expected.shown = printed_float
    elif kinds == {"date"} and kind in {"timestamp", "timestamptz"}:
        (low, high), how = node["date"]["range"], "trunc(extract(epoch FROM {}) * 1000)"
        expected.low, expected.high, expected.how = Decimal(low), Decimal(high), how
        expected.words = ("earliest instant", "latest instant")
        expected.shown = partial(_instant, zone=kind == "timestamptz")
    elif kinds == {"string"} and kind in {"text", "varchar"} and not node["string"].get("nul"):
        (low, high), how = node["string"]["length"], "char_length({})"
        expected.low, expected.high, expected.how = low, high, how
        expected.words, expected.shown = ("shortest text", "longest text"), _length


def _instant(milliseconds: Decimal, *, zone: bool) -> str:
    if not milliseconds.is_finite():
        return "infinity" if milliseconds > 0 else "-infinity"
    return printed_instant(int(milliseconds) * 1000, zone=zone)


def _length(characters: int) -> str:
    return plural(characters, "character")


def _special(doubles: _Node) -> bool:
    return bool(doubles.get("nan") or doubles.get("infinite"))


def _node_at(root: _Node, path: Sequence[str | None]) -> _Node | None:
    """Return what stands at a path, in which None leads to the elements of an array.

    An empty node where nothing ever does; None where the counts would not add up.
    """
    node: _Node = root
    for number, step in enumerate(path):
        if "collapsed" in node:
            return None
        if step is None:
            node = node.get("elements", {})
        else:
            types = node.get("types", {})
            if number and path[number - 1] is not None and any(name not in {"object", *_NULLS} for name in types):
                return None
            node = node.get("fields", {}).get(step, {})
    return node


def _there(subject: Subject, table: Table, expected: ReadOnly[str, _Expected]) -> dict[str, tuple[int, Any, Any]]:
    found: dict[str, tuple[int, Any, Any]] = {}
    names = list(expected)
    for start in range(0, len(names), _COLUMNS_AT_ONCE):
        some = {name: expected[name] for name in names[start : start + _COLUMNS_AT_ONCE]}
        row = subject.connection.execute(
            sql.SQL("SELECT {} FROM {}").format(
                sql.SQL(", ").join(_selected(some)), sql.Identifier(subject.schema.schema, table.name)
            )
        ).fetchone()
        assert row is not None  # noqa: S101  an aggregate always gives a row
        found |= {name: (row[3 * n], row[3 * n + 1], row[3 * n + 2]) for n, name in enumerate(some)}
    return found


def _selected(expected: ReadOnly[str, _Expected]) -> Iterator[sql.Composable]:
    for name, one in expected.items():
        column = sql.Identifier(name)
        yield sql.SQL("count({})").format(column)
        for word in ("min", "max"):
            if one.how:
                value = sql.SQL(one.how).format(column)  # pyright: ignore[reportArgumentType]  of this module
                yield sql.SQL("{}({})").format(sql.SQL(word), value)
            else:
                yield sql.NULL
