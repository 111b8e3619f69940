"""Reading the rule of one column, short form and long form."""

from __future__ import annotations

from typing import Any, cast, get_args

from isthmus.mapping.keys import COLUMN_KEYS, FORMS
from isthmus.mapping.model import ColumnField, Default, ElementOnOrphan, FieldRule, Flag, OnOrphan, Part
from isthmus.mapping.paths import parse_path
from isthmus.mapping.reading.choosing import Choice, read_choice, read_normalise, read_values
from isthmus.mapping.reading.context import Context, read_column_name, read_policies, read_type
from isthmus.mapping.reading.defaults import (
    read_default,
    read_default_for,
    read_on_delete,
    read_on_update,
    read_table_default,
)
from isthmus.mapping.reading.expect import read_expect
from isthmus.mapping.reading.flags import read_flags
from isthmus.mapping.reading.inside import read_rename, read_rewrite
from isthmus.mapping.reading.nodes import MapNode, Node, ScalarNode
from isthmus.mapping.reading.parts import read_object
from isthmus.mapping.reading.reader import Place, Reader, describe
from isthmus.mapping.rules import Expect
from isthmus.mapping.types import ColumnType

NOT_WITH_FLAGS = (
    "path",
    "first_of",
    "element",
    "of",
    "others",
    "references",
    "identity",
    "on_orphan",
    "on_delete",
    "on_update",
    "rewrite",
    "rename",
    "values",
    "normalise",
)
NOT_WITH_OBJECT = (*NOT_WITH_FLAGS, "flags", "coerce")
NOT_WITH_VALUES = ("references", "rewrite")


def read_short_form(
    reader: Reader, choice: Choice, node: ScalarNode, place: Place, context: Context
) -> FieldRule | None:
    """Read a rule that is only a type."""
    if not isinstance(node.value, str):
        hint = 'Write a type such as `text`, or {drop: "why"} to leave the field behind.'
        reader.report("field-form", place, f"A field rule is a type or a map, but this is {describe(node)}.", hint)
        return None
    column = read_column_name(reader, choice.name, place, context)
    return ColumnField(
        path=choice.path,
        column=column,
        type=read_type(reader, node.value, place, context),
        required=node.value.rstrip().endswith("!"),
        policies=context.policies,
    )


def read_column(reader: Reader, key: str, node: MapNode, place: Place, context: Context) -> ColumnField | None:
    """Read the long form of a column; None when no path can be made out."""
    found = reader.keys(node, place, "A field", (*COLUMN_KEYS, *FORMS))
    required = reader.flag(found["required"], (*place, "required"), "`required`") if "required" in found else False
    column_type: ColumnType | None = None
    if "type" in found:
        text = reader.text(found["type"], (*place, "type"), "A column type", default="text")
        required = required or text.rstrip().endswith("!")
        column_type = ColumnType("text")
        if not reader.is_broken((*place, "type")):
            column_type = read_type(reader, text, (*place, "type"), context)
    elif "references" not in found:
        reader.report(
            "missing-key",
            place,
            "This field has no `type`.",
            "Name one, such as `type: text`, or `references: COLLECTION`.",
        )
        column_type = ColumnType("text")
    type_is_known = not reader.is_broken((*place, "type")) and place not in reader.broken
    flags: tuple[Flag, ...] = ()
    parts: tuple[Part, ...] = ()
    if "object" in found:
        _leave_out(reader, "object", NOT_WITH_OBJECT, found, place)
        parts = read_object(reader, found["object"], (*place, "object"), column_type if type_is_known else None)
        choice = Choice(parts[0].path, parse_path(key) or parts[0].path) if parts else None
    elif "flags" in found:
        _leave_out(reader, "flags", NOT_WITH_FLAGS, found, place)
        flags = read_flags(reader, found["flags"], (*place, "flags"), column_type if type_is_known else None, context)
        choice = Choice(flags[0].path, parse_path(key) or flags[0].path) if flags else None
    else:
        choice = read_choice(reader, key, found, place)
    if choice is None:
        return None

    def flag(word: str) -> bool:
        return reader.flag(found[word], (*place, word), f"`{word}`") if word in found else False

    default = None
    if "default" in found:
        if "references" in found:
            reader.report("bad-default", (*place, "default"), "A reference has no default.", "Remove `default`.")
        elif type_is_known and column_type is not None:
            default = read_default(reader, found["default"], (*place, "default"), column_type, context.enums)
    table_default: Default | None = None
    if "table_default" in found:
        at = (*place, "table_default")
        if "references" in found:
            reader.report("bad-default", at, "A reference has no default.", "Remove `table_default`.")
        elif type_is_known and column_type is not None:
            table_default = read_table_default(reader, found["table_default"], at, column_type, context.enums)
    rule = ColumnField(
        **choice.fields(),
        flags=flags,
        object=parts,
        column=reader.name(found["column"], (*place, "column"), "The column name", default="unnamed")
        if "column" in found
        else read_column_name(reader, choice.name, place, context),
        type=column_type,
        required=required,
        default=default,
        default_for=read_default_for(reader, found, place),
        coerce=flag("coerce"),
        index=flag("index"),
        unique=flag("unique"),
        references=_references(reader, found["references"], (*place, "references")) if "references" in found else None,
        identity=reader.text(found["identity"], (*place, "identity"), "An identity's name")
        if "identity" in found
        else None,
        on_orphan=_on_orphan(reader, found, place, column_type),
        on_delete=read_on_delete(reader, found, place),
        on_update=read_on_update(reader, found, place),
        table_default=table_default,
        rewrite=read_rewrite(reader, found["rewrite"], (*place, "rewrite")) if "rewrite" in found else (),
        rename=read_rename(reader, found["rename"], (*place, "rename")) if "rename" in found else (),
        sensitive=flag("sensitive"),
        policies=read_policies(reader, found["policies"], (*place, "policies"), context.policies)
        if "policies" in found
        else context.policies,
        expect=_expect(reader, found, place, column_type if type_is_known else None),
    )
    return rule.model_copy(update=_changes(reader, found, place, column_type if type_is_known else None, context))


