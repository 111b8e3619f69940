"""What rows in the target had added to the books, for documents whose original bytes cannot be counted again.

A source that moves has lost or changed them since. Rows and references are counted where they stand and in the ledger,
so these books balance to the last one. Of what leaves no trace beside a row (values that could be recomputed, fields in
extras, dropped fields) the books keep what was true when the document was read. The ledger does not say what its
changed values became, so these leave the books under a name of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.mapping.model import Flow
from isthmus.state.became import UNTOLD, group_of, is_told
from isthmus.state.statements import statement
from isthmus.transfer.document_rows import key_type, tables_of
from isthmus.transfer.existing.waiting_values import count_aside
from isthmus.transfer.finishing.references import reference_sites
from isthmus.transfer.job import Job
from isthmus.transfer.staging import exists


def amounts_in_target(
    job: Job, connection: psycopg.Connection, flow: Flow, ids: Collection[str], source_ids: Collection[bytes]
) -> Counter[tuple[str, str]]:
    """Return (group, name) → what the rows of some documents come to, in the shape of the books.

    Args:
        job: The copy, before its junctions are merged.
        connection: Inside the transaction that will delete the rows; reads only.
        flow: Their flow.
        ids: Ids in the target, as text.
        source_ids: Their `{"_id": value}` as BSON, as far as they are known.
    """
    found: Counter[tuple[str, str]] = Counter()
    if not ids and not source_ids:
        return found
    wanted = sorted(ids)
    kind = key_type(job.root_of(flow), job.schema.schema)
    for table in tables_of(job, flow):
        if table.kind == "waiting":
            continue
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} = ANY(%s::{}[]) AND {}").format(
            table.place, sql.Identifier(table.owner), kind, table.of_flow
        )
        found["rows", table.name] += first_number(connection.execute(query, (wanted,)))
    undone_of: set[tuple[str, str]] = set()
    for site in reference_sites(job):
        if site.flow != flow or not exists(connection, site.place):
            continue
        query = sql.SQL("SELECT count({}) FROM {} WHERE r.{} = ANY(%s::{}[])").format(
            site.value, site.source, sql.Identifier(site.key), kind
        )
        undone = {
            "run": job.run.id,
            "collection": flow.collection,
            "table": site.table,
            "column": site.column,
            "ids": wanted,
        }
        found["references", site.name] += first_number(connection.execute(query, (wanted,)))
        found["references", site.name] += count_aside(job, connection, site, wanted)
        if (site.table, site.column) in undone_of:
            continue  # what waits has two sites
        undone_of.add((site.table, site.column))
        left = connection.execute(statement("ledger", "count_undone_references"), undone)
        found["references", site.name] += first_number(left)
    listed = {"run": job.run.id, "collection": flow.collection, "source_ids": list(source_ids)}
    for table, column, change, count in connection.execute(statement("ledger", "count_adjustments"), listed).fetchall():
        name = f"{table}.{column}:{change}" if column else f"{table}:{change}"
        found["adjusted", name] += int(count)
        if is_told(name):
            found[group_of(name), UNTOLD] += int(count)
    return found
