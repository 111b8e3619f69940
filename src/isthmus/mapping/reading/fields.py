"""Reading field rules: which form a rule has, and the forms that are no columns.

Turns each rule into its model; the problems go to the reader. Columns are `columns`'s; whether names exist and rules
agree is `check`'s.
"""

from __future__ import annotations

from isthmus.mapping.keys import CHOICE_KEYS, FORMS
from isthmus.mapping.model import ChildField, DropField, FieldPath, FieldRule, JunctionField
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.choosing import Choice, read_choice
from isthmus.mapping.reading.columns import read_column, read_short_form
from isthmus.mapping.reading.context import Context
from isthmus.mapping.reading.flags import read_route, read_to_flags
from isthmus.mapping.reading.indexes import read_indexes, read_search
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader

__all__ = ["read_fields", "show_path"]


def read_fields(reader: Reader, node: Node, place: Place, context: Context) -> tuple[FieldRule, ...]:
    """Read the `fields` of a collection or child, in the order of the file."""
    rules: list[FieldRule] = []
    for key, value in reader.entries(node, place, "`fields`"):
        rule = _field(reader, key, value, (*place, key), context)
        if rule is not None:
            reader.field_keys[place, len(rules)] = key
            rules.append(rule)
    return tuple(rules)


def _field(reader: Reader, key: str, node: Node, place: Place, context: Context) -> FieldRule | None:
    if isinstance(node, ListNode):
        reader.report(
            "field-form", place, "A field rule is a type or a map, but this is a list.", "Write `text[]` for an array."
        )
        return None
    if isinstance(node, ScalarNode):
        choice = read_choice(reader, key, {}, place)
        return None if choice is None else read_short_form(reader, choice, node, place, context)
    forms = [form for form in FORMS if any(entry.text == form for entry, _ in node.entries)]
    if len(forms) > 1:
        names = " and ".join(f"`{form}`" for form in forms)
        reader.report("field-form", place, f"A field cannot be {names} at once.", "Keep one of them.")
        return None
    if not forms:
        return read_column(reader, key, node, place, context)
    return _other_form(reader, key, forms[0], node, place, context)


def _other_form(reader: Reader, key: str, form: str, node: MapNode, place: Place, context: Context) -> FieldRule | None:
    chosen = [word.text for word, _ in node.entries if word.text in CHOICE_KEYS and word.text not in FORMS[form]]
    if chosen:
        message = f"`{form}` takes a field as a whole; `{chosen[0]}` takes one value."
        hint = f"Remove `{chosen[0]}`, or make it a column: {{type: …}}."
        reader.report("field-form", (*place, chosen[0]), message, hint)
    kept = tuple(entry for entry in node.entries if entry[0].text not in chosen)
    found = reader.keys(MapNode(kept, node.line), place, f"A `{form}` field", FORMS[form])
    if form == "route":
        return read_route(reader, key, found, place, context)
    choice: Choice | None = read_choice(reader, key, found, place)
    if choice is None:
        return None
    path = choice.path
    if form == "to_flags":
        return read_to_flags(reader, path, found["to_flags"], (*place, "to_flags"), context)
    if form == "drop":
        return DropField(path=path, why=reader.text(found["drop"], (*place, "drop"), "The reason of `drop`"))
    if form == "junction":
        own = reader.text(found["own"], (*place, "own"), "`own`") if "own" in found else None
        return JunctionField(
            path=path, junction=reader.text(found["junction"], (*place, "junction"), "The name of a junction"), own=own
        )
    return _child(reader, path, found, place, context)


def _child(reader: Reader, path: FieldPath, found: dict[str, Node], place: Place, context: Context) -> ChildField:
    extras = context.extras
    if "extras" in found:
        extras = reader.name(found["extras"], (*place, "extras"), "The extras column", default=extras)
    if "fields" not in found:
        reader.report(
            "missing-key",
            place,
            "A child table has no `fields`.",
            "Say what becomes of each element's fields: {child: …, fields: {…}}.",
        )
    own = reader.name(found["own"], (*place, "own"), "`own`", default="own") if "own" in found else None
    return ChildField(
        path=path,
        table=reader.name(found["child"], (*place, "child"), "The child table", default="unnamed"),
        own=own,
        extras=extras,
        fields=read_fields(reader, found["fields"], (*place, "fields"), context) if "fields" in found else (),
        indexes=read_indexes(reader, found["indexes"], (*place, "indexes")) if "indexes" in found else (),
        search=read_search(reader, found["search"], (*place, "search")) if "search" in found else None,
    )
