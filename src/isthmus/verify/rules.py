"""The layer *rules*: what the mapping states about values is so, in every row of the target.

Required, labels of enums, lengths and precisions, constants, `normalise`, `values`, flags, `expect` (forms such as
e-mail addresses, ranges, the order of dates), keys that are unique, positions of child rows; by no constraint's or
index's word. `expect` is taken from the mapping that is given, for it may be stated after the copy; all else from the
mappings that the rows came from.

Blind spots: which rule of several filled a row; what a default fills in (the checksum compares it with the document).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.mapping.rules import ColumnField, walk
from isthmus.mapping.tables import Table
from isthmus.verify.looking import NOT_OURS, Fault, Looking, label, of_row, owner, shown
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.stated.demands import Demand, LeftOut, demands
from isthmus.verify.stated.expected import expectations
from isthmus.verify.stated.letters import check_letters
from isthmus.verify.stated.positions import check_positions
from isthmus.verify.stated.sources import Filled, filled_columns, flag_groups
from isthmus.verify.stated.uniques import check_uniques
from isthmus.verify.subject import Subject

_NOTHING = "The mapping states nothing about its values but their type."


def check(subject: Subject) -> LayerResult:
    """Hold every row of the target against what the mapping states."""
    began = time.monotonic()
    result = LayerResult("rules", unit="values")
    mappings = [one.mapping for one in subject.histories]
    with subject.another_connection() as connection:
        looking = Looking(subject, connection, result)
        tables = subject.schema.tables.values()
        for table in subject.progress.counting(tables, "tables", len(tables), even=False):
            expected = {one.column.name: one for one in filled_columns([subject.mapping], table)}
            asked = [
                (filled, _asked(looking, filled, expected.get(filled.column.name)))
                for filled in filled_columns(mappings, table)
                if filled.column.role != "extras"
            ]
            for filled, found in _scan(looking, table, asked):
                _enter(looking, filled, found)
            for group in flag_groups(mappings, table):
                _check_group(looking, table, group)
            check_uniques(looking, table)
            if table.kind == "child":
                check_positions(looking, table)
    rules = [rule for entry in subject.mapping.collections.values() for rule in walk(entry.fields)]
    if not any(isinstance(rule, ColumnField) and rule.expect is not None for rule in rules):
        result.notes.append(
            "The mapping states no `expect`, so forms of texts (such as e-mail addresses), ranges and the order of"
            " dates were not compared."
        )
    result.seconds = time.monotonic() - began
    return result


_Asked = tuple[Filled, list[Demand | LeftOut]]
_Found = list[tuple[Demand, int]]


def _scan(looking: Looking, table: Table, columns: Sequence[_Asked]) -> list[tuple[Filled, _Found]]:
    """Count, in one pass over a table, how many rows do not meet each demand; column by column where that fails.

    Of extras nothing is demanded; a table that existed before may have no such column.
    """
    try:
        with looking.connection.transaction():
            return _count(looking, table, columns)
    except psycopg.Error as fault:
        if meaning(fault) == "transient":
            raise
    found: list[tuple[Filled, _Found]] = []
    for one in columns:
        with looking.at(table.name, one[0].column.name):
            found += _count(looking, table, [one])
    return found


def _asked(looking: Looking, filled: Filled, expected: Filled | None) -> list[Demand | LeftOut]:
    asked = list(demands(filled, looking.schema, existing=looking.subject.existing))
    return asked if expected is None else [*asked, *expectations(expected, looking.schema.schema)]


def _count(looking: Looking, table: Table, columns: Sequence[_Asked]) -> list[tuple[Filled, _Found]]:
    asked = [[one for one in wanted if isinstance(one, Demand)] for _, wanted in columns]
    parts: list[sql.Composable] = [sql.SQL("count(*)")]
    for (filled, _), own in zip(columns, asked, strict=True):
        parts.append(sql.SQL("count({})").format(of_row(filled.column.name)))
        parts += [sql.SQL("count(*) FILTER (WHERE {})").format(one.wrong) for one in own]
    rows, *counts = looking.row(
        sql.SQL("SELECT {} FROM {} r").format(sql.SQL(", ").join(parts), looking.place(table.name))
    )
    found: list[tuple[Filled, _Found]] = []
    for (filled, wanted), own in zip(columns, asked, strict=True):
        values, *wrong = counts[: 1 + len(own)]
        del counts[: 1 + len(own)]
        whys = [one.why for one in wanted if isinstance(one, LeftOut)]
        required = any(one.name == "required" for one in own)
        compared = rows if required else values if own else 0
        check = ColumnCheck(table.name, filled.column.name, compared, 0, values if whys or not own else 0)
        check.why = " ".join(whys) if whys else "" if own else _NOTHING
        looking.result.columns.append(check)
        looking.result.checked += compared
        found.append((filled, list(zip(own, wrong, strict=True))))
    return found


def _enter(looking: Looking, filled: Filled, found: _Found) -> None:
    table, column = filled.table, filled.column
    for demand, wrong in found:
        fault = Fault(
            table.name,
            column.name,
            f"The value is not as the mapping {'expects' if demand.of_source else 'states'}: {demand.name}.",
            demand.expected,
            sql.SQL("SELECT {}, {}, {} FROM {} r WHERE {}").format(
                label(table),
                owner(table),
                shown(of_row(column.name), sensitive=column.sensitive),
                looking.place(table.name),
                demand.wrong,
            ),
        )
        entered, foreign = looking.enter(fault, wrong)
        if demand.of_source:
            looking.result.unexpected += entered
        if foreign:
            looking.result.columns.append(
                ColumnCheck(table.name, f"{column.name} ({demand.name})", 0, 0, foreign, f"{NOT_OURS}")
            )
        if demand.name == "lower":
            check_letters(looking, filled)


def _check_group(looking: Looking, table: Table, group: tuple[str, ...]) -> None:
    """Enter the rows in which some of the columns of one array of labels are NULL and others are not."""
    path = ", ".join(group)
    names = sql.SQL(", ").join(of_row(name) for name in group)
    source = sql.SQL("{} r WHERE num_nulls({}) NOT IN (0, {})").format(
        looking.place(table.name), names, sql.Literal(len(group))
    )
    with looking.at(table.name, path):
        (wrong,) = looking.row(sql.SQL("SELECT count(*) FROM {}").format(source))
        message = "Some columns of one array of labels are NULL and others are not."
        query = sql.SQL("SELECT {}, {}, concat_ws(', ', {}) FROM {}").format(label(table), owner(table), names, source)
        looking.enter(Fault(table.name, path, message, "all of them, or none", query), wrong)
