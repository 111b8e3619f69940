"""`isthmus ids`: which id became which."""

from __future__ import annotations

from typing import Annotated

import typer

from isthmus.cli.options import JsonOption, OutputOption, ReadTargetOption, SensitiveOption

app = typer.Typer(help="Which _id became which id: lookup, export.", no_args_is_help=True)


@app.command("lookup")
def lookup(
    id_: Annotated[str, typer.Argument(metavar="ID", help="An id of either side.")],
    target: ReadTargetOption,
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only this collection.")
    ] = None,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> int:
    """Find the other side of an id: a UUID or cuid2 text, 24 hex digits, Extended JSON, or the text of another _id.

    What was only met in a reference is "(hidden)" where a sensitive field refers to its collection. Exit code 1 when
    neither a row nor a dead letter has it; what the id of such an ObjectId would be is still shown.
    """
    from dataclasses import replace
    from shlex import quote

    from isthmus.cli.output import result_console, show_rows, write_json
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.target import reading, shown_target
    from isthmus.state.ids import look_up
    from isthmus.state.runs import id_key
    from isthmus.work.hidden import HIDDEN

    with reading(target) as (connection, run):
        sensitive = sensitive_of(run)
        key = id_key(connection, create=False)
        known = look_up(connection, sensitive.mapping, key, id_, collection=collection, run=run.id)
    if not show_sensitive:  # who asks by the _id knows it already
        known = [
            replace(k, source_id=HIDDEN)
            if k.origin == "reference" and k.id == id_ and k.collection in sensitive.referred
            else k
            for k in known
        ]
    console = result_console(json_file)
    if not known:
        console.print("Nothing is known about this id.")
    else:
        show_rows(
            console,
            ("_id in MongoDB", "id in PostgreSQL", "collection", "rows in", "how it is known"),
            [(k.source_id, k.id, k.collection or "–", ", ".join(k.tables) or "–", k.origin) for k in known],
        )
    for number in sorted({number for k in known for number in k.letters}):
        command = f"isthmus letters show {number} --target {quote(shown_target(target))}"
        console.print(f"Dead letter {number} has this _id: {command}", markup=False, soft_wrap=True)
    met = any(k.met for k in known)
    without = dict(pair for k in known for pair in k.without_ids)
    for table, columns in without.items():
        key = f"its key is {', '.join(columns)}" if columns else "it has no key"
        console.print(
            f"Whether {table} holds it cannot be told: the table has no column of ids; {key}.",
            markup=False,
            soft_wrap=True,
        )
    if known and not met and not without:
        console.print("No row and no dead letter has this id; it is only what an ObjectId would become.")
    write_json(
        [
            {
                "source_id": k.source_id,
                "id": k.id,
                "collection": k.collection,
                "tables": list(k.tables),
                "origin": k.origin,
                "dead_letters": list(k.letters),
                "tables_without_ids": {table: list(columns) for table, columns in k.without_ids},
            }
            for k in known
        ],
        json_file,
    )
    return 0 if met else 1


@app.command("export")
def export(
    target: ReadTargetOption,
    output: OutputOption = None,
    key: Annotated[
        bool,
        typer.Option(
            "--key", help="Write only the id key (64 hex digits), for copy --id-key. Keep it as you keep a password."
        ),
    ] = False,
) -> None:
    """Write every carried document's ids as CSV (collection, source_id, id, origin), or the key they are derived with.

    A document that was joined into another one (on_duplicate: merge) has the id of that row, and the origin "merged";
    one that is a row which was there before has that row's id, and the origin "matched". The origin of the others is
    "derived" (made from an ObjectId), "document" (made from another _id) or "kept".
    A table with another key may keep no ids; then it is named. The collection is empty for an ObjectId in a table that
    several collections fill: nobody can tell.
    """
    import csv

    from isthmus.cli.output import err, plural
    from isthmus.cli.result_files import writing
    from isthmus.cli.streams import lost_output
    from isthmus.cli.target import reading
    from isthmus.mapping import parse_mapping
    from isthmus.state.ids import export_ids, tables_without_ids
    from isthmus.state.runs import id_key

    count = 0
    with reading(target) as (connection, run), writing(output, private=key) as stream:
        secret = id_key(connection, create=False)
        if key:
            stream.write(secret.hex() + "\n")
            return
        writer = csv.writer(stream)
        writer.writerow(["collection", "source_id", "id", "origin"])
        mapping = parse_mapping(run.mapping_text, file_name="the run's mapping")
        for known in export_ids(connection, mapping, secret):
            if output is None and lost_output() is not None:
                return  # its reader has enough (… | head), which is no fault; a full disk, the last door tells
            writer.writerow([known.collection, known.source_id, known.id, known.origin])
            count += 1
    for table in tables_without_ids(mapping):
        err.print(f"{table} has no column of ids, so nothing of it is written.", markup=False)
    err.print(f"{plural(count, 'id')} written" + (f" to {output}." if output else "."), markup=False)
