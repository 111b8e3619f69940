"""What a copy that an error ended has behind it: the run and its books, read from the target."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from typing import TYPE_CHECKING, Any

from isthmus.errors import IsthmusError

if TYPE_CHECKING:
    from isthmus.transfer.result import Result

# The error is known already; nobody should wait long for what is told beside it.
_PATIENCE_SECONDS = 5


def without_junctions(books: dict[str, dict[str, Any]], junctions: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return books whose `tables` are root and child tables only, as in the balance: a pair is no row of one side."""
    return {
        name: {**own, "tables": {table: rows for table, rows in own["tables"].items() if table not in junctions}}
        for name, own in books.items()
    }


def run_so_far(conninfo: str) -> dict[str, Any]:
    """Return number, stage and books of the newest run of a target, in the shape of DESIGN section 11.

    Reads the target only. What finish has yet to make (pairs, resolved references) is not counted before the run is
    complete.

    Returns:
        Nothing (an empty dict) when the target holds no run or cannot be asked within seconds.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    from isthmus.connect.postgres import connect
    from isthmus.mapping import parse_mapping
    from isthmus.state.migrate import state_exists
    from isthmus.state.reports import books_so_far
    from isthmus.state.runs import latest_run

    try:
        with connect(make_conninfo(conninfo, connect_timeout=_PATIENCE_SECONDS), autocommit=True) as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, false)", (f"{_PATIENCE_SECONDS}s",))
            run = latest_run(connection) if state_exists(connection) else None
            if run is None:
                return {}
            known: dict[str, Any] = {"run": run.id, "stage": run.stage}
            if run.balance is not None:
                return {**known, **{name: run.balance[name] for name in ("collections", "junctions", "references")}}
            junctions = parse_mapping(run.mapping_text, file_name="the run's mapping").junctions
            return {**known, "collections": without_junctions(books_so_far(connection, run.id), junctions)}
    except (IsthmusError, psycopg.Error):
        return {}


def carried_so_far(result: Result) -> dict[str, Any]:
    """Return what this process knows of a run whose target cannot be asked; an empty dict before there is one.

    Tables are left out: what finish took away again is known to the target alone.
    """
    if result.run is None:
        return {}
    books: dict[str, dict[str, Any]] = {name: {**own, "tables": {}} for name, own in result.partial.items()}
    return {"run": result.run, "resumed": result.resumed, "seconds": round(result.seconds, 3), "collections": books}


@contextlib.contextmanager
def noting_run(known: dict[str, Any], conninfo: str) -> Generator[None]:
    """Add to `known` what `run_so_far` says when an error ends the block; the error passes."""
    try:
        yield
    except IsthmusError:
        known.update(run_so_far(conninfo))
        raise
