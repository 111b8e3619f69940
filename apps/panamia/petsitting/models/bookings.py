"""Who has which days of a listing, the steps that led there, what was said behind it, and whom it was told.

Columns that the database fills in (`FetchedValue`) are left out of an INSERT: number, sitter, price, currency, hold and
everything about the status come from the listing, its kind and the clock.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DATERANGE, ENUM, INT8RANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Dated, Instant, Keyed
from .listings import Money

BookingStatus = Literal["pending", "confirmed", "cancelled", "declined", "completed", "blocked"]
BookingSide = Literal["owner", "sitter", "clock"]

LIVE: tuple[BookingStatus, ...] = ("pending", "confirmed", "blocked")
"""Statuses in which nobody else gets the days; of pending ones only until their hold runs out."""

booking_status = ENUM(*get_args(BookingStatus), name="booking_status")
booking_side = ENUM(*get_args(BookingSide), name="booking_side")


class Booking(Keyed, Dated, Base):
    """Somebody has days of a listing, or had them, or the sitter keeps them free (`blocked`).

    One table, so that one constraint sees all who want a day. Those whose person is gone stay, without a name.
    """

    __tablename__ = "bookings"

    listing_id: Mapped[str] = mapped_column(sa.Text)
    listing_number: Mapped[int] = mapped_column(sa.BigInteger, sa.FetchedValue())
    sitter_id: Mapped[str | None] = mapped_column(sa.Text, sa.FetchedValue())
    owner_id: Mapped[str | None] = mapped_column(sa.Text, sa.ForeignKey("users.id", ondelete="SET NULL"))
    days: Mapped[Range[datetime.date]] = mapped_column(DATERANGE)
    """From the first day on, up to the one on which it is over: that one is free."""
    status: Mapped[BookingStatus] = mapped_column(booking_status, server_default="pending")
    hold_until: Mapped[datetime.datetime | None] = mapped_column(
        Instant, sa.FetchedValue(), server_onupdate=sa.FetchedValue()
    )
    price_per_day: Mapped[Decimal | None] = mapped_column(Money, sa.FetchedValue())
    currency: Mapped[str | None] = mapped_column(
        sa.Text, sa.ForeignKey("currencies.code", ondelete="RESTRICT"), sa.FetchedValue(), index=True
    )
    total: Mapped[Decimal | None] = mapped_column(
        sa.Numeric(16, 3),
        sa.Computed(
            "CASE WHEN isfinite(lower(days)) AND isfinite(upper(days))"
            " THEN price_per_day * (upper(days) - lower(days)) END",
            persisted=True,
        ),
    )
    note: Mapped[str | None] = mapped_column(sa.Text)
    """What the owner wrote with the request, or the sitter about days that are kept free."""
    status_at: Mapped[datetime.datetime] = mapped_column(Instant, sa.FetchedValue(), server_onupdate=sa.FetchedValue())
    status_as: Mapped[BookingSide] = mapped_column(
        booking_side,
        sa.FetchedValue(),
        server_onupdate=sa.FetchedValue(),
        comment="Who brought the status about: one of the two, or the clock, where a hold ran out or the days are"
        " over.",
    )
    status_by: Mapped[str | None] = mapped_column(
        sa.Text, sa.ForeignKey("users.id", ondelete="SET NULL"), sa.FetchedValue()
    )
    """Whoever takes a step says so here, in the same UPDATE as the status; None for the clock."""
    status_why: Mapped[str | None] = mapped_column(sa.Text)
    """Of what was cancelled or declined by somebody."""

    __table_args__ = (
        sa.UniqueConstraint("id", "owner_id"),
        sa.UniqueConstraint("id", "listing_id", "status"),
        sa.ForeignKeyConstraint(
            ["listing_id", "listing_number"], ["listings.id", "listings.number"], ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["listing_id", "sitter_id"],
            ["listings.id", "listings.sitter_id"],
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.CheckConstraint(
            "NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)"
            " AND lower(days) >= '2000-01-01'::date AND upper(days) <= '2200-01-01'::date"
            " AND upper(days) - 3660 <= lower(days)",
            name="days",
        ),
        sa.CheckConstraint("owner_id <> sitter_id", name="parties"),
        sa.CheckConstraint(
            "status NOT IN ('pending', 'confirmed') OR (owner_id IS NOT NULL AND sitter_id IS NOT NULL)",
            name="live_parties",
            comment="Whoever has a booking that is pending or confirmed, as owner or as sitter, is not deleted."
            " Cancel or decline it first, or wait until the stay is over; then delete.",
        ),
        sa.CheckConstraint("(status = 'pending') = (hold_until IS NOT NULL)", name="hold_until"),
        sa.CheckConstraint(
            "CASE WHEN status = 'blocked' THEN num_nonnulls(price_per_day, currency, owner_id) = 0"
            " ELSE num_nonnulls(price_per_day, currency) = 2 AND price_per_day > 0 AND price_per_day < 1000000000 END",
            name="price",
        ),
        sa.CheckConstraint(r"note ~ '\S' AND char_length(note) <= 2000", name="note"),
        sa.CheckConstraint(
            "CASE status WHEN 'pending' THEN status_as = 'owner' WHEN 'cancelled' THEN true"
            " WHEN 'completed' THEN status_as = 'clock' ELSE status_as = 'sitter' END",
            name="status_as",
        ),
        sa.CheckConstraint("status_as <> 'clock' OR status_by IS NULL", name="status_by"),
        sa.CheckConstraint(
            "(status_why IS NOT NULL) = (status IN ('cancelled', 'declined') AND status_as <> 'clock')"
            r" AND status_why ~ '\S' AND char_length(status_why) <= 1000",
            name="status_why",
        ),
        ExcludeConstraint(
            (sa.literal_column("int8range(listing_number, listing_number, '[]')", INT8RANGE), "&&"),
            ("days", "&&"),
            where=sa.text("status IN ('pending', 'confirmed', 'blocked')"),
            using="gist",
            name="bookings_days_excl",
        ),
        sa.Index(
            "bookings_listing_number_days_idx",
            "listing_number",
            "days",
            postgresql_include=["hold_until"],
            postgresql_where=sa.text("status IN ('pending', 'confirmed', 'blocked')"),
        ),
        sa.Index("bookings_listing_id_upper_idx", "listing_id", sa.text("upper(days)")),
        *(
            sa.Index(f"bookings_{name}_created_at_id_idx", name, sa.text("created_at DESC"), sa.text("id DESC"))
            for name in ("owner_id", "sitter_id")
        ),
        sa.Index("bookings_status_by_idx", "status_by", postgresql_where=sa.text("status_by IS NOT NULL")),
        sa.Index("bookings_hold_until_idx", "hold_until", postgresql_where=sa.text("status = 'pending'")),
        sa.Index("bookings_upper_idx", sa.text("upper(days)"), postgresql_where=sa.text("status = 'confirmed'")),
    )


class BookingStep(Base):
    """A step of a booking: who took it, when and why. A trigger writes these."""

    __tablename__ = "booking_steps"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    booking_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("bookings.id", ondelete="CASCADE"))
    done_at: Mapped[datetime.datetime] = mapped_column(Instant)
    from_status: Mapped[BookingStatus | None] = mapped_column(booking_status)
    to_status: Mapped[BookingStatus] = mapped_column(booking_status)
    done_as: Mapped[BookingSide] = mapped_column(booking_side)
    done_by: Mapped[str | None] = mapped_column(sa.Text, sa.ForeignKey("users.id", ondelete="SET NULL"))
    why: Mapped[str | None] = mapped_column(sa.Text)

    __table_args__ = (
        sa.Index(None, "booking_id", "id"),
        sa.Index("booking_steps_done_by_idx", "done_by", postgresql_where=sa.text("done_by IS NOT NULL")),
    )


class ListingReview(Keyed, Dated, Base):
    """What an owner says of a stay that is completed: one for each, by its foreign keys."""

    __tablename__ = "listing_reviews"

    booking_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    booking_status: Mapped[BookingStatus] = mapped_column(
        booking_status, sa.Computed("'completed'", persisted=True), nullable=False
    )
    listing_id: Mapped[str] = mapped_column(sa.Text)
    author_id: Mapped[str | None] = mapped_column(sa.Text, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    rating: Mapped[int] = mapped_column(sa.SmallInteger)
    """From 1 to 5."""
    text: Mapped[str | None] = mapped_column(sa.Text)

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["booking_id", "listing_id", "booking_status"],
            ["bookings.id", "bookings.listing_id", "bookings.status"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["booking_id", "author_id"],
            ["bookings.id", "bookings.owner_id"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        sa.CheckConstraint(r"text ~ '\S' AND char_length(text) <= 5000", name="text"),
        sa.Index(
            "listing_reviews_listing_id_created_at_id_idx",
            "listing_id",
            sa.text("created_at DESC"),
            sa.text("id DESC"),
        ),
    )


class BookingNotification(Base):
    """Which booking a notification of the one inbox is about."""

    __tablename__ = "booking_notifications"

    notification_id: Mapped[str] = mapped_column(
        sa.Text, sa.ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=True
    )
    booking_id: Mapped[str] = mapped_column(sa.Text, sa.ForeignKey("bookings.id", ondelete="CASCADE"), index=True)
