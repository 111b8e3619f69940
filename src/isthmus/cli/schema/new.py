"""`isthmus schema new`: the next migration, with its header."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.schema.options import SchemaOption, ScratchOption, only_schema

if TYPE_CHECKING:
    from isthmus.govern.models.from_models import Written
    from isthmus.govern.models.renames import Renaming


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it does: add_users_email.")],
    schema: SchemaOption = None,
    purpose: Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="Why it is there.")] = None,
    ticket: Annotated[
        str | None, typer.Option("--ticket", metavar="TICKET", help="Else what the name of the branch says.")
    ] = None,
    from_models: Annotated[
        bool,
        typer.Option("--from-models", help="Write what leads from the migrations to the models of the settings."),
    ] = False,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="OLD=NEW", help="It is a rename: users.name=users.full_name, people=users."),
    ] = None,
    no_rename: Annotated[
        list[str] | None,
        typer.Option("--no-rename", metavar="OLD", help="It is none: users.name goes, and what is like it is new."),
    ] = None,
    scratch: ScratchOption = None,
) -> int:
    """Write the next migration, with its header, and its entry in Drizzle's journal.

    Its number comes after all of the folder, of HEAD and of the base that the settings name.

    With --from-models its SQL and its rollback are written as well: models and migrations are made in scratch databases
    and compared, and what is written is tried there. It may be several migrations in order: new values of enums stand
    alone, and so does what runs without a transaction. A column or table that is gone while one like it is new may be
    a rename: that is asked at a terminal, and has to be said by options elsewhere. Nothing is written where nothing
    differs.

    Exit codes: 0 it is written, or nothing differs, 1 something differs that has to be written by hand, 2 the settings,
    the models or the answers on renames cannot be used, 4 the server refused a migration or what leads to the models.
    """
    from isthmus.cli.output import out, show_hint
    from isthmus.errors import ConfigError
    from isthmus.govern.settings import find_project
    from isthmus.govern.writing.new import write_new

    if not from_models and (rename or no_rename or scratch is not None):
        raise ConfigError(
            "--rename, --no-rename and --scratch are for --from-models.", code="usage", hint="Give that as well."
        )
    project = find_project(Path.cwd())
    settings = only_schema(project, schema)
    if not from_models:
        for file in write_new(project, settings, name, purpose=purpose, ticket=ticket):
            out.print(str(file), markup=False, soft_wrap=True)
        show_hint(
            out,
            "Write what stands in <angle brackets>, and the SQL; then git add it, and isthmus schema check.",
            indent=0,
        )
        return 0

    from isthmus.cli.output import err
    from isthmus.govern.models.from_models import write_from_models
    from isthmus.govern.models.renames import read_answers
    from isthmus.govern.scratch import scratch_server

    answers = read_answers(rename or (), no_rename or ())
    with ExitStack() as stack:
        status = stack.enter_context(err.status("Comparing models and migrations")) if err.is_terminal else None

        def ask(one: Renaming) -> bool:
            if status is not None:
                status.stop()
            err.print(f"{one.kind} {one.thing(one.old)} is gone, {one.thing(one.new)} is new.", markup=False)
            lost = "rows" if one.kind == "table" else "values"
            answer = typer.confirm(f"Is it a rename? If not, its {lost} are dropped.", default=None, err=True)
            if status is not None:
                status.start()
            return answer

        found = write_from_models(
            project,
            settings,
            name,
            stack.enter_context(scratch_server(scratch)),
            purpose=purpose,
            ticket=ticket,
            answers=answers,
            ask=ask if sys.stdin.isatty() and err.is_terminal else None,
        )
    _show(found, written=purpose is not None and ticket is not None)
    return 1 if found.left else 0


def _show(found: Written, *, written: bool) -> None:
    from isthmus.cli.output import err, out, plural, show_hint, show_note, show_point
    from isthmus.cli.schema.shortened import shortened_keys

    for file in found.files:
        out.print(str(file), markup=False, soft_wrap=True)
    if not found.files and not found.left:
        err.print("Nothing differs: the migrations make what the models say. Nothing was written.")
    if found.left:
        count = plural(len(found.left), "difference has", "differences have")
        err.print(f"{count} to be written by hand:", style="bold")
        for one in found.left:
            show_point(err, one)
    if found.unspoken:
        named = shortened_keys(found.unspoken)
        show_note(err, f"Left as the migrations make it, for the models say nothing of it: {named}.")
    if found.elsewhere:
        show_note(err, f"Left alone, for no model is in them: the schemas {', '.join(found.elsewhere)}.")
    for one in found.opinion:
        show_note(err, f"Alembic's own comparison names besides: {one}")
    if found.files:
        what = "" if written else ", write what stands in <angle brackets>"
        show_hint(err, f"Read it{what}; then git add it, and isthmus schema check.", indent=0)
