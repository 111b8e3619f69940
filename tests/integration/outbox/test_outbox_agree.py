"""Writers, rollbacks and relays that are killed at random: in the end both databases say the same.

Oracle: the rows, written in the same transactions by plain SQL. Cannot see: a wrong order in between that comes to the
same end; counters, which every repetition changes, are there against that.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from isthmus.polyglot.outbox import Intent, delete, enqueue, insert, put, update
from tests.fix_mongo import WireServer
from tests.integration.outbox.world import PEOPLE, World

KEYS = 8
_SET = "INSERT INTO rows VALUES (%s, %s, %s) ON CONFLICT (id) DO UPDATE SET n = excluded.n, last = excluded.last"


def change(connection: psycopg.Connection[Any], key: int, chance: random.Random) -> list[Intent]:
    """Change one row at random, and return what makes the document the same."""
    connection.execute("SELECT pg_advisory_xact_lock(77, %s)", (key,))
    row = connection.execute("SELECT n, last FROM rows WHERE id = %s", (key,)).fetchone()
    number, last = chance.randrange(1000), chance.choice(["a", "b'ü", None])
    if row is None:
        connection.execute(_SET, (key, number, last))
        how = chance.choice([insert, put])
        return [how(PEOPLE, key, {"n": number, "last": last})]
    match chance.randrange(5):
        case 0:
            connection.execute("DELETE FROM rows WHERE id = %s", (key,))
            return [delete(PEOPLE, key)]
        case 1:
            connection.execute(_SET, (key, number, last))
            return [put(PEOPLE, key, {"n": number, "last": last})]
        case 2:
            connection.execute(_SET, (key, row[0], last))
            return [update(PEOPLE, key, set={"last": last})]
        case 3:
            connection.execute(_SET, (key, number, last))
            return [delete(PEOPLE, key), insert(PEOPLE, key, {"n": number, "last": last})]
        case _:
            connection.execute(_SET, (key, row[0] + 3, row[1]))
            return [update(PEOPLE, key, increment={"n": 1}), update(PEOPLE, key, increment={"n": 2}, create=True)]


def write(conninfo: str, seed: int, transactions: int, pause_seconds: float, written: list[int]) -> None:
    chance = random.Random(seed)
    with psycopg.connect(conninfo) as connection:
        for _ in range(transactions):
            keys = sorted(chance.sample(range(KEYS), chance.randrange(1, 4)))
            intents = [intent for key in keys for intent in change(connection, key, chance)]
            numbers = enqueue(connection, *intents)
            if chance.random() < 0.3:
                connection.rollback()
            else:
                connection.commit()
                written += numbers
            time.sleep(chance.random() * pause_seconds)


def agree(
    world: World,
    seed: int,
    folder: Path,
    *,
    transactions: int,
    kills: int = 0,
    pause_seconds: float = 0.02,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Let writers write while relays are killed; then let one end what is left, and compare."""
    world.do("CREATE TABLE rows (id integer PRIMARY KEY, n bigint, last text)")
    chance = random.Random(seed)
    written: list[int] = []
    threads = [
        threading.Thread(target=write, args=(world.conninfo, seed * 100 + n, transactions, pause_seconds, written))
        for n in range(3)
    ]
    relays = world.relays(folder)
    for thread in threads:
        thread.start()
    stages = ["outbox.claimed", *["outbox.written"] * 5, "outbox.before-commit", "outbox.after-commit"]
    with world.relaying(poll_seconds=0.1):
        for _ in range(kills):
            ended = relays.run("--drain", kill=[chance.choice(stages), chance.randrange(1, 12)])
            assert ended.code in {0, -signal.SIGKILL}, (ended.code, ended.text)
        meanwhile()
        for thread in threads:
            thread.join(120)
    world.drain()
    assert world.open_events() == []
    assert world.do("SELECT count(*), min(id) > 0 FROM isthmus.outbox") == [(len(written), True)]
    rows = {key: {"n": n, "last": last} for key, n, last in world.do("SELECT * FROM rows")}
    assert world.there() == rows, f"seed {seed}"


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 23))])
def test_both_databases_agree_after_relays_were_killed(world: World, tmp_path: Path, seed: int) -> None:
    agree(world, seed, tmp_path, transactions=25, kills=3)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(3))
def test_both_databases_agree_after_mongodb_was_away_for_a_minute(
    own_world: World, own_mongo: WireServer, tmp_path: Path, seed: int
) -> None:
    def go_away() -> None:
        time.sleep(3.0)
        own_mongo.kill()
        time.sleep(60.0)
        there = own_world.status()
        assert there.lag_seconds > 50.0
        assert there.troubled == ()
        own_mongo.start()

    agree(own_world, 1000 + seed, tmp_path, transactions=350, pause_seconds=0.4, meanwhile=go_away)
    assert own_world.status().outcome == "clear"
