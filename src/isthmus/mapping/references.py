"""What a reference names: an entry, a source collection inside one, or a field of either.

A mapping keeps references as their author wrote them; here they are looked up. `checks.links` reports those that name
nothing; all else here takes a mapping whose references are good.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from isthmus.mapping.model import Collection, ColumnField, FieldPath, Mapping
from isthmus.mapping.paths import parse_path
from isthmus.mapping.rules import FieldRule, OnDelete, OnUpdate
from isthmus.mapping.target import OrphanAction, Reference
from isthmus.mapping.types import ColumnType


@dataclass(frozen=True)
class Pointer:
    """What the text of a reference names.

    Attributes:
        entry: The entry of the mapping.
        hashed_as: The name that ids which are no ObjectIds are hashed with.
        field: Path of the field that is compared; None for the id.
    """

    entry: str
    hashed_as: str
    field: FieldPath | None = None


def point(mapping: Mapping, text: str) -> Pointer | None:
    """Look up `ENTRY`, `SOURCE`, `ENTRY.FIELD` or `SOURCE.FIELD`; the longest name that fits wins.

    Returns:
        What it names; None when there is no such entry or source collection, or the field's path is malformed. Whether
        there is a rule for the field is not looked at.
    """
    whole = _named(mapping, text)
    if whole is not None:
        return whole
    end = text.rfind(".")
    while end > 0:
        named = _named(mapping, text[:end])
        if named is not None:
            path = parse_path(text[end + 1 :])
            if path is None:
                return None
            return named if path == ("_id",) else replace(named, field=path)
        end = text.rfind(".", 0, end)
    return None


def _named(mapping: Mapping, name: str) -> Pointer | None:
    if name in mapping.collections:
        return Pointer(name, hashed_as(mapping, name))
    flows = mapping.flows_of(name)
    return Pointer(flows[0].entry, name) if flows else None


def hashed_as(mapping: Mapping, entry: str) -> str:
    """The name that ids of an entry which are no ObjectIds are hashed with: its only source, else its own."""
    sources = mapping.collections[entry].source_names
    return sources[0] if len(sources) == 1 else entry


def field_rule(mapping: Mapping, pointer: Pointer) -> ColumnField | None:
    """Find the column rule of the field a pointer names; None for the id, or when there is none."""
    for rule in mapping.collections[pointer.entry].fields:
        if isinstance(rule, ColumnField) and rule.path == pointer.field and rule.paths == (rule.path,):
            return rule
    return None


def meets_sensitive(mapping: Mapping, text: str) -> bool:
    """Whether a reference is compared with a sensitive field, so that its own values say what that one holds."""
    pointer = point(mapping, text)
    rule = field_rule(mapping, pointer) if pointer is not None and pointer.field is not None else None
    return rule is not None and rule.sensitive


def is_unique(entry: Collection, column: str) -> bool:
    """Whether a column of a root table alone tells the row: its key, `unique`, or a unique index of all rows."""
    if entry.primary_key == (column,) or any(
        isinstance(rule, ColumnField) and rule.column == column and rule.unique for rule in entry.fields
    ):
        return True
    return any(index.unique and index.columns == (column,) and index.where is None for index in entry.indexes)


def column_type(mapping: Mapping, entry: str, column: str) -> ColumnType:
    """The type of a root table's column, as far as key columns go: the id, constants, columns and references.

    Raises:
        KeyError: There is no such column, or its type follows from itself; `check` refuses such mappings.
    """
    return _column_type(mapping, entry, column, frozenset())


def _column_type(mapping: Mapping, entry: str, column: str, seen: frozenset[tuple[str, str]]) -> ColumnType:
    rule = mapping.collections[entry]
    if (entry, column) in seen:
        raise KeyError(column)
    if rule.id.kept and rule.id.column == column:
        return rule.id.type
    for constant in rule.constants:
        if constant.column == column:
            return constant.type
    for field in rule.fields:
        if isinstance(field, ColumnField) and field.column == column:
            if field.references is None and field.type is not None:
                return field.type
            if field.references is not None:
                return _refer(mapping, field.references, field.type, seen | {(entry, column)}).type
    raise KeyError(column)


@dataclass(frozen=True)
class Referred:
    """How a reference reaches its target; see `target.Reference` for `column`, `by` and `lookup`.

    Attributes:
        type: Of the referring column.
        met: Type of the value met in a document: of the derived id, or of the compared field.
        as_text: Whether the column holds UUIDs as text.
    """

    pointer: Pointer
    column: str
    by: str | None
    lookup: bool
    type: ColumnType
    met: ColumnType
    as_text: bool = False


def refer(mapping: Mapping, text: str, stated: ColumnType | None = None) -> Referred:
    """Say how a reference reaches its target.

    Args:
        mapping: A checked mapping.
        text: The reference as its author wrote it.
        stated: The type the rule states; None when it follows.

    Raises:
        KeyError: The reference names nothing, or an entry without id and without a key of one column.
    """
    return _refer(mapping, text, stated, frozenset())


def _refer(mapping: Mapping, text: str, stated: ColumnType | None, seen: frozenset[tuple[str, str]]) -> Referred:
    pointer = point(mapping, text)
    if pointer is None:
        raise KeyError(text)
    entry = mapping.collections[pointer.entry]
    array = stated is not None and stated.array
    own_key = entry.key[0] if not entry.id.kept and entry.key is not None and len(entry.key) == 1 else None
    by: str | None = None
    met = entry.id.type
    if pointer.field is not None:
        rule = field_rule(mapping, pointer)
        if rule is None or rule.type is None:
            raise KeyError(text)
        by, met = rule.column, rule.type
    if by is not None and (by == own_key or (stated is not None and stated.element == met)):
        column, column_type, lookup = by, met, False
    elif entry.id.kept:
        column, column_type, lookup = entry.id.column, entry.id.type, by is not None
    elif own_key is not None:
        column, column_type, lookup = own_key, _column_type(mapping, pointer.entry, own_key, seen), True
    else:
        raise KeyError(text)
    as_text = (
        pointer.field is None
        and not lookup
        and entry.ids == "uuid"
        and stated is not None
        and stated.element == ColumnType("text")
    )
    if as_text:
        column_type = ColumnType("text")
    return Referred(pointer, column, by, lookup, replace(column_type, array=array), replace(met, array=array), as_text)


def as_loaded(mapping: Mapping) -> Mapping:
    """The mapping as documents are loaded by it: into tables that exist, UUIDs that they keep as text go as UUIDs.

    The delivery casts them, so the real column may be of either type. A mapping that makes its tables is itself.
    """
    if mapping.target.tables != "existing":
        return mapping

    def load(rule: FieldRule) -> FieldRule:
        if not isinstance(rule, ColumnField) or rule.references is None:
            return rule
        referred = refer(mapping, rule.references, rule.type)
        if not referred.as_text:
            return rule
        return rule.model_copy(update={"type": referred.met if referred.met.array else None})

    return mapping.with_rules(load)


def make_reference(
    mapping: Mapping,
    referred: Referred,
    on_orphan: OrphanAction,
    *,
    stated: bool,
    routed: tuple[str, ...] = (),
    on_delete: OnDelete | None = None,
    on_update: OnUpdate | None = None,
    own: FieldPath | None = None,
) -> Reference:
    """Describe a reference for the target."""
    pointer = referred.pointer
    return Reference(
        collection=pointer.hashed_as,
        table=mapping.collections[pointer.entry].table,
        column=referred.column,
        on_orphan=on_orphan,
        stated=stated,
        entry=pointer.entry,
        by=referred.by,
        lookup=referred.lookup,
        routed=routed,
        on_delete="set null" if on_delete == "null" else on_delete,
        on_update=on_update or mapping.target.on_update,
        as_text=referred.as_text,
        own=own,
    )


def own_column(mapping: Mapping, entry: str, junction: str, stated: str | None) -> str:
    """The junction's column that takes the id of this entry's documents.

    Raises:
        KeyError: No column of the junction points at the entry's table, or both do and the rule does not say which;
            `check` refuses such mappings.
    """
    if stated is not None:
        return stated
    candidates = own_candidates(mapping, entry, junction)
    if len(candidates) != 1:
        raise KeyError(junction)
    return candidates[0]


def own_candidates(mapping: Mapping, entry: str, junction: str) -> list[str]:
    """The junction's columns that point at the table of an entry."""
    table = mapping.collections[entry].table
    columns: list[str] = []
    for column in mapping.junctions[junction].columns:
        pointer = point(mapping, column.collection)
        if pointer is not None and mapping.collections[pointer.entry].table == table:
            columns.append(column.column)
    return columns
