"""What taking back came to: rows by table, what stands in the way, and the exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from isthmus.mapping.tables import Table
from isthmus.work.hidden import HIDDEN

Mode = Literal["dry-run", "live"]
End = Literal["clear", "done", "in-the-way", "nothing", "interrupted", "failed"]
Why = Literal[
    "edited", "written-beside", "changed-by-copy", "unknown", "shared", "pair-added", "pair-edited", "pair-removed",
    "referred", "rewritten", "other-id", "new", "not-ours",
]  # fmt: skip


@dataclass(frozen=True)
class Differing:
    """A column that was written to since the copy.

    Attributes:
        column: Its name.
        count: In how many rows.
        carried: What stood there when these were carried, as text; None for NULL.
    """

    column: str
    count: int
    carried: str | None


@dataclass(frozen=True)
class InTheWay:
    """One kind of thing in one table that keeps rows from being taken back.

    Attributes:
        why: What kind.
        table: The table; of `referred` the one that refers, with its schema.
        detail: Of `referred` the foreign key and where it leads, of `shared` the other collections, of `rewritten`
            and `other-id` the collections whose documents hold the ids; else empty.
        count: How many rows.
        ids: The first of them, as far as they may be shown.
        columns: Of `written-beside` which columns differ, as far as it can be proven.
        triggers: Of `edited` and `written-beside` the triggers that write, too, when somebody puts such rows back.
    """

    why: Why
    table: str
    detail: str
    count: int
    ids: list[str]
    columns: tuple[Differing, ...] = ()
    triggers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = {"why": self.why, "table": self.table, "detail": self.detail, "count": self.count, "ids": self.ids}
        if self.why not in {"edited", "written-beside"}:
            return told
        return {**told, "columns": [asdict(one) for one in self.columns], "triggers": list(self.triggers)}


def standing(why: Why, table: Table, detail: str, count: int, ids: list[str], *, name: str | None = None) -> InTheWay:
    """Return what stands in the way in a table of the mapping; ids are hidden where they are no ids to be shown.

    Args:
        why: What kind.
        table: The table that has the ids.
        detail: As in `InTheWay`.
        count: How many rows.
        ids: The first of them.
        name: Name of the table, if it is a child table of the one that has the ids.
    """
    return InTheWay(why, name or table.name, detail, count, [HIDDEN] * len(ids) if table.has_secret_key else ids)


@dataclass
class UndoResult:
    """What it came to so far.

    Attributes:
        mode: What was asked for.
        outcome: How it ended: `clear` (a dry run, nothing stands in the way), `done`, `in-the-way` (nothing was
            removed), `nothing` (no row is left to take back), `interrupted` or `failed` (nothing was removed).
        limit: Most ids to list of each table and kind.
        collections: The source collections whose rows are taken back.
        undo: Number of the entry in `isthmus.undo`; None where nothing was removed.
        seconds: How long it took.
        removed: Table → rows that go, or would go.
        stayed: Table → rows that were there before any copy, and stay; what is known of them goes.
        deleted: Table → rows that others have deleted since they were carried; a later copy does not bring them again.
        waiting: Column → references of other collections that wait again.
        in_the_way: What keeps the rows from going.
        left: Rows of others, written since the first copy, that stay where they are because somebody said so.
        runs: Runs that had carried them: `id`, and whether it is `forgotten`.
        notes: What is worth knowing, sentences.
    """

    mode: Mode = "dry-run"
    outcome: End = "failed"
    limit: int = 100
    collections: list[str] = field(default_factory=list[str])
    undo: int | None = None
    seconds: float = 0.0
    removed: Counter[str] = field(default_factory=Counter[str])
    stayed: Counter[str] = field(default_factory=Counter[str])
    deleted: Counter[str] = field(default_factory=Counter[str])
    waiting: Counter[str] = field(default_factory=Counter[str])
    in_the_way: list[InTheWay] = field(default_factory=list[InTheWay])
    left: list[InTheWay] = field(default_factory=list[InTheWay])
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    notes: list[str] = field(default_factory=list[str])

    @property
    def exit_code(self) -> int:
        """0 it is done, can be done, or there is nothing to do; 1 something stands in the way; 130 stopped."""
        if self.outcome == "interrupted":
            return 130
        return 1 if self.outcome in {"in-the-way", "failed"} else 0

    def begin(self) -> None:
        """Forget what an earlier try found."""
        for found in (self.removed, self.stayed, self.deleted, self.waiting):
            found.clear()
        self.in_the_way, self.left, self.runs, self.notes = [], [], [], []

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; see the help of the command."""
        return {
            "mode": self.mode,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "undo": self.undo,
            "seconds": round(self.seconds, 3),
            "collections": self.collections,
            "removed": dict(self.removed) if self.outcome == "done" else {},
            "would_remove": {} if self.outcome == "done" else dict(self.removed),
            "stayed": dict(self.stayed),
            "deleted": dict(self.deleted),
            "waiting": dict(self.waiting),
            "in_the_way": [one.as_json() for one in self.in_the_way],
            "left": [one.as_json() for one in self.left],
            "runs": self.runs,
            "notes": self.notes,
        }
