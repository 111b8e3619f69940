"""`isthmus switch status`: where each collection lives, and what is frozen."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import DatabaseOption, JsonOption
from isthmus.cli.switch.options import OptionalSourceOption, TargetOption, telling_trouble

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.polyglot.switch.status import CollectionStatus

_PLACES = {"mongodb": "MongoDB", "postgres": "PostgreSQL"}


def status(
    target: TargetOption,
    collections: Annotated[
        list[str] | None, typer.Argument(metavar="COLLECTION…", help="Which; all by default.", show_default=False)
    ] = None,
    source: OptionalSourceOption = None,
    db: DatabaseOption = None,
    json_file: JsonOption = None,
) -> int:
    """Show where each collection lives, whether it is frozen and for how long, and how far a switch of it is.

    A switch that nobody is at work on, for its process was killed, is shown with the two commands that end it. With
    --source MongoDB is asked, too, whether a fence stands where none should, or is missing where one was raised; while
    it is away that is said, and the rest is shown.

    The JSON: outcome (settled, moving, late-events, fence-missing, fence-left, left: the worst of all), exit_code,
    collections (name → home, generation, since, by, outcome, frozen_seconds or null, at_work, fenced, stands or null,
    open_events, move: goal, step, carrier, began_at, stepped_at, announced_at, ended_at, frozen_seconds, counts, by),
    other_fences (collections with a fence that nobody knows here), source_asked.

    Exit codes: 0 all is settled or at work; 1 a switch was left, a fence stands or is missing, or the outbox has events
    for a collection that lives in PostgreSQL now; 2 usage, no such collection; 4 target.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import err, result_console, show_note, write_json
    from isthmus.cli.switch.options import refuse_unknown
    from isthmus.connect.postgres import connect
    from isthmus.connect.target import open_target
    from isthmus.errors import TargetError
    from isthmus.polyglot.switch.status import read_status, with_fences
    from isthmus.state.switches import has_switches

    with writing_refusals(json_file, failed_json):
        with open_target(target) as address, connect(address.conninfo, autocommit=True) as connection:
            if not has_switches(connection):
                raise TargetError(
                    "This database knows no switches: the table isthmus.switch is not there.",
                    code="switch-missing",
                    hint="Run isthmus switch prepare once, with the direct address of the database.",
                )
            with telling_trouble("show its switches"):
                found = read_status(connection)
                standing, why = _standing(source, db)
                if standing is not None:
                    found = with_fences(found, standing, read_status(connection))
        known = [one.collection for one in found]
        others = sorted(set(standing or ()) - set(known))
        for name in collections or ():
            refuse_unknown(name, known, others)
        found = [one for one in found if not collections or one.collection in collections]
        others = [name for name in others if not collections or name in collections]
        worst = max((_ORDER.index(one.outcome) for one in found), default=0)
        worst = max(worst, _ORDER.index("fence-left") if others else 0)
        outcome, code = _ORDER[worst], int(worst > 1)
        console = result_console(json_file)
        _show(console, found)
        for name in others:
            _show_fence(console, name, "a fence stands before it in MongoDB, and no switch of it is known here")
        if why:
            show_note(err, why)
        result: dict[str, Any] = {
            "outcome": outcome,
            "exit_code": code,
            "collections": {one.collection: _as_json(one) for one in found},
            "other_fences": others,
            "source_asked": standing is not None,
        }
        write_json(result, json_file)
    return code


_ORDER = ("settled", "moving", "late-events", "fence-missing", "fence-left", "left")


def _standing(source: str | None, db: str | None) -> tuple[list[str] | None, str]:
    """Return before which collections a fence stands; or None, and why MongoDB did not say."""
    from contextlib import closing

    from isthmus.cli.running_server import database_of, refuse_no_server
    from isthmus.connect.mongo import open_server
    from isthmus.errors import IsthmusError
    from isthmus.polyglot.switch.fence import fenced_collections

    if source is None:
        return None, ""
    try:
        refuse_no_server(source)
        with closing(open_server(source, patience_seconds=2.0)) as server:
            return fenced_collections(server, database_of(server, db)), ""
    except IsthmusError as fault:
        return None, f"MongoDB was not asked for fences: {fault.message}"


