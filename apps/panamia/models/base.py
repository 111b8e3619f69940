"""What all models share: the base class, keys, the two instants of every row and the trigger that keeps one of them."""

from __future__ import annotations

import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.event import listen
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from .ids import new_id

Instant = sa.DateTime(timezone=True)
Json = JSONB(none_as_null=True)
"""jsonb; None is SQL's NULL, never the JSON word."""

_ID_SHAPE = "id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'"

_SET_UPDATED_AT = """
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
        AND current_setting('application_name') <> 'isthmus'
        AND coalesce(current_setting('panamia.keep_updated_at', true), '') <> 'on'
    THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$"""

_NEW_CUID2 = """
CREATE OR REPLACE FUNCTION new_cuid2() RETURNS text LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substr('ghijklmnopqrstuvwxyz', get_byte(drawn, 0) % 20 + 1, 1)
        || string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', get_byte(drawn, place) % 36 + 1, 1), '')
    FROM (SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))) AS random (drawn),
        generate_series(1, 23) AS place
    GROUP BY drawn
$$"""

_TRIGGER = """
CREATE TRIGGER set_updated_at BEFORE UPDATE ON {table} FOR EACH ROW
WHEN ({old} IS DISTINCT FROM {new}) EXECUTE FUNCTION set_updated_at()"""


class Base(DeclarativeBase):
    """What all models share."""

    metadata = sa.MetaData(
        naming_convention={  # as PostgreSQL itself would call them
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012  SQLAlchemy's own form

    created_at: Mapped[datetime.datetime] = mapped_column(Instant, server_default=sa.func.now(), sort_order=900)
    updated_at: Mapped[datetime.datetime] = mapped_column(
        Instant, server_default=sa.func.now(), onupdate=sa.func.now(), sort_order=901
    )


def _key(drawn: sa.TextClause | None = None) -> MappedColumn[str]:
    """The column of a key; `drawn` is how the database makes one."""
    shape = sa.CheckConstraint(_ID_SHAPE, name="id")
    return mapped_column(sa.Text, shape, primary_key=True, default=new_id, server_default=drawn, sort_order=-1)


class Keyed:
    """A row with a key of its own, made by the application."""

    id: Mapped[str] = _key()


class KeyedAnyhow:
    """A row with such a key, which the database draws where a statement knows only what the row joins."""

    id: Mapped[str] = _key(sa.text("new_cuid2()"))


def points_at(table: str, on_delete: Literal["CASCADE", "RESTRICT", "SET NULL"]) -> sa.ForeignKey:
    """Return a foreign key to the id of a table, with what becomes of the row when the other one is deleted."""
    return sa.ForeignKey(f"{table}.id", ondelete=on_delete)


def add_triggers(metadata: sa.MetaData) -> None:
    """Let `create_all` make the trigger of each table that keeps `updated_at`, and the functions of the database.

    A statement that says nothing of `updated_at` moves it to the time of its transaction; one that sets it is obeyed.
    In a session of Isthmus, and where somebody says `SET panamia.keep_updated_at = 'on'`, it stays as it is: there rows
    are copied whose times are not ours, and a reference that is set later is no change of the row.
    """
    listen(metadata, "before_create", sa.DDL(_SET_UPDATED_AT.replace("%", "%%")))
    for table in metadata.tables.values():
        if table.c[0].server_default is not None:  # a key that the database draws
            listen(table, "before_create", sa.DDL(_NEW_CUID2.replace("%", "%%")))
        listen(table, "after_create", sa.DDL(_trigger(table)))


def _trigger(table: sa.Table) -> str:
    """Return the trigger of a table. A row with generated columns cannot be compared as a whole."""
    stored = [column.name for column in table.columns if column.computed is None]
    names = stored if len(stored) < len(table.columns) else ["*"]
    old, new = (", ".join(f"{side}.{name}" for name in names) for side in ("OLD", "NEW"))
    if names != ["*"]:
        old, new = f"({old})", f"({new})"
    return _TRIGGER.format(table=table.name, old=old, new=new)
