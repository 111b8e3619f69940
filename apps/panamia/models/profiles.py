"""What people show of themselves."""

from __future__ import annotations

import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import (
    Availability,
    Descriptions,
    Flags,
    GalleryImages,
    Location,
    Loose,
    Mentoring,
    ProfileStatus,
    Roles,
    Socials,
    Verification,
)


class Profile(Keyed, Base):
    """A page of the directory. Without a user nobody has claimed it yet, or whoever had it is gone."""

    __tablename__ = "profiles"

    user_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), unique=True)
    email: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    slug: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    phone_number: Mapped[str | None] = mapped_column(sa.Text)
    pronouns: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    """All that were ticked."""
    pronouns_other: Mapped[str | None] = mapped_column(sa.Text)
    primary_image_id: Mapped[str | None] = mapped_column(sa.Text)
    primary_image_cdn: Mapped[str | None] = mapped_column(sa.Text)
    address_name: Mapped[str | None] = mapped_column(sa.Text)
    address_line1: Mapped[str | None] = mapped_column(sa.Text)
    address_line2: Mapped[str | None] = mapped_column(sa.Text)
    address_line3: Mapped[str | None] = mapped_column(sa.Text)
    address_locality: Mapped[str | None] = mapped_column(sa.Text)
    address_region: Mapped[str | None] = mapped_column(sa.Text)
    address_postal_code: Mapped[str | None] = mapped_column(sa.Text)
    address_country: Mapped[str | None] = mapped_column(sa.Text)
    """ISO 3166-1 alpha-2; None where nobody said it."""
    address_lat: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 7))
    address_lng: Mapped[Decimal | None] = mapped_column(sa.Numeric(10, 7))
    address_google_place_id: Mapped[str | None] = mapped_column(sa.Text)
    address_hours: Mapped[str | None] = mapped_column(sa.Text)
    active: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    locally_based: Mapped[str | None] = mapped_column(sa.Text)
    membership_level: Mapped[enums.MembershipLevel] = mapped_column(enums.membership_level, server_default="free")
    descriptions: Mapped[Descriptions | None] = mapped_column(Json)
    socials: Mapped[Socials | None] = mapped_column(Json)
    gallery_images: Mapped[GalleryImages | None] = mapped_column(Json)
    categories: Mapped[Flags | None] = mapped_column(Json)
    counties: Mapped[Flags | None] = mapped_column(Json)
    locations: Mapped[list[Location] | None] = mapped_column(Json)
    geo: Mapped[Loose | None] = mapped_column(Json)
    mentoring: Mapped[Mentoring | None] = mapped_column(Json)
    availability: Mapped[Availability | None] = mapped_column(Json)
    verification: Mapped[Verification | None] = mapped_column(Json)
    roles: Mapped[Roles | None] = mapped_column(Json)
    gentedepana: Mapped[Loose | None] = mapped_column(Json)
    status: Mapped[ProfileStatus | None] = mapped_column(Json)
    administrative: Mapped[Loose | None] = mapped_column(Json)
    linked_profiles: Mapped[list[str] | None] = mapped_column(Json)
    """Ids of profiles, which no foreign key holds."""
    whatsapp_community: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    affiliate: Mapped[str | None] = mapped_column(sa.Text)
    social_eligible: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.true())
    social_eligible_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    social_ineligible_reason: Mapped[str | None] = mapped_column(sa.Text)
    pusher_channel_id: Mapped[str | None] = mapped_column(sa.Text)

    user: Mapped[User | None] = relationship()

    __table_args__ = (
        sa.Index("profiles_email_key", sa.text("lower(email)"), unique=True),
        sa.Index(None, "active"),
    )
