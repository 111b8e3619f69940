"""Who people are and how they sign in: users, accounts, sessions, verification tokens, and counts of mailed links."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import Affiliate, NotificationPreferences


class User(Keyed, Base):
    """A person.

    The columns behind `affiliate` are of the password era. They are carried so that nothing is lost, and nothing reads
    them: `admin` gives no right, and `hashed_password` opens nothing.
    """

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(sa.Text)
    email_verified: Mapped[datetime.datetime | None] = mapped_column(Instant)
    name: Mapped[str | None] = mapped_column(sa.Text)
    image: Mapped[str | None] = mapped_column(sa.Text)
    screenname: Mapped[str | None] = mapped_column(sa.Text)
    last_screenname_change: Mapped[datetime.datetime | None] = mapped_column(Instant)
    role: Mapped[str] = mapped_column(sa.Text, server_default="user")
    account_type: Mapped[enums.AccountType] = mapped_column(enums.account_type, server_default="personal")
    locked_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    alternate_emails: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    notification_preferences: Mapped[NotificationPreferences | None] = mapped_column(Json)
    zip_code: Mapped[str | None] = mapped_column(sa.Text)
    affiliate: Mapped[Affiliate | None] = mapped_column(Json)

    legacy_id: Mapped[str | None] = mapped_column(sa.Text)
    username: Mapped[str | None] = mapped_column(sa.Text)
    pronouns: Mapped[str | None] = mapped_column(sa.Text)
    instagram_handle: Mapped[str | None] = mapped_column(sa.Text)
    twitter_handle: Mapped[str | None] = mapped_column(sa.Text)
    link1: Mapped[str | None] = mapped_column(sa.Text)
    link2: Mapped[str | None] = mapped_column(sa.Text)
    bio: Mapped[str | None] = mapped_column(sa.Text)
    category: Mapped[list[Any] | None] = mapped_column(Json)
    avatar: Mapped[str | None] = mapped_column(sa.Text)
    banner_image: Mapped[str | None] = mapped_column(sa.Text)
    hashed_password: Mapped[str | None] = mapped_column(sa.Text)
    admin: Mapped[bool | None] = mapped_column(sa.Boolean)
    featured: Mapped[bool | None] = mapped_column(sa.Boolean)
    onboarding_form_complete: Mapped[bool | None] = mapped_column(sa.Boolean)
    location: Mapped[str | None] = mapped_column(sa.Text)
    date_joined: Mapped[datetime.datetime | None] = mapped_column(Instant)

    __table_args__ = (
        sa.Index("users_email_key", sa.text("lower(email)"), unique=True),
        sa.Index("users_screenname_key", sa.text("lower(screenname)"), unique=True),
    )


class Account(Keyed, Base):
    """A sign-in of a user with a provider. Its tokens are secrets."""

    __tablename__ = "accounts"

    user_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    type: Mapped[str] = mapped_column(sa.Text)
    provider: Mapped[str] = mapped_column(sa.Text)
    provider_account_id: Mapped[str] = mapped_column(sa.Text)
    refresh_token: Mapped[str | None] = mapped_column(sa.Text)
    access_token: Mapped[str | None] = mapped_column(sa.Text)
    expires_at: Mapped[int | None] = mapped_column(sa.Integer)
    """Seconds since 1970."""
    token_type: Mapped[str | None] = mapped_column(sa.Text)
    scope: Mapped[str | None] = mapped_column(sa.Text)
    id_token: Mapped[str | None] = mapped_column(sa.Text)
    session_state: Mapped[str | None] = mapped_column(sa.Text)

    user: Mapped[User] = relationship()

    __table_args__ = (sa.UniqueConstraint("provider", "provider_account_id"),)


class Session(Base):
    """A browser that is signed in. Its key is a secret."""

    __tablename__ = "sessions"

    session_token: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    expires: Mapped[datetime.datetime] = mapped_column(Instant)

    user: Mapped[User] = relationship()

    __table_args__ = (sa.Index(None, "expires"),)


class VerificationToken(Base):
    """A link that was mailed to somebody; `token` is the SHA-256 of what the link holds."""

    __tablename__ = "verification_tokens"

    identifier: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    """An e-mail address."""
    token: Mapped[str] = mapped_column(sa.Text, primary_key=True, unique=True)
    expires: Mapped[datetime.datetime] = mapped_column(Instant)

    __table_args__ = (sa.Index(None, "expires"),)


class LinkRequest(Base):
    """How often something was done of late: mail with a link asked for, for one mailbox or from one network host; a
    question asked by somebody, or by somebody of somebody.

    `subject` is a hash of whichever it is, so the table names nobody. Rows that have expired say nothing any more.
    """

    __tablename__ = "link_requests"

    subject: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    requested_at: Mapped[list[datetime.datetime]] = mapped_column(ARRAY(Instant))
    """The instants of what was let pass, the latest last; those that no longer count are dropped."""
    expires: Mapped[datetime.datetime] = mapped_column(Instant, index=True)
