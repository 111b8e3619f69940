"""Where the last run of a target stands, what it left behind, and what to do next."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from isthmus.state.acknowledgements import Kind
    from isthmus.state.checkpoints import PartitionState
    from isthmus.state.other_ids import OtherIds
    from isthmus.state.runs import Run
    from isthmus.state.verifications import Verification
    from isthmus.state.waiting import Waiting
    from isthmus.transfer.balance import Balance
    from isthmus.transfer.moving.resume import Changes


def tell_run(target: str, json_file: str | None) -> int:
    """Tell where the last run stands; see `isthmus status`."""

    from isthmus.cli.books import left_behind_json
    from isthmus.cli.left_open import count_left, is_open, show_earlier, show_left, show_orphans
    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.so_far import without_junctions
    from isthmus.cli.target import reading, shown_target
    from isthmus.mapping import parse_mapping
    from isthmus.state.acknowledgements import KINDS
    from isthmus.state.checkpoints import bytes_read, read_partitions
    from isthmus.state.last_copies import copies_of
    from isthmus.state.orphans import orphan_counts
    from isthmus.state.other_ids import other_ids
    from isthmus.state.reports import at_work, books_so_far
    from isthmus.state.retries import retries_of
    from isthmus.state.verifications import latest, latest_whole
    from isthmus.state.waiting import waiting_references
    from isthmus.transfer.balance import balance_from_json
    from isthmus.transfer.moving.moved import moved_of
    from isthmus.verify.result import LAYERS

    with reading(target) as (connection, run):
        holder = at_work(connection)
        states = read_partitions(connection, run.id)
        books, copies = books_so_far(connection, run.id), copies_of(connection, run)
        left = count_left(connection, copies)
        orphans = orphan_counts(connection, copies.scope)
        waiting, others = waiting_references(connection, run), other_ids(connection)
        moved = moved_of(connection, run.id)
        whole, newest = latest_whole(connection, run.id, LAYERS), latest(connection, run.id)
    books = without_junctions(books, parse_mapping(run.mapping_text, file_name="the run's mapping").junctions)
    running = holder is not None
    balance = balance_from_json(run.balance) if run.balance is not None else None
    unbalanced = balance is not None and bool(balance.differences)
    state = _state(run.stage, running=running) + (", but its books do not balance" if unbalanced else "")
    console = result_console(json_file)
    _show_run(console, run, state, running=running)
    verification = whole or newest
    partial = newest if whole is not None and newest is not None and newest.id > whole.id else None
    _show_since(console, run, verification, partial)
    console.print(f"  lease    held by {holder}" if running else f"  lease    last held by {run.holder}", markup=False)
    show_earlier(console, copies)
    sizes = bytes_read(states)
    _show_collections(console, books, states, sizes if run.stage == "copying" else {})
    show_left(console, left, several=len(copies.runs) > 1)
    show_orphans(console, orphans, several=len(copies.runs) > 1)
    _show_shortcomings(
        console,
        balance,
        moved,
        waiting,
        others,
        sum(one.known for one in left if one.kind == "letter" and one.run == run.id),
    )
    if run.stage != "complete":
        console.print("→ It is at work." if running else "→ Run the same isthmus copy again; it goes on from here.")
    else:
        _show_next(
            console,
            shown_target(target),
            left=[kind for kind in KINDS if is_open(left, kind)],
            others=bool(others),
            verified=whole is not None,
        )
    write_json(
        {
            **run.summary(),
            "running": running,
            "undone": run.undone,
            "retries": [retried.summary() for retried in retries_of(run)],
            "collections": books,
            "read": {name: {"bytes": done, "of_bytes": total} for name, (done, total) in sizes.items()},
            "runs": [{"run": one.id, "collections": copies.carried.get(one.id, [])} for one in copies.runs],
            "letters": [one.as_json(one.count) for one in left if one.kind == "letter"],
            "acknowledged": [one.as_json(one.known) for one in left if one.kind == "letter" and one.known],
            "conflicts": [
                {**one.as_json(one.count), "acknowledged": one.known} for one in left if one.kind == "conflict"
            ],
            "orphans": [asdict(one) for one in orphans],
            "waiting": [asdict(one) for one in waiting],
            "other_ids": [one.as_json() for one in others],
            "balanced": None if balance is None else not unbalanced,
            "left_behind": None if balance is None else left_behind_json(balance),
            "moved": None if moved is None else moved.as_json(),
            "verification": _verification_json(run, verification),
            "partial_verification": _verification_json(run, partial),
            "balance": run.balance,
        },
        json_file,
    )
    return 1 if unbalanced else 0


def _show_since(console: Console, run: Run, *verifications: Verification | None) -> None:
    """Print what was done with a run since it was carried: retries of its dead letters, verifications."""
    from isthmus.cli.output import plural
    from isthmus.state.retries import retries_of

    for retried in retries_of(run):
        carried = plural(sum(retried.carried.values()), "dead letter")
        ended = "" if retried.ended_at else ", not to its end"
        console.print(
            f"  retried  {retried.begun_at[:19].replace('T', ' ')} UTC with another mapping: {carried} carried{ended}",
            markup=False,
        )
    for one in verifications:
        if one is not None:
            _show_verification(console, run, one)


def _show_verification(console: Console, run: Run, verification: Verification) -> None:
    """Print what a verification came to; it is called verified only where all layers were asked and nothing differs."""
    from isthmus.cli.output import plural, show_paragraph
    from isthmus.verify.result import LAYERS

    whole = all(layer in verification.layers for layer in LAYERS)
    layers = plural(len(verification.layers), "layer")
    if not whole:
        layers = f"{len(verification.layers)} of {len(LAYERS)} layers ({', '.join(verification.layers)})"
    lacking = "; ".join(f"{name} could not look at {what}" for name, what in verification.lacking.items())
    words = {
        "partly": f"nothing differs in what could be compared of {layers}, but {lacking}",
        "passed": f"nothing differs in {layers}{'' if whole else '; the others were not asked'}",
        "failed": f"{plural(verification.found, 'difference')} in {layers}",
    }.get(verification.verdict, "stopped before its end, so nothing is proven")
    if verification.outcome == "interrupted" and verification.found:
        words += f"; {plural(verification.found, 'difference')} until then"
    since = "; dead letters were retried since, so verify again" if _retried_since(run, verification) else ""
    begun = f"{verification.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    label = "  verified " if whole and verification.verdict == "passed" else "  verify   "
    show_paragraph(console, label, f"{begun}: {words}{since}")


def _verification_json(run: Run, verification: Verification | None) -> dict[str, Any] | None:
    if verification is None:
        return None
    return {**verification.summary(), "retried_since": _retried_since(run, verification)}


def _retried_since(run: Run, verification: Verification) -> bool:
    """Tell whether Isthmus may have written to the tables after a verification looked at them."""
    from isthmus.state.retries import retries_of

    return any(
        one.ended_at is None or datetime.fromisoformat(one.ended_at) > verification.started_at
        for one in retries_of(run)
    )


def _show_next(console: Console, target: str, *, left: Sequence[Kind], others: bool, verified: bool) -> None:
    """Print the commands that show more of a run that is complete."""
    from shlex import quote

    there = f"--target {quote(target)}"
    shown = {"letter": "what could not be carried, and why", "conflict": "rows that say something else"}
    for kind in left:
        command = f"isthmus {kind}s list {there}"
        console.print(f"→ {command} shows {shown[kind]}.", markup=False, soft_wrap=True)
    if others:
        command = f"isthmus refs rewrite MAPPING --source SOURCE {there} --undo"
        console.print(f"→ {command} lists ids of other rows, and what helps.", markup=False, soft_wrap=True)
    if not verified:
        command = f"isthmus verify MAPPING --source SOURCE {there}"
        console.print(f"→ {command} holds every row against its document.", markup=False, soft_wrap=True)
    if target.startswith("embedded:"):
        console.print(f"→ isthmus psql {there} opens the tables in psql.", markup=False, soft_wrap=True)


def _show_read(console: Console, books: dict[str, dict[str, Any]], sizes: dict[str, tuple[int, int | None]]) -> None:
    """Print how far the reading is, all collections together; nothing where nothing is read any more."""
    from isthmus.cli.output import plural
    from isthmus.work.amounts import size_text

    if not sizes:
        return
    done = sum(read for read, _ in sizes.values())
    totals = [total for _, total in sizes.values()]
    known = sum(total or 0 for total in totals) if None not in totals else 0
    share = f"{_percent(done, known)}: {size_text(done)} of {size_text(known)}" if known else size_text(done)
    documents = plural(sum(entry["read"] for entry in books.values()), "document")
    console.print(f"  read     {share}, {documents}", markup=False)


def _percent(done: int, total: int) -> str:
    return f"{100 if done >= total else int(100 * done / total)} %"


def _show_collections(
    console: Console,
    books: dict[str, dict[str, Any]],
    states: Sequence[PartitionState],
    sizes: dict[str, tuple[int, int | None]],
) -> None:
    from isthmus.cli.output import show_table

    _show_read(console, books, sizes)
    show_table(console, _collections(books, states, sizes))


def _collections(
    books: dict[str, dict[str, Any]],
    states: Sequence[PartitionState],
    sizes: dict[str, tuple[int, int | None]],
) -> Table:
    """Return the table of collections: how far each is, and its documents.

    Args:
        books: By collection.
        states: Partitions of all collections.
        sizes: Bytes read and in all, by collection; empty where nothing is read any more.
    """
    from rich.table import Table
    from rich.text import Text

    from isthmus.cli.output import some

    table = Table(box=None, pad_edge=False)
    table.add_column("collection", overflow="fold")
    more = [name for name in ("merged", "kept") if any(entry[name] for entry in books.values())]
    for name in ("done" if sizes else "partitions done", "read", "copied", *more, "skipped", "dead letters"):
        table.add_column(name, justify="right", no_wrap=True)
    for collection, entry in books.items():
        mine = [state for state in states if state.collection == collection]
        read, total = sizes.get(collection, (0, None))
        partitions = f"{sum(state.done for state in mine)} of {len(mine)}"
        table.add_row(
            Text(collection),
            partitions if not sizes else _percent(read, total) if total is not None else f"part {partitions}",
            f"{entry['read']:,}",
            f"{entry['copied']:,}",
            *(some(entry[name]) for name in more),
            some(entry["skipped"]),
            some(entry["dead_letters"]),
        )
    return table


def _show_run(console: Console, run: Run, state: str, *, running: bool) -> None:
    """Print what run it is, of what, and what was taken back from it."""
    from rich.text import Text

    from isthmus.cli.output import show_paragraph

    console.print(Text(f"Run {run.id}: {state}", style="bold").append(" (at work now)" if running else ""))
    show_paragraph(console, "  source   ", run.source_name)
    console.print(f"  schema   {run.target_schema}", markup=False)
    console.print(f"  begun    {run.started_at:%Y-%m-%d %H:%M:%S} UTC with Isthmus {run.version}", markup=False)
    if run.finished_at:
        console.print(f"  ended    {run.finished_at:%Y-%m-%d %H:%M:%S} UTC", markup=False)
    if run.undone:
        words = f"taken back from it: {', '.join(run.undone)}; its books are those of before"
        show_paragraph(console, "  undone   ", words)


def _show_shortcomings(
    console: Console,
    balance: Balance | None,
    moved: Changes | None,
    waiting: list[Waiting],
    others: list[OtherIds],
    acknowledged: int,
) -> None:
    """Print which references wait for a later run, which values changed, and in what this one falls short.

    And which values a rewrite's undo did not put back, for others had written ids of other rows there.
    """
    from isthmus.cli.books import left_behind, moved_words, show_unbalanced
    from isthmus.cli.changed_values import show_changed
    from isthmus.cli.output import plural, show_paragraph

    for one in waiting:
        where = f"no row of {one.points_at} that any copy brought" if one.lead_nowhere else f"rows of {one.points_at}"
        words = f"{plural(one.count, 'reference')} of {one.table}.{one.column} waiting for {where}"
        show_paragraph(console, "  ", words)
    for one in others:
        words = f"{plural(one.count, 'value')} of {one.collection} {one.path} not put back by refs rewrite --undo:"
        show_paragraph(console, "  ", f"{words} others wrote the id of another row there")
    if balance is not None:
        show_changed(console, balance.adjusted, balance.became)
    left = left_behind(balance) if balance is not None else ""
    if left:
        apart = f"; {plural(acknowledged, 'dead letter')} acknowledged" if acknowledged else ""
        console.print(f"Not everything was carried: {left}{apart}.", style="yellow", markup=False)
    if moved:
        console.print(f"{moved_words(moved)}.", style="yellow", markup=False)
    if balance is not None and balance.differences:
        show_unbalanced(console, balance)


def _state(stage: str, *, running: bool) -> str:
    """Return where a run stands, for people."""
    if stage == "complete":
        return "complete"
    if not running:
        return f"not complete, nothing works on it now (stage {stage})"
    return "copying" if stage == "copying" else "loaded; keys and references are being built"
