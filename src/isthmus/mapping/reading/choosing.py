"""Reading which value of a document a rule takes (`first_of`, `element`), and what is done to it before it is stored
(`normalise`, `values`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast, get_args

from pydantic import JsonValue

from isthmus.mapping.model import FieldPath, Normalise, OtherValues, ValueRule
from isthmus.mapping.paths import parse_path, show_path
from isthmus.mapping.reading.context import Context
from isthmus.mapping.reading.literals import LiteralFault, any_value, column_literal
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, describe, shorten
from isthmus.mapping.types import TEXT_KINDS, ColumnType

WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What `trim` takes away: characters with the property White_Space (Unicode, PropList.txt)."""
ALL_OTHERS = "*"
"""The key of `values` for every value that is not named."""


@dataclass(frozen=True)
class Choice:
    """Which value a rule takes; as `model.ColumnField` has it.

    Attributes:
        name: Path that the column's default name is made of.
    """

    path: FieldPath
    name: FieldPath
    first_of: tuple[FieldPath, ...] = ()
    element: int | None = None
    of: FieldPath = ()
    others: str | None = None

    def fields(self) -> dict[str, Any]:
        """The attributes a rule has too."""
        return {key: getattr(self, key) for key in ("path", "first_of", "element", "of", "others")}


def read_path(reader: Reader, node: Node, place: Place, what: str) -> FieldPath | None:
    """Read a path: dotted text, or a list of keys."""
    if isinstance(node, ListNode):
        items = reader.items(node, place, what)
        keys = [item.text for _, item in items if isinstance(item, ScalarNode)]
        if len(keys) == len(items) and keys:
            return tuple(keys)
        reader.report("bad-path", place, f"{what} must be a list of keys.", 'Such as `path: [address, ""]`.')
        return None
    text = reader.text(node, place, what)
    return read_dotted(reader, text, place) if text else None


def read_dotted(reader: Reader, text: str, place: Place) -> FieldPath | None:
    """Read a dotted path."""
    path = parse_path(text)
    if path is None:
        hint = 'Write `\\.` for a dot that belongs to a key, and `path: [a, ""]` for an empty key.'
        reader.report("bad-path", place, f"The path `{shorten(text)}` has an empty key.", hint)
    return path


def read_choice(reader: Reader, key: str, found: dict[str, Node], place: Place) -> Choice | None:
    """Read the keys that choose a value.

    Args:
        reader: Takes the problems.
        key: The rule's own key: its path, unless it states another or `first_of`.
        found: Keys of the rule.
        place: Of the rule.

    Returns:
        The choice; None when there is no usable path.
    """
    if "first_of" in found:
        return _first_of(reader, key, found, place)
    if "path" in found:
        path = read_path(reader, found["path"], (*place, "path"), "`path`")
    else:
        path = read_dotted(reader, key, place)
    if path is None:
        return None
    if "element" not in found:
        for word in ("of", "others"):
            if word in found:
                message = f"`{word}` says which part of an element is taken, or why the others are left behind."
                reader.report("needs-element", (*place, word), message, "Add `element: 0`, or remove it.")
        return Choice(path, path)
    of: FieldPath = ()
    if "of" in found:
        of = read_path(reader, found["of"], (*place, "of"), "`of`") or ()
    others = reader.text(found["others"], (*place, "others"), "The reason of `others`") if "others" in found else None
    element = _element(reader, found["element"], (*place, "element"))
    return Choice(path, path if "path" not in found else _name_of(key, path), (), element, of, others)


def _name_of(key: str, path: FieldPath) -> FieldPath:
    """The rule's own key, where it is a name of its own, as of several rules over one array."""
    return parse_path(key) or path


def _element(reader: Reader, node: Node, place: Place) -> int:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, int) and not isinstance(value, bool):
        if -(2**31) <= value < 2**31:
            return value
        reader.report("bad-element", place, f"`element` is beyond 32 bits: {value}.", "Write a position, such as 0.")
        return 0
    hint = "Write a position: 0 is the first element, -1 the last."
    reader.report("bad-element", place, f"`element` must be a whole number, but this is {describe(node)}.", hint)
    return 0


def _first_of(reader: Reader, key: str, found: dict[str, Node], place: Place) -> Choice | None:
    at = (*place, "first_of")
    for word in ("path", "element", "of", "others"):
        if word in found:
            message = f"`first_of` lists whole paths; `{word}` has no meaning beside it."
            reader.report("field-form", (*place, word), message, f"Remove `{word}`, or `first_of`.")
    paths: list[FieldPath] = []
    for item_place, item in reader.items(found["first_of"], at, "`first_of`"):
        path = read_path(reader, item, item_place, "An entry of `first_of`")
        if path is None:
            continue
        if path in paths:
            reader.report("path-conflict", item_place, f"`first_of` lists `{show_path(path)}` twice.", "Keep one.")
            continue
        paths.append(path)
    if len(paths) < 2 and not reader.is_broken(at):
        message = f"`first_of` chooses between fields, but lists {len(paths)}."
        reader.report("field-form", at, message, "List at least two, or write `path`.")
    if not paths:
        return None
    return Choice(paths[0], parse_path(key) or paths[0], tuple(paths) if len(paths) > 1 else ())


