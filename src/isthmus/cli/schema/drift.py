"""`isthmus schema drift`: models, migrations and a live database, held together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import JsonOption
from isthmus.cli.schema.options import NamesArgument, ScratchOption

if TYPE_CHECKING:
    from rich.console import Console

    from isthmus.govern.drifting.drift import Compared, Compares

_TITLES = {
    "models-migrations": "models and migrations",
    "migrations-database": "migrations and database",
    "models-database": "models and database",
}


def drift(
    names: NamesArgument = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            envvar=["POSTGRES_DIRECT_URL", "DATABASE_URL"],
            metavar="TARGET",
            help="The live database: postgresql://… or embedded:DIR. It is only read.",
            show_default=False,
        ),
    ] = None,
    scratch: ScratchOption = None,
    json_file: JsonOption = None,
) -> int:
    """Tell in what models, migrations and a live database differ, each pair of them that there is.

    Models and migrations are made in scratch databases; of the live one the catalog is read, with any role that may
    connect and read Isthmus's history. It is held against the migrations that this has as applied: what is pending is
    told apart and is no drift. The order of columns, owners, rights, Isthmus's own tables and the histories of Prisma
    and Drizzle are none either, nor are schemas in which the migrations made nothing, nor what somebody else makes by
    before.sql.

    Exit codes: 0 nothing differs, 1 something does, 2 the settings, files or models cannot be used, 4 a database cannot
    be read, or the server refused a migration.
    """
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import say_nothing_was_committed
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.schema.reading import reading
    from isthmus.connect.target import open_target
    from isthmus.govern.drifting.drift import compare_all
    from isthmus.govern.scratch import scratch_server
    from isthmus.govern.settings import find_project

    say_nothing_was_committed()
    project = find_project(Path.cwd())
    chosen = project.settings.chosen(names or (), project.file)
    console = result_console(json_file)
    with ExitStack() as stack:
        stack.enter_context(writing_refusals(json_file, failed_json))
        live = None
        if target is not None:
            live = stack.enter_context(reading(stack.enter_context(open_target(target)).conninfo))
            live.read_only = True
            live.prepare_threshold = None  # a pooler may lend its session to others: nothing stays in it
        if err.is_terminal:
            stack.enter_context(err.status("Comparing"))
        found = compare_all(project, chosen, stack.enter_context(scratch_server(scratch)), live)
    _show(console, found)
    code = 1 if found.any else 0
    write_json(
        {
            "outcome": "failed" if code else "passed",
            "exit_code": code,
            "schemas": {title: _as_json(one) for title, one in found.schemas.items()},
            "unmade": found.unmade,
            "unsound": found.unsound,
            "elsewhere": found.elsewhere,
            "versions": found.versions,
        },
        json_file,
    )
    return code


def _as_json(one: Compared) -> dict[str, object]:
    return {
        "pairs": {pair: [it.as_json() for it in found] for pair, found in one.pairs.items()},
        "pending": one.pending,
        "misfits": one.misfits,
        "no_history": one.no_history,
        "unspoken": [f"{key.kind} {key.place}" for key in one.unspoken],
    }


def _show(console: Console, found: Compares) -> None:
    from rich.text import Text

    from isthmus.cli.output import err, plural, show_note, show_paragraph
    from isthmus.cli.schema.shortened import shortened_keys

    for title, one in found.schemas.items():
        console.print(f"{title}:", markup=False, style="bold", soft_wrap=True)
        for pair, differing in one.pairs.items():
            said = plural(len(differing), "difference") if differing else "the same"
            console.print(Text.assemble(f"  {_TITLES[pair]}: ", (said, "bold red" if differing else "green")))
            for it in differing:
                show_paragraph(console, "    • ", it.sentence)
        _show_standing(console, title, one)
        if one.unspoken:
            named = shortened_keys(one.unspoken)
            show_note(err, f"Not held against the models, which say nothing of it: {named}.")
    if found.unmade is not None:
        show_note(
            err,
            f"What the database has applied cannot be made of the files that are here ({found.unmade}), so that it is"
            " held against all migrations; isthmus schema status tells in what its history and the files differ.",
        )
    for sentence in found.unsound:
        show_note(err, f"In the database: {sentence}")
    if found.elsewhere:
        show_note(
            err, f"Not looked at, for no migration made anything in them: the schemas {', '.join(found.elsewhere)}."
        )
    if found.versions is not None:
        ours, theirs = found.versions
        show_note(
            err,
            f"The scratch server is PostgreSQL {ours}, the database {theirs}: what they print in different ways differs"
            " here. Give --scratch a server of the same version.",
        )


def _show_standing(console: Console, title: str, one: Compared) -> None:
    from isthmus.cli.output import err, plural, show_note
    from isthmus.cli.schema.shortened import shortened

    if one.pending:
        console.print(f"  pending, and no drift: {', '.join(one.pending)}", markup=False, soft_wrap=True)
    if one.misfits:
        count = plural(len(one.misfits), "migration does not fit its history", "migrations do not fit their history")
        named = shortened([f"{name} ({stand})" for name, stand in one.misfits.items()])
        show_note(err, f"{title}: {count}: {named}; isthmus schema status says more.")
    if one.no_history:
        show_note(
            err,
            f"{title}: the database has no history of it, so that it is held against all migrations. Where another"
            " runner applied them, isthmus schema adopt takes its history over.",
        )
