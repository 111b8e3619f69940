"""Mentoring, and the intake forms."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import Loose


class MentorSession(Keyed, Base):
    """An hour that two people agreed on. It outlives both: without the id of who is gone, and the address."""

    __tablename__ = "mentor_sessions"

    mentor_email: Mapped[str] = mapped_column(sa.Text)
    mentee_email: Mapped[str] = mapped_column(sa.Text)
    mentor_user_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), index=True)
    mentee_user_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), index=True)
    session_id: Mapped[str] = mapped_column(sa.Text, unique=True)
    """Of the realtime channel."""
    scheduled_at: Mapped[datetime.datetime] = mapped_column(Instant, index=True)
    duration: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("60"))
    """Minutes."""
    topic: Mapped[str] = mapped_column(sa.Text)
    session_type: Mapped[enums.SessionType | None] = mapped_column(enums.session_type)
    """None of sessions from before there were types."""
    status: Mapped[enums.SessionStatus] = mapped_column(enums.session_status, server_default="pending", index=True)
    notes: Mapped[str | None] = mapped_column(sa.Text)
    completed_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    cancelled_by: Mapped[str | None] = mapped_column(sa.Text)
    """An e-mail address."""
    cancel_reason: Mapped[str | None] = mapped_column(sa.Text)
    declined_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    declined_by: Mapped[str | None] = mapped_column(sa.Text)
    """An e-mail address."""
    decline_reason: Mapped[str | None] = mapped_column(sa.Text)

    mentor: Mapped[User | None] = relationship(foreign_keys=[mentor_user_id])
    mentee: Mapped[User | None] = relationship(foreign_keys=[mentee_user_id])

    __table_args__ = (
        sa.Index("mentor_sessions_mentor_email_scheduled_at_idx", "mentor_email", sa.text("scheduled_at DESC")),
        sa.Index("mentor_sessions_mentee_email_scheduled_at_idx", "mentee_email", sa.text("scheduled_at DESC")),
    )


class IntakeForm(Keyed, Base):
    """What somebody wrote into one of the six forms; each of them once."""

    __tablename__ = "intake_forms"

    email: Mapped[str] = mapped_column(sa.Text)
    form_type: Mapped[enums.IntakeFormType] = mapped_column(enums.intake_form_type, index=True)
    name: Mapped[str | None] = mapped_column(sa.Text)
    complete: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false(), index=True)
    form_data: Mapped[Loose] = mapped_column(Json)
    """All other fields."""

    __table_args__ = (sa.UniqueConstraint("email", "form_type"),)
