"""The embedded server as several processes use it, are killed, and come back. Each test has a server of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
import pytest

from isthmus.connect import embedded, embedded_files
from isthmus.connect.embedded import EmbeddedServer, start
from isthmus.connect.postgres import connect
from isthmus.connect.target import open_target
from isthmus.errors import TargetError
from tests.fix_postgres import FAST, free_port, short_directory

SETTINGS = {**FAST, "listen_addresses": ""}


def begin(directory: Path) -> EmbeddedServer:
    return start(directory, settings=SETTINGS)


def answer(server: EmbeddedServer, query: LiteralString = "SELECT 1") -> object:
    with psycopg.connect(server.conninfo) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row is not None else None


def in_process(directory: Path, work: str) -> subprocess.Popen[str]:
    """Start another process that opens the server in `directory` as `server` and then does `work`."""
    program = f"""
        import sys, time, psycopg
        from pathlib import Path
        from isthmus.connect.embedded import start
        server = start(Path({str(directory)!r}), settings={SETTINGS!r})
        print(server.pid, flush=True)
        {work}
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)


ELSEWHERE = {
    "another server": {"PGHOST": "elsewhere", "PGHOSTADDR": "127.0.0.1", "PGPORT": "1", "PGDATABASE": "other"},
    "several servers": {"PGHOSTADDR": "127.0.0.1,127.0.0.2"},
    "TLS": {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system", "PGSSLNEGOTIATION": "direct"},
    "TLS of old": {"PGREQUIRESSL": "1", "PGSSLCERTMODE": "require"},
    "another login": {"PGREQUIREAUTH": "scram-sha-256", "PGCHANNELBINDING": "require", "PGREQUIREPEER": "nobody-here"},
    "Kerberos": {"PGGSSENCMODE": "prefer", "PGUSER": "someone", "PGPASSWORD": "x"},
    "a standby": {"PGTARGETSESSIONATTRS": "standby", "PGLOADBALANCEHOSTS": "random"},
    "other settings": {"PGOPTIONS": "-c search_path=elsewhere -c default_transaction_read_only=on"},
}
"""Variables of libpq that speak of the server a person usually works with, by what they say of it."""


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def gone(pid: int, seconds: float = 20) -> bool:
    ends_at = time.monotonic() + seconds
    while running(pid) and time.monotonic() < ends_at:
        time.sleep(0.02)
    return not running(pid)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str]) -> int:
    """Wait for a process and return its exit code."""
    with process:
        return process.wait(60)


