"""Which documents are one thing (`on_duplicate: merge`): decided for all tables together, before any is joined.

Documents are one where they, or the rows they become, hold the same values in all columns of a unique index or key; so
are all that are one with either of them. Of an identity the only such column is the hidden one of the thing, which was
found out before; the document stays whose own id is the thing's. What is joined changes what references hold and fills
rows, so rounds are gone until one finds nothing. All stands in temporary tables of the session; in memory are one page
of ids, and the ids of one group while it is put in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import groupby
from typing import NamedTuple

import psycopg
from psycopg import sql

from isthmus._rust import compare_ids
from isthmus.connect.postgres import first_number
from isthmus.mapping.tables import HIDDEN_FILLED, HIDDEN_THING, Column, Index, Table
from isthmus.transfer.document_rows import flow_column, key_column, key_type
from isthmus.transfer.finishing.holders import held_rows
from isthmus.transfer.finishing.origins import PASS_IDS, bson_ids
from isthmus.transfer.job import Job
from isthmus.transfer.joining.components import find_components
from isthmus.transfer.joining.filling import Filling
from isthmus.transfer.joining.joined import told_defaults
from isthmus.transfer.joining.moves import Aim, Moves, current_value, lay_out

MEMBERS = sql.Identifier("pg_temp", "member")
"""Where the members of all groups are: `root` (table), `id`, `keeper`, `place` in the group, `flow`, `source_id`."""

_CREATE_MEMBERS = """
CREATE TEMP TABLE member (
    root text NOT NULL, id text COLLATE "C" NOT NULL, keeper text COLLATE "C" NOT NULL, place integer NOT NULL,
    flow integer NOT NULL, source_id bytea
)"""
_SCRATCH = ("member", "edge", "component", "placed", "alone", "filled")
_PAGE = 10_000
_GROUP, _RANK = sql.Identifier("_keeper"), sql.Identifier("_rank")


@dataclass(frozen=True)
class MergedTable:
    """A root table whose documents are joined.

    Attributes:
        table: The table.
        uniques: Its primary key and unique indexes, but for what keeps ids apart.
    """

    table: Table
    uniques: tuple[Index, ...]


def decide_groups(job: Job, connection: psycopg.Connection, merged: Sequence[MergedTable]) -> int:
    """Find out which documents are one, and write it to `MEMBERS`.

    Args:
        job: The copy, with unique ids, no orphans, and look-ups and routes settled.
        connection: Autocommit connection.
        merged: The tables whose documents are joined.

    Returns:
        How many documents are joined into others.

    Raises:
        SourceError, InternalError: As `origins.bson_ids`.
    """
    drop_groups(connection)
    connection.execute(_CREATE_MEMBERS.encode())
    connection.execute("CREATE INDEX ON pg_temp.member USING hash (id)")
    rounds = [_Rounds(job, connection, one) for one in sorted(merged, key=lambda one: one.table.name)]
    # a table that is settled is looked at again when another one, which it may point at, has changed
    while any(one.join() for one in rounds):
        job.check_stop()
    return first_number(connection.execute("SELECT count(*) FROM pg_temp.member WHERE place > 0"))


def drop_groups(connection: psycopg.Connection) -> None:
    """Drop the temporary tables of a decision."""
    for name in _SCRATCH:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))


class _Rounds:
    """One table's rounds."""

    def __init__(self, job: Job, connection: psycopg.Connection, merged: MergedTable) -> None:
        self._job = job
        self._connection = connection
        self._table = merged.table
        self._moves = Moves(job, MEMBERS)
        self._aims = self._moves.aims_of(merged.table)
        self._key = sql.Identifier(key_column(merged.table))
        self._kind = key_type(merged.table, job.schema.schema)
        self._root = sql.Literal(merged.table.name)
        self._uniques = merged.uniques

    def join(self) -> bool:
        """Join the groups that hold a value together; tell whether there were any."""
        if not self._uniques:
            return False
        self._job.check_stop()
        columns = self._columns()
        self._find_edges(columns)
        # what a row holds in one column alone, and for good, is never news again
        self._uniques = tuple(one for one in self._uniques if one.where is not None or self._may_change(one.columns))
        if not find_components(self._connection):
            return False
        self._enter_members()
        self._know_ids()
        self._put_in_order()
        return True

    def _may_change(self, columns: Sequence[str]) -> bool:
        return len(columns) > 1 or not self._aims.keys().isdisjoint(columns)

    def _columns(self) -> list[Column]:
        """Return the columns that must be known: of the indexes; all of them where a condition may name any."""
        names = {name for one in self._uniques for name in one.columns}
        conditional = any(one.where is not None for one in self._uniques)
        if told_defaults(self._table) & names:
            names.add(HIDDEN_FILLED)
        routed = {
            name
            for column in self._table.columns
            if column.name in names and column.reference is not None
            for name in column.reference.routed
        }
        return [one for one in self._table.columns if conditional or one.name in names | routed]

    def _do(self, statement: sql.SQL | sql.Composed) -> None:
        self._connection.execute(statement)

    def _find_edges(self, columns: Sequence[Column]) -> None:
        """Write pairs of groups that are one to `pg_temp.edge`: by the rows of each document, and by those filled."""
        laid: dict[Aim, sql.Identifier] = {}
        names = {column.name for column in columns}
        for column, aims in self._aims.items():
            for _, aim in aims if column in names else ():
                if aim not in laid:
                    name = f"moved {len(laid)}"
                    lay_out(self._connection, name, self._moves.query(aim))
                    laid[aim] = sql.Identifier("pg_temp", name)
        values = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(
                current_value(column, self._aims.get(column.name, ()), laid), sql.Identifier(column.name)
            )
            for column in columns
        )
        alone = sql.SQL(
            'SELECT coalesce(m.keeper, r.{key}::text COLLATE "C") AS {group}, m.place AS {rank}, {values}'
            " FROM {rows} r {kind} JOIN pg_temp.member m ON m.root = {root} AND m.id = r.{key}::text"
        )
        parts = {
            "key": self._key,
            "group": _GROUP,
            "rank": _RANK,
            "values": values,
            "rows": sql.Identifier(self._job.schema.schema, self._table.name),
            "root": self._root,
        }
        for name in ("alone", "filled", "edge"):
            self._do(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))
        self._do(sql.SQL("CREATE TEMP TABLE alone AS {}").format(alone.format(kind=sql.SQL(""), **parts)))
        self._do(sql.SQL("CREATE INDEX ON pg_temp.alone USING hash ({})").format(_GROUP))
        self._connection.execute("ANALYZE pg_temp.alone")
        # who joins a table of things looks at the thing alone, for which nothing wins
        told = told_defaults(self._table) if HIDDEN_FILLED in names else ()
        filling = Filling(sql.Identifier("pg_temp", "alone"), sql.SQL("l.{0} = k.{0}").format(_GROUP), told=told)
        filled = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(value, sql.Identifier(column.name)) for column, value in filling.values(columns)
        )
        self._do(
            sql.SQL(
                "CREATE TEMP TABLE filled AS SELECT k.{group}, NULL::integer AS {rank}, {filled}"
                " FROM (SELECT DISTINCT {group} FROM pg_temp.alone) k"
            ).format(group=_GROUP, rank=_RANK, filled=filled)
        )
        self._do(sql.SQL('CREATE TEMP TABLE edge (a text COLLATE "C", b text COLLATE "C")'))
        rows = alone.format(kind=sql.SQL("LEFT"), **parts) + sql.SQL(" UNION ALL SELECT * FROM pg_temp.filled")
        for one in self._uniques:
            self._do(_edges(one, rows))
        for place in laid.values():
            self._do(sql.SQL("DROP TABLE {}").format(place))

    def _enter_members(self) -> None:
        """Let the groups of each component be one, in no order yet."""
        self._do(
            sql.SQL(
                "UPDATE pg_temp.member m SET keeper = c.root FROM pg_temp.component c"
                " WHERE m.root = {root} AND m.keeper = c.node AND c.root <> c.node"
            ).format(root=self._root)
        )
        self._do(
            sql.SQL(
                "INSERT INTO pg_temp.member SELECT {root}, c.node, c.root, 0, {flow}, NULL FROM pg_temp.component c"
                " JOIN {rows} r ON r.{key} = c.node::{kind} WHERE NOT EXISTS"
                " (SELECT FROM pg_temp.member m WHERE m.root = {root} AND m.id = c.node)"
            ).format(
                root=self._root,
                flow=flow_column(self._table),
                rows=sql.Identifier(self._job.schema.schema, self._table.name),
                key=self._key,
                kind=self._kind,
            )
        )
        self._connection.execute("ANALYZE pg_temp.member")

    def _know_ids(self) -> None:
        """Learn the `_id` of every new member."""
        for flow in self._table.flows:
            while ids := self._connection.execute(
                "SELECT id FROM pg_temp.member WHERE root = %s AND flow = %s AND source_id IS NULL LIMIT %s",
                (self._table.name, flow.number, PASS_IDS),
            ).fetchall():
                known = bson_ids(self._job, self._connection, flow, [str(one) for (one,) in ids])
                self._connection.execute(
                    "UPDATE pg_temp.member m SET source_id = u.source_id FROM unnest(%s::text[], %s::bytea[])"
                    " AS u(id, source_id) WHERE m.root = %s AND m.id = u.id",
                    (list(known), list(known.values()), self._table.name),
                )

    def _put_in_order(self) -> None:
        """Number the members of each changed group by their `_id`, of equal ones by their flow; the first one stays."""
        self._connection.execute("DROP TABLE IF EXISTS pg_temp.placed")
        self._connection.execute("CREATE TEMP TABLE placed (id text, keeper text, place integer)")
        query = sql.SQL(
            "SELECT m.keeper, m.id, m.flow, m.source_id, {} FROM pg_temp.member m{} WHERE m.root = {} AND EXISTS"
            " (SELECT FROM pg_temp.component c WHERE c.root = m.keeper) ORDER BY m.keeper, m.id"
        ).format(*self._is_the_thing(), self._root)
        page: list[tuple[str, str, int]] = []
        rows = held_rows(self._connection, query.as_string(self._connection))
        for placed in _placed(rows):
            page.append(placed)
            if len(page) == _PAGE:
                self._enter_places(page)
                page = []
        self._enter_places(page)
        self._connection.execute("ANALYZE pg_temp.placed")
        self._connection.execute(
            "UPDATE pg_temp.member m SET keeper = p.keeper, place = p.place FROM pg_temp.placed p"
            " WHERE m.root = %s AND m.id = p.id",
            (self._table.name,),
        )

    def _is_the_thing(self) -> tuple[sql.Composable, sql.Composable]:
        """Return SQL that is true of a member `m` whose id is the thing's, which stays, whatever its `_id`; and a join.

        It is a join of texts, for an index on a key of texts has another collation than the members.
        """
        if self._table.name not in self._job.mapping.thing_tables:
            return sql.SQL("false"), sql.SQL("")
        join = sql.SQL(
            ' LEFT JOIN {rows} r ON r.{key}::text COLLATE "C" = m.id AND r.{thing} COLLATE "C" = m.id'
        ).format(
            rows=sql.Identifier(self._job.schema.schema, self._table.name),
            key=self._key,
            thing=sql.Identifier(HIDDEN_THING),
        )
        return sql.SQL("r.{} IS NOT NULL").format(self._key), join

    def _enter_places(self, page: Sequence[tuple[str, str, int]]) -> None:
        self._connection.execute(
            "INSERT INTO pg_temp.placed SELECT * FROM unnest(%s::text[], %s::text[], %s::integer[])",
            ([one[0] for one in page], [one[1] for one in page], [one[2] for one in page]),
        )


