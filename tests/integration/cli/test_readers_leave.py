"""Nobody reads the output: that changes neither what a command does nor its exit code.

The reader is gone before the command starts, so that its first word already meets a closed pipe. Oracle: the same
command with somebody who reads; the target.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from isthmus.connect.embedded import start
from tests import forkserver
from tests.chaos.sessions import Copy
from tests.integration.cli.conftest import COMMAND, RunCommand
from tests.integration.copy.carrying import World, oid

MAPPING = "isthmus: 1\ncollections: {Things: {fields: {n: integer}}}\n"
GOOD = [{"_id": oid(n), "n": n} for n in range(1, 4)]
BAD = [{"_id": oid(n), "n": "no number"} for n in range(4, 9)]


@contextmanager
def unread() -> Iterator[int]:
    """Give a descriptor to write to that nobody will read."""
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


def run(*arguments: object, stdout: int | None = None, stderr: int | None = None) -> tuple[int, str]:
    """Run the command and return its exit code and what was read of its outputs, those without a descriptor."""
    words = [str(one) for one in arguments]
    if forkserver.possible():
        done = forkserver.run(
            "isthmus", words, cwd=Path.cwd(), env=os.environ, timeout=120, output=stdout, errors=stderr
        )
    else:
        out, err = (subprocess.PIPE if one is None else one for one in (stdout, stderr))
        done = subprocess.run([COMMAND, *words], stdout=out, stderr=err, timeout=120, check=False)
    text = ((done.stdout or b"") + (done.stderr or b"")).decode()
    assert "Traceback" not in text, text
    assert "internal error" not in text, text
    assert "BrokenPipe" not in text, text
    return done.returncode, text


@pytest.fixture
def world(database: str, tmp_path: Path) -> World:
    made = World(database, tmp_path / "dump" / "shop")
    made.write({"Things": [*GOOD, *BAD]})
    return made


@pytest.fixture
def copying(world: World, tmp_path: Path) -> list[object]:
    """Arguments of the copy."""
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING)
    return ["copy", path, "-s", world.folder, "-t", world.conninfo]


def test_copy_that_starts_over_goes_on_when_nobody_reads_its_notes(world: World, copying: list[object]) -> None:
    assert run(*copying)[0] == 1
    with unread() as gone:
        code, text = run(*copying, "--fresh", stderr=gone)
    assert code == 1, text
    assert "5 dead letters" in text
    assert world.rows("SELECT id, stage, told_at IS NOT NULL FROM isthmus.run") == [(2, "complete", True)]
    assert world.one("SELECT count(*) FROM things") == 3


def test_copy_whose_result_nobody_reads_keeps_its_exit_code_and_is_told_next_time(
    world: World, copying: list[object]
) -> None:
    with unread() as gone:
        assert run(*copying, stdout=gone, stderr=gone)[0] == 1
    assert world.rows("SELECT stage, told_at FROM isthmus.run") == [("complete", None)]
    code, text = run(*copying)
    assert (code, "5 dead letters" in text) == (1, True), text
    assert run(*copying)[0] == 0


def test_json_that_nobody_took_is_no_success(world: World, copying: list[object], tmp_path: Path) -> None:
    world.write({"Things": GOOD})
    with unread() as gone:
        code, text = run(*copying, "--json", "-", stdout=gone)
        assert (code, "error (output-lost)" in text) == (2, True), text
        assert world.rows("SELECT stage, told_at FROM isthmus.run") == [("complete", None)]
        assert run(*copying, "--json", tmp_path / "copy.json", stdout=gone)[0] == 0
    assert world.one("SELECT told_at IS NOT NULL FROM isthmus.run"), "the file told it"


def test_json_that_nobody_took_leaves_a_higher_exit_code_as_it_is(world: World, copying: list[object]) -> None:
    (data,) = world.write({"Things": GOOD}).values()
    data.write_bytes(data.read_bytes()[:-5])
    with unread() as gone:
        assert run(*copying, "--json", "-", stdout=gone)[0] == 3
        assert run("copy", world.folder / "none.yaml", *copying[2:], "--json", "-", stdout=gone)[0] == 2


def test_exit_codes_of_commands_that_look_are_their_own(world: World, copying: list[object]) -> None:
    world.copy(MAPPING)
    target = ("-t", world.conninfo)
    looks: list[tuple[int, tuple[object, ...]]] = [
        *(
            (0, ("status", *target)),
            (0, ("letters", "list", *target, "--json", "-")),
            (0, ("letters", "export", *target)),
        ),
        *((1, ("ids", "lookup", "nobody", *target)), (0, ("ids", "export", *target)), (0, ("ddl", copying[1]))),
        *((2, ("letters", "show", 999, *target)), (2, ("check", "none.yaml", "--json", "-")), (0, ("--help",))),
    ]
    for expected, look in looks:
        with unread() as gone:
            assert run(*look, stdout=gone)[0] == expected, look
            assert run(*look, stdout=gone, stderr=gone)[0] == expected, look


def test_output_on_a_full_disk_is_no_success(world: World, copying: list[object]) -> None:
    world.copy(MAPPING)
    for look in (("letters", "export"), ("ids", "export"), ("status",)):
        with open("/dev/full", "wb") as full:  # noqa: PTH123  a device
            code, text = run(*look, "-t", world.conninfo, stdout=full.fileno())
        assert (code, "error (output-lost)" in text) == (2, True), text
    with open("/dev/full", "wb") as full:  # noqa: PTH123  a device
        assert run(*copying, stderr=full.fileno())[0] == 0, "talk is not the result"


def test_copy_with_closed_descriptors_goes_on(world: World, copying: list[object]) -> None:
    script = '"$@" >&- 2>&-; echo "code $?"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", COMMAND, *(str(one) for one in copying)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "code 1\n"
    assert world.one("SELECT count(*) FROM things") == 3


def test_worker_whose_note_nobody_reads_waits_for_the_server_and_goes_on(
    world: World, copying: list[object], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("01" * 32)
    copy = Copy(Path(str(copying[1])), world.folder, world.conninfo, key, tmp_path, options=("--retry-seconds", "30"))
    with copy.begin(pause=("copy.before-commit", 1)) as session:
        session.wait_until_paused()
        assert session.process.stdout is not None
        session.process.stdout.close()  # its standard error, too
        ended = world.column(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'isthmus'"
        )
        assert ended
        session.go_on()
        assert session.process.wait(60) == 1
    assert world.rows("SELECT stage, told_at FROM isthmus.run") == [("complete", None)]
    assert world.one("SELECT count(*) FROM things") == 3


@pytest.mark.slow
def test_demo_whose_json_nobody_took_is_told_next_time(isthmus: RunCommand, short_path: Path) -> None:
    folder = short_path / "demo"
    with unread() as gone:
        code, text = run("demo", "--dir", folder, "--json", "-", stdout=gone)
    assert (code, "error (output-lost)" in text) == (2, True), text
    server = start(folder / "postgres")
    try:
        with psycopg.connect(server.conninfo) as connection:
            assert connection.execute("SELECT stage, told_at FROM isthmus.run").fetchall() == [("complete", None)]
    finally:
        server.close()
    assert isthmus("demo", "--dir", folder, "--json", "-").code == 0
