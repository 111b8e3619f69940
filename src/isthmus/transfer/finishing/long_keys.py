"""Documents with a key that no index entry can hold: a long `_id`, a long unique value, a pair of long ids.

Which keys are too long is the server's word: every candidate is offered to an index of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import Index, Table
from isthmus.state.ledgers import Cause
from isthmus.transfer.document_rows import key_column, of_flow
from isthmus.transfer.finishing.junctions import pairs_of
from isthmus.transfer.finishing.origins import PASS_ID_BYTES
from isthmus.transfer.finishing.places import document_path, junction_path, shown_value
from isthmus.transfer.finishing.remove import CHUNK, remove_documents
from isthmus.transfer.job import Job
from isthmus.transfer.staging import PairTable, exists
from isthmus.work.stages import reached

# The longest btree entry is 2,704 bytes after compression (PostgreSQL, "index row size exceeds btree version 4
# maximum"); text shorter than this never reaches it in any encoding of a key column.
_SURELY_SHORT_BYTES = 1_300


@dataclass(frozen=True)
class _Keyed:
    """Columns that become a key, and whose documents they belong to.

    Attributes:
        flow: Flow of the documents.
        of_flow: SQL condition of that flow's rows.
        place: FROM item that holds them.
        owner: Column of it with the document's id.
        columns: The key's columns, quoted.
        held: SQL condition of the rows that the key holds.
        size: SQL of the bytes of the key's values.
        shown: SQL of what a message may show of them.
        label: The columns, for people.
        name: `table.columns`, for the ledger.
        path: Where the values stand in a document.
    """

    flow: Flow
    of_flow: sql.Composable
    place: sql.Composable
    owner: sql.Identifier
    columns: sql.Composed
    held: sql.Composable
    size: sql.Composed
    shown: sql.Composable
    label: str
    name: str
    path: str


def _keyed(
    table: Table,
    columns: tuple[str, ...],
    *,
    flow: Flow,
    place: sql.Composable,
    owner: str,
    path: str,
    where: str | None = None,
    shared: bool = False,
) -> _Keyed:
    lengths = [sql.SQL("coalesce(octet_length({}::text), 0)").format(sql.Identifier(name)) for name in columns]
    label = ", ".join(columns)
    return _Keyed(
        flow=flow,
        of_flow=of_flow(flow.number if shared else None),
        place=place,
        owner=sql.Identifier(owner),
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        held=sql.SQL(f"({where}\n)" if where else "true"),  # pyright: ignore[reportArgumentType]  the mapping's own SQL
        size=sql.SQL(" + ").join(lengths),
        shown=shown_value(table, columns),
        label=label,
        name=f"{table.name}.{label}",
        path=path,
    )


def settle_long_keys(job: Job, connection: psycopg.Connection, table: Table, index: Index) -> int:
    """Turn documents whose key no index entry can hold into dead letters.

    Args:
        job: The copy.
        connection: Autocommit connection.
        table: Root or child table.
        index: Its unique index, or its primary key as one, that could not be built.

    Returns:
        How many documents became dead letters. Safe to repeat.
    """
    return sum(_settle_long(job, connection, _keyed_of(job, table, index, flow)) for flow in table.flows)


def _keyed_of(job: Job, table: Table, index: Index, flow: Flow) -> _Keyed:
    return _keyed(
        table,
        index.columns,
        flow=flow,
        place=sql.Identifier(job.schema.schema, table.name),
        owner=key_column(table),
        path=document_path(job, table, index.columns, flow),
        where=index.where,
        shared=len(table.flows) > 1,
    )


def settle_long_pairs(job: Job, connection: psycopg.Connection, pairs: PairTable) -> int:
    """Turn documents with a pair that no entry of its junction's primary key can hold into dead letters.

    Each of the two ids may fit into the primary key of its own table and both together not. It is settled before
    orphans are looked for: what these documents are referred to by are orphans then.

    Returns:
        How many documents became dead letters. Safe to repeat.
    """
    table = job.schema.tables[pairs.junction]
    if not any(column.type.kind in {"text", "varchar"} for column in table.columns):
        return 0
    if not exists(connection, pairs.identifier):
        return 0  # a crash came after the sides were merged
    keyed = _keyed(
        table,
        table.primary_key,
        flow=pairs.flow,
        place=sql.SQL("({}) AS p").format(pairs_of(job, table, pairs)) if pairs.looked_up else pairs.identifier,
        owner=pairs.own,
        path=junction_path(job, pairs.flow, pairs.junction, pairs.own),
    )
    total = 0
    while count := _settle_long(job, connection, keyed):
        total += count
    return total


def _settle_long(job: Job, connection: psycopg.Connection, keyed: _Keyed) -> int:
    job.check_stop()
    with connection.transaction():
        job.lease.assert_held(connection, job.run.id)
        candidates = connection.execute(
            sql.SQL(
                "SELECT DISTINCT ON (1) {owner}::text, {shown} FROM {place}"
                " WHERE {size} > {short} AND {held} AND {of_flow} ORDER BY 1, 2"
            ).format(
                of_flow=keyed.of_flow,
                owner=keyed.owner,
                shown=keyed.shown,
                held=keyed.held,
                place=keyed.place,
                size=keyed.size,
                short=sql.Literal(_SURELY_SHORT_BYTES),
            )
        ).fetchall()
        if not candidates:
            return 0
        connection.execute(
            sql.SQL("CREATE TEMP TABLE trial ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                keyed.columns, keyed.place
            )
        )
        connection.execute(sql.SQL("CREATE INDEX trial_key ON trial ({})").format(keyed.columns))
        causes: dict[str, Cause] = {}
        id_bytes = 0
        for row_id, value in candidates:
            words = _refusal(connection, keyed, str(row_id))
            if words is not None:
                message = f"Its {keyed.label} is too long for a key: {words}."
                causes[str(row_id)] = Cause("key-too-long", keyed.path, message, keyed.name, value=str(value))
                id_bytes += len(str(row_id))
            if len(causes) >= CHUNK or id_bytes >= PASS_ID_BYTES:
                break
        if causes:
            remove_documents(job, connection, keyed.flow, causes)
        reached("finish.long-keys-before-commit")
    reached("finish.long-keys-after-commit")
    return len(causes)


def _refusal(connection: psycopg.Connection, keyed: _Keyed, row_id: str) -> str | None:
    """Offer one document's key to the trial index; return the server's words if it refuses."""
    try:
        with connection.transaction():
            connection.execute(
                sql.SQL("INSERT INTO trial SELECT {columns} FROM {place} WHERE {owner}::text = {id} AND {held}").format(
                    columns=keyed.columns,
                    place=keyed.place,
                    owner=keyed.owner,
                    id=sql.Literal(row_id),
                    held=keyed.held,
                )
            )
    except psycopg.errors.ProgramLimitExceeded as fault:
        return fault.diag.message_primary or "index row too large"
    return None
