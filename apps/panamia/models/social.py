"""The social layer: actors, their posts, and what others do with these."""

from __future__ import annotations

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .base import Base, Instant, Json, Keyed, points_at
from .content import Article
from .profiles import Profile
from .shapes import Place


class SocialActor(Keyed, Base):
    """Somebody who posts, here or on another server; `private_key` is a secret."""

    __tablename__ = "social_actors"

    username: Mapped[str] = mapped_column(sa.Text)
    domain: Mapped[str] = mapped_column(sa.Text)
    profile_id: Mapped[str | None] = mapped_column(sa.Text, points_at("profiles", "SET NULL"), unique=True)
    uri: Mapped[str] = mapped_column(sa.Text, unique=True)
    inbox_url: Mapped[str] = mapped_column(sa.Text)
    outbox_url: Mapped[str] = mapped_column(sa.Text)
    followers_url: Mapped[str] = mapped_column(sa.Text)
    following_url: Mapped[str] = mapped_column(sa.Text)
    shared_inbox_url: Mapped[str | None] = mapped_column(sa.Text)
    public_key: Mapped[str] = mapped_column(sa.Text)
    private_key: Mapped[str | None] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    summary: Mapped[str | None] = mapped_column(sa.Text)
    icon_url: Mapped[str | None] = mapped_column(sa.Text)
    header_url: Mapped[str | None] = mapped_column(sa.Text)
    following_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    followers_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    status_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    manually_approves_followers: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    profile: Mapped[Profile | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("username", "domain"), sa.Index(None, "domain"))


class SocialStatus(Keyed, Base):
    """A post. An actor who has one is not deleted before it."""

    __tablename__ = "social_statuses"

    uri: Mapped[str] = mapped_column(sa.Text, unique=True)
    actor_id: Mapped[str] = mapped_column(sa.Text, points_at("social_actors", "RESTRICT"))
    article_id: Mapped[str | None] = mapped_column(sa.Text, points_at("articles", "SET NULL"), index=True)
    type: Mapped[str] = mapped_column(sa.Text, server_default="Note")
    content: Mapped[str | None] = mapped_column(sa.Text)
    content_warning: Mapped[str | None] = mapped_column(sa.Text)
    url: Mapped[str | None] = mapped_column(sa.Text)
    in_reply_to_uri: Mapped[str | None] = mapped_column(sa.Text, index=True)
    in_reply_to_id: Mapped[str | None] = mapped_column(sa.Text, points_at("social_statuses", "SET NULL"), index=True)
    recipient_to: Mapped[list[str]] = mapped_column(Json, server_default=sa.text("'[]'::jsonb"))
    recipient_cc: Mapped[list[str]] = mapped_column(Json, server_default=sa.text("'[]'::jsonb"))
    published: Mapped[datetime.datetime | None] = mapped_column(Instant)
    is_draft: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())
    expires_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    location: Mapped[Place | None] = mapped_column(Json)
    replies_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    likes_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    announces_count: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))

    actor: Mapped[SocialActor] = relationship()
    article: Mapped[Article | None] = relationship()
    parent: Mapped[SocialStatus | None] = relationship(remote_side="SocialStatus.id")

    __table_args__ = (sa.Index("social_statuses_actor_id_published_idx", "actor_id", sa.text("published DESC")),)


class SocialFollow(Keyed, Base):
    """One actor follows another."""

    __tablename__ = "social_follows"

    actor_id: Mapped[str] = mapped_column(sa.Text, points_at("social_actors", "CASCADE"))
    target_actor_id: Mapped[str] = mapped_column(sa.Text, points_at("social_actors", "CASCADE"), index=True)
    uri: Mapped[str | None] = mapped_column(sa.Text, unique=True)
    status: Mapped[enums.SocialFollowStatus] = mapped_column(enums.social_follow_status, server_default="pending")
    accepted_at: Mapped[datetime.datetime | None] = mapped_column(Instant)

    actor: Mapped[SocialActor] = relationship(foreign_keys=[actor_id])
    target_actor: Mapped[SocialActor] = relationship(foreign_keys=[target_actor_id])

    __table_args__ = (sa.UniqueConstraint("actor_id", "target_actor_id"), sa.Index(None, "status"))


class SocialLike(Keyed, Base):
    """An actor likes a post."""

    __tablename__ = "social_likes"

    actor_id: Mapped[str] = mapped_column(sa.Text, points_at("social_actors", "CASCADE"))
    status_id: Mapped[str] = mapped_column(sa.Text, points_at("social_statuses", "CASCADE"), index=True)
    uri: Mapped[str | None] = mapped_column(sa.Text, unique=True)

    actor: Mapped[SocialActor] = relationship()
    status: Mapped[SocialStatus] = relationship()

    __table_args__ = (sa.UniqueConstraint("actor_id", "status_id"),)


class SocialAttachment(Keyed, Base):
    """A picture or sound of a post."""

    __tablename__ = "social_attachments"

    status_id: Mapped[str] = mapped_column(sa.Text, points_at("social_statuses", "CASCADE"), index=True)
    type: Mapped[str] = mapped_column(sa.Text)
    media_type: Mapped[str | None] = mapped_column(sa.Text)
    url: Mapped[str] = mapped_column(sa.Text)
    preview_url: Mapped[str | None] = mapped_column(sa.Text)
    remote_url: Mapped[str | None] = mapped_column(sa.Text)
    name: Mapped[str | None] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    blurhash: Mapped[str | None] = mapped_column(sa.Text)
    width: Mapped[int | None] = mapped_column(sa.Integer)
    height: Mapped[int | None] = mapped_column(sa.Integer)
    peaks: Mapped[list[Any] | None] = mapped_column(Json)

    status: Mapped[SocialStatus] = relationship()


class SocialTag(Keyed, Base):
    """A hashtag or mention in a post."""

    __tablename__ = "social_tags"

    status_id: Mapped[str] = mapped_column(sa.Text, points_at("social_statuses", "CASCADE"), index=True)
    type: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.Text)
    href: Mapped[str | None] = mapped_column(sa.Text)

    status: Mapped[SocialStatus] = relationship()

    __table_args__ = (sa.Index(None, "type", "name"),)
