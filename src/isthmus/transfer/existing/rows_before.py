"""Which rows stood in tracked tables before the first copy brought rows there (`isthmus.rows_before`).

Noted by the delivery itself, so that nobody's row slips in between. Each row is a digest of what it is known by; of
tables that an older version has brought rows to nothing is noted, for nobody knows any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.pair_state import is_remembered, pair_ids
from isthmus.transfer.existing.sides import Sides

_ROWS_A_PART = 10_000


def note_rows_before(sides: Sides) -> None:
    """Note what stands in the tables that this copy brings rows to, where no copy has before.

    Args:
        sides: Inside the transaction of a delivery, which keeps others from writing, before its first row.
    """
    noted = noted_tables(sides)
    for root in sides.roots():
        if not root.row_key or sides.rule(root.table).rerun != "tracked" or not _is_carried(sides, root):
            continue
        wanted = [fed for fed in (root, *sides.children_of(root.name)) if fed.name not in noted]
        if wanted and (root.name in noted or not has_rows_of_copies(sides, root)):
            for fed in wanted:
                _note(sides, fed)
    for junction in sides.junctions():
        roots = list(_feeding(sides, junction))
        if junction.name in noted or not roots or not is_remembered(sides.job.mapping, junction):
            continue
        older = any(root.name not in noted and has_rows_of_copies(sides, root) for root in roots)
        if not older and not has_rows_of_copies(sides, junction):
            _note(sides, junction)


def noted_tables(sides: Sides) -> set[str]:
    """Return the tables of which it is known what stood there."""
    rows = sides.connection.execute(
        "SELECT DISTINCT table_name FROM isthmus.rows_before WHERE table_schema = %s", (sides.existing.schema,)
    ).fetchall()
    return {str(name) for (name,) in rows}


def has_rows_of_copies(sides: Sides, fed: FedTable) -> bool:
    """Tell whether any row of a root table or junction, as it stands now, is known as one that copies carried."""
    if fed.table.kind == "junction":
        state, same = "pair_state", sql.SQL("r.ids = {}").format(pair_ids(fed, "t"))
    else:
        state, same = "row_state", sql.SQL("r.id = {}::text").format(sides.row_id(fed))
    return bool(
        sides.one(
            sql.SQL(
                "SELECT EXISTS (SELECT FROM isthmus.{} r JOIN {} t ON {} WHERE r.table_schema = {}"
                " AND r.table_name = {})::integer"
            ).format(
                sql.Identifier(state),
                sides.real(fed.name),
                same,
                sql.Literal(sides.existing.schema),
                sql.Literal(fed.name),
            )
        )
    )


def digest_before(known_by: sql.Composable) -> sql.Composed:
    """Return SQL of the digest, a bigint, of the text that a row is known by (`known_by`)."""
    return sql.SQL("('x' || left(encode(sha256(convert_to({}, 'UTF8')), 'hex'), 16))::bit(64)::bigint").format(known_by)


def known_by(sides: Sides, fed: FedTable, alias: str) -> sql.Composed:
    """Return SQL of the text that a real row is known by: of a child row the document's id and its place."""
    if fed.table.kind == "junction":
        return sql.SQL("{}::text").format(pair_ids(fed, alias))
    if fed.table.kind == "root":
        return sql.SQL("{}::text").format(sides.row_id(fed, alias))
    row = sql.Identifier(alias)
    places = sql.SQL(", ").join(sql.SQL("{}.{}").format(row, sql.Identifier(name)) for name in sides.positions(fed))
    return sql.SQL("{}.{}::text || ' ' || ARRAY[{}]::integer[]::text").format(row, sides.owner(fed), places)


def forget_rows_before(sides: Sides, fed: FedTable) -> None:
    """Forget what stood in a table: the next copy into it is a first one."""
    sides.do(
        sql.SQL("DELETE FROM isthmus.rows_before WHERE table_schema = {} AND table_name = {}").format(
            sql.Literal(sides.existing.schema), sql.Literal(fed.name)
        )
    )


def _is_carried(sides: Sides, root: FedTable) -> bool:
    return any(flow.collection in sides.job.plans for flow in root.table.flows)


def _feeding(sides: Sides, junction: FedTable) -> Iterator[FedTable]:
    """Yield the root tables of documents of this copy that give pairs of a junction."""
    for feeder in sides.job.feeders:
        own = junction.fed(feeder.own) if feeder.junction == junction.name else None
        if own is not None and own.column.reference is not None and feeder.collection in sides.job.plans:
            yield sides.existing.tables[own.column.reference.table]


def _note(sides: Sides, fed: FedTable) -> None:
    parts = {
        "schema": sql.Literal(sides.existing.schema),
        "name": sql.Literal(fed.name),
        "real": sides.real(fed.name),
        "digest": digest_before(known_by(sides, fed, "t")),
        "most": sql.Literal(_ROWS_A_PART),
    }
    some = sides.do(
        sql.SQL(
            "INSERT INTO isthmus.rows_before (table_schema, table_name, part, digests)"
            " SELECT {schema}, {name}, p.part, array_agg(p.digest ORDER BY p.digest) FROM (SELECT d.digest,"
            " (row_number() OVER (ORDER BY d.digest) - 1) / {most} AS part FROM (SELECT {digest} AS digest FROM {real}"
            " t) AS d) AS p GROUP BY 3"
        ).format(**parts)
    )
    if not some:
        sides.do(
            sql.SQL(
                "INSERT INTO isthmus.rows_before (table_schema, table_name, part, digests)"
                " VALUES ({schema}, {name}, 0, '{{}}')"
            ).format(**parts)
        )
