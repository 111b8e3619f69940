"""The mapping as data: every name resolved, every default filled in, no short forms left.

`file` builds it from YAML; everything else reads it. The models are frozen and refuse unknown keys. Maps whose order
has an effect (fields: the order of columns; the two columns of a junction) are tuples here, all others dicts. The rules
inside a collection are in `rules`; they can be imported from here too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pydantic import Field, JsonValue, SkipValidation

from isthmus.mapping.identities import Identity
from isthmus.mapping.rules import (
    ChildField,
    ColumnField,
    Condition,
    Default,
    DropField,
    ElementOnOrphan,
    FieldPath,
    FieldRule,
    Flag,
    FlagColumn,
    IndexRule,
    JunctionField,
    Method,
    Model,
    Normalise,
    OnDelete,
    OnOrphan,
    OnUpdate,
    Operator,
    OtherValues,
    Part,
    Policies,
    Rename,
    Rewrite,
    RouteColumn,
    RouteField,
    SearchRule,
    SkipRule,
    ToFlagsField,
    ValueRule,
    walk,
)
from isthmus.mapping.things import Things
from isthmus.mapping.types import ColumnType

Ids = Literal["uuid", "cuid2", "keep"]
Naming = Literal["fold", "keep"]
JunctionOnOrphan = Literal["drop", "dead_letter"]
OnDuplicate = Literal["dead_letter", "merge"]
OnConflict = Literal["keep_target", "overwrite", "dead_letter"]

DEAD_LETTER = "dead_letter"
OTHERS = "*"
"""The collection name that stands for all source collections nobody named."""

__all__ = [
    "DEAD_LETTER",
    "OTHERS",
    "ChildField",
    "Collection",
    "ColumnField",
    "Condition",
    "ConstantColumn",
    "Default",
    "DropField",
    "ElementOnOrphan",
    "FieldPath",
    "FieldRule",
    "Flag",
    "FlagColumn",
    "Flow",
    "IdColumn",
    "Ids",
    "IndexRule",
    "Junction",
    "JunctionColumn",
    "JunctionField",
    "JunctionOnOrphan",
    "Mapping",
    "Method",
    "Naming",
    "Normalise",
    "OnConflict",
    "OnDelete",
    "OnDuplicate",
    "OnOrphan",
    "OnUpdate",
    "Operator",
    "OtherValues",
    "Part",
    "Policies",
    "Rename",
    "Rewrite",
    "RouteColumn",
    "RouteField",
    "SearchRule",
    "SkipRule",
    "SourceRule",
    "Target",
    "ToFlagsField",
    "ValueRule",
    "walk",
]


class Target(Model):
    """Where the tables are, and who makes them.

    Attributes:
        on_conflict: What the entries take that do not say; see `Collection`.
        conflict_stated: Whether the file says it.
        rerun: What the entries take that do not say.
        on_update: What foreign keys do that do not say, when the value they point by is changed; None refuses it.
    """

    schema_name: str = "public"
    tables: Literal["create", "existing"] = "create"
    on_conflict: OnConflict = "keep_target"
    conflict_stated: bool = Field(default=False, exclude=True)
    rerun: Literal["tracked"] | None = None
    on_update: OnUpdate | None = None


class IdColumn(Model):
    """The column of a root table that takes the id; `type` is resolved, also for `ids: keep` (text unless said).

    Attributes:
        kept: False for a column that is there only while the table is loaded.
    """

    column: str = "id"
    type: ColumnType
    kept: bool = True


class SourceRule(Model):
    """A source collection that an entry reads.

    Attributes:
        constants: Extended JSON by column, where the value depends on the source collection.
        optional: Whether it may be missing in a source. No part of the fingerprint, for it changes nothing that is
            carried.
    """

    collection: str
    optional: bool = Field(default=False, exclude=True)
    constants: dict[str, JsonValue] = Field(default_factory=dict)


class ConstantColumn(Model):
    """A column filled with a constant.

    Attributes:
        value: Extended JSON, when it is the same for every source collection; None when each `SourceRule` has its own.
    """

    column: str
    type: ColumnType
    required: bool = False
    value: JsonValue = None
    index: bool = False


class Collection(Model):
    """One entry of `collections`: what becomes of the documents of its source collections.

    Attributes:
        sources: At least one.
        when: A document goes to the first entry, in the order of the file, whose conditions all hold.
        key: Columns of the primary key; None for the id, () for none.
        id: With `key` it is an ordinary column, or not kept at all.
        match: Lists of columns that tell which row of an existing table is the same thing.
        rewritten: Whether references to it may hold ids of its rows already, as text (`isthmus refs rewrite`).
        asked: Why its collections are left behind unless a copy is told to carry them (`--only`); None for others.
    """

    table: str
    ids: Ids
    id: IdColumn
    extras: str = "extras"
    skip: tuple[SkipRule, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    indexes: tuple[IndexRule, ...] = ()
    search: SearchRule | None = None
    sources: tuple[SourceRule, ...] = ()
    when: tuple[Condition, ...] = ()
    constants: tuple[ConstantColumn, ...] = ()
    key: tuple[str, ...] | None = None
    on_duplicate: OnDuplicate = "dead_letter"
    match: tuple[tuple[str, ...], ...] = ()
    on_conflict: OnConflict = "keep_target"
    conflict_stated: bool = Field(default=False, exclude=True)
    rerun: Literal["tracked"] | None = None
    rewritten: bool = False
    asked: str | None = None

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of the primary key; empty for none."""
        return (self.id.column,) if self.key is None else self.key

    @property
    def source_names(self) -> tuple[str, ...]:
        """Names of the source collections."""
        return tuple(source.collection for source in self.sources)


