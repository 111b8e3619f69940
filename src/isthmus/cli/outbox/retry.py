"""`isthmus outbox retry`: events that MongoDB refused are tried again at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.outbox.options import Number, TargetOption

if TYPE_CHECKING:
    from isthmus.polyglot.outbox.answers import Choice


def retry(
    target: TargetOption,
    numbers: Number = None,
    collection: Annotated[
        str | None,
        typer.Option("--collection", "-c", metavar="NAME", help="All of this collection.", show_default=False),
    ] = None,
    document_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Of that collection this document alone: its _id as status shows it.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were refused.")] = False,
    json_file: JsonOption = None,
) -> int:
    """Let refused events be tried again at once, as if for the first time: when what stood in their way is mended.

    A running relay hears of it. What waits behind a parked event goes on when it was applied.

    The JSON: outcome (retried, failed), exit_code, numbers (of the events).

    Exit codes: 0 they are tried again, 2 usage, or a number of no such event: nothing was written; 4 target.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.outbox.options import outbox_of
    from isthmus.cli.output import plural, result_console, write_json
    from isthmus.polyglot.outbox.answers import retry as try_again

    with writing_refusals(json_file, failed_json):
        choice = _choice(numbers, collection, document_id, everything=everything)
        with outbox_of(target) as connection:
            found = try_again(connection, choice)
        verb = "is" if len(found) == 1 else "are"
        result_console(json_file).print(f"{plural(len(found), 'event')} {verb} tried again.", markup=False)
        write_json({"outcome": "retried", "exit_code": 0, "numbers": found}, json_file)
    return 0


def _choice(numbers: list[int] | None, collection: str | None, document_id: str | None, *, everything: bool) -> Choice:
    """Return which are meant.

    Raises:
        ConfigError: Nothing says which, or two things do (code `which-ones`).
        PolyglotError: There can be no such document (code `outbox-key`).
    """
    from isthmus.errors import ConfigError
    from isthmus.polyglot.outbox.answers import Choice
    from isthmus.polyglot.outbox.key import document_key
    from isthmus.state.source_ids import parse, value_of

    ways = sum((bool(numbers), collection is not None, everything))
    if ways != 1 or (document_id is not None and collection is None):
        raise ConfigError(
            "Which ones? Give numbers, --collection (with --id for one document), or --all; not several of them.",
            code="which-ones",
            hint="isthmus outbox status lists them with their numbers.",
        )
    if collection is not None and document_id is not None:
        return Choice(keys=tuple(document_key(collection, value_of(one)) for one in parse(document_id)))
    return Choice(tuple(numbers) if numbers else None, collection)
