"""The mail of a notification: whether it is still wanted, and what it says. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from ..mail import Letter
from .events import PreferenceKey
from .links import whole_link
from .words import CHOICES, display_message, one_line

_LONGEST_SUBJECT = 150
Dropped = Literal["read", "expired", "unwanted", "locked", "enough"]
"""Why mail is not sent after all."""
MOST_A_DAY = 50
"""Mails to one person, in any 24 hours: what is behind it can be read on the site."""
MOST_OF_ONE_A_DAY = 10
"""Those of them that one person set off."""


@dataclass(frozen=True)
class Owed:
    """Mail that is due, with what is known of its notification and of whoever gets it, as it is now.

    Attributes:
        notification: Its id.
        tries: How often sending was begun, this time among them.
        preferences: users.notification_preferences, whatever it holds.
        preference: The choice that decides; None: it is sent anyway.
        sent_today: Mails that its reader got in the last 24 hours.
        sent_today_of_actor: Those of them that the same actor set off.
    """

    notification: str
    tries: int
    email: str
    locked: bool
    preferences: object
    preference: str | None
    type: str
    context: str
    actor_screenname: str | None
    actor_name: str | None
    object_title: str | None
    object_url: str | None
    message: str | None
    read: bool
    expires_at: datetime.datetime | None
    sent_today: int = 0
    sent_today_of_actor: int = 0


def wants(preferences: object, key: str | None) -> bool:
    """Whether somebody wants mail of a kind: yes, unless the choice is there and says no."""
    chosen: Mapping[str, object] = {}
    if isinstance(preferences, Mapping):
        chosen = cast("Mapping[str, object]", preferences)
    return key is None or chosen.get(key) is not False


def why_not(owed: Owed, now: datetime.datetime) -> Dropped | None:
    """Return why mail is no longer to be sent; None: it is."""
    if owed.locked:
        return "locked"
    if owed.read:
        return "read"
    if owed.expires_at is not None and owed.expires_at <= now:
        return "expired"
    if owed.sent_today >= MOST_A_DAY or owed.sent_today_of_actor >= MOST_OF_ONE_A_DAY:
        return "enough"
    return None if wants(owed.preferences, owed.preference) else "unwanted"


def letter_of(owed: Owed, public_url: str) -> Letter:
    """Return the letter. Its key is that of the notification, so one that is sent twice is known as one."""
    sentence = display_message(
        owed.type,
        owed.context,
        actor_screenname=owed.actor_screenname,
        actor_name=owed.actor_name,
        object_title=owed.object_title,
        message=owed.message,
    )
    parts = [f"{sentence}."]
    if owed.message:
        parts.append("\n".join(f"> {line}" for line in owed.message.splitlines()))
    link = whole_link(owed.object_url, public_url)
    if link is not None:
        parts.append(link)
    about, stop = CHOICES.get(cast("PreferenceKey", owed.preference)), None
    if about is not None:
        stop = f"{public_url}/settings"
        parts.append(f"-- \nYou get mail about {about}. If you want none, say so at {stop}")
    subject, text = one_line(sentence, _LONGEST_SUBJECT), "\n\n".join(parts) + "\n"
    return Letter(owed.email, subject, text, owed.notification, stop)


def pause_of(tries: int) -> datetime.timedelta:
    """Return how long to wait behind a try that failed: a minute, then twice as long each time, six hours at most."""
    return datetime.timedelta(minutes=min(2 ** (min(tries, 20) - 1), 360))
