"""`isthmus refs rewrite`: old ids inside live MongoDB documents become the ids of the rows in the target."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Annotated

import typer

from isthmus.cli.options import DatabaseOption, JsonOption, MappingArgument, RetrySecondsOption, TargetOption


def rewrite(
    mapping: MappingArgument,
    source: Annotated[
        str,
        typer.Option(
            "--source",
            "-s",
            envvar="MONGODB_URI",
            metavar="SOURCE",
            help="The running server whose documents are rewritten: mongodb://HOST/DATABASE or mongodb+srv://…."
            " MONGODB_URI_FILE may name a file that holds the address.",
            show_default=False,
        ),
    ],
    target: TargetOption,
    db: DatabaseOption = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="TABLE|COLLECTION",
            help="Write ids of this table only, or of the table that this collection fills (may be repeated).",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="COLLECTION", help="Look through the documents of this collection only (may be repeated)."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Do it. Without this nothing is written anywhere: a dry run.")
    ] = False,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Put back what was written before, as the log in the target has it; dry without --live."
        ),
    ] = False,
    leave_ids: Annotated[
        bool,
        typer.Option(
            "--leave-ids",
            help="With --undo: where others have put the id of another row in the place of what was written, it may"
            " stay. It is listed and noted in the log, and nothing waits for it any more.",
        ),
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=0, metavar="N", help="Most values to list of each path and outcome; all are counted."
        ),
    ] = 100,
    retry_seconds: RetrySecondsOption = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Replace old ids inside the documents of SOURCE by the ids of the rows that those documents became in TARGET.

    A dry run unless --live is given. Where references stand, MAPPING says: references, route, rewrite, junctions, also
    inside child tables. An ObjectId, its 24 hex digits or any other _id becomes the text of the row's id, as
    isthmus.id_map or the id key of the copy give it, and only if that row is there: what they lead to must have been
    copied completely. All others are listed and stay.

    Applications must be ready for texts first: a Mongoose model that says ObjectId for such a field cannot read them;
    make it String (or Mixed) and deploy that before --live.

    Others may write meanwhile. Each document is changed by one update that happens only if every value it replaces
    still stands where it was read, with majority write concern; every value is in isthmus.rewrite_log before. Whatever
    ends it, the same command goes on; run again when it is complete, it changes nothing. Documents written meanwhile
    with old ids are found by running it again. --undo puts back each value that still is what was written; what others
    have replaced stays, is listed once with exit 1, and by later calls as left before. Where others have put the id of
    another row there, the document goes on referring to that row: each call lists it, with the row and the documents
    that it is, until something else stands there, or until --leave-ids says that it may stay.

    The JSON: mode (dry-run, live, undo-dry-run, undo), outcome (complete, interrupted, failed), exit_code, rewrite,
    resumed, documents_changed, seconds, collections (of each: documents that were looked at, and by path: leads_to,
    values, and how many came to each outcome: would_change or changed, canonical, elsewhere, unmapped, ambiguous,
    cannot with reasons, moved; of an undo would_restore or restored, gone, left_alone, left_before, other_id,
    would_leave_id or id_left, moved, cannot), left_out (collection, path, why), missing, listed (collection, id, path,
    value, becomes, outcome, reason, stands: of an undo the id of a row that others put there, its table and documents;
    else null).

    Exit codes: 0 all are ids of rows now, or would be, 1 something is unmapped, ambiguous, cannot be changed, or was
    changed by others, 2 usage or mapping, 3 source, 4 target, 130 stopped by Ctrl-C, SIGTERM or SIGHUP (a lost
    terminal) and resumable.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.refs.rewrite_shown import result_json, show_result
    from isthmus.connect.mongo import open_server
    from isthmus.connect.target import open_target
    from isthmus.errors import ConfigError
    from isthmus.mapping import load_mapping
    from isthmus.polyglot.rewrite.result import RewriteResult
    from isthmus.polyglot.rewrite.run import Job, rewrite_references
    from isthmus.polyglot.rewrite.scope import scope_of
    from isthmus.polyglot.rewrite.undo import undo_rewrites
    from isthmus.sources.live.source import LiveSource
    from isthmus.work.progress import Progress

    if leave_ids and not undo:
        raise typer.BadParameter(
            "It says what --undo may leave; without --undo nothing is put back.", param_hint="--leave-ids"
        )
    mode = "undo" if undo else "live"
    result = RewriteResult(mode if live else "undo-dry-run" if undo else "dry-run", limit=limit)
    with writing_refusals(json_file, lambda fault: {**result_json(result), **failed_json(fault)}), ExitStack() as stack:
        checked = load_mapping(mapping)
        everything = undo and not (to or only)  # what was written stands in the log, whatever the mapping says by now
        scope = scope_of(checked, to or (), only or (), may_be_empty=everything)
        progress = Progress()
        view = ProgressView(progress)
        opened = stack.enter_context(
            closing(open_waiting(source, database=db, ignore_oplog=False, seconds=retry_seconds, progress=progress))
        )
        if not isinstance(opened, LiveSource):
            raise ConfigError(
                f"{opened.name} cannot be rewritten: its documents are files.",
                code="source-not-live",
                hint="Give the running server: --source mongodb://HOST/DATABASE.",
            )
        server = stack.enter_context(closing(open_server(source, patience_seconds=retry_seconds)))
        address = stack.enter_context(open_target(target))
        stack.enter_context(tidied_before_leaving(address.close))
        stop = stack.enter_context(stop_on_signals(err, "finishing the documents in hand"))
        job = Job(checked, scope, opened, server, address.conninfo, retry_seconds, progress, stop)
        with view:
            if undo:
                undo_rewrites(job, result, live=live, everything=everything, leave_ids=leave_ids)
            else:
                rewrite_references(job, result, live=live)
        show_result(result_console(json_file), result)
        write_json(result_json(result), json_file)
    return result.exit_code
