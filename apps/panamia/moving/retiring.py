"""Retiring a phase: what stands in the way, the export of its collections, and dropping them one by one.

Each is put aside under another name before it is looked at for the last time, so that whoever still writes to it is
seen, and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from isthmus.connect.mongo import MongoServer
from isthmus.errors import GovernError
from isthmus.mapping import Mapping as MappingModel

from .contents import Contents, contents_of, on_server
from .exporting import Export, already_there, export_collection, export_file, read_again, write_manifest
from .live_references import Live, live_references
from .phases import Phase, Standing, why_not_retire
from .retirements import Retirement, announce, note_dropped, read_retirements, take_back

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
        in_the_way: What keeps it from being retired, sentences.
        live: References that need its documents, or are known to lead to them.
    """

    phase: Phase
    database: str
    going: dict[str, int] = field(default_factory=dict[str, int])
    gone: list[str] = field(default_factory=list[str])
    in_the_way: list[str] = field(default_factory=list[str])
    live: list[Live] = field(default_factory=list[Live])


@dataclass(frozen=True)
class Ground:
    """Where a phase is retired.

    Attributes:
        server: MongoDB.
        database: Name of the database there.
        connection: To the target.
        mapping: The mapping.
        standings: How all phases stand.
    """

    server: MongoServer
    database: str
    connection: psycopg.Connection
    mapping: MappingModel
    standings: Mapping[int, Standing]


def phrase(phase: Phase, database: str) -> str:
    """Return what must be typed before anything is dropped."""
    return f"retire {phase.number} of {database}"


def plan(ground: Ground, phase: Phase, decommission: Mapping[str, Any]) -> Plan:
    """Find out what would go, and what stands in the way; writes nothing.

    Args:
        ground: Where.
        phase: The phase.
        decommission: What `isthmus status --decommission` writes as JSON.
    """
    standing = ground.standings[phase.number]
    made = Plan(phase, ground.database)
    names = _names(ground)
    for name in standing.collections:
        place = _aside(name) if name in standing.retired and _aside(name) in names else name
        if place in names and name not in standing.dropped:
            made.going[name] = ground.server.ask(
                "count its documents",
                lambda place=place: ground.server.client[ground.database][place].estimated_document_count(),
                collection=name,
            )
        elif name in standing.dropped:
            made.gone.append(name)
    made.in_the_way = why_not_retire(phase.number, ground.standings)
    made.in_the_way += list(_changed(decommission, [name for name in made.going if name not in standing.retired]))
    made.live = live_references(ground.server, ground.database, ground.mapping, phase, ground.standings)
    for one in made.live:
        if one.count:
            first = ", ".join(one.first)
            made.in_the_way.append(f"{one.place}: {one.count:,} references need its documents ({first} …).")
    return made


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


def retire(
    ground: Ground, made: Plan, folder: Path, look_again: Callable[[], Plan], say: Callable[[str], None]
) -> dict[str, Export]:
    """Export what a phase has in MongoDB, read it again, and drop it; return the exports.

    Safe to call again after any end. Each collection is dropped on its own: the target says before it that its export
    is whole, and behind it that it is gone.

    Args:
        ground: Where.
        made: What is retired; nothing stands in its way.
        folder: Where exports go.
        look_again: Makes the plan anew; asked when all is exported, before anything is dropped.
        say: Told what was done, a sentence at a time.

    Raises:
        ConfigError: An export cannot be written, or is broken. What was not announced is not dropped.
        GovernError: Somebody wrote to a collection meanwhile (code `collection-changed`); it stays.
        SourceError: The server is in trouble.
    """
    announced = read_retirements(ground.connection)
    ground.connection.commit()
    exports: dict[str, Export] = {}
    for name in made.going:
        before = announced.get(name)
        if before is None:
            exports[name] = _exported(ground, name, folder)
        else:
            exports[name] = _known(before, name)
        said = exports[name].contents
        say(f"{name}: {said.documents:,} documents exported to {exports[name].file}, and read again.")
    why = look_again().in_the_way if set(exports) - set(announced) else []
    if why:
        raise GovernError(
            f"Something changed while it was exported: {' '.join(why)}",
            code="collection-changed",
            hint="Nothing more was dropped. See to it, and export it to another folder.",
        )
    _list(made, {name: one for name, one in announced.items() if name in made.gone}, exports, folder)
    for name, export in exports.items():
        if name not in announced:
            one = Retirement(export.contents.documents, export.file, export.sha256, is_dropped=False)
            announce(ground.connection, made.phase.number, name, one)
        _drop(ground, name, export)
        say(f"{name}: dropped.")
    return exports


