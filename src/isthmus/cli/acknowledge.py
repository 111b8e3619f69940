"""`isthmus letters acknowledge` and `isthmus conflicts acknowledge`: what somebody has looked at and lets be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import JsonOption, RunOption, TargetOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.state.acknowledgements import Kind, Said, Word

_LARGEST = 2**63 - 1

NumbersArgument = Annotated[
    list[int] | None,
    typer.Argument(metavar="NUMBER", min=1, max=_LARGEST, help="The numbers that the list shows.", show_default=False),
]
CollectionOption = Annotated[
    str | None, typer.Option("--collection", "-c", metavar="NAME", help="All of this collection.", show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help="All that there are.")]
ReasonOption = Annotated[
    str | None,
    typer.Option(
        "--reason", metavar="TEXT", help="Why it may stay as it is. Kept, and shown by the list.", show_default=False
    ),
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who says so; the role of the connection is kept in any case.",
        show_default=False,
    ),
]
WithdrawOption = Annotated[
    bool, typer.Option("--withdraw", help="Take back what was said of them; it stays written down in the target.")
]


@dataclass(frozen=True)
class _Words:
    """What differs between the two commands: the option beside --collection, and what their help says."""

    option: str
    metavar: str
    meaning: str
    help: str


_LAST = """The {nouns} of the last copy of each collection can be named: by numbers, or with --collection, {option} or
--all, which leave alone what somebody has acknowledged before. Numbers give them this reason in place of another. --run
narrows to one run.{more}

