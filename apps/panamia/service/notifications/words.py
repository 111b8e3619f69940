"""What people read of a notification: a sentence for every type and context. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from .events import PreferenceKey

_LONGEST_NAME, _LONGEST_TITLE, _LONGEST_MESSAGE = 80, 200, 300
"""Characters. What was carried has texts of any length."""

_SENTENCES: Mapping[tuple[str, str], str] = {
    ("Invite", "coauthor"): "{actor} invited you to write {object} together",
    ("Accept", "coauthor"): "{actor} writes {object} together with you",
    ("Reject", "coauthor"): "{actor} does not want to write {object} together with you",
    ("Invite", "review"): "{actor} asked you to review {object}",
    ("Accept", "review"): "{actor} approved {object}",
    ("Reject", "review"): "{actor} does not want to review {object}",
    ("Update", "review"): "{actor} asks for a revision of {object}",
    ("Create", "article"): "{actor} published {object}",
    ("Update", "article"): "{actor} changed {object}",
    ("Delete", "article"): "{actor} removed {object}",
    ("Undo", "article"): "{actor} restored {object}",
    ("Announce", "article"): "{actor} shared {object}",
    ("Like", "article"): "{actor} likes {object}",
    ("Invite", "mentoring"): "{actor} asked you for a mentoring session: {object}",
    ("Accept", "mentoring"): "{actor} accepted the mentoring session {object}",
    ("Reject", "mentoring"): "{actor} declined the mentoring session {object}",
    ("Delete", "mentoring"): "{actor} cancelled the mentoring session {object}",
    ("Update", "mentoring"): "{actor} changed the mentoring session {object}",
    ("Invite", "booking"): "{actor} asks for days of {object}",
    ("Accept", "booking"): "{actor} confirmed the booking of {object}",
    ("Reject", "booking"): "{actor} declined the booking of {object}",
    ("Delete", "booking"): "{actor} cancelled the booking of {object}",
    ("Undo", "booking"): "The booking of {object} ran out before it was confirmed",
    ("Update", "booking"): "The days of {object} are over",
    ("Create", "booking"): "{actor} reviewed {object}",
    ("Create", "message"): "{actor} sent you a message",
    ("Create", "mention"): "{actor} mentioned you in {object}",
    ("Like", "mention"): "{actor} likes {object}",
    ("Announce", "mention"): "{actor} shared {object}",
    ("Follow", "follow"): "{actor} follows you",
    ("Undo", "follow"): "{actor} follows you no longer",
    ("Accept", "follow"): "{actor} lets you follow",
    ("Announce", "system"): "News of Pana MIA: {object}",
}
_GENERIC: Mapping[str, str] = {
    "Invite": "{actor} invited you: {object}",
    "Accept": "{actor} said yes: {object}",
    "Reject": "{actor} said no: {object}",
    "Create": "{actor} made something: {object}",
    "Update": "{actor} changed {object}",
    "Delete": "{actor} deleted {object}",
    "Announce": "{actor} shared {object}",
    "Like": "{actor} likes {object}",
    "Follow": "{actor} follows you",
    "Undo": "{actor} took something back: {object}",
}
"""Of pairs that nothing makes, and that have no message."""

CHOICES: Mapping[PreferenceKey, str] = {
    "coauthorInvites": "invitations to write together, and their answers",
    "reviewRequests": "requests for a review, and approvals",
    "articlePublished": "articles of yours that are published",
    "articleReplies": "replies to articles of yours",
    "revisionNeeded": "revisions that a review asks for",
    "mentoringRequests": "mentoring sessions",
    "systemAnnouncements": "what the site does and announces",
    "bookings": "bookings, of what you offer and of what you book",
}
"""What mail each choice is about."""


def display_message(
    kind: str,
    context: str,
    *,
    actor_screenname: str | None = None,
    actor_name: str | None = None,
    object_title: str | None = None,
    message: str | None = None,
) -> str:
    """Return the sentence: one line, without markup, never empty.

    The actor is the screen name, or else the name, or else "Someone". What has no sentence of its own shows its
    message, or else what can be said of its type.
    """
    words = {
        "actor": one_line(actor_screenname, _LONGEST_NAME) or one_line(actor_name, _LONGEST_NAME) or "Someone",
        "object": _quoted(one_line(object_title, _LONGEST_TITLE)),
    }
    own = _SENTENCES.get((kind, context))
    if own is not None:
        return own.format_map(words)
    return one_line(message, _LONGEST_MESSAGE) or _GENERIC.get(kind, "{actor} did something: {object}").format_map(
        words
    )


def one_line(text: str | None, most: int) -> str:
    """Return a text as one line of so many characters at most, without what is no character to see."""
    shown = (one if unicodedata.category(one)[0] not in "CZ" or one == "\u200d" else " " for one in (text or ""))
    line = " ".join("".join(shown).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _quoted(title: str) -> str:
    return f"“{title}”" if title else "content"
