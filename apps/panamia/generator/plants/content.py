"""What is planted in notifications, articles and sessions of mentoring, besides what they refer to."""

from __future__ import annotations

from datetime import timedelta

from bson import Int64

from apps.generating.outcomes import Outcome, holds, instant
from apps.panamia.generator.planting import Do, Document, Plant, Spot
from apps.panamia.generator.values import EARLY, HOSTILE, NUL, TODAY
from apps.panamia.generator.verbs import (
    aside,
    becomes,
    carried,
    long,
    meant,
    refers,
    refused,
    required,
    without,
    without_times,
)

_TOOT = "https://social.example/@panamia/1"


def _renamed_post(_spot: Spot, document: Document) -> list[Outcome]:
    document.pop("mastodonPostUrl", None)
    return becomes("mastodonTootUrl", _TOOT, "mastodon_post_url", _TOOT).change(_spot, document)


def _both_posts(_spot: Spot, document: Document) -> list[Outcome]:
    document["mastodonTootUrl"] = f"{_TOOT}?old"
    return becomes("mastodonPostUrl", _TOOT, "mastodon_post_url", _TOOT).change(_spot, document)


def _author_by_email(spot: Spot, document: Document) -> list[Outcome]:
    """The author's e-mail, which later code looks for, in place of the id."""
    document.pop("authorId")
    document["authorEmail"] = spot.email()
    return [holds("author_id", None), meant("authorEmail", "email", spot.person())]


def _co_author_twice(spot: Spot, document: Document) -> list[Outcome]:
    one = {"userId": spot.id("users"), "invitedAt": TODAY, "status": "pending"}
    document["coAuthors"] = [one, {**one, "status": "accepted"}]
    return [refers("coAuthors[].userId", spot.person())]


def _review_of_nobody(_spot: Spot, document: Document) -> list[Outcome]:
    document["reviewedBy"] = {"status": "pending", "checklist": {}}
    return []


def _of_session(spot: Spot, document: Document) -> list[Outcome]:
    document |= {"objectType": "session", "object": spot.id("mentorSessions")}
    return [refers("object", document=("mentorSessions", document["object"]))]


def _notification(name: str, what: str, do: Do, rate: float = 1, most: int | None = None) -> Plant:
    return Plant(f"notifications/{name}", what, "notifications", do, rate, most)


def _article(name: str, what: str, do: Do, most: int | None = None) -> Plant:
    return Plant(f"articles/{name}", what, "articles", do, most=most)


def _session(name: str, what: str, do: Do, where: str = "mentorSessions") -> Plant:
    return Plant(f"{where}/{name}", what, where, do)


