"""The forms of references, held against what PostgreSQL takes into the columns that they lead to.

Oracle: the server, which has the tables of the same metadata. No form may refuse what a column holds; those that say
all of a column let nothing pass that it refuses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql

from apps.panamia.models import metadata as panamia
from apps.panamia.models.ids import new_id
from isthmus.polyglot.references.columns import form_of
from isthmus.polyglot.references.forms import Form
from tests.oracle.copying import url

ALPHABETS = ("abcdef0123456789", "abcdefghijklmnopqrstuvwxyz0123456789", "aZ0_-é \n", "ABCDEF0123456789")
LENGTHS = (0, 1, 2, 3, 4, 5, 23, 24, 25, 36)


def column(name: str, kind: object, *more: object) -> sa.Column[object]:
    return sa.Column(name, kind, *more, nullable=True)  # type: ignore[arg-type]


ODD = sa.MetaData()
sa.Table(
    'Odd "one".x',
    ODD,
    column("drawn", sa.Text, sa.CheckConstraint("drawn ~ '^[a-z][a-z0-9]{23}$' AND drawn !~ '^[a-f0-9]+$'")),
    column("Größe", sa.String(4), sa.CheckConstraint("\"Größe\" ~ '^[a-z]+[0-9]?$'")),
    column("sized", sa.Text, sa.CheckConstraint("length(sized) > 2 AND char_length(sized) <= 24")),
    column("either", sa.Text, sa.CheckConstraint("either ~ '^a' OR length(either) = 3")),
    column("folded", sa.Text, sa.CheckConstraint("folded ~* '^[A-F]'")),
    column("domain", postgresql.DOMAIN("code", sa.Text, check="VALUE ~ '^[a-z0-9]{3,5}$'")),
    column("small", sa.SmallInteger),
    column("plain", sa.Integer),
    column("big", sa.BigInteger),
    column("made", sa.Uuid),
)
(TABLE,) = ODD.tables.values()
EXACT = {"drawn", "sized", "domain", "Größe", "small", "plain", "big", "made"}
"""Columns of which metadata says all, in words that are understood."""


def texts() -> Iterator[str]:
    drawn = random.Random(8)
    for alphabet in ALPHABETS:
        for length in LENGTHS:
            yield "".join(drawn.choice(alphabet) for _ in range(length))
    yield from (
        new_id(),
        "abc\n",
        "a\n",
        f"{new_id()}\n",
        "abc5",
        "5f0c1a2b3c4d5e6f7a8b9c0a",
        "cjld2cjxh0000qzrmn831i7rn",
    )


def values_for(form: Form) -> Sequence[object]:
    if form.type is str:
        return list(dict.fromkeys(texts()))
    if form.type is int:
        return [sign * (2**bits) + off for bits in (0, 15, 31, 63) for sign in (1, -1) for off in (-1, 0, 1)]
    return [uuid4(), uuid4()]


@pytest.fixture(scope="module")
def odd(postgres: str) -> Iterator[psycopg.Connection]:
    from tests.fix_postgres import create_database, drop_database

    made = create_database(postgres)
    engine = sa.create_engine(url(made).replace("postgresql://", "postgresql+psycopg://"))
    ODD.create_all(engine)
    engine.dispose()
    with psycopg.connect(made, autocommit=True) as connection:
        yield connection
    drop_database(postgres, made)


@pytest.mark.parametrize("name", [one.name for one in TABLE.columns])
def test_no_form_refuses_what_its_column_takes(name: str, odd: psycopg.Connection) -> None:
    form = form_of(TABLE.c[name])
    assert isinstance(form, Form)
    insert = sql.SQL("INSERT INTO {} ({}) VALUES (%s)").format(sql.Identifier(TABLE.name), sql.Identifier(name))
    taken, refused = 0, 0
    for value in values_for(form):
        try:
            odd.execute(insert, [value])
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
            refused += 1
            if name in EXACT:
                assert form.fault(value) is not None, f"{value!r} passes, and the column refuses it"
        else:
            taken += 1
            assert form.fault(value) is None, f"{value!r}: {form.fault(value)}"
    assert taken
    assert refused or name == "made"


def test_keys_of_panamia_are_refused_where_the_database_refuses_them(database: str) -> None:
    form = form_of(panamia.tables["users"].c.id)
    assert isinstance(form, Form)
    with psycopg.connect(database, autocommit=True) as connection:
        (check,) = panamia.tables["users"].c.id.constraints
        assert isinstance(check, sa.CheckConstraint)
        connection.execute(f"CREATE TABLE users (id text CHECK ({check.sqltext}))".encode())
        for value in [*values_for(form), *(new_id() for _ in range(50))]:
            assert isinstance(value, str)
            try:
                connection.execute("INSERT INTO users VALUES (%s)", [value])
            except psycopg.errors.CheckViolation:
                assert form.fault(value) is not None, value
            else:
                assert form.fault(value) is None, value
