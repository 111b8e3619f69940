"""What is forgotten with the rows, so that a later copy is a first one; and the entry that says what was done.

The id map and the maps of identities stay: a thing keeps its id for ever. So does what is known of rows that others
have deleted: a later copy does not bring them again.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from isthmus import __version__
from isthmus.connect.postgres import first_number
from isthmus.state.runs import Run
from isthmus.state.statements import statements
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.undoing.pairs import waiting_for
from isthmus.transfer.undoing.referring import PACKAGE
from isthmus.transfer.undoing.taking import Taking

_OF_A_RUN = (
    "forget_partitions",
    "forget_letters",
    "forget_orphans",
    "forget_adjustments",
    "forget_conflicts",
    "forget_verifications",
)


def forget(taking: Taking) -> int:
    """Forget the rows that go and those that stay as they were before any copy; return the number of the entry."""
    for root in taking.roots:
        _forget_rows(taking, root)
    for junction in taking.junctions:
        _forget_pairs(taking, junction)
    _forget_runs(taking)
    return _enter(taking)


def _forget_rows(taking: Taking, root: FedTable) -> None:
    sides = taking.sides
    parts = {
        "schema": sql.Literal(sides.existing.schema),
        "root": sql.Literal(root.name),
        "names": sql.Literal([root.name, *(child.name for child in sides.children_of(root.name))]),
        "ids": sql.SQL("SELECT u.text FROM {} u WHERE u.verdict IN ('goes', 'stays')").format(taking.known(root)),
    }
    ours = "p.table_schema = {schema} AND p.table_name = ANY({names}) AND p.own_column IS NULL AND p.row_id IN ({ids})"
    of_rows = "e.table_schema = {schema} AND e.table_name = ANY({names}) AND e.id IN ({ids})"
    for statement in (
        f"DELETE FROM isthmus.extras e WHERE {of_rows}",
        f"DELETE FROM isthmus.pending_reference p WHERE {ours}",
        "DELETE FROM isthmus.kept_value k WHERE k.root_table = {root} AND k.row_id IN ({ids})",
        "DELETE FROM isthmus.row_state r WHERE r.table_schema = {schema} AND r.table_name = {root} AND r.id IN ({ids})",
    ):
        sides.do(sql.SQL(statement).format(**parts))


def _forget_pairs(taking: Taking, junction: FedTable) -> None:
    """Forget pairs that go, and those that wait for rows of either side on behalf of documents that are taken back."""
    sides = taking.sides
    parts = {
        "schema": sql.Literal(sides.existing.schema),
        "name": sql.Literal(junction.name),
        "going": taking.going(junction),
    }
    sides.do(
        sql.SQL(
            "DELETE FROM isthmus.pair_state p USING {going} g WHERE p.table_schema = {schema}"
            " AND p.table_name = {name} AND p.ids = g.ids"
        ).format(**parts)
    )
    taken = {root.name: root for root in taking.roots}
    for there in junction.columns:
        reference = there.column.reference
        if reference is None or reference.table not in taken:
            continue
        # not those that wait again for rows that go: their own row is another one
        sides.do(
            sql.SQL(
                "DELETE FROM isthmus.pending_reference p WHERE p.table_schema = {schema} AND p.table_name = {name}"
                " AND p.own_column = {own} AND {of_theirs}"
            ).format(
                own=sql.Literal(there.name),
                of_theirs=waiting_for(taking, taken[reference.table], reference.column),
                **parts,
            )
        )


def _forget_runs(taking: Taking) -> None:
    """Forget runs that carried nothing else; of others what they said of these collections."""
    connection, taken = taking.sides.connection, set(taking.collections)
    for number, source, started, finished, carried in connection.execute(
        _text("runs"), {"schema": taking.sides.existing.schema}
    ).fetchall():
        gone = sorted(taken & set(carried))
        if not gone:
            continue
        left = sorted(set(carried) - taken)
        values: dict[str, Any] = {"run": number, "collections": gone, "left": left}
        if left:
            for name in (*_OF_A_RUN, "narrow_run"):
                connection.execute(_text(name), values)
        else:
            connection.execute(_text("forget_run"), values)
        taking.result.runs.append(
            {
                "id": int(number),
                "forgotten": not left,
                "source_name": str(source),
                "started_at": started.isoformat(),
                "finished_at": finished.isoformat() if finished is not None else None,
            }
        )


def _enter(taking: Taking) -> int:
    result = taking.result
    return first_number(
        taking.sides.connection.execute(
            _text("enter_undo"),
            {
                "schema": taking.sides.existing.schema,
                "collections": Jsonb(taking.collections),
                "fingerprint": taking.sides.job.mapping.fingerprint,
                "runs": Jsonb(result.runs),
                "counts": Jsonb(
                    {
                        name: {table: count for table, count in counts.items() if count}
                        for name, counts in (
                            ("removed", result.removed),
                            ("stayed", result.stayed),
                            ("waiting", result.waiting),
                            ("left", {one.table: one.count for one in result.left}),
                        )
                    }
                ),
                "version": __version__,
            },
        )
    )


def last_run(connection: psycopg.Connection, schema: str, collections: list[str]) -> Run | None:
    """Return the newest run that carried any of some collections; None for none."""
    wanted = set(collections)
    rows = connection.execute(_text("runs"), {"schema": schema}).fetchall()
    for number, *_, carried in reversed(rows):
        if wanted & set(carried):
            row = connection.execute(_text("run"), {"run": number}).fetchone()
            return Run(*row) if row else None
    return None


def _text(name: str) -> bytes:
    return statements("undo", PACKAGE)[name]
