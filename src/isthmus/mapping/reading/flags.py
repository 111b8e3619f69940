"""Reading `flags` (boolean fields into one column), `to_flags` (labels into boolean columns) and `route`."""

from __future__ import annotations

from typing import cast, get_args

from isthmus.mapping.keys import FLAG_COLUMN_KEYS, ROUTE_COLUMN_KEYS
from isthmus.mapping.model import (
    Default,
    FieldPath,
    Flag,
    FlagColumn,
    OnOrphan,
    RouteColumn,
    RouteField,
    ToFlagsField,
)
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.choosing import read_choice, read_dotted, read_path
from isthmus.mapping.reading.context import Context, default_name
from isthmus.mapping.reading.defaults import read_default, read_on_delete, read_on_update
from isthmus.mapping.reading.literals import LiteralFault, column_literal
from isthmus.mapping.reading.nodes import Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.types import TEXT_KINDS, ColumnType


def read_flags(
    reader: Reader, node: Node, place: Place, column_type: ColumnType | None, context: Context
) -> tuple[Flag, ...]:
    """Read `flags`: paths of boolean fields, each with its label; `column_type` is None when it is not known."""
    if column_type is not None and column_type.kind not in TEXT_KINDS and column_type.kind != "enum":
        message = f"`flags` puts labels together, and a column of type `{column_type}` holds none."
        reader.report("flags-type", place, message, "Use text, varchar, an enum, or an array of one of these.")
        column_type = None
    flags: list[Flag] = []
    entries = reader.entries(node, place, "`flags`")
    if not entries and not reader.is_broken(place):
        reader.report("empty-flags", place, "`flags` names no field.", "Write {FIELD: LABEL}.")
    for key, value in entries:
        at = (*place, key)
        path = read_dotted(reader, key, at)
        label = reader.text(value, at, "A label")
        if path is None or not label:
            continue
        if label in {flag.label for flag in flags}:
            message = f"Two fields have the label `{shorten(label)}`."
            reader.report("duplicate-value", at, message, "Give each its own; `first_of` takes one value of several.")
        if column_type is not None and isinstance(value, ScalarNode) and not reader.is_broken(at):
            _check_label(reader, value, at, column_type, context)
        flags.append(Flag(path=path, label=label))
    return tuple(flags)


def _check_label(reader: Reader, node: ScalarNode, place: Place, column_type: ColumnType, context: Context) -> None:
    try:
        column_literal(node, column_type.element, context.enums.get(column_type.enum or "", ()))
    except LiteralFault as fault:
        reader.report("bad-values", place, f"The label {fault.message}.", fault.hint, line=node.line)


def read_to_flags(reader: Reader, path: FieldPath, node: Node, place: Place, context: Context) -> ToFlagsField | None:
    """Read `to_flags`: labels, each with the boolean column it becomes."""
    columns: list[FlagColumn] = []
    entries = reader.entries(node, place, "`to_flags`")
    if not entries and not reader.is_broken(place):
        reader.report("empty-flags", place, "`to_flags` names no label.", "Write {LABEL: COLUMN}.")
    for label, value in entries:
        at = (*place, label)
        if not label:
            reader.report("empty-text", at, "A label is empty.", "Name the label.")
            continue
        columns.append(_flag_column(reader, label, value, at, context))
    return ToFlagsField(path=path, flags=tuple(columns)) if columns else None


def _flag_column(reader: Reader, label: str, node: Node, place: Place, context: Context) -> FlagColumn:
    if isinstance(node, ScalarNode) and node.value is not None:
        return FlagColumn(label=label, column=reader.name(node, place, "The column", default="unnamed"))
    found = reader.keys(node, place, "The column of a label", FLAG_COLUMN_KEYS)

    def flag(word: str) -> bool:
        return reader.flag(found[word], (*place, word), f"`{word}`") if word in found else False

    default: Default | None = None
    if "default" in found:
        at = (*place, "default")
        default = read_default(reader, found["default"], at, ColumnType("boolean"), context.enums)
    name = default_name((label,), context.naming)
    if "column" in found:
        name = reader.name(found["column"], (*place, "column"), "The column", default="unnamed")
    elif name:
        reader.check_name(name, place, "The column name")
    else:
        message = f"No column name can be made of `{shorten(label)}`."
        reader.report("bad-name", place, message, "Name it: {column: …}.")
    return FlagColumn(
        label=label, column=name or "unnamed", required=flag("required"), default=default, index=flag("index")
    )