def test_server_starts_keeps_its_data_and_stops(short_path: Path) -> None:
    server = begin(short_path / "pg")
    assert server.started
    answer_version = str(answer(server, "SHOW server_version"))
    assert answer_version.startswith("18")
    with psycopg.connect(server.conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    pid = server.pid
    assert pid is not None
    server.close()
    server.close()
    assert gone(pid)
    assert server.pid is None
    again = begin(short_path / "pg")
    assert answer(again, "SELECT value FROM kept") == 7
    again.close()


def test_server_listens_on_no_network_address_and_only_its_owner_reaches_the_socket(short_path: Path) -> None:
    with open_target(f"embedded:{short_path / 'pg'}", create=True) as target:
        assert (target.kind, target.display) == ("embedded", f"embedded:{short_path / 'pg'}")
        with psycopg.connect(target.conninfo) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            leader = psutil.Process(psutil.Process(row[0]).ppid())
            assert [one for one in leader.net_connections("inet") if one.status == psutil.CONN_LISTEN] == []
        assert (short_path / "pg" / "socket").stat().st_mode & 0o077 == 0
        assert (short_path / "pg").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(target.conninfo)


def test_names_that_shells_and_parsers_trip_over(short_path: Path) -> None:
    directory = short_path / "a b'\"$(x);ü%\\"
    server = begin(directory)
    assert answer(server) == 1
    server.close()


def test_relative_folder_and_symlink(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(short_path)
    (short_path / "real").mkdir()
    (short_path / "link").symlink_to(short_path / "real")
    server = begin(Path("link"))
    assert answer(server) == 1
    server.close()
    assert (short_path / "real" / "data" / "PG_VERSION").exists()


def test_last_one_to_let_go_stops_the_server(short_path: Path) -> None:
    first = begin(short_path / "pg")
    second = begin(short_path / "pg")
    assert (first.started, second.started) == (True, False)
    pid = first.pid
    assert pid is not None
    first.close()
    assert answer(second) == 1
    other = in_process(short_path / "pg", "server.close()")
    assert int(line_of(other)) == pid
    assert ended(other) == 0
    assert answer(second) == 1
    second.close()
    assert gone(pid)


def test_several_processes_start_one_server_at_once(short_path: Path) -> None:
    processes = [in_process(short_path / "pg", "time.sleep(0.3); server.close()") for _ in range(4)]
    pids = {int(line_of(one)) for one in processes}
    assert len(pids) == 1
    assert [ended(one) for one in processes] == [0, 0, 0, 0]
    assert gone(pids.pop())


def test_process_that_ends_without_closing_stops_the_server(short_path: Path) -> None:
    process = in_process(short_path / "pg", "sys.exit(3)")
    pid = int(line_of(process))
    assert ended(process) == 3
    assert gone(pid)


def test_server_of_a_killed_process_is_joined_and_stopped_by_the_next(short_path: Path) -> None:
    process = in_process(short_path / "pg", "time.sleep(600)")
    pid = int(line_of(process))
    process.kill()
    ended(process)
    assert running(pid)
    server = begin(short_path / "pg")
    assert not server.started
    assert server.pid == pid
    assert answer(server) == 1
    server.close()
    assert gone(pid)


def test_whole_tree_killed_leaves_a_stale_pid_file_and_the_next_start_recovers(short_path: Path) -> None:
    work = """
        with psycopg.connect(server.conninfo) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        print("ready", flush=True)
        time.sleep(600)
    """.strip()
    for _ in range(2):
        process = in_process(short_path / "pg", work.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
        pid = int(line_of(process))
        assert line_of(process) == "ready\n"
        children = psutil.Process(pid).children()
        for one in (process.pid, pid, *(child.pid for child in children)):
            with contextlib.suppress(ProcessLookupError):  # children follow their leader by themselves
                os.kill(one, signal.SIGKILL)
        ended(process)
        assert gone(pid)
        assert (short_path / "pg" / "data" / "postmaster.pid").exists()
        server = begin(short_path / "pg")
        assert server.started
        assert answer(server, "SELECT value FROM kept") == 7
        server.close()


def test_pid_file_with_the_id_of_another_living_process_is_stale(short_path: Path) -> None:
    begin(short_path / "pg").close()
    record = short_path / "pg" / "data" / "postmaster.pid"
    lines = [
        str(os.getpid()),
        str(record.parent),
        "1700000000",
        "5432",
        str(short_path / "pg" / "socket"),
        "",
        "0 0",
        "",
    ]
    record.write_text("\n".join([*lines[:7], "ready", ""]))
    assert embedded_files.recorded_pid(record.parent) == os.getpid()
    server = begin(short_path / "pg")
    assert server.started
    assert answer(server) == 1
    server.close()


@pytest.mark.parametrize("content", ["", "\n", "garbage", "-5", "99999999999999999999"])
def test_pid_file_that_says_nothing_useful_does_no_harm(short_path: Path, content: str) -> None:
    begin(short_path / "pg").close()
    (short_path / "pg" / "data" / "postmaster.pid").write_text(content)
    # PostgreSQL itself may refuse such a file; then its words are passed on, and nothing runs.
    with contextlib.suppress(TargetError):
        server = begin(short_path / "pg")
        assert answer(server) == 1
        server.close()
    assert embedded_files.processes_in(short_path / "pg" / "data") == []


def test_cluster_that_was_being_made_when_killed_is_made_again(short_path: Path) -> None:
    directory = short_path / "pg"
    (directory / "data.4711").mkdir(parents=True)
    (directory / "data.4711" / "PG_VERSION").write_text("18\n")
    server = begin(directory)
    assert answer(server) == 1
    server.close()
    assert not (directory / "data.4711").exists()


def test_server_killed_under_its_user_is_started_again_by_the_next_call(short_path: Path) -> None:
    server = begin(short_path / "pg")
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # a signal that is sent has not killed yet
    again = begin(short_path / "pg")
    assert again.started
    assert answer(again) == 1
    server.close()
    assert answer(again) == 1
    again.close()


def test_environment_of_the_caller_does_not_redirect_the_server(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "elsewhere", "LC_ALL": "xx_YY"}.items():
        monkeypatch.setenv(name, value)
    server = begin(short_path / "pg")
    with psycopg.connect(server.conninfo) as connection:
        assert connection.execute("SELECT upper('ž')").fetchone() == ("Ž",)
    server.close()


def test_no_variable_of_the_caller_leads_elsewhere(
    short_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = begin(short_path / "pg")
    services = tmp_path / "services"
    services.write_text("[usual]\nhostaddr=127.0.0.1\nport=1\nuser=someone\ntarget_session_attrs=standby\n")
    service = {"PGSERVICE": "usual", "PGSERVICEFILE": str(services)}
    for what, variables in {**ELSEWHERE, "a service": service}.items():
        with monkeypatch.context() as environment:
            for name, value in variables.items():
                environment.setenv(name, value)
            with connect(server.conninfo) as connection:
                row = connection.execute(
                    "SELECT current_setting('data_directory'), current_setting('search_path'), inet_server_addr(),"
                    " current_setting('transaction_read_only'), current_database(), current_user"
                ).fetchone()
        there = str((short_path / "pg" / "data").resolve())
        assert row == (there, '"$user", public', None, "off", "postgres", "postgres"), what
    server.close()


def test_own_port_names_the_socket(short_path: Path) -> None:
    port = free_port()
    server = start(short_path / "pg", settings={**SETTINGS, "port": str(port)})
    assert (short_path / "pg" / "socket" / f".s.PGSQL.{port}").is_socket()
    joined = begin(short_path / "pg")
    assert joined.conninfo == server.conninfo
    assert answer(joined) == 1
    joined.close()
    server.close()


def test_package_missing_says_what_to_install(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_files.importlib.util, "find_spec", lambda _: None)
    error = refusal(short_path / "pg")
    assert error.code == "embedded-missing"
    assert "isthmus[embedded]" in str(error.hint)
    assert not (short_path / "pg").exists()


def refusal(directory: Path, *, create: bool = True) -> TargetError:
    with pytest.raises(TargetError) as caught:
        open_target(f"embedded:{directory}", create=create)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    return caught.value


def test_path_too_long_for_a_socket_is_refused_before_anything_is_made(short_path: Path) -> None:
    directory = short_path / ("x" * 90)
    error = refusal(directory)
    assert error.code == "embedded-path-too-long"
    assert not directory.exists()
    longest = short_path / ("x" * (107 - len(f"{short_path}//socket/.s.PGSQL.5432")))
    server = begin(longest)
    assert answer(server) == 1
    server.close()
    assert refusal(longest.with_name(f"{longest.name}x")).code == "embedded-path-too-long"


def test_comma_in_the_path_is_refused(short_path: Path) -> None:
    error = refusal(short_path / "a,b")
    assert error.code == "embedded-directory"
    assert "comma" in error.message


def test_file_in_place_of_the_folder_is_refused(short_path: Path) -> None:
    (short_path / "file").write_text("mine")
    assert refusal(short_path / "file").code == "embedded-directory"
    assert refusal(short_path / "file" / "below").code == "embedded-directory"


def test_folder_with_other_files_is_refused_and_left_alone(short_path: Path) -> None:
    directory = short_path / "mine"
    directory.mkdir()
    (directory / "thesis.txt").write_text("years of work")
    error = refusal(directory)
    assert error.code == "embedded-directory"
    assert "thesis.txt" in error.message
    assert [one.name for one in directory.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("there", ["nothing", "parent missing", "empty", "other files", "unfinished", "file"])
def test_target_that_nobody_made_is_refused_and_nothing_is_written(short_path: Path, there: str) -> None:
    directory = short_path / "deep" / "pg" if there == "parent missing" else short_path / "pg"
    if there in {"empty", "other files", "unfinished"}:
        directory.mkdir(mode=0o755)
    if there == "other files":
        (directory / "thesis.txt").write_text("years of work")
    elif there == "unfinished":
        (directory / "data.4711").mkdir()
    elif there == "file":
        directory.write_text("mine")

    def found() -> dict[Path, tuple[int, int, int]]:
        return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_size) for path in short_path.rglob("*")}

    before = found()
    error = refusal(directory, create=False)
    assert error.code == "no-such-target"
    assert str(directory) in str(error)
    assert "isthmus copy" in str(error.hint)
    assert found() == before


def test_target_that_was_made_is_joined_without_being_asked_to_make_it(short_path: Path) -> None:
    begin(short_path / "pg").close()
    with open_target(f"embedded:{short_path / 'pg'}") as target, psycopg.connect(target.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_folder_that_cannot_be_made_is_refused() -> None:
    assert refusal(Path("/proc/isthmus")).code == "embedded-directory"


def test_cluster_of_another_version_is_refused_and_left_alone(short_path: Path) -> None:
    data = short_path / "pg" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("13\n")
    error = refusal(short_path / "pg")
    assert error.code == "embedded-version"
    assert "13" in error.message
    assert [one.name for one in data.iterdir()] == ["PG_VERSION"]


def test_server_that_cannot_start_passes_on_what_its_log_says(short_path: Path) -> None:
    begin(short_path / "pg").close()
    with (short_path / "pg" / "data" / "postgresql.conf").open("a") as settings:
        settings.write("\nshared_buffers = nonsense\n")
    error = refusal(short_path / "pg")
    assert error.code == "embedded-start"
    assert "shared_buffers" in error.message
    assert embedded_files.processes_in(short_path / "pg" / "data") == []


def test_log_holds_no_rows_and_no_statements(short_path: Path) -> None:
    server = begin(short_path / "pg")
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (v integer)")
        with (
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
            connection.cursor().copy("COPY t FROM STDIN") as c,
        ):
            c.write("geheim\n")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT geheimnis FROM t WHERE v = 'geheim'")
    server.close()
    log = (short_path / "pg" / "server.log").read_text()
    assert "COPY" not in log
    assert "geheim\\n" not in log
    assert "WHERE v" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="what is special about root only root can show")
def test_root_runs_the_server_as_somebody_else_and_opens_no_folder(short_path: Path) -> None:
    closed = short_path / "closed"
    closed.mkdir(mode=0o700)
    error = refusal(closed / "pg")
    assert error.code == "embedded-directory"
    assert str(closed) in str(error.hint)
    assert closed.stat().st_mode & 0o777 == 0o700
    elsewhere = embedded_files.reachable(closed / "deep" / "pg")
    assert closed not in elsewhere.parents
    begin(elsewhere).close()
    shutil.rmtree(elsewhere.parent)
    assert embedded_files.reachable(short_path / "pg") == short_path / "pg"
    server = begin(short_path / "pg")
    assert server.pid is not None
    assert psutil.Process(server.pid).uids().effective != 0
    assert not (short_path / "pg" / "postgresql").exists()
    server.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="what is special about root only root can show")
def test_root_with_binaries_in_a_closed_folder_uses_a_copy(short_path: Path) -> None:
    closed = short_path / "closed"
    installed = embedded_files.packaged_binaries().parent
    package = installed.parent
    libraries = f"{package.name}.libs"
    shutil.copytree(installed, closed / package.name / installed.name, symlinks=True)
    shutil.copytree(package.parent / libraries, closed / libraries, symlinks=True)
    closed.chmod(0o700)
    server = start(short_path / "pg", settings=SETTINGS, binaries=closed / package.name / installed.name / "bin")
    assert answer(server) == 1
    assert (short_path / "pg" / "postgresql" / package.name / installed.name / "bin" / "postgres").exists()
    assert closed.stat().st_mode & 0o777 == 0o700
    server.close()


@pytest.mark.skipif(not Path("/usr/lib/postgresql/15/bin/initdb").exists(), reason="needs a PostgreSQL 15 here")
def test_older_binaries_work_too_and_do_not_mix(short_path: Path) -> None:
    server = start(short_path / "pg", settings=SETTINGS, binaries=Path("/usr/lib/postgresql/15/bin"))
    assert str(answer(server, "SHOW server_version")).startswith("15")
    server.close()
    assert refusal(short_path / "pg").code == "embedded-version"


def test_module_keeps_no_process_it_has_stopped() -> None:
    directory = short_directory()
    before = set(embedded._children)  # other tests' servers run on
    begin(directory / "pg").close()
    assert not [pid for pid in embedded._children if pid not in before and running(pid)]  # a leak would be invisible
    shutil.rmtree(directory)


def test_server_that_went_away_is_not_taken_for_a_wrong_password(short_path: Path) -> None:
    server = start(short_path / "pg")
    conninfo = server.conninfo
    server.close()
    with pytest.raises(TargetError) as caught:
        connect(conninfo, autocommit=True)
    assert caught.value.code == "unreachable"
    assert "password" not in str(caught.value.hint)
    assert str(short_path / "pg" / "server.log") in str(caught.value.hint)
    with pytest.raises(TargetError) as caught:
        connect("host=/no-such-folder/socket", autocommit=True)
    assert "password" in str(caught.value.hint)
