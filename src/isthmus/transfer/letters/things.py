"""Which rows of the target are which things, for letters that are to be joined into them."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.transfer.job import Job

ROWS_OF_THINGS = sql.Identifier("pg_temp", "isthmus_retry_thing")
"""The table of `lay_out_things`: `own`, the id that a document's own row has or would have, and `thing`."""


def lay_out_things(job: Job, connection: psycopg.Connection) -> None:
    """Write down the thing of every document of a member collection, by the id of its own row. Safe to repeat."""
    things = job.mapping.things
    if things is None or not job.mapping.thing_tables:
        return
    connection.execute("DROP TABLE IF EXISTS pg_temp.isthmus_retry_thing")
    connection.execute("CREATE TEMP TABLE isthmus_retry_thing (own text NOT NULL, thing text NOT NULL)")
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(ROWS_OF_THINGS)) as copy:
        members = dict.fromkeys(one.collection for each in job.mapping.identities.values() for one in each.members)
        for collection in members:
            scheme = job.mapping.collections[job.mapping.flows_of(collection)[0].entry].ids
            for document, thing in things.of.get(collection, {}).items() if scheme != "keep" else ():
                if thing is not None:
                    copy.write_row((job.codec.derive(collection, document, scheme), thing))
    connection.execute(sql.SQL("CREATE INDEX ON {} (thing)").format(ROWS_OF_THINGS))
    connection.execute(sql.SQL("ANALYZE {}").format(ROWS_OF_THINGS))
