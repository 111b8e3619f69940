"""`isthmus orphans`: references whose target does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption, ReadTargetOption, SensitiveOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.state.reports import OrphanLine

app = typer.Typer(help="References whose target does not exist.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  makes `list` a subcommand
    """References whose target does not exist."""


@app.command("list")
def list_(
    target: ReadTargetOption,
    table: Annotated[str | None, typer.Option("--table", metavar="TABLE", help="Only this table.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most lines to show.")] = 50,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """List the orphan ledger: the row, the id the source has, and what was done; and which references wait.

    Those wait for collections that copies with --only did not carry.
    """
    from isthmus.cli.output import err, plural, result_console, write_json
    from isthmus.cli.sensitive import HIDDEN, sensitive_of
    from isthmus.cli.target import reading
    from isthmus.state.reports import count_orphans, list_orphans, waiting_references

    with reading(target) as (connection, run):
        total = count_orphans(connection, run.id, table=table)
        orphans = list(list_orphans(connection, run.id, table=table, limit=None if json_file else limit))
        waiting = waiting_references(connection, run.target_schema, table=table)
        hidden: set[tuple[str, str]] = set() if show_sensitive else sensitive_of(run).columns
    orphans = [replace(o, old_id=HIDDEN) if (o.table, o.column) in hidden else o for o in orphans]
    console = result_console(json_file)
    if not total:
        console.print("No orphans.")
    else:
        _show(console, [_cells(orphan) for orphan in orphans[:limit]])
        if total > limit:
            err.print(f"{min(limit, len(orphans))} of {total:,} shown; --limit shows more, --json gives all.")
    for name, column, to, count in waiting:
        console.print(
            f"Waiting for rows of {to} that a later copy may bring: {plural(count, 'reference')} of {name}.{column}",
            markup=False,
        )
    write_json(
        {
            "run": run.id,
            "total": total,
            "waiting": [{"table": t, "column": c, "points_at": to, "count": n} for t, c, to, n in waiting],
            "orphans": [
                {
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


def _show(console: Console, rows: Sequence[tuple[str, ...]]) -> None:
    """Print orphans as a table; on a terminal that is too narrow for it in two lines each."""
    from rich.text import Text

    from isthmus.cli.output import fits, show_paragraph, show_rows

    if fits(console, _COLUMNS, rows):
        show_rows(console, _COLUMNS, rows)
        return
    for reference, row, collection, old_id, done in rows:
        show_paragraph(console, "", Text.assemble((reference, "bold"), f"  {done}"))
        show_paragraph(console, "    ", f"row {row} → {collection} {old_id}")
