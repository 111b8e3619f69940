"""`isthmus copy`: carry a database, or go on with carrying it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Annotated, Any

import typer

from isthmus.cli.options import (
    DEFAULT_WORKERS,
    DatabaseOption,
    IdKeyOption,
    IgnoreOplogOption,
    JsonOption,
    LogOption,
    MappingArgument,
    ResolutionsOption,
    RetrySecondsOption,
    SourceOption,
    TargetOption,
    WorkersOption,
    check_size,
    parse_size,
    read_key,
)


def copy(
    mapping: MappingArgument,
    source: SourceOption,
    target: TargetOption,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    workers: WorkersOption = DEFAULT_WORKERS,
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            envvar="ISTHMUS_MEMORY",
            metavar="SIZE",
            callback=check_size,
            help="Budget of all buffers together: bytes, or with K, M or G.",
        ),
    ] = "192M",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: drop the tables and the state of the last run first.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="COLLECTION",
            help="Carry this collection only (may be repeated); for tables that exist. References to others wait.",
        ),
    ] = None,
    resolutions: ResolutionsOption = None,
    retry_seconds: RetrySecondsOption = 60.0,
    id_key: IdKeyOption = None,
    json_file: JsonOption = None,
    log: LogOption = None,
) -> int:
    """Carry SOURCE to TARGET as MAPPING says, or go on with it.

    Resuming needs no flag: the same command continues where the last one ended, also after a crash. A copy that is
    complete is compared with the source and left as it is. Nobody needs to read what it prints: a pipe that closes
    changes neither the copy nor its exit code.

    Where the mapping has identities, who is one with whom is found out first, and kept before any document is
    carried; a copy is refused while a person must say something (isthmus identities plan).

    A log (--log) is added to, by one copy at a time: each session of a run, and each dead letter once, also after a
    crash. One that could not take all of it makes the exit code 2 or more.

    Exit codes: 0 all carried, 1 something was not carried or handled by a default, or the source was written to while
    it was read, 2 usage or mapping, 3 source, 4 target, 130 stopped by Ctrl-C, SIGTERM or SIGHUP (a lost terminal) and
    resumable.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.books import copy_json, show_result
    from isthmus.cli.findings import uncopied_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import delivered, err, result_console, show_lost_output, write_json
    from isthmus.cli.run_log import run_log
    from isthmus.cli.so_far import carried_so_far, noting_run
    from isthmus.cli.streams import reader_left
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.mapping.resolutions import resolutions_of
    from isthmus.transfer.job import Options
    from isthmus.transfer.result import Result
    from isthmus.transfer.run import copy_database, tell
    from isthmus.work.progress import Progress

    options = Options(
        workers=workers,
        memory_bytes=parse_size(memory),
        retry_seconds=retry_seconds,
        fresh=fresh,
        id_key=read_key(id_key) if id_key is not None else None,
        only=tuple(only or ()),
    )
    known: dict[str, Any] = {}
    result = Result()
    words = {"command": "copy", "mapping": str(mapping), "source": source, "target": target}
    with (
        writing_refusals(json_file, lambda fault: uncopied_json(fault, known or carried_so_far(result))),
        run_log(log, result, **words) as kept,
    ):
        checked = load_mapping(mapping)
        mapping_text = mapping.read_text(encoding="utf-8")
        options = replace(options, resolutions=resolutions_of(mapping, checked, resolutions))
        progress = Progress()
        view = ProgressView(progress)
        kept.listen(progress)
        opening = open_waiting(source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress)
        with (
            closing(opening) as opened,
            open_target(target, create=True) as address,
            tidied_before_leaving(address.close),
            noting_run(known, address.conninfo),
            stop_on_signals(err) as stop,
        ):
            with kept.following(address.conninfo, progress), view:
                copy_database(
                    checked,
                    opened,
                    address.conninfo,
                    mapping_text=mapping_text,
                    options=options,
                    progress=progress,
                    stop=stop,
                    result=result,
                )
            show_result(result_console(json_file), result, address.display)
            write_json(copy_json(result, checked.junctions), json_file)
            if delivered(json_file):
                tell(address.conninfo, result)
    if json_file == "-" and reader_left():  # who asks for the result as JSON must not take its absence for a result
        return max(result.exit_code, show_lost_output())
    return result.exit_code
