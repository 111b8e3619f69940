"""The rules of one document as data: fields, indexes, conditions; every default filled in, no short forms left.

`fields` and `columns` build them from YAML. The kinds of field (`ColumnField`, `ToFlagsField`, `RouteField`,
`JunctionField`, `ChildField`, `DropField`) are told apart by `do`; a new form of the language is a new model in that
union.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from isthmus.mapping.types import ColumnType

FieldPath = tuple[str, ...]
OnOrphan = Literal["null", "dead_letter"]
ElementOnOrphan = Literal["null", "dead_letter", "drop"]
OnDelete = Literal["null", "cascade", "restrict"]
OnUpdate = Literal["cascade", "restrict"]
Operator = Literal["eq", "ne", "in", "not_in", "missing", "null", "present", "before", "not_before"]
Method = Literal["btree", "gin"]
Normalise = Literal["trim", "lower"]
Form = Literal["email"]


class Model(BaseModel):
    """Frozen, and without keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Policies(Model):
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


class Default(Model):
    """What a column gets when its field is missing (or null, see `default_for`).

    Attributes:
        kind: `now` is the start of the run, `id_time` the time inside the document's ObjectId.
        value: Extended JSON of a `literal`, already of a BSON type the column takes exactly.
    """

    kind: Literal["literal", "now", "id_time"]
    value: JsonValue = None


class Rewrite(Model):
    """Ids inside a jsonb column that are replaced; `[]` in the path means every element of an array.

    Attributes:
        collection: As the file says it: an entry, or a source collection of one; see `references.point`.
        keep_others: Whether what has not the form of an id stays as it is; else it is hashed, as any `_id` is.
    """

    path: FieldPath
    collection: str
    keep_others: bool = False


class Rename(Model):
    """A key inside a jsonb column that is written as another; `[]` in the path means every element of an array.

    Attributes:
        path: As documents have it; ends with the key.
    """

    path: FieldPath
    to: str


def as_written(path: FieldPath, renames: tuple[Rename, ...]) -> FieldPath:
    """Return a path inside a jsonb column with its keys as they are written."""
    names = {one.path: one.to for one in renames}
    return tuple(names.get(path[: end + 1], key) for end, key in enumerate(path))


class ValueRule(Model):
    """One replaced value.

    Attributes:
        source: Extended JSON of a text, number or truth value; numbers are compared over types, texts exactly.
        becomes: Extended JSON that the column takes exactly; None for NULL.
    """

    source: JsonValue
    becomes: JsonValue = None


class OtherValues(Model):
    """What every value gets that no `ValueRule` names; not null, not missing."""

    becomes: JsonValue = None


class Flag(Model):
    """A boolean field and the label it stands for."""

    path: FieldPath
    label: str


class Part(Model):
    """A field and the key under which it stands in an object of several."""

    key: str
    path: FieldPath


class Expect(Model):
    """What the values of a column should be: looked at by `isthmus verify`, not by the copy.

    Attributes:
        form: A form of text that has a name.
        pattern: A regular expression of PostgreSQL (POSIX, advanced) that some part of a text must match.
        min: Extended JSON of the least value, itself allowed.
        max: Extended JSON of the greatest value, itself allowed.
        not_before: A column of the same row whose instant this one may not come before.
        not_after: A column of the same row whose instant this one may not come after.
    """

    form: Form | None = None
    pattern: str | None = None
    min: JsonValue = None
    max: JsonValue = None
    not_before: str | None = None
    not_after: str | None = None


class _Chosen(Model):
    """Which value of a document a rule takes.

    Attributes:
        path: The field; of several (`first_of`, `flags`, `object`) the first.
        first_of: Fields of which the first that is neither missing nor null is taken; empty when `path` is the only
            one.
        element: Position in the array at `path`, from 0, negative from the end; None for the whole value.
        of: Path inside that element; empty for the element itself.
        others: Why the rest of the array is dropped; None when it goes to extras.
    """

    path: FieldPath
    first_of: tuple[FieldPath, ...] = ()
    element: int | None = None
    of: FieldPath = ()
    others: str | None = None

    @property
    def paths(self) -> tuple[FieldPath, ...]:
        """Every path the rule claims, in the order of the file."""
        return self.first_of or (self.path,)


