"""The command `isthmus`: gathers the commands and turns every error into a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from isthmus.cli import check, copy, ddl, demo, ids, letters, orphans, status
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
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Carry a MongoDB database to PostgreSQL, and prove that nothing was lost."""


app.command("demo")(demo.demo)
app.command("check")(check.check)
app.command("ddl")(ddl.ddl)
app.command("copy")(copy.copy)
app.command("status")(status.status)
app.add_typer(letters.app, name="letters")
app.add_typer(orphans.app, name="orphans")
app.add_typer(ids.app, name="ids")


def _leave_quietly() -> NoReturn:
    """End with code 0: the reader of our output left (isthmus … | head), and that is no fault."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it flushes
    sys.exit(0)


def main() -> None:
    """Run the command line and leave with its exit code.

    Exit codes: 0 all carried, 1 finished with something not carried, 2 usage or mapping, 3 source, 4 target,
    5 refused by a governance rule, 130 interrupted and resumable.
    """
    try:
        code = app(standalone_mode=False)
    except IsthmusError as fault:
        from isthmus.cli.output import show_error

        show_error(fault)
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _leave_quietly()
    except SystemExit as end:  # what click makes of a broken pipe
        if isinstance(end.__context__, BrokenPipeError):
            _leave_quietly()
        raise
    except Exception as fault:  # noqa: BLE001  the last door: nothing leaves as a bare traceback
        if hasattr(fault, "exit_code") and hasattr(fault, "show"):  # typer's own usage errors
            fault.show()  # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
            sys.exit(2)
        from isthmus.cli.output import show_unexpected

        show_unexpected(fault)
        sys.exit(4)
    sys.exit(code if isinstance(code, int) else 0)