@dataclass(frozen=True)
class Flow:
    """The documents of one source collection that one entry takes.

    Attributes:
        number: Place among all flows of the mapping, from 0, in the order of the file.
    """

    number: int
    entry: str
    collection: str


class JunctionColumn(Model):
    """One of the two columns of a junction table.

    Attributes:
        collection: What it points at, as the file says it; see `references.point`.
    """

    column: str
    collection: str


class Junction(Model):
    """A table of pairs.

    Attributes:
        on_orphan: What happens to a pair with an end that does not exist: `drop` leaves the pair out (and writes the
            ledger), `dead_letter` refuses the document that holds it. None when the mapping does not say: `drop`.
    """

    columns: tuple[JunctionColumn, JunctionColumn]
    on_orphan: JunctionOnOrphan | None = None

    @property
    def orphan_action(self) -> JunctionOnOrphan:
        """The stated action, else `drop`."""
        return self.on_orphan or "drop"


class Mapping(Model):
    """A whole mapping file.

    Attributes:
        isthmus: Version of the language.
        policies: Mapping-wide; also those of the extras columns.
        skipped: Collections left behind as a whole, with the reason.
        others_skipped: Why all collections nobody named are left behind; None when they are not.
        identities: Documents of several collections that are one thing, by name.
        things: What the identities came to in the target at hand; None while nobody has found out.
    """

    isthmus: Literal[1] = 1
    target: Target = Target()
    ids: Ids = "uuid"
    extras: str = "extras"
    extensions: tuple[str, ...] = ()
    naming: Naming = "fold"
    enums: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    policies: Policies = Policies()
    collections: dict[str, Collection] = Field(default_factory=dict)
    skipped: dict[str, str] = Field(default_factory=dict)
    others_skipped: str | None = None
    junctions: dict[str, Junction] = Field(default_factory=dict)
    identities: dict[str, Identity] = Field(default_factory=dict)
    things: SkipValidation[Things | None] = Field(default=None, exclude=True)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, 64 hex digits, over the canonical JSON of this model.

        Comments, short or long forms, the order of collections, enums, junctions and of the keys of any rule do not
        matter, nor does stating what is the default (so a later Isthmus that knows more keys gives the same). The order
        of fields does: it is the order of the columns. So does the order of entries that share a source collection or
        a table, or wait for ids of others: their flows are known by number.
        """
        stated = self.model_dump(mode="json", exclude_defaults=True)
        for name, rule in stated.get("collections", {}).items():
            if rule.get("sources") == [{"collection": name}]:
                del rule["sources"]
        if self.things is not None:
            stated["things"] = self.things.stated()
        if self._order_matters:
            stated["flows"] = [[flow.entry, flow.collection] for flow in self.flows]
        canonical = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def _order_matters(self) -> bool:
        plain = all(
            rule.source_names == (name,) and rule.key is None and not rule.when
            for name, rule in self.collections.items()
        )
        rules = [rule for entry in self.collections.values() for rule in walk(entry.fields)]
        tables = [entry.table for entry in self.collections.values()]
        tables += [rule.table for rule in rules if isinstance(rule, ChildField)]
        pointed = {c.collection for junction in self.junctions.values() for c in junction.columns}
        pointed |= {rule.references for rule in rules if isinstance(rule, ColumnField) and rule.references}
        return not plain or len(set(tables)) < len(tables) or not pointed <= set(self.collections)

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        """Every flow, in the order of the file."""
        pairs = [(entry, source) for entry, rule in self.collections.items() for source in rule.source_names]
        return tuple(Flow(number, entry, source) for number, (entry, source) in enumerate(pairs))

    def flows_of(self, collection: str) -> tuple[Flow, ...]:
        """The flows that read a source collection, in the order in which they are asked."""
        return tuple(flow for flow in self.flows if flow.collection == collection)

    @cached_property
    def table_flows(self) -> dict[str, tuple[Flow, ...]]:
        """The flows of every root and child table, in order."""
        found: dict[str, list[Flow]] = {}
        for flow in self.flows:
            entry = self.collections[flow.entry]
            names = [entry.table, *(rule.table for rule in walk(entry.fields) if isinstance(rule, ChildField))]
            for name in dict.fromkeys(names):
                found.setdefault(name, []).append(flow)
        return {name: tuple(flows) for name, flows in found.items()}

    @cached_property
    def source_collections(self) -> tuple[str, ...]:
        """Every source collection that is read, once, in the order of the file."""
        return tuple(dict.fromkeys(flow.collection for flow in self.flows))

    @cached_property
    def optional_collections(self) -> tuple[str, ...]:
        """The source collections that may be missing, in the order of the file."""
        rules = [source for entry in self.collections.values() for source in entry.sources]
        needed = {rule.collection for rule in rules if not rule.optional}
        return tuple(name for name in self.source_collections if name not in needed)

    def joins(self, entries: Iterable[str]) -> bool:
        """Whether documents of any of these entries are joined into one row: where they stand against a key, or where
        an identity says so."""
        rules = [self.collections[entry] for entry in entries]
        return any(rule.on_duplicate == "merge" or rule.table in self.thing_tables for rule in rules)

    @cached_property
    def thing_tables(self) -> dict[str, dict[str, str]]:
        """The tables whose rows are the things of an identity, with `wins`; none while nobody has found out."""
        found: dict[str, dict[str, str]] = {}
        for identity in self.identities.values() if self.things is not None else ():
            for member in identity.members:
                for flow in self.flows_of(member.collection):
                    found.setdefault(self.collections[flow.entry].table, {}).update(identity.wins)
        return found

    def winning(self, table: str, column: str) -> frozenset[int]:
        """The numbers of the flows whose value of a column is taken first where documents are joined; mostly none."""
        collection = self.thing_tables.get(table, {}).get(column)
        return frozenset() if collection is None else frozenset(flow.number for flow in self.flows_of(collection))

    def with_rules(self, change: Callable[[FieldRule], FieldRule]) -> Mapping:
        """Return the mapping with other rules for fields: those of a child table are changed, not the child's own."""

        def changed(rules: tuple[FieldRule, ...]) -> tuple[FieldRule, ...]:
            return tuple(
                rule.model_copy(update={"fields": changed(rule.fields)})
                if isinstance(rule, ChildField)
                else change(rule)
                for rule in rules
            )

        entries = {
            name: entry.model_copy(update={"fields": changed(entry.fields)}) for name, entry in self.collections.items()
        }
        return self.model_copy(update={"collections": entries})

    def why_skipped(self, collection: str) -> str | None:
        """Why a source collection is left behind as a whole, or would be if no copy were told to carry it; None when it
        is carried, or nobody named it and no `*` does."""
        if collection in self.source_collections:
            return self.why_asked(collection)
        return self.skipped.get(collection, self.others_skipped)

    def why_asked(self, collection: str) -> str | None:
        """Why a source collection is left behind unless a copy is told to carry it; None for all others."""
        return next((self.collections[flow.entry].asked for flow in self.flows_of(collection)), None)
