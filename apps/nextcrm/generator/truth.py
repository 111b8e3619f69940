"""The truth about a generated database: what stands in it and what must become of it, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from apps.generating.lines import write_json
from apps.generating.outcomes import Outcome


@dataclass(frozen=True)
class Planted:
    """One thing that was planted.

    Attributes:
        collection: Of the document.
        name: What kind of plant; unique in its collection.
        id: The document's `_id`, as canonical Extended JSON.
        label: The text by which its row is found; None where it has none.
        path: The field.
        value: What the document holds there, as canonical Extended JSON; None also where the field is missing.
        outcomes: What must come of it.
    """

    collection: str
    name: str
    id: Any
    label: str | None
    path: str
    value: Any
    outcomes: list[Outcome]


@dataclass
class JunctionTruth:
    """What a junction must hold.

    Attributes:
        columns: Its two columns, the left one first.
        collections: What they refer to.
        pairs: How many rows.
        only_left: How many of these only the left side's arrays name.
        only_right: The same on the right.
        listed: Every pair, as two labels; None in databases where they are too many to list.
    """

    columns: tuple[str, str]
    collections: tuple[str, str]
    pairs: int = 0
    only_left: int = 0
    only_right: int = 0
    listed: list[tuple[str, str]] | None = None


@dataclass
class Truth:
    """Everything that is known of a generated database.

    Attributes:
        labels: By collection, the column by which rows are found.
        read: Documents by collection.
        letters: Dead letters by collection.
        merged: Documents by collection that are joined into another row.
        left_behind: Documents of collections that the application no longer has.
        renamed: Further documents of a collection, which stand in one of a former name.
        not_planted: Kinds (`collection/name`) that found no document of their own.
    """

    profile: str
    seed: int
    labels: dict[str, str]
    read: dict[str, int] = field(default_factory=dict[str, int])
    letters: dict[str, int] = field(default_factory=dict[str, int])
    merged: dict[str, int] = field(default_factory=dict[str, int])
    left_behind: dict[str, int] = field(default_factory=dict[str, int])
    renamed: dict[str, int] = field(default_factory=dict[str, int])
    junctions: dict[str, JunctionTruth] = field(default_factory=dict[str, JunctionTruth])
    planted: list[Planted] = field(default_factory=list[Planted])
    not_planted: list[str] = field(default_factory=list[str])

    def write(self, path: Path) -> None:
        """Write it to a file."""
        write_json(path, asdict(self))
