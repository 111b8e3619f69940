"""The mapping as plain rules, one list a flow; what the walk over documents needs and nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from isthmus.verify.reference.values import Setting, Type

Path = tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """What is written instead of some values.

    Attributes:
        pairs: (value as the author wrote it, what the column then holds).
        others: What every other value becomes, as the one item of a tuple; None when others are converted as usual.
    """

    pairs: tuple[tuple[Any, Any], ...] = ()
    others: tuple[Any] | None = None


@dataclass(frozen=True)
class Reference:
    """Where a reference points, and what is made of the value met.

    Attributes:
        entry: The entry whose table it points at.
        collection: The name that ids which are no ObjectIds are hashed with.
        ids: The id scheme of the entry's documents.
        type: Type of the value that is made: the entry's ids, or those of the column `by`.
        by: The column of the entry that the value is compared with, whose rule converts it; None: it is an id.
        lookup: The value made is not what the column finally holds: that is looked up among the entry's rows.
        on_orphan: What the mapping states for values that point at nothing; None when it states nothing.
        rewritten: Whether a text in the form of the entry's ids is one already.
        keep_others: Inside jsonb: what has not the form of an id stays as it is.
    """

    entry: str
    collection: str
    ids: str
    type: Type
    by: Column | None = None
    lookup: bool = False
    on_orphan: str | None = None
    rewritten: bool = False
    keep_others: bool = False


@dataclass(frozen=True)
class Default:
    """What fills a missing value: `kind` is `literal` (with a plain value), `now` or `id_time`."""

    kind: str
    value: Any = None


@dataclass(frozen=True)
class Column:
    """One column that holds a value of the document.

    Attributes:
        table: Its table.
        name: Its name.
        type: Its type.
        setting: Coercion and policies.
        required: Whether NULL rejects the document.
        default: Fills missing values, and nulls if `default_for_null`.
        reference: The column holds references to another entry, or an array of them.
        rewrite: In jsonb, paths (`[]` is every element) whose values are such references.
        rename: In jsonb, paths whose last key is written as another.
        normalise: Of `trim` and `lower`, which are done to texts.
        values: Values that are replaced.
        identity: Whose thing the document belongs to; what is known of it goes before what the field holds.
    """

    table: str
    name: str
    type: Type
    setting: Setting = field(default_factory=Setting)
    required: bool = False
    default: Default | None = None
    default_for_null: bool = False
    reference: Reference | None = None
    rewrite: tuple[tuple[Path, Reference], ...] = ()
    rename: tuple[tuple[Path, str], ...] = ()
    normalise: tuple[str, ...] = ()
    values: Values = field(default_factory=Values)
    identity: str | None = None

    @property
    def place(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.name}"


@dataclass(frozen=True)
class Route:
    """One id that may point at one of several entries: a column for each, in written order.

    Attributes:
        own: Columns with the field that belongs to them alone: what it holds stands there where another field led to
            another column.
    """

    columns: tuple[tuple[Column, Reference], ...]
    required: bool
    own: tuple[tuple[str, Path], ...] = ()

    @property
    def name(self) -> str:
        """What its columns are called together: their names, joined."""
        return "|".join(column.name for column, _ in self.columns)

    @property
    def place(self) -> str:
        """`table.column|column`."""
        return f"{self.columns[0][0].table}.{self.name}"


@dataclass(frozen=True)
class Flags:
    """Boolean fields that become one column: a label for each of the field's paths."""

    column: Column
    labels: tuple[str, ...]
    coerce: bool


@dataclass(frozen=True)
class Object:
    """Fields that become one jsonb object: a key for each of the field's paths."""

    column: Column
    keys: tuple[str, ...]


@dataclass(frozen=True)
class ToFlags:
    """Texts of one array that become boolean columns: a column for each label, in written order."""

    columns: tuple[tuple[str, Column], ...]


@dataclass(frozen=True)
class Junction:
    """An array of references that becomes pairs: this document's id in `own`, each element's in `other`."""

    table: str
    own: str
    other: Column
    reference: Reference


@dataclass(frozen=True)
class Child:
    """An array of documents that becomes rows: the root's id, a position for every level above, its own position."""

    table: str
    root_id: str
    ancestor_positions: tuple[str, ...]
    position: str
    extras: str | None
    fields: Fields


@dataclass(frozen=True)
class Drop:
    """A path whose values are left behind because the mapping says so."""


Rule = Column | Route | Flags | Object | ToFlags | Junction | Child | Drop


@dataclass(frozen=True)
class Element:
    """Which part of an array a rule takes.

    Attributes:
        number: Position from 0; negative from the end.
        of: Path inside that element; empty takes it whole.
        coerce: A single value counts as an array of one.
        drops: What no rule takes is left behind because the mapping says so.
    """

    number: int
    of: Path = ()
    coerce: bool = False
    drops: bool = False


@dataclass(frozen=True)
class Field:
    """One rule and where it looks.

    Attributes:
        paths: Every path it claims; of several (not flags, not members of an object) the first with a value is taken.
        rule: What becomes of the value.
        element: The part of the array at the path, where only a part is meant.
    """

    paths: tuple[Path, ...]
    rule: Rule
    element: Element | None = None


Fields = list[Field]
"""Rules in the order of the mapping."""


@dataclass(frozen=True)
class Condition:
    """One test of a document.

    Attributes:
        op: eq, ne, in, not_in, missing, null, present, before or not_before.
        values: Plain YAML values; none where `before` and `not_before` mean the start of the run.
    """

    path: Path
    op: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Skip:
    """Documents for which every condition holds are not carried, for the reason `why`."""

    why: str
    conditions: tuple[Condition, ...]


@dataclass
class Flow:
    """Everything the mapping says about the documents that one entry takes of one collection.

    Attributes:
        number: Its place among all flows of the file, from 0.
        entry: The key under `collections`.
        collection: The collection in MongoDB; ids that are no ObjectIds are hashed with its name.
        ids: `uuid`, `cuid2` or `keep`.
        id_column: The root table's column for `_id`; for `keep` its type says what `_id` becomes. May be hidden.
        table: The root table.
        extras: Column for leftovers of the root row, None when leftovers reject the document.
        fields: Its rules.
        when: The entry takes documents for which all of these hold.
        constants: Columns of the root table that hold the same value in every row of this flow.
        skips: Documents that are left out.
        policies: The mapping-wide policies, which extras follow.
        marked: Its tables that other flows fill too; their rows say in a hidden column which flow made them.
        is_member: Whether its documents are things of an identity, or parts of one; None for tables without things.
        tells_defaults: Whether the rows of its root table say in a hidden column what defaults filled.
    """

    number: int
    entry: str
    collection: str
    ids: str
    id_column: Column
    table: str
    extras: str | None
    fields: Fields
    when: tuple[Condition, ...] = ()
    constants: dict[str, Any] = field(default_factory=dict[str, Any])
    skips: tuple[Skip, ...] = ()
    policies: Setting = field(default_factory=Setting)
    marked: frozenset[str] = frozenset()
    is_member: bool | None = None
    tells_defaults: bool = False
