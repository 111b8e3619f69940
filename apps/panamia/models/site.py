"""What else the site shows: images, events, links, podcasts. The real project lost these."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .profiles import Profile
from .shapes import Loose


class Image(Keyed, Base):
    """An image that somebody uploaded; it outlives him."""

    __tablename__ = "images"

    image: Mapped[str] = mapped_column(sa.Text)
    user_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), index=True)

    user: Mapped[User | None] = relationship()


class Event(Keyed, Base):
    """Something that takes place; it outlives the profile of whoever invited."""

    __tablename__ = "events"

    primary_profile_id: Mapped[str | None] = mapped_column(sa.Text, points_at("profiles", "SET NULL"), index=True)
    name: Mapped[str] = mapped_column(sa.Text)
    event_link: Mapped[str | None] = mapped_column(sa.Text)
    starts_at: Mapped[datetime.datetime | None] = mapped_column(Instant, index=True)
    ends_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    details: Mapped[str | None] = mapped_column(sa.Text)
    address: Mapped[Loose | None] = mapped_column(Json)
    images: Mapped[Any | None] = mapped_column(Json)
    linked_profiles: Mapped[list[str] | None] = mapped_column(Json)
    """Ids of profiles, which no foreign key holds."""

    primary_profile: Mapped[Profile | None] = relationship()


class Link(Keyed, Base):
    """A link of the front page."""

    __tablename__ = "links"

    label: Mapped[str] = mapped_column(sa.Text, unique=True)
    url: Mapped[str] = mapped_column(sa.Text)
    type: Mapped[str | None] = mapped_column(sa.Text)
    color: Mapped[str | None] = mapped_column(sa.Text)


class Podcast(Keyed, Base):
    """An episode."""

    __tablename__ = "podcasts"

    label: Mapped[str] = mapped_column(sa.Text, unique=True)
    url: Mapped[str] = mapped_column(sa.Text)
    category: Mapped[str] = mapped_column(sa.Text)
    sort_order: Mapped[str] = mapped_column(sa.Text)
    """The field `order`, a text."""
