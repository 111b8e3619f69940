"""`isthmus outbox`: what applications wrote down for MongoDB, and the relay that applies it. One file a command."""

from __future__ import annotations

import typer

from isthmus.cli.outbox import retry, run, skip, status

app = typer.Typer(help="The relay from PostgreSQL to MongoDB: run it, see how far it is.", no_args_is_help=True)


@app.callback()
def _root() -> None:  # pyright: ignore[reportUnusedFunction]  typer calls it
    """The relay from PostgreSQL to MongoDB: run it, see how far it is, answer what it could not apply."""


app.command("run")(run.run)
app.command("status")(status.status)
app.command("retry")(retry.retry)
app.command("skip")(skip.skip)
