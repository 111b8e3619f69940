"""The mapping as data: every name resolved, every default filled in, no short forms left.

`file` builds it from YAML; everything else reads it. The models are frozen and refuse unknown keys. Maps whose order
has an effect (fields: the order of columns; the two columns of a junction) are tuples here, all others dicts.
The kinds of field (`ColumnField`, `JunctionField`, `ChildField`, `DropField`) are told apart by `do`; a new form of the
language is a new model in that union.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from isthmus.mapping.types import ColumnType

FieldPath = tuple[str, ...]
Ids = Literal["uuid", "cuid2", "keep"]
Naming = Literal["fold", "keep"]
OnOrphan = Literal["null", "dead_letter"]
JunctionOnOrphan = Literal["drop", "dead_letter"]
Operator = Literal["eq", "ne", "in", "not_in", "missing", "null", "present"]
Method = Literal["btree", "gin"]

DEAD_LETTER = "dead_letter"
OTHERS = "*"
"""The collection name that stands for all source collections nobody named."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(_Model):
    """Where the tables are, and who makes them."""

    schema_name: str = "public"
    tables: Literal["create", "existing"] = "create"


class Policies(_Model):
    """What happens to values PostgreSQL has no place for; `dead_letter` refuses the document.

    Attributes:
        nul: NUL characters in text.
        utf8: Bytes in text that are not UTF-8.
        nan: NaN and infinities inside jsonb.
        range: Instants outside the column type's range.
    """

    nul: Literal["dead_letter", "remove"] = "dead_letter"
    utf8: Literal["dead_letter", "replace"] = "dead_letter"
    nan: Literal["dead_letter", "null"] = "dead_letter"
    range: Literal["dead_letter", "null", "infinity"] = "dead_letter"


class Default(_Model):
    """What a column gets when its field is missing (or null, see `default_for`).

    Attributes:
        kind: `now` is the start of the run, `id_time` the time inside the document's ObjectId.
        value: Extended JSON of a `literal`, already of a BSON type the column takes exactly.
    """

    kind: Literal["literal", "now", "id_time"]
    value: JsonValue = None


class Rewrite(_Model):
    """Ids inside a jsonb column that are replaced; `[]` in the path means every element of an array."""

    path: FieldPath
    collection: str


class ColumnField(_Model):
    """A field that becomes a column.

    Attributes:
        type: None for a reference, whose type follows the ids of the collection it points at.
        on_orphan: What an orphan gets; None when the mapping does not say, see `orphan_action`.
    """

    do: Literal["column"] = "column"
    path: FieldPath
    column: str
    type: ColumnType | None = None
    required: bool = False
    default: Default | None = None
    default_for: tuple[Literal["missing", "null"], ...] = ("missing",)
    coerce: bool = False
    index: bool = False
    unique: bool = False
    references: str | None = None
    on_orphan: OnOrphan | None = None
    rewrite: tuple[Rewrite, ...] = ()
    sensitive: bool = False
    policies: Policies = Policies()

    @property
    def orphan_action(self) -> OnOrphan:
        """The stated action, else `dead_letter` for a required column and `null` for any other."""
        if self.on_orphan is not None:
            return self.on_orphan
        return "dead_letter" if self.required else "null"


class JunctionField(_Model):
    """An array of references that becomes pairs of a junction table.

    Attributes:
        own: The junction's column that takes the id of the document holding the array.
    """

    do: Literal["junction"] = "junction"
    path: FieldPath
    junction: str
    own: str | None = None


class ChildField(_Model):
    """An array of sub-documents that becomes rows of a child table.

    Attributes:
        own: Column that takes the root document's id; None for `<parent table>_id`.
        extras: Column for unnamed fields of an element, or `dead_letter`.
    """

    do: Literal["child"] = "child"
    path: FieldPath
    table: str
    own: str | None = None
    extras: str = "extras"
    fields: tuple[FieldRule, ...] = ()
    indexes: tuple[IndexRule, ...] = ()
    search: SearchRule | None = None


class DropField(_Model):
    """A field that is left behind on purpose."""

    do: Literal["drop"] = "drop"
    path: FieldPath
    why: str


FieldRule = Annotated[ColumnField | JunctionField | ChildField | DropField, Field(discriminator="do")]


class IndexRule(_Model):
    """An index over columns of one table; `where` is the author's SQL, taken as it is."""

    columns: tuple[str, ...]
    unique: bool = False
    where: str | None = None
    method: Method = "btree"
    name: str | None = None


class SearchRule(_Model):
    """One full-text index over several columns of one table."""

    columns: tuple[str, ...]
    language: str = "simple"


class Condition(_Model):
    """One part of a skip rule.

    Attributes:
        values: Extended JSON: one for `eq` and `ne`, any number for `in` and `not_in`, none for the others.
    """

    path: FieldPath
    op: Operator
    values: tuple[JsonValue, ...] = ()


class SkipRule(_Model):
    """Documents left behind on purpose: those that meet all conditions."""

    all: tuple[Condition, ...]
    why: str


class IdColumn(_Model):
    """The key column of a root table; `type` is resolved, also for `ids: keep` (text unless said otherwise)."""

    column: str = "id"
    type: ColumnType


class Collection(_Model):
    """What becomes of one collection's documents."""

    table: str
    ids: Ids
    id: IdColumn
    extras: str = "extras"
    skip: tuple[SkipRule, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    indexes: tuple[IndexRule, ...] = ()
    search: SearchRule | None = None


class JunctionColumn(_Model):
    """One of the two columns of a junction table."""

    column: str
    collection: str


class Junction(_Model):
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


class Mapping(_Model):
    """A whole mapping file.

    Attributes:
        isthmus: Version of the language.
        policies: Mapping-wide; also those of the extras columns.
        skipped: Collections left behind as a whole, with the reason.
        others_skipped: Why all collections nobody named are left behind; None when they are not.
    """

    isthmus: Literal[1] = 1
    target: Target = Target()
    ids: Ids = "uuid"
    extras: str = "extras"
    extensions: tuple[str, ...] = ()
    naming: Naming = "fold"
    enums: dict[str, tuple[str, ...]] = {}
    policies: Policies = Policies()
    collections: dict[str, Collection] = {}
    skipped: dict[str, str] = {}
    others_skipped: str | None = None
    junctions: dict[str, Junction] = {}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, 64 hex digits, over the canonical JSON of this model.

        Comments, short or long forms, the order of collections, enums, junctions and of the keys of any rule do not
        matter, nor does stating what is the default (so a later Isthmus that knows more keys gives the same). The order
        of fields does: it is the order of the columns.
        """
        stated = self.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def why_skipped(self, collection: str) -> str | None:
        """Why a collection is left behind as a whole; None when it is carried, or nobody named it and no `*` does."""
        if collection in self.collections:
            return None
        return self.skipped.get(collection, self.others_skipped)


def walk(fields: tuple[FieldRule, ...]) -> Iterator[FieldRule]:
    """All rules of a collection, those inside child tables after the child's own."""
    for field in fields:
        yield field
        if isinstance(field, ChildField):
            yield from walk(field.fields)


ChildField.model_rebuild()
