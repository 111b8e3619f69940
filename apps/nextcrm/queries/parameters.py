"""Parameters of the queries, drawn by a seed from what is in the database."""

from __future__ import annotations

import random
from typing import Any

import psycopg
from psycopg.rows import dict_row

from apps.nextcrm.queries.catalogue import DRAWS, PACKAGE, Query
from isthmus.state.statements import statements


def draw(connection: psycopg.Connection[Any], query: Query, number: int, seed: int) -> list[dict[str, Any]]:
    """Return so many sets of parameters of a query, by chance and with repetitions.

    Ids differ from one copy to another, so the same seed gives the same parameters on one database only. What is drawn
    first is drawn by the order of ids, which are of no order in time.

    Args:
        connection: Reads.
        query: The query.
        number: How many sets.
        seed: Of chance.

    Returns:
        Sets by parameter name; none where the database has nothing to ask for.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        pool = cursor.execute(statements(DRAWS, PACKAGE)[query.draw]).fetchall()
    chance = random.Random(f"{seed} {query.name}")  # noqa: S311 - seeded on purpose
    return [chance.choice(pool) for _ in range(number)] if pool else []
