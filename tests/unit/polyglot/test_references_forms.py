"""The forms of keys, and where references find them in SQLAlchemy's metadata.

Oracle: cases by hand. What PostgreSQL itself takes is held against the forms in `integration/polyglot`.
"""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from bson import ObjectId
from sqlalchemy.dialects import postgresql

from apps.panamia.models import metadata as panamia
from isthmus.polyglot.references.columns import form_of, read_name
from isthmus.polyglot.references.constraints import form_of_checks
from isthmus.polyglot.references.forms import FORMS, Form
from isthmus.polyglot.references.judging import judge

HEX = "65f0c1a2b3c4d5e6f7a8b9c0"
LETTER_HEX = "a5f0c1a2b3c4d5e6f7a8b9c0"
"""An ObjectId's digits that begin with a letter: a guard that looks at the shape alone takes them for a cuid2."""
CUID = "w0qp7yh68ht5oohme00sm3ye"
ONE = UUID("523c41d6-2f20-44c3-98fd-861b3db1e0c4")
OF_COLUMN = "^[a-z]{3}[0-9]+$"


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("cuid2", CUID, None),
        ("cuid2", "tz4a98xxat96iws9zmbrgj3a", None),
        ("cuid2", HEX, "ObjectId of MongoDB"),
        ("cuid2", LETTER_HEX, "ObjectId of MongoDB"),
        ("cuid2", LETTER_HEX.upper(), "ObjectId of MongoDB"),
        ("cuid2", ObjectId(HEX), "an ObjectId of MongoDB"),
        ("cuid2", "cjld2cjxh0000qzrmn831i7rn", "the older cuid"),
        ("cuid2", CUID.upper(), "capitals"),
        ("cuid2", CUID[:23], "23 characters"),
        ("cuid2", f"{CUID}\n", "25 characters"),
        ("cuid2", f"{CUID[:23]}ä", "other characters"),
        ("cuid2", f"1{'z' * 23}", "begins with a digit"),
        ("cuid2", str(ONE), "a UUID"),
        ("cuid2", "", "0 characters"),
        ("cuid2", 5, "of type int"),
        ("cuid2", None, "of type NoneType"),
        ("uuid", ONE, None),
        ("uuid", str(ONE), "of type str"),
        ("uuid", HEX, "hex text of an ObjectId"),
        ("uuid-text", str(ONE), None),
        ("uuid-text", str(ONE).upper().replace("0", "A"), "capitals"),
        ("uuid-text", ONE.hex, "no UUID in 36"),
        ("bigint", -(2**63), None),
        ("bigint", 2**63 - 1, None),
        ("bigint", 2**63, "out of its range"),
        ("integer", -(2**31) - 1, "out of its range"),
        ("smallint", 2**15, "out of its range"),
        ("integer", True, "of type bool"),
        ("bigint", "1" * 24, "hex text of an ObjectId"),
        ("text", HEX, None),
        ("text", ObjectId(HEX), "an ObjectId"),
        ("text", "a\0b", "cannot store"),
        ("text", "\ud800", "cannot store"),
    ],
)
def test_fault_of_a_value_says_what_it_is(form: str, value: object, said: str | None) -> None:
    fault = FORMS[form].fault(value)
    assert fault is None if said is None else fault is not None and said in fault, fault


def column(kind: object, *more: object, **info: object) -> sa.Column[object]:
    made = sa.Column("id", kind, *more, info=info, primary_key=True)  # type: ignore[arg-type]
    sa.Table("t", sa.MetaData(), made)
    return made


class Wrapped(sa.types.TypeDecorator[str]):
    impl = sa.String(9)
    cache_ok = True


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (column(sa.Text), "a text"),
        (column(sa.String(30)), "a text of at most 30 characters"),
        (column(Wrapped), "a text of at most 9 characters"),
        (column(postgresql.CITEXT), "a text"),
        (column(sa.Uuid), "a UUID"),
        (column(postgresql.UUID(as_uuid=False)), "the text of a UUID (36 characters, lower case)"),
        (column(sa.BigInteger), "a number of 64 bits"),
        (column(sa.Integer), "a number of 32 bits"),
        (column(postgresql.SMALLINT), "a number of 16 bits"),
        (column(postgresql.DOMAIN("code", sa.Text, check="length(VALUE) = 5")), "a text of 5 characters"),
        (column(sa.Text, form="uuid-text"), "the text of a UUID (36 characters, lower case)"),
        (column(sa.Numeric(20)), None),
        (column(sa.Enum("a", "b", name="word")), None),
        (column(sa.LargeBinary), None),
        (panamia.tables["users"].c.id, FORMS["cuid2"].words),  # a CHECK says it
        (panamia.tables["profiles"].c.user_id, FORMS["cuid2"].words),  # what it points at
        (panamia.tables["articles"].c.slug, "a text"),
    ],
)
def test_form_of_a_column_is_what_its_metadata_says(made: sa.Column[object], words: str | None) -> None:
    form = form_of(made)
    assert isinstance(form, Form | None)
    assert (form and form.words) == words


