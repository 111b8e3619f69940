"""Connected components found in the server, against a plain search in memory."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import psycopg
import pytest

from isthmus.transfer.joining.components import find_components

Edge = tuple[str, str]


def found(database: str, edges: list[Edge]) -> dict[str, str]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TEMP TABLE edge (a text COLLATE "C", b text COLLATE "C")')
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO pg_temp.edge VALUES (%s, %s)", edges)
        count = find_components(connection)
        rows = connection.execute("SELECT node, root FROM pg_temp.component").fetchall()
    assert len(rows) == count
    return {str(node): str(root) for node, root in rows}


def searched(edges: list[Edge]) -> dict[str, str]:
    near: defaultdict[str, set[str]] = defaultdict(set)
    for a, b in edges:
        if a != b:
            near[a].add(b)
            near[b].add(a)
    roots: dict[str, str] = {}
    for start in sorted(near, key=str.encode):
        ahead = [start]
        while ahead:
            node = ahead.pop()
            if node not in roots:
                roots[node] = start
                ahead += near[node]
    return roots


@pytest.mark.parametrize("seed", range(5))
def test_components_are_those_of_a_search(seed: int, database: str) -> None:
    chance = random.Random(seed)
    names = [chance.choice("aBzÄ_") + str(number) for number in range(60)]
    edges = [(chance.choice(names), chance.choice(names)) for _ in range(chance.choice([5, 20, 40, 80]))]
    assert found(database, edges) == searched(edges)


def test_a_long_chain_in_any_order_is_one(database: str) -> None:
    nodes = [f"{number:05}" for number in range(3_000)]
    random.Random(1).shuffle(nodes)
    edges = list(pairwise(nodes))
    assert set(found(database, edges).values()) == {"00000"}


def test_nothing_is_connected_without_edges(database: str) -> None:
    assert found(database, [("a", "a")]) == {}
