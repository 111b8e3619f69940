"""The command `isthmus`: gathers the commands and turns every error into a sentence and an exit code."""

from __future__ import annotations

import os
import sys

import typer

from isthmus.cli import (
    changes,
    check,
    conflicts,
    copy,
    ddl,
    demo,
    hooks,
    identities,
    ids,
    letters,
    orphans,
    outbox,
    psql,
    refs,
    schema,
    status,
    survey,
    switch,
    undo,
    verify,
)
from isthmus.cli import map as map_command
from isthmus.cli.ending import show_end, to_its_end
from isthmus.cli.setting_files import read_setting_files
from isthmus.errors import IsthmusError

app = typer.Typer(
    name="isthmus",
    help="Carry a MongoDB database to PostgreSQL, and prove that nothing was lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _show_version(value: bool) -> None:
    if value:
        from isthmus import __version__

        typer.echo(f"isthmus {__version__}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction]  typer calls it
    version: bool = typer.Option(  # noqa: ARG001  its callback is what counts
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Carry a MongoDB database to PostgreSQL, and prove that nothing was lost."""
    read_setting_files(os.environ)


app.command("demo")(demo.demo)
app.command("survey")(survey.survey)
app.command("map")(map_command.map_)
app.command("check")(check.check)
app.command("ddl")(ddl.ddl)
app.command("copy")(copy.copy)
app.command("verify")(verify.verify)
app.command("status")(status.status)
app.command("undo")(undo.undo)
app.command("psql")(psql.psql)
app.add_typer(schema.app, name="schema")
app.add_typer(changes.app, name="changes")
app.add_typer(hooks.app, name="hooks")
app.add_typer(letters.app, name="letters")
app.add_typer(orphans.app, name="orphans")
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(ids.app, name="ids")
app.add_typer(identities.app, name="identities")
app.add_typer(refs.app, name="refs")
app.add_typer(outbox.app, name="outbox")
app.add_typer(switch.app, name="switch")


def main() -> None:
    """Run the command line and leave with its exit code.

    Exit codes: 0 all carried, 1 finished with something not carried, 2 usage or mapping, 3 source, 4 target,
    5 refused by a governance rule, 130 interrupted and resumable. Who reads the output, or stops reading it
    (isthmus … | head), changes none of them; an output or a file of results that could not be written for another
    reason makes it 2 or more.
    """
    sys.exit(to_its_end(_run))


def _run() -> int:
    """Run a command, show the error that ended it, and return its exit code."""
    try:
        code = app(standalone_mode=False)
    except (IsthmusError, KeyboardInterrupt) as fault:
        return show_end(fault)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # not our streams: click takes every broken pipe for those
            return show_end(end.__context__)
        return end.code if isinstance(end.code, int) else 0
    except Exception as fault:  # noqa: BLE001  the last door: nothing leaves as a bare traceback
        if hasattr(fault, "exit_code") and hasattr(fault, "show"):  # typer's own usage errors
            _name_variables(fault)
            fault.show()  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
            if hasattr(fault, "option_name") and getattr(getattr(fault, "ctx", None), "info_name", None) == "psql":
                typer.echo("Options of psql stand behind --: isthmus psql --target TARGET -- -c 'SELECT …'", err=True)
            return 2
        return show_end(fault)
    return code if isinstance(code, int) else 0


def _name_variables(fault: Exception) -> None:
    """Let typer name an option's variables, where there are several, in words and not as a list of Python's."""
    param = getattr(fault, "param", None)
    names = getattr(param, "envvar", None)
    if param is not None and isinstance(names, list) and getattr(fault, "param_hint", None) is None:
        hint = str(param.get_error_hint()).replace(f"'{names}'", " or ".join(str(one) for one in names))  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        vars(fault)["param_hint"] = hint
