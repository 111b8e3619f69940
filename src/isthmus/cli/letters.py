"""`isthmus letters`: the documents that could not be carried, with their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import JsonOption, OutputOption, SensitiveOption, TargetOption

if TYPE_CHECKING:
    from isthmus.state.reports import LetterLine

app = typer.Typer(help="Documents that could not be carried: list, show, export.", no_args_is_help=True)

CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only this collection.")
]
CodeOption = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only this cause, for example nul.")]


@app.command("list")
def list_(
    target: TargetOption,
    collection: CollectionOption = None,
    code: CodeOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most lines to show.")] = 50,
    json_file: JsonOption = None,
) -> None:
    """List dead letters: number, collection, _id, cause, place in the source."""
    from rich.padding import Padding
    from rich.text import Text

    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.target import reading
    from isthmus.state.reports import count_letters, list_letters

    with reading(target) as (connection, run):
        total = count_letters(connection, run.id, collection=collection, code=code)
        letters = list(
            list_letters(connection, run.id, collection=collection, code=code, limit=None if json_file else limit)
        )
    console = result_console(json_file)
    if not total:
        console.print("No dead letters.")
    else:
        for letter in letters[:limit]:
            head = Text(f"{letter.id:>5}  ", style="bold")
            head.append(f"{letter.collection} {letter.source_id or '(no _id)'}")
            head.append(f"  {letter.code}", style="yellow")
            head.append(f"  {letter.path}" if letter.path else "")
            head.append(f"  ({letter.stage})", style="dim")
            console.print(head, soft_wrap=True)
            console.print(Padding(Text(letter.message), (0, 0, 0, 7)))
        if total > limit:
            err.print(
                f"{limit} of {total:,} shown; --limit shows more, --collection and --code narrow, --json gives all."
            )
        err.print(f"Look at one: isthmus letters show {letters[0].id}", markup=False)
    write_json({"run": run.id, "total": total, "letters": [_as_json(letter) for letter in letters]}, json_file)


@app.command("show")
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The letter's number.")],
    target: TargetOption,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """Show one dead letter: every cause, where it came from, and the document as Extended JSON."""
    import json

    from rich.text import Text

    from isthmus.cli.output import result_console, write_json
    from isthmus.cli.target import reading
    from isthmus.state.reports import read_letter

    with reading(target) as (connection, run):
        letter = read_letter(connection, run.id, number)
        document = _document(run, letter.collection, letter.document, show_sensitive=show_sensitive)
    console = result_console(json_file)
    console.print(
        Text(f"Dead letter {letter.id}", style="bold"),
        f"of {letter.collection}, _id {letter.source_id or '(none)'}",
        markup=False,
    )
    console.print(f"  from   {letter.location}, {letter.size_bytes:,} bytes", markup=False)
    console.print(f"  stage  {letter.stage}", markup=False)
    for cause in letter.causes:
        console.print(f"  • {cause['code']}  {cause['path'] or '(document)'}", style="bold", markup=False)
        console.print(f"    {cause['message']}", markup=False)
    if isinstance(document, str):
        console.print("  The bytes are no readable BSON document; as hex:", style="bold")
        console.print(f"  {document}", markup=False)
    else:
        console.print("  The document (Extended JSON):", style="bold")
        console.print(json.dumps(document, indent=2, ensure_ascii=False), markup=False)
    write_json({**_as_json(letter), "causes": letter.causes, "document": document}, json_file)


@app.command("export")
def export(
    target: TargetOption,
    output: OutputOption = None,
    collection: CollectionOption = None,
    code: CodeOption = None,
    show_sensitive: SensitiveOption = False,
) -> None:
    """Write dead letters as JSON lines: causes, and the document as Extended JSON (as hex where it is no BSON).

    Fields that the mapping calls sensitive are written as "(hidden)" unless asked for.
    """
    import json

    from isthmus.cli.output import err, writing
    from isthmus.cli.target import reading
    from isthmus.state.reports import list_letters, read_letter

    count = 0
    with reading(target) as (connection, run), writing(output) as stream:
        for entry in list_letters(connection, run.id, collection=collection, code=code):
            letter = read_letter(connection, run.id, entry.id)
            document = _document(run, letter.collection, letter.document, show_sensitive=show_sensitive)
            line = {**_as_json(letter), "causes": letter.causes, "document": document}
            stream.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            count += 1
    err.print(f"{count:,} dead letters written" + (f" to {output}." if output else "."), markup=False)


def _as_json(letter: LetterLine) -> dict[str, Any]:
    return {
        "id": letter.id,
        "collection": letter.collection,
        "source_id": letter.source_id,
        "location": letter.location,
        "stage": letter.stage,
        "code": letter.code,
        "path": letter.path,
        "message": letter.message,
        "size_bytes": letter.size_bytes,
        "created_at": letter.created_at.isoformat(),
    }


def _document(run: Any, collection: str, raw: bytes, *, show_sensitive: bool) -> Any:
    """Return the document as Extended JSON values, or as hex text when its bytes are no BSON."""
    import json

    from isthmus._rust import extended_json
    from isthmus.cli.sensitive import hidden_paths
    from isthmus.errors import IsthmusError

    hidden = [] if show_sensitive else hidden_paths(run, collection)
    try:
        return json.loads(extended_json(raw, hidden=hidden))
    except (IsthmusError, ValueError):
        return (
            raw.hex()
            if show_sensitive or not hidden
            else "(hidden: unreadable bytes of a collection with sensitive fields)"
        )
