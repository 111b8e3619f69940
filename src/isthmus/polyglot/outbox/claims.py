"""What a relay takes from the outbox and writes back, inside one open transaction.

The claim is a row lock, so it ends with the transaction, whatever ends that: there is no lease and no clock in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from isthmus.errors import TargetError
from isthmus.polyglot.outbox.backoff import Patience
from isthmus.polyglot.outbox.event import Event
from isthmus.polyglot.outbox.faults import Refusal
from isthmus.polyglot.outbox.writes import Later
from isthmus.state.statements import statements

_KEYS = 50
_EVENTS_OF_A_KEY = 100
_BYTES = 32 * 1024 * 1024
_CLEANED = 1_000
_PACKAGE = "isthmus.polyglot.outbox"
_SILENCE = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"


def claim(connection: psycopg.Connection[Any], *, silence_seconds: float) -> dict[int, list[Event]]:
    """Take the keys of some open events; nobody else has them until the transaction ends.

    Args:
        connection: In an open transaction.
        silence_seconds: The server ends the transaction when nothing is heard of us for so long.

    Returns:
        Number of the key → its next events, in order; keys by their oldest event. Empty where nothing is due.
        A delete is always the first of its key, so that all before it is committed as applied: what comes again after
        a crash must not make anew what it removed.
    """
    connection.execute(_SILENCE, (f"{int(silence_seconds * 1000)}ms",))
    heads = connection.execute(_statement("claim"), {"keys": _KEYS}).fetchall()
    if not heads:
        return {}
    documents = {int(key): (str(collection), bytes(document_id)) for _, key, collection, document_id in heads}
    rows = connection.execute(
        _statement("events_of"), {"keys": list(documents), "each": _EVENTS_OF_A_KEY, "bytes": _BYTES}
    ).fetchall()
    taken: dict[int, list[Event]] = {}
    for number, key, token, operation, payload, attempts in rows:
        event = Event(number, key, *documents[key], token, operation, bytes(payload), attempts)
        taken.setdefault(key, []).append(event)
    return {key: events[: _before_delete(events)] for key, events in taken.items()}


def elsewhere(connection: psycopg.Connection[Any], collections: Collection[str]) -> frozenset[str]:
    """Return which of some collections live in PostgreSQL, so that nothing of theirs is for MongoDB any more.

    Raises:
        TargetError: The role may not ask (code `no-right`).
    """
    if not collections:
        return frozenset()
    row = connection.execute(_statement("may_ask_homes")).fetchone()
    may_ask = row[0] if row else None
    if may_ask is None:  # a database without switches
        return frozenset()
    if not may_ask:
        raise TargetError(
            "The relay may not ask where collections live: it would write to MongoDB what was switched to PostgreSQL.",
            code="no-right",
            hint="GRANT SELECT ON isthmus.switch TO the role of the relay.",
        )
    rows = connection.execute(_statement("elsewhere"), {"collections": [*collections]}).fetchall()
    return frozenset(str(row[0]) for row in rows)


def knows(connection: psycopg.Connection[Any], event: Event, mark: Later) -> bool:
    """Tell whether a mark is of a later event of the same key: then its relay was lost before it wrote down either."""
    values = {"key": event.key_id, "version": mark.version, "token": mark.token}
    return connection.execute(_statement("knows"), values).fetchone() is not None


def settle(connection: psycopg.Connection[Any], numbers: Sequence[int], *, grace_seconds: float) -> None:
    """Write down that events were applied."""
    if numbers:
        connection.execute(_statement("settle"), {"ids": list(numbers), "grace": grace_seconds})


def refuse(connection: psycopg.Connection[Any], event: Event, why: Refusal, patience: Patience) -> bool:
    """Write down that MongoDB refused an event; return whether it is parked now."""
    attempts = event.attempts + 1
    park = why.final or patience.parks(attempts)
    values = {"id": event.id, "attempts": attempts, "fault": why.fault, "words": why.words.replace("\0", "")}
    connection.execute(_statement("refuse"), {**values, "park": park, "wait": patience.wait_seconds(attempts)})
    return park


def claim_confirm(connection: psycopg.Connection[Any]) -> list[Event]:
    """Take deletes whose grace is over; nobody else has them until the transaction ends."""
    rows = connection.execute(_statement("claim_confirm"), {"events": _KEYS}).fetchall()
    return [Event(*row) for row in rows]


def confirmed(connection: psycopg.Connection[Any], events: Sequence[Event]) -> None:
    """Write down that deletes were looked at once more."""
    connection.execute(_statement("confirmed"), {"ids": [event.id for event in events]})


def clean(connection: psycopg.Connection[Any], *, keep_seconds: float) -> int:
    """Forget some of the events that were applied longer ago than that, and keys without events.

    Args:
        connection: In autocommit mode.
        keep_seconds: How long events are kept.

    Returns:
        How many events.
    """
    cursor = connection.execute(_statement("clean_events"), {"keep": keep_seconds, "events": _CLEANED})
    # Somebody may just have enqueued an event of one of them; the next time leaves it alone.
    with contextlib.suppress(psycopg.errors.ForeignKeyViolation):
        connection.execute(_statement("clean_keys"), {"keep": keep_seconds, "keys": _CLEANED})
    return cursor.rowcount


def due_seconds(connection: psycopg.Connection[Any]) -> float | None:
    """Return in how many seconds something waits to be tried again; None where nothing waits."""
    row = connection.execute(_statement("next_due")).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def left(connection: psycopg.Connection[Any]) -> tuple[bool, bool]:
    """Tell whether events are open that no parked one stands before, and whether one is parked."""
    row = connection.execute(_statement("left")).fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


def _before_delete(events: Sequence[Event]) -> int:
    """Return how many events come before the first delete that is not the first of all."""
    return next((place for place, one in enumerate(events) if place and one.operation == "delete"), len(events))


def _statement(name: str) -> bytes:
    return statements("relay", _PACKAGE)[name]
