"""Runs: what a copy remembers about itself, and the id key of the target."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from isthmus.errors import TargetError
from isthmus.state.statements import statement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Stage = Literal["copying", "finishing", "complete"]


@dataclass(frozen=True)
class Run:
    """One row of `isthmus.run`.

    Attributes:
        id: Number of the run in this target.
        fingerprint: SHA-256 of the normalised mapping, hex.
        mapping_text: The mapping file as it was.
        source: What must stay the same for a resume.
        source_name: Printable name of the source, without secrets.
        target_schema: Schema of the tables.
        tables: What the run created: `tables`, `types`, `waiting`, each a list of unqualified names.
        started_at: `now` of the mapping.
        stage: copying, finishing or complete.
        finished_at: When it completed; None before.
        balance: The books as they were printed then; None before.
        holder: Host and process id of the last lease holder.
        version: Isthmus version that opened it.
        retries: Every mapping with which its dead letters were tried again, in order, as `retries.Retry` has it.
    """

    id: int
    fingerprint: str
    mapping_text: str
    source: dict[str, Any]
    source_name: str
    target_schema: str
    tables: dict[str, list[str]]
    started_at: datetime
    stage: Stage
    finished_at: datetime | None
    balance: dict[str, Any] | None
    holder: str
    version: str
    retries: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def fingerprints(self) -> set[str]:
        """The fingerprints of all mappings that what it carried came from."""
        return {self.fingerprint, *(str(retry["fingerprint"]) for retry in self.retries)}

    @property
    def mapping_texts(self) -> list[str]:
        """The files of those mappings, the one it began with first, each once."""
        return list(dict.fromkeys([self.mapping_text, *(str(retry["mapping_text"]) for retry in self.retries)]))

    @property
    def now_us(self) -> int:
        """What `now` in its mapping means: µs since 1970-01-01 UTC."""
        return (self.started_at - _EPOCH) // timedelta(microseconds=1)

    def differs_from(self, identity: dict[str, Any]) -> str | None:
        """Say how a source's identity is another than that of the run's source; None when it is the same."""
        if self.source == identity:
            return None
        differing = sorted(key for key in {*self.source, *identity} if self.source.get(key) != identity.get(key))
        return "; ".join(f"{key}: it was {self.source.get(key)}, now {identity.get(key)}" for key in differing)

    def summary(self) -> dict[str, Any]:
        """Return its facts as JSON values, without its mapping text and books."""
        return {
            "run": self.id,
            "stage": self.stage,
            "source": self.source_name,
            "schema": self.target_schema,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "isthmus_version": self.version,
            "holder": self.holder,
        }


def latest_run(connection: psycopg.Connection) -> Run | None:
    """Return the newest run of a target whose state exists, or None."""
    row = connection.execute(statement("run", "latest_run")).fetchone()
    return Run(*row) if row else None


def insert_run(
    connection: psycopg.Connection,
    *,
    fingerprint: str,
    mapping_text: str,
    source: dict[str, Any],
    source_name: str,
    target_schema: str,
    tables: dict[str, list[str]],
    started_at: datetime,
    token: UUID,
    holder: str,
    version: str,
) -> int:
    """Open a run inside the caller's transaction and return its number."""
    row = connection.execute(
        statement("run", "insert_run"),
        {
            "fingerprint": fingerprint,
            "mapping_text": mapping_text,
            "source": Jsonb(source),
            "source_name": source_name,
            "target_schema": target_schema,
            "tables": Jsonb(tables),
            "started_at": started_at,
            "token": token,
            "holder": holder,
            "version": version,
        },
    ).fetchone()
    assert row is not None  # noqa: S101  INSERT … RETURNING gives a row
    return int(row[0])


def is_told(connection: psycopg.Connection, run: int) -> bool:
    """Tell whether the books of a complete run were printed by an earlier command."""
    row = connection.execute(statement("run", "is_told"), {"run": run}).fetchone()
    return bool(row and row[0])


def read_moved(connection: psycopg.Connection, run: int) -> dict[str, Any] | None:
    """Return how the source differed from what the run had read when its load ended; None where nobody looked.

    Reads the state of older versions as well, which never looked.
    """
    row = connection.execute(statement("run", "read_moved"), {"run": run}).fetchone()
    return row[0] if row else None


def mark_told(connection: psycopg.Connection, run: int) -> None:
    """Note that the books of a complete run were printed. Safe to repeat; the first time counts."""
    connection.execute(statement("run", "mark_told"), {"run": run})


def id_key(connection: psycopg.Connection, *, create: bool, given: bytes | None = None) -> bytes:
    """Return the 32 bytes from which this target's ids are derived.

    Args:
        connection: Autocommit connection to a target with state.
        create: Make a key where there is none. Safe to repeat and to race.
        given: The key to use; None draws one.

    Raises:
        TargetError: There is none and none may be made (code `no-id-key`), or the target has another than the one
            given (code `id-key-differs`).
    """
    if create:
        connection.execute(statement("run", "insert_key"), {"key": given or secrets.token_bytes(32)})
    row = connection.execute(statement("run", "read_key")).fetchone()
    if row is None:
        raise TargetError("The target holds no id key: nothing was copied to it yet.", code="no-id-key")
    key = bytes(row[0])
    if given is not None and key != given:
        raise TargetError(
            "The target's ids are derived with another key than the one given.",
            code="id-key-differs",
            hint="Leave --id-key out to use the target's own key.",
        )
    return key
