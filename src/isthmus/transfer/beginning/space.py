"""Whether the disk of a server on this machine is likely to hold a copy.

PostgreSQL tells nobody how much space is free. Where its data directory lies on this machine and may be read, the
system tells; of other servers nothing is said. The answer is an estimate, so it is a remark and refuses nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import psycopg

from isthmus.errors import Problem
from isthmus.mapping import Mapping
from isthmus.sources.protocol import Source
from isthmus.state.runs import Run
from isthmus.transfer.beginning.preflight import Finding

STORED = 2.0
"""Bytes on disk for each byte of BSON. In copies of sample databases tables took 0.9 to 1.3 (a row's header of 24 bytes
against field names that are not repeated), keys and indexes 0.5 to 1.2, ledgers up to 0.2 where there is more than a
few megabytes of documents."""

LOGGED = 2.0
"""Bytes of write-ahead log for each byte of BSON, 1.5 to 2.5 in the same copies. The server removes what a checkpoint
has made needless, so that no more than about max_wal_size lies there at once."""

_START_SECONDS = 2  # between the two clocks that PostgreSQL reads when it starts


def space_wanted(source_bytes: int, max_wal_bytes: int, *, staged: bool = False) -> int:
    """Return the bytes that a copy is likely to need, at its fullest moment.

    Args:
        source_bytes: BSON of all collections that are carried.
        max_wal_bytes: The server's max_wal_size; 0 when its log lies on another disk.
        staged: Whether rows are loaded into tables of the run's own first and delivered from there: until the end they
            are there twice.
    """
    written = source_bytes * (2 if staged else 1)
    return int(written * STORED + min(written * LOGGED, max_wal_bytes))


def check_space(
    connection: psycopg.Connection,
    mapping: Mapping,
    source: Source,
    *,
    only: Iterable[str] | None = None,
    replaced: Run | None = None,
) -> list[Finding]:
    """Compare the free space of a server on this machine with an estimate for a whole copy.

    Args:
        connection: The target.
        mapping: Names the collections, and says whether rows are written twice.
        source: Where their sizes are known.
        only: Source collections that are carried; None for all.
        replaced: A run that is dropped before; the room of its tables counts as free.

    Returns:
        A remark (code `little-space`) when it is likely too little, else nothing. Reads the catalog only.
    """
    place = _data_place(connection)
    if place is None:
        return []
    folder, wal_bytes = place
    carried = set(mapping.source_collections if only is None else only)
    sizes = [info.bytes_total or 0 for info in source.collections() if info.name in carried]
    wanted = space_wanted(sum(sizes), wal_bytes, staged=mapping.target.tables == "existing")
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return []
    free += _freed(connection, replaced) if replaced is not None else 0
    if free >= wanted:
        return []
    return [
        Finding(
            Problem(
                "little-space",
                f"The server's disk has {_size(free)} free; this copy is likely to need about {_size(wanted)}.",
                hint="Make room, or use a larger disk. A copy that fills it waits, stops, and can go on later.",
            ),
            None,
        )
    ]


def _data_place(connection: psycopg.Connection) -> tuple[Path, int] | None:
    """Return the folder that the database's files go to, and the bytes of log that go to the same disk at most.

    None where the server does not tell this role, or where what it tells is not on this machine.
    """
    row = connection.execute(
        "SELECT (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'),"  # none without the right
        " (SELECT setting::bigint * 1048576 FROM pg_catalog.pg_settings WHERE name = 'max_wal_size'),"
        " extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint,"
        " pg_catalog.pg_tablespace_location(dattablespace)"
        " FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    ).fetchone()
    if row is None or row[0] is None or not runs_in(Path(row[0]), int(row[2])):
        return None
    return (Path(row[3]), 0) if row[3] else (Path(row[0]), int(row[1] or 0))


def runs_in(directory: Path, started: int) -> bool:
    """Tell whether a folder of this machine is a server's data directory, not its namesake on the server's machine.

    The third line of postmaster.pid is when the server started, in seconds (PostgreSQL: miscinit.c).
    """
    try:
        lines = (directory / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        return abs(int(lines[2]) - started) <= _START_SECONDS
    except (OSError, ValueError, IndexError):
        return False


def _freed(connection: psycopg.Connection, run: Run) -> int:
    """Return the bytes of a run's tables with their indexes."""
    row = connection.execute(
        "SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname = %s AND c.relname = ANY(%s)",
        (run.target_schema, run.tables.get("tables", [])),
    ).fetchone()
    return int(row[0]) if row else 0


def _size(size_bytes: float) -> str:
    """Return bytes for people, in powers of 1,000."""
    unit, rest = "MB", size_bytes / 1e6
    for larger in ("GB", "TB"):
        if rest >= 1000:
            unit, rest = larger, rest / 1000
    return f"{rest:,.1f} {unit}"