@pytest.mark.parametrize(
    ("check", "words", "refused", "taken"),
    [
        ("id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'", FORMS["cuid2"].words, [HEX], []),
        ("((id)::text ~ '^[a-z][a-z0-9]{23}$'::text)", FORMS["cuid2"].words, [HEX], []),
        ('length("id") = 24 and "id" ~ \'^u\'', "a text of 24 characters", ["u", "v" * 24], ["u" * 24]),
        ("char_length(id) >= 2 AND length(id) < 5", "a text of 2 to 4 characters", ["a", "abcde"], ["ab", "abcd"]),
        ("(id > 'a') AND (length(id) = 3)", "a text of 3 characters", ["ab"], ["abc"]),
        ("id IS NOT NULL AND length(id) > 2", "a text of at least 3 characters", ["ab"], ["abc"]),
        (f"id ~ '{OF_COLUMN}'", "a text", ["abc", "abc1\n"], ["abc1"]),
        ("t.id ~ '^a'", "a text", ["b"], ["a"]),
        # not understood, so that nothing is refused
        ("id ~ '^a' OR length(id) = 3", None, [], []),
        ("id > 'a' OR id < 'x' AND length(id) = 3 AND id <> 'y'", None, [], []),
        ("NOT (id > 'a' AND length(id) = 3 AND id <> 'y')", None, [], []),
        ("CASE WHEN id > 'a' AND length(id) = 3 AND id < 'y' THEN true END", None, [], []),
        ("(id > 'a' AND length(id) = 3 AND id <> ')') IS NULL", None, [], []),
        ("NOT (id ~ '^a')", None, [], []),
        ("id ~* '^a'", None, [], []),
        ("id ~ '^\\d+$'", None, [], []),
        ("id ~ '^[z-a]$'", None, [], []),
        ("name ~ '^a'", None, [], []),
        ("ID_ ~ '^a' AND lower(id) = id", None, [], []),
        ("length(id) BETWEEN 1 AND 5", None, [], []),
        ("id <> ' AND length(id) = 3'", None, [], []),
        ("", None, [], []),
    ],
)
def test_checks_give_a_form_where_they_are_understood(
    check: str, words: str | None, refused: list[str], taken: list[str]
) -> None:
    form = form_of_checks("id", iter([check]))
    assert (form and form.words) == words
    for value in refused:
        assert form is not None
        assert form.fault(value) is not None
    for value in taken:
        assert form is not None
        assert form.fault(value) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("users.id", (None, "users", "id")),
        ("auth.users.id", ("auth", "users", "id")),
        ('"Säles.x"."Odd ""one""".Größe', ("Säles.x", 'Odd "one"', "Größe")),
        ("my table.the id", (None, "my table", "the id")),
        *(
            (bad, None)
            for bad in ("users", "", ".", "users.", ".id", "a.b.c.d", "a..b", '"a.b', '"".id', 'a"b.c', " .x")
        ),
    ],
)
def test_names_are_read_as_they_are_written(text: str, read: tuple[str | None, str, str] | None) -> None:
    found = read_name(text)
    assert (found and (found.schema, found.table, found.column)) == read


def tables() -> sa.MetaData:
    made = sa.MetaData()
    sa.Table(
        "users",
        made,
        sa.Column("id", sa.Text, primary_key=True, info={"form": "cuid2"}),
        sa.Column("email", sa.Text),
        sa.Column("name", sa.Text, info={"form": "cuid3"}, unique=True),
        sa.Column("handle", sa.Text, info={"form": "uuid"}, unique=True),
        sa.Column("slug", sa.Text, key="named_otherwise"),
        sa.Column("active_code", sa.Text),
        sa.Column("legacy", sa.Text, unique=True, info={"deprecated": True}),
        sa.Index("by_email", sa.func.lower(sa.column("email")), unique=True),
        sa.Index("by_slug", "named_otherwise", unique=True),
        sa.Index("by_code", "active_code", unique=True, postgresql_where=sa.text("active")),
    )
    sa.Table("pairs", made, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Uuid, primary_key=True))
    for schema in ("auth", "Säles"):
        sa.Table("logs", made, sa.Column("id", sa.BigInteger, primary_key=True), schema=schema)
    sa.Table("only", made, sa.Column("id", sa.Uuid, primary_key=True), schema="auth")
    sa.Table("users", made, sa.Column("id", sa.Uuid, primary_key=True), schema="auth")
    sa.Table("plain", made, sa.Column("id", sa.Text, primary_key=True), schema="public")
    return made


