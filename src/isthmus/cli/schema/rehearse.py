"""`isthmus schema rehearse`: migrations and their rollbacks, tried on a scratch database."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, ScratchOption

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from isthmus.govern.rehearsing.keep import Kept
    from isthmus.govern.rehearsing.outcome import Outcome
    from isthmus.govern.rehearsing.rehearse import Rehearsed

_WORDS = {
    "restores": "its rollback restores what was there before.",
    "in part": "its rollback restores a part, as `Reversible: Partial` says.",
    "not restored": "its rollback does not restore what was there before.",
    "fails": "it cannot be applied where its tables have rows.",
    "excused": "the settings say why it may be so.",
    "not reversible": "it is not reversible.",
    "older": "it was there before Isthmus.",
    "passed over": "it was only applied.",
}
_LEADS = {
    "rollback-refused": "rollback: ",
    "rollback-differs": "behind the rollback: ",
    "rows-lost": "behind the rollback: ",
    "again-refused": "applied again: ",
    "again-differs": "applied again: ",
    "again-rows": "applied again (no error): ",
    "fails-on-rows": "on tables with rows: ",
    "without-rows": "",
    "order": "apart (no error): ",
}
_MOST_SAID = 30
_MOST_WHY = 10


def rehearse(
    names: NamesArgument = None,
    scratch: ScratchOption = None,
    seed: Annotated[
        Path | None,
        typer.Option(
            "--seed",
            metavar="FILE",
            help="SQL that puts rows into the tables. Else seed.sql of each folder; tables that stay empty get rows"
            " that are made.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--last",
            min=0,
            metavar="N",
            help="Try only the newest N of each folder; those before are only applied.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write no schema.json; refuse one that is not what would be written.")
    ] = False,
    json_file: JsonOption = None,
) -> int:
    """Apply all migrations to a scratch database and prove each rollback there, on tables that have rows.

    Each migration behind the baseline is applied, rolled back where its header says that this is possible, and applied
    again; catalog and rows are compared each time. Where nothing stands against them, schema.json is written into each
    folder: its tables and columns, and the migration that made each. No database is touched but those that are made
    for this, and they are dropped.

    Exit codes: 0 every rollback restores what it says, 2 the settings or files cannot be used, 4 the server refused a
    migration or cannot be used, 5 a rollback does not restore what its header says, a migration cannot be applied where
    tables have rows, or schema.json is not fresh (--check), 130 stopped.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.govern.rehearsing.keep import keep
    from isthmus.govern.rehearsing.outcome import REFUSED
    from isthmus.govern.rehearsing.rehearse import parts_of, seeds_of
    from isthmus.govern.rehearsing.rehearse import rehearse as rehearse_parts
    from isthmus.govern.scratch import scratch_server
    from isthmus.govern.settings import find_project

    say_nothing_was_committed()
    project = find_project(Path.cwd())
    parts = parts_of(project, names or ())
    seeds = seeds_of(parts, seed)
    console = result_console(json_file)
    outcomes: dict[str, list[Outcome]] = {one.settings.title: [] for one in parts}

    def as_json() -> dict[str, object]:
        return {"schemas": {title: [one.as_json() for one in ones] for title, ones in outcomes.items()}}

    with ExitStack() as stack:
        stack.enter_context(writing_refusals(json_file, lambda fault: {**failed_json(fault), **as_json()}))
        status = stack.enter_context(err.status("Starting a scratch server")) if err.is_terminal else None
        server = stack.enter_context(scratch_server(scratch))
        total, count = sum(len(one.scripts) for one in parts), 0

        def begin(name: str) -> None:
            nonlocal count
            count += 1
            _progress(status, f"Rehearsing {count:,} of {total:,}: {name}")

        def tell(one: Outcome) -> None:
            ones = outcomes[one.schema]
            if _is_told(one):
                if not any(_is_told(other) for other in ones):
                    console.print(f"{one.schema}:", markup=False, style="bold", soft_wrap=True)
                _show(console, one)
            ones.append(one)

        without = [one.title for one in project.settings.schemas if one.title not in outcomes]
        found = rehearse_parts(parts, server, seeds=seeds, last=last, without=without, begin=begin, tell=tell)
        refused = any(one.stand in REFUSED for ones in outcomes.values() for one in ones)
        kept = keep(parts, found.schema_json, write=not check and not refused)
    _show_end(console, outcomes, found, kept, check=check, refused=refused)
    code = 5 if refused or (check and any(one.state != "fresh" for one in kept)) else 0
    write_json(
        {
            "outcome": "refused" if code else "passed",
            "exit_code": code,
            "server_version": server.version,
            **as_json(),
            "schema_json": {one.title: {"file": one.file, "state": one.state, "why": list(one.why)} for one in kept},
            "without_rows": {key.place: why for key, why in found.empty.items()},
            "roles_made": list(found.roles),
            "seed_unused": [{"file": file, "line": line, "message": words} for file, line, words in found.unused],
        },
        json_file,
    )
    return code


