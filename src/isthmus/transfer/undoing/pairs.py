"""Which pairs of junctions go: those that a copy inserted, of rows that go or of documents that are taken back."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from isthmus.mapping.tables import Reference
from isthmus.transfer.existing.beside import beside_text, digest_of
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.pair_state import pair_ids
from isthmus.transfer.existing.waiting import keys_of
from isthmus.transfer.undoing.references import BACK, values_of
from isthmus.transfer.undoing.result import Why, standing
from isthmus.transfer.undoing.taking import Taking

_STANDS: dict[str, Why] = {"added": "pair-added", "edited": "pair-edited"}


def look_at_pairs(taking: Taking) -> None:
    """Fill `going_N` of each junction, add to `going_back` what waits again, and enter what the pairs came to."""
    for fed in taking.junctions:
        for _, reference, root in _sides(taking, fed):
            waiting_for(taking, root, reference.column)  # as long as the rows are there
        _judge(taking, fed)
        _enter(taking, fed)


def waiting_for(taking: Taking, root: FedTable, column: str) -> sql.Composed:
    """Return SQL that is true of an entry `p` of what waits whose own row is taken back."""
    return taking.holds(root, column, sql.SQL("p.row_id"), "goes", "stays")


def _sides(taking: Taking, fed: FedTable) -> Iterator[tuple[str, Reference, FedTable]]:
    """Yield the columns that lead to rows which are taken back: name, reference, root table."""
    taken = {root.name: root for root in taking.roots}
    for there in fed.columns:
        reference = there.column.reference
        if reference is not None and reference.table in taken:
            yield there.name, reference, taken[reference.table]


def _judge(taking: Taking, fed: FedTable) -> None:
    sides = taking.sides
    parts = {
        "pairs": sql.Identifier(f"pairs_{sides.number(fed.name)}"),
        "going": sql.Identifier(f"going_{sides.number(fed.name)}"),
        "columns": sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(column.name)) for column in fed.columns),
        "real": sides.real(fed.name),
        "ids": pair_ids(fed, "t"),
        "beside": digest_of(beside_text(fed, "t")),
        "schema": sql.Literal(sides.existing.schema),
        "name": sql.Literal(fed.name),
        "touching": _any(
            taking.holds(root, reference.column, sql.SQL("t.{}::text").format(sql.Identifier(name)))
            for name, reference, root in _sides(taking, fed)
        ),
        "left": _of_rows_that_stay(taking, fed),
    }
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {pairs} ON COMMIT DROP AS SELECT t.*, CASE WHEN t.beside IS NULL THEN 'added'"
            " WHEN t.beside <> t.beside_now THEN 'edited' ELSE 'goes' END AS verdict FROM (SELECT {columns},"
            " {ids} AS ids, {beside} AS beside_now, p.beside_digest AS beside, {touching} AS touches FROM {real} t"
            " LEFT JOIN isthmus.pair_state p ON p.table_schema = {schema} AND p.table_name = {name} AND p.ids = {ids}"
            " WHERE {touching} OR (p.ids IS NOT NULL AND {left})) AS t"
        ).format(**parts)
    )
    _let_wait(taking, fed)
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {going} ON COMMIT DROP AS SELECT {columns}, t.ids FROM pg_temp.{pairs} t"
            " WHERE t.verdict = 'goes'"
        ).format(**parts)
    )
    sides.do(
        sql.SQL("CREATE INDEX ON pg_temp.{going} ({columns})").format(
            going=parts["going"], columns=sql.SQL(", ").join(sql.Identifier(column.name) for column in fed.columns)
        )
    )
    sides.do(sql.SQL("ANALYZE pg_temp.{going}").format(**parts))


def _any(conditions: Iterator[sql.Composed]) -> sql.Composed:
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))


def _of_rows_that_stay(taking: Taking, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of pairs that only documents which are taken back give, and whose own row stays."""
    feeders = [feeder for feeder in taking.sides.job.feeders if feeder.junction == fed.name]
    if not feeders or not {feeder.collection for feeder in feeders} <= set(taking.collections):
        return sql.SQL("false").format()
    owned = {feeder.own for feeder in feeders}
    stays = [
        taking.holds(root, reference.column, sql.SQL("t.{}::text").format(sql.Identifier(name)), "stays")
        for name, reference, root in _sides(taking, fed)
        if name in owned
    ]
    return _any(iter(stays)) if stays else sql.SQL("false").format()


