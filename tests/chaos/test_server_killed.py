"""PostgreSQL dies (SIGKILL, immediate shutdown) and comes back while isthmus keeps running."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from isthmus.connect.embedded import EmbeddedServer, start
from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, World, assert_equal
from tests.fix_postgres import FAST, create_database, short_directory, start_server


@dataclass
class Mortal:
    """A server that is killed and started again, in one folder and on one port."""

    held: list[EmbeddedServer]
    port: str

    @property
    def conninfo(self) -> str:
        return self.held[0].conninfo

    def end(self, how: int) -> None:
        pid = self.held[-1].pid
        assert pid is not None
        os.kill(pid, how)

    def start_again(self) -> None:
        self.held.append(start(self.held[0].directory, settings={**FAST, "port": self.port}))


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    """Return a server of this module's own."""
    import shutil

    directory = short_directory()
    server = start_server(directory)
    with psycopg.connect(server.conninfo) as connection:
        row = connection.execute("SHOW port").fetchone()
    assert row is not None
    mortal = Mortal([server], str(row[0]))
    yield mortal
    for held in reversed(mortal.held):
        held.close()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def mortal_copy(mortal: Mortal, world: World, tmp_path: Path) -> Copy:
    return world.copy(create_database(mortal.conninfo), tmp_path)


INSTANTS = [
    ("copy.between-tables", 9, signal.SIGKILL),
    ("copy.before-commit", 6, signal.SIGQUIT),
    ("copy.partition-before-commit", 3, signal.SIGKILL),
    ("copy.complete-before-commit", 1, signal.SIGKILL),
    ("finish.duplicates-before-commit", 2, signal.SIGKILL),
    ("finish.foreign-key-before-commit", 5, signal.SIGQUIT),
    ("finish.orphans-before-commit", 3, signal.SIGKILL),
    ("finish.junctions-before-commit", 1, signal.SIGKILL),
    ("complete.before-commit", 1, signal.SIGKILL),
]


@pytest.mark.parametrize(("stage", "number", "how"), INSTANTS)
def test_server_killed_while_isthmus_works_is_waited_for(
    stage: str, number: int, how: int, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    with mortal_copy.begin("--retry-seconds", "60", pause=(stage, number)) as session:
        session.wait_until_paused()
        mortal.end(how)
        session.go_on()
        time.sleep(0.3)
        mortal.start_again()
        ended = session.ended()
    assert ended.code == FINISHED, ended.text
    assert_equal(mortal_copy.target, unkilled)


@pytest.mark.parametrize("stage", ["begin.before-commit", "begin.after-commit"])
def test_server_killed_while_a_run_begins_is_waited_for(
    stage: str, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    with mortal_copy.begin("--retry-seconds", "60", pause=(stage, 1)) as session:
        session.wait_until_paused()
        mortal.end(signal.SIGKILL)
        session.go_on()
        time.sleep(0.3)
        mortal.start_again()
        ended = session.ended()
    assert ended.code == FINISHED, ended.text
    assert_equal(mortal_copy.target, unkilled)


def test_server_that_stays_away_while_a_run_begins_stops_it_resumable(
    mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    with mortal_copy.begin("--retry-seconds", "1", pause=("begin.before-commit", 1)) as session:
        session.wait_until_paused()
        mortal.end(signal.SIGKILL)
        session.go_on()
        ended = session.ended()
    assert ended.code == 4, ended.text
    assert "internal error" not in ended.words
    mortal.start_again()
    ended = mortal_copy.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(mortal_copy.target, unkilled)


def test_server_that_stays_away_ends_the_session_resumable(
    mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    with mortal_copy.begin("--retry-seconds", "1", pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        mortal.end(signal.SIGKILL)
        session.go_on()
        ended = session.ended()
    assert ended.code == 4, ended.text
    assert "What was committed is kept" in ended.words or "server runs" in ended.words
    mortal.start_again()
    ended = mortal_copy.run()
    assert ended.code == FINISHED, ended.text
    assert_equal(mortal_copy.target, unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
def test_server_killed_again_and_again_is_waited_for(
    seed: int, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled, record_property: Callable[[str, object], None]
) -> None:
    import random

    rng = random.Random(seed)
    kills = 0
    with mortal_copy.begin("--retry-seconds", "60") as session:
        while session.process.poll() is None and kills < 4:
            time.sleep(rng.uniform(0.4, 1.0))
            if "begin.after-commit" not in (session.log.read_text() if session.log.exists() else ""):
                continue
            mortal.end(rng.choice([signal.SIGKILL, signal.SIGQUIT]))
            kills += 1
            time.sleep(rng.uniform(0.0, 0.5))
            mortal.start_again()
        ended = session.ended()
    assert ended.code in {FINISHED, 0}, ended.text
    assert_equal(mortal_copy.target, unkilled)
    record_property("kills", kills)
