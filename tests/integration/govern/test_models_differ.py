"""Every kind of difference between models and migrations: what is proposed leads to the models, and its rollback back.

The server judges, and Alembic's own comparison a second time: neither may find anything left. Whether a rollback brings
everything back is tried on the server, too, when the proposal is made. Cannot see: what rows lose; rehearsals do.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Column, MetaData, Table

from isthmus.errors import ConfigError, TargetError
from isthmus.govern.checking import Checking
from isthmus.govern.linting.squawk import Text, find_squawk, lint
from isthmus.govern.migrations.folder import read_folder
from isthmus.govern.models.sql_names import KEYWORDS
from isthmus.govern.repository.tree import FILE, Blob, Tree
from isthmus.govern.rules.all import RULES
from isthmus.govern.rules.rule import findings_of
from isthmus.govern.scratch import Scratch
from isthmus.govern.settings import SchemaSettings
from isthmus.govern.sql.statements import split
from isthmus.govern.writing.draft import Draft
from tests.integration.govern.model_cases import CASES, DANGERS, ODD, SOAK, Make, both, nothing, typed, users
from tests.integration.govern.model_trials import tried

SETTINGS = SchemaSettings(folder="m", layout="flat")


@pytest.fixture(scope="module")
def scratch(postgres: str) -> Scratch:
    return Scratch(postgres, own=False, version=180000)


def refused(drafts: Sequence[Draft]) -> set[str]:
    """Return the rules that would refuse these migrations."""
    texts = {f"m/{one.name}.sql": one.text for one in drafts}
    texts |= {f"m/{one.name}.rollback.sql": one.rollback for one in drafts if one.rollback is not None}
    blobs = {path: Blob(path, FILE, path) for path in texts}
    squawk = find_squawk()
    assert squawk is not None
    looked = [Text(f"m/{one.name}.sql", one.text.encode(), "Transaction: none" not in one.text) for one in drafts]
    checking = Checking(
        now=read_folder(Tree("files", blobs), "m", SETTINGS),
        texts={path: text.encode() for path, text in texts.items()},
        lint=lint(squawk, looked),
    )
    return {finding.rule for finding in findings_of(RULES, checking)}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.soak) if case in SOAK else case for case in CASES]
)
def test_what_is_proposed_leads_there_and_back_and_passes_the_rules(case: str, scratch: Scratch) -> None:
    before, after, reversible = CASES[case]
    found = tried(scratch, before, after)
    if reversible == "left":
        assert found.proposal.left
        assert found.rest
        return
    assert found.proposal.left == []
    assert found.rest == []
    assert found.opinion == []
    assert " ".join(part.reversible for part in found.proposal.parts) == reversible, [
        (part.rollback, part.reasons) for part in found.proposal.parts
    ]
    assert refused(found.drafts) == DANGERS.get(case, set())


def renamed(*columns: str, table: str = "users") -> Make:
    return lambda meta: Table(
        table, meta, Column("id", sa.BigInteger, primary_key=True), *(Column(one, sa.Text) for one in columns)
    )


def test_a_column_under_another_name_keeps_its_values(scratch: Scratch) -> None:
    with pytest.raises(ConfigError) as caught:
        tried(scratch, renamed("name"), renamed("full_name"))
    assert caught.value.code == "rename-or-not"
    (problem,) = caught.value.problems
    assert "--rename users.name=users.full_name, or --no-rename users.name" in (problem.hint or "")
    found = tried(scratch, renamed("name"), renamed("full_name"), rename=["users.name=users.full_name"])
    assert found.statements == ["ALTER TABLE public.users RENAME COLUMN name TO full_name"]
    (part,) = found.proposal.parts
    assert (part.reversible, part.rollback) == ("Yes", ("ALTER TABLE public.users RENAME COLUMN full_name TO name",))
    found = tried(scratch, renamed("name"), renamed("full_name"), no_rename=["users.name"])
    assert found.statements == [
        "ALTER TABLE public.users ADD COLUMN full_name text",
        "ALTER TABLE public.users DROP COLUMN name",
    ]
    assert found.proposal.parts[0].reversible == "Partial"


def test_a_person_is_asked_of_each_until_one_is_it(scratch: Scratch) -> None:
    asked: list[str] = []

    def ask(one: object) -> bool:
        asked.append(f"{one.old} {one.new}")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        return asked[-1] == "b d"

    found = tried(scratch, renamed("a", "b"), renamed("c", "d"), ask=ask)
    assert asked == ["a c", "a d", "b c", "b d"]
    assert "ALTER TABLE public.users RENAME COLUMN b TO d" in found.statements
    assert "ALTER TABLE public.users DROP COLUMN a" in found.statements


def test_a_table_and_its_column_under_other_names(scratch: Scratch) -> None:
    before, after = renamed("a", table=ODD), renamed("B c", table="people")
    quoted = '"' + ODD.replace('"', '""') + '"'
    words = [f"{quoted}=public.people", 'people.a=people."B c"']
    found = tried(scratch, before, after, rename=words)
    assert found.rest == []
    assert not any("DROP" in one or "CREATE" in one for one in found.statements)
    (part,) = found.proposal.parts
    assert part.reversible == "Yes"


def test_tables_that_are_alike_are_asked_about_and_others_are_not(scratch: Scratch) -> None:
    with pytest.raises(ConfigError) as caught:
        tried(scratch, users(name="a"), users(name="b"))
    assert "--rename a=b, or --no-rename a" in (caught.value.problems[0].hint or "")
    found = tried(scratch, users(name="a"), renamed("x", table="b"))
    assert [one.split(" (")[0] for one in found.statements] == ["CREATE TABLE public.b", "DROP TABLE public.a"]
    found = tried(scratch, users(name="a"), users(name="b"), no_rename=["a"])
    assert [one.split(" (")[0] for one in found.statements] == ["CREATE TABLE public.b", "DROP TABLE public.a"]


@pytest.mark.parametrize(
    ("rename", "code"),
    [
        ("users.nobody=users.full_name", "no-such-rename"),
        ("users.name", "usage"),
        ("=x", "usage"),
        ("users.name=other.full_name.x", "no-such-rename"),
        ("users.name=users.full_name=x", "usage"),
    ],
)
def test_a_rename_of_nothing_is_refused(rename: str, code: str, scratch: Scratch) -> None:
    with pytest.raises(ConfigError) as caught:
        tried(scratch, renamed("name"), renamed("full_name"), rename=[rename])
    assert caught.value.code == code


def test_nothing_is_proposed_where_nothing_differs(scratch: Scratch) -> None:
    assert tried(scratch, both(nothing, users()), both(nothing, users())).proposal.parts == []


def test_what_is_half_done_in_migrations_is_done(scratch: Scratch) -> None:
    wanted = users(sa.CheckConstraint("id > 0", name="p"))
    found = tried(scratch, users(), wanted, by_hand=["ALTER TABLE users ADD CONSTRAINT p CHECK (id > 0) NOT VALID"])
    assert found.statements == ["ALTER TABLE public.users VALIDATE CONSTRAINT p"]
    (part,) = found.proposal.parts
    assert (part.reversible, part.transaction) == ("Yes", False)


def test_partitions_and_what_hangs_on_them_are_the_migrations_own(scratch: Scratch) -> None:
    def logs(meta: MetaData) -> None:
        Table("logs", meta, Column("at", sa.Date, index=True), postgresql_partition_by="RANGE (at)")

    part = "CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    assert tried(scratch, logs, logs, by_hand=[part]).proposal.parts == []


def test_what_the_server_refuses_is_told_with_its_statement(scratch: Scratch) -> None:
    view = "CREATE VIEW names AS SELECT name FROM users"
    with pytest.raises(TargetError) as caught:
        tried(scratch, renamed("name"), renamed(), by_hand=[view])
    assert caught.value.code == "models-by-hand"
    assert "ALTER TABLE public.users DROP COLUMN name" in caught.value.message


def test_words_that_need_quotes_are_those_of_the_server(postgres: str) -> None:
    with psycopg.connect(postgres) as connection:
        rows = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'").fetchall()
    assert {row[0] for row in rows} <= KEYWORDS


def test_a_column_that_comes_back_may_be_null_for_there_are_rows(scratch: Scratch) -> None:
    found = tried(scratch, typed(sa.Text, nullable=False), users())
    (part,) = found.proposal.parts
    assert part.rollback == ("ALTER TABLE public.users ADD COLUMN c text",)
    assert part.reasons == (
        "A rollback does not bring back the values of public.users.c.",
        "public.users.c was NOT NULL: that comes back by hand, once it is filled.",
    )


def test_a_rollback_that_the_server_refuses_is_told_and_the_migration_written(scratch: Scratch) -> None:
    """Outside of a transaction it ends half way there, and nothing of that is put back."""
    kept = (
        (
            "CREATE FUNCTION kept() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN"
            " IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_identity LIKE '%second%')"
            " THEN RAISE EXCEPTION 'it is kept'; END IF; END$$"
        ),
        "CREATE EVENT TRIGGER kept ON sql_drop EXECUTE FUNCTION kept()",
    )

    def after(meta: MetaData) -> None:
        table = users()(meta)
        sa.Index("first index", table.c["email"])  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]
        sa.Index("the second", table.c["email"], unique=True)  # pyright: ignore[reportIndexIssue, reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]

    found = tried(scratch, users(), after, by_hand=kept)
    (part,) = found.proposal.parts
    assert (part.words, part.reversible, part.rollback) == ("online", "No", ())
    assert "There is no rollback that the server takes" in part.reasons[0]
    assert "it is kept" in part.reasons[0]
    assert found.proposal.left == []


def test_all_that_may_be_renames_is_told_at_once(scratch: Scratch) -> None:
    before = both(renamed("a"), renamed("x", table="people"))
    after = both(renamed("b"), renamed("x", table=ODD))
    with pytest.raises(ConfigError) as caught:
        tried(scratch, before, after)
    assert [one.message.split(" is gone")[0] for one in caught.value.problems] == ["table people", "column users.a"]


def test_a_name_of_several_lines_does_not_end_the_comment_that_it_stands_in(scratch: Scratch) -> None:
    found = tried(scratch, users(), users(Column("x\nDROP TABLE users; --", sa.Text, nullable=False)))
    assert {one.words[0] for draft in found.drafts for one in split(draft.text)} == {"ALTER"}