def read_route(reader: Reader, key: str, found: dict[str, Node], place: Place, context: Context) -> RouteField | None:
    """Read `route`: entries, each with the column of an id that points at it."""
    at = (*place, "route")
    routes: list[RouteColumn] = []
    for entry, value in reader.entries(found["route"], at, "`route`"):
        if not entry:
            reader.report("empty-text", (*at, entry), "A route names no collection.", "Name it.")
            continue
        routes.append(_route_column(reader, entry, value, (*at, entry)))
    choice = read_choice(reader, key, found, place)
    if len(routes) < 2 and not reader.is_broken(at):
        message = f"`route` chooses between collections, but names {len(routes)}."
        reader.report("field-form", at, message, "Name at least two, or write {references: COLLECTION, column: …}.")
    if choice is None or not routes:
        return None

    def flag(word: str) -> bool:
        return reader.flag(found[word], (*place, word), f"`{word}`") if word in found else False

    on_orphan = None
    if "on_orphan" in found:
        on_orphan = reader.choice(found["on_orphan"], (*place, "on_orphan"), "`on_orphan`", get_args(OnOrphan), "null")
    rule = RouteField(
        **choice.fields(),
        routes=tuple(routes),
        required=flag("required"),
        on_orphan=cast("OnOrphan | None", on_orphan),
        sensitive=flag("sensitive"),
        policies=context.policies,
    )
    if rule.required and rule.on_orphan == "null":
        message = f"One of the columns of `{show_path(rule.path)}` is required, so an orphan cannot become NULL."
        hint = "Use `on_orphan: dead_letter`, or leave `required` away."
        reader.report("required-null", (*place, "on_orphan"), message, hint)
    _check_own_fields(reader, rule, at)
    return rule


def _check_own_fields(reader: Reader, rule: RouteField, place: Place) -> None:
    """Report fields of single columns that are none of those behind the first of `first_of`."""
    known: list[FieldPath] = []
    for route in rule.routes:
        if route.field is None:
            continue
        at, shown = (*place, route.entry, "field"), shorten(show_path(route.field))
        if route.field in known:
            reader.report("route-field", at, f"`{shown}` belongs to two columns.", "Keep one.")
        elif not rule.first_of:
            message = f"`{shown}` is a second field, and the route has one."
            reader.report("route-field", at, message, f"List both: first_of: [{show_path(rule.path)}, {shown}].")
        elif route.field == rule.first_of[0]:
            message = f"`{shown}` is the first field of `first_of`, which is routed wherever it has a value."
            reader.report("route-field", at, message, "Name one behind it.")
        elif route.field not in rule.first_of:
            hint = suggest(show_path(route.field), [show_path(path) for path in rule.first_of[1:]])
            reader.report("route-field", at, f"`first_of` does not list `{shown}`.", hint)
        known.append(route.field)


def _route_column(reader: Reader, entry: str, node: Node, place: Place) -> RouteColumn:
    if isinstance(node, ScalarNode):
        return RouteColumn(entry=entry, column=reader.name(node, place, "The column", default="unnamed"))
    found = reader.keys(node, place, "The column of a route", ROUTE_COLUMN_KEYS)
    column = "unnamed"
    if "column" in found:
        column = reader.name(found["column"], (*place, "column"), "The column", default=column)
    elif not reader.is_broken(place):
        reader.report("missing-key", place, "This route has no `column`.", "Write {COLLECTION: COLUMN}.")
    index = reader.flag(found["index"], (*place, "index"), "`index`") if "index" in found else False
    return RouteColumn(
        entry=entry,
        column=column,
        field=read_path(reader, found["field"], (*place, "field"), "`field`") if "field" in found else None,
        index=index,
        on_delete=read_on_delete(reader, found, place),
        on_update=read_on_update(reader, found, place),
    )
