"""Which rows of documents go: those that a copy brought and that are what it left, in every column."""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

from psycopg import sql

from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.row_state import digests
from isthmus.transfer.undoing.result import Why, standing
from isthmus.transfer.undoing.taking import Taking
from isthmus.transfer.undoing.writings import differing_beside, update_triggers

_STANDS: dict[str, Why] = {
    "edited": "edited",
    "beside": "written-beside",
    "changed": "changed-by-copy",
    "unknown": "unknown",
}


def look_at_rows(taking: Taking) -> None:
    """Fill `undo_N` and `going_N` of each root table, and enter what the rows came to."""
    for fed in taking.roots:
        _judge(taking, fed)
        _enter(taking, fed)
        _look_at_others(taking, fed)
        _look_at_documents(taking, fed)


def _judge(taking: Taking, fed: FedTable) -> None:
    sides = taking.sides
    parts = {
        "undo": sql.Identifier(f"undo_{sides.number(fed.name)}"),
        "going": sql.Identifier(f"going_{sides.number(fed.name)}"),
        "target": sides.temporary("target", fed.name),
        "schema": sql.Literal(sides.existing.schema),
        "name": sql.Literal(fed.name),
        "collections": sql.Literal(taking.collections),
    }
    known = sql.SQL(
        "FROM isthmus.row_state r WHERE r.table_schema = {schema} AND r.table_name = {name}"
        " AND r.collection = ANY({collections})"
    ).format(**parts)
    wanted = sql.SQL("{} AND {}::text IN (SELECT r.id {})").format(sides.has_row_id(fed), sides.row_id(fed), known)
    taking.drop("target", fed)
    digests(sides, fed, "target", wanted, real=True)
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {undo} ON COMMIT DROP AS SELECT t.id, r.id AS text, r.source_id, CASE"
            " WHEN t.id IS NULL THEN 'deleted' WHEN r.came IS NULL THEN 'unknown' WHEN r.came = 'met' THEN 'stays'"
            " WHEN r.came = 'changed' THEN 'changed' WHEN r.loaded_digest IS DISTINCT FROM t.digest THEN 'edited'"
            " WHEN r.beside_digest IS DISTINCT FROM t.beside THEN 'beside' ELSE 'goes' END AS verdict"
            " FROM (SELECT r.* {known}) AS r LEFT JOIN {target} t ON t.id::text = r.id"
        ).format(known=known, **parts)
    )
    taking.drop("target", fed)  # others are looked at in the same name
    sides.do(
        sql.SQL("CREATE TEMP TABLE {going} ON COMMIT DROP AS SELECT id, text FROM pg_temp.{undo}").format(**parts)
        + sql.SQL(" WHERE verdict = 'goes'")
    )
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON pg_temp.{going} (id)").format(**parts))
    for name in ("undo", "going"):
        sides.do(sql.SQL("ANALYZE pg_temp.{}").format(parts[name]))


def _enter(taking: Taking, fed: FedTable) -> None:
    sides, result = taking.sides, taking.result
    counts = {
        str(verdict): int(count)
        for verdict, count in sides.connection.execute(
            sql.SQL("SELECT verdict, count(*) FROM {} GROUP BY 1").format(taking.known(fed))
        ).fetchall()
    }
    result.removed[fed.name] += counts.get("goes", 0)
    result.stayed[fed.name] += counts.get("stays", 0)
    result.deleted[fed.name] += counts.get("deleted", 0)
    for child in sides.children_of(fed.name):
        result.removed[child.name] += sides.one(
            sql.SQL("SELECT count(*) FROM {} c WHERE {}").format(sides.real(child.name), taking.goes(child, "c"))
        )
    for verdict, why in _STANDS.items():
        if verdict in counts:
            query = sql.SQL("SELECT text FROM {} WHERE verdict = {}").format(taking.known(fed), sql.Literal(verdict))
            count, ids = taking.texts(query)
            found = standing(why, fed.table, "", count, ids)
            if verdict in {"edited", "beside"}:
                columns = differing_beside(taking, fed) if verdict == "beside" else ()
                found = replace(found, columns=columns, triggers=update_triggers(taking, fed))
            result.in_the_way.append(found)


