"""What people offer by the day: kinds of it, money, zones, listings, photos, and links of calendars."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Dated, Keyed

Money = sa.Numeric(12, 3)


class ListingKind(Dated, Base):
    """What can be booked; a further kind is a row."""

    __tablename__ = "listing_kinds"

    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    title: Mapped[str] = mapped_column(sa.Text)
    provider_word: Mapped[str] = mapped_column(sa.Text)
    """What a `sitter_id` is called."""
    customer_word: Mapped[str] = mapped_column(sa.Text)
    """What an `owner_id` is called."""
    hold_minutes: Mapped[int] = mapped_column(sa.Integer)
    """How long a pending booking keeps its days."""
    longest_days: Mapped[int] = mapped_column(sa.Integer)
    """How many are booked at once, at most."""
    furthest_days: Mapped[int] = mapped_column(sa.Integer)
    """How many days ahead a booking begins, at most."""

    __table_args__ = (
        sa.CheckConstraint("key ~ '^[a-z]+(-[a-z]+)*$'", name="key"),
        sa.CheckConstraint("hold_minutes BETWEEN 1 AND 43200", name="hold_minutes"),
        sa.CheckConstraint("longest_days BETWEEN 1 AND 3660", name="longest_days"),
        sa.CheckConstraint("furthest_days BETWEEN 1 AND 3660", name="furthest_days"),
    )


class Currency(Dated, Base):
    """A currency of ISO 4217, and how many digits its amounts have behind the point."""

    __tablename__ = "currencies"

    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    digits: Mapped[int] = mapped_column(sa.SmallInteger)

    __table_args__ = (
        sa.CheckConstraint("code ~ '^[A-Z]{3}$'", name="code"),
        sa.CheckConstraint("digits BETWEEN 0 AND 3", name="digits"),
    )


class TimeZone(Base):
    """A zone that the server knows, by its IANA name."""

    __tablename__ = "time_zones"

    name: Mapped[str] = mapped_column(sa.Text, primary_key=True)


_OFFERED = sa.text("available AND sitter_id IS NOT NULL")
_SEARCH = """
setweight(to_tsvector('pg_catalog.english', title), 'A')
|| setweight(to_tsvector('pg_catalog.spanish', title), 'A')
|| setweight(to_tsvector('pg_catalog.english', description), 'B')
|| setweight(to_tsvector('pg_catalog.spanish', description), 'B')"""


class Listing(Keyed, Dated, Base):
    """Something that can be booked by the day.

    One whose sitter is gone is offered to nobody; it stays for the bookings that there were.
    """

    __tablename__ = "listings"

    number: Mapped[int] = mapped_column(
        sa.BigInteger,
        sa.Identity(always=True),
        unique=True,
        comment="Stands for the listing in ranges: bookings_days_excl.",
    )
    kind: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("listing_kinds.key", ondelete="RESTRICT"))
    sitter_id: Mapped[str | None] = mapped_column(sa.Text, sa.ForeignKey("users.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str] = mapped_column(sa.Text, server_default="")
    price_per_day: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("currencies.code", ondelete="RESTRICT"), index=True)
    time_zone: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("time_zones.name", ondelete="RESTRICT"), index=True)
    """Says which day it is there."""
    lat: Mapped[float | None] = mapped_column(sa.Double)
    lng: Mapped[float | None] = mapped_column(sa.Double)
    place_name: Mapped[str | None] = mapped_column(sa.Text)
    available: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    search: Mapped[str | None] = mapped_column(TSVECTOR, sa.Computed(_SEARCH, persisted=True), deferred=True)

    __table_args__ = (
        sa.UniqueConstraint("id", "number"),
        sa.UniqueConstraint("id", "sitter_id"),
        sa.CheckConstraint(r"title ~ '\S' AND char_length(title) <= 120", name="title"),
        sa.CheckConstraint("char_length(description) <= 10000", name="description"),
        sa.CheckConstraint("price_per_day > 0 AND price_per_day < 1000000000", name="price_per_day"),
        sa.CheckConstraint(
            "(lat IS NULL) = (lng IS NULL) AND lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180", name="place"
        ),
        sa.CheckConstraint(r"place_name ~ '\S' AND char_length(place_name) <= 120", name="place_name"),
        sa.Index(
            "listings_created_at_id_idx", sa.text("created_at DESC"), sa.text("id DESC"), postgresql_where=_OFFERED
        ),
        sa.Index(None, "currency", "price_per_day", "id", postgresql_where=_OFFERED),
        sa.Index(None, "lat", postgresql_where=_OFFERED),
        sa.Index(None, "lng", postgresql_where=_OFFERED),
        *(
            sa.Index(f"listings_{name}_created_at_id_idx", name, sa.text("created_at DESC"), sa.text("id DESC"))
            for name in ("kind", "sitter_id")
        ),
        sa.Index(None, "search", postgresql_using="gin"),
    )


class ListingPhoto(Keyed, Dated, Base):
    """A link to a photo of a listing, which is elsewhere."""

    __tablename__ = "listing_photos"

    listing_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("listings.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(sa.Text)
    caption: Mapped[str | None] = mapped_column(sa.Text)
    position: Mapped[int] = mapped_column(sa.SmallInteger)
    """From 0; no two of a listing have the same, once a statement is through."""

    __table_args__ = (
        sa.UniqueConstraint("listing_id", "position", deferrable=True),
        sa.CheckConstraint(r"url ~ '^https://[^\s]+$' AND char_length(url) <= 2000", name="url"),
        sa.CheckConstraint(r"caption ~ '\S' AND char_length(caption) <= 200", name="caption"),
        sa.CheckConstraint("position BETWEEN 0 AND 19", name="position"),
    )


class CalendarFeed(Dated, Base):
    """The link by which a sitter's own calendar reads the bookings of a listing; the latest one alone counts."""

    __tablename__ = "calendar_feeds"

    listing_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("listings.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.Text, unique=True)
    """SHA-256 of what the link holds, in hex."""

    __table_args__ = (sa.CheckConstraint("token_hash ~ '^[0-9a-f]{64}$'", name="token_hash"),)
