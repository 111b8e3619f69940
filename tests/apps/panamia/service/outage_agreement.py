"""What both databases hold when an outage is over, against what people were told while it lasted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.apps.panamia.service.outage_people import CARRIED, VISITS, People, Someone

_TOLD = "SELECT type::text, context::text, actor, target, object FROM notifications"


def disagreements(people: People) -> list[str]:
    """Return in words what is not as it has to be."""
    found = list(people.faults)
    stay = [one for one in people.all if not one.leaving]
    documents = people.world.documents("profiles")
    for one in stay:
        found += _of(people, one, [each for each in documents if each.get("userId") == one.id])
    for one in people.all:
        if one.leaving:
            found += _of_gone(people, one, documents)
    if len(documents) != len(stay):
        found.append(f"{len(documents)} profiles of {len(stay)} people")
    found += _rows(people, {one.id for one in stay})
    found += _mail(people)
    return found


def _of(people: People, one: Someone, documents: list[dict[str, Any]]) -> list[str]:
    """Look at the profile and the row of somebody who stays."""
    name, found = f"person {one.number}", list[str]()
    [(address,)] = people.world.rows("SELECT email FROM users WHERE id = %s", one.id) or [(None,)]
    if address != one.email:
        found.append(f"{name} has the address {address}, not {one.email}")
    if len(documents) != 1:
        return [*found, f"{name} has {len(documents)} profiles"]
    document = documents[0]
    if str(document["email"]).strip().lower() != one.email:
        found.append(f"{name} has the address {document['email']} in MongoDB, not {one.email}")
    if document.get("details") not in one.details:
        found.append(f"{name} has {document.get('details')!r}, not one of {one.details}")
    if one.is_mentor and document.get("kept") != "🌴":
        found.append(f"{name} lost what nobody has changed")
    [(visits,)] = people.world.rows(f"SELECT n FROM {VISITS} WHERE person = %s", one.id) or [(None,)]
    if document.get("visits") != visits:
        found.append(f"{name} has {document.get('visits')} visits in MongoDB, {visits} in PostgreSQL")
    return found


def _of_gone(people: People, one: Someone, documents: list[dict[str, Any]]) -> list[str]:
    """Look whether somebody who was deleted is."""
    rows = people.world.rows(
        "SELECT (SELECT count(*) FROM users WHERE id = %s OR email = %s), (SELECT count(*) FROM sessions WHERE user_id"
        " = %s), (SELECT count(*) FROM notifications WHERE %s IN (actor, target))",
        *(one.id, one.email, one.id, one.id),
    )
    carried = [each for collection in CARRIED for each in people.world.documents(collection)]
    theirs = (each for each in [*documents, *carried] if one.email in str(each["email"]).lower())
    left = [*theirs, *(each for each in documents if each.get("userId") == one.id)]
    return [] if rows == [(0, 0, 0)] and not left else [f"of person {one.number} {rows} and {left} are left"]


def _rows(people: People, stay: set[str]) -> list[str]:
    """Look whether what was written in PostgreSQL is there, and was told, and nothing else was."""
    there = Counter(tuple(row) for row in people.world.rows(_TOLD) if {row[2], row[3]} <= stay)
    wanted = Counter({told: count for told, count in people.told.items() if {told[2], told[3]} <= stay})
    found = [
        f"told {there[told]} times, not {wanted[told]}: {told}"
        for told in there | wanted
        if there[told] != wanted[told]
    ]
    topics = Counter(topic for (topic,) in people.world.rows("SELECT topic FROM mentor_sessions"))
    if topics != Counter(list(people.topics)):
        found.append(f"sessions: {(topics - Counter(people.topics)) + (Counter(people.topics) - topics)}")
    keys = {key for (key,) in people.world.rows("SELECT id FROM articles")}
    kept = {key for key, author in people.written.items() if author.id in stay}
    if not kept <= keys <= people.written.keys():
        found.append(f"articles: {keys ^ kept}")
    [(users,)] = people.world.rows("SELECT count(*) FROM users")
    if users != len(stay):
        found.append(f"{users} users of {len(stay)} people")
    return found


def _mail(people: People) -> list[str]:
    """Look whether each mail was sent once, and each that is written down as sent was."""
    people.mailbox.look()
    found = [f"mail {key} was sent {count} times" for key, count in people.mailbox.keys.items() if count > 1]
    sent = {key for (key,) in people.world.rows("SELECT id FROM notifications WHERE email_sent")}
    if not sent <= people.mailbox.keys.keys():
        found.append(f"{len(sent - people.mailbox.keys.keys())} mails were never sent")
    owed = people.world.rows("SELECT count(*) FROM notification_mails")
    return found if owed == [(0,)] else [*found, f"mail is owed: {owed}"]