def _leave_out(reader: Reader, word: str, others: tuple[str, ...], found: dict[str, Node], place: Place) -> None:
    """Report, and forget, what has no meaning beside a rule that names its fields itself."""
    for other in others:
        if other in found:
            message = f"`{word}` names its fields itself; `{other}` has no meaning beside it."
            reader.report("field-form", (*place, other), message, f"Remove `{other}`.")
            del found[other]


def _expect(reader: Reader, found: dict[str, Node], place: Place, column_type: ColumnType | None) -> Expect | None:
    if "expect" not in found:
        return None
    if "references" in found:
        message = "`expect` is for values, and this column holds references."
        hint = "Remove it: isthmus verify looks every reference up anyway."
        reader.report("expect-type", (*place, "expect"), message, hint)
        return None
    return None if column_type is None else read_expect(reader, found["expect"], (*place, "expect"), column_type)


def _changes(
    reader: Reader, found: dict[str, Node], place: Place, column_type: ColumnType | None, context: Context
) -> dict[str, Any]:
    """What is done to values before they are stored."""
    changes: dict[str, Any] = {}
    if "normalise" in found:
        stated = None if "references" in found else column_type
        changes["normalise"] = read_normalise(reader, found["normalise"], (*place, "normalise"), stated)
    if "values" in found:
        for word in NOT_WITH_VALUES:
            if word in found:
                message = f"`values` replaces what a column holds; `{word}` replaces ids itself."
                reader.report("values-type", (*place, "values"), message, f"Remove `values`, or `{word}`.")
                return changes
        if column_type is not None:
            steps = changes.get("normalise", ())
            values, others = read_values(reader, found["values"], (*place, "values"), column_type, context, steps)
            changes |= {"values": values, "other_values": others}
    return changes


def _references(reader: Reader, node: Node, place: Place) -> str:
    hint = "Name one collection; for an id that may be one of several collections' write {route: …}."
    return reader.text(node, place, "`references`", hint=hint)


def _on_orphan(
    reader: Reader, found: dict[str, Node], place: Place, column_type: ColumnType | None
) -> ElementOnOrphan | None:
    if "on_orphan" not in found:
        return None
    at = (*place, "on_orphan")
    array = column_type is not None and column_type.array
    options = (*get_args(OnOrphan), "drop") if array else get_args(OnOrphan)
    on_orphan = reader.choice(found["on_orphan"], at, "`on_orphan`", options, "null")
    if "references" not in found:
        reader.report("needs-references", at, "`on_orphan` needs `references`.", "Add it, or remove `on_orphan`.")
    return cast("ElementOnOrphan", on_orphan)
