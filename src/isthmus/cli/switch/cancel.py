"""`isthmus switch cancel`: let a collection be written again where it lives."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from isthmus.cli.options import DatabaseOption, JsonOption
from isthmus.cli.switch.options import SOURCE_HELP, CollectionArgument, TargetOption, telling_trouble


def cancel(
    collection: CollectionArgument,
    target: TargetOption,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            envvar="MONGODB_URI",
            metavar="SOURCE",
            help=f"{SOURCE_HELP} Needed where a fence stands.",
            show_default=False,
        ),
    ] = None,
    db: DatabaseOption = None,
    json_file: JsonOption = None,
) -> int:
    """Let COLLECTION be written again where it lives, after a switch that was killed; takes back no flip.

    On the way to PostgreSQL the fence is lowered; on the way back, where it stood, raised again. What was copied stays
    in the table; the next switch goes on from it.

    The JSON: outcome (cancelled, nothing, failed), exit_code, collection, home, frozen_seconds.

    Exit codes: 0 it may be written, 1 the fence cannot be lowered, 2 usage, 3 SOURCE, 4 TARGET, or a switch is at work.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.running_server import database_of, refuse_no_server
    from isthmus.connect.mongo import open_server
    from isthmus.connect.target import open_target
    from isthmus.errors import ConfigError
    from isthmus.polyglot.switch.fence import Fence
    from isthmus.polyglot.switch.ledger import held
    from isthmus.polyglot.switch.run import cancel as let_write

    with writing_refusals(json_file, failed_json), ExitStack() as stack:
        address = stack.enter_context(open_target(target))
        stack.enter_context(telling_trouble("let the collection be written"))
        ledger = stack.enter_context(held(address.conninfo, collection))
        move, (home, _, _) = ledger.open_move(), ledger.stands()
        fence = None
        if move is not None and ledger.fence() is not None:
            if source is None:
                raise ConfigError(
                    "A fence stands in MongoDB: say with --source where.",
                    code="source-needed",
                    hint="Give --source, or set MONGODB_URI.",
                )
            refuse_no_server(source)
            server = stack.enter_context(closing(open_server(source, patience_seconds=5.0)))
            fence = Fence(server, database_of(server, db), ledger)
        seconds = let_write(ledger, fence, move) if move is not None else 0.0
        place = "PostgreSQL" if home == "postgres" else "MongoDB"
        words = f"{collection} may be written again; it lives in {place}, and was frozen for {seconds:.1f} s."
        nothing = f"Nothing is under way; {collection} lives in {place}."
        console = result_console(json_file)
        console.print(words if move is not None else nothing, markup=False, soft_wrap=True)
        result = {
            "outcome": "cancelled" if move is not None else "nothing",
            "exit_code": 0,
            "collection": collection,
            "home": home,
            "frozen_seconds": round(seconds, 3),
        }
        write_json(result, json_file)
    return 0