The JSON: outcome (acknowledged, withdrawn, failed), exit_code, newly, otherwise (had another reason), already,
withdrawn, open (how many of all are left; with --run of that run's).

Exit codes: 0 it is written down, or was before; 2 usage, no reason, or an unknown number: nothing was written; 4
target."""
_WORDS: dict[Kind, _Words] = {
    "letter": _Words(
        "--code",
        "CODE",
        "All with this cause, for example nul.",
        """Write down that somebody has looked at dead letters and lets them be, with the reason.

From then on isthmus status counts them apart, and they are not in the way of status --decommission. It holds for the
same document with the same causes, in a later copy too; a document that changed, or that another cause keeps out, is
open again. The exit code of isthmus copy stays as it is, and letters retry tries them like all others.

"""
        + _LAST.format(nouns="letters", option="--code", more=""),
    ),
    "conflict": _Words(
        "--table",
        "TABLE",
        "All of this table.",
        """Write down that somebody has looked at rows that say something else than their document, and lets them be.

From then on they are not in the way of isthmus status --decommission. It holds for the same row and document, as long
as both say what they say, in a later copy too; when one of them changes, the conflict is open again.

"""
        + _LAST.format(
            nouns="conflicts",
            option="--table",
            more=" What may be one thing and nobody has decided is answered in another way: isthmus identities list.",
        ),
    ),
}


def acknowledging(kind: Kind) -> Callable[..., int]:
    """Return the command that writes down that somebody has looked at dead letters, or at conflicts."""
    words = _WORDS[kind]
    place_option: Any = typer.Option(None, words.option, metavar=words.metavar, help=words.meaning, show_default=False)

    def acknowledge(
        target: TargetOption,
        numbers: NumbersArgument = None,
        collection: CollectionOption = None,
        place: str | None = place_option,
        everything: AllOption = False,
        run: RunOption = None,
        reason: ReasonOption = None,
        by: ByOption = None,
        withdraw: WithdrawOption = False,
        json_file: JsonOption = None,
    ) -> int:
        from isthmus.cli.findings import failed_json, writing_refusals
        from isthmus.cli.output import result_console, write_json
        from isthmus.cli.target import reading
        from isthmus.state.acknowledgements import Choice, Said, checked_reason, choose, prepare, read_items
        from isthmus.state.acknowledgements import acknowledge as write_down
        from isthmus.state.acknowledgements import withdraw as take_back
        from isthmus.state.last_copies import copies_of

        with writing_refusals(json_file, failed_json):
            _refuse_other_choices(numbers, collection, place, words.option, everything=everything)
            _refuse_other_reasons(reason, withdraw=withdraw)
            text = checked_reason(reason or "") if not withdraw else ""
            with reading(target) as (connection, newest):
                copies_of(connection, newest, run)  # a run that is not there is refused before anything is written
                prepare(connection)
                with connection.transaction():
                    scope = copies_of(connection, newest, run).scope
                    found = choose(connection, kind, scope, Choice(numbers or None, collection, place))
                    meant = found if numbers or withdraw else [item for item in found if item.word is None]
                    said, back = Said(0, 0, len(found) - len(meant)), 0
                    if withdraw:
                        back = take_back(connection, meant, by=by)
                    else:
                        done = write_down(connection, kind, meant, text, by=by)
                        said = Said(done.newly, done.otherwise, done.already + said.already)
                    left = sum(item.word is None for item in read_items(connection, kind, scope))
            _show(result_console(json_file), kind, said, back, left, withdraw=withdraw)
            write_json(
                {
                    "outcome": "withdrawn" if withdraw else "acknowledged",
                    "exit_code": 0,
                    "newly": said.newly,
                    "otherwise": said.otherwise,
                    "already": said.already,
                    "withdrawn": back,
                    "open": left,
                },
                json_file,
            )
        return 0

    acknowledge.__doc__ = words.help
    return acknowledge


def said_of(word: Word | None) -> str:
    """Return what somebody said, on one line; a dash where nobody did."""
    from isthmus.connect.secrets import hide

    if word is None:
        return "–"
    text = "".join(character if character.isprintable() else " " for character in word.reason)
    return f"{word.by or word.role}, {word.at:%Y-%m-%d}: {hide(' '.join(text.split()))}"


def show_word(console: Console, word: Word | None, *, indent: int) -> None:
    """Print what somebody said of a letter; nothing where nobody did."""
    from rich.text import Text

    from isthmus.cli.output import show_paragraph

    if word is not None:
        show_paragraph(console, " " * indent, Text(f"acknowledged by {said_of(word)}", style="dim"))


def _refuse_other_choices(
    numbers: list[int] | None, collection: str | None, place: str | None, place_option: str, *, everything: bool
) -> None:
    """Refuse what does not say which are meant, or says it twice.

    Raises:
        ConfigError: So it is (code `which-ones`).
    """
    from isthmus.errors import ConfigError

    narrowed = collection is not None or place is not None
    if sum((bool(numbers), narrowed, everything)) != 1:
        ways = f"numbers, --collection or {place_option}, or --all"
        raise ConfigError(
            f"Which ones? Give {ways}" + ("; not several of them." if numbers or everything else "."),
            code="which-ones",
            hint="The list shows their numbers.",
        )


def _refuse_other_reasons(reason: str | None, *, withdraw: bool) -> None:
    """Refuse a reason for taking something back.

    Raises:
        ConfigError: There is one (code `which-ones`).
    """
    from isthmus.errors import ConfigError

    if withdraw and reason is not None:
        raise ConfigError(
            "--withdraw takes back what was said, and --reason says something.",
            code="which-ones",
            hint="Leave one of them out. A number with --reason gives another reason in place of the one before.",
        )


def _show(console: Console, kind: Kind, said: Said, back: int, left: int, *, withdraw: bool) -> None:
    from isthmus.cli.output import plural
    from isthmus.state.acknowledgements import NOUNS

    noun = NOUNS[kind]
    if withdraw:
        parts = [f"{plural(back, noun)} no longer acknowledged"]
    else:
        parts = [f"{plural(said.newly, noun)} newly acknowledged"]
        parts += [f"{said.otherwise:,} with another reason than before"] if said.otherwise else []
        parts += [f"{said.already:,} as before"] if said.already else []
    console.print(f"{', '.join(parts)}; {plural(left, 'is', 'are')} open.")
