"""PostgreSQL dies (SIGKILL, immediate shutdown) and comes back while isthmus keeps running."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from isthmus.connect.embedded import EmbeddedServer, start
from tests.chaos.compare import compare, finish_and_compare
from tests.chaos.sessions import Copy, Ended
from tests.fix_copies import Unkilled, World
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


def copy_while_server_dies(
    mortal: Mortal,
    copy: Copy,
    stage: str,
    number: int = 1,
    how: int = signal.SIGKILL,
    *,
    retry_seconds: int = 60,
    comes_back: bool = True,
) -> Ended:
    """Kill the server at an instant of a copy, start it again a moment later (or not), and wait for the copy's end."""
    with copy.begin("--retry-seconds", str(retry_seconds), pause=(stage, number)) as session:
        session.wait_until_paused()
        mortal.end(how)
        session.go_on()
        if comes_back:
            time.sleep(0.3)
            mortal.start_again()
        return session.ended()


@pytest.mark.parametrize(("stage", "number", "how"), INSTANTS)
def test_server_killed_while_isthmus_works_is_waited_for(
    stage: str, number: int, how: int, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    ended = copy_while_server_dies(mortal, mortal_copy, stage, number, how)
    compare(mortal_copy, ended, unkilled)


@pytest.mark.parametrize("stage", ["begin.before-commit", "begin.after-commit"])
def test_server_killed_while_a_run_begins_is_waited_for(
    stage: str, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    ended = copy_while_server_dies(mortal, mortal_copy, stage)
    compare(mortal_copy, ended, unkilled)


def test_server_that_stays_away_while_a_run_begins_stops_it_resumable(
    mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled
) -> None:
    ended = copy_while_server_dies(mortal, mortal_copy, "begin.before-commit", retry_seconds=1, comes_back=False)
    assert ended.code == 4, ended.text
    assert "internal error" not in ended.words
    mortal.start_again()
    finish_and_compare(mortal_copy, unkilled)


def test_server_that_stays_away_ends_the_session_resumable(
    mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled, tmp_path: Path
) -> None:
    json_file = tmp_path / "copy.json"
    mortal_copy.options += ("--json", str(json_file))
    ended = copy_while_server_dies(mortal, mortal_copy, "copy.rows-sent", 5, retry_seconds=1, comes_back=False)
    assert ended.code == 4, ended.text
    assert "What was committed is kept" in ended.words or "server runs" in ended.words
    told = json.loads(
        json_file.read_text(encoding="utf-8")
    )  # the target cannot be asked; what this process knows is told
    assert (told["outcome"], told["exit_code"], type(told["run"])) == ("failed", 4, int)
    assert sum(books["read"] for books in told["collections"].values()) > 0
    mortal.start_again()
    finish_and_compare(mortal_copy, unkilled)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
def test_server_killed_again_and_again_is_waited_for(
    seed: int, mortal: Mortal, mortal_copy: Copy, unkilled: Unkilled, record_property: Callable[[str, object], None]
) -> None:
    """Up to four kills, the first soon after the run began, so that at least that one comes before the end."""
    rng = random.Random(seed)
    kills: list[str] = []
    with mortal_copy.begin("--retry-seconds", "60") as session:
        while "begin.after-commit" not in session.reached():
            assert session.process.poll() is None, session.process.communicate()[0]
            time.sleep(0.005)
        while len(kills) < 4:
            time.sleep(rng.uniform(0.0, 0.2 if not kills else 0.8))
            if session.process.poll() is not None:
                break
            mortal.end(rng.choice([signal.SIGKILL, signal.SIGQUIT]))
            kills.append(session.reached()[-1])
            time.sleep(rng.uniform(0.0, 0.5))
            mortal.start_again()
        ended = session.ended()
    record_property("kills", json.dumps(kills))
    assert any(stage != "complete.after-commit" for stage in kills)
    compare(mortal_copy, ended, unkilled)
