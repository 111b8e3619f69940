"""`isthmus refs`: references between MongoDB documents and PostgreSQL rows. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.refs import audit, check, rewrite
from isthmus.cli.refs import map as map_command

app = typer.Typer(help="References between MongoDB documents and PostgreSQL rows.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """References between MongoDB documents and PostgreSQL rows."""


app.command("map")(map_command.map_)
app.command("audit")(audit.audit)
app.command("check")(check.check)
app.command("rewrite")(rewrite.rewrite)
