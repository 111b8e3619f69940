"""`isthmus status`: where the last run of a target stands, or what still needs MongoDB."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import (
    DatabaseOption,
    IgnoreOplogOption,
    JsonOption,
    ReadTargetOption,
    RetrySecondsOption,
)


def status(
    target: ReadTargetOption,
    mapping: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MAPPING]",
            help="With --decommission: the mapping file, if it is another than that of the target's newest run.",
            show_default=False,
        ),
    ] = None,
    decommission: Annotated[
        bool,
        typer.Option("--decommission", help="Tell what still stands between here and switching MongoDB off."),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            envvar="MONGODB_URI",
            metavar="SOURCE",
            help="With --decommission: the MongoDB side, best mongodb://HOST/DATABASE of the running server."
            " MONGODB_URI_FILE may name a file that holds the address.",
            show_default=False,
        ),
    ] = None,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    code: Annotated[
        list[Path] | None,
        typer.Option(
            "--code",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="With --decommission: a folder of code, looked through for what still names MongoDB; may be repeated.",
        ),
    ] = None,
    minutes: Annotated[
        int,
        typer.Option("--minutes", min=1, metavar="N", help="With --decommission: how far to look back for writes."),
    ] = 60,
    retry_seconds: RetrySecondsOption = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Tell where the last run stands, what it left behind, and what to do next. Writes nothing.

    With --decommission instead: whether anything still needs MongoDB. It looks at collections that are not carried or
    not verified; documents that are newer than their copy; dead letters and conflicts that nobody answered or
    acknowledged; references in their old form in documents that stay; references of rows that wait; collections that
    live in MongoDB or are being moved, as isthmus switch has it; events of the outbox that are open or parked; writes
    of the last minutes, as far as the server tells; and lines of code, settings and dependencies that name MongoDB, by
    file and line and never by their text. What refs rewrite replaced makes no document newer. As long as it runs there
    are temporary tables in TARGET.

    The JSON of --decommission: outcome (clear, in-the-way), exit_code, in_the_way, and checks (of each: check,
    stands_in_the_way, which is null where it cannot be told, told, facts, acknowledged).

    Exit codes: 0 the run is told, whatever it left behind; 1 it is complete and its books do not balance; 4 the target
    cannot be read or holds no run. With --decommission: 0 nothing stands in the way; 1 something does; 2 usage or
    mapping; 3 source; 4 target; 130 stopped.
    """
    from isthmus.cli.decommission import refuse_lone_options, tell_decommission
    from isthmus.cli.standing import tell_run

    if decommission:
        return tell_decommission(
            target,
            mapping,
            source,
            db=db,
            ignore_oplog=ignore_oplog,
            code=code or [],
            minutes=minutes,
            retry_seconds=retry_seconds,
            json_file=json_file,
        )
    refuse_lone_options(mapping, code)
    return tell_run(target, json_file)
