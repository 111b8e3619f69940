"""What the operators need: messages, newsletters, the mail service, addresses on the move."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import Loose


class ContactSubmission(Keyed, Base):
    """A message to the operators."""

    __tablename__ = "contact_submissions"

    name: Mapped[str] = mapped_column(sa.Text)
    email: Mapped[str] = mapped_column(sa.Text, index=True)
    message: Mapped[str | None] = mapped_column(sa.Text)
    acknowledged: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    __table_args__ = (sa.Index(None, "created_at"),)


class NewsletterSignup(Keyed, Base):
    """Somebody who wants the newsletter, by the form in use."""

    __tablename__ = "newsletter_signups"

    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    name: Mapped[str | None] = mapped_column(sa.Text)
    signup_type: Mapped[str | None] = mapped_column(sa.Text)
    acknowledged: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    __table_args__ = (sa.Index(None, "created_at"),)


class Newsletter(Keyed, Base):
    """Somebody who wanted the newsletter, by the form before."""

    __tablename__ = "newsletters"

    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    name: Mapped[str | None] = mapped_column(sa.Text)
    membership_type: Mapped[str | None] = mapped_column(sa.Text)
    ig_username: Mapped[str | None] = mapped_column(sa.Text)
    other_url: Mapped[str | None] = mapped_column(sa.Text)


class BrevoContact(Keyed, Base):
    """Who somebody is at the mail service."""

    __tablename__ = "brevo_contacts"

    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    brevo_id: Mapped[int] = mapped_column(sa.Integer)
    list_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer), server_default=sa.text("'{}'::integer[]"))
    synced_at: Mapped[datetime.datetime | None] = mapped_column(Instant)


class EmailMigration(Keyed, Base):
    """A change of address that waits for its confirmation; the token is a secret."""

    __tablename__ = "email_migrations"

    user_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    old_email: Mapped[str] = mapped_column(sa.Text)
    new_email: Mapped[str] = mapped_column(sa.Text, index=True)
    migration_token: Mapped[str] = mapped_column(sa.Text, unique=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(Instant, index=True)

    user: Mapped[User] = relationship()


class OAuthVerification(Keyed, Base):
    """A first sign-in that waits for the confirmation of its address; the token is a secret."""

    __tablename__ = "oauth_verifications"

    email: Mapped[str] = mapped_column(sa.Text, index=True)
    provider: Mapped[str] = mapped_column(sa.Text)
    provider_account_id: Mapped[str] = mapped_column(sa.Text)
    verification_token: Mapped[str] = mapped_column(sa.Text, unique=True)
    expires_at: Mapped[datetime.datetime] = mapped_column(Instant, index=True)
    oauth_profile: Mapped[Loose] = mapped_column(Json)

    __table_args__ = (sa.Index(None, "provider", "provider_account_id"),)
