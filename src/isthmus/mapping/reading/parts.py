"""Reading `object`: fields that are put together as one jsonb object."""

from __future__ import annotations

from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.choosing import read_dotted, read_path
from isthmus.mapping.reading.nodes import ListNode, Node
from isthmus.mapping.reading.reader import Place, Reader, shorten
from isthmus.mapping.rules import FieldPath, Part
from isthmus.mapping.types import ColumnType


def read_object(reader: Reader, node: Node, place: Place, column_type: ColumnType | None) -> tuple[Part, ...]:
    """Read `object`: keys with the paths of their fields, or a list of fields that keep their last key.

    Args:
        reader: Takes the problems.
        node: The map or list.
        place: Of `object`.
        column_type: None where it is not known.
    """
    if column_type is not None and (column_type.kind != "jsonb" or column_type.array):
        message = f"`object` makes a jsonb object, and this column is of type `{column_type}`."
        reader.report("object-type", place, message, "Use `type: jsonb`.")
    parts: list[Part] = []
    for key, at, path in _paths(reader, node, place):
        if path is None:
            continue
        if any(part.key == key for part in parts):
            message = f"Two fields are the member `{shorten(key)}`."
            reader.report("duplicate-value", at, message, "Write a map: {KEY: PATH}.")
        elif any(part.path == path for part in parts):
            reader.report("path-conflict", at, f"`object` takes `{show_path(path)}` twice.", "Keep one.")
        else:
            parts.append(Part(key=key, path=path))
    if not parts and not reader.is_broken(place):
        reader.report("empty-object", place, "`object` names no field.", "Write {KEY: PATH, …}, or [FIELD, …].")
    return tuple(parts)


def _paths(reader: Reader, node: Node, place: Place) -> list[tuple[str, Place, FieldPath | None]]:
    if isinstance(node, ListNode):
        texts = [
            (at, reader.text(item, at, "An entry of `object`")) for at, item in reader.items(node, place, "`object`")
        ]
        paths = [(at, read_dotted(reader, text, at)) for at, text in texts if text]
        return [(path[-1] if path else "", at, path) for at, path in paths]
    entries = reader.entries(node, place, "`object`")
    return [(key, (*place, key), read_path(reader, value, (*place, key), "A path")) for key, value in entries]