def read_normalise(reader: Reader, node: Node, place: Place, column_type: ColumnType | None) -> tuple[Normalise, ...]:
    """Read `normalise`; `column_type` is None for a reference, which is looked at when all entries are known."""
    items = reader.items(node, place, "`normalise`") if isinstance(node, ListNode) else [(place, node)]
    options = get_args(Normalise)
    words = {reader.choice(item, at, "An entry of `normalise`", options, "trim") for at, item in items}
    if not items:
        reader.report("normalise-type", place, "`normalise` lists nothing.", "Write trim, lower, or [trim, lower].")
    if column_type is not None and column_type.kind not in TEXT_KINDS and column_type.kind != "enum":
        message = f"`normalise` changes texts, and this column is of type `{column_type}`."
        reader.report("normalise-type", place, message, "Remove it, or use text, varchar or an enum.")
    return tuple(cast("Normalise", word) for word in options if word in words)


def read_values(
    reader: Reader,
    node: Node,
    place: Place,
    column_type: ColumnType,
    context: Context,
    normalise: tuple[Normalise, ...] = (),
) -> tuple[tuple[ValueRule, ...], OtherValues | None]:
    """Read `values`: the named ones, and what all others become.

    Args:
        reader: Takes the problems.
        node: The map of values.
        place: Of `values`.
        column_type: What the values become must fit it, or an element of it.
        context: The mapping around it.
        normalise: What is done to texts before they are compared.
    """
    if not isinstance(node, MapNode) or not node.entries:
        reader.entries(node, place, "`values`")
        if not reader.is_broken(place):
            reader.report("bad-values", place, "`values` names no value.", "Write {FROM: TO}, or remove it.")
        return (), None
    reader.lines.update({(*place, key.text): key.line for key, _ in node.entries})
    rules: list[ValueRule] = []
    others: OtherValues | None = None
    seen: dict[object, str] = {}
    for key, value in node.entries:
        at = (*place, key.text)
        becomes = _becomes(reader, value, at, column_type, context)
        if key.value == ALL_OTHERS:
            others = OtherValues(becomes=becomes)
            continue
        if key.value is None:
            hint = "`default` with `default_for: [missing, null]` fills nulls."
            reader.report("bad-values", at, "`values` replaces values, and null is none.", hint, line=key.line)
            continue
        same = seen.get(_compared(key))
        if same is not None:
            message = f"`values` names `{shorten(key.text)}` twice: it is equal to `{shorten(same)}`."
            reader.report("duplicate-value", at, message, "Keep one.", line=key.line)
            continue
        seen[_compared(key)] = key.text
        if isinstance(key.value, str) and (changed := normalised(key.value, normalise)) != key.value:
            message = f"No text is `{shorten(key.text)}` after `normalise`."
            reader.report("bad-values", at, message, f'Write "{shorten(changed)}".', line=key.line)
            continue
        try:
            rules.append(ValueRule(source=any_value(key), becomes=becomes))
        except LiteralFault as fault:
            reader.report("bad-values", at, f"The value {fault.message}.", fault.hint, line=key.line)
    # Their order has no effect, so it shall not make two mappings different either.
    return tuple(sorted(rules, key=lambda rule: (type(rule.source).__name__, str(rule.source)))), others


def normalised(text: str, steps: tuple[Normalise, ...]) -> str:
    """Return a text as the core compares it: trimmed of white space, then in lower case, as far as `steps` say so."""
    trimmed = text.strip(WHITE_SPACE) if "trim" in steps else text
    return trimmed.lower() if "lower" in steps else trimmed


def _compared(key: ScalarNode) -> object:
    """What a value is equal by: numbers by their value, texts and truth values by themselves."""
    value = key.value
    if isinstance(value, bool | str) or value is None:
        return type(value).__name__, value
    number = float(value) if isinstance(value, Decimal) else value  # a number with a point is a double
    return "number", "nan" if math.isnan(number) else Decimal(number)


def _becomes(reader: Reader, node: Node, place: Place, column_type: ColumnType, context: Context) -> JsonValue:
    if isinstance(node, ScalarNode) and node.value is None:
        return None
    try:
        return column_literal(node, column_type.element, context.enums.get(column_type.enum or "", ()))
    except LiteralFault as fault:
        reader.report("bad-values", place, f"What it becomes {fault.message}.", fault.hint, line=node.line)
        return None
