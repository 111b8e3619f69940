"""What stands between an application and switching MongoDB off beside it: the switch and the outbox. Reads only.

What lives in MongoDB is written there, whatever was copied; an event of the outbox that is open is a write that MongoDB
has not got yet.
"""

from __future__ import annotations

from typing import Any

import psycopg

from isthmus.polyglot.decommission_checks import Check
from isthmus.polyglot.outbox.sessions import has_outbox
from isthmus.polyglot.outbox.status import read_status as read_outbox
from isthmus.polyglot.switch.status import CollectionStatus
from isthmus.polyglot.switch.status import read_status as read_switches
from isthmus.state.switches import has_switches
from isthmus.work.amounts import plural


def homes_check(connection: psycopg.Connection[Any]) -> Check:
    """Say which collections applications read and write in MongoDB, as the switch has it, or are on their way.

    What no switch knows is not asked for here: nobody asks where it lives.
    """
    known = read_switches(connection) if has_switches(connection) else []
    facts = {one.collection: {"home": one.home, "why": _why_it_stays(one)} for one in known}
    details = [f"{name}: {one['why']}" for name, one in facts.items() if one["why"]]
    told = f"{plural(len(known) - len(details), 'collection')} living in PostgreSQL, by isthmus switch."
    if details:
        told = f"{plural(len(details), 'collection')} living in MongoDB, or being switched; {told}"
    return Check("homes", bool(details), told if known else "No collection is known to isthmus switch.", details, facts)


def outbox_check(connection: psycopg.Connection[Any]) -> Check:
    """Say which collections have events in the outbox that MongoDB has not got."""
    found = read_outbox(connection, limit=0).collections if has_outbox(connection) else ()
    facts: dict[str, Any] = {}
    for one in found:
        count = one.lag_events + one.parked + one.behind
        next_step = "answer the parked ones: isthmus outbox retry, or skip" if one.parked else "run isthmus outbox run"
        parked = f", {one.parked:,} parked" if one.parked else ""
        why = f"{plural(count, 'event')} of the outbox not applied yet{parked}; {next_step}"
        facts[one.collection] = {"open": count, "parked": one.parked, "why": why}
    total = sum(one["open"] for one in facts.values())
    told = f"{plural(total, 'event')} not applied yet." if total else "No event of the outbox is open."
    return Check("outbox", bool(total), told, [f"{name}: {one['why']}" for name, one in facts.items()], facts)


def _why_it_stays(one: CollectionStatus) -> str:
    move = one.move
    if move is not None and move.ended_at is None:
        left = "" if one.at_work else ", and nobody is at work on it"
        return (
            f"a switch of it to {_PLACES[move.goal]} is under way, behind the step {move.step}{left};"
            " let it end, or end it: isthmus switch cancel"
        )
    if one.home == "mongodb":
        return "it lives in MongoDB, where applications read and write it; move it first: isthmus switch run"
    if one.frozen_seconds is not None:
        return "it is frozen; isthmus switch status tells why"
    return ""


_PLACES = {"mongodb": "MongoDB", "postgres": "PostgreSQL"}
