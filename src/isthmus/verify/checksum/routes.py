"""Where a route's values lead that may be ids of several entries, as the checksum must know it beforehand.

The core makes of such a value an id of each entry. Which of them finish keeps it decides by the rows that are there;
the checksum compares the first. Of an ObjectId all are the same; of other values the id map knows which belong
together. A value that names its collection (a DBRef) is an id of that one only, and is compared as it is.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import sql

from isthmus.mapping.types import UUID_TEXT
from isthmus.verify.checksum.sides import Route, Sides

_UUID = re.compile(UUID_TEXT)
MOST_PAIRS = 100_000
"""Ids of one route that may lead to another entry than the first; with more its tables are left to the oracle."""


def read_routes(connection: psycopg.Connection[Any], sides: Sides) -> dict[Route, list[tuple[str, str]]]:
    """Return of each route the ids of the first entry that no row has, with those of the entry that finish kept.

    Of a route with more than `MOST_PAIRS` of them the tables are left to the oracle, in `sides`.
    """
    found: dict[Route, list[tuple[str, str]]] = {}
    for route in sides.routes:
        query = sides.leading_on(route)
        if query is None:
            continue
        table = sides.tables[route[0]].table
        pairs = connection.execute(sql.SQL("{} LIMIT {}").format(query, sql.Literal(MOST_PAIRS + 1))).fetchall()
        if len(pairs) > MOST_PAIRS:
            why = f"more than {MOST_PAIRS:,} ids in references of {table.name} may lead to several tables"
            sides.leave_to_oracle(sides.root_of(table), why)
            continue
        uuids = table.column(route[1]).type.kind == "uuid"
        found[route] = [(str(first), str(kept)) for first, kept in pairs if not uuids or _UUID.fullmatch(str(first))]
    return found
