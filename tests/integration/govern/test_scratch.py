"""Scratch databases: empty, in UTF-8, and gone whatever happens; nothing else of a server is touched."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from isthmus.connect import embedded_files
from isthmus.connect.embedded import start
from isthmus.errors import ConfigError, TargetError
from isthmus.govern.scratch import PREFIX, scratch_server


def databases(server: str) -> set[str]:
    with psycopg.connect(server) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_database_is_empty_in_utf8_and_gone_with_whoever_is_connected(postgres: str, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 7 AS value")
    before = databases(postgres)
    with scratch_server(database) as scratch, scratch.database() as one, scratch.database() as other:
        names = {str(conninfo_to_dict(conninfo)["dbname"]) for conninfo in (one, other)}
        assert len(names) == 2
        assert all(name.startswith(PREFIX) for name in names)
        assert names == databases(postgres) - before
        connection = psycopg.connect(one)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'mine'").fetchone() == (0,)
    assert databases(postgres) == before
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT value FROM mine").fetchone() == (7,)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_it_is_gone_when_something_ends_the_work(postgres: str, kind: type[BaseException]) -> None:
    before = databases(postgres)
    with pytest.raises(kind), scratch_server(postgres) as scratch, scratch.database():
        raise kind
    assert databases(postgres) == before


def test_a_copy_begins_with_all_that_another_holds(postgres: str) -> None:
    with scratch_server(postgres) as scratch, scratch.database() as first:
        with psycopg.connect(first) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS value")
        connection.close()
        with scratch.database(copy_of=first) as second, psycopg.connect(second) as connection:
            assert connection.execute("SELECT value FROM t").fetchone() == (7,)


def test_a_copy_has_the_settings_of_its_template(postgres: str) -> None:
    setting = "app.size"
    with scratch_server(postgres) as scratch, scratch.database() as first:
        name = str(conninfo_to_dict(first)["dbname"])
        with psycopg.connect(first, autocommit=True) as connection:
            for said in ('search_path TO "My App", public', "work_mem TO '7MB'", f"{setting} TO 'it''s \"wide\"'"):
                connection.execute(f"ALTER DATABASE {name} SET {said}".encode())
            connection.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET work_mem TO '9MB'".encode())
        with scratch.database(copy_of=first) as second, psycopg.connect(second) as connection:
            shown = [
                connection.execute(f"SHOW {one}".encode()).fetchone() for one in ("search_path", "work_mem", setting)
            ]
    assert shown == [('"My App", public',), ("9MB",), ('it\'s "wide"',)]


def test_a_database_that_cannot_be_dropped_is_named(postgres: str, caplog: pytest.LogCaptureFixture) -> None:
    with scratch_server(postgres) as scratch, scratch.database() as conninfo:
        name = str(conninfo_to_dict(conninfo)["dbname"])
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} IS_TEMPLATE true".encode())
    assert f"The scratch database {name} could not be dropped" in caplog.text
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} IS_TEMPLATE false".encode())
        connection.execute(f"DROP DATABASE {name}".encode())


def test_a_server_of_its_own_is_stopped_and_its_folder_removed(
    monkeypatch: pytest.MonkeyPatch, short_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    with scratch_server() as scratch, scratch.database() as conninfo:
        assert scratch.own
        scratch.make_role("somebody")
        (folder,) = short_path.glob("isthmus-scratch-*")
        pid = embedded_files.recorded_pid(folder / "pg" / "data")
        with psycopg.connect(conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not folder.exists()
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_what_a_killed_process_left_is_removed_by_the_next(monkeypatch: pytest.MonkeyPatch, short_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_path))
    left = short_path / "isthmus-scratch-left"
    used = short_path / "isthmus-scratch-used"
    for folder in (left, used):
        folder.mkdir()
        folder.chmod(0o711)
    start(left / "pg").close()
    server = start(used / "pg")
    monkeypatch.setattr("isthmus.govern.scratch._ABANDONED_SECONDS", -1.0)
    with scratch_server():
        assert not left.exists()
        with psycopg.connect(server.conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    server.close()
    shutil.rmtree(used)


def test_a_folder_that_is_named_is_kept(short_path: Path) -> None:
    name: object = None
    for _ in range(2):
        with scratch_server(f"embedded:{short_path / 'pg'}") as scratch, scratch.database() as conninfo:
            assert not scratch.own
            name = conninfo_to_dict(conninfo)["dbname"]
    assert (short_path / "pg" / "data" / "PG_VERSION").exists()
    server = start(short_path / "pg")
    with psycopg.connect(server.conninfo) as connection:
        assert name not in {one for (one,) in connection.execute("SELECT datname FROM pg_database")}
    server.close()


@pytest.mark.parametrize(("where", "code"), [("mysql://x", "bad-target"), ("host=127.0.0.1 port=1", "unreachable")])
def test_a_server_that_is_none_is_refused(where: str, code: str) -> None:
    with pytest.raises((ConfigError, TargetError)) as caught, scratch_server(where):
        pass
    assert caught.value.code == code


def test_without_the_package_it_is_said_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_files.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(TargetError) as caught, scratch_server():
        pass
    assert caught.value.code == "embedded-missing"
    assert "--scratch postgresql://" in str(caught.value.hint)
    assert "isthmus[embedded]" in str(caught.value.hint)