CONTENT: tuple[Plant, ...] = (
    _notification(
        "actor-missing", "who did it is deleted", without("actor", "actorScreenname", "actorName", column="actor")
    ),
    _notification("target-null", "null in place of whom it is for", refused("target", None, "required")),
    _notification("type-unknown", "an activity that is none", refused("type", "Poke", "enum")),
    _notification("context-unknown", "a context that is none", refused("context", "party", "enum")),
    _notification(
        "context-message", "a context that PostgreSQL learns later", becomes("context", "message", "context", "message")
    ),
    _notification("object-type-unknown", "a kind of thing that is none", refused("objectType", "listing", "enum")),
    _notification("object-of-session", "about a session of mentoring", Do("object", _of_session)),
    _notification("read-missing", "nothing about being read", without("read", "readAt", column="read", stored=False)),
    _notification(
        "expired",
        "outlived its time by half a minute, as the server lets it",
        becomes("expiresAt", TODAY - timedelta(seconds=30), "expires_at", "2026-01-12T11:59:30"),
        rate=5,
    ),
    _notification("no-expiry", "never expires", without("expiresAt", column="expires_at")),
    _notification("times-missing", "no timestamps", without_times()),
    _notification("created-early", "made before 1970", becomes("createdAt", EARLY, "created_at", instant(EARLY))),
    _notification(
        "message-hostile", "quotes, directions and four-byte letters", becomes("message", HOSTILE, "message", HOSTILE)
    ),
    _notification("message-long", "a message longer than a batch", long("message", "message"), most=20),
    _notification("message-nul", "a NUL inside the message", refused("message", NUL, "nul")),
    _notification("unknown-keys", "fields that nobody declared", aside(pusherChannelId="private-7", clicks=Int64(2))),
    _article("author-missing", "no author", without("authorId", column="author_id")),
    _article("author-by-email", "the author's e-mail in place of the id", Do("authorEmail", _author_by_email)),
    _article("co-authors-missing", "no list of co-authors", without("coAuthors", column="co_authors", stored=[])),
    _article("co-authors-null", "null in place of the list", carried("coAuthors", None)),
    _article("co-author-twice", "one co-author twice", Do("coAuthors", _co_author_twice)),
    _article(
        "co-author-without-id",
        "a co-author without an id",
        carried("coAuthors", [{"status": "pending", "invitedAt": TODAY}]),
    ),
    _article("review-of-nobody", "a review without a reviewer", Do("reviewedBy", _review_of_nobody)),
    _article(
        "checklist-unknown-key",
        "a checklist with keys that nobody declared",
        carried("reviewedBy.checklist", {"factsVerified": None, "spelling ✓": True}),
    ),
    _article("review-null", "null in place of the review", becomes("reviewedBy", None, "reviewed_by", None)),
    _article(
        "reviews-list",
        "the list of reviews that later code looks for",
        aside(reviews=[{"userId": "65f000000000000000000001"}]),
    ),
    _article("status-unknown", "a state that is none", refused("status", "archived", "enum")),
    _article("status-missing", "no state", without("status", column="status", stored="draft")),
    _article("type-unknown", "a kind that is none", refused("articleType", "news", "enum")),
    _article("toot", "the former name of a field", Do("mastodonTootUrl", _renamed_post)),
    _article("toot-and-post", "both names of a field, with different addresses", Do("mastodonPostUrl", _both_posts)),
    _article("title-long", "a title longer than the model allows", becomes("title", "T🌴" * 300, "title", "T🌴" * 300)),
    _article("title-missing", "no title", required("title")),
    _article("content-empty", "no text, as the route allows", becomes("content", "", "content", "")),
    _article("content-long", "a text longer than a batch", long("content", "content"), most=20),
    _article("content-nul", "a NUL inside the text", refused("content", NUL, "nul")),
    _article("tags-missing", "no list of tags", without("tags", column="tags", stored=[])),
    _article(
        "tags-hostile",
        "tags of quotes and braces",
        becomes("tags", ['{"a"}', "", HOSTILE], "tags", ['{"a"}', "", HOSTILE]),
    ),
    _article("reading-double", "a reading time that is a double", becomes("readingTime", 7.0, "reading_time", 7)),
    _article("reading-missing", "no reading time", without("readingTime", column="reading_time", stored=1)),
    _article("published-early", "published before 1970", becomes("publishedAt", EARLY, "published_at", instant(EARLY))),
    _article("times-missing", "no timestamps", without_times()),
    _session("type-missing", "no type: from before the field", without("sessionType", column="session_type")),
    _session(
        "ids-missing",
        "no ids of both: from before the fields",
        without("mentorUserId", "menteeUserId", column="mentor_user_id"),
    ),
    _session("status-unknown", "a state that is none", refused("status", "ghosted", "enum")),
    _session("duration-missing", "no duration", without("duration", column="duration", stored=60)),
    _session("duration-double", "a duration that is a double", becomes("duration", 45.0, "duration", 45)),
    _session("topic-missing", "no topic", required("topic")),
    _session("notes-hostile", "notes of quotes and directions", becomes("notes", HOSTILE, "notes", HOSTILE)),
    _session(
        "cancelled-by-nobody",
        "cancelled by somebody who is not there",
        becomes("cancelledBy", "gone@example.org", "cancelled_by", "gone@example.org"),
    ),
    _session("former", "the collection's former name", carried("notes", "before December"), "mentorsessions"),
    _session("times-missing", "no timestamps", without_times(), "mentorsessions"),
)
