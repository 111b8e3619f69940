"""`isthmus switch`: collections that move between MongoDB and PostgreSQL while applications run. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.switch import back, cancel, prepare, run, status

app = typer.Typer(help="Move a collection that applications use to PostgreSQL, or back.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """Move a collection that applications use to PostgreSQL, or back: freeze, copy what changed, verify, flip."""


app.command("prepare")(prepare.prepare)
app.command("status")(status.status)
app.command("run")(run.run)
app.command("back")(back.back)
app.command("cancel")(cancel.cancel)
