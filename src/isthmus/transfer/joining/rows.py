"""What joining documents means for rows: filled columns, children, ids, books. One transaction.

Temporary tables of the transaction hold who is joined into whom (`pg_temp.joined`) and the rows as they were
(`pg_temp.joined_row`). References have moved before, to and from these rows (`moves`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import HIDDEN_SOURCE, Table
from isthmus.state.checkpoints import add_tally, rows_of
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.finishing.origins import Documents, chunks
from isthmus.transfer.finishing.places import SHOWN_CHARACTERS
from isthmus.transfer.finishing.references import ReferenceSite, positions_of, reference_sites
from isthmus.transfer.job import Job
from isthmus.transfer.joining.filling import Filling, is_filled
from isthmus.transfer.joining.joined import told_defaults, winning
from isthmus.transfer.staging import exists
from isthmus.work.hidden import HIDDEN


@dataclass(frozen=True, slots=True)
class Joined:
    """A document that is joined into another.

    Attributes:
        flow: Its flow.
        id: Its id in the target, as text.
        keeper: Id of the document that stays.
        rank: Its place in the order of `_id` among those that are joined into one.
        source_id: Its `{"_id": value}` as BSON.
    """

    flow: Flow
    id: str
    keeper: str
    rank: int
    source_id: bytes


def join_rows(job: Job, connection: psycopg.Connection, table: Table, members: sql.Composed) -> int:
    """Join documents, inside the caller's transaction.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        table: Their root table.
        members: A query of who is joined into whom: `id`, `keeper`, `place`, `flow`, `source_id`. Nobody stays who is
            joined himself.

    Returns:
        How many documents were joined.
    """
    step = JoinStep(job, connection, table)
    step.begin_with(members)
    before = step.count_references()
    step.take_rows_out()
    step.move_orphans()
    step.fill()
    step.move_children()
    step.enter_conflicts()
    step.move_joined_before()
    count = 0
    for part in chunks(_members(connection, table, members), lambda one: len(one.id) + len(one.source_id)):
        step.enter_ids(part)
        step.enter_documents(part)
        count += len(part)
    step.enter_references(before)
    step.end()
    return count


def _members(connection: psycopg.Connection, table: Table, members: sql.Composed) -> Iterator[Joined]:
    flows = {flow.number: flow for flow in table.flows}
    with connection.cursor("members") as cursor:
        cursor.itersize = _FETCHED_ROWS
        cursor.execute(members)
        for own, keeper, place, flow, source_id in cursor:
            yield Joined(flows[flow], own, keeper, place, source_id)


_FETCHED_ROWS = 1_000


class JoinStep:
    """One transaction's joining."""

    def __init__(self, job: Job, connection: psycopg.Connection, table: Table) -> None:
        self._job = job
        self._connection = connection
        self._table = table
        self._place = sql.Identifier(job.schema.schema, table.name)
        self._key = sql.Identifier(key_column(table))
        self._kind = key_type(table, job.schema.schema)
        self._sites = reference_sites(job)
        filled = {"value", "reference", "constant", "extras"}
        self._columns = [column for column in table.columns if column.role in filled]
        self._winning = winning(job, table)
        self._told = told_defaults(table)
        self._own_tells = True
        # texts that are compared in another order than an index has make no use of it
        is_text = table.column(key_column(table)).type.kind in {"text", "varchar"}
        self._collation = sql.SQL(' COLLATE "default"' if is_text else "")

    def _do(self, statement: sql.SQL | sql.Composed, parameters: Sequence[object] | None = None) -> int:
        return self._connection.execute(statement, parameters).rowcount

    def begin(self, joined: Sequence[Joined], rows: sql.Composable | None = None) -> None:
        """Write down who is joined into whom, and the rows as they are: those in the table, or those of a query."""
        query = sql.SQL("SELECT * FROM unnest({}::text[], {}::text[], {}::integer[]) AS j(id, keeper, place)").format(
            sql.Literal([one.id for one in joined]),
            sql.Literal([one.keeper for one in joined]),
            sql.Literal([one.rank for one in joined]),
        )
        self.begin_with(query, rows)

    def begin_with(self, members: sql.Composable, rows: sql.Composable | None = None) -> None:
        """Do the same with a query of `id`, `keeper` and `place`."""
        self._do(
            sql.SQL(
                "CREATE TEMP TABLE joined ON COMMIT DROP AS SELECT m.id::{kind}{like} AS loser,"
                " m.keeper::{kind}{like} AS keeper, m.place AS rank, m.id AS loser_text, m.keeper AS keeper_text"
                " FROM ({members}) m"
            ).format(kind=self._kind, like=self._collation, members=members)
        )
        self._do(
            sql.SQL(
                "CREATE TEMP TABLE joined_row ON COMMIT DROP AS SELECT r.*, j.keeper AS _keeper, j.rank AS _rank"
                " FROM {place} r JOIN pg_temp.joined j ON r.{key} = j.loser"
            ).format(place=self._place if rows is None else sql.SQL("({})").format(rows), key=self._key)
        )
        for statement in (
            "CREATE UNIQUE INDEX ON pg_temp.joined (loser)",
            "CREATE INDEX ON pg_temp.joined_row (_keeper)",
        ):
            self._connection.execute(statement.encode())
        for name in ("joined", "joined_row"):
            self._do(sql.SQL("ANALYZE pg_temp.{}").format(sql.Identifier(name)))

    def end(self) -> None:
        """Drop what `begin` has made."""
        for name in ("joined", "joined_row", "kept_row"):
            self._do(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))

    def count_references(self) -> Counter[str]:
        """Count the references in the root rows of all concerned, those that wait too."""
        found: Counter[str] = Counter()
        for site in self._own_sites():
            query = sql.SQL(
                "SELECT count({value}) FROM {source} WHERE r.{key} IN (SELECT loser FROM pg_temp.joined UNION"
                " SELECT keeper FROM pg_temp.joined)"
            ).format(value=site.value, source=site.source, key=sql.Identifier(site.key))
            found[site.name] += first_number(self._connection.execute(query))
        return found

    def _own_sites(self) -> Iterable[ReferenceSite]:
        for site in self._sites:
            at_root = site.table == self._table.name and site.shape != "pair"
            if at_root and (not site.shape.startswith("waiting") or exists(self._connection, site.place)):
                yield site

    def take_rows_out(self) -> None:
        self._do(
            sql.SQL("DELETE FROM {place} r USING pg_temp.joined j WHERE r.{key} = j.loser").format(
                place=self._place, key=self._key
            )
        )

    def move_orphans(self) -> None:
        """Let orphans inside arrays be those of the row that takes the array over, before it does.

        Those of arrays that no row takes over stay those of the joined document.
        """
        places = {site.column: site for site in self._sites if site.table == self._table.name}
        for site in [site for site in places.values() if site.shape in {"array", "jsonb"}]:
            column = site.columns[0]
            lacks: sql.Composable = sql.SQL("k.{} IS NULL").format(sql.Identifier(column))
            order: sql.Composable = sql.SQL("l._rank")
            if column in self._told:
                order = sql.SQL("{}, l._rank").format(is_filled("l", column))
            if column in self._told and self._own_tells:
                lacks = sql.SQL("({} OR {})").format(lacks, is_filled("k", column))
            self._do(
                sql.SQL(
                    "UPDATE isthmus.orphan o SET row_id = f.keeper FROM (SELECT DISTINCT ON (l._keeper)"
                    " l.{key}::text AS loser, l._keeper::text AS keeper FROM pg_temp.joined_row l"
                    " JOIN {place} k ON k.{key} = l._keeper AND {lacks} WHERE l.{column} IS NOT NULL"
                    " ORDER BY l._keeper, {order}) f WHERE o.run_id = %s AND o.table_name = %s AND o.column_name = %s"
                    " AND o.row_id = f.loser"
                ).format(key=self._key, place=self._place, column=sql.Identifier(column), lacks=lacks, order=order),
                (self._job.run.id, site.table, site.column),
            )

    def fill(self) -> None:
        """Give the rows that stay what they lack, from the first joined one that has it."""
        if not self._columns:
            return
        if self._winning:  # what a row that stays said itself may be lost, too
            self._do(
                sql.SQL(
                    "CREATE TEMP TABLE kept_row ON COMMIT DROP AS SELECT r.*, r.{key} AS _keeper, 0 AS _rank FROM"
                    " {place} r WHERE r.{key} IN (SELECT keeper FROM pg_temp.joined)"
                ).format(place=self._place, key=self._key)
            )
        filling = Filling(
            sql.Identifier("pg_temp", "joined_row"),
            sql.SQL("l._keeper = r.{}").format(self._key),
            own="r",
            winning=self._winning,
            told=self._told,
            own_tells=self._own_tells,
        )
        changes = [
            sql.SQL("{} = {}").format(sql.Identifier(column.name), value)
            for column, value in filling.values(self._columns)
        ]
        self._do(
            sql.SQL("UPDATE {place} r SET {changes} WHERE r.{key} IN (SELECT keeper FROM pg_temp.joined)").format(
                place=self._place, changes=sql.SQL(", ").join(changes), key=self._key
            )
        )

    def _give(self, place: sql.Identifier, owner: str, shift: sql.Composable | None = None) -> int:
        if shift is None:
            query = sql.SQL("UPDATE {place} r SET {owner} = j.keeper FROM pg_temp.joined j WHERE r.{owner} = j.loser")
            return self._do(query.format(place=place, owner=sql.Identifier(owner)))
        query = sql.SQL(
            "UPDATE {place} r SET {owner} = j.keeper, {shift} = r.{shift} + s.shift"
            " FROM pg_temp.joined j, pg_temp.shifted s WHERE r.{owner} = j.loser AND s.loser = j.loser"
        )
        return self._do(query.format(place=place, owner=sql.Identifier(owner), shift=shift))

    def move_children(self) -> None:
        """Put the child rows of joined documents behind those of the one that stays, with all that is below them."""
        for child in [table for table in self._job.schema.tables.values() if table.parent == self._table.name]:
            owner, position = sql.Identifier(key_column(child)), sql.Identifier(positions_of(child)[-1])
            rows = [
                sql.SQL("SELECT {}, {} FROM {}").format(owner, position, place) for place in self._places(child.name)
            ]
            if not rows:
                continue
            self._do(
                sql.SQL(
                    "CREATE TEMP TABLE shifted ON COMMIT DROP AS SELECT j.loser,"
                    " (coalesce((SELECT max(c.{position}) + 1 FROM {place} c WHERE c.{owner} = j.keeper), 0)"
                    " + coalesce(sum(n.size) OVER (PARTITION BY j.keeper"
                    " ORDER BY j.rank ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::integer AS shift"
                    " FROM pg_temp.joined j CROSS JOIN LATERAL (SELECT coalesce(max(c.{position}) + 1, 0) AS size"
                    " FROM ({rows}) c WHERE c.{owner} = j.loser) n"
                ).format(
                    place=sql.Identifier(self._job.schema.schema, child.name),
                    rows=sql.SQL(" UNION ALL ").join(rows),
                    owner=owner,
                    position=position,
                )
            )
            for table in [child, *self._below(child)]:
                for place in self._places(table.name):
                    self._give(place, key_column(table), sql.Identifier(positions_of(table)[0]))
                self._move_orphans_of(table)
            self._connection.execute("DROP TABLE pg_temp.shifted")

    def _move_orphans_of(self, child: Table) -> None:
        """Let orphans inside arrays of child rows be those of the rows that these have become."""
        for column in {site.column for site in self._sites if site.table == child.name and site.shape == "array"}:
            self._do(
                sql.SQL(
                    "UPDATE isthmus.orphan o SET row_id = j.keeper_text,"
                    " row_position = (o.row_position[1] + s.shift) || o.row_position[2:]"
                    " FROM pg_temp.joined j JOIN pg_temp.shifted s USING (loser) WHERE o.run_id = %s"
                    " AND o.table_name = %s AND o.column_name = %s AND o.row_id = j.loser_text"
                ),
                (self._job.run.id, child.name, column),
            )

    def _places(self, child: str) -> list[sql.Identifier]:
        """Return where the rows of joined documents lie that are rows of a child table."""
        return [sql.Identifier(self._job.schema.schema, child)]

    def _below(self, table: Table) -> list[Table]:
        children = [one for one in self._job.schema.tables.values() if one.parent == table.name]
        return [one for child in children for one in (child, *self._below(child))]

    def enter_conflicts(self) -> None:
        """Name what documents say otherwise than the row they have become, and keep their bytes.

        So may the one that stays, where another one's value wins over its own.
        """
        before = sql.SQL("SELECT * FROM pg_temp.joined_row")
        if self._winning:
            before = sql.SQL("SELECT * FROM pg_temp.joined_row UNION ALL SELECT * FROM pg_temp.kept_row")
        query = sql.SQL(
            "SELECT * FROM (SELECT {flow} AS flow, l.{key}::text, l._keeper::text, {differing} AS names"
            " FROM ({before}) l JOIN {place} k ON k.{key} = l._keeper) d WHERE d.names IS NOT NULL"
        ).format(
            before=before,
            flow=_flow_of_row(self._table),
            key=self._key,
            place=self._place,
            differing=self.differing(),
        )
        with self._connection.cursor("differing") as cursor:
            cursor.itersize = _FETCHED_ROWS
            cursor.execute(query)
            rows = ((int(flow), str(own), str(keeper), str(names)) for flow, own, keeper, names in cursor)
            for part in chunks(rows, lambda row: len(row[1]) + len(row[3])):
                self._enter_conflicts(part)

    def _enter_conflicts(self, part: Sequence[tuple[int, str, str, str]]) -> None:
        by_id = {own: (keeper, names) for _, own, keeper, names in part}
        for flow in self._table.flows:
            mine = {own for number, own, _, _ in part if number == flow.number}
            for found in Documents(self._job, self._connection, flow, mine, hold=False) if mine else ():
                self._enter_conflict(flow.collection, found.id, *by_id[found.id], found.document)

    def _enter_conflict(self, collection: str, own: str, keeper: str, names: str, document: bytes) -> None:
        """Enter one that says otherwise than the one it was joined into; `names` as `differing` has it."""
        self._do(
            sql.SQL(
                "INSERT INTO isthmus.conflict (run_id, collection, table_name, row_id, source_row_id, differing,"
                " policy, action, document) VALUES (%s, %s, %s, %s, %s, %s::jsonb, 'merge', 'merged', %s)"
            ),
            (self._job.run.id, collection, self._table.name, keeper, own, names, document),
        )

    def differing(self) -> sql.Composable:
        """Return SQL of a JSON object, as text: what a joined row `l` says otherwise than the row `k`, else NULL."""
        pairs: list[sql.Composable] = []
        for column in self._columns:
            name = sql.Identifier(column.name)
            shown: sql.Composable = sql.SQL(
                "jsonb_build_object('target', left(k.{n}::text, {c}), 'source', left(l.{n}::text, {c}))"
            ).format(n=name, c=sql.Literal(SHOWN_CHARACTERS))
            if column.sensitive:
                shown = sql.SQL("jsonb_build_object('target', {h}::text, 'source', {h}::text)").format(
                    h=sql.Literal(HIDDEN)
                )
            same = sql.SQL("l.{n} IS NULL OR l.{n}::text = k.{n}::text").format(n=name)
            if column.name in self._told:  # what a default filled says nothing
                same = sql.SQL("{} OR {}").format(is_filled("l", column.name), same)
            if column.role == "extras":
                same = sql.SQL(
                    "NOT EXISTS (SELECT FROM jsonb_each(l.{n}) e WHERE k.{n} -> e.key IS DISTINCT FROM e.value)"
                ).format(n=name)
            pairs.append(
                sql.SQL("({}, CASE WHEN {} THEN NULL ELSE {} END)").format(sql.Literal(column.name), same, shown)
            )
        if not pairs:
            return sql.SQL("NULL::text")
        return sql.SQL(
            "(SELECT jsonb_object_agg(x.k, x.v)::text FROM (VALUES {}) AS x(k, v) WHERE x.v IS NOT NULL)"
        ).format(sql.SQL(", ").join(pairs))

    def move_joined_before(self) -> None:
        """Let documents that were joined into a joined one before be found where it is found now."""
        collections = list(self._table.collections)
        self._do(
            sql.SQL(
                "UPDATE isthmus.id_map m SET id = j.keeper_text FROM pg_temp.joined j"
                " WHERE m.origin = 'merged' AND m.collection = ANY(%s) AND m.id = j.loser_text"
            ),
            (collections,),
        )

    def enter_ids(self, joined: Sequence[Joined]) -> None:
        """Remember under which id a joined document is found."""
        self._do(
            sql.SQL(
                "INSERT INTO isthmus.id_map AS m (collection, source_id, id, origin, derived_id)"
                " SELECT c, s, k, 'merged', d"
                " FROM unnest(%s::text[], %s::bytea[], %s::text[], %s::text[]) AS u(c, s, k, d)"
                " ON CONFLICT (collection, key_digest) DO UPDATE SET id = EXCLUDED.id, origin = 'merged',"
                " derived_id = EXCLUDED.derived_id"
            ),
            (
                [one.flow.collection for one in joined],
                [one.source_id for one in joined],
                [one.keeper for one in joined],
                [one.id for one in joined],
            ),
        )

    def enter_documents(self, joined: Sequence[Joined]) -> None:
        """Count documents as joined, and their rows as gone."""
        run = self._job.run.id
        for collection, count in Counter(one.flow.collection for one in joined).items():
            add_tally(self._connection, run, "merged", collection, count)
            add_tally(self._connection, run, "rows", self._table.name, -count)
            if len(self._table.collections) > 1:
                add_tally(self._connection, run, rows_of(collection), self._table.name, -count)

    def enter_references(self, before: Counter[str]) -> None:
        """Count the references that went with the rows."""
        for name, count in self.count_references().items():
            add_tally(self._connection, self._job.run.id, "references", name, count - before[name])


def _flow_of_row(table: Table) -> sql.Composable:
    """Return SQL of the number of the flow that a joined row `l` came by."""
    first, *others = table.flows
    return sql.SQL("l.{}").format(sql.Identifier(HIDDEN_SOURCE)) if others else sql.Literal(first.number)
