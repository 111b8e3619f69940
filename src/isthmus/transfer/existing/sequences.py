"""Sequences behind columns that the mapping fills: set beyond the highest value, so that the next one is free."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.transfer.job import Job

# Those that belong to a column, and others that its default draws from; one that counts down is in nobody's way.
_SEQUENCES = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), q.seqmax
FROM pg_catalog.pg_sequence q JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE q.seqincrement > 0 AND (q.seqrelid = pg_catalog.pg_get_serial_sequence(%s, %s)::regclass OR EXISTS (
  SELECT FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
  WHERE f.adrelid = %s::bigint::oid AND a.attname = %s
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = q.seqrelid)) ORDER BY 1
"""


def advance_sequences(job: Job, connection: psycopg.Connection) -> None:
    """Set the sequence of every filled integer column beyond its highest value; never back. Safe to repeat.

    A sequence this role may not set is named in a note.
    """
    assert job.existing is not None  # noqa: S101  asked only in this mode
    for fed in job.existing.tables.values():
        place = sql.Identifier(fed.there.schema, fed.name)
        for column in fed.columns:
            if column.there.base not in {"int2", "int4", "int8"} or not column.there.filled:
                continue
            serial = (place.as_string(connection), column.name)
            for sequence, most in connection.execute(_SEQUENCES, (*serial, fed.there.oid, column.name)).fetchall():
                try:
                    with connection.transaction():
                        job.lease.assert_held(connection, job.run.id)
                        connection.execute(
                            sql.SQL(
                                "SELECT setval({name}::regclass, least(m.top, {most}))"
                                " FROM (SELECT max({column})::bigint AS top FROM {table}) AS m,"
                                " (SELECT last_value, is_called FROM {sequence}) AS q"
                                " WHERE m.top > q.last_value OR m.top = q.last_value AND NOT q.is_called"
                            ).format(
                                name=sql.Literal(sequence),
                                most=sql.Literal(most),
                                column=sql.Identifier(column.name),
                                table=place,
                                sequence=sql.SQL(sequence),  # pyright: ignore[reportArgumentType]  quoted by the server
                            )
                        )
                except psycopg.errors.InsufficientPrivilege:
                    job.progress.note(
                        f"This role may not set the sequence {sequence} of {fed.there.label}.{column.name}; have its"
                        " owner set it beyond the highest value, or the next row may get one that is taken."
                    )
