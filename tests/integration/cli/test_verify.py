"""`isthmus verify` as a person runs it: exit codes, what is told, written and kept, what `isthmus status` says of it.

What each layer finds is looked at in tests/integration/verify; how a result is told in tests/unit/verify.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.cli.verify import exit_code, read_layers
from isthmus.errors import ConfigError
from isthmus.mapping.names import quote_identifier
from isthmus.verify.result import LAYERS
from tests.fix_dumps import MakeDump
from tests.fix_postgres import password_url
from tests.integration.cli.conftest import Ran, RunCommand
from tests.integration.copy.carrying import oid
from tests.unit.verify.made import passed

MAPPING = """\
isthmus: 1
collections:
  Users: {fields: {name: text!, pin: {type: text, sensitive: true}, n: integer}}
  Posts: {fields: {title: text, user: {references: Users, on_orphan: "null"}}}
"""
CORRECTED = MAPPING.replace("n: integer", "n: {type: integer, coerce: true}")
USERS = [
    {"_id": oid(1), "name": "Ann", "pin": "Qx7w", "n": 1},
    {"_id": oid(2), "name": "Bob"},
    {"_id": oid(3), "name": "Cid", "n": "27"},
]
POSTS = [{"_id": oid(10), "title": "t", "user": oid(1)}, {"_id": oid(11), "title": "u", "user": oid(99)}]


class World:
    """A target that holds a copy with a dead letter and an orphan, and what runs commands on it."""

    def __init__(self, run: RunCommand, folder: Path, dump: Path, database: str) -> None:
        self.run, self.folder, self.database = run, folder, database
        self.env = {"DATABASE_URL": database, "MONGODB_URI": str(dump)}
        (folder / "mapping.yaml").write_text(MAPPING)
        (folder / "corrected.yaml").write_text(CORRECTED)

    def __call__(self, *arguments: object) -> Ran:
        return self.run(*arguments, env=self.env, cwd=self.folder)

    def verify(self, *arguments: object) -> tuple[Ran, dict[str, Any]]:
        ran = self("verify", "mapping.yaml", "--json", "report.json", *arguments)
        return ran, json.loads((self.folder / "report.json").read_text())

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture
def empty(isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path) -> World:
    """A target that holds nothing yet."""
    return World(isthmus, tmp_path, make_dump({"Users": USERS, "Posts": POSTS}), database)


@pytest.fixture
def world(empty: World) -> World:
    """A target that holds the copy."""
    ran = empty("copy", "mapping.yaml")
    assert ran.code == 1, ran.all
    return empty


def test_copy_that_nobody_touched_is_verified(world: World) -> None:
    assert "isthmus verify MAPPING" in world("status").out
    ran, report = world.verify("--html", "report.html")
    assert ran.code == 0, ran.all
    assert ran.out.startswith("Verified: 7 layers, 4 rows compared, nothing differs.")
    assert "1  dead letter: isthmus letters list --target" in ran.out
    assert "1  orphan: isthmus orphans list --target" in ran.out
    assert (report["outcome"], report["exit_code"], report["run"]) == ("passed", 0, 1)
    assert list(report["layers"]) == list(LAYERS)
    assert {one["outcome"] for one in report["layers"].values()} == {"passed"}
    assert report["differences"] == []
    assert (report["accounted"]["dead_letters"], report["accounted"]["orphans"]) == (1, 1)
    assert (report["mapping"], report["source"].endswith("shop")) == ("mapping.yaml", True)
    page = (world.folder / "report.html").read_text()
    assert "Verified: 7 layers" in page
    assert "The page is in report.html." in ran.err
    status = world("status", "--json", "status.json")
    assert "  verified " in status.out
    assert "nothing differs in 7 layers" in status.out
    assert "isthmus verify MAPPING" not in status.out
    told = json.loads((world.folder / "status.json").read_text())["verification"]
    assert (told["outcome"], told["retried_since"]) == ("passed", False)


def test_changed_value_is_named_and_exits_1(world: World) -> None:
    world.execute("UPDATE users SET name = 'Eve ' WHERE name = 'Bob'")
    ran, report = world.verify("--html", "report.html")
    assert ran.code == 1, ran.all
    assert ran.out.startswith("Differs: ")
    assert 'Bob → "Eve "' in ran.out
    assert (report["outcome"], report["exit_code"]) == ("failed", 1)
    assert report["layers"]["checksum"]["outcome"] == "failed"
    (found,) = [one for one in report["differences"] if one["layer"] == "checksum"]
    assert (found["table"], found["path"], found["actual"]) == ("users", "name", "Eve ")
    assert "Differs: " in (world.folder / "report.html").read_text()
    status = world("status")
    assert status.code == 0
    assert "  verified " not in status.out
    assert "difference" in status.out.partition("  verify   ")[2].splitlines()[0]


def test_layer_that_could_not_look_at_all_is_no_full_pass(world: World) -> None:
    """A role that may make nothing sees parts of definitions only, and is told which."""
    database = quote_identifier(str(conninfo_to_dict(world.database)["dbname"]))
    role = f"looker_{secrets.token_hex(4)}"
    world.execute(f"CREATE ROLE {role} LOGIN")
    try:
        world.execute(f"GRANT USAGE ON SCHEMA public, isthmus TO {role}")
        world.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public, isthmus TO {role}")
        world.execute(f"GRANT INSERT ON isthmus.verification TO {role}")
        world.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
        target = make_conninfo(world.database, user=role)
        ran, report = world.verify("--layers", "schema", "--html", "page.html", "--target", target)
        assert ran.code == 0, ran.all
        assert ran.out.startswith("Nothing differs in 1 of 7 layers (schema) as far as could be compared: schema could")
        assert "Not compared" in ran.out
        assert "users.users_pkey" in ran.out
        assert (report["outcome"], report["layers"]["schema"]["outcome"]) == ("partly", "partly")
        assert "passed in part" in (world.folder / "page.html").read_text()
        status = world("status", "--json", "status.json")
        assert "  verified " not in status.out
        assert "schema could not look at" in " ".join(status.out.split())
        assert json.loads((world.folder / "status.json").read_text())["verification"]["outcome"] == "partly"
    finally:
        world.execute(f"DROP OWNED BY {role}")
        world.execute(f"DROP ROLE {role}")


def test_status_tells_the_last_whole_verification_and_a_newer_one_of_some_layers(world: World) -> None:
    world.execute("UPDATE users SET name = 'Eve ' WHERE name = 'Bob'")
    assert world.verify("--layers", "schema")[0].code == 0
    status = world("status", "--json", "status.json")
    assert "  verified " not in status.out
    assert "nothing differs in 1 of 7 layers (schema); the others were not asked" in status.out
    assert "isthmus verify MAPPING" in status.out, "nothing was held against its document yet"
    assert world.verify()[0].code == 1
    assert world.verify("--layers", "schema,counts")[0].code == 0
    status = world("status", "--json", "status.json")
    assert "  verified " not in status.out
    first, second = (line for line in status.out.splitlines() if line.startswith("  verify   "))
    assert "in 7 layers" in first
    assert "2 of 7 layers (counts, schema)" in second
    told = json.loads((world.folder / "status.json").read_text())
    assert (told["verification"]["outcome"], len(told["verification"]["layers"])) == ("failed", 7)
    assert list(told["partial_verification"]["layers"]) == ["counts", "schema"]
    world.execute("UPDATE users SET name = 'Bob' WHERE name = 'Eve '")
    assert world.verify()[0].code == 0
    status = world("status", "--json", "status.json")
    assert "  verify   " not in status.out
    assert "  verified " in status.out
    assert json.loads((world.folder / "status.json").read_text())["partial_verification"] is None


def test_sensitive_values_are_nowhere(world: World) -> None:
    world.execute("UPDATE users SET pin = 'Zy8v' WHERE name = 'Ann'")
    ran, report = world.verify("--html", "report.html", "--sample", "all")
    assert ran.code == 1, ran.all
    page = (world.folder / "report.html").read_text()
    with psycopg.connect(world.database) as connection:
        rows = connection.execute("SELECT layers::text, differences::text FROM isthmus.verification").fetchall()
    for text in (ran.all, json.dumps(report), page, str(rows)):
        assert "Qx7w" not in text
        assert "Zy8v" not in text
    assert "(hidden)" in page


def test_layers_that_are_asked_are_the_only_ones(world: World) -> None:
    world.execute("UPDATE users SET name = 'Eve' WHERE name = 'Bob'")
    ran, report = world.verify("--layers", "schema, COUNTS,schema")
    assert ran.code == 0, ran.all
    assert list(report["layers"]) == ["counts", "schema"]
    assert ran.out.startswith("Nothing differs in 2 of 7 layers (counts, schema); the others were not asked.")
    assert "Verified" not in ran.out


def test_verification_before_a_retry_is_told_to_be_older(world: World) -> None:
    assert world("verify", "mapping.yaml").code == 0
    assert "verify again" not in world("status").out
    assert world("letters", "retry", "corrected.yaml").code == 0
    status = world("status", "--json", "status.json")
    assert "dead letters were retried since, so verify again" in status.out
    assert json.loads((world.folder / "status.json").read_text())["verification"]["retried_since"] is True
    ran = world("verify", "corrected.yaml")
    assert ran.code == 0, ran.all
    assert ran.out.startswith("Verified: 7 layers, 5 rows compared, nothing differs.")
    assert "verify again" not in world("status").out


def test_documents_that_came_by_another_mapping_are_told(world: World) -> None:
    ran, report = world.verify()
    assert not any("mapping" in note for note in report["layers"]["counts"]["notes"])
    assert world("letters", "retry", "corrected.yaml").code == 0
    ran, report = world.verify()
    assert ran.code == 0, ran.all
    (note,) = (note for note in report["layers"]["counts"]["notes"] if "mapping" in note)
    assert note.startswith("1 document came by another mapping (fingerprint ")
    assert "came by another mapping" in ran.out
    ran = world("verify", "corrected.yaml", "--json", "report.json")
    assert ran.code == 0, ran.all
    first, second = (
        note
        for note in json.loads((world.folder / "report.json").read_text())["layers"]["counts"]["notes"]
        if "mapping" in note
    )
    assert first.startswith("The run began with another mapping (fingerprint ")
    assert second.startswith("1 document came by the given mapping, with which dead letters were tried again")


def test_mapping_that_was_changed_in_the_target_is_refused(world: World) -> None:
    world.execute("UPDATE isthmus.run SET mapping_text = replace(mapping_text, 'name: text', 'name: jsonb')")
    ran, report = world.verify()
    assert (ran.code, report["code"]) == (4, "state-broken"), ran.all
    assert "The mapping that the target keeps for run 1 is not the one with the fingerprint beside it" in ran.err
    assert report["layers"] == {}


def test_mapping_that_says_the_same_in_other_words_is_taken(world: World) -> None:
    (world.folder / "mapping.yaml").write_text(f"# a comment\n{MAPPING}")
    ran, report = world.verify()
    assert ran.code == 0, ran.all
    assert report["outcome"] == "passed"


def test_refusal_takes_the_place_of_an_older_result(world: World) -> None:
    ran, _ = world.verify("--html", "report.html")
    assert ran.code == 0, ran.all
    (world.folder / "mapping.yaml").write_text(MAPPING.replace("title: text", "title: text!"))
    ran, report = world.verify("--html", "report.html")
    assert ran.code == 2, ran.all
    assert (report["outcome"], report["exit_code"], report["code"]) == ("failed", 2, "mapping-changed")
    assert "line 4: it was `Posts: {fields: {title: text," in ran.err, "as copy says it"
    assert "now `Posts: {fields: {title: text!," in ran.err
    assert report["layers"] == {}
    page = (world.folder / "report.html").read_text()
    assert "Not verified: " in page
    assert "another mapping" in page
    assert "Verified:" not in page


def test_target_without_a_run_is_refused(empty: World) -> None:
    ran, report = empty.verify()
    assert (ran.code, report["code"]) == (4, "no-run")


def test_other_source_is_refused(world: World, make_dump: MakeDump, tmp_path: Path) -> None:
    other = make_dump({"Users": USERS, "Posts": POSTS}, database="other", root=tmp_path / "elsewhere")
    ran, report = world.verify("--source", other)
    assert (ran.code, report["code"]) == (3, "source-differs"), ran.all
    assert "(its database was shop, now other)" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--layers", "chekcsum"], "Did you mean checksum?"),
        (["--layers", "counts,\x1b[2J"], "There is no layer \\x1b[2j."),
        (["--layers", " , "], "--layers names no layer."),
        (["--sample", "0"], "--sample"),
        (["--sample", "most"], "--sample"),
        (["--html", "no/such/folder.html"], "--html"),
    ],
)
def test_wrong_options_exit_2_before_anything_is_opened(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], arguments: list[str], words: str
) -> None:
    nowhere = ["--source", "no-such-dump", "--target", "postgresql://127.0.0.1:1/none"]
    ran = isthmus("verify", write_mapping(MAPPING), *nowhere, *arguments)
    assert ran.code == 2, ran.all
    assert words in ran.err
    assert ran.out == ""
    assert "\x1b" not in ran.all


def test_json_on_standard_output_leaves_the_tables_to_standard_error(world: World) -> None:
    ran = world("verify", "mapping.yaml", "--layers", "counts", "--json", "-")
    assert ran.code == 0, ran.all
    assert json.loads(ran.out)["outcome"] == "passed"
    assert "Nothing differs in 1 of 7 layers" in ran.err


def test_password_of_an_address_is_never_told(world: World) -> None:
    world.env["DATABASE_URL"] = password_url(world.database, "pass/word 7")
    ran, report = world.verify("--html", "report.html")
    assert ran.code == 0, ran.all
    page = (world.folder / "report.html").read_text()
    for text in (ran.all, json.dumps(report), page):
        assert "pass/word" not in text
        assert "pass%2Fword" not in text
    assert "postgresql://secret_" in page


def test_role_without_rights_is_told_what_it_needs(world: World) -> None:
    url = password_url(world.database, "pass word")
    role = url.partition("://")[2].partition(":")[0]
    world.execute(f"ALTER ROLE {role} NOSUPERUSER")
    world.execute(f"GRANT USAGE ON SCHEMA isthmus TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA isthmus TO {role}")
    try:
        ran, report = world.verify("--target", url)
        assert (ran.code, report["code"]) == (4, "no-read-right"), ran.all
        assert f'GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "{role}"' in ran.err
        world.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        ran, report = world.verify("--target", url)
        assert (ran.code, report["outcome"]) == (0, "passed"), ran.all
        assert "The result was not kept in isthmus.verification: the role may not write to" in ran.err
        assert "  verified " not in world("status").out
    finally:
        world.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_layers_are_read_in_their_own_order() -> None:
    assert read_layers(None) == LAYERS
    assert read_layers("checksum,Counts, types") == ("counts", "types", "checksum")
    with pytest.raises(ConfigError) as caught:
        read_layers("counts,zzz")
    assert caught.value.code == "unknown-layer"
    assert "Did you mean" not in str(caught.value.hint)
    assert all(name in str(caught.value.hint) for name in LAYERS)


def test_exit_code_of_a_stopped_verification_is_130_whatever_it_found() -> None:
    result = passed()
    assert exit_code(result) == 0
    result.layers["counts"].differs("a", "b", "m")
    assert exit_code(result) == 1
    result.interrupted = True
    assert exit_code(result) == 130