@pytest.mark.parametrize(
    ("name", "stated", "base", "code", "said"),
    [
        ("users.id", None, str, None, "cuid2"),
        ("users.id", "cuid2", str | None, None, "cuid2"),
        ("public.users.id", None, str, None, "cuid2"),
        ("auth.users.id", None, UUID, None, "uuid"),
        ("auth.users.id", "uuid-text", str, None, "uuid-text"),
        ("plain.id", None, str, None, "text"),
        ("plain.id", "cuid2", str, None, "cuid2"),
        ("Säles.logs.id", None, int, None, "bigint"),
        ("users.slug", None, str, None, "text"),
        ("users.legacy", None, str, None, "text"),
        ("user.id", None, str, "pg-ref-table", "Did you mean users.id"),
        ("User.id", None, str, "pg-ref-table", "Did you mean users.id"),
        ("zebra.id", None, str, "pg-ref-table", "There are Säles.logs, auth.logs"),
        ("nowhere.users.id", None, str, "pg-ref-table", "users.id"),
        ("only.id", None, UUID, "pg-ref-table", "Write auth.only.id."),
        ("logs.id", None, int, "pg-ref-table", "is in auth and Säles, which"),
        ("users.emial", None, str, "pg-ref-column", "Did you mean users.email"),
        ("users.zzz", None, str, "pg-ref-column", "Its keys are id and name"),
        ("users.named_otherwise", None, str, "pg-ref-column", "no column named_otherwise"),
        ("users", None, str, "pg-ref-name", "names no column"),
        ("users.email", None, str, "pg-ref-key", "what is unique is lower(email)"),
        ("users.active_code", None, str, "pg-ref-key", "among some of the rows"),
        ("pairs.a", None, int, "pg-ref-key", "only a and b together"),
        ("users.id", "cuid", str, "pg-ref-form", "Say cuid2"),
        ("users.id", "zzzzzz", str, "pg-ref-form", "one of cuid2, uuid"),
        ("users.id", "text", str, "pg-ref-form", "the reference says text"),
        ("users.id", "uuid", UUID, "pg-ref-form", "the reference says uuid"),
        ("users.name", None, str, "pg-ref-form", "'cuid3'"),
        ("users.handle", None, str, "pg-ref-form", "but its type is text"),
        ("users.id", None, int, "pg-ref-type", "the field is int, but a key there is str"),
        ("users.id", None, ObjectId, "pg-ref-type", "isthmus refs rewrite"),
        ("users.id", None, list[str], "pg-ref-type", "list[Annotated[…]]"),
        ("users.id", None, str | int, "pg-ref-type", "str | int"),
        ("users.id", None, object, "pg-ref-type", "object"),
        ("auth.users.id", None, str, "pg-ref-type", "uuid-text"),
        ("Säles.logs.id", None, bool, "pg-ref-type", "bool"),
    ],
)
def test_judgement_names_what_is_wrong_and_what_would_be_right(
    name: str, stated: str | None, base: object, code: str | None, said: str
) -> None:
    judged = judge(name, stated, base, tables())
    if code is None:
        assert judged.problems == ()
        assert judged.form is not None
        assert judged.form.name == said
    else:
        assert judged.form is None
        assert [one.code for one in judged.problems] == [code]
        (problem,) = judged.problems
        assert said in f"{problem.message} {problem.hint}"


def test_all_that_is_wrong_with_a_reference_is_told_at_once() -> None:
    judged = judge("users.email", None, int, tables())
    assert [one.code for one in judged.problems] == ["pg-ref-key", "pg-ref-type"]
    judged = judge("pairs.b", "cuid2", str, tables())
    assert [one.code for one in judged.problems] == ["pg-ref-key", "pg-ref-form"]


def test_deprecated_columns_are_noted_and_not_refused() -> None:
    judged = judge("users.legacy", None, str, tables())
    assert judged.form is not None
    assert judged.notes == ("users.legacy leads to what is to go, the column legacy is called deprecated.",)


def test_without_tables_the_reference_or_its_type_has_to_say_the_form() -> None:
    assert (judge("users.id", "cuid2", str, None).form or FORMS["text"]).name == "cuid2"
    assert (judge("users.id", None, UUID, None).form or FORMS["text"]).name == "uuid"
    assert (judge("users.id", None, int, None).form or FORMS["text"]).name == "bigint"
    assert [one.code for one in judge("users.id", None, str, None).problems] == ["pg-ref-form"]
    assert [one.code for one in judge("users.id", "cuid2", UUID, None).problems] == ["pg-ref-type"]