def _let_wait(taking: Taking, fed: FedTable) -> None:
    """Let pairs wait again that documents of collections which stay name, too.

    Where no foreign key asks for the row, such a pair stays in the junction meanwhile, as a copy leaves it.
    """
    sides, names = taking.sides, [column.name for column in fed.columns]
    taken = set(taking.collections)
    holding = {f.own for f in sides.job.feeders if f.junction == fed.name and f.collection not in taken}
    pairs = sides.temporary("pairs", fed.name)
    for name, reference, root in _sides(taking, fed):
        own = next(one for one in names if one != name)
        if own not in holding:
            continue
        by = reference.by if reference.lookup and reference.by is not None else reference.column
        looked_up = reference.lookup
        empties = looked_up or bool(keys_of(fed, name))
        parts = {
            "back": BACK,
            "table": sql.Literal(fed.name),
            "name": sql.Literal(name),
            "own": sql.Literal(own),
            "own_column": sql.Identifier(own),
            "column": sql.Identifier(name),
            "target": sql.Literal(root.name),
            "empties": sql.Literal(empties),
            "pairs": pairs,
            "values": values_of(taking, root, reference.column, by),
            "other_goes": _other_goes(taking, fed, own),
        }
        sides.do(
            sql.SQL(
                "INSERT INTO {back} SELECT {table}, {name}, {own}, t.{own_column}::text, '{{}}'::integer[], {target},"
                " v.by, NULL, {name}, {empties} FROM {pairs} t JOIN {values} ON v.value = t.{column}::text"
                " WHERE t.verdict = 'goes' AND NOT {other_goes}"
            ).format(**parts)
        )
        if not empties:
            sides.do(
                sql.SQL(
                    "UPDATE {pairs} t SET verdict = 'waits' FROM {values} WHERE v.value = t.{column}::text"
                    " AND t.verdict = 'goes' AND NOT {other_goes}"
                ).format(**parts)
            )


def _other_goes(taking: Taking, fed: FedTable, own: str) -> sql.Composed:
    for name, reference, root in _sides(taking, fed):
        if name == own:
            return taking.holds(root, reference.column, sql.SQL("t.{}::text").format(sql.Identifier(own)))
    return sql.SQL("false").format()


def _enter(taking: Taking, fed: FedTable) -> None:
    sides, result, pairs = taking.sides, taking.result, taking.sides.temporary("pairs", fed.name)
    result.removed[fed.name] += sides.one(sql.SQL("SELECT count(*) FROM {}").format(taking.going(fed)))
    for verdict, why in _STANDS.items():
        count, ids = taking.texts(
            sql.SQL("SELECT array_to_string(ids, ' ↔ ') FROM {} WHERE verdict = {} AND touches").format(
                pairs, sql.Literal(verdict)
            )
        )
        if count:
            result.in_the_way.append(standing(why, fed.table, "", count, ids))
    count, ids = taking.texts(_removed(taking, fed))
    if count:
        result.in_the_way.append(standing("pair-removed", fed.table, "", count, ids))


def _removed(taking: Taking, fed: FedTable) -> sql.Composed:
    """Return a query of pairs that somebody took away although the rows of both sides are there."""
    sides = taking.sides
    order = sorted(column.name for column in fed.columns)
    there = sql.SQL(" AND ").join(
        sql.SQL("t.{}::text = p.ids[{}]").format(sql.Identifier(name), sql.Literal(n))
        for n, name in enumerate(order, 1)
    )
    touching = _any(
        taking.holds(root, reference.column, sql.SQL("p.ids[{}]").format(sql.Literal(order.index(name) + 1)))
        for name, reference, root in _sides(taking, fed)
    )
    alive = [
        sql.SQL("EXISTS (SELECT FROM {} x WHERE x.{}::text = p.ids[{}])").format(
            sides.real(there_.column.reference.table),
            sql.Identifier(there_.column.reference.column),
            sql.Literal(order.index(there_.name) + 1),
        )
        for there_ in fed.columns
        if there_.column.reference is not None
    ]
    return sql.SQL(
        "SELECT array_to_string(p.ids, ' ↔ ') FROM isthmus.pair_state p WHERE p.table_schema = {} AND p.table_name = {}"
        " AND {} AND NOT EXISTS (SELECT FROM {} t WHERE {}) AND {}"
    ).format(
        sql.Literal(sides.existing.schema),
        sql.Literal(fed.name),
        touching,
        sides.real(fed.name),
        there,
        sql.SQL(" AND ").join(alive) if alive else sql.SQL("true"),
    )
