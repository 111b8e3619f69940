"""What a mapping needs of tables that belong to somebody else, what hung on them, and what a copy must have put back.

Blind spots: where an older version of Isthmus copied, indexes and foreign keys that were there before the copy and are
gone without being in `isthmus.saved_ddl`: nobody wrote down that they ever were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from isthmus.connect.definitions import Definition, Definitions, read_definitions
from isthmus.errors import TargetError
from isthmus.mapping.tables import Table
from isthmus.mapping.types import ColumnType
from isthmus.state.runs import STOOD
from isthmus.verify.definitions.shape import read_shape
from isthmus.verify.definitions.stood import WORSE, check_standing
from isthmus.verify.result import ColumnCheck, LayerResult
from isthmus.verify.subject import Subject

_CHECKED = {"key", "unique", "foreign key", "check", "exclusion", "constraint"}
_TEXTS = ("text", "character", "citext")
_INTEGERS = ("smallint", "integer", "bigint", "numeric")
_FITTING = {
    "text": _TEXTS,
    "varchar": _TEXTS,
    "enum": _TEXTS,
    "uuid": ("uuid", *_TEXTS),
    "smallint": _INTEGERS,
    "integer": _INTEGERS,
    "bigint": _INTEGERS,
    "real": ("real", "double precision"),
    "double": ("double precision",),
    "timestamp": ("timestamp",),
    "timestamptz": ("timestamp",),
    "jsonb": ("json",),
}
"""Kind of the mapping → how the words of types that take its values begin; of other kinds the kind itself."""
_IS_RELATION = " is a relation of kind "
_KNOWN = (*_TEXTS, *_INTEGERS, "uuid", "real", "double", "timestamp", "json", "boolean", "bytea", "date")
"""How the words of types begin that are PostgreSQL's own; others are enums, domains, or of extensions."""


def check_existing(subject: Subject, connection: psycopg.Connection[Any], result: LayerResult) -> None:
    """Enter what is not there, not valid, changed since the copy began, or still set aside."""
    schema = subject.schema
    there = read_definitions(connection, schema.schema, schema.tables)
    for table in schema.tables.values():
        _check_table(result, table, there, schema.schema)
    before = subject.run.tables.get(STOOD)
    if before is None:
        result.lacking = "keys and indexes that were there when the copy began: the version that copied kept no list"
        _check_all_valid(subject, there, result)
    else:
        stood = _stood(subject.run.id, before)
        _check_columns(result, stood, there)
        check_standing(result, stood, there)
    _check_shape(subject, connection, result, whole=before is None)
    _check_set_aside(connection, schema.schema, result)
    result.notes.append(
        "The tables are not Isthmus's own: compared is what the mapping needs, and what was there when the copy began."
        " What came since is no difference."
        if before is not None
        else "The tables are not Isthmus's own: compared is what the mapping needs. An index or a foreign key that"
        " somebody dropped is not missed, unless the copy itself had set it aside: the version that copied did not keep"
        " what there was."
    )


def _stood(run: int, lines: Sequence[str]) -> Definitions:
    try:
        return {one.place: one for one in map(Definition.from_line, lines)}
    except (ValueError, TypeError, AttributeError):
        raise TargetError(
            f"What the target keeps of the tables as they were when run {run} began cannot be read.",
            code="state-broken",
            hint="Somebody changed the table isthmus.run: restore the target from a backup, or copy anew.",
        ) from None


def _check_all_valid(subject: Subject, there: Definitions, result: LayerResult) -> None:
    """Enter whatever is not valid, but for a CHECK constraint of which the run kept that it was not."""
    for one in there.values():
        line = f"{subject.schema.schema}.{one.table} {one.parts.get('definition')} NOT VALID"
        if line in subject.run.tables.get("shape", []):
            result.notes.append(f"The CHECK constraint {one.name} of {one.table} was not validated before the copy.")
        else:
            _check_validity(result, one)


def _check_columns(result: LayerResult, before: Definitions, there: Definitions) -> None:
    """Enter columns that were NOT NULL and whose constraint is not validated now (PostgreSQL 18)."""
    unproven = "not null, not validated"
    for place, have in there.items():
        was = before.get(place)
        if have.kind == "column" and was is not None and have.parts["null"] == unproven != was.parts["null"]:
            message = "The column's NOT NULL is not validated: rows that are there were never held against it."
            result.differs(have.table, have.name, message, expected=was.parts["null"], actual=unproven)


