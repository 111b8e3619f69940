"""What people are told of: every event, and how its notification is written. Pure.

The rows are those of the service before this one, with two differences: a publication names its article as all others
do, and each row names the choice by which people want mail of its kind or do not.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from ...models.enums import NotificationActivityType, NotificationContext, NotificationObjectType

Event = Literal[
    "coauthor-invited",
    "coauthor-accepted",
    "coauthor-declined",
    "review-requested",
    "review-approved",
    "review-revision",
    "article-published",
    "article-removed",
    "article-restored",
    "mentoring-requested",
    "mentoring-accepted",
    "mentoring-declined",
    "mentoring-cancelled",
    "message-sent",
]
PreferenceKey = Literal[
    "coauthorInvites",
    "reviewRequests",
    "articlePublished",
    "articleReplies",
    "revisionNeeded",
    "mentoringRequests",
    "systemAnnouncements",
    "bookings",
]
"""A choice of users.notification_preferences: whether mail of a kind is wanted.

`bookings` is about what services beside this one do: they write such notifications themselves.
"""


@dataclass(frozen=True)
class Kind:
    """How an event is told.

    Attributes:
        type: What was done.
        context: To what.
        preference: The choice that its mail obeys; None where none is sent.
    """

    type: NotificationActivityType
    context: NotificationContext
    preference: PreferenceKey | None


KINDS: dict[Event, Kind] = {
    "coauthor-invited": Kind("Invite", "coauthor", "coauthorInvites"),
    "coauthor-accepted": Kind("Accept", "coauthor", "coauthorInvites"),
    "coauthor-declined": Kind("Reject", "coauthor", "coauthorInvites"),
    "review-requested": Kind("Invite", "review", "reviewRequests"),
    "review-approved": Kind("Accept", "review", "reviewRequests"),
    "review-revision": Kind("Update", "review", "revisionNeeded"),
    "article-published": Kind("Create", "article", "articlePublished"),
    "article-removed": Kind("Delete", "article", "systemAnnouncements"),
    "article-restored": Kind("Undo", "article", "systemAnnouncements"),
    "mentoring-requested": Kind("Invite", "mentoring", "mentoringRequests"),
    "mentoring-accepted": Kind("Accept", "mentoring", "mentoringRequests"),
    "mentoring-declined": Kind("Reject", "mentoring", "mentoringRequests"),
    "mentoring-cancelled": Kind("Delete", "mentoring", "mentoringRequests"),
    "message-sent": Kind("Create", "message", None),
}

_NEVER = frozenset({"Invite", "Accept", "Reject"})
_DAYS: dict[NotificationContext, int] = {"article": 90, "coauthor": 90, "review": 90, "mentoring": 90}
_OTHER_DAYS = 30


def expiry(
    kind: NotificationActivityType, context: NotificationContext, now: datetime.datetime
) -> datetime.datetime | None:
    """Return when a notification is no longer shown; None for never: questions and their answers stay."""
    return None if kind in _NEVER else now + datetime.timedelta(days=_DAYS.get(context, _OTHER_DAYS))


@dataclass(frozen=True)
class ArticleRef:
    """An article that is told of, as it is at the moment.

    Attributes:
        id: Of its row.
        title: As people see it.
        slug: Of its address.
    """

    id: str
    title: str
    slug: str

    object_type: Literal["article"] = "article"

    @property
    def url(self) -> str:
        """Its page, without the host."""
        return f"/articles/{quote(self.slug, safe='')}"


@dataclass(frozen=True)
class SessionRef:
    """A mentoring session that is told of.

    Attributes:
        id: Of its row, not of the realtime channel.
        title: Its topic.
    """

    id: str
    title: str

    object_type: Literal["session"] = "session"

    @property
    def url(self) -> str:
        """Its page, without the host."""
        return f"/mentoring/{quote(self.id, safe='')}"


@dataclass(frozen=True)
class ProfileRef:
    """A profile of PostgreSQL that is told of.

    Attributes:
        id: Of its row.
        title: Its name.
        slug: Of its address; None where it has no page.
    """

    id: str
    title: str | None
    slug: str | None = None

    object_type: Literal["profile"] = "profile"

    @property
    def url(self) -> str | None:
        """Its page, without the host."""
        return f"/directory/{quote(self.slug, safe='')}" if self.slug else None


ObjectRef = ArticleRef | SessionRef | ProfileRef
COLUMNS: dict[NotificationObjectType, str] = {
    "article": "article_id",
    "session": "session_id",
    "profile": "profile_id",
}
"""The column that points at an object of a type."""
