"""Where the pairs of a junction wait until all sides are known.

A junction that one array feeds is loaded in place: every pair belongs to the document in its own column. A junction
that several arrays feed is loaded into one table per side and flow (schema `isthmus`, dropped by finish), because a
pair that came from both sides and a pair that came from one are told apart only there: a dead letter takes its own
pairs along and leaves the other side's, which then are orphans. Pairs whose other end must be looked up wait too.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.mapping.model import Flow
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
        flow: Flow whose documents hold the array.
        looked_up: Whether the other end is a value to be looked up in finish, not an id.
    """

    schema: str
    name: str
    junction: str
    own: str
    other: str
    flow: Flow
    looked_up: bool = False

    @property
    def collection(self) -> str:
        """Source collection of the side that holds the array."""
        return self.flow.collection

    @property
    def in_place(self) -> bool:
        """Whether the pairs go straight into the junction table."""
        return self.name == self.junction and self.schema != "isthmus"

    @property
    def identifier(self) -> sql.Identifier:
        """The qualified, quoted name."""
        return sql.Identifier(self.schema, self.name)


def pair_tables(feeders: tuple[Feeder, ...], schema: TargetSchema) -> dict[tuple[str, str, int], PairTable]:
    """Decide where each side's pairs are loaded.

    Args:
        feeders: All arrays that feed junctions.
        schema: The target.

    Returns:
        (junction, own column, number of the flow) → its table. Two arrays of one flow on one side share a table.
    """
    count = Counter(feeder.junction for feeder in feeders)
    side = Counter((feeder.junction, feeder.own) for feeder in feeders)
    tables: dict[tuple[str, str, int], PairTable] = {}
    for feeder in feeders:
        flow = feeder.flow
        if feeder.waiting is not None:
            where, name = "isthmus", feeder.waiting
        elif count[feeder.junction] == 1 and feeder.lone:
            where, name = schema.schema, feeder.junction
        else:
            parts = [feeder.junction, feeder.own]
            if side[feeder.junction, feeder.own] > 1:
                parts.append(str(flow.number))
            digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]
            where, name = "isthmus", f"pairs_{digest}"
        tables[feeder.junction, feeder.own, flow.number] = PairTable(
            where, name, feeder.junction, feeder.own, feeder.other, flow, looked_up=feeder.waiting is not None
        )
    return tables


def exists(connection: psycopg.Connection, place: sql.Identifier) -> bool:
    """Tell whether a table is there; a waiting table is not after its junction was merged."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (place.as_string(connection),)).fetchone()
    return bool(row and row[0])


def create_statements(tables: dict[tuple[str, str, int], PairTable], schema: TargetSchema) -> list[sql.Composed]:
    """Return the statements that make the waiting tables, in the shape of their junctions without keys.

    Tables of what is looked up in finish are not among them: `ddl.create_pending_table` makes these.
    """
    return [
        sql.SQL("CREATE TABLE {} AS SELECT {}, {} FROM {} WITH NO DATA").format(
            table.identifier,
            *(sql.Identifier(column.name) for column in schema.tables[table.junction].columns),
            sql.Identifier(schema.schema, table.junction),
        )
        for table in tables.values()
        if not table.in_place and not table.looked_up
    ]
