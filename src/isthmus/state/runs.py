"""Runs: what a copy remembers about itself, and the id key of the target."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from isthmus.errors import TargetError
from isthmus.state.statements import statement
from isthmus.work.listed import listed

_MOST_NAMES = 10
_KINDS: dict[object, str] = {
    "archive": "an archive",
    "dump": "a dump",
    "json": "exported JSON",
    "live": "a running server",
    None: "none",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STOOD = "stood"
"""Under which name a run keeps what was there of tables of somebody else when it began: `Definition.as_line` each."""

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
        undone: Source collections whose rows were taken back from it; its books are those of before.
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
    undone: list[str] = field(default_factory=list[str])

    @property
    def fingerprints(self) -> set[str]:
        """The fingerprints of all mappings that what it carried came from."""
        return {self.fingerprint, *(str(retry["fingerprint"]) for retry in self.retries)}

    @property
    def mapping_texts(self) -> list[str]:
        """The files of those mappings, the one it began with first, each once."""
        return list(dict.fromkeys([self.mapping_text, *(str(retry["mapping_text"]) for retry in self.retries)]))

    def refuse_undone(self) -> None:
        """Raise where rows of it were taken back, so that its books do not say what the target holds.

        Raises:
            TargetError: It is so (code `partly-undone`).
        """
        if self.undone:
            left = "".join(f" --only {name}" for name in self.tables.get("only", []))
            raise TargetError(
                f"Rows of run {self.id} were taken back (isthmus undo: {', '.join(self.undone)}), so its books do not"
                " say any more what the target holds.",
                code="partly-undone",
                hint=f"Copy again what is to stay (isthmus copy{left}): that changes no row that is right, and is a run"
                " of its own.",
            )

    @property
    def now_us(self) -> int:
        """What `now` in its mapping means: µs since 1970-01-01 UTC."""
        return (self.started_at - _EPOCH) // timedelta(microseconds=1)

    def differs_from(self, identity: dict[str, Any]) -> str | None:
        """Say how a source's identity is another than that of the run's source; None when it is the same."""
        if self.source == identity:
            return None
        told: list[str] = []
        for key in sorted({*self.source, *identity}):
            before, now = self.source.get(key), identity.get(key)
            if key != "collections":
                told += [f"its {key} was {_named(before)}, now {_named(now)}"] if before != now else []
            elif before is not None and now is not None:  # else it is another kind of source, which has no such list
                told += _lists_differ(before, now)
        return "; ".join(told) or "it lists its collections in another way"

    def differs_in_mapping(self, text: str) -> str:
        """Say in a sentence where a mapping file first differs from the one that the run began with.

        Lines with nothing in them but blanks or a comment are passed over; they never make another mapping.
        """
        before, now = _lines(self.mapping_text), _lines(text)
        for (_, left), (number, right) in zip(before, now, strict=False):
            if left != right:
                return f"The first difference is in line {number}: it was `{left}`, now `{right}`."
        if len(now) > len(before):
            number, line = now[len(before)]
            return f"The first difference is in line {number}: nothing was there, now `{line}`."
        if len(now) < len(before):
            number, line = before[len(now)]
            return f"The first difference is behind its end: line {number} was `{line}`."
        return "Its text is the same; this version of Isthmus reads it differently."

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


def _lines(text: str) -> list[tuple[int, str]]:
    """Return the lines of a mapping file that say something, without the blanks around, each with its number."""
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), start=1))
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _lists_differ(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """Return what was added to a list of collections, and what is gone from it."""
    told = (
        ("which the run did not know", [name for name in now if name not in set(before)]),
        ("which the run had", [name for name in before if name not in set(now)]),
    )
    verbs = ("it has", "it lacks")
    return [
        f"{verb} the collection{'s' if len(names) > 1 else ''} {_some(names)}, {words}"
        for verb, (words, names) in zip(verbs, told, strict=True)
        if names
    ]


def _named(value: object) -> str:
    return _KINDS.get(value, str(value))


def _some(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMES:
        return listed(names, _MOST_NAMES)
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def latest_run(connection: psycopg.Connection) -> Run | None:
    """Return the newest run of a target whose state exists, or None."""
    row = connection.execute(statement("run", "read_run"), {"run": None}).fetchone()
    return Run(*row) if row else None


def read_run(connection: psycopg.Connection, number: int) -> Run | None:
    """Return one run of a target whose state exists; None when there is none with that number."""
    row = connection.execute(statement("run", "read_run"), {"run": number}).fetchone()
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
