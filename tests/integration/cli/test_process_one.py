"""isthmus as process 1 of a closed container: no root, no rights, nothing to write to; signals; addresses in files.

Oracle: the kernel, which refuses every write and counts processes anew, and an undisturbed copy. Blind spot: a
container engine, whose own defaults (seccomp, its network) are not in force here.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from isthmus.cli.interrupt import is_interruption
from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, Unkilled, assert_equal, copy, make_copy, unkilled, world
from tests.fix_postgres import password_url
from tests.integration.cli.conftest import COMMAND, RunCommand

__all__ = ["copy", "make_copy", "unkilled", "world"]

INTERRUPTED = 130
USER = 10001
PROCESS_ONE = ("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
# Everything but the folder $1 becomes read-only; then another user, who has no rights, starts the rest as process 1.
CLOSE = f"""
set -e
mount --bind "$1" "$1"
while read -r _ place _; do
  case $place in
    "$1" | /proc | /proc/* | /dev/pts) ;;
    *) mount -o remount,bind,ro "$place" ;;
  esac
done < /proc/self/mounts
shift
exec unshare --user --map-user={USER} --map-group={USER} "$@"
"""


def closed(writable: Path) -> tuple[str, ...]:
    """Return what starts a command as process 1, user 10001, with only the folder `writable` to write to.

    Skips the test where the system does not let us.
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here to make namespaces")
    before = (*PROCESS_ONE, "sh", "-c", CLOSE, "close", str(writable))
    tried = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"namespaces may not be made or closed here: {tried.stderr.strip()}")
    return before


@contextmanager
def mute_server() -> Iterator[int]:
    """Give the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_closed_container_lets_nothing_be_written_elsewhere(tmp_path: Path) -> None:
    """The tests below are worth something only if this holds."""
    writable = tmp_path / "writable"
    writable.mkdir()
    script = f"""
        id -u; echo $$; grep CapEff /proc/self/status; touch {writable}/here && echo written
        for folder in {tmp_path} /tmp /dev/shm /var/tmp "$HOME" .; do touch "$folder/there" && echo leak; done
    """
    ran = subprocess.run([*closed(writable), "sh", "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == [str(USER), "1", "CapEff:", "0" * 16, "written"], ran.stdout
    assert [path.name for path in writable.iterdir()] == ["here"]


@pytest.mark.slow  # runs sessions of the command until one is complete
def test_closed_container_stops_on_sigterm_goes_on_and_writes_no_file(
    copy: Copy, unkilled: Unkilled, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"  # takes the log and the flag of the test's own runner
    scratch.mkdir()
    container = closed(scratch)
    for name, value in {"HOME": "/nonexistent", "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}.items():
        monkeypatch.setenv(name, value)
    kept, copy.target = copy.target, password_url(copy.target, "six")  # loopback: the socket is the server user's
    copy.folder = scratch
    with copy.begin(before=container, pause=("copy.rows-sent", 5)) as session:
        session.wait_until_paused()
        (isthmus,) = psutil.Process(session.process.pid).children()
        isthmus.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        session.go_on()
        ended = session.ended(seconds=20)
    assert ended.code == INTERRUPTED, ended.text
    assert "SIGTERM: finishing the batch in hand" in ended.words
    with copy.begin(before=container) as session:
        ended = session.ended()
    assert ended.code == FINISHED, ended.text
    assert "The books balance" in ended.text
    assert_equal(kept, unkilled)
    assert {path.name for path in scratch.rglob("*")} == {"stages-1", "stages-2"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("waits_for", ["source", "target"])
def test_process_1_that_waits_for_a_server_ends_at_once(number: signal.Signals, waits_for: str, tmp_path: Path) -> None:
    """Before a copy begins nothing is in hand, and a signal without a handler never reaches process 1."""
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\ncollections:\n  Users:\n    fields: {name: text}\n")
    with mute_server() as port:
        arguments = {
            "source": ["copy", "mapping.yaml", "-s", f"mongodb://127.0.0.1:{port}/x", "-t", "postgresql://h/x"],
            "target": ["status", "--target", f"postgresql://x@127.0.0.1:{port}/x"],
        }[waits_for]
        command = [*closed(tmp_path), str(COMMAND), *arguments]
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                (isthmus,) = _connected(process.pid, port)
                isthmus.send_signal(number)
                text, _ = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == INTERRUPTED, text
    assert text == f"{number.name}: ending now. What was committed is kept; the same command may be run again.\n"


def _connected(parent: int, port: int) -> list[psutil.Process]:
    """Wait until a child of `parent` has a connection to a port, and return it."""
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        for child in psutil.Process(parent).children(recursive=True):
            if any(one.raddr and one.raddr.port == port for one in child.net_connections()):
                return [child]
        time.sleep(0.05)
    return []


def test_sigterm_before_a_copy_ends_with_130_also_as_an_ordinary_process() -> None:
    with mute_server() as port:
        target = f"postgresql://x@127.0.0.1:{port}/x"
        with subprocess.Popen([COMMAND, "status", "--target", target], stderr=subprocess.PIPE) as process:
            while not any(one.raddr for one in psutil.Process(process.pid).net_connections()):
                time.sleep(0.05)
            process.terminate()
            assert process.wait(timeout=60) == INTERRUPTED


@pytest.mark.slow  # many processes, each ended at another instant
def test_sigterm_while_modules_are_loaded_is_no_internal_error(tmp_path: Path) -> None:
    """Most of a short command's time is spent on imports; half a module must not be needed to end."""
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\ncollections:\n  Users:\n    fields: {name: text}\n")
    started = time.monotonic()
    subprocess.run([COMMAND, "check", "mapping.yaml"], cwd=tmp_path, capture_output=True, check=True)
    seconds = time.monotonic() - started
    codes: set[int] = set()
    for number in range(8):
        command = [COMMAND, "check", "mapping.yaml"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            time.sleep(seconds * (0.25 + 0.1 * number))
            process.terminate()
            codes.add(process.wait(timeout=60))
    assert codes <= {0, INTERRUPTED, -signal.SIGTERM}, "0: over already; -SIGTERM: Python itself was not yet up"
    assert INTERRUPTED in codes


def test_interruption_is_recognised_in_what_python_wraps_it_in() -> None:
    class Field:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:  # since Python 3.12 it is not wrapped
        type("Schema", (), {"field": Field()})
    assert is_interruption(caught.value)
    assert not is_interruption(ValueError("ours"))


def test_sigterm_that_the_parent_ignores_stays_ignored() -> None:
    with mute_server() as port:
        command = [COMMAND, "status", "--target", f"postgresql://x@127.0.0.1:{port}/x"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, preexec_fn=_ignore_sigterm) as process:  # noqa: PLW1509
            while not any(one.raddr for one in psutil.Process(process.pid).net_connections()):
                time.sleep(0.05)
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            process.kill()


def _ignore_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


# Addresses in files


def test_address_in_a_file_is_used_and_its_password_shown_nowhere(
    database: str, isthmus: RunCommand, tmp_path: Path
) -> None:
    file = tmp_path / "database_url"
    file.write_text(password_url(database, "kanarienvogel") + "\n")
    ran = isthmus("status", env={"DATABASE_URL_FILE": str(file)})
    assert ran.code == 4
    assert "error (no-run)" in ran.err, "the address led elsewhere"
    assert "kanarienvogel" not in ran.all


def test_byte_order_mark_in_a_file_does_not_count(isthmus: RunCommand, tmp_path: Path, database: str) -> None:
    file = tmp_path / "database_url"
    file.write_bytes(b"\xef\xbb\xbf" + f"{password_url(database, 'kanarienvogel')}\r\n".encode())
    ran = isthmus("status", env={"DATABASE_URL_FILE": str(file)})
    assert "error (no-run)" in ran.err, ran.all
    file.write_bytes(b"\xef\xbb\xbf")
    ran = isthmus("status", env={"DATABASE_URL_FILE": str(file)})
    assert "is empty" in ran.err, ran.all


def test_option_goes_before_the_address_in_a_file(isthmus: RunCommand, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://h/from-the-file")
    ran = isthmus("status", "--target", "mongodb://h/x", env={"DATABASE_URL_FILE": str(file)})
    assert ran.code == 2
    assert "The target is a MongoDB address" in ran.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"postgresql://u:kanarienvogel@h/x\npostgresql://v@h/y\n", "more than one line"),
        (b"postgresql://u:kanarienvogel\xff@h/x", "no UTF-8"),
        (b"postgresql://u:kanarienvogel\0@h/x", "more than one line"),
    ],
)
def test_file_without_one_address_is_refused_by_its_name(
    content: bytes | None, words: str, isthmus: RunCommand, tmp_path: Path
) -> None:
    file = tmp_path / "database_url"
    if content is not None:
        file.write_bytes(content)
    ran = isthmus("status", env={"DATABASE_URL_FILE": str(file)})
    assert (ran.code, "(setting-file)" in ran.err, words in ran.err, str(file) in ran.err) == (2, True, True, True)
    assert "kanarienvogel" not in ran.all


def test_address_in_both_places_is_refused(isthmus: RunCommand) -> None:
    ran = isthmus("ddl", "m.yaml", env={"MONGODB_URI": "mongodb://h/x", "MONGODB_URI_FILE": os.devnull})
    assert ran.code == 2
    assert "(setting-twice)" in ran.err
    assert "MONGODB_URI_FILE" in ran.err


def test_empty_settings_are_none(isthmus: RunCommand, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text("postgresql://127.0.0.1:1/x")
    ran = isthmus("status", env={"DATABASE_URL": "", "DATABASE_URL_FILE": str(file), "MONGODB_URI_FILE": ""})
    assert "(unreachable)" in ran.err
