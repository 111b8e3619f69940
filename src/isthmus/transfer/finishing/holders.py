"""Who holds a unique value that several documents hold, and which of them leave.

Rows and decisions stand in temporary tables of the session (`pg_temp.rivals`, `pg_temp.kept`, `pg_temp.leaving`), not
in memory: a value may be held by millions of documents. What becomes of those that leave is for the caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cmp_to_key

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Index, Table
from isthmus.transfer.document_rows import flow_column, key_column
from isthmus.transfer.finishing.origins import bson_ids, chunks
from isthmus.transfer.finishing.places import shown_value
from isthmus.transfer.finishing.rivals import leaving
from isthmus.transfer.job import Job

_FETCHED_ROWS = 1_000
_SCRATCH = ("rivals", "kept", "leaving")


@dataclass(frozen=True, slots=True)
class Loser:
    """A document that cannot stay.

    Attributes:
        flow: The flow that its rows came by.
        id: Its id in the target, as text.
        keeper: Id of the document that stays with the value; None when it holds the value more than once itself.
        keeper_flow: That document's flow.
        shown: What a message may show of the value.
    """

    flow: Flow
    id: str
    keeper: str | None
    keeper_flow: Flow | None
    shown: str


def losers(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> Iterator[Loser]:
    """Yield the documents that leave so that a unique index can be built, each once.

    All are decided before the first is yielded, so the caller may remove them meanwhile. One that is left over by a
    crash is found again, and for the same reason.

    Memory: one page of ids; for a child table the ids of all documents with such a value, because one of them may
    hold several, and who stays shows only when all are known.

    Args:
        job: The copy.
        connection: Autocommit connection; gets temporary tables, dropped after the last document.
        table: Root or child table.
        index: A unique index of it.

    Raises:
        SourceError, InternalError: As `origins.bson_ids`.
    """
    _drop_scratch(connection)
    _collect(job, connection, table, index)
    decide = _decide_alone if table.kind == "root" else _decide_together
    decide(job, connection, table)
    query = (
        "SELECT min(r.flow), l.id, l.keeper, min(k.flow), min(r.shown) FROM pg_temp.leaving l"
        " JOIN pg_temp.rivals r USING (number, id)"
        " LEFT JOIN pg_temp.rivals k ON k.number = l.number AND k.id = l.keeper GROUP BY l.id, l.keeper ORDER BY l.id"
    )
    flows = {flow.number: flow for flow in table.flows}
    for flow, row_id, keeper, keeper_flow, shown in held_rows(connection, query):
        yield Loser(
            flows[int(str(flow))],
            str(row_id),
            None if keeper is None else str(keeper),
            None if keeper_flow is None else flows[int(str(keeper_flow))],
            str(shown),
        )
    _drop_scratch(connection)


def _drop_scratch(connection: psycopg.Connection) -> None:
    for name in _SCRATCH:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))


def _collect(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> None:
    """Write every row whose value another row holds too: number of the value, in its order; document; value shown.

    An id stands for one document, whatever its flow: ids are unique in the table before its other keys are built.
    """
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in index.columns)
    present = [sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in index.columns]
    if index.where:
        present.append(sql.SQL(f"({index.where}\n)"))  # pyright: ignore[reportArgumentType]  the mapping's own SQL
    aliases = [sql.Identifier(f"value {number}") for number in range(len(index.columns))]
    values = [
        sql.SQL("{} AS {}").format(sql.Identifier(name), alias)
        for name, alias in zip(index.columns, aliases, strict=True)
    ]
    connection.execute(
        sql.SQL(
            "CREATE TABLE pg_temp.rivals AS SELECT dense_rank() OVER (ORDER BY {aliases}) AS number, flow, id, shown"
            " FROM (SELECT {flow} AS flow, {key}::text AS id, {shown} AS shown, {values},"
            " count(*) OVER (PARTITION BY {columns}) AS holders FROM {table} WHERE {present}) AS held WHERE holders > 1"
        ).format(
            aliases=sql.SQL(", ").join(aliases),
            flow=flow_column(table),
            key=sql.Identifier(key_column(table)),
            shown=shown_value(table, index.columns),
            values=sql.SQL(", ").join(values),
            columns=columns,
            table=sql.Identifier(job.schema.schema, table.name),
            present=sql.SQL(" AND ").join(present),
        )
    )
    connection.execute("CREATE TABLE pg_temp.leaving (number bigint, id text, keeper text)")


def held_rows(connection: psycopg.Connection, query: str) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a query, held on the server over the caller's transactions."""
    with connection.cursor("held", withhold=True) as cursor:
        cursor.itersize = _FETCHED_ROWS
        cursor.execute(query.encode())
        yield from cursor


