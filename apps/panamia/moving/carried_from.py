"""The run that carried a phase, and whether a MongoDB database is the one that it read."""

from __future__ import annotations

import psycopg

from isthmus.state.runs import Run, read_run

from .phases import Standing


def run_of(connection: psycopg.Connection, standing: Standing) -> Run | None:
    """Return the run that carried a phase last; None where none did."""
    return read_run(connection, standing.run) if standing.run is not None else None


def differs(run: Run | None, database: str) -> str | None:
    """Say how a database of a server is another than the one that a run read; None where it is that, or none was."""
    return run.differs_from({"kind": "live", "database": database}) if run is not None else None
