"""`isthmus switch cancel`: let a collection be written again where it lives."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import DatabaseOption, JsonOption
from isthmus.cli.switch.options import (
    CollectionArgument,
    OptionalSourceOption,
    ReplacedOption,
    TargetOption,
    telling_trouble,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isthmus.polyglot.switch.fence import Fence
    from isthmus.polyglot.switch.ledger import Ledger


def cancel(
    collection: CollectionArgument,
    target: TargetOption,
    source: OptionalSourceOption = None,
    db: DatabaseOption = None,
    fence: Annotated[
        bool,
        typer.Option(
            "--fence/--no-fence",
            help="Put the fence in MongoDB where it should be; else leave it as it is, and do not ask MongoDB.",
        ),
    ] = True,
    replaced: ReplacedOption = False,
    json_file: JsonOption = None,
) -> int:
    """Let COLLECTION be written again where it lives, after a switch that was killed; takes back no flip.

    On the way to PostgreSQL the fence is lowered; on the way back, where it stood, raised again. A fence that stands
    though nothing is under way, or that should stand and does not, is set right as well. What was copied stays in the
    table; the next switch goes on from it.

    While MongoDB is away: a collection that lives in PostgreSQL may be written at once, and the fence is raised by a
    later cancel. One that lives in MongoDB stays as it is, unless --no-fence lets writers write before MongoDB does.

    The JSON: outcome (cancelled, nothing, failed), exit_code, collection, home, frozen_seconds, fence (lowered, raised,
    left, none), note.

    Exit codes: 0 it may be written, 1 the fence cannot be lowered, or stands elsewhere, 2 usage, no such collection, 3
    SOURCE, 4 TARGET, or a switch is at work.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import err, result_console, show_note, write_json
    from isthmus.cli.switch.options import refuse_unknown
    from isthmus.connect.target import open_target
    from isthmus.polyglot.switch.cancelling import cancel as let_write
    from isthmus.polyglot.switch.ledger import held

    with writing_refusals(json_file, failed_json), ExitStack() as stack:
        address = stack.enter_context(open_target(target))
        stack.enter_context(telling_trouble("let the collection be written"))

        def unknown(known: Sequence[str]) -> None:
            refuse_unknown(collection, known, _fenced(source, db))

        ledger = stack.enter_context(held(address.conninfo, collection, unknown=unknown))
        move, (home, _, frozen) = ledger.open_move(), ledger.stands()
        found, why = _opened(ledger, source, db, replaced, stack) if fence else (None, "")
        done = let_write(ledger, found, move)
        did = move is not None or frozen or done.fence in {"lowered", "raised"}
        place = "PostgreSQL" if home == "postgres" else "MongoDB"
        console = result_console(json_file)
        if move is not None or frozen:
            seconds = f"{done.frozen_seconds:.1f} s"
            words = f"{collection} may be written again; it lives in {place}, and was frozen for {seconds}."
        else:
            words = f"Nothing is under way; {collection} lives in {place}."
        console.print(words, markup=False, soft_wrap=True)
        if done.fence in {"lowered", "raised"}:
            console.print(f"The fence in MongoDB is {done.fence}.", markup=False)
        note = " ".join(filter(None, (why, done.note)))
        if note:
            show_note(err, note)
        result: dict[str, Any] = {
            "outcome": "cancelled" if did else "nothing",
            "exit_code": 0,
            "collection": collection,
            "home": home,
            "frozen_seconds": round(done.frozen_seconds, 3),
            "fence": done.fence,
            "note": note or None,
        }
        write_json(result, json_file)
    return 0


def _fenced(source: str | None, db: str | None) -> list[str]:
    """Return before which collections a fence stands, whoever raised it; none where MongoDB does not say."""
    from isthmus.cli.running_server import database_of
    from isthmus.connect.mongo import open_server
    from isthmus.errors import IsthmusError
    from isthmus.polyglot.switch.fence import fenced_collections

    if source is None:
        return []
    try:
        with closing(open_server(source, patience_seconds=2.0)) as server:
            return fenced_collections(server, database_of(server, db))
    except IsthmusError:
        return []


def _opened(
    ledger: Ledger, source: str | None, db: str | None, replaced: bool, stack: ExitStack
) -> tuple[Fence | None, str]:
    """Return the fence; or None and why MongoDB is not asked, where it need not be: the collection lives in PostgreSQL.

    Raises:
        ConfigError: A fence stands, and nobody says where (code `source-needed`).
        SourceError: MongoDB cannot be reached, and the collection lives there.
    """
    from isthmus.cli.running_server import database_of, refuse_no_server
    from isthmus.connect.mongo import open_server
    from isthmus.errors import ConfigError, SourceError
    from isthmus.polyglot.switch.fence import Fence

    home, _, _ = ledger.stands()
    if source is None:
        if ledger.fence() is not None and home == "mongodb":
            raise ConfigError(
                "A fence stands in MongoDB: say with --source where.",
                code="source-needed",
                hint="Give --source, or set MONGODB_URI; --no-fence leaves it where it is.",
            )
        return None, ""
    refuse_no_server(source)
    try:
        server = stack.enter_context(closing(open_server(source, patience_seconds=5.0)))
        return Fence(server, database_of(server, db), ledger, replaced=replaced), ""
    except SourceError as fault:
        if home == "mongodb" and ledger.fence() is not None:
            raise
        return None, f"MongoDB was not asked for a fence: {fault.message}"