def _bson_ids(
    job: Job, connection: psycopg.Connection, table: Table, flow_of: dict[str, int]
) -> dict[str, tuple[bytes, int]]:
    """Return `_id` and number of the flow of each document, by which documents of one table are ordered."""
    found: dict[str, tuple[bytes, int]] = {}
    for flow in table.flows:
        mine = [row_id for row_id, number in flow_of.items() if number == flow.number]
        if mine:
            known = bson_ids(job, connection, flow, mine)
            found.update((row_id, (source_id, flow.number)) for row_id, source_id in known.items())
    return found


def _compare(left: tuple[bytes, int], right: tuple[bytes, int]) -> int:
    return compare_ids(left[0], right[0]) or left[1] - right[1]


def _decide_alone(job: Job, connection: psycopg.Connection, table: Table) -> None:
    """Decide for a root table, where each document holds one value: all but the lowest `_id` of a value leave."""
    connection.execute("CREATE TABLE pg_temp.kept (number bigint, id text)")
    last: tuple[int, str, tuple[bytes, int]] | None = None  # of the value in hand, the lowest so far
    rows = held_rows(connection, "SELECT number, flow, id FROM pg_temp.rivals ORDER BY number, id")
    numbered = ((int(str(number)), int(str(flow)), str(row_id)) for number, flow, row_id in rows)
    for chunk in chunks(numbered, lambda row: len(row[2])):
        job.check_stop()
        known = _bson_ids(job, connection, table, {row_id: flow for _, flow, row_id in chunk})
        kept: list[tuple[int, str]] = []
        for number, _, row_id in chunk:
            place = known[row_id]
            if last is None or last[0] != number:
                if last is not None:
                    kept.append(last[:2])
                last = (number, row_id, place)
            elif _compare(place, last[2]) < 0:
                last = (number, row_id, place)
        _insert_kept(connection, kept)
    if last is not None:
        _insert_kept(connection, [last[:2]])
    connection.execute(
        "INSERT INTO pg_temp.leaving SELECT r.number, r.id, k.id FROM pg_temp.rivals r"
        " JOIN pg_temp.kept k USING (number) WHERE r.id <> k.id"
    )


def _insert_kept(connection: psycopg.Connection, kept: list[tuple[int, str]]) -> None:
    connection.execute(
        "INSERT INTO pg_temp.kept SELECT * FROM unnest(%s::bigint[], %s::text[])",
        ([number for number, _ in kept], [row_id for _, row_id in kept]),
    )


def _decide_together(job: Job, connection: psycopg.Connection, table: Table) -> None:
    """Decide for a child table, where a document may hold several values, and one value several times."""
    groups: list[list[str]] = []
    same: dict[str, str] = {}
    flow_of: dict[str, int] = {}
    last: object = None
    for number, flow, row_id in held_rows(
        connection, "SELECT number, flow, id FROM pg_temp.rivals ORDER BY number, id"
    ):
        if not groups or number != last:
            groups.append([])
            last = number
        groups[-1].append(same.setdefault(str(row_id), str(row_id)))
        flow_of[groups[-1][-1]] = int(str(flow))
    known = _bson_ids(job, connection, table, flow_of)
    order = cmp_to_key(_compare)
    rank = {row_id: place for place, row_id in enumerate(sorted(known, key=lambda one: (order(known[one]), one)))}
    leave = leaving(groups, rank, len(rank) or 1)
    for chunk in chunks(leave.items(), lambda item: len(item[0])):
        connection.execute(
            "INSERT INTO pg_temp.leaving SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[])",
            (
                [why.group + 1 for _, why in chunk],  # dense_rank counts from 1
                [row_id for row_id, _ in chunk],
                [why.keeper for _, why in chunk],
            ),
        )
