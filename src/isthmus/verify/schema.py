"""The layer *schema*: tables, types, keys, constraints validated, indexes valid, all as the mapping says.

Of tables that Isthmus made everything must be as the mapping has it, in the server's own words; of tables that belong
to somebody else, what the mapping needs. Reads the catalog; no row is looked at.

Blind spots: owners, privileges, comments, statistics, storage settings, the order of columns; other tables, and views.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

from isthmus.connect.definitions import Definition, read_definitions
from isthmus.verify.definitions.anew import CannotMake, make_anew
from isthmus.verify.definitions.compare import compare
from isthmus.verify.definitions.existing import check_existing
from isthmus.verify.definitions.stated import state
from isthmus.verify.result import LayerResult
from isthmus.verify.subject import Subject


def check(subject: Subject) -> LayerResult:
    """Compare the definitions of the target with those that the mapping wants; nothing stays of what is made for it."""
    began = time.monotonic()
    result = LayerResult("schema", unit="definitions")
    with subject.another_connection() as connection:
        if subject.existing:
            check_existing(subject, connection, result)
        else:
            _check_made(subject, connection, result)
        _check_extensions(subject, connection, result)
    result.notes.append(
        "Not compared: owners, privileges, comments, statistics, storage settings, the order of columns, and whatever"
        " is not in the mapping's tables."
    )
    result.seconds = time.monotonic() - began
    return result


def _check_made(subject: Subject, connection: psycopg.Connection[Any], result: LayerResult) -> None:
    schema = subject.schema
    left_out: list[str] = (subject.run.balance or {}).get("left_out_indexes", [])
    unknown: dict[str, str] = {}
    path = ""
    try:
        made = make_anew(connection, subject.mapping)
    except CannotMake as reason:
        wanted = state(schema, lambda name: _quoted(connection, name))
        result.lacking = "whole definitions of keys, indexes and functions, for want of temporary tables"
        result.notes.append(
            f"PostgreSQL's own words for the mapping's definitions are not known, for nothing can be made in this"
            f" database ({reason}). So only parts of keys, indexes and functions were compared, with the mapping; all"
            " of tables, columns and enums was. A role that may make temporary tables gets the whole comparison: GRANT"
            " TEMPORARY ON DATABASE … TO the role."
        )
    else:
        wanted, unknown, path = made.definitions, made.unknown, made.path
        if unknown:
            result.lacking = "whole definitions of indexes that could not be made anew"
        for name, words in unknown.items():
            result.notes.append(f"The index {name} could not be made anew to be compared with: {words}.")
        # what could not be made anew is at least there
        for place, one in state(schema, lambda name: _quoted(connection, name)).items():
            if one.kind == "index" and one.name in unknown:
                wanted[place] = one
    functions = [name for kind, _, name in wanted if kind == "function"]
    there = read_definitions(connection, schema.schema, schema.tables, schema.enums, functions, path)
    compare(result, there, wanted, left_out=left_out, unknown=_why)


def _why(one: Definition) -> str:
    """Return why a definition that was stated without the server is compared in part only; empty where it is not."""
    if "definition" in one.parts:
        return ""
    if one.parts.get("partial") == "yes" or one.parts.get("columns") == '["(expression)"]':
        return "Of its predicate or expression only that there is one was compared, not which."
    return {
        "key": "Only its columns were compared, not the rest of its definition.",
        "foreign key": "Only its columns, those it points at, ON UPDATE and ON DELETE were compared, not the rest of"
        " its definition.",
        "index": "Only its columns and its method were compared, not the rest of its definition.",
        "function": "Only that it is there was compared, not what it does.",
    }.get(one.kind, "")


def _quoted(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute("SELECT pg_catalog.quote_ident(%s)", (name,)).fetchone()
    return str(row[0]) if row else name


def _check_extensions(subject: Subject, connection: psycopg.Connection[Any], result: LayerResult) -> None:
    for name in subject.schema.extensions:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = %(name)s),"
            " EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = %(name)s)",
            {"name": name},
        ).fetchone()
        made, available = row or (False, False)
        result.checked += 1
        if not made and available and subject.existing:
            result.notes.append(
                f"The extension {name} is not there, although the server has it: with tables that exist, it is for"
                " their migrations to make it."
            )
        elif not made and available:
            message = f"The extension {name} is not there, although the server has it."
            result.differs(name, name, message, expected="extension", actual=None)
        elif not made:
            result.notes.append(f"The extension {name} is not there: the server does not have it.")
