"""What a rehearsal does around the rollbacks: rows, several folders, what it learns, what it leaves behind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from isthmus.errors import ConfigError, TargetError
from isthmus.govern.migrations.script import read_scripts
from isthmus.govern.rehearsing.keep import keep
from isthmus.govern.rehearsing.outcome import Outcome
from isthmus.govern.rehearsing.rehearse import Part, rehearse, seeds_of
from isthmus.govern.schema_json import Column, Table, read_schema_json
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
    excused = rehearse_folder(tmp_path, scratch, unproven={"0002_slug": "t was empty everywhere"})[0]["slug"]
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
    role = f"maker_{secrets.token_hex(4)}"
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
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN CREATEDB".encode())
        try:
            with scratch_server(f"{postgres} user={role}") as scratch:
                found, after = rehearse_folder(tmp_path, scratch)
        finally:
            connection.execute(f"DROP ROLE {role}".encode())
    assert (found["a"].stand, found["a"].rows) == ("restores", 2)
    assert [said.kind for said in found["a"].said] == ["fails-on-rows"]
    assert after.empty == {}
