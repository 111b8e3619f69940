"""What a rehearsal does around the rollbacks: rows, several folders, what it learns, what it leaves behind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import ConfigError, TargetError
from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.rehearsing.keep import keep
from isthmus.govern.rehearsing.outcome import Outcome
from isthmus.govern.rehearsing.rehearse import Part, rehearse, seeds_of
from isthmus.govern.schema_json import Column, SchemaJson, Table, read_schema_json, render
from isthmus.govern.scratch import PREFIX, Scratch, scratch_server
from isthmus.govern.settings import SchemaSettings
from tests.integration.govern.rehearsals import Case, rehearse_folder, said_of, write_cases


@pytest.fixture
def scratch(postgres: str) -> Iterator[Scratch]:
    with scratch_server(postgres) as server:
        yield server
    with psycopg.connect(postgres, autocommit=True) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX]).fetchall()
    assert left == []


@contextmanager
def weak_scratch(postgres: str) -> Generator[Scratch]:
    """Give the server as a role that may make databases and no more."""
    role = f"isthmus_weak_{secrets.token_hex(4)}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN CREATEDB".encode())
        try:
            with scratch_server(f"{postgres} user={role}") as server:
                yield server
        finally:
            connection.execute(f"DROP ROLE {role}".encode())


def one(folder: Path, scratch: Scratch, case: Case) -> Outcome:
    write_cases(folder, [case])
    return rehearse_folder(folder, scratch)[0][case.name]


def test_a_column_without_default_fails_where_there_are_rows(tmp_path: Path, scratch: Scratch) -> None:
    case = Case("slug", "CREATE TABLE t (a int)", "ALTER TABLE t\nADD b int NOT NULL;", "ALTER TABLE t DROP b;")
    found = one(tmp_path, scratch, case)
    assert found.stand == "fails"
    assert said_of(found) == (
        'fails-on-rows: The server refused 0002_slug: column "b" of relation "t" contains null values.',
        "without-rows: It was tried without giving rows to tables: what happens to them is not known.",
    )
    assert (found.said[0].file, found.said[0].line) == (str(tmp_path / "0002_slug.sql"), 7)
    excused = rehearse_folder(tmp_path, scratch, off={"rehearsal/0002_slug": "t was empty everywhere"})[0]["slug"]
    assert (excused.stand, excused.why) == ("excused", "t was empty everywhere")


@pytest.mark.parametrize(
    ("up", "said"),
    [
        ("CREATE UNIQUE INDEX i ON t (b);", 'could not create unique index "i".'),
        ("ALTER TABLE t ALTER b SET NOT NULL;", 'column "b" of relation "t" contains null values.'),
        ("ALTER TABLE t ALTER b TYPE varchar(20);", "value too long for type character varying(20)."),
    ],
)
def test_what_fails_on_some_rows_is_told_and_is_no_error(tmp_path: Path, scratch: Scratch, up: str, said: str) -> None:
    found = one(tmp_path, scratch, Case("x", "CREATE TABLE t (a int, b text)", up, "DROP INDEX i;", reversible="No"))
    assert found.stand == "not reversible"
    assert said_of(found) == (f"fails-on-rows: The server refused 0002_x: {said} It goes through on tidier rows.",)
    assert found.rows == 2


def test_a_half_run_migration_without_transaction_is_tried_anew_elsewhere(tmp_path: Path, scratch: Scratch) -> None:
    case = Case(
        "x",
        "CREATE TABLE t (a int, b text)",
        "CREATE INDEX CONCURRENTLY i ON t (a);\nCREATE UNIQUE INDEX CONCURRENTLY j ON t (b);",
        "DROP INDEX CONCURRENTLY i;\nDROP INDEX CONCURRENTLY j;",
        more="-- Transaction: none\n",
    )
    found = one(tmp_path, scratch, case)
    assert found.stand == "restores"
    assert [said.kind for said in found.said] == ["fails-on-rows"]


def test_a_migration_that_no_table_takes_ends_the_rehearsal(tmp_path: Path, scratch: Scratch) -> None:
    with pytest.raises(TargetError) as caught:
        one(tmp_path, scratch, Case("x", "CREATE TABLE t (a int)", "ALTER TABLE t\n  ADD b integr;", "SELECT 1;"))
    assert (caught.value.code, caught.value.exit_code) == ("migration-failed", 4)
    assert str(caught.value.where) == f"{tmp_path / '0002_x.sql'}:8"
    assert 'type "integr" does not exist' in caught.value.message
    assert "before.sql" in str(caught.value.hint)


def test_what_the_scratch_server_lacks_is_said_as_such(tmp_path: Path, scratch: Scratch) -> None:
    with pytest.raises(TargetError) as caught:
        one(tmp_path, scratch, Case("x", "CREATE EXTENSION no_such", "SELECT 1;", "SELECT 1;"))
    assert caught.value.code == "scratch-lacks"
    assert "--scratch postgresql://" in str(caught.value.hint)


def test_a_role_that_is_missing_is_made_where_the_server_is_thrown_away(tmp_path: Path, postgres: str) -> None:
    role = 'isthmus test "ü'
    written = role.replace('"', '""')
    have = f'"{written}"'
    cases = [
        Case("a", "", f'CREATE TABLE a (a int); GRANT SELECT ON a TO "{written}";', "DROP TABLE a;"),
        Case("b", "", f'GRANT UPDATE ON a TO "{written}";', "SELECT 1;", more="-- Transaction: none\n"),
    ]
    write_cases(tmp_path, cases)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP ROLE IF EXISTS "{written}"'.encode())
        with scratch_server(postgres) as server, pytest.raises(TargetError) as caught:
            rehearse_folder(tmp_path, server)
        assert "Make the role" in str(caught.value.hint)
        try:
            found, after = rehearse_folder(tmp_path, Scratch(postgres, own=True, version=180000))
        finally:
            connection.execute(f'DROP ROLE IF EXISTS "{written}"'.encode())
    assert after.roles == (role,)
    assert found["a"].stand == "restores"
    (said,) = said_of(found["b"])
    assert said == f"rollback-differs: table public.a: grants: was `{have}: SELECT`, is `{have}: SELECT, UPDATE` now."


def test_rows_of_the_user_are_taken_as_soon_as_their_tables_are_there(tmp_path: Path, scratch: Scratch) -> None:
    folder = tmp_path / "m"
    write_cases(
        folder,
        [
            Case("a", "CREATE TABLE t (id int PRIMARY KEY, a text)", "UPDATE t SET a = trim(a);", "SELECT 1;"),
            Case("b", "", "CREATE TABLE u (t int REFERENCES t);", "DROP TABLE u;"),
            Case("c", "", "ALTER TABLE u ADD c int;", "ALTER TABLE u DROP c;"),
        ],
    )
    (folder / "seed.sql").write_text(
        "BEGIN;\nINSERT INTO u VALUES (7);\nINSERT INTO t VALUES (7, 'x');\nINSERT INTO t VALUES (8, 'y');\n"
        "INSERT INTO gone VALUES (1);\nCOMMIT;\n"
    )
    part = Part(SchemaSettings(folder="m", layout="flat"), folder, ())
    seeds = seeds_of([part], None)
    found, after = rehearse_folder(folder, scratch, seeds=seeds)
    assert (found["a"].rows, found["a"].stand) == (2, "restores")  # nothing to trim in what the user gives
    assert found["c"].rows == 3
    assert after.unused == ((str(folder / "seed.sql"), 5, 'relation "gone" does not exist'),)
    given = tmp_path / "given.sql"
    given.write_text("INSERT INTO t VALUES (1, ' x');\n")
    found, _ = rehearse_folder(folder, scratch, seeds=seeds_of([part], given))
    assert said_of(found["a"]) == ("rows-lost: public.t.a: values are not what they were.",)


def test_rows_of_the_user_are_given_again_where_another_database_takes_over(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(
        tmp_path,
        [
            Case("a", "CREATE TABLE t (a int)", "CREATE INDEX IF NOT EXISTS i ON t (a);", "SELECT 1;"),
            Case("b", "", "ALTER TABLE t ADD b int;", "ALTER TABLE t DROP b;"),
        ],
    )
    (tmp_path / "seed.sql").write_text("INSERT INTO t SELECT generate_series(1, 5);\n")
    seeds = seeds_of([Part(SchemaSettings(folder="m", layout="flat"), tmp_path, ())], None)
    found, _ = rehearse_folder(tmp_path, scratch, seeds=seeds)
    assert [said.kind for said in found["a"].said] == ["rollback-differs"]
    assert (found["a"].rows, found["b"].rows) == (5, 5)


@pytest.mark.parametrize("text", [None, b"\xff", b"INSERT INTO t VALUES ('x"])
def test_rows_that_cannot_be_read_are_refused(tmp_path: Path, text: bytes | None) -> None:
    file = tmp_path / "seed.sql"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        seeds_of([], file)
    assert caught.value.code == "bad-seed"
    assert str(file) in str(caught.value)


def test_a_table_that_takes_no_row_is_named_with_the_reason(tmp_path: Path, scratch: Scratch) -> None:
    first = "CREATE TABLE never (a int CHECK (a <> a AND a IS NOT NULL)); CREATE TABLE t (a int NOT NULL UNIQUE)"
    write_cases(tmp_path, [Case("x", first, "ALTER TABLE t ADD b int;", "ALTER TABLE t DROP b;")])
    found, after = rehearse_folder(tmp_path, scratch)
    assert {key.place: why for key, why in after.empty.items()} == {
        "public.never": 'new row for relation "never" violates check constraint "never_a_check"'
    }
    assert found["x"].stand == "restores"


def test_only_the_newest_are_tried_where_that_is_asked_for(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(
        tmp_path,
        [
            Case("a", "CREATE TABLE t (a int)", "CREATE INDEX i ON t (a);", "SELECT 1;"),
            Case("b", "", "CREATE INDEX j ON t (a);", "DROP INDEX j;"),
        ],
    )
    found, _ = rehearse_folder(tmp_path, scratch, last=1)
    assert [one.stand for one in found.values()] == ["passed over", "passed over", "restores"]
    found, _ = rehearse_folder(tmp_path, scratch, baseline="0002_a")
    assert [one.stand for one in found.values()] == ["older", "older", "restores"]


def test_folders_share_one_database_and_each_learns_its_own(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(
        tmp_path / "main",
        [
            Case("users", "", "CREATE TABLE users (id bigint PRIMARY KEY, old text);", "DROP TABLE users;"),
            Case("rename", "", "ALTER TABLE users RENAME old TO name;", "ALTER TABLE users RENAME name TO old;"),
            Case("gone", "CREATE TABLE gone (a int)", "DROP TABLE gone;", "CREATE TABLE gone (a int);", (), "Partial"),
        ],
    )
    write_cases(
        tmp_path / "side",
        [
            Case(
                "posts",
                "",
                'CREATE TABLE "Posts" (author bigint NOT NULL REFERENCES users, at timestamp(3));\n'
                "ALTER TABLE users ADD posts integer;",
                'ALTER TABLE users DROP posts;\nDROP TABLE "Posts";',
            )
        ],
    )
    parts: list[Part] = []
    for name in ("main", "side"):
        settings = SchemaSettings(folder=name, layout="flat")
        parts.append(Part(settings, tmp_path / name, tuple(read_scripts(tmp_path / name, settings))))
    outcomes: list[Outcome] = []
    found = rehearse(parts, scratch, tell=outcomes.append)
    assert {one.stand for one in outcomes} == {"not reversible", "restores", "in part"}
    main, side = (read_schema_json(found.schema_json[name]) for name in ("main", "side"))
    assert list(main.migrations) == ["0001_first", "0002_users", "0003_rename", "0004_gone"]
    assert main.tables == {
        "public.users": Table(
            "0002_users",
            {"id": Column("bigint", False, "0002_users"), "name": Column("text", True, "0003_rename")},
        )
    }
    assert side.tables == {
        "public.Posts": Table(
            "0002_posts",
            {
                "author": Column("bigint", False, "0002_posts"),
                "at": Column("timestamp(3) without time zone", True, "0002_posts"),
            },
        ),
        "public.users": Table("0002_users", {"posts": Column("integer", True, "0002_posts")}),
    }
    assert [one.state for one in keep(parts, found.schema_json, write=False)] == ["stale", "stale"]
    assert [one.state for one in keep(parts, found.schema_json, write=True)] == ["written", "written"]
    assert [one.state for one in keep(parts, found.schema_json, write=True)] == ["fresh", "fresh"]
    again = [
        Part(one.settings, one.folder, tuple(read_scripts(one.folder, one.settings))) for one in parts
    ]  # schema.json is no stray
    assert rehearse(again, scratch).schema_json == found.schema_json


def test_a_rollback_that_ends_the_transaction_is_refused_with_its_line(tmp_path: Path, scratch: Scratch) -> None:
    found = one(tmp_path, scratch, Case("x", "", "CREATE TABLE a (a int);", "DROP TABLE a;\nCOMMIT;"))
    assert found.stand == "not restored"
    (said,) = found.said
    assert (said.kind, said.line) == ("rollback-refused", 6)
    assert "COMMIT would end the transaction" in said.sentence


def test_a_rollback_of_its_own_file_is_named_by_it(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(tmp_path, [Case("x", "", "CREATE TABLE a (a int);", "DROP TABLE a;")])
    own = tmp_path / "0002_x.rollback.sql"
    own.write_text("DROP TABLE\n  b;\n")
    found, _ = rehearse_folder(tmp_path, scratch)
    (said,) = found["x"].said
    assert (said.kind, said.file, said.line) == ("rollback-refused", str(own), 1)
    own.write_text("DROP TABLE a;\n")
    found, after = rehearse_folder(tmp_path, scratch)
    assert found["x"].stand == "restores"
    own.write_text("DROP TABLE a; -- other\n")
    assert rehearse_folder(tmp_path, scratch)[1].schema_json != after.schema_json


def test_what_a_migration_sets_is_gone_behind_it(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(
        tmp_path,
        [
            Case("a", "CREATE SCHEMA s", "SET search_path = s; CREATE TABLE a (a int);", "DROP TABLE s.a;"),
            Case("b", "", "CREATE TABLE b (a int);", "DROP TABLE public.b;"),
        ],
    )
    found, after = rehearse_folder(tmp_path, scratch)
    assert [one.stand for one in found.values()] == ["not reversible", "restores", "restores"]
    assert list(read_schema_json(after.schema_json["m"]).tables) == ["public.b", "s.a"]


def test_what_comes_before_is_there_and_is_nobodys(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(
        tmp_path,
        [
            Case("a", "", "CREATE TABLE theirs.a (a int);", "DROP TABLE theirs.a;"),
            Case("b", "CREATE TABLE t (a int)", "CREATE UNIQUE INDEX i ON t (a);", "DROP INDEX i;"),
        ],
    )
    before = tmp_path / "before.sql"
    before.write_text("CREATE SCHEMA theirs;\nCREATE TABLE theirs.given (a int);\n")
    found, after = rehearse_folder(tmp_path, scratch)
    assert [one.stand for one in found.values()] == ["not reversible", "restores", "restores"]
    assert [said.kind for said in found["b"].said] == ["fails-on-rows"]  # so that another database was made
    assert list(read_schema_json(after.schema_json["m"]).tables) == ["public.t", "theirs.a"]
    before.write_text("CREATE SCHEMA theirs;\nCREATE SCHEMA theirs;\n")
    with pytest.raises(TargetError) as caught:
        rehearse_folder(tmp_path, scratch)
    assert str(caught.value.where) == f"{before}:2"
    before.write_text("SELECT 'x")
    with pytest.raises(ConfigError) as refused:
        rehearse_folder(tmp_path, scratch)
    assert (refused.value.code, refused.value.where.line) == ("bad-before", 1)


def test_earlier_migrations_are_sent_as_their_runner_sent_them(tmp_path: Path, scratch: Scratch) -> None:
    (tmp_path / "0000_init.sql").write_text("BEGIN;\nCREATE TABLE a (a int);\nCOMMIT;\n")
    (tmp_path / "0001_next.sql").write_text("-- Reversible: Yes\n-- Rollback: DROP TABLE b;\nCREATE TABLE b (a int);\n")
    found, _ = rehearse_folder(tmp_path, scratch, baseline="0000_init")
    assert [one.stand for one in found.values()] == ["older", "restores"]


def test_a_role_that_may_make_databases_and_nothing_else_is_enough(tmp_path: Path, postgres: str) -> None:
    write_cases(
        tmp_path,
        [
            Case(
                "a",
                "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b text); ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                "CREATE UNIQUE INDEX i ON t (b); CREATE POLICY p ON t; CREATE PUBLICATION p FOR TABLE t;",
                "DROP PUBLICATION p;\nDROP POLICY p ON t;\nDROP INDEX i;",
            )
        ],
    )
    with weak_scratch(postgres) as scratch:
        found, after = rehearse_folder(tmp_path, scratch)
    assert (found["a"].stand, found["a"].rows) == ("restores", 2)
    assert [said.kind for said in found["a"].said] == ["fails-on-rows"]
    assert after.empty == {}


def test_a_role_that_a_migration_makes_is_no_obstacle_to_a_database_of_its_own(postgres: str, tmp_path: Path) -> None:
    role = f"isthmus made {secrets.token_hex(4)}"
    write_cases(
        tmp_path,
        [
            Case("role", "", f'CREATE ROLE "{role}";', "SELECT 1;", reversible="No"),
            Case("left", "CREATE TABLE t (a int)", f'GRANT SELECT ON t TO "{role}";', "SELECT 1;"),
            Case("index", "", "CREATE INDEX i ON t (a);", "SELECT 1;"),
            Case(
                "more",
                "",
                f'ALTER TABLE t ADD b int; GRANT UPDATE ON t TO "{role}";',
                f'REVOKE UPDATE ON t FROM "{role}";ALTER TABLE t DROP b;',
            ),
        ],
    )
    with psycopg.connect(postgres, autocommit=True) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        try:
            found, _ = rehearse_folder(tmp_path, Scratch(postgres, own=True, version=180000))
            assert {name: one.stand for name, one in found.items() if name != "first"} == {
                "role": "not reversible",
                "left": "not restored",
                "index": "not restored",
                "more": "restores",
            }
            assert roles < {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            with scratch_server(postgres) as server, pytest.raises(TargetError) as caught:
                rehearse_folder(tmp_path, server)
            assert "Leave --scratch out" in str(caught.value.hint)
        finally:
            connection.execute(f'DROP ROLE IF EXISTS "{role}"'.encode())


def test_rows_that_only_psql_takes_are_refused_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "seed.sql"
    file.write_text("INSERT INTO t VALUES (1);\nCOPY t FROM STDIN;\n")
    with pytest.raises(ConfigError) as caught:
        seeds_of([], file)
    assert caught.value.code == "bad-seed"
    assert [(one.where.line, one.hint) for one in caught.value.problems if one.where] == [(2, "Write INSERT.")]


def test_what_the_user_s_rows_set_changes_nothing_else(tmp_path: Path, scratch: Scratch) -> None:
    first = "CREATE SCHEMA app; CREATE TABLE app.a (id int PRIMARY KEY); CREATE TABLE app.b (a int REFERENCES app.a)"
    write_cases(tmp_path, [Case("x", first, "ALTER TABLE app.b ADD c int;", "ALTER TABLE app.b DROP c;")])
    (tmp_path / "seed.sql").write_text(
        "SET search_path TO app;\nINSERT INTO a VALUES (7);\nSET session_replication_role TO replica;\n"
        "SELECT set_config('role', 'pg_monitor', false) FROM a;\n"
    )
    seeds = seeds_of([Part(SchemaSettings(folder="m", layout="flat"), tmp_path, ())], None)
    found, after = rehearse_folder(tmp_path, scratch, seeds=seeds)
    assert (found["x"].stand, found["x"].rows, after.unused) == ("restores", 4, ())


def test_a_migration_that_writes_rows_of_its_own_meets_rows(tmp_path: Path, scratch: Scratch) -> None:
    up, down = "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');", "DELETE FROM t WHERE id IN (1, 2, 3);"
    first = "CREATE TABLE t (id smallint PRIMARY KEY, name text)"
    write_cases(
        tmp_path,
        [
            Case("kept", f"{first}; CREATE TABLE u (LIKE t INCLUDING ALL)", up, down),
            Case("all", "", up.replace(" t ", " u "), "DELETE FROM u;"),
        ],
    )
    found, _ = rehearse_folder(tmp_path, scratch)
    assert (found["kept"].stand, found["kept"].rows, said_of(found["kept"])) == ("restores", 6, ())
    assert (found["all"].stand, said_of(found["all"])) == (
        "not restored",
        ("rows-lost: public.u: 3 of 3 rows are lost.",),
    )


def test_a_database_s_own_settings_are_kept_where_another_takes_over(tmp_path: Path, scratch: Scratch) -> None:
    set_path = "EXECUTE format('ALTER DATABASE %I SET search_path TO app, public', current_database())"
    first = f"CREATE SCHEMA app; CREATE TABLE w (a int); DO $$ BEGIN {set_path}; END $$"
    write_cases(
        tmp_path,
        [
            Case("left", first, "CREATE INDEX i ON public.w (a);", "SELECT 1;"),
            Case("table", "", "CREATE TABLE t (a int);", "DROP TABLE app.t;"),
        ],
    )
    found, _ = rehearse_folder(tmp_path, scratch)
    assert (found["left"].stand, found["table"].stand) == ("not restored", "restores")


def test_what_passes_with_rows_alone_is_told_as_such(tmp_path: Path, scratch: Scratch) -> None:
    up = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM t) THEN RAISE 'nobody there'; END IF; END $$;"
    write_cases(
        tmp_path,
        [
            Case("x", "CREATE TABLE t (a int)", up, "SELECT 1;"),
            Case("y", "", "CREATE INDEX i ON t (a);", "SELECT 1;"),
        ],
    )
    with pytest.raises(TargetError) as caught:
        rehearse_folder(tmp_path, scratch)
    assert "nobody there" in caught.value.message
    assert "without them it does not" in str(caught.value.hint)


def test_a_session_that_is_ended_is_a_sentence_and_no_trace(tmp_path: Path, scratch: Scratch) -> None:
    up = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid();"
    )
    with pytest.raises(TargetError) as caught:
        one(tmp_path, scratch, Case("x", "CREATE TABLE t (a int)", up, "SELECT 1;"))
    assert caught.value.code == "scratch-unreadable"
    assert str(caught.value.where) == str(tmp_path / "0002_x.sql")


def test_rows_that_row_security_hides_from_the_role_are_told(tmp_path: Path, postgres: str) -> None:
    force = "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY"
    write_cases(tmp_path, [Case("x", f"CREATE TABLE t (a int); {force}", "DELETE FROM t;", "SELECT 1;")])
    with weak_scratch(postgres) as scratch:
        _, after = rehearse_folder(tmp_path, scratch)
    ((key, why),) = after.empty.items()
    assert key.place == "public.t"
    assert "BYPASSRLS" in why


def test_a_folder_that_was_left_out_is_named_where_its_tables_are_missing(tmp_path: Path, scratch: Scratch) -> None:
    write_cases(tmp_path, [Case("x", "", "CREATE TABLE posts (author int REFERENCES users);", "DROP TABLE posts;")])
    settings = SchemaSettings(folder="side", layout="flat")
    part = Part(settings, tmp_path, tuple(read_scripts(tmp_path, settings)))
    with pytest.raises(TargetError) as caught:
        rehearse([part], scratch, without=["main"])
    assert str(caught.value.hint).startswith("main was left out.")


def test_what_is_kept_replaces_a_link_and_says_why_another_is_stale(tmp_path: Path, scratch: Scratch) -> None:
    folder, precious = tmp_path / "m", tmp_path / "precious"
    write_cases(folder, [Case("x", "", 'CREATE TABLE t (a int NOT NULL, "B" text);', "DROP TABLE t;")])
    settings = SchemaSettings(folder="m", layout="flat")
    part = Part(settings, folder, tuple(read_scripts(folder, settings)))
    texts = rehearse([part], scratch).schema_json
    file = folder / "schema.json"
    precious.write_text("mine")
    file.symlink_to(precious)
    assert keep([part], texts, write=False)[0].why == ("It is a link.",)
    assert keep([part], texts, write=True)[0].state == "written"
    assert (precious.read_text(), file.is_symlink(), file.stat().st_mode & 0o777) == ("mine", False, 0o644)
    assert keep([part], texts, write=False)[0].state == "fresh"
    known = read_schema_json(texts["m"])
    columns = {"B": Column("text", False, "0002_x"), "c": Column("text", True, "0002_x")}
    file.write_text(
        render(
            SchemaJson(
                {"0001_first": "changed", "0003_gone": "x"},
                {"public.t": Table("0001_first", columns), "public.u": known.tables["public.t"]},
            )
        )
    )
    assert keep([part], texts, write=False)[0].why == (
        "0001_first was changed since.",
        "It does not know 0002_x.",
        "It knows 0003_gone, which there is not.",
        "public.t was made by 0002_x, not by 0001_first.",
        'public.t."B" is `text NOT NULL` of 0002_x in it, and should be `text` of 0002_x.',
        "public.t.a is absent in it, and should be `integer NOT NULL` of 0002_x.",
        "public.t.c is `text` of 0002_x in it, and should be absent.",
        "public.u is in it, and no migration makes it.",
    )
    file.write_text(json.dumps(json.loads(texts["m"])))
    assert keep([part], texts, write=False)[0].why == ("It says the same in another form.",)
    file.write_bytes(b"\xff")
    assert keep([part], texts, write=False)[0].why == ("It is not UTF-8.",)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError) as caught:
        keep([part], texts, write=True)
    assert caught.value.code == "schema-json-not-written"
    assert sorted(one.name for one in folder.iterdir()) == ["0001_first.sql", "0002_x.sql", "schema.json"]


def test_a_column_that_is_computed_when_it_is_read_is_not_read(tmp_path: Path, scratch: Scratch) -> None:
    if scratch.version < 180000:
        pytest.skip("PostgreSQL 18 has such columns")
    first = "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (1 / (a - a)) VIRTUAL)"
    found = one(tmp_path, scratch, Case("x", first, "ALTER TABLE t ADD c int;", "ALTER TABLE t DROP c;"))
    assert (found.stand, found.rows) == ("restores", 3)


def test_another_name_of_not_null_is_told_and_is_no_error(tmp_path: Path, scratch: Scratch) -> None:
    if scratch.version < 180000:
        pytest.skip("PostgreSQL 18 names them")
    up, down = "ALTER TABLE t DROP CONSTRAINT IF EXISTS given;", "ALTER TABLE t ALTER a SET NOT NULL;"
    found = one(tmp_path, scratch, Case("x", "CREATE TABLE t (a int CONSTRAINT given NOT NULL)", up, down))
    assert said_of(found)[0] == "order: column public.t.a: name of NOT NULL: was `given`, is `t_a_not_null` now."
    assert not any(said.kind == "rollback-differs" for said in found.said)