def _check_table(result: LayerResult, table: Table, there: Definitions, schema: str) -> None:
    result.checked += 1
    if ("table", table.name, table.name) not in there:
        result.differs(
            table.name,
            table.name,
            f"The table {table.name} is missing.",
            expected=f"{schema}.{table.name}",
            actual=None,
        )
        return
    for column in table.final.columns:
        have = there.get(("column", table.name, column.name))
        result.checked += 1
        if have is None:
            elsewhere = column.role == "extras"
            why = "The table has no such column; what belongs there is in isthmus.extras." if elsewhere else ""
            result.columns.append(ColumnCheck(table.name, column.name, int(not elsewhere), 0, int(elsewhere), why))
            if not elsewhere:
                message = f"The column {column.name} is missing."
                result.differs(table.name, column.name, message, expected=str(column.type), actual=None)
            continue
        result.columns.append(ColumnCheck(table.name, column.name, 1))
        words = have.parts["type"]
        if not _may_take(column.type, words):
            message = "The column's type does not take the mapping's values."
            result.differs(table.name, column.name, message, expected=str(column.type), actual=words)


def _may_take(wanted: ColumnType, words: str) -> bool:
    """Tell whether a type, as the server writes it, takes the mapping's values; of types of theirs the copy knew."""
    if not words.startswith(_KNOWN):
        return True
    return words.startswith(_FITTING.get(wanted.kind, (wanted.kind,))) and words.endswith("[]") == wanted.array


def _check_validity(result: LayerResult, one: Definition) -> None:
    if one.kind not in _CHECKED and one.kind != "index":
        return
    result.checked += 1
    for part, what in WORSE.items():
        if one.parts.get(part) == "no":
            message = f"The {one.kind} {one.name} {what}."
            result.differs(one.table, one.name, message, expected=f"{part}: yes", actual=f"{part}: no")


def _check_shape(subject: Subject, connection: psycopg.Connection[Any], result: LayerResult, *, whole: bool) -> None:
    """Enter what is not as the run kept it; of keys and CHECK constraints only where `whole`: else others name them."""
    before = subject.run.tables.get("shape")
    if before is None:
        result.notes.append("The run did not keep what the tables were like, so no change since then can be seen.")
        return
    now = read_shape(connection, subject.schema.schema, subject.schema.tables)
    result.checked += len(before)
    come = [line for line in now if line not in before]
    for line in before:
        if line in now:
            continue
        table, name = _place(subject, line)
        if not (whole or name or _IS_RELATION in line):
            continue
        instead = next((one for one in come if _place(subject, one) == (table, name) and name), None)
        if instead is not None:
            come.remove(instead)
        message = "The table is not what it was when the copy began."
        result.differs(table, name or "(table)", message, expected=line, actual=instead)
    for line in come:
        if not whole and not _place(subject, line)[1]:
            continue
        result.notes.append(f"New since the copy began: {line}.")


def _place(subject: Subject, line: str) -> tuple[str, str]:
    """Return table and column that a line is about; no column where it is about a key or the whole."""
    schema = subject.schema.schema
    for table in sorted(subject.schema.tables, key=len, reverse=True):
        label = f"{schema}.{table}"
        if line.startswith(f"{label}."):
            rest = line.removeprefix(f"{label}.")
            names = [c.name for c in subject.schema.tables[table].columns if rest.startswith(f"{c.name} ")]
            return table, max(names, key=len, default=rest.partition(" ")[0])
        if line.startswith(f"{label} "):
            return table, ""
    return "", ""


def _check_set_aside(connection: psycopg.Connection[Any], schema: str, result: LayerResult) -> None:
    rows = connection.execute(
        "SELECT table_name, kind, name, statements ->> 0 FROM isthmus.saved_ddl WHERE table_schema = %s ORDER BY id",
        (schema,),
    ).fetchall()
    result.checked += len(rows)
    for table, kind, name, statement in rows:
        message = (
            f"The {str(kind).replace('-', ' ')} {name} was set aside for a copy and is not back."
            " The next isthmus copy into this target puts it back."
        )
        result.differs(str(table), str(name), message, expected=str(statement), actual=None)
