"""`isthmus letters`: the documents that could not be carried, with their bytes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.acknowledge import acknowledging
from isthmus.cli.options import (
    JsonOption,
    OpenOption,
    OutputOption,
    ReadTargetOption,
    RunOption,
    SensitiveOption,
)
from isthmus.cli.retry_letters import retry

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.cli.sensitive import Sensitive
    from isthmus.state.acknowledgements import Word
    from isthmus.state.reports import Letter, LetterLine

app = typer.Typer(
    help="Documents that could not be carried: list, show, export, retry, acknowledge.", no_args_is_help=True
)

CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="Only this collection.")
]
CodeOption = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only this cause, for example nul.")]


@app.command("list")
def list_(
    target: ReadTargetOption,
    collection: CollectionOption = None,
    code: CodeOption = None,
    run: RunOption = None,
    open_only: OpenOption = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="Most lines to show.")] = 50,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """List dead letters: number, collection, _id, cause, place in the source, and the reason of who acknowledged it.

    They are those of the last copy of each collection, so those of earlier runs too (copy --only), with the run where
    there are several. What a later run carried again is left out.

    The JSON: run (the newest that was looked at), runs (all of them), total, letters.
    """
    from itertools import islice
    from shlex import quote

    from rich.text import Text

    from isthmus.cli.acknowledge import show_word
    from isthmus.cli.long_paths import short_message, short_path
    from isthmus.cli.output import err, plural, result_console, show_paragraph, write_json
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.target import reading, shown_target
    from isthmus.state.acknowledgements import Choice, acknowledged
    from isthmus.state.last_copies import copies_of
    from isthmus.state.reports import count_letters, letter_kinds, list_letters

    with reading(target) as (connection, newest):
        copies = copies_of(connection, newest, run)
        known = acknowledged(connection, "letter", copies.scope, Choice(None, collection, code))
        total = there = count_letters(connection, copies.scope, collection=collection, code=code)
        wanted = list_letters(connection, copies.scope, collection=collection, code=code)
        if open_only:
            total -= len(known)
            wanted = (letter for letter in wanted if letter.id not in known)
        letters = list(islice(wanted, None if json_file else limit))
        kinds = [] if there else letter_kinds(connection, copies.scope)
        sensitive = None if show_sensitive else sensitive_of(*copies.runs)
    letters = letters if sensitive is None else [sensitive.letter(letter) for letter in letters]
    console = result_console(json_file)
    if there and not total:
        console.print(f"No dead letter is open; {plural(there, 'is', 'are')} acknowledged.")
    elif not total and kinds:
        asked = [f"--collection {collection}"] if collection is not None else []
        asked += [f"--code {code}"] if code is not None else []
        console.print(f"No dead letters match {' and '.join(asked)}.", markup=False)
        console.print(f"  collections  {', '.join(sorted({name for name, _ in kinds}))}", markup=False)
        console.print(f"  codes        {', '.join(sorted({kind for _, kind in kinds}))}", markup=False)
    elif not total:
        console.print("No dead letters.")
    else:
        for letter in letters[:limit]:
            head = Text(f"{letter.collection} {letter.source_id or '(no _id)'}")
            head.append(f"  {letter.code}", style="yellow")
            head.append(f"  {short_path(letter.path)}" if letter.path else "")
            head.append(f"  ({letter.stage})", style="dim")
            head.append(f"  run {letter.run}" if len(copies.runs) > 1 else "", style="dim")
            show_paragraph(console, Text(f"{letter.id:>5}  ", style="bold"), head)
            show_paragraph(console, " " * 7, short_message(letter.message, letter.path))
            show_word(console, known.get(letter.id), indent=7)
        if total > limit:
            err.print(
                f"{limit} of {total:,} shown; --limit shows more, --collection and --code narrow, --json gives all."
            )
        there = f"--target {quote(shown_target(target))}"
        err.print(f"Look at one: isthmus letters show {letters[0].id} {there}", markup=False, soft_wrap=True)
    write_json(
        {
            "run": copies.newest,
            "runs": copies.numbers,
            "total": total,
            "letters": [_as_json(letter, known.get(letter.id)) for letter in letters],
        },
        json_file,
    )


@app.command("show")
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The letter's number.")],
    target: ReadTargetOption,
    show_sensitive: SensitiveOption = False,
    json_file: JsonOption = None,
) -> None:
    """Show one dead letter: every cause with what to do, where it came from, and the document as Extended JSON."""
    from shlex import quote

    from rich.text import Text

    from isthmus.cli.acknowledge import show_word
    from isthmus.cli.documents import printable_document
    from isthmus.cli.letter_codes import remedy_of
    from isthmus.cli.long_paths import short_message, short_path
    from isthmus.cli.output import err, plural, result_console, show_hint, show_paragraph, write_json
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.target import reading, shown_target
    from isthmus.state.acknowledgements import Choice, acknowledged
    from isthmus.state.last_copies import carried_since, copies_of
    from isthmus.state.reports import read_letter

    with reading(target) as (connection, newest):
        letter = read_letter(connection, number)
        (run,) = copies_of(connection, newest, letter.run).runs
        since = carried_since(connection, run).get(letter.collection)
        known = acknowledged(connection, "letter", [(run.id, None)], Choice([number])).get(number)
        sensitive = None if show_sensitive else sensitive_of(run, *copies_of(connection, newest).runs)
    letter = letter if sensitive is None else sensitive.letter(letter)
    causes = _causes(letter, sensitive)
    document = printable_document(letter.document, letter.collection, sensitive)
    console = result_console(json_file)
    console.print(
        Text(f"Dead letter {letter.id}", style="bold"),
        f"of {letter.collection}, _id {letter.source_id or '(none)'}",
        markup=False,
    )
    show_paragraph(console, "  from   ", f"{letter.location}, {plural(letter.size_bytes, 'byte')}")
    console.print(f"  stage  {letter.stage}", markup=False)
    if run.id != newest.id:
        words = f"; run {since} carried {letter.collection} again since" if since is not None else ""
        show_paragraph(console, "  run    ", f"{run.id}{words}")
    show_word(console, known, indent=2)
    told: set[str] = set()
    for cause in causes:
        path = short_path(cause["path"])
        console.print(f"  • {cause['code']}  {path or '(document)'}", style="bold", markup=False)
        show_paragraph(console, "    ", short_message(cause["message"], cause["path"]))
        remedy = remedy_of(cause["code"])
        if remedy and remedy not in told:
            show_hint(console, remedy, indent=4)
        told.add(remedy)
    _show_document(console, document)
    if document is not None and since is None:
        here = f" --run {run.id}" if run.id != newest.id else ""
        again = f"isthmus letters retry MAPPING{here} --target {quote(shown_target(target))}"
        err.print("With a corrected mapping it is carried from here (a column of another type: copy --fresh):")
        err.print(f"  {again}", markup=False, soft_wrap=True)
    write_json({**_as_json(letter, known), "causes": causes, "document": document}, json_file)


def _show_document(console: Console, document: object) -> None:
    """Print a letter's document: as JSON, as hex where it is a text, or that it is not there."""
    import json

    if document is None:
        console.print("  Its bytes are not here: the source no longer had them.", style="bold")
    elif isinstance(document, str):
        console.print("  The bytes are no readable BSON document; as hex:", style="bold")
        console.print(f"  {document}", markup=False, soft_wrap=True)
    else:
        console.print("  The document (Extended JSON):", style="bold")
        console.print(json.dumps(document, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)


app.command("retry")(retry)
app.command("acknowledge")(acknowledging("letter"))


@app.command("export")
def export(
    target: ReadTargetOption,
    output: OutputOption = None,
    collection: CollectionOption = None,
    code: CodeOption = None,
    run: RunOption = None,
    show_sensitive: SensitiveOption = False,
) -> None:
    """Write dead letters as JSON lines: causes, and the document as Extended JSON (as hex where it is no BSON).

    They are those that letters list shows: of the last copy of each collection, or of one run.

    Fields that the mapping calls sensitive are written as "(hidden)" unless asked for, and so is what stands in their
    place or on the way to them.
    """
    import json

    from isthmus.cli.documents import printable_document
    from isthmus.cli.output import err, plural
    from isthmus.cli.result_files import writing
    from isthmus.cli.sensitive import sensitive_of
    from isthmus.cli.streams import lost_output
    from isthmus.cli.target import reading
    from isthmus.state.acknowledgements import Choice, acknowledged
    from isthmus.state.last_copies import copies_of
    from isthmus.state.reports import list_letters, read_letter

    count = 0
    with reading(target) as (connection, newest), ExitStack() as stack:
        copies = copies_of(connection, newest, run)
        stream = stack.enter_context(writing(output))
        known = acknowledged(connection, "letter", copies.scope, Choice(None, collection, code))
        sensitive = None if show_sensitive else sensitive_of(*copies.runs)
        for entry in list_letters(connection, copies.scope, collection=collection, code=code):
            if output is None and lost_output() is not None:
                return  # its reader has enough (… | head), which is no fault; a full disk, the last door tells
            letter = read_letter(connection, entry.id)
            letter = letter if sensitive is None else sensitive.letter(letter)
            line = {
                **_as_json(letter, known.get(letter.id)),
                "causes": _causes(letter, sensitive),
                "document": printable_document(letter.document, letter.collection, sensitive),
            }
            stream.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            count += 1
    err.print(f"{plural(count, 'dead letter')} written" + (f" to {output}." if output else "."), markup=False)


def _as_json(letter: LetterLine, known: Word | None) -> dict[str, Any]:
    return {
        "id": letter.id,
        "run": letter.run,
        "collection": letter.collection,
        "source_id": letter.source_id,
        "location": letter.location,
        "stage": letter.stage,
        "code": letter.code,
        "path": letter.path,
        "message": letter.message,
        "size_bytes": letter.size_bytes,
        "created_at": letter.created_at.isoformat(),
        "acknowledged": known.as_json() if known is not None else None,
    }


def _causes(letter: Letter, sensitive: Sensitive | None) -> list[dict[str, Any]]:
    """Return the causes as they may be shown."""
    if sensitive is None:
        return letter.causes
    return [sensitive.cause(letter.collection, cause) for cause in letter.causes]
