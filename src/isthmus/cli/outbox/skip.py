"""`isthmus outbox skip`: parked events are left out for good, with the reason."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.outbox.options import TargetOption

_LARGEST = 2**63 - 1


def skip(
    target: TargetOption,
    numbers: Annotated[
        list[int],
        typer.Argument(metavar="NUMBER…", min=1, max=_LARGEST, help="Parked events.", show_default=False),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why they may be left out. Kept.", show_default=False)
    ],
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="NAME",
            help="Who says so; the role of the connection is kept in any case.",
            show_default=False,
        ),
    ] = None,
    json_file: JsonOption = None,
) -> int:
    """Leave parked events out for good; what waits behind them goes on.

    They stay in isthmus.outbox with the reason, and are never cleaned up.

    The JSON: outcome (skipped, failed), exit_code, numbers (of the events).

    Exit codes: 0 they are left out, 2 usage, no reason, or a number of no parked event: nothing was written; 4 target.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.outbox.options import outbox_of
    from isthmus.cli.output import plural, result_console, write_json
    from isthmus.polyglot.outbox.answers import skip as leave_out

    with writing_refusals(json_file, failed_json):
        with outbox_of(target) as connection:
            found = leave_out(connection, numbers, reason, by=by)
        verb = "is" if len(found) == 1 else "are"
        result_console(json_file).print(f"{plural(len(found), 'event')} {verb} left out.", markup=False)
        write_json({"outcome": "skipped", "exit_code": 0, "numbers": found}, json_file)
    return 0
