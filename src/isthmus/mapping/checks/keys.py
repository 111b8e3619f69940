"""Checks of keys, of what needs ids, and of the rules for duplicates and existing tables."""

from __future__ import annotations

from isthmus.mapping.model import (
    ChildField,
    Collection,
    ColumnField,
    FieldRule,
    JunctionField,
    Mapping,
    RouteField,
    ToFlagsField,
)
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.references import refer
from isthmus.mapping.types import ColumnType

_EXISTING = ("match", "on_conflict", "rerun")


def check_keys(mapping: Mapping, reader: Reader) -> None:
    """Report keys that cannot be ones, what needs an id that is not kept, and rules without effect."""
    if mapping.target.tables == "create":
        for key in ("on_conflict", "rerun"):
            _needs_existing(reader, ("target", key), key)
    for name, entry in mapping.collections.items():
        place = ("collections", name)
        if mapping.target.tables == "create":
            for key in _EXISTING:
                _needs_existing(reader, (*place, key), key)
        _check_key(reader, entry, place)
        for position, columns in enumerate(entry.match):
            _check_match(mapping, reader, entry, columns, (*place, "match", str(position)))
        if entry.on_duplicate == "merge" and not _has_unique(entry):
            message = (
                f"`{shorten(name)}` has neither a unique column or index nor a `key`, so no document is a duplicate."
            )
            hint = "Make a column `unique`, or remove `on_duplicate`."
            reader.report("needs-unique", (*place, "on_duplicate"), message, hint)
        if not entry.id.kept:
            _needs_id(reader, entry.fields, (*place, "fields"))


def _needs_existing(reader: Reader, place: Place, key: str) -> None:
    if place in reader.lines:
        message = f"`{key}` is about rows that are there before, and these tables are made by the copy."
        reader.report("needs-existing", place, message, "Write target: {tables: existing}, or remove it.")


def _has_unique(entry: Collection) -> bool:
    rules = (rule for rule in entry.fields if isinstance(rule, ColumnField))
    return bool(entry.key) or any(rule.unique for rule in rules) or any(index.unique for index in entry.indexes)


def _columns(entry: Collection) -> dict[str, tuple[bool, ColumnField | None, ColumnType | None]]:
    """Columns of a root table: whether required, the rule, and the type where it is stated."""
    found: dict[str, tuple[bool, ColumnField | None, ColumnType | None]] = {}
    if entry.id.kept:
        found[entry.id.column] = (True, None, entry.id.type)
    for constant in entry.constants:
        found[constant.column] = (constant.required, None, constant.type)
    for rule in entry.fields:
        if isinstance(rule, ColumnField):
            found[rule.column] = (rule.required, rule, rule.type)
        elif isinstance(rule, ToFlagsField | RouteField):
            found |= {column.column: (column.required, column, column.type) for column in rule.columns}
    return found


def _unfit(column_type: ColumnType | None) -> bool:
    return column_type is not None and (column_type.array or column_type.kind == "jsonb")


def _check_key(reader: Reader, entry: Collection, place: Place) -> None:
    at = (*place, "key")
    columns = _columns(entry)
    if reader.is_broken(at) or reader.is_broken((*place, "fields")) or reader.is_broken((*place, "constants")):
        return
    for position, name in enumerate(entry.key or ()):
        where = (*at, str(position)) if (*at, str(position)) in reader.lines else at
        if name in (entry.key or ())[:position]:
            reader.report("column-clash", where, f"`key` names `{shorten(name)}` twice.", "Name each column once.")
            continue
        if name not in columns:
            message = f"The table `{entry.table}` has no column `{shorten(name)}`."
            hint = suggest(name, columns)
            if not entry.id.kept and name in ("id", "_id"):
                hint = "A table with `key` keeps the id only where it has a rule: fields: {_id: {column: id}}."
            elif name in ("None", "null"):
                hint = "For a table without a key write `key: none`."
            reader.report("unknown-column", where, message, hint)
            continue
        required, _, column_type = columns[name]
        if _unfit(column_type):
            message = f"`{name}` is of type `{column_type}`, which cannot be a key."
            reader.report("key-column", where, message, "Take columns of plain values.")
        elif not required:
            message = f"`{name}` is part of the key but not required, so it could be NULL."
            reader.report("key-column", where, message, "Write `!` behind its type, or `required: true`.")


def _check_match(mapping: Mapping, reader: Reader, entry: Collection, names: tuple[str, ...], place: Place) -> None:
    columns = _columns(entry)
    if reader.is_broken((*place[:2], "fields")) or reader.is_broken((*place[:2], "constants")):
        return
    for position, name in enumerate(names):
        at = (*place, str(position))
        if name in names[:position]:
            reader.report("column-clash", at, f"This list names `{shorten(name)}` twice.", "Name each column once.")
        elif name not in columns:
            message = f"The table `{entry.table}` has no column `{shorten(name)}`."
            reader.report("unknown-column", at, message, suggest(name, columns))
        elif _unfit(columns[name][2]):
            message = f"`{name}` is of type `{columns[name][2]}`, which no row is found by."
            reader.report("match-column", at, message, "Take columns of plain values.")
        elif _waits(mapping, columns[name][1]):
            message = f"`{name}` gets its value only when all documents are there, and rows are matched before."
            reader.report("match-column", at, message, "Take columns that come from the document itself.")


def _waits(mapping: Mapping, rule: ColumnField | None) -> bool:
    if rule is None or rule.references is None:
        return False
    try:
        return refer(mapping, rule.references, rule.type).lookup
    except KeyError:
        return False


def _needs_id(reader: Reader, fields: tuple[FieldRule, ...], place: Place) -> None:
    """Children and junctions hold the id of the document, so it must stay."""
    for number, rule in enumerate(fields):
        if isinstance(rule, ChildField):
            what = f"child table `{rule.table}`"
        elif isinstance(rule, JunctionField):
            what = f"junction `{rule.junction}`"
        else:
            continue
        message = f"The {what} holds the id of each document, but a table with `key` alone keeps none."
        at = (*place, reader.key_of(place, number))
        reader.report("key-needs-id", at, message, "Keep the id too: fields: {_id: {column: id}}.")
