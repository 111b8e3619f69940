"""What people write: articles, and what was posted elsewhere of them."""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from . import enums
from .auth import User
from .base import Base, Instant, Json, Keyed, points_at
from .shapes import CoAuthor, Review


class Article(Keyed, Base):
    """An article. It outlives its author: then `author_id` is None."""

    __tablename__ = "articles"

    slug: Mapped[str] = mapped_column(sa.Text, unique=True)
    title: Mapped[str] = mapped_column(sa.Text)
    content: Mapped[str] = mapped_column(sa.Text)
    excerpt: Mapped[str | None] = mapped_column(sa.Text)
    cover_image: Mapped[str | None] = mapped_column(sa.Text)
    article_type: Mapped[enums.ArticleType] = mapped_column(enums.article_type)
    tags: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default=sa.text("'{}'::text[]"))
    author_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"))
    co_authors: Mapped[list[CoAuthor]] = mapped_column(Json, server_default=sa.text("'[]'::jsonb"))
    reviewed_by: Mapped[Review | None] = mapped_column(Json)
    in_reply_to: Mapped[str | None] = mapped_column(sa.Text, points_at("articles", "SET NULL"), index=True)
    status: Mapped[enums.ArticleStatus] = mapped_column(enums.article_status, server_default="draft")
    published_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    removed_at: Mapped[datetime.datetime | None] = mapped_column(Instant)
    removed_by: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), index=True)
    removal_reason: Mapped[str | None] = mapped_column(sa.Text)
    reading_time: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("1"))
    """Minutes."""
    mastodon_post_url: Mapped[str | None] = mapped_column(sa.Text)

    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    remover: Mapped[User | None] = relationship(foreign_keys=[removed_by])
    parent: Mapped[Article | None] = relationship(remote_side="Article.id")

    __table_args__ = (
        sa.Index("articles_status_published_at_idx", "status", sa.text("published_at DESC")),
        sa.Index(None, "author_id", "status"),
        sa.Index("articles_tags_idx", "tags", postgresql_using="gin"),
        sa.Index(
            "articles_co_authors_idx",
            "co_authors",
            postgresql_using="gin",
            postgresql_ops={"co_authors": "jsonb_path_ops"},
        ),
    )


class ArticleAnnouncement(Keyed, Base):
    """What was posted to say that there is an article. An article with one is not deleted before it."""

    __tablename__ = "article_announcements"

    article_id: Mapped[str] = mapped_column(sa.Text, points_at("articles", "RESTRICT"))
    author_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "SET NULL"), index=True)
    actor_id: Mapped[str | None] = mapped_column(sa.Text, points_at("social_actors", "SET NULL"), index=True)
    content: Mapped[str] = mapped_column(sa.Text)
    status_id: Mapped[str | None] = mapped_column(sa.Text, points_at("social_statuses", "SET NULL"), unique=True)

    article: Mapped[Article] = relationship()
    author: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("article_id", "author_id"),)
