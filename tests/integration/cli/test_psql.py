"""`isthmus psql`: rows of an embedded target and of a server, psql's exit codes, and where a password goes.

Oracle: the rows that were written; a stand-in for psql that says how it was called. Blind spot: how the
prompt looks, and that Ctrl-C in it is psql's own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from isthmus.connect.embedded import start
from isthmus.connect.embedded_files import packaged_binaries
from tests.integration.cli.conftest import COMMAND, RunCommand
from tests.integration.test_embedded import ELSEWHERE

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


def test_option_of_psql_before_the_dashes_is_told_where_it_stands(isthmus: RunCommand) -> None:
    ran = isthmus("psql", "-t", "embedded:pg", "-c", "SELECT 1")
    assert (ran.code, ran.out) == (2, "")
    assert "No such option: -c" in ran.err
    assert "stand behind --: isthmus psql --target TARGET -- -c" in ran.err
    assert "stand behind --" not in isthmus("status", "-t", "embedded:pg", "-c").err


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


def stand_in_for_psql(folder: Path, script: str) -> dict[str, str]:
    """Write a psql that does what a script says, and return the environment in which it is found."""
    path = folder / "psql"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 1", 4),
        ("kill -INT $$", 130),
        ("kill -TERM $$", 130),
        ("kill -HUP $$", 130),
        ("exit 143", 130),  # of a script that calls psql
        ("kill -KILL $$", 4),
        ("kill -SEGV $$", 4),
        ("kill -INT $PPID; sleep 0.2; exit 1", 130),  # what Ctrl-C does to a statement
        ("kill -INT $PPID; sleep 0.2; exit 0", 0),  # or to a line of the prompt, which is then left
    ],
)
def test_exit_code_tells_an_interruption_from_another_end(
    isthmus: RunCommand, tmp_path: Path, script: str, code: int
) -> None:
    ran = isthmus("psql", "-t", "postgresql://h/d", env=stand_in_for_psql(tmp_path, script))
    assert (ran.code, ran.all) == (code, "")


def test_ctrl_c_in_a_statement_is_an_interruption(short_path: Path) -> None:
    server = start(short_path / "pg")
    command = [COMMAND, "psql", "-t", "embedded:pg", "--", "-c", "SELECT pg_sleep(60)"]
    with (
        psycopg.connect(server.conninfo, autocommit=True) as connection,
        subprocess.Popen(
            command, cwd=short_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as ran,
    ):
        ends_at = time.monotonic() + 60
        sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        while connection.execute(sleeping).fetchone() == (0,):
            assert ran.poll() is None, ran.communicate()
            assert time.monotonic() < ends_at
            time.sleep(0.05)
        os.killpg(ran.pid, signal.SIGINT)
        _, said = ran.communicate(timeout=60)
    server.close()
    assert (ran.returncode, "canceling statement due to user request" in said) == (130, True), said


@pytest.mark.parametrize("arguments", [(), SELECT])
def test_closed_standard_input_is_an_empty_one(short_path: Path, arguments: tuple[str, ...]) -> None:
    server = start(short_path / "pg")
    with psycopg.connect(server.conninfo) as connection:
        connection.execute("CREATE TABLE looked AS SELECT n FROM generate_series(1, 3) AS n")
    server.close()
    command = ["sh", "-c", 'exec "$0" "$@" <&-', COMMAND, "psql", "-t", "embedded:pg", *arguments]
    ran = subprocess.run(command, cwd=short_path, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "2\n4\n6\n" if arguments else "", "")


def test_variables_that_speak_of_another_server_do_not_divert_from_an_embedded_one(
    isthmus: RunCommand, short_path: Path
) -> None:
    start(short_path / "pg").close()
    where = ("--", "-At", "-c", "SELECT current_setting('data_directory'), current_setting('search_path')")
    for variables in ELSEWHERE.values():
        ran = isthmus("psql", "-t", "embedded:pg", *where, cwd=short_path, env=variables)
        assert (ran.code, ran.out) == (0, f'{short_path.resolve() / "pg" / "data"}|"$user", public\n'), (variables, ran)
    ran = isthmus("psql", "-t", "embedded:pg", *where, cwd=short_path, env={"PGSERVICE": "of-nobody"})
    assert ran.code == 0, ran


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