def _exported(ground: Ground, name: str, folder: Path) -> Export:
    export = export_collection(ground.server, ground.database, name, folder)
    if _contents(ground, name) != export.contents:
        raise already_there(export_file(folder, ground.database, name), f"does not hold what {name} has now")
    return export


def _known(before: Retirement, name: str) -> Export:
    """Read an export that was announced, and hold it against what was said of it."""
    export = read_again(before.file)
    if export.sha256 != before.sha256:
        raise already_there(before.file, f"is not the export of {name} any more that was made before it was to go")
    return export


def _list(made: Plan, dropped: Mapping[str, Retirement], exports: Mapping[str, Export], folder: Path) -> None:
    """Write the list of exports, those of an earlier session with them; one that has them stays as it is."""
    files: dict[str, dict[str, Any]] = {
        name: {"file": str(one.file), "sha256": one.sha256, "documents": one.documents} for name, one in dropped.items()
    }
    for name, one in exports.items():
        files[name] = {"file": str(one.file.absolute()), "sha256": one.sha256, **asdict(one.contents)}
    write_manifest(
        folder / f"phase-{made.phase.number}.json",
        {"database": made.database, "phase": made.phase.number, "name": made.phase.name, "collections": files},
    )


def _drop(ground: Ground, name: str, export: Export) -> None:
    """Put a collection aside, look at it for the last time, and drop it. One that is gone already is noted as that."""
    database, names = ground.server.client[ground.database], _names(ground)
    if _aside(name) not in names and name in names:
        ground.server.ask("rename it", lambda: database[name].rename(_aside(name)), collection=name)
    elif _aside(name) in names and name in names:
        raise GovernError(
            f"Somebody has made the collection {name} anew since it was put aside to be dropped.",
            code="collection-changed",
            hint=f"Nothing more was dropped. Stop who writes there; carry or drop what is in it. {_aside(name)} has"
            " all that was there before.",
        )
    if _aside(name) in _names(ground):
        last = _contents(ground, _aside(name))
        if last != export.contents:
            raise _changed_meanwhile(ground, name, export.contents, last)
        ground.server.ask("drop it", lambda: database.drop_collection(_aside(name)), collection=name)
    note_dropped(ground.connection, name)


def _changed_meanwhile(ground: Ground, name: str, then: Contents, now: Contents) -> GovernError:
    """Put a collection back under its name, and say that it was written to."""
    database = ground.server.client[ground.database]
    back = name not in _names(ground)
    if back:
        ground.server.ask("rename it", lambda: database[_aside(name)].rename(name), collection=name)
        take_back(ground.connection, name)
    where = "It is there as it was" if back else f"It is there as {_aside(name)}, for somebody has made {name} anew"
    return GovernError(
        f"Somebody wrote to {name} since it was exported: it had {then.documents:,} documents, and has"
        f" {now.documents:,} now, or others.",
        code="collection-changed",
        hint=f"{where}; nothing of it was dropped. Stop who writes there, carry the phase again, verify it, and export"
        " it to another folder.",
    )


def _contents(ground: Ground, collection: str) -> Contents:
    return contents_of(on_server(ground.server, ground.database, collection))


def _names(ground: Ground) -> set[str]:
    database = ground.server.client[ground.database]
    return set(ground.server.ask("list its collections", database.list_collection_names))


def _aside(name: str) -> str:
    return f"{name}{_ASIDE}"
