"""The pairs of one side of a junction, looked up where they are values of another field."""

from __future__ import annotations

import psycopg
from psycopg import sql

from isthmus.connect.postgres import first_number
from isthmus.mapping.tables import Table
from isthmus.transfer.finishing.references import alternative, one_of_each
from isthmus.transfer.job import Job
from isthmus.transfer.staging import PairTable


def pairs_of(job: Job, junction: Table, pairs: PairTable) -> sql.Composed:
    """Return a query of the pairs of one side, in the order of the junction's columns; what waits is looked up."""
    reference = junction.column(pairs.other).reference
    place: sql.Composable = sql.SQL("{} p").format(pairs.identifier)
    values = {column.name: sql.SQL("p.{}").format(sql.Identifier(column.name)) for column in junction.columns}
    if pairs.looked_up and reference is not None:
        target = alternative(job, reference, values[pairs.other], waiting=True)
        place = sql.SQL("{} JOIN {} t ON t.{} = {}").format(
            place,
            one_of_each(job, target.table, target.key, reference.column),
            sql.Identifier(target.key),
            target.value,
        )
        values[pairs.other] = sql.SQL("t.{}").format(sql.Identifier(reference.column))
    columns = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in values.items()
    )
    return sql.SQL("SELECT DISTINCT {} FROM {}").format(columns, place)


def count_pairs(job: Job, connection: psycopg.Connection, junction: Table, pairs: PairTable) -> int:
    """Count the pairs of one side as they were loaded; without those that wait for a later copy."""
    condition: sql.Composable = sql.SQL("true")
    reference = junction.column(pairs.other).reference
    if pairs.looked_up and reference is not None:
        target = alternative(job, reference, sql.SQL("p.{}").format(sql.Identifier(pairs.other)), waiting=True)
        condition = sql.SQL("EXISTS (SELECT FROM {} t WHERE t.{} = {})").format(
            target.table, sql.Identifier(target.key), target.value
        )
    return first_number(
        connection.execute(sql.SQL("SELECT count(*) FROM {} p WHERE {}").format(pairs.identifier, condition))
    )
