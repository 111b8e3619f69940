"""Sequences behind columns that the mapping fills: set beyond the highest value, so that the next one is free."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.transfer.job import Job


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
            row = connection.execute(
                "SELECT pg_catalog.pg_get_serial_sequence(%s, %s)", (place.as_string(connection), column.name)
            ).fetchone()
            if row is None or row[0] is None:
                continue
            sequence = str(row[0])
            try:
                with connection.transaction():
                    job.lease.assert_held(connection, job.run.id)
                    connection.execute(
                        sql.SQL(
                            "SELECT setval({name}::regclass, m.top)"
                            " FROM (SELECT max({column})::bigint AS top FROM {table}) AS m,"
                            " (SELECT last_value, is_called FROM {sequence}) AS q"
                            " WHERE m.top > q.last_value OR m.top = q.last_value AND NOT q.is_called"
                        ).format(
                            name=sql.Literal(sequence),
                            column=sql.Identifier(column.name),
                            table=place,
                            sequence=sql.SQL(sequence),  # pyright: ignore[reportArgumentType]  quoted by the server
                        )
                    )
            except psycopg.errors.InsufficientPrivilege:
                job.progress.note(
                    f"This role may not set the sequence {sequence} of {fed.there.label}.{column.name}; have its owner"
                    " set it beyond the highest value, or the next row may get one that is taken."
                )
