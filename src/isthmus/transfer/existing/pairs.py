"""Pairs of junctions: how they are delivered, and which document it costs where the real table refuses one."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.connect.postgres import meaning
from isthmus.transfer.existing import kept_values
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.pair_state import insert_pairs, is_remembered, was_there
from isthmus.transfer.existing.pieces import Chosen, refusal, swallowed, whole_or_pieces
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.finishing.junctions import pairs_of
from isthmus.transfer.job import Job
from isthmus.transfer.staging import PairTable, pair_tables


def deliver_pairs(sides: Sides, refused: Refused, fed: FedTable) -> tuple[int, int, int]:
    """Insert the pairs that are not there yet; none of a document that somebody deleted there, nor one that was.

    Args:
        sides: The delivery.
        refused: Gets the documents that hold a pair which the server refuses. Of a pair that both sides name it is the
            document of the side that the mapping names first: the other one's reference then leads nowhere.
        fed: The junction.

    Returns:
        Pairs inserted, pairs left as they were, and those among them that somebody deleted, which are noted in
        `isthmus.kept_value`; of no meaning when documents were refused.

    Raises:
        TargetError: A pair is refused that no document of the copy holds (code `delivery-refused`), or a trigger
            swallows pairs (`rows-swallowed`).
    """
    wanted = _wanted(sides, fed)
    try:
        with sides.connection.transaction():
            inserted = _insert(sides, fed, wanted)
    except psycopg.Error as fault:
        if meaning(fault) != "data":
            raise
        inserted = _insert_by_document(sides, refused, fed, wanted)
        if not refused:
            raise refusal(sides, fed, fault) from None
    staged = sides.one(sql.SQL("SELECT count(*) FROM {}").format(sides.staged(fed.name)))
    return inserted, staged - inserted, _note_deleted(sides, fed, wanted)


def _wanted(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of stage pairs (`s`) whose documents were not deleted in the target."""
    condition = sql.SQL("true").format()
    for column in fed.columns:
        target = sides.target_of(column.column, fed.table)
        if target in sides.judged:
            condition += sql.SQL(
                " AND NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{} AND v.verdict = 'deleted')"
            ).format(sides.temporary("verdict", str(target)), sql.Identifier(column.name))
    return condition


def _insert(sides: Sides, fed: FedTable, condition: sql.Composable) -> int:
    """Insert pairs of the stage (`s`) that are not there yet."""
    names = [sql.Identifier(column.name) for column in fed.columns]
    source, absent = _pairs(sides, fed, condition), _absent(sides, fed)
    if is_remembered(sides.job.mapping, fed):
        absent += sql.SQL(" AND NOT ") + was_there(fed, "p")
    expected = sides.one(sql.SQL("SELECT count(*) FROM ({}) AS p WHERE {}").format(source, absent))
    wanted = sql.SQL("SELECT {} FROM ({}) AS p WHERE {}").format(
        sql.SQL(", ").join(sql.SQL("p.{}").format(name) for name in names), source, absent
    )
    inserted = insert_pairs(sides, fed, wanted)
    if inserted != expected:
        raise swallowed(fed, expected, inserted)
    return inserted


def _pairs(sides: Sides, fed: FedTable, condition: sql.Composable) -> sql.Composed:
    """Return the query of the pairs of the stage (`s`), each once, as the real table would hold them."""
    return sql.SQL("SELECT DISTINCT {} FROM {} s WHERE {}").format(
        sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sides.value(column, fed.table), sql.Identifier(column.name))
            for column in fed.columns
        ),
        sides.staged(fed.name),
        condition,
    )


def _absent(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL that is true of pairs (`p`) that the real table does not hold."""
    names = [sql.Identifier(column.name) for column in fed.columns]
    same = sql.SQL(" AND ").join(sql.SQL("t.{0} = p.{0}").format(name) for name in names)
    return sql.SQL("NOT EXISTS (SELECT FROM {} t WHERE {})").format(sides.real(fed.name), same)


def _note_deleted(sides: Sides, fed: FedTable, condition: sql.Composable) -> int:
    """Note pairs that a copy had inserted and somebody deleted since; return how many."""
    if not is_remembered(sides.job.mapping, fed):
        return 0
    pairs = sql.SQL("({}) AS p WHERE {} AND {}").format(
        _pairs(sides, fed, condition), _absent(sides, fed), was_there(fed, "p")
    )
    return kept_values.note_pairs(sides, fed, pairs)


def _insert_by_document(sides: Sides, refused: Refused, fed: FedTable, wanted: sql.Composed) -> int:
    """Insert the pairs of ever fewer documents, until those that hold refused ones are known."""
    feeding = list(pair_tables(sides.job.feeders, sides.job.schema).values())
    holders = [pairs for pairs in feeding if pairs.junction == fed.name]
    sides.do(sql.SQL("DROP TABLE IF EXISTS pg_temp.held"))
    names = [sql.Identifier(column.name) for column in fed.table.columns]
    union = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}::integer AS side, q.{} AS own, q.{}, q.{} FROM ({}) AS q").format(
            sql.Literal(number), sql.Identifier(pairs.own), *names, pairs_of(sides.job, fed.table, pairs)
        )
        for number, pairs in enumerate(holders)
    )
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE held ON COMMIT DROP AS SELECT DISTINCT ON ({0}, {1}) side, own, {0}, {1}"
            " FROM ({2}) AS u ORDER BY {0}, {1}, side"
        ).format(*names, union)
    )
    sides.do(sql.SQL("CREATE INDEX ON pg_temp.held ({}, {})").format(*names))
    sides.do(sql.SQL("ANALYZE pg_temp.held"))
    inserted = 0
    for number, pairs in enumerate(holders):
        inserted += _insert_side(sides, refused, fed, wanted, number, pairs)
    return inserted


def _insert_side(
    sides: Sides, refused: Refused, fed: FedTable, wanted: sql.Composed, number: int, pairs: PairTable
) -> int:
    same = sql.SQL(" AND ").join(
        sql.SQL("h.{0} = s.{0}").format(sql.Identifier(column.name)) for column in fed.table.columns
    )

    def work(chosen: Chosen) -> int:
        held = sql.SQL("EXISTS (SELECT FROM pg_temp.held h WHERE h.side = {} AND {} AND {})").format(
            sql.Literal(number), same, chosen(sql.SQL("h.own"))
        )
        return _insert(sides, fed, sql.SQL("{} AND {}").format(wanted, held))

    ids = sql.SQL("SELECT DISTINCT own AS id FROM pg_temp.held WHERE side = {}").format(sql.Literal(number))
    root = sides.existing.tables[sides.job.mapping.collections[pairs.flow.entry].table]
    return whole_or_pieces(sides, refused, fed, ids, work, root=root)


def drop_pairs(job: Job, connection: psycopg.Connection) -> None:
    """Drop the tables that pairs waited in, inside the caller's transaction. Safe to repeat."""
    for pairs in pair_tables(job.feeders, job.schema).values():
        if not pairs.in_place:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(pairs.identifier))
