"""`isthmus letters retry`: try dead letters again with a corrected mapping."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import (
    DatabaseOption,
    IgnoreOplogOption,
    JsonOption,
    MappingArgument,
    RetrySecondsOption,
    TargetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.transfer.letters.result import RetryResult


def retry(
    mapping: MappingArgument,
    target: TargetOption,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            metavar="SOURCE",
            help="Refuse unless it is the source the run began with. It is not read: letters hold their documents.",
            show_default=False,
        ),
    ] = None,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Try only this collection's letters.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help="Try only letters with this cause, for example nul.")
    ] = None,
    run: Annotated[
        int | None,
        typer.Option(
            "--run",
            min=1,
            max=2**63 - 1,
            metavar="N",
            help="Try this run's letters. Needed where several runs have some.",
            show_default=False,
        ),
    ] = None,
    retry_seconds: RetrySecondsOption = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Try the dead letters of a run again with a corrected MAPPING.

    It is the run that has some, of those that letters list shows; where several have (copy --only), --run names one
    after the other. Letters of collections that a later run carried again are not tried.

    The mapping must want the tables that the run made, with the same ids; what becomes of values may differ: coerce,
    default, policies, values, skip, on_orphan. What fits is carried, references that were undone because a letter was
    missing are set again, and the other letters stay with the causes found now. Rows that were carried before stay as
    they are. Whatever ends it, the same command goes on.

    The JSON: run, outcome (complete, interrupted, failed), exit_code, seconds, collections (of each: tried, carried,
    skipped, left, untried), references (of each: restored, not_restored), orphans_by_default, conflicts_by_default,
    left (collection, stage, code, count), elsewhere (letters of other runs: run, collection, code, count) and the
    balance of the run.

    Exit codes: 0 no letter of the run is left, 1 some are, or something was handled by a default, 2 usage or mapping,
    or several runs have letters, 3 source, 4 target, 130 stopped by Ctrl-C, SIGTERM or SIGHUP (a lost terminal) and
    resumable.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.output import delivered, err, result_console, show_lost_output, write_json
    from isthmus.cli.streams import reader_left
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.sources import open_source
    from isthmus.transfer.job import Options
    from isthmus.transfer.letters.result import Choice, RetryResult
    from isthmus.transfer.letters.retry import retry_letters
    from isthmus.transfer.run import tell_run
    from isthmus.work.progress import Progress

    result = RetryResult()
    with writing_refusals(json_file, lambda fault: {**retry_json(result), **failed_json(fault)}):
        checked = load_mapping(mapping)
        mapping_text = mapping.read_text(encoding="utf-8")
        with ExitStack() as stack:
            opened = None
            if source is not None:
                reached = open_source(source, database=db, ignore_oplog=ignore_oplog, patience_seconds=retry_seconds)
                opened = stack.enter_context(closing(reached))
            address = stack.enter_context(open_target(target))
            stack.enter_context(tidied_before_leaving(address.close))
            stop = stack.enter_context(stop_on_signals(err))
            progress = Progress()
            with ProgressView(progress):
                retry_letters(
                    checked,
                    address.conninfo,
                    mapping_text=mapping_text,
                    source=opened,
                    choice=Choice(collection, code),
                    run=run,
                    options=Options(retry_seconds=retry_seconds),
                    progress=progress,
                    stop=stop,
                    result=result,
                )
            show_retry(result_console(json_file), result, address.display, code)
            write_json(retry_json(result), json_file)
            if result.outcome == "complete" and result.run is not None and delivered(json_file):
                tell_run(address.conninfo, result.run)
    if json_file == "-" and reader_left():  # who asks for the result as JSON must not take its absence for a result
        return max(result.exit_code, show_lost_output())
    return result.exit_code


def retry_json(result: RetryResult) -> dict[str, Any]:
    """Return what a retry came to as JSON values.

    `collections` holds those with letters that were tried or stay; `references` those of which something was restored
    or could not be.
    """
    left: dict[str, int] = {}
    for collection, _, _, count in result.left:
        left[collection] = left.get(collection, 0) + count
    data: dict[str, Any] = {
        "run": result.run,
        "outcome": result.outcome,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
        "collections": {
            name: {
                "tried": result.tried.get(name, 0),
                "carried": result.carried.get(name, 0),
                "skipped": result.skipped.get(name, 0),
                "left": left.get(name, 0),
                "untried": result.untried.get(name, 0),
            }
            for name in dict.fromkeys([*result.tried, *result.carried, *left, *result.untried])
        },
        "references": {
            name: {"restored": result.restored.get(name, 0), "not_restored": result.unrestored.get(name, 0)}
            for name in dict.fromkeys([*result.restored, *result.unrestored])
        },
        "orphans_by_default": result.by_default,
        "conflicts_by_default": result.kept_by_default,
        "left": [{"collection": c, "stage": s, "code": k, "count": n} for c, s, k, n in result.left],
        "elsewhere": [asdict(one) for one in result.elsewhere],
    }
    if result.balance is not None:
        data["balance"] = result.balance.as_json()
    return data


def show_retry(console: Console, result: RetryResult, target: str, code: str | None = None) -> None:
    """Print what a retry came to, with what to do next. `code`: only letters with this cause were tried."""
    from isthmus.cli.output import plural, show_hint, show_paragraph

    carried, skipped = sum(result.carried.values()), sum(result.skipped.values())
    left = sum(count for *_, count in result.left)
    if result.outcome != "complete":
        console.print(f"Stopped as asked. {plural(carried, 'dead letter')} carried and committed.", style="bold yellow")
        console.print("  → Run the same command again to go on from here.")
        return
    nothing = not (result.tried or result.restored or left or result.by_default or result.kept_by_default)
    if nothing and not result.untried:
        console.print(f"Run {result.run} has no dead letters: nothing to do.", style="bold green")
        _show_elsewhere(console, result)
        return
    tried = sum(result.tried.values())
    words = f"{carried:,} of {plural(tried, 'dead letter')} of run {result.run} carried"
    words += f", {skipped:,} left behind by a skip rule" if skipped else ""
    words += f", {left:,} left" if left else ", none is left"
    console.print(f"{words} ({result.seconds:.1f} s).", style="bold yellow" if left else "bold green")
    if not result.tried and left:
        console.print("  • none of those that are left is of the --collection and with the --code asked for")
    _show_collections(console, result)
    _show_references(console, result)
    if carried:
        console.print(
            "Rows that were carried before stay as they are, also where this mapping would make others of them."
        )
    for name, count in result.untried.items():
        console.print(
            f"  • not tried: {plural(count, 'dead letter')} of {name}: {'; '.join(result.why_untried[name])}.",
            markup=False,
            soft_wrap=True,
        )
    if result.by_default:
        console.print(
            f"  • {plural(result.by_default, 'orphan')} handled by a default; state on_orphan in the mapping:"
            f" isthmus orphans list --target {quote(target)}",
            markup=False,
            soft_wrap=True,
        )
    if result.kept_by_default:
        console.print(
            f"  • {plural(result.kept_by_default, 'row')} kept by a default although the document differs; state"
            " on_conflict in the mapping (on_conflict: keep_target, if that is meant): isthmus conflicts list --target"
            f" {quote(target)}",
            markup=False,
            soft_wrap=True,
        )
    if left:
        others = _not_asked_for(result, code)
        for heading, lines in (
            ("Why they stay:", [line for line in result.left if line not in others]),
            ("Not asked for with --collection or --code, and not tried:", others),
        ):
            if lines:
                console.print(heading, style="bold")
            for collection, stage, cause, count in lines:
                show_paragraph(console, "  ", f"{plural(count, 'dead letter')} in {collection}: {cause} ({stage})")
        show_hint(console, "Correct the mapping and run the same command again. Each letter and its cause:", indent=2)
        console.print(f"    isthmus letters list --target {quote(target)}", markup=False, soft_wrap=True)
    _show_elsewhere(console, result)


def _show_elsewhere(console: Console, result: RetryResult) -> None:
    """Print which letters of other runs were not tried, and how they are."""
    from isthmus.cli.output import plural, show_hint

    for run in dict.fromkeys(one.run for one in result.elsewhere):
        mine = [one for one in result.elsewhere if one.run == run]
        names = ", ".join(dict.fromkeys(one.collection for one in mine))
        count = plural(sum(one.count for one in mine), "dead letter")
        show_hint(console, f"{count} of run {run} not tried ({names}): --run {run} with the same command.", indent=2)


def _not_asked_for(result: RetryResult, code: str | None) -> list[tuple[str, str, str, int]]:
    """Return those of `left` that were not tried, as far as the numbers tell: a letter's cause may be another now."""
    found: list[tuple[str, str, str, int]] = []
    for name in {collection for collection, *_ in result.left}:
        mine = [line for line in result.left if line[0] == name]
        gone = result.carried.get(name, 0) + result.skipped.get(name, 0)
        stayed = result.tried.get(name, 0) - gone
        foreign = [line for line in mine if line[2] != code] if stayed else mine
        if sum(count for *_, count in foreign) == sum(count for *_, count in mine) - stayed:
            found += foreign
    return [line for line in result.left if line in found]


