"""`isthmus status`: where the last run of a target stands."""

from __future__ import annotations

from isthmus.cli.options import JsonOption, TargetOption


def status(target: TargetOption, json_file: JsonOption = None) -> None:
    """Tell where the last run stands, what it left behind, and what to do next. Writes nothing."""
    from rich.table import Table
    from rich.text import Text

    from isthmus.cli.output import plural, result_console, write_json
    from isthmus.cli.target import reading
    from isthmus.state.checkpoints import partial_books, read_partitions
    from isthmus.state.reports import is_running, letter_counts, orphan_counts

    with reading(target) as (connection, run):
        running = is_running(connection)
        states = read_partitions(connection, run.id)
        letters = letter_counts(connection, run.id)
        orphans = orphan_counts(connection, run.id)
    books = partial_books(states)
    console = result_console(json_file)
    words = {"copying": "copying", "finishing": "loaded; keys and references are being built", "complete": "complete"}
    console.print(
        Text(f"Run {run.id}: {words[run.stage]}", style="bold"), "(at work now)" if running else "", markup=False
    )
    console.print(f"  source   {run.source_name}", markup=False)
    console.print(f"  schema   {run.target_schema}", markup=False)
    console.print(
        f"  begun    {run.started_at:%Y-%m-%d %H:%M:%S} UTC by {run.holder}, Isthmus {run.version}", markup=False
    )
    if run.finished_at:
        console.print(f"  ended    {run.finished_at:%Y-%m-%d %H:%M:%S} UTC", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("collection", overflow="fold")
    for name in ("partitions done", "read", "copied", "skipped", "dead letters"):
        table.add_column(name, justify="right", no_wrap=True)
    late: dict[str, int] = {}
    for collection, stage, _code, count in letters:
        if stage == "finish":
            late[collection] = late.get(collection, 0) + count
    for collection, entry in books.items():
        mine = [state for state in states if state.collection == collection]
        entry["copied"] -= late.get(collection, 0)  # finish made letters of documents that were loaded
        entry["dead_letters"] += late.get(collection, 0)
        table.add_row(
            collection,
            f"{sum(state.done for state in mine)} of {len(mine)}",
            f"{entry['read']:,}",
            f"{entry['copied']:,}",
            f"{entry['skipped']:,}",
            f"{entry['dead_letters']:,}",
        )
    console.print(table)
    for collection, stage, code, count in letters:
        console.print(f"  {plural(count, 'dead letter')} in {collection}: {code} ({stage})", markup=False)
    for name, column, action, by_default, count in orphans:
        policy = ", no policy stated" if by_default else ""
        console.print(f"  {plural(count, 'orphan')} in {name}.{column}: {action}{policy}", markup=False)
    if run.stage != "complete":
        console.print("→ It is at work." if running else "→ Run the same isthmus copy again; it goes on from here.")
    elif letters:
        console.print("→ isthmus letters list shows what could not be carried, and why.")
    write_json(
        {
            **run.summary(),
            "running": running,
            "collections": books,
            "letters": [{"collection": c, "stage": s, "code": k, "count": n} for c, s, k, n in letters],
            "orphans": [
                {"table": t, "column": c, "action": a, "by_default": d, "count": n} for t, c, a, d, n in orphans
            ],
            "balance": run.balance,
        },
        json_file,
    )
