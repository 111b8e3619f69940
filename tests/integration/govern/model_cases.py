"""Pairs of models, before and after a change: every kind of difference that a migration may have to make."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, Table, UniqueConstraint, event, func, text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import DDL

Make = Callable[[MetaData], object]


def users(*more: sa.schema.SchemaItem, name: str = "users", schema: str | None = None) -> Make:
    """A table with a key and an e-mail, and whatever else."""
    return lambda meta: Table(
        name, meta, Column("id", sa.BigInteger, primary_key=True), Column("email", sa.Text), *more, schema=schema
    )


def both(*makes: Make) -> Make:
    return lambda meta: [make(meta) for make in makes]


def nothing(meta: MetaData) -> None:
    Table("other", meta, Column("id", sa.Integer, primary_key=True))


def with_ddl(*statements: str) -> Make:
    def make(meta: MetaData) -> None:
        table = users()(meta)
        for one in statements:
            event.listen(table, "after_create", DDL(one))

    return make


def enum(*values: str, name: str = "Mood %s", default: str | None = None) -> Make:
    kind = pg.ENUM(*values, name=name)
    return users(Column("mood", kind, server_default=default))


def typed(kind: object, **more: object) -> Make:
    def make(meta: MetaData) -> None:  # a column belongs to one table
        users(Column("c", kind, **more))(meta)  # pyright: ignore[reportArgumentType, reportCallIssue]

    return make


FUNCTION = (
    "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
    " $$\nBEGIN\n  -- {word}\n  RETURN NEW;\nEND\n$$"
)
TRIGGER = "CREATE TRIGGER touched BEFORE {when} ON users FOR EACH ROW EXECUTE FUNCTION touch()"
ODD = 'Odd "ü" %s :x Table'


def parent_and(*columns: sa.schema.SchemaItem) -> Make:
    def make(meta: MetaData) -> None:
        users()(meta)
        Table("posts", meta, Column("id", sa.Integer, primary_key=True), Column("user_id", sa.BigInteger), *columns)

    return make


def link(**how: object) -> sa.schema.SchemaItem:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="posts_user", **how)  # pyright: ignore[reportArgumentType]


def circle(meta: MetaData) -> None:
    Table(
        "a",
        meta,
        Column("id", sa.Integer, primary_key=True),
        Column("b", ForeignKey("b.id", name="a_b", use_alter=True)),
    )
    Table("b", meta, Column("id", sa.Integer, primary_key=True), Column("a", ForeignKey("a.id", name="b_a")))


def named(meta: MetaData) -> None:
    meta.naming_convention = {
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
    users(UniqueConstraint("email"), CheckConstraint("id > 0", name="positive"))(meta)
    Table(
        "posts", meta, Column("id", sa.Integer, primary_key=True), Column("user_id", ForeignKey("users.id"), index=True)
    )


CASES: dict[str, tuple[Make, Make, str]] = {
    # the models before, after, and how the proposal's migrations say that they are reversible
    "new table": (nothing, both(nothing, users(UniqueConstraint("email"), Index("i", "email"))), "Yes"),
    "table gone": (both(nothing, users()), nothing, "Partial"),
    "tables that point at each other": (nothing, both(nothing, circle), "Yes"),
    "tables that point at each other gone": (both(nothing, circle), nothing, "Partial"),
    "column that may be null": (users(), typed(sa.Text), "Yes"),
    "column with a default": (users(), typed(sa.Text, server_default="x", nullable=False), "Yes"),
    "column with a default of each row": (
        users(),
        typed(sa.Uuid, server_default=func.gen_random_uuid(), nullable=False),
        "Yes Yes",
    ),
    "column with the time as default": (
        users(),
        typed(sa.DateTime(timezone=True), server_default=func.now(), nullable=False),
        "Yes",
    ),
    "column that must not be null": (users(), typed(sa.Text, nullable=False), "Yes Yes"),
    "column gone": (typed(sa.Text), users(), "Partial"),
    "column gone that must not be null": (typed(sa.Text, nullable=False), users(), "Partial"),
    "wider text": (typed(sa.String(10)), typed(sa.String(20)), "Yes"),
    "narrower text": (typed(sa.String(20)), typed(sa.String(10)), "Partial"),
    "integer to bigint": (typed(sa.Integer), typed(sa.BigInteger), "Yes"),
    "text to integer": (typed(sa.Text), typed(sa.Integer), "Partial"),
    "text with a default to integer": (
        typed(sa.Text, server_default="5"),
        typed(sa.Integer, server_default="7"),
        "Partial",
    ),
    "text to enum": (
        typed(sa.Text, server_default="a"),
        typed(pg.ENUM("a", "b", name="k"), server_default="a"),
        "Partial",
    ),
    "numeric": (typed(sa.Numeric(10, 2)), typed(sa.Numeric(12, 4)), "Partial"),
    "array": (typed(pg.ARRAY(sa.Text)), typed(pg.ARRAY(sa.String(5))), "Partial"),
    "json to jsonb": (typed(pg.JSON), typed(pg.JSONB, server_default=text("'{}'::jsonb")), "Partial"),
    "collation": (typed(sa.Text), typed(sa.Text(collation="C")), "Yes"),
    "default set": (typed(sa.Text), typed(sa.Text, server_default=text(r"'it''s %s \:x'\:\:text")), "Yes"),
    "default changed": (typed(sa.Integer, server_default="1"), typed(sa.Integer, server_default="2"), "Yes"),
    "default gone": (typed(sa.Integer, server_default="1"), typed(sa.Integer), "Yes"),
    "null forbidden": (typed(sa.Text), typed(sa.Text, nullable=False), "Yes Yes"),
    "null allowed": (typed(sa.Text, nullable=False), typed(sa.Text), "Yes"),
    "check": (users(), users(CheckConstraint("id > 0", name="p")), "Yes Yes"),
    "check changed": (
        users(CheckConstraint("id > 0", name="p")),
        users(CheckConstraint("id > 1 AND email LIKE '%@%'", name="p")),
        "Yes Yes",
    ),
    "check gone": (users(CheckConstraint("id > 0", name="p")), users(), "Yes"),
    "check of a word list": (
        typed(sa.Enum("a", "b", native_enum=False, create_constraint=True, name="ck_c", length=9)),
        typed(sa.Enum("a", "b", "c", native_enum=False, create_constraint=True, name="ck_c", length=9)),
        "Yes Yes",
    ),
    "unique": (users(), users(UniqueConstraint("email", name="u")), "Yes"),
    "unique gone": (users(UniqueConstraint("email", name="u")), users(), "Yes"),
    "unique with nulls that are equal": (
        users(UniqueConstraint("email", name="u")),
        users(UniqueConstraint("email", name="u", postgresql_nulls_not_distinct=True)),
        "Yes",
    ),
    "unique that is deferred": (
        users(UniqueConstraint("email", name="u")),
        users(UniqueConstraint("email", name="u", deferrable=True, initially="DEFERRED")),
        "Yes",
    ),
    "unique under another name": (
        users(UniqueConstraint("email", name="u")),
        users(UniqueConstraint("email", name="U 2")),
        "Yes",
    ),
    "primary key of more": (
        lambda meta: Table("t", meta, Column("a", sa.Uuid, primary_key=True), Column("b", sa.Integer, nullable=False)),
        lambda meta: Table(
            "t", meta, Column("a", sa.Uuid, primary_key=True), Column("b", sa.Integer, primary_key=True)
        ),
        "Yes",
    ),
    "exclude of a range": (
        typed(pg.INT4RANGE),
        users(Column("c", pg.INT4RANGE), pg.ExcludeConstraint(("c", "&&"), name="e", using="gist")),
        "Yes",
    ),
    "foreign key": (parent_and(), parent_and(link()), "Yes Yes"),
    "foreign key's action": (parent_and(link()), parent_and(link(ondelete="CASCADE", onupdate="SET NULL")), "Yes Yes"),
    "foreign key that is deferred": (
        parent_and(link()),
        parent_and(link(deferrable=True, initially="DEFERRED")),
        "Yes Yes",
    ),
    "foreign key gone": (parent_and(link()), parent_and(), "Yes"),
    "foreign key to a new key": (
        parent_and(Column("mail", sa.Text)),
        lambda meta: (
            users(UniqueConstraint("email", name="u"))(meta),
            Table(
                "posts",
                meta,
                Column("id", sa.Integer, primary_key=True),
                Column("user_id", sa.BigInteger),
                Column("mail", ForeignKey("users.email", name="f")),
            ),
        ),
        "Yes",
    ),
    "index": (users(), users(Index("i", "email")), "Yes"),
    "index gone": (users(Index("i", "email")), users(), "Yes"),
    "index under another name": (users(Index("i", "email")), users(Index("Ix ON t", "email")), "Yes"),
    "unique index": (users(Index("i", "email")), users(Index("i", "email", unique=True)), "Yes"),
    "index with a condition": (
        users(Index("i", "email")),
        users(Index("i", "email", postgresql_where=text("email <> ''"))),
        "Yes",
    ),
    "index with more columns": (
        users(Index("i", "email")),
        users(Index("i", "email", postgresql_include=["id"], postgresql_with={"fillfactor": 70})),
        "Yes",
    ),
    "index of another kind": (users(Index("i", "email")), users(Index("i", "email", postgresql_using="hash")), "Yes"),
    "index with another class": (
        users(Index("i", "email")),
        users(Index("i", "email", postgresql_ops={"email": "text_pattern_ops"})),
        "Yes",
    ),
    "index of an expression": (users(), users(Index("i", text("lower(email) DESC NULLS LAST"))), "Yes"),
    "computed column": (users(), users(Column("c", sa.Text, sa.Computed("upper(email)"))), "Yes"),
    "computed column changed": (
        users(Column("c", sa.Text, sa.Computed("upper(email)"))),
        users(Column("c", sa.Text, sa.Computed("lower(email)"))),
        "Yes",
    ),
    "computed no more": (users(Column("c", sa.Text, sa.Computed("upper(email)"))), typed(sa.Text), "Yes"),
    "computed and stored no more": (
        users(Column("c", sa.Text, sa.Computed("upper(email)", persisted=True))),
        typed(sa.Text),
        "Yes",
    ),
    "identity": (
        lambda meta: Table("t", meta, Column("id", sa.Integer, primary_key=True, autoincrement=False)),
        lambda meta: Table("t", meta, Column("id", sa.Integer, sa.Identity(start=100, increment=5), primary_key=True)),
        "Yes",
    ),
    "identity otherwise": (
        lambda meta: Table("t", meta, Column("id", sa.Integer, sa.Identity(), primary_key=True)),
        lambda meta: Table(
            "t", meta, Column("id", sa.Integer, sa.Identity(always=True, start=7, cycle=True), primary_key=True)
        ),
        "Yes",
    ),
    "serial to identity": (
        lambda meta: Table("t", meta, Column("id", sa.Integer, primary_key=True)),
        lambda meta: Table("t", meta, Column("id", sa.Integer, sa.Identity(), primary_key=True)),
        "Yes",
    ),
    "serial to none": (
        lambda meta: Table("t", meta, Column("id", sa.Integer, primary_key=True)),
        lambda meta: Table("t", meta, Column("id", sa.Integer, primary_key=True, autoincrement=False)),
        "Yes",
    ),
    "sequence": (
        users(),
        lambda meta: (users()(meta), sa.Sequence("Numbers", start=-10, increment=-2, metadata=meta)),
        "Yes",
    ),
    "enum": (users(), enum("a", "it's", default="a"), "Yes"),
    "enum with more values": (enum("b", "d"), enum("a", "b", "c", "d", "e", "f"), "No"),
    "enum's new value as default": (enum("a"), enum("a", "b", default="b"), "No Yes"),
    "enum with fewer values": (enum("a", "b", "c"), enum("a", "c"), "left"),
    "enum in another order": (enum("a", "b"), enum("b", "a"), "left"),
    "enum under another name": (enum("a", name="m"), enum("a", name="M 2"), "Yes"),
    "enum gone": (enum("a"), users(), "Partial"),
    "domain": (users(), typed(pg.DOMAIN("positive", sa.Integer, check="VALUE > 0")), "Yes"),
    "trigger": (users(), with_ddl(FUNCTION.format(word="one"), TRIGGER.format(when="UPDATE")), "Yes"),
    "trigger gone": (
        with_ddl(FUNCTION.format(word="one"), TRIGGER.format(when="UPDATE")),
        with_ddl(FUNCTION.format(word="one")),
        "Yes",
    ),
    "trigger changed": (
        with_ddl(FUNCTION.format(word="one"), TRIGGER.format(when="UPDATE")),
        with_ddl(FUNCTION.format(word="two"), TRIGGER.format(when="INSERT OR UPDATE")),
        "Yes",
    ),
    "comments": (
        users(),
        lambda meta: Table(
            "users",
            meta,
            Column("id", sa.BigInteger, primary_key=True),
            Column("email", sa.Text, comment="it's 100 % \\ :x"),
            comment="People",
        ),
        "Yes",
    ),
    "another schema": (nothing, both(nothing, users(schema="Audit log"), users(schema="b")), "Yes"),
    "public by its name": (
        users(schema="public"),
        lambda meta: (
            users(schema="public")(meta),
            Table(
                "posts",
                meta,
                Column("id", sa.Integer, primary_key=True),
                Column("user_id", ForeignKey("public.users.id", name="f")),
                Column("words", sa.Text),
                Index("words", sa.literal_column("to_tsvector('simple'::regconfig, coalesce(words, ''))")),
                schema="public",
            ),
        ),
        "Yes",
    ),
    "hostile names": (
        users(name=ODD),
        users(
            Column('C "%s" :c', sa.Integer, server_default="1"),
            Column("select", sa.Text),
            CheckConstraint(sa.column('C "%s" :c') > 0, name='ck "%s" :y'),
            Index('ix ON "%s"', 'C "%s" :c'),
            UniqueConstraint("email", "select", name="Uq %s"),
            name=ODD,
        ),
        "Yes Yes",
    ),
    "naming conventions": (nothing, both(nothing, named), "Yes"),
    "table that is not logged": (
        lambda meta: Table("t", meta, Column("id", sa.Integer, primary_key=True, autoincrement=False)),
        lambda meta: Table(
            "t", meta, Column("id", sa.Integer, primary_key=True, autoincrement=False), prefixes=["UNLOGGED"]
        ),
        "Yes",
    ),
}

_TYPE, _DEFAULT = {"dangerous-ddl/changing-column-type"}, {"dangerous-ddl/adding-field-with-default"}
DANGERS: dict[str, set[str]] = {
    "wider text": _TYPE,
    "narrower text": _TYPE,
    "integer to bigint": _TYPE,
    "text to integer": _TYPE,
    "text with a default to integer": _TYPE,
    "text to enum": _TYPE,
    "numeric": _TYPE,
    "array": _TYPE,
    "json to jsonb": _TYPE,
    "collation": _TYPE,
    "computed column": _DEFAULT,
    "computed column changed": _DEFAULT,
    "exclude of a range": {"dangerous-ddl/constraint-missing-not-valid"},
    "table that is not logged": {"dangerous-ddl/table-rewrite"},
}
"""Cases in which no safe form exists → the rules that tell so."""

SOAK = frozenset(
    {
        "tables that point at each other gone",
        "column that may be null",
        "column with the time as default",
        "column gone",
        "wider text",
        "integer to bigint",
        "text to integer",
        "numeric",
        "array",
        "collation",
        "default changed",
        "default gone",
        "null allowed",
        "check",
        "check gone",
        "unique",
        "unique gone",
        "unique that is deferred",
        "foreign key",
        "foreign key that is deferred",
        "foreign key gone",
        "index",
        "index gone",
        "unique index",
        "index of another kind",
        "index with another class",
        "computed column changed",
        "computed and stored no more",
        "identity otherwise",
        "serial to none",
        "sequence",
        "enum",
        "enum in another order",
        "enum gone",
        "trigger",
        "table gone",
        "table that is not logged",
    }
)
"""Cases that are near others."""
