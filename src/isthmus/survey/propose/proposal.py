"""A proposed mapping as data: rules as they will be written, each with what speaks for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from isthmus.mapping.names import fold
from isthmus.survey.profile import Path
from isthmus.survey.propose.names import column_wish

CHECK = "check: "
"""What a comment begins with where a person should look."""


@dataclass
class Rule:
    """The rule of one field.

    Attributes:
        path: Of the field, inside the document that the table's rows are made of.
        body: Keys of the rule in the order of writing; only `type` is written as the short form.
        notes: Comments, one a line.
        name: Key of the rule where the path is not what it should be written by; None for the path.
        child: The rules of an array's elements.
    """

    path: Path
    body: dict[str, Any]
    notes: list[str] = field(default_factory=list[str])
    name: str | None = None
    child: Fields | None = None

    @property
    def column(self) -> str:
        """Name of the column, where it is one."""
        found = self.body.get("column")
        return found if isinstance(found, str) else fold(column_wish(self.path))


@dataclass
class Index:
    """An entry of `indexes`.

    Attributes:
        body: As written: `columns`, `unique`, `where`, `method`.
        notes: Comments.
    """

    body: dict[str, Any]
    notes: list[str] = field(default_factory=list[str])


@dataclass
class Fields:
    """What one table is made of.

    Attributes:
        table: Its name.
        rules: In the order of the columns.
        indexes: Beside those of single columns.
        search: Columns and language of the full-text index.
        notes: Comments below the indexes: what could not be carried.
        taken: Names of columns, those that Isthmus adds among them.
    """

    table: str
    rules: list[Rule] = field(default_factory=list[Rule])
    indexes: list[Index] = field(default_factory=list[Index])
    search: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list[str])
    taken: set[str] = field(default_factory=set[str])


@dataclass
class Entry:
    """One entry of `collections`.

    Attributes:
        name: The collection.
        head: Keys before `fields`: `table`, `ids`, `extras`.
        fields: None for a collection that is skipped, or cannot be mapped: then there are notes only.
        skip: Why it is skipped.
        notes: Comments above it.
    """

    name: str
    head: dict[str, Any] = field(default_factory=dict[str, Any])
    fields: Fields | None = None
    skip: str | None = None
    notes: list[str] = field(default_factory=list[str])


@dataclass
class Enum:
    """An enum type with its labels."""

    labels: list[str]
    notes: list[str] = field(default_factory=list[str])


@dataclass
class Junction:
    """A junction table: two columns with what they point at."""

    columns: dict[str, str]
    notes: list[str] = field(default_factory=list[str])


@dataclass
class Proposal:
    """A whole mapping.

    Attributes:
        header: Comments at the top.
        policies: With a comment each.
        enums: By name.
        entries: In the order of writing.
        junctions: By name.
    """

    header: list[str] = field(default_factory=list[str])
    policies: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    enums: dict[str, Enum] = field(default_factory=dict[str, Enum])
    entries: list[Entry] = field(default_factory=list[Entry])
    junctions: dict[str, Junction] = field(default_factory=dict[str, Junction])
