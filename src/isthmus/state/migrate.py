"""The one migration runner: numbered SQL files, each applied once, in order, in one transaction.

It brings the schema `isthmus` up to what this version needs. An applied file never changes: its checksum is kept and
compared.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg

from isthmus.errors import InternalError, TargetError
from isthmus.state.last_transaction import last_transaction_over
from isthmus.state.statements import statement

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file.

    Attributes:
        version: Number in the file's name, from 1, without gaps.
        name: The rest of the name.
        sql: The text.
        checksum: SHA-256 of the text, hex.
    """

    version: int
    name: str
    sql: str
    checksum: str


def read_migrations(folder: Traversable) -> list[Migration]:
    """Read the numbered SQL files of a folder, in order.

    Args:
        folder: Folder of files named `NNNN_snake_case.sql`.

    Returns:
        The migrations, by number.

    Raises:
        InternalError: A number is missing or stands twice.
    """
    found: list[Migration] = []
    for entry in folder.iterdir():
        match = _FILE.match(entry.name)
        if match:
            sql = entry.read_text(encoding="utf-8")
            checksum = hashlib.sha256(sql.encode()).hexdigest()
            found.append(Migration(int(match[1]), match[2], sql, checksum))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise InternalError("The numbers of the state migrations have a gap or a repetition.", code="migration-numbers")
    return found


def state_migrations() -> list[Migration]:
    """Return the migrations of Isthmus's own state, by number."""
    return read_migrations(files("isthmus.state").joinpath("migrations"))


def state_exists(connection: psycopg.Connection) -> bool:
    """Tell whether the target holds Isthmus state that can be read. Reads the catalog only.

    A process that died between the runner's own table and the first migration left none.
    """
    return _exists(connection, "isthmus.run")


def _exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def applied_versions(connection: psycopg.Connection) -> dict[int, str]:
    """Return version → checksum of the applied state migrations; empty where there is no state yet."""
    if not _exists(connection, "isthmus.migration"):
        return {}
    rows = connection.execute("SELECT version, checksum FROM isthmus.migration").fetchall()
    return {int(version): str(checksum) for version, checksum in rows}


def migrate(connection: psycopg.Connection, migrations: list[Migration] | None = None) -> list[Migration]:
    """Bring the state up to date, each migration in its own transaction.

    The caller holds the run lease, so two isthmus never migrate at once. Waits for transactions that use the state,
    but not for long. Safe to repeat; if the process dies between two files, the next call goes on.

    Args:
        connection: Connection in autocommit mode.
        migrations: The files; by default those of this version.

    Returns:
        What was applied now.

    Raises:
        TargetError: The state was written by a newer Isthmus (code `state-newer`), an applied file differs from the
            one this version ships (`state-differs`), the role may not create the schema (`no-right`), or somebody's
            transaction stands in the way (`lease-held`).
    """
    wanted = state_migrations() if migrations is None else migrations
    applied = check_state(connection, wanted)
    try:
        if not _exists(connection, "isthmus.migration"):
            with connection.transaction():
                connection.execute(statement("migration", "create_migration_table"))
    except psycopg.errors.InsufficientPrivilege as fault:
        raise TargetError(
            "The role may not create the schema isthmus, where a run keeps its checkpoints and ledgers.",
            code="no-right",
            hint="Grant CREATE on the database to the role, or have its owner create the schema isthmus for it.",
        ) from fault
    done: list[Migration] = []
    for migration in wanted:
        if migration.version not in applied:
            with last_transaction_over(connection, "that uses the state in this target"):
                connection.execute(migration.sql.encode())
                connection.execute(
                    statement("migration", "insert_migration"),
                    {"version": migration.version, "name": migration.name, "checksum": migration.checksum},
                )
            done.append(migration)
    return done


def check_state(connection: psycopg.Connection, migrations: list[Migration] | None = None) -> dict[int, str]:
    """Look whether this version may work with the state in the target; a target without one will do. Writes nothing.

    Args:
        connection: Connection in autocommit mode.
        migrations: The files; by default those of this version.

    Returns:
        Version → checksum of what is applied.

    Raises:
        TargetError: The state was written by a newer Isthmus (code `state-newer`), or an applied file differs from
            the one this version ships (`state-differs`).
    """
    wanted = state_migrations() if migrations is None else migrations
    applied = applied_versions(connection)
    newest = wanted[-1].version if wanted else 0
    if applied and max(applied) > newest:
        raise TargetError(
            f"The state in the target has version {max(applied)}, written by a newer Isthmus; this one knows {newest}.",
            code="state-newer",
            hint="Use the newer Isthmus with this target.",
        )
    for migration in wanted:
        if migration.version in applied and applied[migration.version] != migration.checksum:
            raise TargetError(
                f"State migration {migration.version} ({migration.name}) was applied with another text.",
                code="state-differs",
                hint="A development version prepared this target; drop the schema isthmus if no run in it matters.",
            )
    return applied