def _edges(index: Index, rows: sql.Composable) -> sql.Composed:
    """Return the statement that writes an edge from each group to the lowest one that holds the same values."""
    columns = [sql.Identifier(name) for name in index.columns]
    present = [sql.SQL("x.{} IS NOT NULL").format(name) for name in columns]
    if index.where:
        present.append(sql.SQL(f"({index.where}\n)"))  # pyright: ignore[reportArgumentType]  the mapping's own SQL
    return sql.SQL(
        "INSERT INTO pg_temp.edge SELECT DISTINCT w.a, w.b FROM (SELECT x.{group} AS a, min(x.{group})"
        " OVER (PARTITION BY {columns}) AS b FROM ({rows}) x WHERE {present}) w WHERE w.a <> w.b"
    ).format(
        group=_GROUP,
        columns=sql.SQL(", ").join(sql.SQL("x.{}").format(name) for name in columns),
        rows=rows,
        present=sql.SQL(" AND ").join(present),
    )


class _Member(NamedTuple):
    group: str
    id: str
    flow: int
    source_id: bytes
    stays: bool


def _placed(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[str, str, int]]:
    """Yield id, id of the one that stays and place of each member.

    Args:
        rows: (group, id, flow, `_id`, whether it stays whatever its `_id`), by group.
    """
    members = (
        _Member(str(group), str(own), int(str(flow)), _bytes(source_id), bool(stays))
        for group, own, flow, source_id, stays in rows
    )
    for _, group in groupby(members, key=lambda member: member.group):
        ordered = sorted(group, key=cmp_to_key(_compare))
        for place, member in enumerate(ordered):
            yield member.id, ordered[0].id, place


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def _compare(left: _Member, right: _Member) -> int:
    return right.stays - left.stays or compare_ids(left.source_id, right.source_id) or left.flow - right.flow
