"""Where the pairs of a junction wait until both sides are known.

A junction that one array feeds is loaded in place: every pair belongs to the document in its own column. A junction
that several arrays feed is loaded into one table per side (schema `isthmus`, dropped by finish), because a pair that
came from both sides and a pair that came from one are told apart only there: a dead letter takes its own pairs along
and leaves the other side's, which then are orphans.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.mapping.tables import TargetSchema
from isthmus.transfer.job import Feeder


@dataclass(frozen=True)
class PairTable:
    """A table that pairs of one side are loaded into.

    Attributes:
        schema: `isthmus`, or the target schema when the junction is loaded in place.
        name: Table name.
        junction: Junction table the pairs are meant for.
        own: Column of the side that holds the array.
        other: Column of the ids in the array.
        collection: Collection of the side that holds the array.
    """

    schema: str
    name: str
    junction: str
    own: str
    other: str
    collection: str

    @property
    def in_place(self) -> bool:
        """Whether the pairs go straight into the junction table."""
        return self.name == self.junction and self.schema != "isthmus"

    @property
    def identifier(self) -> sql.Identifier:
        """The qualified, quoted name."""
        return sql.Identifier(self.schema, self.name)


def pair_tables(feeders: tuple[Feeder, ...], schema: TargetSchema) -> dict[tuple[str, str], PairTable]:
    """Decide where each side's pairs are loaded.

    Args:
        feeders: All arrays that feed junctions.
        schema: The target.

    Returns:
        (junction, own column) → its table. Two arrays on one side share a table.
    """
    count = Counter(feeder.junction for feeder in feeders)
    tables: dict[tuple[str, str], PairTable] = {}
    for feeder in feeders:
        if count[feeder.junction] == 1 and feeder.lone:
            where, name = schema.schema, feeder.junction
        else:
            digest = hashlib.sha256(f"{feeder.junction}\0{feeder.own}".encode()).hexdigest()[:8]
            where, name = "isthmus", f"pairs_{digest}"
        tables[(feeder.junction, feeder.own)] = PairTable(
            where, name, feeder.junction, feeder.own, feeder.other, feeder.collection
        )
    return tables


def exists(connection: psycopg.Connection, place: sql.Identifier) -> bool:
    """Tell whether a table is there; a waiting table is not after its junction was merged."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (place.as_string(connection),)).fetchone()
    return bool(row and row[0])


def create_statements(tables: dict[tuple[str, str], PairTable], schema: TargetSchema) -> list[sql.Composed]:
    """Return the statements that make the waiting tables, in the shape of their junctions without keys."""
    return [
        sql.SQL("CREATE TABLE {} AS SELECT {}, {} FROM {} WITH NO DATA").format(
            table.identifier,
            *(sql.Identifier(column.name) for column in schema.tables[table.junction].columns),
            sql.Identifier(schema.schema, table.junction),
        )
        for table in tables.values()
        if not table.in_place
    ]
