"""Checks of everything that points at a collection: references, rewriting, routes, junctions."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping.checks.columns import TableView
from isthmus.mapping.checks.targets import check_pointer, check_target
from isthmus.mapping.model import (
    DEAD_LETTER,
    ChildField,
    ColumnField,
    FieldRule,
    Junction,
    JunctionField,
    Mapping,
    RouteField,
)
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.references import Pointer, field_rule, own_candidates, point, refer
from isthmus.mapping.types import TEXT_KINDS


def check_links(mapping: Mapping, reader: Reader, table: TableView) -> None:
    """Report what is wrong with the references, rewrites and routes of one table's columns."""
    for number, rule in enumerate(table.fields):
        place = (*table.fields_place, reader.key_of(table.fields_place, number))
        if isinstance(rule, RouteField):
            _check_route(mapping, reader, rule, place)
            _check_own_fields(mapping, reader, table, rule, place)
        if not isinstance(rule, ColumnField):
            continue
        if rule.references is not None:
            _check_reference(mapping, reader, rule, rule.references, place)
        else:
            for word, said in (("on_delete", rule.on_delete), ("on_update", rule.on_update)):
                if said is not None:
                    message = f"`{word}` needs `references`."
                    reader.report("needs-references", (*place, word), message, f"Add it, or remove `{word}`.")
        _check_inside(mapping, reader, rule, place)


def _check_inside(mapping: Mapping, reader: Reader, rule: ColumnField, place: Place) -> None:
    """Report what is wrong with ids and keys inside jsonb."""
    at = (*place, "rewrite")
    for rewrite in rule.rewrite:
        pointer = check_pointer(mapping, reader, rewrite.collection, at, "`rewrite`")
        if pointer is None or not _is_id(mapping, reader, pointer, at, "`rewrite`") or not rewrite.keep_others:
            continue
        if mapping.collections[pointer.entry].ids == "keep":
            message = (
                f"`others: keep` tells ids by their form, and those of `{pointer.entry}` are kept (`ids: keep`), so"
                " they may have any."
            )
            reader.report("rewrite-others", at, message, "Leave `others` out.")
    is_jsonb = rule.references is None and rule.type is not None and rule.type.kind == "jsonb"
    if rule.rewrite and not is_jsonb:
        message = "`rewrite` replaces ids inside jsonb, and this column is not jsonb."
        reader.report("rewrite-type", at, message, "Use `type: jsonb`, or `references` for a single id.")
    if rule.rename and not is_jsonb:
        message = "`rename` gives keys inside jsonb other names, and this column is not jsonb."
        hint = "Use `type: jsonb`; for the column's own name write `column: NAME`."
        reader.report("rename-type", (*place, "rename"), message, hint)


def _is_id(mapping: Mapping, reader: Reader, pointer: Pointer, place: Place, what: str) -> bool:
    """Whether a pointer means the id of an entry that keeps it."""
    if pointer.field is not None:
        message = f"{what} takes ids, and `{show_path(pointer.field)}` is a field of `{pointer.entry}`."
        reader.report("key-needs-id", place, message, f"Write `{pointer.entry}`.")
        return False
    if not mapping.collections[pointer.entry].id.kept:
        message = f"{what} needs the id of `{pointer.entry}`, whose table with `key` alone keeps none."
        reader.report("key-needs-id", place, message, "Keep it too: fields: {_id: {column: id}}.")
        return False
    return True


def _check_reference(mapping: Mapping, reader: Reader, rule: ColumnField, text: str, place: Place) -> None:
    array = rule.is_array
    if rule.required and rule.on_orphan == "null" and not array:
        message = "A required column cannot become NULL for an orphan."
        reader.report(
            "required-null", (*place, "on_orphan"), message, "Use `on_orphan: dead_letter`, or leave `required` away."
        )
    keyless = array or _is_text(mapping, rule)
    if keyless:
        _refuse_actions(reader, rule, place)
    elif rule.required and rule.on_delete == "null":
        message = "A required column cannot become NULL when the row it points at is deleted."
        reader.report(
            "required-null", (*place, "on_delete"), message, "Use `cascade` or `restrict`, or leave `required` away."
        )
    if array and rule.unique:
        message = "An array of references cannot be unique in a useful way."
        reader.report("reference-rule", (*place, "unique"), message, "Remove `unique`, or use a junction.")
    pointer = check_pointer(mapping, reader, text, (*place, "references"), "`references`")
    if pointer is None or not check_target(mapping, reader, pointer, rule, (*place, "references")):
        return
    if pointer.field is None:
        for key, used in (("coerce", rule.coerce), ("normalise", bool(rule.normalise))):
            takes_single = key == "coerce" and (array or rule.element is not None)
            if used and not takes_single:
                message = f"A reference follows the ids of its collection; `{key}` has no effect on it."
                reader.report("reference-rule", (*place, key), message, "Remove it.")
    _check_type(mapping, reader, rule, text, pointer, place)


