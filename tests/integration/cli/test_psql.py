"""`isthmus psql`: rows of an embedded target and of a server, psql's exit codes, and where a password goes.

Oracle: the rows that were written; a stand-in for psql that says how it was called. Blind spot: how the
prompt looks and what Ctrl-C does in it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from isthmus.connect.embedded import start
from isthmus.connect.embedded_files import packaged_binaries
from tests.integration.cli.conftest import COMMAND, RunCommand

SELECT = ("--", "-At", "-c", "SELECT n * 2 FROM looked ORDER BY n")


def test_embedded_target_is_started_for_it_and_stopped_behind_it(isthmus: RunCommand, short_path: Path) -> None:
    server = start(short_path / "pg")
    with psycopg.connect(server.conninfo) as connection:
        connection.execute("CREATE TABLE looked AS SELECT n FROM generate_series(1, 3) AS n")
    server.close()
    ran = isthmus("psql", "-t", "embedded:pg", *SELECT, cwd=short_path)
    assert (ran.code, ran.out, ran.err) == (0, "2\n4\n6\n", "")
    assert not (short_path / "pg" / "data" / "postmaster.pid").exists()
    wrong = isthmus("psql", "-t", "embedded:pg", "--", "-c", "SELECT nothing", cwd=short_path)
    assert (wrong.code, wrong.out) == (4, "")
    assert 'column "nothing" does not exist' in wrong.err
    nowhere = isthmus("psql", "-t", "embedded:other", *SELECT, cwd=short_path)
    assert (nowhere.code, "no-such-target" in nowhere.err) == (4, True)


def test_server_is_opened_with_the_psql_of_the_path(isthmus: RunCommand, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE looked AS SELECT 21 AS n")
    path = os.pathsep.join([str(packaged_binaries()), os.environ["PATH"]])
    ran = isthmus("psql", *SELECT, env={"DATABASE_URL": database, "PATH": path})
    assert (ran.code, ran.out) == (0, "42\n"), ran.all


def test_machine_without_psql_is_told(isthmus: RunCommand, tmp_path: Path) -> None:
    ran = isthmus("psql", "-t", "postgresql://h/d", env={"PATH": str(tmp_path)})
    assert (ran.code, ran.out) == (2, "")
    assert "no-psql" in ran.err


@pytest.mark.parametrize(
    "address",
    ["postgresql://me:7q-secret@127.0.0.1:1/db?sslpassword=7q-secret", "host=127.0.0.1 password=7q-secret dbname=db"],
)
def test_password_is_on_no_command_line(isthmus: RunCommand, tmp_path: Path, address: str) -> None:
    stand_in = tmp_path / "psql"
    stand_in.write_text('#!/bin/sh\necho "$@"\necho "for psql alone: $PGPASSWORD"\nexit 3\n')
    stand_in.chmod(0o755)
    ran = isthmus("psql", "-t", address, "--", "-c", "SELECT 1", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    called, password = ran.out.splitlines()
    assert (ran.code, password) == (4, "for psql alone: 7q-secret")
    assert "7q-secret" not in called
    assert called.startswith("--dbname ")
    assert called.endswith(" -c SELECT 1")
    assert "host=127.0.0.1" in called
    assert "dbname=db" in called


def test_prompt_on_embedded_target_tells_the_address_for_other_programs(short_path: Path) -> None:
    start(short_path / "pg").close()
    ours, theirs = os.openpty()
    command = [COMMAND, "psql", "-t", "embedded:pg"]
    with subprocess.Popen(
        command, cwd=short_path, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as prompt:
        os.close(theirs)
        assert prompt.stderr is not None
        told = prompt.stderr.readline()
        with psycopg.connect(told.split()[-1]) as connection:
            assert connection.execute("SELECT 6 * 7").fetchone() == (42,)
        os.write(ours, b"\\q\n")
        assert prompt.wait(60) == 0
    os.close(ours)
    assert not (short_path / "pg" / "data" / "postmaster.pid").exists()
