"""The tables a mapping makes: their columns, and what tells their rows apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.verify.reference.rules import Reference
from isthmus.verify.reference.values import Type

HIDDEN_ID = "_isthmus_id"
"""The column of the id in a table that keeps none: there while it is loaded."""
SOURCE_COLUMN = "_isthmus_source"
"""The column with the number of the flow that made a row, in tables that several flows fill: there as long."""
THING_COLUMN = "_isthmus_thing"
"""The column of the thing that a document is, in tables of things: there as long."""

FILLED_COLUMN = "_isthmus_filled"
"""The column with the names of those that defaults filled, in tables whose documents may be joined: there as long."""


@dataclass(frozen=True)
class Unique:
    """Columns of which no two rows hold the same values, of the rows that `where` (SQL) selects."""

    columns: tuple[str, ...]
    where: str | None = None


@dataclass
class Shape:
    """One table.

    Attributes:
        kind: `root`, `child` or `junction`.
        columns: Its columns with their types in order, hidden ones too.
        hidden: Those that are gone when the copy is finished.
        key: The columns that tell its rows apart; empty when none do.
        owner: Column that holds the root document's key; None for junction tables, and for tables that keep no id.
        flows: Numbers of the flows that fill it; empty for junction tables, which both sides fill.
        entries: The entries these flows belong to.
        references: What its columns refer to, by column.
        extras: The column for leftovers; None when it has none.
        uniques: Its keys and unique indexes but for that of the id; only of root tables, whose documents may be joined.
        above: Of a child table the one its array's documents are rows of; None otherwise.
        routes: Columns of which at most one holds a value in the end, in the order of preference.
        wins: Columns whose value comes first from some flows, by number, where documents are joined.
        has_things: Whether its rows are the things of an identity: then nothing else joins documents.
    """

    table: str
    kind: str
    columns: dict[str, Type] = field(default_factory=dict[str, Type])
    hidden: set[str] = field(default_factory=set[str])
    key: tuple[str, ...] = ()
    owner: str | None = None
    flows: list[int] = field(default_factory=list[int])
    entries: set[str] = field(default_factory=set[str])
    references: dict[str, Reference] = field(default_factory=dict[str, Reference])
    extras: str | None = None
    routes: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    uniques: list[Unique] = field(default_factory=list[Unique])
    above: str | None = None
    wins: dict[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])
    has_things: bool = False

    def add(self, name: str, kind: Type, *, hidden: bool = False, reference: Reference | None = None) -> None:
        """Add a column, or meet it again in another flow."""
        self.columns[name] = kind
        if self.extras is not None:
            self.add_extras(self.extras)
        if hidden:
            self.hidden.add(name)
        if reference is not None:
            self.references[name] = reference

    def add_extras(self, name: str) -> None:
        """Add the column for leftovers, which stays the last one."""
        self.columns.pop(name, None)
        self.columns[name] = Type("jsonb")
        self.extras = name

    def mark(self) -> None:
        """Add the hidden column that says which flow made a row, behind the key columns."""
        keys = 1 if self.kind == "root" else len(self.key)
        items = list(self.columns.items())
        self.columns = dict([*items[:keys], (SOURCE_COLUMN, Type("smallint")), *items[keys:]])
        self.hidden.add(SOURCE_COLUMN)

    @property
    def final(self) -> dict[str, Type]:
        """The columns that are there when the copy is finished."""
        return {name: kind for name, kind in self.columns.items() if name not in self.hidden}

    @property
    def waiting(self) -> set[str]:
        """The columns whose values are looked up when everything is loaded."""
        return {name for name, reference in self.references.items() if reference.lookup}
