"""What joining documents means for rows: filled columns, children, pairs, references, ids, books. One transaction.

Temporary tables of the transaction hold who is joined into whom (`pg_temp.joined`) and the rows as they were
(`pg_temp.joined_row`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import PendingTable, Table
from isthmus.state.checkpoints import add_tally, rows_of
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.job import Job
from isthmus.transfer.origins import Documents
from isthmus.transfer.places import SHOWN_CHARACTERS
from isthmus.transfer.references import ReferenceSite, positions_of, reference_sites
from isthmus.transfer.staging import exists, pair_tables


@dataclass(frozen=True, slots=True)
class Joined:
    """A document that is joined into another.

    Attributes:
        flow: Its flow.
        id: Its id in the target, as text.
        keeper: Id of the document that stays.
        rank: Its place in the order of `_id` among all that are joined in one step.
        source_id: Its `{"_id": value}` as BSON.
    """

    flow: Flow
    id: str
    keeper: str
    rank: int
    source_id: bytes


def join_rows(job: Job, connection: psycopg.Connection, table: Table, joined: Sequence[Joined]) -> None:
    """Join documents, inside the caller's transaction.

    Args:
        job: The copy.
        connection: Inside a transaction that has asserted the lease.
        table: Their root table.
        joined: Who is joined into whom; nobody stays who is joined himself.
    """
    step = JoinStep(job, connection, table)
    step.begin(joined)
    before = step.count_references()
    step.take_rows_out()
    step.settle_taken_out()
    step.move_orphans()
    step.fill()
    step.point_elsewhere()
    step.move_waiting()
    step.move_children()
    step.move_pairs()
    step.enter_conflicts(joined)
    step.move_joined_before()
    step.enter_ids(joined)
    step.enter_books(joined, before)
    for name in ("joined", "joined_row"):
        connection.execute(sql.SQL("DROP TABLE pg_temp.{}").format(sql.Identifier(name)))


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
        self._columns = [column for column in table.columns if column.role in filled and not column.waits]

    def _do(self, statement: sql.SQL | sql.Composed, parameters: Sequence[object] | None = None) -> int:
        return self._connection.execute(statement, parameters).rowcount

    def begin(self, joined: Sequence[Joined], rows: sql.Composable | None = None) -> None:
        """Write down who is joined into whom, and the rows as they are: those in the table, or those of a query."""
        self._do(
            sql.SQL(
                "CREATE TEMP TABLE joined ON COMMIT DROP AS SELECT loser::{kind}, keeper::{kind}, rank,"
                " loser AS loser_text, keeper AS keeper_text"
                " FROM unnest(%s::text[], %s::text[], %s::integer[]) AS j(loser, keeper, rank)"
            ).format(kind=self._kind),
            ([one.id for one in joined], [one.keeper for one in joined], [one.rank for one in joined]),
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

    def settle_taken_out(self) -> None:
        """Let references among the joined documents point at those that stay, so that they say the same."""
        for column in self._columns:
            reference = column.reference
            if reference is None or reference.table != self._table.name or reference.column != key_column(self._table):
                continue
            name = sql.Identifier(column.name)
            change = sql.SQL(
                "UPDATE pg_temp.joined_row l SET {n} = j.keeper FROM pg_temp.joined j WHERE l.{n} = j.loser"
            )
            if column.type.array:
                change = sql.SQL(
                    "UPDATE pg_temp.joined_row l SET {n} = (SELECT array_agg(coalesce(j.keeper, e.v) ORDER BY e.n)"
                    " FROM unnest(l.{n}) WITH ORDINALITY AS e(v, n) LEFT JOIN pg_temp.joined j ON j.loser = e.v)"
                    " WHERE l.{n} && ARRAY(SELECT loser FROM pg_temp.joined)"
                )
            self._do(change.format(n=name))

    def move_orphans(self) -> None:
        """Let orphans inside arrays be those of the row that takes the array over, before it does.

        Those of arrays that no row takes over stay those of the joined document.
        """
        places = {site.column: site for site in self._sites if site.table == self._table.name}
        for site in [site for site in places.values() if site.shape in {"array", "jsonb"}]:
            self._do(
                sql.SQL(
                    "UPDATE isthmus.orphan o SET row_id = f.keeper FROM (SELECT DISTINCT ON (l._keeper)"
                    " l.{key}::text AS loser, l._keeper::text AS keeper FROM pg_temp.joined_row l"
                    " JOIN {place} k ON k.{key} = l._keeper AND k.{column} IS NULL WHERE l.{column} IS NOT NULL"
                    " ORDER BY l._keeper, l._rank) f WHERE o.run_id = %s AND o.table_name = %s AND o.column_name = %s"
                    " AND o.row_id = f.loser"
                ).format(key=self._key, place=self._place, column=sql.Identifier(site.columns[0])),
                (self._job.run.id, site.table, site.column),
            )

    def fill(self) -> None:
        """Give the rows that stay what they lack, from the first joined one that has it; extras key by key."""
        if not self._columns:
            return
        changes: list[sql.Composable] = []
        for column in self._columns:
            name = sql.Identifier(column.name)
            if column.role == "extras":
                changes.append(
                    sql.SQL(
                        "{name} = CASE WHEN EXISTS (SELECT FROM pg_temp.joined_row l WHERE l._keeper = r.{key}"
                        " AND l.{name} IS NOT NULL) THEN (SELECT jsonb_object_agg(e.key, e.value ORDER BY l._rank DESC)"
                        " FROM pg_temp.joined_row l CROSS JOIN jsonb_each(l.{name}) e WHERE l._keeper = r.{key})"
                        " || coalesce(r.{name}, '{{}}') ELSE r.{name} END"
                    ).format(name=name, key=self._key)
                )
            else:
                changes.append(
                    sql.SQL(
                        "{name} = coalesce(r.{name}, (SELECT l.{name} FROM pg_temp.joined_row l"
                        " WHERE l._keeper = r.{key} AND l.{name} IS NOT NULL ORDER BY l._rank LIMIT 1))"
                    ).format(name=name, key=self._key)
                )
        self._do(
            sql.SQL("UPDATE {place} r SET {changes} WHERE r.{key} IN (SELECT keeper FROM pg_temp.joined)").format(
                place=self._place, changes=sql.SQL(", ").join(changes), key=self._key
            )
        )

    def point_elsewhere(self) -> None:
        """Let what pointed at a joined document point at the one that stays."""
        for site in self._sites:
            if not exists(self._connection, site.place):
                continue
            for column, one in zip(site.columns, site.alternatives, strict=False):
                if one.table != self._place:
                    continue
                old = sql.SQL(
                    "(SELECT l.{target} AS old, k.{target} AS new FROM pg_temp.joined_row l"
                    " JOIN {root} k ON k.{key} = l._keeper WHERE l.{target} IS DISTINCT FROM k.{target}"
                    " AND k.{target} IS NOT NULL)"
                ).format(target=sql.Identifier(one.key), root=self._place, key=self._key)
                if site.shape == "jsonb":
                    self._point_in_jsonb(site, column, old)
                elif site.shape == "array":
                    self._point_in_array(site, column, old)
                else:
                    self._do(
                        sql.SQL("UPDATE {place} r SET {column} = m.new FROM {moves} m WHERE r.{column} = m.old").format(
                            place=site.place, column=sql.Identifier(column), moves=old
                        )
                    )

    def _point_in_array(self, site: ReferenceSite, column: str, moves: sql.Composed) -> None:
        self._do(
            sql.SQL(
                "UPDATE {place} r SET {column} = (SELECT array_agg(coalesce(m.new, e.v) ORDER BY e.n)"
                " FROM unnest(r.{column}) WITH ORDINALITY AS e(v, n) LEFT JOIN {moves} m ON m.old = e.v)"
                " WHERE r.{column} && ARRAY(SELECT m.old FROM {moves} m)"
            ).format(place=site.place, column=sql.Identifier(column), moves=moves)
        )

    def _point_in_jsonb(self, site: ReferenceSite, column: str, moves: sql.Composed) -> None:
        """Replace derived ids inside jsonb: as JSON text they stand nowhere else but where one was put."""
        rows = self._connection.execute(
            sql.SQL(
                "SELECT r.ctid, array_agg(m.old::text), array_agg(m.new::text) FROM {source} JOIN {moves} m"
                " ON m.old::text = {value} GROUP BY 1"
            ).format(source=site.everywhere, moves=moves, value=site.value)
        ).fetchall()
        for place, old, new in rows:
            changed: sql.Composable = sql.SQL("r.{}::text").format(sql.Identifier(column))
            for left, right in sorted(set(zip(old, new, strict=True))):
                changed = sql.SQL("replace({}, to_json({}::text)::text, to_json({}::text)::text)").format(
                    changed, sql.Literal(left), sql.Literal(right)
                )
            self._do(
                sql.SQL("UPDATE {place} r SET {column} = ({changed})::jsonb WHERE r.ctid = %s").format(
                    place=site.place, column=sql.Identifier(column), changed=changed
                ),
                (place,),
            )

    def move_waiting(self) -> None:
        """Keep, of values that wait for one column of one row, those of the first document that has any."""
        for waiting in self._waiting(self._table.name):
            place, owner = sql.Identifier("isthmus", waiting.name), sql.Identifier(waiting.keys[0][0])
            same = [
                sql.SQL("SELECT {owner} AS id FROM {place}").format(
                    place=sql.Identifier("isthmus", other.name), owner=sql.Identifier(other.keys[0][0])
                )
                for other in self._waiting(self._table.name)
                if other.column == waiting.column
            ]
            self._do(
                sql.SQL(
                    "DELETE FROM {place} p USING pg_temp.joined j WHERE p.{owner} = j.loser AND EXISTS"
                    " (SELECT FROM ({all}) o LEFT JOIN pg_temp.joined b ON b.loser = o.id"
                    " WHERE o.id = j.keeper OR (b.keeper = j.keeper AND b.rank < j.rank))"
                ).format(place=place, owner=owner, all=sql.SQL(" UNION ALL ").join(same))
            )
        for waiting in self._waiting(self._table.name):
            self._give(sql.Identifier("isthmus", waiting.name), waiting.keys[0][0])

    def _waiting(self, table: str) -> list[PendingTable]:
        return [
            one
            for one in self._job.pending_tables
            if one.table == table and not one.pairs and exists(self._connection, sql.Identifier("isthmus", one.name))
        ]

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
        children = [table for table in self._job.schema.tables.values() if table.parent == self._table.name]
        for child in children:
            owner, position = sql.Identifier(key_column(child)), sql.Identifier(positions_of(child)[-1])
            self._do(
                sql.SQL(
                    "CREATE TEMP TABLE shifted ON COMMIT DROP AS SELECT j.loser,"
                    " (coalesce((SELECT max(c.{position}) + 1 FROM {place} c WHERE c.{owner} = j.keeper), 0)"
                    " + coalesce(sum(n.size) OVER (PARTITION BY j.keeper"
                    " ORDER BY j.rank ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::integer AS shift"
                    " FROM pg_temp.joined j CROSS JOIN LATERAL (SELECT coalesce(max(c.{position}) + 1, 0) AS size"
                    " FROM {place} c WHERE c.{owner} = j.loser) n"
                ).format(place=sql.Identifier(self._job.schema.schema, child.name), owner=owner, position=position)
            )
            for table in [child, *self._below(child)]:
                outermost = positions_of(table)[0]
                place = sql.Identifier(self._job.schema.schema, table.name)
                self._give(place, key_column(table), sql.Identifier(outermost))
                for waiting in self._waiting(table.name):
                    self._give(
                        sql.Identifier("isthmus", waiting.name), waiting.keys[0][0], sql.Identifier(waiting.keys[1][0])
                    )
            self._connection.execute("DROP TABLE pg_temp.shifted")

    def _below(self, table: Table) -> list[Table]:
        children = [one for one in self._job.schema.tables.values() if one.parent == table.name]
        return [one for child in children for one in (child, *self._below(child))]

    def move_pairs(self) -> None:
        """Give the pairs of joined documents to the one that stays; a junction loaded in place holds each once."""
        for pairs in pair_tables(self._job.feeders, self._job.schema).values():
            if not exists(self._connection, pairs.identifier):
                continue
            if pairs.flow in self._table.flows:
                self._give(pairs.identifier, pairs.own)
            if not pairs.in_place:
                continue
            twice = self._do(
                sql.SQL(
                    "DELETE FROM {place} r USING {place} o WHERE o.{own} = r.{own} AND o.{other} = r.{other}"
                    " AND o.ctid < r.ctid AND (r.{own} IN (SELECT keeper FROM pg_temp.joined) OR r.{other}::text IN"
                    " (SELECT keeper_text FROM pg_temp.joined))"
                ).format(place=pairs.identifier, own=sql.Identifier(pairs.own), other=sql.Identifier(pairs.other))
            )
            if twice:
                add_tally(self._connection, self._job.run.id, "merged-pairs", pairs.junction, twice)

    def enter_conflicts(self, joined: Sequence[Joined]) -> None:
        """Name what a joined document says otherwise than the one it was joined into, and keep its bytes."""
        differing = self._connection.execute(
            sql.SQL(
                "SELECT l.{key}::text, {differing} FROM pg_temp.joined_row l JOIN {place} k ON k.{key} = l._keeper"
            ).format(key=self._key, place=self._place, differing=self.differing())
        ).fetchall()
        changed = {str(row_id): names for row_id, names in differing if names}
        by_id = {one.id: one for one in joined}
        for flow in self._table.flows:
            mine = {row_id for row_id in changed if by_id[row_id].flow == flow}
            if not mine:
                continue
            for found in Documents(self._job, self._connection, flow, mine, hold=False):
                self._do(
                    sql.SQL(
                        "INSERT INTO isthmus.conflict (run_id, collection, table_name, row_id, source_row_id,"
                        " differing, policy, action, document)"
                        " VALUES (%s, %s, %s, %s, %s, %s::jsonb, 'merge', 'merged', %s)"
                    ),
                    (
                        self._job.run.id,
                        flow.collection,
                        self._table.name,
                        by_id[found.id].keeper,
                        found.id,
                        changed[found.id],
                        found.document,
                    ),
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
                shown = sql.SQL("""'{"target": "(hidden)", "source": "(hidden)"}'::jsonb""")
            same = sql.SQL("l.{n} IS NULL OR l.{n}::text = k.{n}::text").format(n=name)
            if column.role == "extras":
                same = sql.SQL("l.{n} IS NULL OR l.{n} <@ k.{n}").format(n=name)
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
        collections = sorted({flow.collection for flow in self._table.flows})
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

    def enter_books(self, joined: Sequence[Joined], before: Counter[str]) -> None:
        run = self._job.run.id
        for name, count in self.count_references().items():
            add_tally(self._connection, run, "references", name, count - before[name])
        for collection, count in Counter(one.flow.collection for one in joined).items():
            add_tally(self._connection, run, "merged", collection, count)
            add_tally(self._connection, run, "rows", self._table.name, -count)
            if len({flow.collection for flow in self._table.flows}) > 1:
                add_tally(self._connection, run, rows_of(collection), self._table.name, -count)
