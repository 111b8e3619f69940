"""Open a target for a command that only reads, and say what keeps it from reading."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

import psycopg

from isthmus.connect.postgres import connect, explain, trouble
from isthmus.connect.target import open_target
from isthmus.errors import TargetError
from isthmus.state.reports import missing_grants, require_run
from isthmus.state.runs import Run


@contextlib.contextmanager
def reading(target: str) -> Generator[tuple[psycopg.Connection, Run]]:
    """Connect to a target and find its newest run, for as long as the context lasts.

    Yields:
        An autocommit connection and the run.

    Raises:
        TargetError: It cannot be reached or read, or nothing was ever copied to it.
    """
    with open_target(target) as address, connect(address.conninfo, autocommit=True) as connection:
        schemas = ["isthmus"]
        with telling_trouble(address.conninfo, schemas):
            put_back_abandoned(connection, address.conninfo)
            run = require_run(connection)
            schemas.append(run.target_schema)
            yield connection, run


@contextlib.contextmanager
def telling_trouble(conninfo: str, schemas: Sequence[str], *, values: bool = True) -> Generator[None]:
    """Turn what the server says to a block that only reads into an error for people.

    Args:
        conninfo: The target; asked on another connection for what would give the role the right that it lacks.
        schemas: What is read; may be added to by the block.
        values: Whether the error may quote values.

    Raises:
        TargetError: The role may not read something (code `no-read-right`), or the server is in trouble.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as fault:
        with connect(conninfo, autocommit=True) as connection:
            raise _may_not_read(connection, schemas, fault) from None
    except psycopg.Error as fault:
        raise trouble(fault, "show what it holds", explain(fault, values=values)) from None


def shown_target(text: str) -> str:
    """Return a target as a command to be pasted may name it: without its password."""
    stripped = text.strip()
    return stripped if stripped.startswith("embedded:") else open_target(stripped).display


def put_back_abandoned(connection: psycopg.Connection, conninfo: str) -> None:
    """Put back indexes and keys that a copy had set aside when it died, unless an isthmus is at work; says how many."""
    from isthmus.cli.output import err, show_note
    from isthmus.transfer.existing.saved_ddl import missing, restore_abandoned, words_before, words_behind

    if not missing(connection):
        return
    done = restore_abandoned(conninfo, lambda found: show_note(err, words_before(found)))
    if done:
        show_note(err, words_behind(done))


def _may_not_read(connection: psycopg.Connection, schemas: Sequence[str], fault: psycopg.Error) -> TargetError:
    """Return the error for a role without a right, with what would give it that. `connection` is in autocommit mode."""
    statements = "GRANT SELECT ON what is denied"
    with contextlib.suppress(psycopg.Error):  # the hint is worth a question, not another error
        statements = "; ".join(missing_grants(connection, schemas)) or statements
    words = explain(fault)
    return TargetError(
        f"The role may not read what a run left in this target: {words}.",
        code="no-read-right",
        hint=f"Have the owner of the tables run: {statements}.",
    )
