"""The tables whose ids are written: what the target has of them, and whether they were copied.

Decides what must stand before an id may be looked up: a complete copy of every collection that fills such a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from shlex import quote

import psycopg
from psycopg import sql

from isthmus.errors import Problem, TargetError, Where
from isthmus.mapping.model import Mapping
from isthmus.polyglot.audit_goals import filling
from isthmus.state.migrate import check_state, state_exists
from isthmus.state.rewrites import copied_collections


@dataclass(frozen=True)
class Aim:
    """The root table of one entry, as the target has it.

    Attributes:
        entry: The entry.
        collections: The source collections that fill it, also through other entries: whatever became a row of it.
        ids: What its ids are made by: `uuid`, `cuid2` or `keep`.
        schema: The table's schema.
        table: The table.
        column: Its column of ids.
        type: That column's type there, as PostgreSQL writes it.
    """

    entry: str
    collections: tuple[str, ...]
    ids: str
    schema: str
    table: str
    column: str
    type: str


def read_aims(connection: psycopg.Connection, mapping: Mapping, entries: Iterable[str]) -> dict[str, Aim]:
    """Return the tables of entries as the target has them. Reads the catalog and the state.

    Args:
        connection: The target, in autocommit mode.
        mapping: The mapping.
        entries: The entries.

    Raises:
        TargetError: Something of it was never copied, or not to its end (code `not-copied`), a table or its column is
            not there (`no-such-table`); all of it is in `problems` where it is several.
    """
    names = list(entries)
    problems = _not_copied(connection, mapping, names)
    aims: dict[str, Aim] = {}
    for name in [] if problems else names:
        rule = mapping.collections[name]
        found = connection.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_catalog.pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped",
            (sql.Identifier(mapping.target.schema_name, rule.table).as_string(connection), rule.id.column),
        ).fetchone()
        if found is None:
            problems.append(_no_such_table(mapping.target.schema_name, rule.table, rule.id.column))
            continue
        aims[name] = Aim(
            name,
            filling(mapping, rule.table),
            rule.ids,
            mapping.target.schema_name,
            rule.table,
            rule.id.column,
            str(found[0]),
        )
    if problems:
        first = problems[0]
        raise TargetError(
            first.message if len(problems) == 1 else "What the ids would lead to does not stand in the target.",
            code=first.code,
            where=first.where if len(problems) == 1 else None,
            hint=first.hint if len(problems) == 1 else None,
            problems=tuple(problems) if len(problems) > 1 else (),
        )
    return aims


def _no_such_table(schema: str, table: str, column: str) -> Problem:
    return Problem(
        "no-such-table",
        f"The target has no table {schema}.{table} with a column {column}, where the ids would be looked up.",
        Where(table=f"{table}.{column}"),
        "Is it the target that was copied to, and the mapping that it was copied with?",
    )


def _not_copied(connection: psycopg.Connection, mapping: Mapping, entries: list[str]) -> list[Problem]:
    """Return what of the tables of some entries no complete copy has carried, table by table."""
    check_state(connection)
    runs = copied_collections(connection) if state_exists(connection) else []
    carried = {name for _, names, complete in runs if complete for name in names or ()}
    problems: list[Problem] = []
    for table in dict.fromkeys(mapping.collections[entry].table for entry in entries):
        sources = filling(mapping, table)
        at_work = next((n for n, names, done in runs if not done and (names is None or {*names} & {*sources})), None)
        missing = [name for name in sources if name not in carried and name not in mapping.optional_collections]
        if at_work is not None:
            problems.append(
                Problem(
                    "not-copied",
                    f"Run {at_work} is not complete, so not every row of {table} is there.",
                    Where(table=table),
                    "Run the same isthmus copy again until it is complete.",
                )
            )
        elif missing:
            only = "".join(f" --only {quote(name)}" for name in missing if mapping.target.tables == "existing")
            problems.append(
                Problem(
                    "not-copied",
                    f"No complete copy of {', '.join(missing)} stands in the target, so nothing there has ids to write"
                    f" for references to {table}.",
                    Where(table=table),
                    f"Copy it first: isthmus copy MAPPING --source … --target …{only}. Or leave it out: --to names the"
                    " tables whose ids are written.",
                )
            )
    return problems
