"""Which rows of the target are which things, for letters that are to be joined into them."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.state.statements import statement
from isthmus.transfer.job import Job

ROWS_OF_THINGS = sql.Identifier("pg_temp", "isthmus_retry_thing")
"""The table of `lay_out_things`: `own`, the id that a document's own row has or would have, and `thing`."""


def lay_out_things(job: Job, connection: psycopg.Connection) -> None:
    """Write down the thing of every document of a member collection, by the id of its own row. Safe to repeat."""
    if job.mapping.things is None or not job.mapping.thing_tables:
        return
    members = {one.collection for identity in job.mapping.identities.values() for one in identity.members}
    connection.execute("DROP TABLE IF EXISTS pg_temp.isthmus_retry_thing")
    connection.execute(
        statement("identity", "lay_out_things"), {"names": list(job.mapping.identities), "members": sorted(members)}
    )
    connection.execute(sql.SQL("CREATE INDEX ON {} (thing)").format(ROWS_OF_THINGS))
    connection.execute(sql.SQL("ANALYZE {}").format(ROWS_OF_THINGS))
