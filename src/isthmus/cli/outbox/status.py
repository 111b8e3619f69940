"""`isthmus outbox status`: how far it is behind, and what waits for a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.outbox.options import TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.polyglot.outbox.status import Status, Troubled


def status(
    target: TargetOption,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most refused events to list.")] = 50,
    changes: Annotated[
        bool, typer.Option("--changes", help="Show also what refused events would do; these are values of documents.")
    ] = False,
    json_file: JsonOption = None,
) -> int:
    """Show the lag of the outbox in events and seconds, and the events that were refused.

    The lag is of what is on its way: committed, not applied yet, with no parked event before it. Parked events and what
    waits behind them are counted apart. Events of a collection that isthmus switch brought to PostgreSQL are never
    applied; they are told of even before a relay parks them.

    The JSON: outcome (clear, behind, parked, elsewhere), exit_code, lag_events, lag_seconds, parked, behind, elsewhere
    (collections with events that live in PostgreSQL), collections (the numbers of each, and retrying), troubled
    (number, collection, id, operation, attempts, fault, words, created_at, parked_at, next_attempt_at, behind; with
    --changes also bytes and change, in canonical Extended JSON, null where it is larger than 256 KiB).

    Exit codes: 0 nothing is parked, 1 something is, or is for a collection that lives in PostgreSQL; 2 usage; 4 target.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.outbox.options import outbox_of
    from isthmus.cli.output import result_console, write_json
    from isthmus.polyglot.outbox.status import read_status

    with writing_refusals(json_file, failed_json):
        with outbox_of(target) as connection:
            found = read_status(connection, limit=limit, changes=changes)
        code = 1 if found.parked or found.elsewhere else 0
        _show(result_console(json_file), found, changes=changes)
        write_json(_as_json(found, code, changes=changes), json_file)
    return code


def _show(console: Console, found: Status, *, changes: bool) -> None:
    from isthmus.cli.output import plural, show_more, show_paragraph, show_rows, some

    words = "All is applied." if found.outcome == "clear" else ""
    if found.lag_events:
        words = f"{plural(found.lag_events, 'event')} on the way, the oldest for {found.lag_seconds:.1f} s."
    if found.parked:
        words = f"{words} {plural(found.parked, 'event')} parked, {found.behind:,} behind.".strip()
    console.print(words, markup=False)
    if not found.collections:
        return
    columns = ("collection", "on the way", "oldest s", "retrying", "parked", "behind")
    rows = [
        (
            _shown(one.collection),
            some(one.lag_events),
            f"{one.lag_seconds:.1f}" if one.lag_events else "–",
            some(one.retrying),
            some(one.parked),
            some(one.behind),
        )
        for one in found.collections
    ]
    console.print()
    show_rows(console, columns, rows, numbers=columns[1:])
    for name in found.elsewhere:
        words = "lives in PostgreSQL: what is enqueued for it is parked, never applied. Write to its store there."
        show_paragraph(console, "", f"{_shown(name)} {words}")
    for one in found.troubled:
        _show_troubled(console, one)
        if changes:
            _show_change(console, one)
    there = found.parked + sum(one.retrying for one in found.collections)
    show_more(console, there - len(found.troubled), "--limit shows more")


def _show_troubled(console: Console, one: Troubled) -> None:
    from isthmus.cli.output import plural, show_paragraph
    from isthmus.connect.secrets import hide
    from isthmus.state.source_ids import show

    stands = f"parked since {one.parked_at:%Y-%m-%d %H:%M}" if one.parked_at else "tried again by itself"
    behind = f", {one.behind:,} behind" if one.behind else ""
    console.print()
    head = f"event {one.id}: {one.operation} of {_shown(one.collection)} {_shown(show(one.document_id))}"
    console.print(f"{head}, {stands} after {plural(one.attempts, 'attempt')}{behind}", markup=False, soft_wrap=True)
    show_paragraph(console, "  ", f"{one.fault}: {hide(_shown(one.words))}")


def _show_change(console: Console, one: Troubled) -> None:
    words = "" if one.operation == "delete" else _change(one) or f"{one.bytes:,} bytes, too many to show"
    if words:
        console.print(f"  {_shown(words)}", markup=False, soft_wrap=True)


def _change(one: Troubled) -> str | None:
    """Return what an event would do in canonical Extended JSON; None where that was not read, or is nothing."""
    from isthmus._rust import extended_json

    return extended_json(one.change) if one.change else None


def _shown(text: str) -> str:
    """Return a text of somebody else's on one line."""
    return "".join(character if character.isprintable() else " " for character in text)


def _as_json(found: Status, code: int, *, changes: bool) -> dict[str, Any]:
    from isthmus.state.source_ids import show

    def change(one: Troubled) -> dict[str, Any]:
        text = _change(one)
        return {"bytes": one.bytes, "change": None if text is None else json.loads(text)} if changes else {}

    return {
        "outcome": found.outcome,
        "exit_code": code,
        "lag_events": found.lag_events,
        "lag_seconds": round(found.lag_seconds, 3),
        "parked": found.parked,
        "behind": found.behind,
        "elsewhere": [*found.elsewhere],
        "collections": {
            one.collection: {
                "lag_events": one.lag_events,
                "lag_seconds": round(one.lag_seconds, 3),
                "retrying": one.retrying,
                "parked": one.parked,
                "behind": one.behind,
            }
            for one in found.collections
        },
        "troubled": [
            {
                "number": one.id,
                "collection": one.collection,
                "id": show(one.document_id),
                "operation": one.operation,
                "attempts": one.attempts,
                "fault": one.fault,
                "words": one.words,
                "created_at": one.created_at.isoformat(),
                "parked_at": one.parked_at.isoformat() if one.parked_at else None,
                "next_attempt_at": one.next_attempt_at.isoformat() if one.next_attempt_at else None,
                "behind": one.behind,
                **change(one),
            }
            for one in found.troubled
        ],
    }
