"""`isthmus schema`: SQL migrations under rules. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.schema import adopt, check, deploy, drift, new, rehearse, renumber, resolve, status

app = typer.Typer(help="SQL migrations under rules.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """SQL migrations under rules."""


app.command("new")(new.new)
app.command("check")(check.check)
app.command("renumber")(renumber.renumber)
app.command("rehearse")(rehearse.rehearse)
app.command("drift")(drift.drift)
app.command("status")(status.status)
app.command("deploy")(deploy.deploy)
app.command("resolve")(resolve.resolve)
app.command("adopt")(adopt.adopt)
