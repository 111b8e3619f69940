"""Reading what happens without a value: `default`, `default_for`, `table_default`, `on_delete`, `on_update`."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from typing import Literal, cast, get_args

from isthmus.mapping.model import Default, OnDelete, OnUpdate
from isthmus.mapping.reading.literals import LiteralFault, column_literal
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader
from isthmus.mapping.table_defaults import PLAIN_KINDS
from isthmus.mapping.types import INSTANT_KINDS, ColumnType


def read_default_for(reader: Reader, found: dict[str, Node], place: Place) -> tuple[Literal["missing", "null"], ...]:
    """Read which states the default fills; missing always, null when it is listed."""
    if "default_for" not in found:
        return ("missing",)
    place = (*place, "default_for")
    node = found["default_for"]
    items = reader.items(node, place, "`default_for`") if isinstance(node, ListNode) else [(place, node)]
    words = {reader.choice(item, at, "An entry of `default_for`", ("missing", "null"), "missing") for at, item in items}
    if not items and not reader.is_broken(place):
        message = "`default_for` lists nothing, so the default would fill nothing."
        reader.report("bad-default", place, message, "Write [missing] or [missing, null].")
    if "default" not in found:
        reader.report("needs-default", place, "`default_for` needs a `default`.", "Add it, or remove `default_for`.")
    kept: list[Literal["missing", "null"]] = []
    if "missing" in words or not words:
        kept.append("missing")
    if "null" in words:
        kept.append("null")
    return tuple(kept)


def read_default(
    reader: Reader, node: Node, place: Place, column_type: ColumnType, enums: MappingABC[str, tuple[str, ...]]
) -> Default | None:
    """Read a default; None when it is none."""
    if isinstance(node, ScalarNode):
        if node.value is None:
            reader.report(
                "bad-default", place, "A default of null changes nothing.", "Remove it; a missing field becomes NULL."
            )
            return None
        if node.value in ("now", "id_time"):
            if column_type.kind in INSTANT_KINDS and not column_type.array:
                return Default(kind=cast('Literal["now", "id_time"]', node.value))
            message = f"`{node.value}` is an instant and does not fit a column of type `{column_type}`."
            reader.report("bad-default", place, message, f"For the text itself write {{literal: {node.value}}}.")
            return None
    place_of_value = place
    if isinstance(node, MapNode) and [key.text for key, _ in node.entries] == ["literal"]:
        node = node.entries[0][1]
        place_of_value = (*place, "literal")
    try:
        values = enums.get(column_type.enum or "", ())
        return Default(kind="literal", value=column_literal(node, column_type, values))
    except LiteralFault as fault:
        hint = fault.hint
        if hint is not None and column_type.kind in INSTANT_KINDS and not column_type.array:
            hint = f"{hint.removesuffix('.')}, or `now` or `id_time`."
        reader.report("bad-default", place_of_value, f"The default {fault.message}.", hint, line=node.line)
        return None


def read_table_default(
    reader: Reader, node: Node, place: Place, column_type: ColumnType, enums: MappingABC[str, tuple[str, ...]]
) -> Default | None:
    """Read the default that the table itself has; None when it is none."""
    word = node.value if isinstance(node, ScalarNode) else None
    is_instant = column_type.kind in INSTANT_KINDS
    if column_type.array or (column_type.kind not in PLAIN_KINDS and not is_instant):
        message = f"A column of type `{column_type}` takes no default of the table."
        reader.report("bad-default", place, message, "Give texts, numbers, booleans and enums one, or instants `now`.")
        return None
    if is_instant and word != "now":
        reader.report("bad-default", place, "An instant has one default of the table, `now`.", "Write `now`.")
        return None
    return read_default(reader, node, place, column_type, enums)


def read_on_delete(reader: Reader, found: dict[str, Node], place: Place) -> OnDelete | None:
    """Read what becomes of a row when the row that it points at is deleted."""
    if "on_delete" not in found:
        return None
    at = (*place, "on_delete")
    return cast("OnDelete", reader.choice(found["on_delete"], at, "`on_delete`", get_args(OnDelete), "restrict"))


def read_on_update(reader: Reader, found: dict[str, Node], place: Place) -> OnUpdate | None:
    """Read what becomes of a row when the value by which it points at another is changed."""
    if "on_update" not in found:
        return None
    at = (*place, "on_update")
    return cast("OnUpdate", reader.choice(found["on_update"], at, "`on_update`", get_args(OnUpdate), "restrict"))
