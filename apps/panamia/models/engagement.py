"""What people are told and what they do: notifications and their mail, interactions, names they had."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.event import listen
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import Loose

_FORGET_ACTOR = """
CREATE OR REPLACE FUNCTION forget_actor() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.actor_screenname := NULL;
    NEW.actor_name := NULL;
    RETURN NEW;
END
$$"""
_WITHOUT_ACTOR = """
CREATE TRIGGER forget_actor BEFORE UPDATE ON notifications FOR EACH ROW
WHEN (OLD.actor IS NOT NULL AND NEW.actor IS NULL) EXECUTE FUNCTION forget_actor()"""


class Notification(Keyed, Base):
    """What one person did, or the clock, that another one is told.

    Names and titles are as they were then; the names go with the actor.
    """

    __tablename__ = "notifications"

    type: Mapped[enums.NotificationActivityType] = mapped_column(enums.notification_activity_type)
    actor: Mapped[str | None] = mapped_column(
        sa.Text,
        points_at("users", "SET NULL"),
        index=True,
        comment="Null: gone since, or nobody did it, but the clock.",
    )
    target: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"))
    article_id: Mapped[str | None] = mapped_column(sa.Text, points_at("articles", "SET NULL"))
    session_id: Mapped[str | None] = mapped_column(sa.Text, points_at("mentor_sessions", "SET NULL"))
    profile_id: Mapped[str | None] = mapped_column(sa.Text, points_at("profiles", "SET NULL"))
    object: Mapped[str | None] = mapped_column(
        sa.Text, sa.Computed("COALESCE(article_id, session_id, profile_id)", persisted=True)
    )
    """Whichever of the three there is; it is not written."""
    context: Mapped[enums.NotificationContext] = mapped_column(enums.notification_context)
    actor_screenname: Mapped[str | None] = mapped_column(sa.Text)
    actor_name: Mapped[str | None] = mapped_column(sa.Text)
    object_type: Mapped[enums.NotificationObjectType | None] = mapped_column(enums.notification_object_type)
    object_title: Mapped[str | None] = mapped_column(sa.Text)
    object_url: Mapped[str | None] = mapped_column(sa.Text)
    message: Mapped[str | None] = mapped_column(sa.Text)
    read: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    read_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    email_sent: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    email_sent_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    email_preference_key: Mapped[str | None] = mapped_column(sa.Text)
    expires_at: Mapped[datetime.datetime | None] = mapped_column(Instant, index=True)

    actor_user: Mapped[User | None] = relationship(foreign_keys=[actor])
    target_user: Mapped[User] = relationship(foreign_keys=[target])

    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(article_id, session_id, profile_id) <= 1", name="object"),
        *(
            sa.Index(f"notifications_{name}_idx", name, postgresql_where=sa.text(f"{name} IS NOT NULL"))
            for name in ("article_id", "session_id", "profile_id")
        ),
        sa.Index("notifications_target_read_created_at_idx", "target", "read", sa.text("created_at DESC")),
        sa.Index("notifications_target_context_created_at_idx", "target", "context", sa.text("created_at DESC")),
    )


listen(Notification.__table__, "before_create", sa.DDL(_FORGET_ACTOR))
listen(Notification.__table__, "after_create", sa.DDL(_WITHOUT_ACTOR))


class NotificationMail(Base):
    """Mail that is owed for a notification. Only the service makes these: what was carried from MongoDB has none.

    It is gone when the mail was sent or is no longer wanted, and stays where it was given up.
    """

    __tablename__ = "notification_mails"

    notification_id: Mapped[str] = mapped_column(sa.Text, points_at("notifications", "CASCADE"), primary_key=True)
    due_at: Mapped[datetime.datetime] = mapped_column(Instant, server_default=sa.func.now())
    tries: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    """How often sending it was begun."""
    failure: Mapped[str | None] = mapped_column(sa.Text)
    """Why the latest try failed: a kind of error, never what a server said."""
    given_up_at: Mapped[datetime.datetime | None] = mapped_column(Instant)

    notification: Mapped[Notification] = relationship()

    __table_args__ = (
        sa.Index("notification_mails_due_at_idx", "due_at", postgresql_where=sa.text("given_up_at IS NULL")),
    )


class Interaction(Keyed, Base):
    """Something that somebody did, and the points for it."""

    __tablename__ = "interactions"

    email: Mapped[str] = mapped_column(sa.Text, index=True)
    action: Mapped[str | None] = mapped_column(sa.Text, index=True)
    affiliate: Mapped[str | None] = mapped_column(sa.Text)
    points: Mapped[int | None] = mapped_column(sa.Integer)
    details: Mapped[Loose | None] = mapped_column("metadata", Json)

    __table_args__ = (sa.Index(None, "created_at"),)


class ScreennameHistory(Keyed, Base):
    """A name that a user had; nobody else may take it."""

    __tablename__ = "screenname_history"

    screenname: Mapped[str] = mapped_column(sa.Text)
    user_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    redirect_to: Mapped[str | None] = mapped_column(sa.Text)

    user: Mapped[User] = relationship()

    __table_args__ = (sa.Index("screenname_history_screenname_key", sa.text("lower(screenname)"), unique=True),)
