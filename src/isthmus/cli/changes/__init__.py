"""`isthmus changes`: the log of changes of MongoDB models. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.changes import check, log, new

app = typer.Typer(help="The log of changes of MongoDB models, under rules.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """The log of changes of MongoDB models, under rules."""


app.command("new")(new.new)
app.command("check")(check.check)
app.command("log")(log.log)