def _refuse_actions(reader: Reader, rule: ColumnField, place: Place) -> None:
    """Report what only a foreign key could do."""
    whose = "An array of references has" if rule.is_array else "Ids that are kept as text have"
    instead = "use a junction" if rule.is_array else "remove the type"
    for word, said, what in (("on_delete", rule.on_delete, "deletion"), ("on_update", rule.on_update, "change")):
        if said is not None:
            message = f"{whose} no foreign key, so nothing follows a {what}."
            reader.report("reference-rule", (*place, word), message, f"Remove `{word}`, or {instead}.")


def _is_text(mapping: Mapping, rule: ColumnField) -> bool:
    """Whether a reference keeps UUIDs as text; not where it names nothing."""
    try:
        return rule.references is not None and refer(mapping, rule.references, rule.type).as_text
    except KeyError:  # `check_pointer`, `check_cycles` or `check_keys` reports it
        return False


def _check_type(mapping: Mapping, reader: Reader, rule: ColumnField, text: str, pointer: Pointer, place: Place) -> None:
    try:
        referred = refer(mapping, text, rule.type)
    except KeyError:  # `check_cycles` or `check_keys` reports it
        return
    if rule.normalise and referred.by is not None and referred.met.kind not in (*TEXT_KINDS, "enum"):
        message = f"`normalise` changes texts, and `{shorten(text)}` is of type `{referred.met}`."
        reader.report("normalise-type", (*place, "normalise"), message, "Remove it.")
    if rule.type is None or rule.type == referred.type or reader.is_broken((*place, "type")):
        return
    at = (*place, "type") if (*place, "type") in reader.lines else place
    target = mapping.collections[pointer.entry]
    if pointer.field is None:
        shown = f"`{text}`, whose ids are `{target.ids}`,"
        hint = "Remove the type; it follows from the collection."
        if target.ids == "uuid" and target.id.kept:
            hint += " `text` keeps the UUID as text, without a foreign key."
    else:
        shown = f"`{shorten(text)}`"
        hint = f"Remove the type, or write `{referred.met}` to keep the values themselves."
    if rule.type.array and pointer.field is not None:
        hint = f"Write `{referred.type}`, or `{referred.met}` to keep the values themselves."
    elif rule.type.array:
        hint = f"Write `{referred.type}`, or use a junction: {{junction: NAME}}."
    message = f"A reference to {shown} has the type `{referred.type}`, not `{rule.type}`."
    reader.report("reference-type", at, message, hint)


def _check_route(mapping: Mapping, reader: Reader, rule: RouteField, place: Place) -> None:
    first: tuple[str, str, str] | None = None
    tables: dict[str, str] = {}
    for route in rule.routes:
        at = (*place, "route", route.entry)
        pointer = check_pointer(mapping, reader, route.entry, at, "`route`")
        if pointer is None or not _is_id(mapping, reader, pointer, at, "`route`"):
            continue
        entry = mapping.collections[pointer.entry]
        if entry.table in tables:
            message = (
                f"`{route.entry}` and `{tables[entry.table]}` are one table, so a route cannot choose between them."
            )
            reader.report("route-ids", at, message, "Keep one of them.")
        tables.setdefault(entry.table, route.entry)
        first = first or (route.entry, entry.ids, str(entry.id.type))
        if (entry.ids, str(entry.id.type)) != first[1:]:
            message = (
                f"A route needs ids of one kind: `{first[0]}` has `{first[1]}` ({first[2]}), "
                f"`{route.entry}` has `{entry.ids}` ({entry.id.type})."
            )
            reader.report("route-ids", at, message, "Give them the same `ids`.")


def _check_own_fields(mapping: Mapping, reader: Reader, table: TableView, rule: RouteField, place: Place) -> None:
    """Report fields of single columns of a route where they could not be kept or not be found."""
    for route in rule.routes:
        pointer = point(mapping, route.entry)
        if route.field is None or pointer is None:
            continue
        at = (*place, "route", route.entry, "field")
        if table.extras == DEAD_LETTER:
            message = "A field that is passed over stays in extras, and this table has none."
            reader.report("route-field", at, message, "Name a column: extras: extras.")
        elif mapping.collections[pointer.entry].ids == "keep":
            message = f"`field` needs ids that are derived, and `{route.entry}` keeps its own."
            reader.report("route-field", at, message, "Use `ids: uuid` or `cuid2`, or leave `field` away.")
        elif table.entry is not None and mapping.collections[table.entry].on_duplicate == "merge":
            message = f"Documents of `{shorten(table.entry)}` are joined, so the field could be another document's."
            reader.report("route-field", at, message, "Leave `field` away: what it holds stays in extras.")


