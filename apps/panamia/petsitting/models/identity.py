"""What the sidecar sees of the tables that are the main service's. It reads them, and writes nothing of them here.

These are the columns that `role.sql` lets it read, and no others. Notifications are written through the main service's
own models: what they look like is its affair.
"""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Instant


class User(Base):
    """A person."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    screenname: Mapped[str | None] = mapped_column(sa.Text)
    locked_at: Mapped[datetime.datetime | None] = mapped_column(Instant)


class Session(Base):
    """A browser that is signed in. Its key is a secret."""

    __tablename__ = "sessions"

    session_token: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.Text)
    expires: Mapped[datetime.datetime] = mapped_column(Instant)


class Notification(Base):
    """What somebody is told: its key alone, to point at."""

    __tablename__ = "notifications"

    id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
