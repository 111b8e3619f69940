"""Checks of everything that points at a collection: references, rewriting, junctions."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping.check_columns import TableView
from isthmus.mapping.fields import show_path
from isthmus.mapping.model import ChildField, ColumnField, FieldRule, Junction, JunctionField, Mapping
from isthmus.mapping.reader import Place, Reader, shorten, suggest


def check_links(mapping: Mapping, reader: Reader, table: TableView) -> None:
    """Report what is wrong with the references and rewrites of one table's columns."""
    for rule in table.fields:
        place = (*table.fields_place, reader.key_of(table.fields_place, rule.path))
        if not isinstance(rule, ColumnField):
            continue
        if rule.references is not None:
            _check_reference(mapping, reader, rule, rule.references, place)
        for rewrite in rule.rewrite:
            at = (*place, "rewrite")
            _is_collection(mapping, reader, rewrite.collection, at, "`rewrite`")
        if rule.rewrite and (rule.references is not None or rule.type is None or rule.type.kind != "jsonb"):
            message = "`rewrite` replaces ids inside jsonb, and this column is not jsonb."
            reader.report(
                "rewrite-type", (*place, "rewrite"), message, "Use `type: jsonb`, or `references` for a single id."
            )


def _check_reference(mapping: Mapping, reader: Reader, rule: ColumnField, name: str, place: Place) -> None:
    if rule.required and rule.on_orphan == "null":
        message = "A required column cannot become NULL for an orphan."
        reader.report(
            "required-null", (*place, "on_orphan"), message, "Use `on_orphan: dead_letter`, or leave `required` away."
        )
    if not _is_collection(mapping, reader, name, (*place, "references"), "`references`"):
        return
    if rule.coerce:
        message = "A reference follows the ids of its collection; `coerce` has no effect on it."
        reader.report("reference-rule", (*place, "coerce"), message, "Remove it.")
    target = mapping.collections[name]
    if rule.type is None or reader.is_broken((*place, "type")):
        return
    at = (*place, "type") if (*place, "type") in reader.lines else place
    if rule.type.array:
        reader.report(
            "reference-type", at, "An array of references is not a column here.", "Use a junction: {junction: NAME}."
        )
        return
    message = (
        f"A reference to `{name}`, whose ids are `{target.ids}`, has the type `{target.id.type}`, not `{rule.type}`."
    )
    hint = "Remove the type; it follows from the collection."
    if rule.type.kind == "text" and target.ids != "keep":
        hint += f" To keep the old ids as they are use `ids: keep` in `{name}`, or leave `references` away."
    reader.report("reference-type", at, message, hint)


def _is_collection(mapping: Mapping, reader: Reader, name: str, place: Place, what: str) -> bool:
    if name in mapping.collections:
        return True
    if not name or name == "unnamed":
        return False
    if name in mapping.skipped:
        message = f"{what} names the collection `{shorten(name)}`, which is skipped."
        reader.report(
            "unknown-collection", place, message, f"Carry `{shorten(name)}`, or take the value as it is with a type."
        )
        return False
    by_table = [known for known, rule in mapping.collections.items() if rule.table == name]
    if by_table:
        message = f"{what} names the table `{name}`; collections are meant."
        reader.report("unknown-collection", place, message, f"Write `{by_table[0]}`.")
        return False
    message = f"{what} names the collection `{shorten(name)}`, which the mapping does not carry."
    reader.report("unknown-collection", place, message, suggest(name, mapping.collections))
    return False


def check_junctions(mapping: Mapping, reader: Reader) -> None:
    """Report junctions nobody feeds, fields that feed none, and columns that do not match the collections."""
    fed: set[str] = set()
    for name, collection in mapping.collections.items():
        for rule, at in _junction_fields(reader, collection.fields, ("collections", name, "fields")):
            junction = mapping.junctions.get(rule.junction)
            if junction is not None:
                fed.add(rule.junction)
                if not reader.is_broken(("junctions", rule.junction)):
                    _check_own(reader, name, rule, junction, at)
            elif rule.junction:
                message = f"There is no junction `{shorten(rule.junction)}`."
                hint = suggest(rule.junction, mapping.junctions)
                if not mapping.junctions:
                    hint = "State it: junctions: {NAME: {a_id: CollectionA, b_id: CollectionB}}."
                reader.report("unknown-junction", (*at, "junction"), message, hint)
    for name, junction in mapping.junctions.items():
        place = ("junctions", name)
        for entry in junction.columns:
            at = (*place, "columns", entry.column)
            at = at if at in reader.lines else (*place, entry.column)
            _is_collection(mapping, reader, entry.collection, at, f"The junction `{name}`")
        if name not in fed and not reader.is_broken(("collections",)):
            message = f"No field feeds the junction `{name}`."
            reader.report(
                "junction-unfed",
                place,
                message,
                f"Write {{junction: {name}}} for an array of references, or remove it.",
            )


def _junction_fields(
    reader: Reader, fields: tuple[FieldRule, ...], place: Place
) -> Iterator[tuple[JunctionField, Place]]:
    """All junction fields of a collection with their places, those inside child tables too."""
    for rule in fields:
        at = (*place, reader.key_of(place, rule.path))
        if isinstance(rule, JunctionField):
            yield rule, at
        elif isinstance(rule, ChildField):
            yield from _junction_fields(reader, rule.fields, (*at, "fields"))


def _check_own(reader: Reader, collection: str, rule: JunctionField, junction: Junction, place: Place) -> None:
    mine = [entry.column for entry in junction.columns if entry.collection == collection]
    both = " and ".join(f"`{entry.column}` → `{entry.collection}`" for entry in junction.columns)
    if rule.own is not None:
        columns = [entry.column for entry in junction.columns]
        if rule.own not in columns:
            message = f"The junction `{rule.junction}` has no column `{shorten(rule.own)}`."
            reader.report("junction-own", (*place, "own"), message, suggest(rule.own, columns))
        elif rule.own not in mine:
            message = f"`{rule.own}` does not take ids of `{collection}`; the junction has {both}."
            hint = f"Write `{mine[0]}`." if mine else f"One column must refer to `{collection}`."
            reader.report("junction-own", (*place, "own"), message, hint)
    elif not mine:
        message = (
            f"`{show_path(rule.path)}` is a field of `{collection}`, but the junction `{rule.junction}` has {both}."
        )
        reader.report("junction-side", (*place, "junction"), message, f"One column must refer to `{collection}`.")
    elif len(mine) > 1:
        message = f"Both columns of the junction `{rule.junction}` refer to `{collection}`, so this side must be named."
        hint = f"Add `own: {mine[0]}` or `own: {mine[1]}`: the column that takes the id of the document with the array."
        reader.report("junction-own", place, message, hint)