def check_cycles(mapping: Mapping, reader: Reader) -> None:
    """Report keys that wait for each other: a reference looked up by a key that is itself looked up, and so on."""
    for name, entry in mapping.collections.items():
        for number, rule in enumerate(entry.fields):
            if not isinstance(rule, ColumnField) or rule.references is None or rule.column not in (entry.key or ()):
                continue
            place = ("collections", name, "fields", reader.key_of(("collections", name, "fields"), number))
            chain = _chain(mapping, name, rule)
            if chain is not None and not reader.is_broken(place):
                shown = " → ".join(f"`{one}`" for one in chain)
                message = f"The key of `{name}` waits for itself: {shown}."
                hint = "Keep an id in one of them (fields: {_id: {column: id}}), or choose another key."
                reader.report("reference-cycle", (*place, "references"), message, hint)


def _chain(mapping: Mapping, entry: str, rule: ColumnField) -> list[str] | None:
    """The keys a key waits for when they lead back to it."""
    start = (entry, rule.column)
    chain = [f"{entry}.{rule.column}"]
    current: ColumnField | None = rule
    while current is not None and current.references is not None:
        pointer = point(mapping, current.references)
        if pointer is None:
            return None
        target = mapping.collections[pointer.entry]
        if target.id.kept or target.key is None or len(target.key) != 1 or _is_kept(mapping, pointer, current):
            return None
        place = (pointer.entry, target.key[0])
        shown = f"{place[0]}.{place[1]}"
        if place == start:
            return [*chain, shown]
        if shown in chain:
            return None  # a circle further on, reported there
        chain.append(shown)
        current = next((r for r in target.fields if isinstance(r, ColumnField) and r.column == target.key[0]), None)
    return None


def _is_kept(mapping: Mapping, pointer: Pointer, rule: ColumnField) -> bool:
    """Whether a reference by a field keeps the value of the document, so that it waits for nothing."""
    field = field_rule(mapping, pointer)
    if field is None:
        return pointer.field is not None
    key = mapping.collections[pointer.entry].key
    return key == (field.column,) or (rule.type is not None and rule.type.element == field.type)


def check_junctions(mapping: Mapping, reader: Reader) -> None:
    """Report junctions nobody feeds, fields that feed none, and columns that do not match the collections."""
    fed: set[str] = set()
    for name, collection in mapping.collections.items():
        for rule, at in _junction_fields(reader, collection.fields, ("collections", name, "fields")):
            junction = mapping.junctions.get(rule.junction)
            if junction is not None:
                fed.add(rule.junction)
                if not reader.is_broken(("junctions", rule.junction)):
                    _check_own(mapping, reader, name, rule, junction, at)
            elif rule.junction:
                message = f"There is no junction `{shorten(rule.junction)}`."
                hint = suggest(rule.junction, mapping.junctions)
                if not mapping.junctions:
                    hint = "State it: junctions: {NAME: {a_id: CollectionA, b_id: CollectionB}}."
                reader.report("unknown-junction", (*at, "junction"), message, hint)
    for name, junction in mapping.junctions.items():
        place = ("junctions", name)
        for end in junction.columns:
            at = (*place, "columns", end.column)
            at = at if at in reader.lines else (*place, end.column)
            pointer = check_pointer(mapping, reader, end.collection, at, f"The junction `{name}`")
            if pointer is not None:
                check_target(mapping, reader, pointer, None, at)
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
    for number, rule in enumerate(fields):
        at = (*place, reader.key_of(place, number))
        if isinstance(rule, JunctionField):
            yield rule, at
        elif isinstance(rule, ChildField):
            yield from _junction_fields(reader, rule.fields, (*at, "fields"))


def _check_own(
    mapping: Mapping, reader: Reader, entry: str, rule: JunctionField, junction: Junction, place: Place
) -> None:
    mine = own_candidates(mapping, entry, rule.junction)
    both = " and ".join(f"`{end.column}` → `{end.collection}`" for end in junction.columns)
    if rule.own is not None:
        columns = [end.column for end in junction.columns]
        if rule.own not in columns:
            message = f"The junction `{rule.junction}` has no column `{shorten(rule.own)}`."
            reader.report("junction-own", (*place, "own"), message, suggest(rule.own, columns))
        elif rule.own not in mine:
            message = f"`{rule.own}` does not take ids of `{entry}`; the junction has {both}."
            hint = f"Write `{mine[0]}`." if mine else f"One column must refer to `{entry}`."
            reader.report("junction-own", (*place, "own"), message, hint)
    elif not mine:
        message = f"`{show_path(rule.path)}` is a field of `{entry}`, but the junction `{rule.junction}` has {both}."
        reader.report("junction-side", (*place, "junction"), message, f"One column must refer to `{entry}`.")
    elif len(mine) > 1:
        message = f"Both columns of the junction `{rule.junction}` refer to `{entry}`, so this side must be named."
        hint = f"Add `own: {mine[0]}` or `own: {mine[1]}`: the column that takes the id of the document with the array."
        reader.report("junction-own", place, message, hint)
