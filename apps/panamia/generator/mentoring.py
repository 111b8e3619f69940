"""Sound sessions of mentoring, in the collection of today and in the one that was called otherwise. Pure."""

from __future__ import annotations

from apps.panamia.generator.planting import Document
from apps.panamia.generator.schema import SESSION_STATUSES, SESSION_TYPES
from apps.panamia.generator.values import DAY, NOW, at, email, nanoid, paragraph, text
from apps.panamia.generator.world import Make, World


def mentor_sessions(world: World) -> Make:
    """Sessions of today: with the ids of both, and a type."""

    def make(number: int) -> Document:
        document = _session(world, "mentorSessions", number, number)
        mentor, mentee = _both(world, number)
        return document | {
            "mentorUserId": world.user(mentor),
            "menteeUserId": world.user(mentee),
            "sessionType": SESSION_TYPES[number % 4],
        }

    return make


def former_sessions(world: World) -> Make:
    """Sessions of the collection with the former name: e-mails only, and no type."""
    return lambda number: _session(world, "mentorsessions", number, number + 5_000_000)


def _both(world: World, number: int) -> tuple[int, int]:
    mentor = world.with_all(number % 50 * 11)
    mentee = world.with_all(number * 29 + 7)
    return mentor, mentee if mentee != mentor else world.with_all(mentee + 1)


def _session(world: World, collection: str, number: int, drawn: int) -> Document:
    created = world.ids.created(collection, number)
    status = SESSION_STATUSES[0] if drawn % 2 else SESSION_STATUSES[drawn // 2 % 6]
    mentor, mentee = _both(world, drawn)
    later = at(min(NOW, created + DAY))
    document: Document = {
        "_id": world.ids.of(collection, number),
        "mentorEmail": email(mentor),
        "menteeEmail": email(mentee),
        "scheduledAt": at(created + 3 * DAY),
        "duration": (30, 45, 60, 120)[drawn % 4],
        "topic": text("tema", drawn),
        "status": status,
        "sessionId": nanoid(drawn, 16),
        "createdAt": at(created),
        "updatedAt": later,
        "__v": 0,
    }
    if drawn % 3 == 0:
        document["notes"] = paragraph(drawn)
    if status == "completed":
        document["completedAt"] = later
    elif status == "cancelled":
        document |= {"cancelledAt": later, "cancelledBy": email(mentee), "cancelReason": text("cancelada", drawn)}
    elif status == "declined":
        document |= {"declinedAt": later, "declinedBy": email(mentor), "declineReason": text("rechazada", drawn)}
    return document
