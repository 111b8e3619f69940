"""Execute one migration or its rollback on a database, without writing anything down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import psycopg

from isthmus.connect.postgres import explain
from isthmus.errors import TargetError, Where
from isthmus.govern.migrations.names import ROLLBACK_FILE, SQL_FILE
from isthmus.govern.migrations.script import Script
from isthmus.govern.sql.refusals import line_of
from isthmus.govern.sql.statements import SqlFault, Statement, split
from isthmus.govern.sql.transactions import misplaced


def _never(_: psycopg.Error) -> bool:
    return False


class Refused(TargetError):  # noqa: N818  the server did, and this says so
    """The server refused a statement of a migration or of its rollback.

    Attributes:
        fault: What the server said.
    """

    code = "migration-failed"
    fault: psycopg.Error


def apply_script(
    connection: psycopg.Connection, script: Script, *, mend: Callable[[psycopg.Error], bool] = _never
) -> None:
    """Apply a migration: in one transaction, or statement by statement where its header says so.

    Args:
        connection: In autocommit mode, best of its own: what a migration sets stays set.
        script: The migration.
        mend: Called with what the server refuses; returns whether to try that again.

    Raises:
        Refused: The server refused a statement (code `migration-failed`), with file and line. Nothing of the migration
            is there then, unless it runs without a transaction.
    """
    place, whole = Place(script.file, 1), script.in_transaction
    statements = script.statements
    if script.faults and statements:  # one of before Isthmus that cannot be cut up: its runner sent it as one text
        statements, whole = (Statement(script.sql, 1, ()),), False
    _run(connection, statements, place, script.name.text, whole=whole, mend=mend)


def apply_rollback(
    connection: psycopg.Connection, script: Script, *, mend: Callable[[psycopg.Error], bool] = _never
) -> None:
    """Apply the rollback of a migration, as `apply_script` does the migration itself.

    Raises:
        Refused: As `apply_script`.
        TargetError: It has none, or it cannot be executed as it is (code `bad-rollback`).
    """
    place = rollback_place(script)
    try:
        statements = tuple(split(script.rollback or ""))
    except SqlFault as fault:
        raise TargetError(
            f"The rollback's SQL does not end: {fault}.",
            code="bad-rollback",
            where=Where(file=place.file, line=place.line + fault.line - 1),
            hint="Write SQL behind `-- Rollback:`, or into a rollback file.",
        ) from None
    if not statements:
        raise TargetError(
            "It has no rollback.",
            code="bad-rollback",
            where=Where(file=place.file),
            hint="Write the SQL that undoes it behind `-- Rollback:`, or `Reversible: No`.",
        )
    for bad in misplaced(statements, in_transaction=script.in_transaction):
        raise TargetError(
            f"The rollback is applied as its migration is. {bad.message}",
            code="bad-rollback",
            where=Where(file=place.file, line=place.line + bad.line - 1),
            hint=bad.hint,
        )
    what = f"the rollback of {script.name.text}"
    _run(connection, statements, place, what, whole=script.in_transaction, mend=mend)


@dataclass(frozen=True)
class Place:
    """Where a text begins: file, and line from 1."""

    file: str
    line: int


def rollback_place(script: Script) -> Place:
    """Return where the rollback of a migration stands: in its header, or in a file of its own."""
    field = script.header.fields.get("Rollback")
    if field is not None and field.value == script.rollback:
        return Place(script.file, field.begins)
    return Place(str(rollback_file(script)), 1)


def rollback_file(script: Script) -> Path:
    """Return where a rollback of its own file would stand; it need not be there."""
    file = Path(script.file)
    return file.with_name(ROLLBACK_FILE if file.name == SQL_FILE else f"{file.stem}.rollback.sql")


def _run(
    connection: psycopg.Connection,
    statements: Sequence[Statement],
    place: Place,
    what: str,
    *,
    whole: bool,
    mend: Callable[[psycopg.Error], bool],
) -> None:
    groups = [statements] if whole else [[one] for one in statements]
    for group in groups:
        while True:
            try:
                with connection.transaction() if whole else nullcontext():
                    for one in group:
                        _execute(connection, one, place, what)
                break
            except Refused as refused:
                if not mend(refused.fault):
                    raise
            except psycopg.Error as fault:  # what is only looked at when all is committed
                raise _refused(fault, what, Where(file=place.file)) from None


def _execute(connection: psycopg.Connection, one: Statement, place: Place, what: str) -> None:
    try:
        connection.execute(one.text.encode())
    except psycopg.Error as fault:
        line = place.line + line_of(fault, one) - 1
        raise _refused(fault, what, Where(file=place.file, line=line)) from None


def _refused(fault: psycopg.Error, what: str, where: Where) -> Refused:
    hint = fault.diag.message_hint
    found = Refused(
        f"The server refused {what}: {explain(fault)}.",
        where=where,
        hint=f"{hint.rstrip('.')}." if hint else "Correct it.",
    )
    found.fault = fault
    return found
