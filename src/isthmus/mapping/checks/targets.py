"""Checks of what a reference names: whether it is there, and whether a value can be found by it."""

from __future__ import annotations

from isthmus.mapping.model import ColumnField, Mapping
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.references import Pointer, field_rule, is_unique, point


def check_pointer(mapping: Mapping, reader: Reader, name: str, place: Place, what: str) -> Pointer | None:
    """Look up what a reference names; report it when there is no such entry or source collection.

    Args:
        mapping: As read.
        reader: Takes the problems.
        name: The reference as written.
        place: Where it stands.
        what: Begin of the sentence.
    """
    pointer = point(mapping, name)
    if pointer is not None:
        _check_one_table(mapping, reader, name, place, what)
        return pointer
    if not name or name == "unnamed":
        return None
    if name in mapping.skipped:
        message = f"{what} names the collection `{shorten(name)}`, which is skipped."
        reader.report(
            "unknown-collection", place, message, f"Carry `{shorten(name)}`, or take the value as it is with a type."
        )
        return None
    head, dot, field = name.partition(".")
    by_table = {rule.table: known for known, rule in mapping.collections.items()}
    for table, rest in ((name, ""), (head, dot + field)):
        if table in by_table:
            message = f"{what} names the table `{table}`; collections are meant."
            reader.report("unknown-collection", place, message, f"Write `{by_table[table]}{rest}`.")
            return None
    message = f"{what} names the collection `{shorten(name)}`, which the mapping does not carry."
    known = (*mapping.collections, *mapping.source_collections)
    reader.report("unknown-collection", place, message, suggest(name, known))
    return None


def _check_one_table(mapping: Mapping, reader: Reader, name: str, place: Place, what: str) -> None:
    """A source collection that several entries put into several tables does not say which is meant."""
    if name in mapping.collections:
        return
    entries = [flow.entry for flow in mapping.flows_of(name)]
    if len({mapping.collections[entry].table for entry in entries}) > 1:
        shown = " and ".join(f"`{entry}`" for entry in entries)
        message = f"{what} names `{shorten(name)}`, whose documents go to {shown}."
        reader.report("ambiguous-reference", place, message, "Name one of these, or use `route`.")


def check_target(mapping: Mapping, reader: Reader, pointer: Pointer, rule: ColumnField | None, place: Place) -> bool:
    """Report a reference whose value nothing is found by.

    Args:
        mapping: As read.
        reader: Takes the problems.
        pointer: What the reference names.
        rule: The rule of the referring column; None for a junction.
        place: Where the reference stands.

    Returns:
        Whether it can be used.
    """
    if pointer.field is not None:
        target = _field(mapping, reader, pointer, pointer.field, place)
        if target is None:
            return False
        if rule is not None and rule.type is not None and rule.type.element == target.type:
            return True
        key = mapping.collections[pointer.entry].key
        if key is not None and key == (target.column,):
            return True
    entry = mapping.collections[pointer.entry]
    if entry.id.kept or (entry.key is not None and len(entry.key) == 1):
        return True
    keeps = "has no key" if not entry.key else f"has a key of {len(entry.key)} columns"
    message = f"The table of `{pointer.entry}` keeps no id and {keeps}, so one column cannot refer to it."
    reader.report(
        "reference-key", place, message, f"Keep the id in `{pointer.entry}`: fields: {{_id: {{column: id}}}}."
    )
    return False


def _field(
    mapping: Mapping, reader: Reader, pointer: Pointer, path: tuple[str, ...], place: Place
) -> ColumnField | None:
    """The rule of the field that is compared."""
    entry, shown = pointer.entry, show_path(path)
    rule = field_rule(mapping, pointer)
    if reader.is_broken(("collections", entry, "fields")) and rule is None:
        return None
    if rule is None and any(
        isinstance(other, ColumnField) and len(other.paths) > 1 and (path in other.paths or other.column == shown)
        for other in mapping.collections[entry].fields
    ):
        message = (
            f"`{shorten(shown)}` of `{shorten(entry)}` takes one of several fields, so nothing can be found by it."
        )
        reader.report("reference-field", place, message, "Refer to a field of one plain value, or to the collection.")
        return None
    if rule is None:
        plain = [r for r in mapping.collections[entry].fields if isinstance(r, ColumnField) and r.paths == (r.path,)]
        by_column = [show_path(r.path) for r in plain if r.column == shown]
        message = f"`{shorten(entry)}` has no column of the field `{shorten(shown)}`."
        hint = f"Write `{entry}.{by_column[0]}`." if by_column else suggest(shown, [show_path(r.path) for r in plain])
        if shown in ("id", mapping.collections[entry].id.column) and not by_column:
            hint = f"For the id write `{entry}`."
        reader.report("reference-field", place, message, hint)
        return None
    what = None
    if rule.references is not None:
        what = "is a reference itself"
    elif rule.element is not None or rule.flags or rule.object:
        what = "is put together from several values"
    elif rule.type is None or rule.type.array or rule.type.kind == "jsonb":
        what = f"is of type `{rule.type}`"
    if what is not None:
        message = f"`{shorten(shown)}` of `{shorten(entry)}` {what}, so nothing can be found by it."
        reader.report("reference-field", place, message, "Refer to a field of one plain value, or to the collection.")
        return None
    if not is_unique(mapping.collections[entry], rule.column):
        message = (
            f"`{shorten(shown)}` of `{shorten(entry)}` is not unique, so a value of it may mean several documents."
        )
        reader.report("reference-not-unique", place, message, f"Make it `unique: true` in `{shorten(entry)}`.")
        return None
    return rule
