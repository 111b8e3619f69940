"""What becomes of what: every place that holds something of a person, in both databases. Pure.

Rows that foreign keys lead to users or profiles are not here: the keys themselves say what becomes of them, also those
of tables that other applications add. `WHY` only has the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from ...models.enums import ArticleStatus
from ...service.articles.reviews import earlier_of, outcome_of
from ...service.articles.rules import UNPUBLISHED
from .report import Fate

WHY: Mapping[str, str] = {
    "articles.author_id": "what was published stays, by a Former Member",
    "articles.removed_by": "that it was removed, and why, stays",
    "article_announcements.author_id": "it was announced all the same",
    "images.user_id": "pages show them",
    "mentor_sessions.mentor_user_id": "the other one's session stays",
    "mentor_sessions.mentee_user_id": "the other one's session stays",
    "articles.in_reply_to": "a reply stands by itself",
    "notifications.actor": "another one's; the name goes",
    "notifications.article_id": "another one's; the title is in it",
    "notifications.profile_id": "another one's; the title is in it",
    "social_statuses.article_id": "the post was read elsewhere",
    "social_actors.profile_id": "other servers know the actor",
    "events.primary_profile_id": "the event takes place",
}
"""Column of a foreign key → why its rows stay."""


@dataclass(frozen=True)
class ByEmail:
    """Rows that hold an address, and no id.

    Attributes:
        table: Of PostgreSQL.
        column: With the address, in any case.
        fate: What becomes of them.
        why: In words.
    """

    table: str
    column: str
    fate: Fate
    why: str


_NOT_YET = "they may still have to be answered"
_AT_SERVICE = "remove the entry at the mail service first"

BY_EMAIL = (
    ByEmail("verification_tokens", "identifier", "removed", ""),
    ByEmail("oauth_verifications", "email", "removed", ""),
    ByEmail("interactions", "email", "removed", ""),
    ByEmail("newsletter_signups", "email", "removed", ""),
    ByEmail("newsletters", "email", "removed", ""),
    ByEmail("intake_forms", "email", "removed", ""),
    ByEmail("contact_submissions", "email", "kept", _NOT_YET),
    ByEmail("brevo_contacts", "email", "kept", _AT_SERVICE),
)

Of = Literal["user", "email", "profile"]
Do = Literal["delete", "unset", "pull", "keep"]


@dataclass(frozen=True)
class Site:
    """A place in the documents of a collection.

    Attributes:
        collection: Of MongoDB.
        path: The field; of `pull` an array of plain values.
        of: What it holds: the id of a user or of a profile, or an address.
        do: With the document, the field or the element.
        why: Of what stays.
        names: Other fields that say who it is, and go with the field.
    """

    collection: str
    path: str
    of: Of
    do: Do
    why: str = ""
    names: tuple[str, ...] = ()


SITES = (
    Site("users", "email", "email", "delete"),
    Site("nextauth_users", "email", "email", "delete"),
    Site("nextauth_accounts", "userId", "user", "delete"),
    Site("nextauth_sessions", "userId", "user", "delete"),
    Site("nextauth_verification_tokens", "identifier", "email", "delete"),
    Site("notifications", "target", "user", "delete"),
    Site("notifications", "actor", "user", "unset", WHY["notifications.actor"], ("actorScreenname", "actorName")),
    Site("notifications", "object", "profile", "unset", "what it told stays told"),
    Site("followers", "followerId", "user", "delete"),
    Site("followers", "userId", "user", "delete"),
    Site("userlists", "user_id", "user", "delete"),
    Site("userlists", "profiles", "profile", "pull", "the list is another one's"),
    Site("users", "following", "profile", "pull", "the follower is another one"),
    Site("emailmigrations", "userId", "user", "delete"),
    Site("oauthverifications", "email", "email", "delete"),
    Site("interactions", "email", "email", "delete"),
    Site("signups", "email", "email", "delete"),
    Site("newsletters", "email", "email", "delete"),
    *(
        Site(f"{name}intakes", "email", "email", "delete")
        for name in ("apparel", "art", "food", "goods", "organization", "services")
    ),
    Site("contactus", "email", "email", "keep", _NOT_YET),
    Site("brevocontacts", "email", "email", "keep", _AT_SERVICE),
    Site("images", "userId", "user", "unset", WHY["images.user_id"]),
    Site("articles", "removedBy", "user", "unset", WHY["articles.removed_by"]),
    *(
        Site(collection, field, "user", "unset", "the other one's session stays")
        for collection in ("mentorSessions", "mentorsessions")
        for field in ("mentorUserId", "menteeUserId")
    ),
    Site("events", "primary_profile", "profile", "unset", WHY["events.primary_profile_id"]),
    Site("events", "linked_profiles", "profile", "pull", "the event takes place"),
    Site("profiles", "linked_profiles", "profile", "pull", "the profile is another one's"),
)
"""All but articles, profiles themselves and addresses of mentoring sessions, of which more has to be known."""

TO_COME = ("pending", "scheduled")
"""Mentoring sessions that are cancelled."""
LEFT = "The other person is no longer a member"
CANCELLED = "those to come are cancelled"
NOBODYS = "the address goes: whoever has it one day is another one"


def is_lonely(status: object, co_authors: object) -> bool:
    """Tell whether an article goes with its author: it was never published, and nobody else has written it."""
    return status in UNPUBLISHED and not any(
        isinstance(one, dict) and cast("dict[str, Any]", one).get("status") == "accepted" for one in _list(co_authors)
    )


def co_authors_without(co_authors: object, ids: Iterable[object]) -> list[Any]:
    """Return co-authors without somebody: who has written stays, as nobody by name; who was only asked does not."""
    gone = list(ids)
    kept: list[Any] = []
    for one in _list(co_authors):
        entry = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        if "userId" not in entry or entry["userId"] not in gone:
            kept.append(one)
        elif entry.get("status") == "accepted":
            kept.append({**entry, "userId": None})
    return kept


def review_without(review: object, ids: Iterable[object]) -> Any:
    """Return a review, with those before it, without somebody; None where nothing is left.

    What was said stays, as nobody's; what was only asked for does not, so that the one before is the last one again.
    """
    if not isinstance(review, dict):
        return review
    found, gone = cast("dict[str, Any]", review), list(ids)
    earlier = earlier_of(found)
    own = {key: one for key, one in found.items() if key != "earlier"} if earlier else found
    kept = [one for one in (_unsigned(one, gone) for one in (*earlier, own)) if one is not None]
    *before, last = kept or [None]
    if not before:
        return last
    return {**cast("dict[str, Any]", last), "earlier": before} if isinstance(last, dict) else {"earlier": kept}


def status_behind(status: ArticleStatus, review: object) -> ArticleStatus:
    """Return what an article is whose last review is this one, now that somebody is gone."""
    outcome = outcome_of(review)
    if status != "pending_review" or outcome == "pending":
        return status
    return "revision_needed" if outcome == "revision_needed" else "draft"


def _unsigned(review: object, gone: list[object]) -> object:
    """Return one review; None of a request to somebody who is gone."""
    found = cast("dict[str, Any]", review) if isinstance(review, dict) else {}
    if "userId" not in found or found["userId"] not in gone:
        return review
    return None if outcome_of(found) == "pending" else {**found, "userId": None}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
