"""Sound articles and notifications: who wrote, reviewed and answered, and who was told of it. Pure."""

from __future__ import annotations

from typing import Any

from apps.panamia.generator.members import screenname
from apps.panamia.generator.people import USER
from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import (
    ACTIVITIES,
    ANSWERS,
    ARTICLE_STATUSES,
    ARTICLE_TYPES,
    CONTEXTS,
    OBJECT_TYPES,
    REVIEWS,
)
from apps.panamia.generator.values import DAY, NOW, WORDS, article, at, name, paragraph, text, url
from apps.panamia.generator.world import Make, World

_EMITTED = (
    ("Invite", "coauthor", "article"),
    ("Accept", "coauthor", "article"),
    ("Reject", "coauthor", "article"),
    ("Invite", "review", "article"),
    ("Accept", "review", "article"),
    ("Update", "review", "article"),
    ("Create", "article", None),
    ("Delete", "article", "article"),
    ("Undo", "article", "article"),
    ("Invite", "mentoring", "session"),
    ("Accept", "mentoring", "session"),
    ("Delete", "mentoring", "session"),
)
"""What the application tells people: activity, context, and what it is about."""
_KEPT_DAYS = {"article": 90, "coauthor": 90, "review": 90, "mentoring": 90}


def notifications(world: World) -> Make:
    """Notifications; every twelfth has words that the application knows and never used together."""
    roll = world.chance("notifications")
    draw = world.drawer(roll, USER)
    user, of, created_at = world.user, world.ids.of, world.ids.created
    articles, meetings = world.sizes["articles"], world.sizes["mentorSessions"]

    def make(number: int) -> Document:
        created = created_at("notifications", number)
        made = at(created)
        actor = draw()
        part = roll()
        if number % 12:
            activity, context, about = _EMITTED[number % 12 - 1 if number % 24 < 12 else 11 - number % 12]
        else:
            place = number // 12
            activity, context = ACTIVITIES[place % 10], CONTEXTS[place % 7]
            about = OBJECT_TYPES[place % 4] if place % 3 else None
        document: Document = {
            "_id": of("notifications", number),
            "type": activity,
            "actor": user(actor),
            "target": user(draw()),
            "context": context,
            "actorName": name(actor),
            "read": part < 0.6,
            "emailSent": False,
            "createdAt": made,
            "updatedAt": made,
            "__v": 0,
        }
        called = screenname(actor)
        if called is not None:
            document["actorScreenname"] = called
        if about is not None:
            document["objectType"] = about
            document["objectTitle"] = text("artículo", number)
            if about == "article":
                document["object"] = of("articles", number % articles)
                document["objectUrl"] = url("a", number % articles)
            elif about == "session":
                document["object"] = of("mentorSessions", number % meetings)
        if part < 0.6:
            document["readAt"] = at(min(NOW, created + int(part * 9 * DAY)))
        if activity not in {"Invite", "Accept", "Reject"}:
            document["expiresAt"] = at(created + DAY * _KEPT_DAYS.get(context, 30))
        if number % 7 == 0:
            document["message"] = paragraph(number)
        if number % 31 == 0:
            document |= {"emailSent": True, "emailSentAt": made, "emailPreferenceKey": "systemAnnouncements"}
        return document

    return make


def articles(world: World) -> Make:
    """Articles in all states; every sixth answers an earlier one."""
    roll = world.chance("articles")
    draw = world.drawer(roll, USER)

    def make(number: int) -> Document:
        created = world.ids.created("articles", number)
        made = at(created)
        status = ARTICLE_STATUSES[0] if number % 3 else ARTICLE_STATUSES[number // 3 % 5]
        content = article(number)
        document: Document = {
            "_id": world.ids.of("articles", number),
            "slug": f"{WORDS[number % 17]}-{number}",
            "title": text("nota", number),
            "content": content,
            "excerpt": content[:300],
            "articleType": ARTICLE_TYPES[number % 4 // 3],
            "tags": [WORDS[(number + step) % 17] for step in range(number % 4)],
            "authorId": world.user(draw()),
            "coAuthors": [_co_author(world, draw(), number + step, created) for step in range(number % 5 // 3)],
            "status": status,
            "readingTime": 1 + len(content) // 1200,
            "createdAt": made,
            "updatedAt": at(min(NOW, created + number % 40 * DAY)),
            "__v": number % 3,
        }
        if number % 2 == 0:
            document["coverImage"] = url("cover", number)
        if number % 5 != 1:
            document["reviewedBy"] = _review(world, draw(), number, created)
        if number % 6 == 5:
            document["inReplyTo"] = world.ids.of("articles", number // 2)
        if status in {"published", "removed"}:
            document["publishedAt"] = at(min(NOW, created + DAY))
            if number % 4 == 1:
                document["mastodonPostUrl"] = f"https://social.example/@panamia/{number}"
        if status == "removed":
            document |= {
                "removedAt": at(min(NOW, created + 2 * DAY)),
                "removedBy": world.user(draw()),
                "removalReason": paragraph(number)[:120],
            }
        return document

    return make


def _co_author(world: World, person: int, number: int, created: int) -> Document:
    answer = ANSWERS[number // 5 % 3]
    found: Document = {"userId": world.user(person), "invitedAt": at(created), "status": answer}
    if number % 2:
        found["invitationMessage"] = text("¿escribes?", number)
    if answer == "accepted":
        found["acceptedAt"] = at(min(NOW, created + 3600))
    return found


def _review(world: World, person: int, number: int, created: int) -> Document:
    answer = REVIEWS[number % 5 // 2]
    checked = answer == "approved"
    found: dict[str, Any] = {
        "userId": world.user(person),
        "requestedAt": at(created),
        "status": answer,
        "checklist": {"factsVerified": checked, "sourcesChecked": checked, "communityStandards": True},
        "comments": [_comment(number, place, created) for place in range(number % 3)],
    }
    if number % 2:
        found["invitationMessage"] = text("¿revisas?", number)
    if checked:
        found["approvedAt"] = at(min(NOW, created + DAY))
    return found


def _comment(number: int, place: int, created: int) -> Document:
    found: Document = {
        "id": f"c{number}-{place}",
        "text": paragraph(number + place),
        "contentRef": f"p:{place}",
        "resolved": place == 1,
        "createdAt": at(created + place),
    }
    if place == 1:
        found["resolvedAt"] = at(min(NOW, created + DAY))
    return found
