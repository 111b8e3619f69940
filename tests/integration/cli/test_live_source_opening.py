"""A running server that is in trouble while the command line opens it: who waits, for what, and how the wait ends."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.fix_mongo import WireServer, database_url
from tests.fix_postgres import free_port
from tests.integration.cli.conftest import COMMAND, RunCommand

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer}}}\n"
WAITS = "Trying again for up to"


@pytest.fixture
def shop(own_mongo: WireServer) -> str:
    """Return the address of a database with three documents."""
    with own_mongo.client() as client:
        client["shop"]["Things"].insert_many([{"_id": n, "n": n} for n in range(3)])
    return database_url(own_mongo.url, "shop")


def schemas(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('isthmus')").fetchall()
    return [row[0] for row in rows]


def test_connection_that_is_cut_while_the_source_is_opened_is_waited_for(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, own_mongo: WireServer, shop: str
) -> None:
    with own_mongo.failing(["collStats"], times=2, closeConnection=True):
        ran = isthmus("copy", write_mapping(MAPPING), "-s", shop, "-t", database)
    assert ran.code == 0, ran.all
    assert ran.err.count(WAITS) == 1, "told once a trouble"
    assert "does not answer" in ran.err
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT n FROM things ORDER BY 1").fetchall() == [(0,), (1,), (2,)]


def test_source_that_stays_in_trouble_ends_the_copy_when_the_time_is_over(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, own_mongo: WireServer, shop: str
) -> None:
    with own_mongo.failing(["collStats"], times=1000, closeConnection=True):
        began = time.monotonic()
        ran = isthmus("copy", write_mapping(MAPPING), "-s", shop, "-t", database, "--retry-seconds", 1)
    assert (ran.code, 1 < time.monotonic() - began < 20) == (3, True), ran.all
    assert "(source-unreachable)" in ran.err
    assert "What was read" not in ran.err, "nothing was"
    assert schemas(database) == []


@pytest.mark.timeout(60)
def test_every_try_that_lasts_longer_than_the_limit_is_the_same_trouble(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str
) -> None:
    address = f"mongodb://127.0.0.1:{free_port()}/shop?serverSelectionTimeoutMS=1500"
    ran = isthmus("copy", write_mapping(MAPPING), "-s", address, "-t", database, "--retry-seconds", 1)
    assert (ran.code, ran.err.count(WAITS)) == (3, 1), ran.all


def test_nobody_who_does_not_want_to_wait_does(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, own_mongo: WireServer, shop: str
) -> None:
    mapping = write_mapping(MAPPING)
    for command in (
        ["copy", mapping, "-s", shop, "-t", database, "--retry-seconds", 0],
        ["check", mapping, "-s", shop],
    ):
        with own_mongo.failing(["collStats"], closeConnection=True):
            ran = isthmus(*command)
        assert (ran.code, WAITS in ran.err) == (3, False), ran.all
        assert "What was read" not in ran.err, "nothing was"


@pytest.mark.parametrize(
    ("how", "database_name", "code"),
    [
        ({"errorCode": 18}, "shop", "source-login"),
        ({"errorCode": 13}, "shop", "source-right"),
        ({}, "shp", "unknown-database"),
    ],
)
def test_what_does_not_pass_is_not_waited_for(
    isthmus: RunCommand,
    write_mapping: Callable[[str], Path],
    database: str,
    own_mongo: WireServer,
    shop: str,
    how: dict[str, int],
    database_name: str,
    code: str,
) -> None:
    address = shop.replace("/shop", f"/{database_name}")
    failing = own_mongo.failing(["listCollections"], times=9, **how) if how else contextlib.nullcontext()
    with failing:
        ran = isthmus("copy", write_mapping(MAPPING), "-s", address, "-t", database)
    assert (ran.code, f"({code})" in ran.err, WAITS in ran.err) == (3, True, False), ran.all


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_wait_for_a_source_ends_at_once_when_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    address = f"mongodb://127.0.0.1:{free_port()}/shop?serverSelectionTimeoutMS=300"
    command = [str(COMMAND), "copy", "mapping.yaml", "-s", address, "-t", f"embedded:{tmp_path / 'target'}"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            said = ""
            while WAITS not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            time.sleep(1)  # in the middle of the wait, which is a few tries old by now
            process.send_signal(number)
            stopped_at = time.monotonic()
            rest = process.stderr.read()
            assert (process.wait(), time.monotonic() - stopped_at < 3) == (130, True)
        finally:
            process.kill()
    assert f"{number.name}: ending now." in rest
    assert not (tmp_path / "target").exists()


@contextlib.contextmanager
def mute_server() -> Iterator[int]:
    """Give the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_check_says_what_it_waits_for_and_what_to_look_at(
    isthmus: RunCommand, write_mapping: Callable[[str], Path]
) -> None:
    with mute_server() as port:
        address = f"mongodb://someone:kanarienvogel@127.0.0.1:{port}/shop"
        ran = isthmus("check", write_mapping(MAPPING), "-s", address)
    assert ran.code == 3
    waits, error, hint, *_ = ran.err.splitlines()
    assert waits == f"Waiting for the MongoDB server at 127.0.0.1:{port} to answer, for up to 10 s."
    assert error.startswith(f"error (source-unreachable): The MongoDB server at 127.0.0.1:{port} does not answer:")
    for word in ("runs", "host and port", "firewall", "tls=true", "replicaSet"):
        assert word in hint
    assert "kanarienvogel" not in ran.all


@pytest.mark.parametrize(("seconds", "most"), [(0, 2), (3, 8)])
def test_one_question_to_a_server_that_is_away_lasts_no_longer_than_the_copy_would_wait(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], seconds: int, most: int
) -> None:
    address = f"mongodb://127.0.0.1:{free_port()}/shop"
    command = ("copy", write_mapping(MAPPING), "-s", address, "-t", "postgresql://h/x", "--retry-seconds", seconds)
    began = time.monotonic()
    ran = isthmus(*command)
    assert (ran.code, "(source-unreachable)" in ran.err) == (3, True), ran.all
    assert time.monotonic() - began < most + 2, "two seconds for the command itself"


def test_option_of_the_address_goes_before_what_the_copy_would_wait(
    isthmus: RunCommand, write_mapping: Callable[[str], Path]
) -> None:
    address = f"mongodb://127.0.0.1:{free_port()}/shop?serverSelectionTimeoutMS=4500"
    command = ("copy", write_mapping(MAPPING), "-s", address, "-t", "postgresql://h/x", "--retry-seconds", 0)
    began = time.monotonic()
    ran = isthmus(*command)
    assert (ran.code, time.monotonic() - began > 4.5) == (3, True), ran.all
    assert "for up to 4.5 s." in ran.err
