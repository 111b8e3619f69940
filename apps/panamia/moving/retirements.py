"""What is known of retired collections: kept in the target, before and after each is dropped, and taken back."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path

import psycopg

from isthmus.errors import TargetError

_READ = """
SELECT collection, documents, export_file, sha256, dropped_at IS NOT NULL FROM panamia_move.retirement
WHERE restored_at IS NULL ORDER BY id"""
_ADD = """
INSERT INTO panamia_move.retirement (phase, collection, documents, export_file, sha256, retired_by)
VALUES (%s, %s, %s, %s, %s, %s)"""
_DROPPED = """
UPDATE panamia_move.retirement SET dropped_at = clock_timestamp() WHERE collection = %s AND restored_at IS NULL"""
_RETURNED = "UPDATE panamia_move.retirement SET dropped_at = NULL WHERE collection = %s AND restored_at IS NULL"
_BACK = """
UPDATE panamia_move.retirement SET restored_at = clock_timestamp(), restored_by = %s
WHERE collection = %s AND restored_at IS NULL"""
_ALONE = "SELECT pg_try_advisory_lock(hashtextextended('panamia_move.retirement', 0))"


@dataclass(frozen=True)
class Retirement:
    """A collection that is retired, or about to be.

    Attributes:
        documents: How many its export has.
        file: The export, as it was named then; None where the collection was not there, and nothing was exported.
        sha256: Of that file, hex.
        is_dropped: Whether the collection is gone; else it was about to be dropped.
    """

    documents: int
    file: Path | None
    sha256: str
    is_dropped: bool

    @property
    def folder(self) -> Path | None:
        """The folder that was named for exports; None where nothing was exported."""
        return self.file.parent.parent if self.file is not None else None


def manifest(folder: Path, phase: int) -> Path:
    """Return where the list of a phase's exports stands in their folder."""
    return folder / f"phase-{phase}.json"


def read_retirements(connection: psycopg.Connection) -> dict[str, Retirement]:
    """Return what is known and holds, by collection; what was taken back stays written down, and is passed over."""
    rows = connection.execute(_READ).fetchall()
    return {
        str(name): Retirement(int(documents), Path(file) if file else None, str(sha256), bool(dropped))
        for name, documents, file, sha256, dropped in rows
    }


def be_alone(connection: psycopg.Connection) -> None:
    """Let nobody else retire anything as long as the connection lives.

    Raises:
        TargetError: Somebody else does (code `retiring-already`).
    """
    ((ours,),) = connection.execute(_ALONE).fetchall()
    if not ours:
        raise TargetError(
            "Somebody else retires collections now.", code="retiring-already", hint="Wait until that has ended."
        )


def announce(connection: psycopg.Connection, phase: int, collection: str, one: Retirement) -> None:
    """Note that a collection is about to be dropped. Committed."""
    file = str(one.file.absolute()) if one.file is not None else ""
    connection.execute(_ADD, (phase, collection, one.documents, file, one.sha256, getpass.getuser()))
    connection.commit()


def note_dropped(connection: psycopg.Connection, collection: str) -> None:
    """Note that it was dropped. Committed."""
    connection.execute(_DROPPED, (collection,))
    connection.commit()


def note_returned(connection: psycopg.Connection, collection: str) -> None:
    """Note that it is not gone, for it was found again. Committed."""
    connection.execute(_RETURNED, (collection,))
    connection.commit()


def take_back(connection: psycopg.Connection, collection: str) -> None:
    """Note that its retirement holds no more, for it is in MongoDB again, or still; by whom, and when. Committed."""
    connection.execute(_BACK, (getpass.getuser(), collection))
    connection.commit()
