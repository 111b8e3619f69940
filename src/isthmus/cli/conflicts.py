"""`isthmus conflicts`: rows that say something else than the document they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.acknowledge import acknowledging
from isthmus.cli.options import JsonOption, OpenOption, ReadTargetOption, RunOption, SensitiveOption

if TYPE_CHECKING:
    from isthmus.cli.sensitive import Sensitive
    from isthmus.state.reports import ConflictLine

app = typer.Typer(help="Rows that say something else than their document: list, acknowledge.", no_args_is_help=True)
app.command("acknowledge")(acknowledging("conflict"))


@app.command("list")
def list_(
    target: ReadTargetOption,
    table: Annotated[str | None, typer.Option("--table", metavar="TABLE", help="Only this table.")] = None,
    run: RunOption = None,
    open_only: OpenOption = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most lines to show.")] = 50,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """List rows that were there before, and rows that documents were joined into: what differs, and what was done.

    They are those of the last copy of each collection, so those of earlier runs too (copy --only), with the run where
    there are several. What a later run carried again is left out. Behind a row that somebody acknowledged stands the
    reason.

    The JSON: run (the newest that was looked at), runs (all of them), total, conflicts. These hold what both sides say
    in each column that differs, and the documents that were joined, whole; what sensitive columns say is never in the
    ledger.
    """
    from dataclasses import replace
    from itertools import islice
    from shlex import quote

    from isthmus.cli.acknowledge import said_of
    from isthmus.cli.documents import printable_document
    from isthmus.cli.output import err, plural, result_console, show_rows, write_json
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.target import reading, shown_target
    from isthmus.state.acknowledgements import Choice, acknowledged
    from isthmus.state.last_copies import copies_of
    from isthmus.state.reports import count_conflicts, list_conflicts
    from isthmus.work.hidden import HIDDEN

    with reading(target) as (connection, newest):
        copies = copies_of(connection, newest, run)
        known = acknowledged(connection, "conflict", copies.scope, Choice(place=table))
        total = there = count_conflicts(connection, copies.scope, table=table)
        wanted = list_conflicts(connection, copies.scope, table=table)
        if open_only:
            total -= len(known)
            wanted = (one for one in wanted if one.id not in known)
        conflicts = list(islice(wanted, None if json_file else limit))
        sensitive = None if show_sensitive else sensitive_of(*copies.runs)
    if sensitive is not None:
        secret = sensitive.secret_tables
        conflicts = [
            replace(one, row_id=HIDDEN, document_id=HIDDEN) if one.table in secret else one for one in conflicts
        ]
    console = result_console(json_file)
    if there and not total:
        console.print(f"No conflict is open; {plural(there, 'is', 'are')} acknowledged.")
    elif not total:
        console.print("No conflicts.")
    else:
        numbers = ["run"] if len(copies.runs) > 1 else []
        reasons = ["acknowledged"] if any(one.id in known for one in conflicts[:limit]) else []
        show_rows(
            console,
            ("number", *numbers, "table", "row", "collection", "columns that differ", "what was done", *reasons),
            [
                (
                    str(one.id),
                    *(str(one.run) for _ in numbers),
                    one.table,
                    one.row_id,
                    one.collection,
                    ", ".join(sorted(one.differing)) or "–",
                    f"{one.action} ({one.policy})",
                    *(said_of(known.get(one.id)) for _ in reasons),
                )
                for one in conflicts[:limit]
            ],
        )
        if total > limit:
            err.print(f"{min(limit, len(conflicts))} of {total:,} shown; --limit shows more, --json gives all.")
        command = f"isthmus conflicts list --target {quote(shown_target(target))} --json -"
        if json_file is None:
            err.print(f"What both sides say, column by column: {command}", markup=False, soft_wrap=True)
    write_json(
        {
            "run": copies.newest,
            "runs": copies.numbers,
            "total": total,
            "conflicts": [
                {
                    "id": one.id,
                    "run": one.run,
                    "collection": one.collection,
                    "table": one.table,
                    "row_id": one.row_id,
                    "document_id": one.document_id,
                    "differing": _differing(one, sensitive),
                    "policy": one.policy,
                    "action": one.action,
                    "acknowledged": word.as_json() if (word := known.get(one.id)) is not None else None,
                    "document": printable_document(one.document, one.collection, sensitive),
                }
                for one in conflicts
            ],
        },
        json_file,
    )


def _differing(one: ConflictLine, sensitive: Sensitive | None) -> dict[str, Any]:
    """Return what differs as it may be shown: the mapping of a retry may call more sensitive than the ledger knew."""
    from isthmus.work.hidden import HIDDEN

    known = sensitive.columns if sensitive is not None else set[tuple[str, str]]()
    return {
        name: {"target": HIDDEN, "source": HIDDEN} if (one.table, name) in known else said
        for name, said in one.differing.items()
    }
