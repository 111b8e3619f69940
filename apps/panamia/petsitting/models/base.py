"""What all models of the sidecar share.

They import nothing but SQLAlchemy, for `isthmus schema` loads them where no package is above: so names, keys and
instants stand here as the main service has them, and are shared with nobody. Functions and triggers are in the
migrations alone. The database draws keys and keeps `updated_at`.
"""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Instant = sa.DateTime(timezone=True)


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


class Keyed:
    """A row with a key, which the database draws."""

    id: Mapped[str] = mapped_column(
        sa.Text,
        sa.CheckConstraint("id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'", name="id"),
        primary_key=True,
        server_default=sa.text("new_cuid2()"),
        sort_order=-1,
    )


class Dated:
    """A row with the two instants that the database keeps."""

    created_at: Mapped[datetime.datetime] = mapped_column(Instant, server_default=sa.func.now(), sort_order=900)
    updated_at: Mapped[datetime.datetime] = mapped_column(
        Instant, server_default=sa.func.now(), server_onupdate=sa.FetchedValue(), sort_order=901
    )
