"""Reading where the documents of an entry come from: `from`, which of these may be missing (`optional`), and the
constants that tell the sources apart."""

from __future__ import annotations

from pydantic import JsonValue

from isthmus.mapping.keys import CONSTANT_KEYS
from isthmus.mapping.model import OTHERS, ConstantColumn, SourceRule
from isthmus.mapping.reading.context import Context, read_type
from isthmus.mapping.reading.literals import LiteralFault, column_literal
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.types import ColumnType

Constants = tuple[ConstantColumn, ...]


def read_constants(reader: Reader, node: Node | None, place: Place, context: Context) -> Constants:
    """Read `constants`; those without a value need one from every source."""
    constants: list[ConstantColumn] = []
    for column, value in reader.entries(node, place, "`constants`") if node is not None else []:
        at = (*place, column)
        reader.check_name(column, at, "The column")
        found: dict[str, Node] = {"type": value}
        type_at = at
        if isinstance(value, MapNode):
            found = reader.keys(value, at, "A constant", CONSTANT_KEYS)
            type_at = (*at, "type")
            if "type" not in found:
                reader.report("missing-key", at, "This constant has no `type`.", "Write {type: text, value: …}.")
                continue
        text = reader.text(found["type"], type_at, "A column type", default="text")
        column_type = ColumnType("text") if reader.is_broken(type_at) else read_type(reader, text, type_at, context)
        stated: JsonValue = None
        if "value" in found and not reader.is_broken(type_at):
            stated = _literal(reader, found["value"], (*at, "value"), column_type, context)
        constants.append(
            ConstantColumn(
                column=column,
                type=column_type,
                required=text.rstrip().endswith("!"),
                value=stated,
                index=reader.flag(found["index"], (*at, "index"), "`index`") if "index" in found else False,
            )
        )
    return tuple(constants)


def _literal(reader: Reader, node: Node, place: Place, column_type: ColumnType, context: Context) -> JsonValue:
    try:
        return column_literal(node, column_type, context.enums.get(column_type.enum or "", ()))
    except LiteralFault as fault:
        reader.report("constant-value", place, f"The constant {fault.message}.", fault.hint, line=node.line)
        return None


def read_sources(
    reader: Reader, name: str, node: Node | None, constants: Constants, context: Context
) -> tuple[SourceRule, ...]:
    """Read `from`.

    Args:
        reader: Takes the problems.
        name: The entry: its own source collection unless `from` says otherwise.
        node: What `from` says.
        constants: The entry's.
        context: The mapping around it.

    Returns:
        The sources, at least one.
    """
    place = ("collections", name, "from")
    stated = _stated(reader, name, node, place)
    sources: list[SourceRule] = []
    for source, values, at in stated:
        if not _usable(reader, source, at, [rule.collection for rule in sources]):
            continue
        rule = SourceRule(collection=source, constants=_values(reader, source, values, at, constants, context))
        sources.append(rule)
    if not sources and not reader.is_broken(place):
        reader.report("missing-key", place, "`from` names no collection.", "Name at least one, or remove it.")
    for constant in constants:
        _check_constant(reader, name, constant, sources)
    return tuple(sources) or (SourceRule(collection=name),)


def read_optional(reader: Reader, node: Node, place: Place, sources: tuple[SourceRule, ...]) -> tuple[SourceRule, ...]:
    """Read `optional`: which of an entry's sources may be missing.

    Returns:
        The sources, these marked.
    """
    known = [source.collection for source in sources]
    found: set[str] = set()
    items = reader.items(node, place, "`optional`") if isinstance(node, ListNode) else [(place, node)]
    for at, item in items:
        name = reader.text(item, at, "A collection's name")
        if not name:
            continue
        if name in found:
            reader.report("duplicate-source", at, f"`optional` names `{shorten(name)}` twice.", "Keep one.")
        elif name not in known:
            message = f"`optional` names `{shorten(name)}`, and this entry does not read that collection."
            reader.report("optional-source", at, message, suggest(name, known))
        found.add(name)
    if not found and not reader.is_broken(place):
        message = "`optional` names no collection."
        reader.report("optional-source", place, message, "Name those that may be missing, or remove it.")
    return tuple(source.model_copy(update={"optional": source.collection in found}) for source in sources)


def _stated(reader: Reader, name: str, node: Node | None, place: Place) -> list[tuple[str, Node | None, Place]]:
    if node is None:
        return [(name, None, ("collections", name))]
    if isinstance(node, MapNode):
        entries = reader.entries(node, place, "`from`")
        if any(not source for source, _ in entries):
            reader.report("empty-text", (*place, ""), "A collection's name is empty.", "Name the collection.")
        return [(source, value, (*place, source)) for source, value in entries]
    if isinstance(node, ListNode):
        items = reader.items(node, place, "`from`")
        return [(reader.text(item, at, "A collection's name"), None, at) for at, item in items]
    return [(reader.text(node, place, "A collection's name"), None, place)]


def _usable(reader: Reader, source: str, place: Place, known: list[str]) -> bool:
    if source == OTHERS:
        message = "`*` stands for the collections nobody named; they can only be skipped."
        reader.report("others-form", place, message, "Name the collections.")
        return False
    if source in known:
        reader.report("duplicate-source", place, f"`from` names `{shorten(source)}` twice.", "Keep one.")
        return False
    return bool(source)


def _values(
    reader: Reader, source: str, node: Node | None, place: Place, constants: Constants, context: Context
) -> dict[str, JsonValue]:
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return {}
    by_name = {constant.column: constant for constant in constants}
    values: dict[str, JsonValue] = {}
    for column, value in reader.entries(node, place, f"The constants of `{shorten(source)}`"):
        at = (*place, column)
        constant = by_name.get(column)
        if constant is None:
            message = f"`constants` has no column `{shorten(column)}`."
            hint = suggest(column, by_name) if by_name else f"State it: constants: {{{shorten(column, 30)}: text}}."
            reader.report("unknown-column", at, message, hint)
        elif constant.value is not None:
            message = f"The constant `{column}` has a value for all sources already."
            reader.report("constant-value", at, message, "Keep one of the two.")
        else:
            values[column] = _literal(reader, value, at, constant.type, context)
    return values


def _check_constant(reader: Reader, name: str, constant: ConstantColumn, sources: list[SourceRule]) -> None:
    place = ("collections", name, "constants", constant.column)
    if constant.value is not None or reader.is_broken(place):
        return
    without = [source.collection for source in sources if source.constants.get(constant.column) is None]
    if not without or reader.is_broken(("collections", name, "from")):
        return
    hint = f"Write {{type: {constant.type}, value: …}}, or from: {{{without[0]}: {{{constant.column}: …}}}}."
    message = f"The constant `{constant.column}` has no value for `{shorten(without[0])}`."
    reader.report("constant-value", place, message, hint)