class ColumnField(_Chosen):
    """A value that becomes a column.

    Attributes:
        type: None for a reference whose type follows from what it points at.
        references: What the value points at, as the file says it; see `references.point`.
        identity: Whose thing the document belongs to; what the identity says goes before what the field holds.
        on_orphan: What an orphan gets; None when the mapping does not say, see `orphan_action`.
        on_delete: What becomes of the row when the row it points at is deleted; None refuses the deletion.
        on_update: What becomes of the row when the value it points by is changed; None: as the mapping says for all.
        table_default: What the table itself gives to rows that others add later; never `id_time`.
        values: Values that are replaced.
        other_values: What all other values become; None when they are converted as usual.
        normalise: In the order it is done.
        flags: Boolean fields that are put together as labels; then nothing else chooses the value.
        object: Fields that are put together as one jsonb object; the same holds.
        expect: What its values should be. No part of the fingerprint, for it changes nothing that is carried.
    """

    do: Literal["column"] = "column"
    column: str
    type: ColumnType | None = None
    required: bool = False
    default: Default | None = None
    default_for: tuple[Literal["missing", "null"], ...] = ("missing",)
    coerce: bool = False
    index: bool = False
    unique: bool = False
    references: str | None = None
    identity: str | None = None
    on_orphan: ElementOnOrphan | None = None
    on_delete: OnDelete | None = None
    on_update: OnUpdate | None = None
    table_default: Default | None = None
    rewrite: tuple[Rewrite, ...] = ()
    rename: tuple[Rename, ...] = ()
    sensitive: bool = False
    policies: Policies = Policies()
    values: tuple[ValueRule, ...] = ()
    other_values: OtherValues | None = None
    normalise: tuple[Normalise, ...] = ()
    flags: tuple[Flag, ...] = ()
    object: tuple[Part, ...] = ()
    expect: Expect | None = Field(default=None, exclude=True)

    @property
    def paths(self) -> tuple[FieldPath, ...]:
        """Every path the rule claims, in the order of the file."""
        several = (*(flag.path for flag in self.flags), *(part.path for part in self.object))
        return several or self.first_of or (self.path,)

    @property
    def is_array(self) -> bool:
        """Whether the column is an array."""
        return self.type is not None and self.type.array

    @property
    def orphan_action(self) -> ElementOnOrphan:
        """The stated action, else `dead_letter` for a required column and `null` for others and for elements."""
        if self.on_orphan is not None:
            return self.on_orphan
        return "dead_letter" if self.required and not self.is_array else "null"


class FlagColumn(Model):
    """The boolean column of one label."""

    label: str
    column: str
    required: bool = False
    default: Default | None = None
    index: bool = False


class ToFlagsField(Model):
    """An array of labels that becomes boolean columns."""

    do: Literal["to_flags"] = "to_flags"
    path: FieldPath
    flags: tuple[FlagColumn, ...]

    @property
    def columns(self) -> tuple[ColumnField, ...]:
        """The columns, as rules."""
        return tuple(
            ColumnField(
                path=self.path,
                column=flag.column,
                type=ColumnType("boolean"),
                required=flag.required,
                default=flag.default,
                index=flag.index,
            )
            for flag in self.flags
        )


class RouteColumn(Model):
    """One of the entries an id may point at, and the column it goes to then.

    Attributes:
        field: Which of the route's fields belongs to this column: where another one leads to another column, what it
            holds stands here.
    """

    entry: str
    column: str
    field: FieldPath | None = None
    index: bool = False
    on_delete: OnDelete | None = None
    on_update: OnUpdate | None = None


class RouteField(_Chosen):
    """An id that may point at one of several entries.

    Attributes:
        routes: In order of preference.
        required: Whether one of them must be found.
    """

    do: Literal["route"] = "route"
    routes: tuple[RouteColumn, ...]
    required: bool = False
    on_orphan: OnOrphan | None = None
    sensitive: bool = False
    policies: Policies = Policies()

    @property
    def orphan_action(self) -> OnOrphan:
        """The stated action, else `dead_letter` when one must be found and `null` otherwise."""
        return self.on_orphan or ("dead_letter" if self.required else "null")

    @property
    def columns(self) -> tuple[ColumnField, ...]:
        """The columns, as rules of nullable references."""
        return tuple(
            ColumnField(
                path=self.path,
                first_of=self.first_of,
                element=self.element,
                of=self.of,
                others=self.others,
                column=route.column,
                references=route.entry,
                on_orphan=self.on_orphan,
                on_delete=route.on_delete,
                on_update=route.on_update,
                index=route.index,
                sensitive=self.sensitive,
                policies=self.policies,
            )
            for route in self.routes
        )


class JunctionField(Model):
    """An array of references that becomes pairs of a junction table.

    Attributes:
        own: The junction's column that takes the id of the document holding the array.
        sensitive: Whether the values are compared with a sensitive field; follows from the junction.
    """

    do: Literal["junction"] = "junction"
    path: FieldPath
    junction: str
    own: str | None = None
    sensitive: bool = False


class ChildField(Model):
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


class DropField(Model):
    """A field that is left behind on purpose."""

    do: Literal["drop"] = "drop"
    path: FieldPath
    why: str


FieldRule = Annotated[
    ColumnField | ToFlagsField | RouteField | JunctionField | ChildField | DropField, Field(discriminator="do")
]


class IndexRule(Model):
    """An index over columns of one table; `where` is the author's SQL, taken as it is."""

    columns: tuple[str, ...]
    unique: bool = False
    where: str | None = None
    method: Method = "btree"
    name: str | None = None


class SearchRule(Model):
    """One full-text index over several columns of one table."""

    columns: tuple[str, ...]
    language: str = "simple"


class Condition(Model):
    """One part of a skip rule.

    Attributes:
        values: Extended JSON: one for `eq` and `ne`, any number for `in` and `not_in`, a date for `before` and
            `not_before` or none for the start of the run, none for the others.
    """

    path: FieldPath
    op: Operator
    values: tuple[JsonValue, ...] = ()


class SkipRule(Model):
    """Documents left behind on purpose: those that meet all conditions."""

    all: tuple[Condition, ...]
    why: str


def walk(fields: tuple[FieldRule, ...]) -> Iterator[FieldRule]:
    """All rules of a collection, those inside child tables after the child's own."""
    for field in fields:
        yield field
        if isinstance(field, ChildField):
            yield from walk(field.fields)


ChildField.model_rebuild()
