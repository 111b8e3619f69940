"""A verification that is stopped ends soon, whatever it is at, and has proven nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.verify import samples
from isthmus.verify.oracle import Oracle
from isthmus.verify.result import LAYERS, Layer, Verified
from isthmus.verify.run import verify_database
from isthmus.verify.source_reading import Wanted, read_source
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress
from tests.integration.verify.made import Made
from tests.integration.verify.shop import oid

_LOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
_SOON_SECONDS = 5.0
MAPPING = """
isthmus: 1
collections: {users: {fields: {n: {type: integer!, unique: true}, next: {references: users, on_orphan: "null"}}}}
"""


@pytest.fixture
def made(make_here: Callable[..., Made]) -> Made:
    """A small copy."""
    return make_here(MAPPING, {"users": [{"_id": oid(n), "n": n, "next": oid(n % 9)} for n in range(1, 50)]})


def wait_until_locked(connection: psycopg.Connection[tuple[int]]) -> None:
    for _ in range(600):
        row = connection.execute(_LOCKED).fetchone()
        if row is not None and row[0]:
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits for the lock")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_cancels_what_the_server_is_at(number: signal.Signals, made: Made) -> None:
    mapping = made.folder.parent / "mapping.yaml"
    mapping.write_text(made.mapping)
    command = [Path(sys.executable).with_name("isthmus"), "verify", mapping, "--source", made.folder]
    environment = {**os.environ, "DATABASE_URL": made.conninfo}
    with (
        psycopg.connect(made.conninfo, autocommit=True) as watching,
        psycopg.connect(made.conninfo) as locking,
    ):
        locking.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        with subprocess.Popen(
            [*command, "--layers", "rules"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            try:
                wait_until_locked(watching)
                process.send_signal(number)
                said, _ = process.communicate(timeout=_SOON_SECONDS)
            finally:
                process.kill()
    assert process.returncode == 130, said
    assert made.one("SELECT outcome FROM isthmus.verification ORDER BY id DESC LIMIT 1") == "interrupted"


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "schema"])  # which looks at catalogs alone
def test_each_layer_is_ended_where_the_server_waits(layer: Layer, made: Made) -> None:
    stop, result = threading.Event(), Verified()
    source = open_source(str(made.folder))

    def verify() -> None:
        verify_database(parse_mapping(made.mapping), source, made.conninfo, layers=(layer,), stop=stop, result=result)

    with (
        psycopg.connect(made.conninfo, autocommit=True) as watching,
        psycopg.connect(made.conninfo) as locking,
    ):
        locking.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        working = threading.Thread(target=verify)
        working.start()
        wait_until_locked(watching)
        stop.set()
        working.join(_SOON_SECONDS)
        ended = not working.is_alive()
        locking.rollback()
        working.join()
    source.close()
    assert ended
    assert result.interrupted
    assert not result.passed


def test_oracle_ends_between_two_documents(made: Made) -> None:
    stop = threading.Event()
    with made.subject(sample=50) as subject, ExitStack() as stack:
        oracle = Oracle(subject, stack, stop)
        facts = read_source(subject, Wanted(50, takers=lambda name: [*oracle.takers(name)]), Progress(), stop)
        stop.set()
        with pytest.raises(Interrupted):
            samples.check(subject, facts, oracle)


class _StoppedAtTheEnd(Progress):
    """Stands for a signal that comes when the last layer is through."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._signal = stop

    def step_done(self) -> None:
        super().step_done()
        self._signal.set()


def test_stop_at_the_very_end_counts(made: Made) -> None:
    stop = threading.Event()
    source = open_source(str(made.folder))
    try:
        result = verify_database(
            parse_mapping(made.mapping),
            source,
            made.conninfo,
            layers=("rules",),
            stop=stop,
            progress=_StoppedAtTheEnd(stop),
        )
    finally:
        source.close()
    assert result.interrupted
    assert not result.passed