def _look_at_others(taking: Taking, fed: FedTable) -> None:
    """Enter rows that documents of collections which stay are in, too: joined ones, and members of identities."""
    sides = taking.sides
    parts = {
        "undo": taking.known(fed),
        "all": sql.Literal(list(fed.table.collections)),
        "chosen": sql.Literal(taking.collections),
        "schema": sql.Literal(sides.existing.schema),
        "name": sql.Literal(fed.name),
    }
    ours = sql.SQL(
        "SELECT u.text, m.collection FROM {undo} u JOIN isthmus.id_map m ON m.id = u.source_id"
        " WHERE m.origin = 'merged' AND m.collection = ANY({all}) AND NOT m.collection = ANY({chosen})"
        " AND u.verdict <> 'deleted'"
    ).format(**parts)
    theirs = sql.SQL(
        "SELECT r.id, r.collection FROM isthmus.row_state r JOIN isthmus.id_map m ON m.id = r.source_id"
        " WHERE m.origin = 'merged' AND m.collection = ANY({chosen}) AND NOT r.collection = ANY({chosen})"
        " AND m.collection = ANY({all}) AND r.table_schema = {schema} AND r.table_name = {name}"
    ).format(**parts)
    rows = sql.SQL("SELECT * FROM ({} UNION ALL {}) AS s(text, collection)").format(ours, theirs)
    count, ids = taking.texts(sql.SQL("SELECT DISTINCT text FROM ({}) AS s").format(rows))
    if count:
        names = sides.connection.execute(
            sql.SQL("SELECT string_agg(DISTINCT collection, ', ') FROM ({}) AS s").format(rows)
        ).fetchone()
        taking.result.in_the_way.append(standing("shared", fed.table, str(names[0]) if names else "", count, ids))


def _look_at_documents(taking: Taking, fed: FedTable) -> None:
    """Enter rows whose ids stand in documents of MongoDB by now, in place of the old ones (`isthmus refs rewrite`).

    Of an update that a rewrite was ended in (`planned`) nobody knows yet whether it came through. Where others have put
    an id in the place of another one (`left`), no undo of the rewrite takes it away; one that somebody said may stay
    keeps nothing back.
    """
    ways: tuple[tuple[Why, LiteralString, str], ...] = (
        ("rewritten", "'done', 'planned'", "new_text"),
        ("other-id", "'left'", "reason"),
    )
    for why, states, column in ways:
        count, ids, names = _held(taking, fed, states, column)
        if count:
            taking.result.in_the_way.append(standing(why, fed.table, names, count, ids))
    count, _, names = _held(taking, fed, "'left'", "left_id")
    if count:
        rows = "1 row" if count == 1 else f"{count:,} rows"
        taking.result.notes.append(
            f"Documents of {names} hold ids of {rows} of {fed.name} that would go; somebody said that they may"
            " (refs rewrite --undo --leave-ids). They lead nowhere until a copy brings the rows again."
        )


def _held(taking: Taking, fed: FedTable, states: LiteralString, column: str) -> tuple[int, list[str], str]:
    """Return how many rows that go have their ids in documents, the first ids, and the names of the collections."""
    rows = sql.SQL(
        "SELECT g.text, l.collection FROM isthmus.rewrite_log l JOIN {going} g ON g.text = l.{column}"
        " WHERE l.state IN ({states})"
    ).format(going=taking.going(fed), column=sql.Identifier(column), states=sql.SQL(states))
    count, ids = taking.texts(sql.SQL("SELECT DISTINCT text FROM ({}) AS h").format(rows))
    if not count:
        return 0, [], ""
    names = taking.sides.connection.execute(
        sql.SQL("SELECT string_agg(DISTINCT collection, ', ') FROM ({}) AS h").format(rows)
    ).fetchone()
    return count, ids, str(names[0]) if names else ""
