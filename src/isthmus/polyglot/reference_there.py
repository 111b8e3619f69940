"""Fill a map of references in: what the target has of its tables, rows, foreign keys and copies."""

from __future__ import annotations

from typing import Any, cast

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.connect.real_columns import read_there
from isthmus.polyglot.reference_map import FromRows, MapTable, ReferenceMap
from isthmus.state.migrate import state_exists
from isthmus.state.rewrites import copied_collections, knows_rewrites

_KEYS = """
SELECT c.conname, t.relname, f.relname, c.confdeltype,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k(number, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number),
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY AS k(number, n)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
  JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
WHERE c.contype = 'f' AND c.conparentid = 0 AND t.relnamespace = to_regnamespace(%s)
  AND f.relnamespace = t.relnamespace
ORDER BY t.relname, c.conname
"""
_ON_DELETE = {"c": "cascade", "n": "set null", "d": "set default", "r": "restrict", "a": None}


def fill_rows(told: ReferenceMap, connection: psycopg.Connection[Any], target: str) -> None:
    """Say what the target has of the tables of a map: rows, foreign keys, and whether they were carried.

    Args:
        told: The map; filled in.
        connection: The target, in autocommit mode.
        target: The target, for people, without secrets.
    """
    told.target = target
    there = read_there(connection, told.schema, told.tables)
    for name, table in told.tables.items():
        table.there = bool(there.columns[name])
        if table.there:
            counted = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(told.schema, name))
            table.rows = first_number(connection.execute(counted))
    _fill_keys(told, connection)
    if not state_exists(connection):
        told.notes.append("Nothing was copied to the target yet.")
        return
    carried: dict[str, int] = {}
    for number, names, complete in copied_collections(connection):
        carried |= dict.fromkeys(names or (), number) if complete else {}
    for table in told.tables.values():
        runs = [carried.get(name) for name in table.collections]
        if runs and None not in runs:
            table.run = max(cast("list[int]", runs))
    if knows_rewrites(connection):
        rows = connection.execute(
            "SELECT collection, site, count(*) FROM isthmus.rewrite_log WHERE state = 'done' GROUP BY 1, 2"
        ).fetchall()
        counts = {(str(collection), str(site)): int(count) for collection, site, count in rows}
        for one in told.documents:
            one.by_rewrite = counts.get((one.site.collection, one.site.shown), 0)


def _fill_keys(told: ReferenceMap, connection: psycopg.Connection[Any]) -> None:
    """Enter the foreign keys of the target: with the references that they keep, and those that the mapping lacks."""
    given = (sql.Identifier(told.schema).as_string(connection),)
    known = {(one.table, one.column, one.leads_to): one for one in told.rows if one.how != "jsonb"}
    for one in told.rows:
        one.asked = True
    for name, table, to, deletes, columns, to_columns in connection.execute(_KEYS, given).fetchall():
        on_delete = _ON_DELETE.get(str(deletes))
        leads_to = f"{to}.{', '.join(to_columns)}"
        one = known.get((str(table), ", ".join(columns), leads_to))
        if one is None:
            one = FromRows(str(table), ", ".join(columns), leads_to, "key", asked=True)
            told.rows.append(one)
            for place in (str(table), str(to)):
                told.tables.setdefault(place, MapTable(place, there=True))
        one.key, one.on_delete = str(name), on_delete