def _show(console: Console, found: list[CollectionStatus]) -> None:
    from isthmus.cli.output import show_rows

    if not found:
        console.print("No collection is known.", markup=False)
        return
    columns = ("collection", "lives in", "since", "frozen s", "step")
    rows = [
        (
            _shown(one.collection),
            _PLACES[one.home],
            f"{one.since:%Y-%m-%d %H:%M}",
            "–" if one.frozen_seconds is None else f"{one.frozen_seconds:.1f}",
            one.move.step if one.move is not None and one.move.ended_at is None else "–",
        )
        for one in found
    ]
    show_rows(console, columns, rows, numbers=columns[3:4])
    for one in found:
        _show_trouble(console, one)


def _show_trouble(console: Console, one: CollectionStatus) -> None:
    from isthmus.cli.output import plural, show_paragraph, show_with_command

    if one.outcome == "left" and one.move is not None:
        what = "Nobody can write" if one.frozen_seconds is not None else "Writers may write"
        console.print()
        show_paragraph(
            console,
            "",
            f"{_shown(one.collection)}: a switch to {_PLACES[one.move.goal]} was left behind the step {one.move.step},"
            f" and no process is at work on it. {what}.",
        )
        verb = "run" if one.move.goal == "postgres" else "back"
        option, _, name = one.move.carrier.partition(" ")
        words = quote(_shown(one.collection))
        show_with_command(console, "  ", "go on", f"isthmus switch {verb} {words} --{option} {quote(_shown(name))}")
        if verb == "run" and option == "mapping":
            show_paragraph(console, "  ", "With --resolutions as well, if it was begun with them.")
        show_with_command(console, "  ", "let them write", f"isthmus switch cancel {words}")
    if one.outcome == "fence-left":
        _show_fence(console, one.collection, "it lives in MongoDB, where a fence refuses every write of it")
    if one.outcome == "fence-missing":
        words = "it lives in PostgreSQL, and the fence in MongoDB that refused writes of it is gone"
        _show_fence(console, one.collection, words, "raise it")
    if one.open_events and one.home == "postgres" and one.outcome not in {"moving", "left"}:
        console.print()
        events = plural(one.open_events, "event")
        show_paragraph(
            console,
            "",
            f"{_shown(one.collection)}: the outbox has {events} for it, enqueued past the guard; they go to MongoDB,"
            " where it does not live any more.",
        )


def _show_fence(console: Console, collection: str, what: str, mend: str = "lift it") -> None:
    from isthmus.cli.output import show_paragraph, show_with_command

    console.print()
    show_paragraph(console, "", f"{_shown(collection)}: {what}.")
    show_with_command(console, "  ", mend, f"isthmus switch cancel {quote(_shown(collection))}")


def _shown(text: str) -> str:
    """Return a text of somebody else's on one line."""
    return "".join(character if character.isprintable() else " " for character in text)


def _as_json(one: CollectionStatus) -> dict[str, Any]:
    move = one.move
    return {
        "home": one.home,
        "generation": one.generation,
        "since": one.since.isoformat(),
        "by": one.said_by,
        "outcome": one.outcome,
        "frozen_seconds": None if one.frozen_seconds is None else round(one.frozen_seconds, 3),
        "at_work": one.at_work,
        "fenced": one.fenced,
        "stands": one.stands,
        "open_events": one.open_events,
        "move": None
        if move is None
        else {
            "goal": move.goal,
            "step": move.step,
            "carrier": move.carrier,
            "began_at": move.began_at.isoformat(),
            "stepped_at": move.stepped_at.isoformat(),
            "announced_at": move.announced_at.isoformat() if move.announced_at else None,
            "ended_at": move.ended_at.isoformat() if move.ended_at else None,
            "frozen_seconds": move.frozen_seconds,
            "counts": dict(move.counts),
            "by": move.said_by,
        },
    }
