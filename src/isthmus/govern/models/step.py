"""One statement on the way from one catalog to another: when it comes, and what it costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Phase(IntEnum):
    """When a statement comes. Those of one phase are found from the catalog as the phases before have left it."""

    VALUES = 1
    """Values of enums: cannot be used in the transaction that adds them."""
    ROOM = 2
    """Schemas, types, functions, other names; what is gone or changed leaves the way."""
    TABLES = 3
    """New tables with all that belongs to them, columns."""
    RULES = 4
    """Constraints, triggers, functions that rely on tables."""
    DROPS = 5
    """What has values."""
    ONLINE = 6
    """What would hold others up for long in a transaction: indexes, checks of the rows that are there."""
    COMMENTS = 7
    """Comments."""


@dataclass(frozen=True)
class Style:
    """How statements are to be written.

    Attributes:
        careful: Tables are in use: nothing may hold their readers and writers up for long. Else straight on.
        concurrently: Indexes are made and dropped so; then no transaction is around.
    """

    careful: bool
    concurrently: bool

    def warning(self, words: str) -> str | None:
        """Return a note on what tables that are in use suffer; None where they are not."""
        return words if self.careful else None


WRITTEN_ANEW = "It writes the whole table anew, and nobody can use it meanwhile."
CAREFUL = Style(careful=True, concurrently=True)


@dataclass(frozen=True)
class Step:
    """One statement.

    Attributes:
        phase: When it comes.
        sql: The statement, without a semicolon.
        note: What its author has to know, above it as a comment.
        loses: What no rollback brings back; None where it loses nothing.
        later: A statement that has to follow in the phase ONLINE, before all others of it.
    """

    phase: Phase
    sql: str
    note: str | None = None
    loses: str | None = None
    later: str | None = None


@dataclass
class Found:
    """Statements, and what cannot be done by any.

    Attributes:
        steps: In order.
        left: Sentences: what stays different, and what to do.
    """

    steps: list[Step] = field(default_factory=list[Step])
    left: list[str] = field(default_factory=list[str])

    def add(
        self, phase: Phase, sql: str, *, note: str | None = None, loses: str | None = None, later: str | None = None
    ) -> None:
        """Add a statement."""
        self.steps.append(Step(phase, sql, note, loses, later))