def _progress(status: Status | None, text: str) -> None:
    from rich.text import Text

    if status is not None:
        status.update(Text(text))


def _is_told(one: Outcome) -> bool:
    return bool(one.said)


def _show(console: Console, one: Outcome) -> None:
    from rich.text import Text

    from isthmus.cli.output import show_hint, show_paragraph
    from isthmus.govern.rehearsing.outcome import REFUSED

    bad = one.stand in REFUSED
    show_paragraph(console, Text("  "), Text(f"{one.name}: {_WORDS[one.stand]}", style="bold red" if bad else ""))
    for said in one.said[:_MOST_SAID]:
        file = None if said.file is None else _file(said.file)
        place = "" if file is None else f"{file}:{said.line}: " if said.line else f"{file}: "
        show_paragraph(console, "    • ", f"{_LEADS[said.kind]}{place}{said.sentence}")
    if len(one.said) > _MOST_SAID:
        show_paragraph(console, "    • ", f"and {len(one.said) - _MOST_SAID:,} more; --json has them all.")
    if one.why is not None:
        show_hint(console, f"Excused: {one.why}", indent=4)
    elif bad:
        show_hint(console, _hint(one), indent=4)


def _file(file: str) -> str:
    """Return a path as a person here would write it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _hint(one: Outcome) -> str:
    filling = "Give the column a default, or fill it before it is made NOT NULL."
    if one.stand == "fails":
        how = filling
    elif one.reversible == "Partial":
        how = "A rollback that is refused restores no part: correct it, or write `Reversible: No`."
    elif any(said.kind == "rows-lost" for said in one.said) and len({said.kind for said in one.said}) == 1:
        how = "What is deleted or overwritten does not come back: write `Reversible: Partial`, or No."
    else:
        how = "Correct the rollback, or write `Reversible: Partial` (or No) where it cannot be."
    if one.stand != "fails" and any(said.certain for said in one.said):
        how = f"{filling} {how}"
    return f'{how} If it is committed already: off = {{"rehearsal/{one.name}" = "why"}} in the settings.'


def _show_end(
    console: Console,
    outcomes: dict[str, list[Outcome]],
    found: Rehearsed,
    kept: list[Kept],
    *,
    check: bool,
    refused: bool,
) -> None:
    from collections import Counter

    from isthmus.cli.output import err, plural, show_hint, show_note

    for key, why in found.empty.items():
        show_note(err, f"{key.place} was tried without rows: {why}.")
    if found.empty:
        show_hint(
            err, "Rows of your own for them stand in seed.sql beside the migrations, or in --seed FILE.", indent=2
        )
    for file, line, words in found.unused:
        show_note(err, f"{_file(file)}:{line}: it was never taken: {words}.")
    if found.roles:
        show_note(err, f"Made on the scratch server, for migrations name them: {', '.join(found.roles)}.")
    counts = Counter(one.stand for ones in outcomes.values() for one in ones)
    total = sum(counts.values())
    said = ", ".join(f"{counts[stand]:,} {_COUNTED[stand]}" for stand in _COUNTED if counts[stand])
    console.print(f"{plural(total, 'migration')}{f': {said}' if said else ''}.", markup=False, soft_wrap=True)
    for one in kept:
        if refused and one.state != "fresh":
            console.print(f"{_file(one.file)}: not written, for something stands against its migrations.", markup=False)
        elif one.state == "stale" and check:
            console.print(f"{_file(one.file)}: it is not what the migrations make.", markup=False, style="bold red")
            _show_why(console, one)
            show_hint(console, "Run isthmus schema rehearse, and git add it.", indent=2)
        elif one.state == "written":
            console.print(f"{_file(one.file)}: written; git add it.", markup=False, soft_wrap=True)


def _show_why(console: Console, kept: Kept) -> None:
    from isthmus.cli.output import show_paragraph

    for sentence in kept.why[:_MOST_WHY]:
        show_paragraph(console, "  • ", sentence)
    if len(kept.why) > _MOST_WHY:
        show_paragraph(console, "  • ", f"and {len(kept.why) - _MOST_WHY:,} more; --json has them all.")


_COUNTED = {
    "restores": "restored",
    "in part": "in part",
    "not restored": "not restored",
    "fails": "not to be applied where tables have rows",
    "excused": "excused",
    "not reversible": "not reversible",
    "older": "from before Isthmus",
    "passed over": "only applied",
}
