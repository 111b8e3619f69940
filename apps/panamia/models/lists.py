"""Whom people follow and which lists they keep.

Follows are of two kinds: the array `users.following` holds ids of profiles, the collection `followers` ids of users.
"""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .auth import User
from .base import Base, Instant, Keyed, KeyedAnyhow, points_at
from .profiles import Profile


class UserFollow(Keyed, Base):
    """A user follows another one, by the old routes; the names are as these had them."""

    __tablename__ = "user_follows"

    follower_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"))
    following_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    follower_username: Mapped[str | None] = mapped_column(sa.Text)
    following_username: Mapped[str | None] = mapped_column(sa.Text)

    follower: Mapped[User] = relationship(foreign_keys=[follower_id])
    following: Mapped[User] = relationship(foreign_keys=[following_id])

    __table_args__ = (sa.UniqueConstraint("follower_id", "following_id"),)


class ProfileFollow(Base):
    """A user follows a profile, claimed or not."""

    __tablename__ = "profile_follows"

    follower_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), primary_key=True)
    profile_id: Mapped[str] = mapped_column(sa.Text, points_at("profiles", "CASCADE"), primary_key=True, index=True)

    follower: Mapped[User] = relationship()
    profile: Mapped[Profile] = relationship()


class UserList(Keyed, Base):
    """A list that a user keeps."""

    __tablename__ = "user_lists"

    owner_id: Mapped[str] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    is_public: Mapped[bool] = mapped_column(sa.Boolean, server_default=sa.false())

    owner: Mapped[User] = relationship()


class UserListMember(KeyedAnyhow, Base):
    """A profile, or a user, on a list; never both in one row."""

    __tablename__ = "user_list_members"

    list_id: Mapped[str] = mapped_column(sa.Text, points_at("user_lists", "CASCADE"))
    user_id: Mapped[str | None] = mapped_column(sa.Text, points_at("users", "CASCADE"), index=True)
    profile_id: Mapped[str | None] = mapped_column(sa.Text, points_at("profiles", "CASCADE"), index=True)
    added_at: Mapped[datetime.datetime] = mapped_column(Instant, server_default=sa.func.now())

    list: Mapped[UserList] = relationship()
    user: Mapped[User | None] = relationship()
    profile: Mapped[Profile | None] = relationship()

    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(user_id, profile_id) = 1", name="one"),
        sa.UniqueConstraint("list_id", "user_id"),
        sa.UniqueConstraint("list_id", "profile_id"),
    )
