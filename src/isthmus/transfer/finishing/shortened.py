"""Places in documents of elements in arrays that earlier passes over the references have shortened. Pure.

An orphan that is left out of its array lets those behind it move up. When a document leaves later, what pointed at it
is found at the place that it has by then; the ledger names the one that it has in its document.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from isthmus.transfer.finishing.references import ReferenceSite
from isthmus.transfer.job import Job

# Of the elements that are gone, those stood before the one at the place n which stood at places up to n when all others
# that are gone had moved up: `gaps` are these places, in order.
_IN_DOCUMENT: LiteralString = """
SELECT f.place, f.row_id, CASE WHEN g.gaps IS NULL THEN f.row_position ELSE f.above || f.last
       + (SELECT count(*) FROM unnest(g.gaps) AS gap WHERE gap <= f.last)::integer END AS row_position,
       f.target_id, f.target_collection, f.element
FROM (SELECT b.*, b.row_position[:cardinality(b.row_position) - 1] AS above,
             b.row_position[cardinality(b.row_position)] AS last FROM ({found}) b) f
LEFT JOIN (
    SELECT row_id, above, array_agg(last - number) AS gaps FROM (
        SELECT row_id, above, last, row_number() OVER (PARTITION BY row_id, above ORDER BY last) - 1 AS number FROM (
            SELECT DISTINCT row_id, row_position[:cardinality(row_position) - 1] AS above,
                   row_position[cardinality(row_position)] AS last
            FROM isthmus.orphan WHERE run_id = {run} AND table_name = {table} AND column_name = {column}
              AND action = 'drop') o) n
    GROUP BY row_id, above) g ON g.row_id = f.row_id AND g.above = f.above
"""


def in_document(job: Job, site: ReferenceSite, found: sql.Composable) -> sql.Composable:
    """Return a query of orphans with the places that they have in their documents; `found` has those in the rows.

    Args:
        job: The copy, whose ledger names what was left out before.
        site: The reference.
        found: A query of its orphans as `bad_references` has it.
    """
    if site.shape != "array" or site.action != "drop":
        return found
    return sql.SQL(_IN_DOCUMENT).format(
        found=found, run=sql.Literal(job.run.id), table=sql.Literal(site.table), column=sql.Literal(site.column)
    )
