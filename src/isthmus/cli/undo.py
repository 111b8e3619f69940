"""`isthmus undo`: take back what copies brought into tables that exist, and never what was written since."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.options import JsonOption, MappingArgument, RetrySecondsOption, TargetOption


def undo(
    mapping: MappingArgument,
    target: TargetOption,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="COLLECTION",
            help="Take back this collection only (may be repeated). References of others to it wait again.",
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Do it. Without this nothing is written anywhere: a dry run.")
    ] = False,
    leave_new_rows: Annotated[
        bool,
        typer.Option(
            "--leave-new-rows",
            help="Leave rows that others added to these tables since the first copy where they are. They are listed all"
            " the same. Without this they stand in the way. A row that refers to one which would go cannot stay: it"
            " stands in the way all the same.",
        ),
    ] = False,
    limit: Annotated[
        int,
        typer.Option("--limit", min=1, metavar="N", help="Most ids to list of each table and reason; all are counted."),
    ] = 100,
    retry_seconds: RetrySecondsOption = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Remove the rows that copies brought to TARGET and that nobody has written to since.

    A dry run unless --live is given. For tables that exist (target: tables: existing) whose rows are tracked (rerun:
    tracked). All or nothing, in one transaction; readers go on meanwhile, writers wait. No source is needed.

    It is refused, with a list, where a row, its child rows or its pairs were written to, added or taken away since they
    were carried, also in columns that the mapping does not fill; where a row was there before and a copy wrote to it;
    where documents of a collection that stays are in the same row; where its id stands in documents of MongoDB (refs
    rewrite); and where rows of anybody, in any table, refer to a row that would go by a foreign key. Rows that were
    there before and that no copy wrote to stay as they are. Rows that others have deleted stay deleted, also in later
    copies.

    Rows that others added to these tables since the first copy are never removed. They stand in the way, too, for
    MongoDB has none of them: --leave-new-rows says that they may stay where they are. One that refers to a row which
    would go by a foreign key cannot stay; it is listed as referring (referred) whatever is said, and has to go first
    (sign-ins, sessions) or to refer to another row. Where the first copy was made by a version that did not note which
    rows stood there before, this is so of every row that no copy carried.

    A collection that lives in PostgreSQL (isthmus switch), or whose switch has not ended, is refused as a whole: its
    rows are what applications read and write.

    References that copies set in rows of other collections wait again; a later copy sets them. What is known of the
    rows is forgotten: their runs with their dead letters and orphans, or, of a run that carried others too, its part. A
    later copy is a first copy again and gives every document the id that it had. isthmus.undo says what was done.

    The JSON: mode (dry-run, live), outcome (clear, done, in-the-way, nothing, interrupted, failed), exit_code, undo,
    seconds, collections, removed, would_remove, stayed and deleted (table: rows; removed is empty where nothing was),
    waiting (column: references), in_the_way and left (why, table, detail, count, ids; of edited and written-beside also
    triggers, which write, too, when somebody puts such rows back, and columns: column, count, carried of those that the
    mapping does not fill, where the digest proves what they held), runs (id, forgotten, source_name, started_at,
    finished_at), notes.

    Exit codes: 0 done, could be done, or nothing is left to take back; 1 something stands in the way, and nothing was
    removed; 2 usage or mapping; 4 target; 130 stopped, and nothing was removed.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.undo_shown import show_result
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.transfer.undoing.result import UndoResult
    from isthmus.transfer.undoing.undo import undo_copy
    from isthmus.work.progress import Progress

    result = UndoResult("live" if live else "dry-run", limit=limit)
    with writing_refusals(json_file, lambda fault: {**result.as_json(), **failed_json(fault)}):
        checked = load_mapping(mapping)
        progress = Progress()
        with (
            open_target(target) as address,
            tidied_before_leaving(address.close),
            stop_on_signals(err, "giving up at the next step") as stop,
        ):
            with ProgressView(progress):
                undo_copy(
                    checked,
                    address.conninfo,
                    mapping_text=mapping.read_text(encoding="utf-8"),
                    only=tuple(only or ()),
                    live=live,
                    leave_new_rows=leave_new_rows,
                    retry_seconds=retry_seconds,
                    progress=progress,
                    stop=stop,
                    result=result,
                )
            show_result(result_console(json_file), result)
            write_json(result.as_json(), json_file)
    return result.exit_code
