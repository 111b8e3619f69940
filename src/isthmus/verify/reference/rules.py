"""The mapping as plain rules, one list a collection; what the walk over documents needs and nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from isthmus.verify.reference.values import Setting, Type

Path = tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """Where a reference points: a collection and the id scheme of its documents."""

    collection: str
    ids: str


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
        reference: The column holds derived ids of another collection.
        rewrite: In jsonb, paths (`[]` is every element) whose values are such references.
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

    @property
    def place(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.name}"


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


Rule = Column | Junction | Child | Drop


Fields = list[tuple[Path, Rule]]
"""Rules with their paths, in the order of the mapping."""


@dataclass(frozen=True)
class Condition:
    """One test of a skip: `op` is eq, ne, in, not_in, missing, null or present; `values` are plain YAML values."""

    path: Path
    op: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Skip:
    """Documents for which every condition holds are not carried, for the reason `why`."""

    why: str
    conditions: tuple[Condition, ...]


@dataclass
class CollectionRules:
    """Everything the mapping says about one collection.

    Attributes:
        collection: Its name.
        ids: `uuid`, `cuid2` or `keep`.
        id_column: The root table's key column; for `keep` its type says what `_id` becomes.
        table: The root table.
        extras: Column for leftovers of the root row, None when leftovers reject the document.
        fields: Its rules.
        skips: Documents that are left out.
        policies: The mapping-wide policies, which extras follow.
    """

    collection: str
    ids: str
    id_column: Column
    table: str
    extras: str | None
    fields: Fields
    skips: tuple[Skip, ...] = ()
    policies: Setting = field(default_factory=Setting)
