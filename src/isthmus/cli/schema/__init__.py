"""`isthmus schema`: SQL migrations under rules. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.schema import check, deploy, new, status

app = typer.Typer(help="SQL migrations under rules.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """SQL migrations under rules."""


app.command("new")(new.new)
app.command("check")(check.check)
app.command("status")(status.status)
app.command("deploy")(deploy.deploy)
