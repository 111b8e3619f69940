"""What retiring a phase would do, and what stands in the way: found out from both databases. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from isthmus.connect.mongo import MongoServer
from isthmus.errors import GovernError
from isthmus.mapping import Mapping as MappingModel
from isthmus.state.runs import Run
from isthmus.work.amounts import plural

from .carried_from import differs, run_of
from .leaving_out import LeavingOut
from .live_references import Live, live_references
from .phases import Phase, Standing, why_not_retire
from .retirements import read_retirements
from .returned import Returned, look_at

_ASIDE = ".isthmus-retiring"
_FATES = frozenset({"carried", "gone", "left behind", "optional"})


@dataclass
class Plan:
    """What retiring a phase would do.

    Attributes:
        phase: The phase.
        database: Name of the MongoDB database.
        going: Collections that are there, with how many documents the server says they have.
        gone: Those that were dropped before.
        absent: Those that are not there, of which no document was carried.
        unnoted: Those that were dropped, and an end of everything kept from being written down.
        returned: Those that are there again with something else than was exported.
        in_the_way: What keeps it from being retired, sentences.
        live: References that need its documents, or are known to lead to them.
        carried_from: The source that the phase was carried from, for people; None where it was never run.
    """

    phase: Phase
    database: str
    going: dict[str, int] = field(default_factory=dict[str, int])
    gone: list[str] = field(default_factory=list[str])
    absent: list[str] = field(default_factory=list[str])
    unnoted: list[str] = field(default_factory=list[str])
    returned: list[Returned] = field(default_factory=list[Returned])
    in_the_way: list[str] = field(default_factory=list[str])
    live: list[Live] = field(default_factory=list[Live])
    carried_from: str | None = None


@dataclass(frozen=True)
class Ground:
    """Where a phase is retired.

    Attributes:
        server: MongoDB.
        database: Name of the database there.
        connection: To the target.
        mapping: The mapping.
        standings: How all phases stand.
        leaving: Takes out of documents what may stand in no export.
        with_secrets: Whether exports hold it all the same.
    """

    server: MongoServer
    database: str
    connection: psycopg.Connection
    mapping: MappingModel
    standings: Mapping[int, Standing]
    leaving: LeavingOut
    with_secrets: bool = False


def phrase(phase: Phase, database: str) -> str:
    """Return what must be typed before anything is dropped."""
    return f"retire {phase.number} of {database}"


def refuse_other_source(ground: Ground, phase: Phase) -> None:
    """Refuse a database that is not the one a phase was carried from, as a copy and a verification do.

    Raises:
        GovernError: It is another one (code `other-source`).
    """
    run = run_of(ground.connection, ground.standings[phase.number])
    told = differs(run, ground.database)
    if run is not None and told is not None:
        raise GovernError(
            f"Phase {phase.number} was carried by run {run.id} from another source, {run.source_name} ({told}).",
            code="other-source",
            hint="Nothing was done. Name the database that it was carried from.",
        )


def plan(ground: Ground, phase: Phase, decommission: Mapping[str, Any]) -> Plan:
    """Find out what would go, and what stands in the way; writes nothing.

    Args:
        ground: Where.
        phase: The phase.
        decommission: What `isthmus status --decommission` writes as JSON.
    """
    standing = ground.standings[phase.number]
    made = Plan(phase, ground.database)
    if standing.run is None and not standing.retired:
        names = ", ".join(standing.collections)
        made.in_the_way.append(f"Phase {phase.number} was never run: nothing of {names} is in PostgreSQL.")
        return made
    run = run_of(ground.connection, standing)
    made.carried_from = run.source_name if run is not None else None
    fresh = _sort(ground, made, standing, _carried(run))
    made.in_the_way += why_not_retire(phase.number, ground.standings)
    made.in_the_way += list(_changed(decommission, fresh))
    made.in_the_way += [
        f"{name}: {one['why']}."
        for check in ("homes", "outbox")
        for name, one in (_check(decommission, check).get("facts") or {}).items()
        if name in made.going and one["why"]
    ]
    made.live = live_references(ground.server, ground.database, ground.mapping, phase, ground.standings)
    for one in made.live:
        if one.count:
            first = ", ".join(one.first)
            made.in_the_way.append(f"{one.place}: {one.count:,} references need its documents ({first} …).")
    return made


def _carried(run: Run | None) -> dict[str, int]:
    """Return how many documents of each collection a run carried, by its books; of those it skipped none."""
    books: Mapping[str, Any] = (run.balance or {}).get("collections", {}) if run is not None else {}
    return {name: int(one["read"]) - int(one["skipped"]) for name, one in books.items()}


def _sort(ground: Ground, made: Plan, standing: Standing, carried: Mapping[str, int]) -> list[str]:
    """Put each collection of a phase where it belongs in a plan; return those that are to be exported."""
    kinds, recorded, fresh = kinds_of(ground), read_retirements(ground.connection), list[str]()
    for name in standing.collections:
        before, place = recorded.get(name), aside(name) if aside(name) in kinds else name
        if place != name and (before is None or name in kinds):
            made.in_the_way.append(_two(name, announced=before is not None))
        elif place not in kinds and before is None and carried.get(name):
            count = plural(carried[name], "document")
            was = "was" if carried[name] == 1 else "were"
            made.in_the_way.append(f"{name}: {count} of it {was} carried; it is not in {made.database} any more.")
        elif place not in kinds:
            whither = made.absent if before is None else made.gone if before.is_dropped else made.unnoted
            whither.append(name)
        elif kinds[place] != "collection":
            made.in_the_way.append(f"{name}: it is a {kinds[place]}, which cannot be put aside to be looked at.")
        else:
            if before is None:
                fresh.append(name)
            elif place == name:
                returned = look_at(ground.server, ground.database, name, before, ground.leaving)
                if not returned.is_as_exported:
                    made.returned.append(returned)
                    made.in_the_way.append(returned.told)
                    continue
            made.going[name] = ground.server.ask(
                "count its documents",
                lambda place=place: ground.server.client[ground.database][place].estimated_document_count(),
                collection=name,
            )
    return fresh


def _two(name: str, *, announced: bool) -> str:
    if announced:
        return (
            f"{name}: somebody has made it anew since it was put aside to be dropped; {aside(name)} has all that was"
            " there before."
        )
    return f"{name}: there is a collection {aside(name)}, which this command did not put aside: see what it is."


def _check(decommission: Mapping[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in decommission.get("checks", ()) if one["check"] == name), {})


def _changed(decommission: Mapping[str, Any], names: list[str]) -> list[str]:
    """Say which collections are not verified, or are not as they were when they were."""
    found: list[str] = []
    if decommission.get("at_work"):
        found.append(f"Another isthmus ({decommission['at_work']}) writes to the target now.")
    fates = _check(decommission, "collections").get("facts") or {}
    documents = _check(decommission, "documents").get("facts") or {}
    for name in names:
        fate = fates.get(name, {"fate": "unnamed", "why": "the mapping does not name it"})
        if fate["fate"] not in _FATES:
            found.append(f"{name}: {fate['why']}.")
        one = documents.get(name, {})
        parts = [f"{one[word]:,} {word}" for word in ("new", "changed", "gone") if one.get(word)]
        parts += [f"not read to its end ({why})" for why in one.get("broken", ())]
        if parts:
            listed = ", ".join(one["listed"][:3])
            found.append(f"{name}: not as it was carried: {', '.join(parts)}{f' ({listed})' if listed else ''}.")
    return found


def kinds_of(ground: Ground) -> dict[str, str]:
    """Return the collections that are there now, and what each is.

    Raises:
        SourceError: The server does not say.
    """
    database = ground.server.client[ground.database]

    def ask() -> dict[str, str]:
        return {str(one["name"]): str(one.get("type", "collection")) for one in database.list_collections()}

    return ground.server.ask("list its collections", ask)


def aside(name: str) -> str:
    """Return the name under which a collection is put aside."""
    return f"{name}{_ASIDE}"
