"""`isthmus orphans`: references whose target does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption, ReadTargetOption, RunOption, SensitiveOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.state.orphans import OrphanLine
    from isthmus.state.waiting import Waiting, WaitingLine

app = typer.Typer(help="References whose target does not exist.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  makes `list` a subcommand
    """References whose target does not exist."""


@app.command("list")
def list_(
    target: ReadTargetOption,
    table: Annotated[str | None, typer.Option("--table", metavar="TABLE", help="Only this table.")] = None,
    run: RunOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most lines to show.")] = 50,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="List the references that wait or lead nowhere too, one by one.")
    ] = False,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """List the orphan ledger: the row, the id the source has, and what was done; and which references wait.

    Orphans are those of the last copy of each collection, so those of earlier runs too (copy --only), with the run
    where there are several. What a later run carried again is left out.

    References wait for collections that copies with --only did not carry, whatever --run says; where all that fills a
    table was carried, what still waits for a row of it leads nowhere.

    The JSON: run (the newest that was looked at), runs (all of them), total, waiting, orphans.
    """
    from isthmus.cli.output import err, plural, result_console, show_paragraph, write_json
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.target import reading
    from isthmus.state.last_copies import copies_of
    from isthmus.state.orphans import count_orphans, list_orphans
    from isthmus.state.reports import object_ids
    from isthmus.state.waiting import list_waiting, waiting_references
    from isthmus.work.hidden import HIDDEN

    with reading(target) as (connection, newest):
        copies, most = copies_of(connection, newest, run), None if json_file else limit
        total = count_orphans(connection, copies.scope, table=table)
        orphans = list(list_orphans(connection, copies.scope, table=table, limit=most))
        groups = waiting_references(connection, newest, table=table)
        lines = list(list_waiting(connection, newest, table=table, limit=most)) if waiting else []
        old = object_ids(connection, [line.target_id for line in lines])
        sensitive = None if show_sensitive else sensitive_of(*copies.runs, newest)
    if sensitive is not None:
        hidden, secret = sensitive.columns, sensitive.secret_tables
        lines = [replace(one, target_id=HIDDEN) if (one.table, one.column) in hidden else one for one in lines]
        lines = [replace(one, row_id=HIDDEN) if one.table in secret else one for one in lines]
        orphans = [replace(o, old_id=HIDDEN) if (o.table, o.column) in hidden else o for o in orphans]
        orphans = [replace(o, row_id=HIDDEN) if o.table in secret else o for o in orphans]
    console = result_console(json_file)
    if not total:
        console.print("No orphans.")
    else:
        _show(console, orphans[:limit], several=len(copies.runs) > 1)
        if total > limit:
            err.print(f"{min(limit, len(orphans))} of {total:,} shown; --limit shows more, --json gives all.")
    for group in groups:
        why = f"Leading to no row of {group.points_at} that any copy brought"
        if not group.lead_nowhere:
            why = f"Waiting for rows of {group.points_at} that a later copy may bring"
        show_paragraph(console, "", f"{why}: {plural(group.count, 'reference')} of {group.table}.{group.column}")
    for line in lines[:limit]:
        place = f"{line.table} {line.row_id}" + "".join(f"[{number}]" for number in line.position)
        show_paragraph(
            console, "    ", f"{line.column} of {place} → {line.points_at} {old.get(line.target_id, line.target_id)}"
        )
    if waiting and (more := sum(group.count for group in groups) - limit) > 0:
        err.print(f"{more:,} more; --limit shows more, --json gives all.")
    write_json(
        {
            "run": copies.newest,
            "runs": copies.numbers,
            "total": total,
            "waiting": [
                asdict(group) | ({"references": _of(lines, group, old)} if waiting else {}) for group in groups
            ],
            "orphans": [
                {
                    "run": o.run,
                    "collection": o.collection,
                    "table": o.table,
                    "column": o.column,
                    "row_id": o.row_id,
                    "position": o.position,
                    "target_collection": o.target_collection,
                    "old_id": o.old_id,
                    "action": o.action,
                    "by_default": o.by_default,
                }
                for o in orphans
            ],
        },
        json_file,
    )


def _of(lines: Sequence[WaitingLine], group: Waiting, old: dict[str, str]) -> list[dict[str, object]]:
    """Return the references of a group as JSON values."""
    same = (group.table, group.column, group.points_at)
    return [
        {"row_id": one.row_id, "position": one.position, "target_id": one.target_id, "old_id": old.get(one.target_id)}
        for one in lines
        if (one.table, one.column, one.points_at) == same
    ]


_COLUMNS = ("reference", "row", "refers to", "old id", "what was done")


def _cells(orphan: OrphanLine) -> tuple[str, ...]:
    """Return what is shown of an orphan, as `_COLUMNS` has it."""
    return (
        f"{orphan.table}.{orphan.column}",
        orphan.row_id + "".join(f"[{number}]" for number in orphan.position or []),
        orphan.target_collection,
        orphan.old_id or "–",
        orphan.action + (" (no policy stated)" if orphan.by_default else ""),
    )


def _show(console: Console, orphans: Sequence[OrphanLine], *, several: bool) -> None:
    """Print orphans as a table; on a terminal that is too narrow for it in two lines each. `several`: with runs."""
    from rich.text import Text

    from isthmus.cli.output import fits, show_paragraph, show_rows

    columns = ("run", *_COLUMNS) if several else _COLUMNS
    rows = [(str(one.run), *_cells(one)) if several else _cells(one) for one in orphans]
    if fits(console, columns, rows):
        show_rows(console, columns, rows)
        return
    for orphan in orphans:
        reference, row, collection, old_id, done = _cells(orphan)
        found = f"  run {orphan.run}" if several else ""
        show_paragraph(console, "", Text.assemble((reference, "bold"), f"  {done}{found}"))
        show_paragraph(console, "    ", f"row {row} → {collection} {old_id}")
