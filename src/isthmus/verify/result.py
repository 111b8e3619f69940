"""What a verification came to: layers, differences, and per column what was compared. Pure.

A difference is a result, not an exception. What nothing was compared for is said as plainly as what was.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Layer = Literal["counts", "samples", "references", "types", "rules", "schema", "checksum"]
LAYERS: tuple[Layer, ...] = get_args(Layer)

MOST_LISTED = 1_000
"""Differences that a layer keeps one by one; of more it knows the number."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be.

    Attributes:
        layer: Which layer found it.
        table: Table, collection or type it is about; empty where it is the source or the target as a whole.
        id: Key of the row, its parts joined with `/`; None where it is not one row.
        path: Column, constraint, index or field; `(row)` for a whole row.
        expected: What must be there, shortened; None for nothing. `(hidden)` in a sensitive column.
        actual: What is there.
        message: A sentence for people that says what differs.
    """

    layer: Layer
    table: str
    id: str | None
    path: str
    expected: str | None
    actual: str | None
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "layer": self.layer,
            "table": self.table,
            "id": self.id,
            "path": self.path,
            "expected": self.expected,
            "actual": self.actual,
            "message": self.message,
        }


@dataclass
class ColumnCheck:
    """What a layer did about one column, constraint or collection.

    Attributes:
        table: Table or collection.
        column: Column or other part of it; empty for the whole.
        compared: Values, rows or parts that were compared.
        accounted: Those that differ rightly, because a ledger says so (orphans, kept rows).
        left_out: What was not compared.
        why: Why not, a sentence; empty where everything was.
        seen: What the source has there: types of values with their numbers; empty where nobody counted.
    """

    table: str
    column: str
    compared: int = 0
    accounted: int = 0
    left_out: int = 0
    why: str = ""
    seen: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "table": self.table,
            "column": self.column,
            "compared": self.compared,
            "accounted": self.accounted,
            "left_out": self.left_out,
            "why": self.why,
            "seen": self.seen,
        }


@dataclass
class LayerResult:
    """What one layer found.

    Attributes:
        layer: Its name.
        checked: What was compared, in its unit.
        unit: That unit, in plural: rows, values, constraints.
        found: How many differences there are.
        unexpected: Those of them that only stand against the mapping's `expect`, so that the source may hold the same.
        places: (table, path) → how many of them are there.
        differences: The first of them.
        columns: Column by column what was compared.
        notes: What else must be said, sentences; its blind spots among them.
        lacking: What it is there to look at and could not, as a sentence ends; empty where it looked at all.
        seconds: How long it took.
    """

    layer: Layer
    unit: str = "rows"
    checked: int = 0
    found: int = 0
    unexpected: int = 0
    places: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    differences: list[Difference] = field(default_factory=list[Difference])
    columns: list[ColumnCheck] = field(default_factory=list[ColumnCheck])
    notes: list[str] = field(default_factory=list[str])
    lacking: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing differs, in what it could look at."""
        return self.found == 0

    @property
    def outcome(self) -> str:
        """passed, failed, or partly: nothing differs, and it could not look at all."""
        return "failed" if not self.passed else "partly" if self.lacking else "passed"

    def differs(
        self,
        table: str,
        path: str,
        message: str,
        *,
        id: str | None = None,  # noqa: A002  the word of the report
        expected: str | None = None,
        actual: str | None = None,
        times: int = 1,
    ) -> None:
        """Enter a difference; `times` where one entry stands for several."""
        self.more(table, path, times)
        if len(self.differences) < MOST_LISTED:
            self.differences.append(Difference(self.layer, table, id, path, expected, actual, message))

    def more(self, table: str, path: str, times: int) -> None:
        """Count differences that are not entered one by one."""
        self.found += times
        self.places[table, path] += times

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, without its differences one by one."""
        return {
            "outcome": self.outcome,
            "checked": self.checked,
            "unit": self.unit,
            "differences": self.found,
            "unexpected": self.unexpected,
            "columns": [one.as_json() for one in self.columns],
            "notes": self.notes,
            "lacking": self.lacking,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class Verified:
    """What a verification came to.

    Attributes:
        run: The run that was verified.
        mapping: Name of the mapping's file.
        source: Name of the source, without secrets.
        target: Name of the target, without secrets.
        layers: By name, in the order in which they are told.
        seconds: How long all of it took.
        interrupted: Whether the user stopped it; then it proves nothing.
    """

    run: int = 0
    mapping: str = ""
    source: str = ""
    target: str = ""
    layers: dict[Layer, LayerResult] = field(default_factory=dict[Layer, LayerResult])
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether every layer that was asked for passed, and any of them had something to compare."""
        layers = self.layers.values()
        return not self.interrupted and any(one.checked for one in layers) and all(one.passed for one in layers)

    @property
    def outcome(self) -> str:
        """passed, failed, interrupted, or partly: nothing differs, and a layer could not look at all."""
        if self.interrupted:
            return "interrupted"
        if not self.passed:
            return "failed"
        return "partly" if any(one.lacking for one in self.layers.values()) else "passed"

    @property
    def differences(self) -> list[Difference]:
        """The differences of all layers, as far as they are listed."""
        return [found for layer in self.layers.values() for found in layer.differences]

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {
            "run": self.run,
            "outcome": self.outcome,
            "mapping": self.mapping,
            "source": self.source,
            "target": self.target,
            "seconds": round(self.seconds, 3),
            "layers": {name: layer.as_json() for name, layer in self.layers.items()},
            "differences": [one.as_json() for one in self.differences],
        }