def _show_collections(console: Console, result: RetryResult) -> None:
    from isthmus.cli.output import show_rows, some

    left: dict[str, int] = {}
    for collection, _, _, count in result.left:
        left[collection] = left.get(collection, 0) + count
    names = sorted({*result.tried, *left})
    rows = [
        [
            name,
            *(f"{counts.get(name, 0):,}" for counts in (result.tried, result.carried)),
            *(some(counts.get(name, 0)) for counts in (result.skipped, left)),
        ]
        for name in names
    ]
    numbers = ("tried", "carried", "skipped", "left")
    if len(rows) > 1:
        sums = [sum(counts.values()) for counts in (result.tried, result.carried, result.skipped, left)]
        rows.append(["all", *(f"{count:,}" for count in sums[:2]), *map(some, sums[2:])])
    if rows:
        show_rows(console, ("collection", *numbers), rows, numbers=numbers)


def _show_references(console: Console, result: RetryResult) -> None:
    from isthmus.cli.output import show_rows, some

    names = sorted({*result.restored, *result.unrestored})
    if not names:
        return
    console.print("References that lead somewhere again", style="bold")
    rows = [[name, f"{result.restored.get(name, 0):,}", some(result.unrestored.get(name, 0))] for name in names]
    show_rows(console, ("reference", "set again", "not set"), rows, numbers=("set again", "not set"))
    if result.unrestored:
        console.print(
            "  Not set: the row that held it is gone, holds another value by now, or the server refuses it; it stays in"
            " the ledger of orphans."
        )
