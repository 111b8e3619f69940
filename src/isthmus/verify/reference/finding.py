"""Where a rule looks in a document: the first path with a value, one element of an array, and what that leaves over.

Decides nothing about columns. A value that a rule claims and does not use is *loose*: it is treated like a field that
nobody named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from isthmus.verify.reference import bson
from isthmus.verify.reference.bson import Document, Value
from isthmus.verify.reference.journal import Refusal
from isthmus.verify.reference.json_values import Noted
from isthmus.verify.reference.rules import Element, Field, Fields, Flags, Object, Path, ToFlags
from isthmus.verify.reference.values import Setting, Type, convert


@dataclass(frozen=True)
class Met:
    """What a rule finds.

    Attributes:
        path: Keys and positions that lead to the value; to the array where its element is missing.
        value: None when it is missing.
        wrapped: A single value stands for an array of one.
        array: Path of the array of which it is an element.
        refused: Code of the refusal when there is no array where one must be.
    """

    path: Path
    value: Value | None
    wrapped: bool = False
    array: Path = ()
    refused: str | None = None


def is_null(value: Value) -> bool:
    """Null, or undefined, which counts as null."""
    return value.type in (bson.NULL, bson.UNDEFINED)


def chosen(document: Document, paths: Sequence[Path]) -> tuple[Path, Value | None]:
    """The first of several paths whose value is neither missing nor null, with that value.

    Where none has one: the first path, with null if any of them is null.
    """
    values = [(path, bson.value_at(document, path)) for path in paths]
    for path, value in values:
        if value is not None and not is_null(value):
            return path, value
    return paths[0], next((value for _, value in values if value is not None), None)


def met(document: Document, field_rule: Field) -> Met:
    """What the rule finds in this document or array element."""
    path, value = chosen(document, field_rule.paths)
    element = field_rule.element
    if element is None or value is None or is_null(value):
        return Met(path, value)
    wrapped = value.type != bson.ARRAY
    if wrapped and not element.coerce:
        return Met(path, None, refused="not-an-array")
    items: list[Value] = [value] if wrapped else value.data
    position = position_of(element, len(items))
    if position is None:
        return Met(path, None)
    here = (*path, str(position))
    item: Value | None = items[position]
    if not element.of:
        return Met(here, item, wrapped, path)
    inside = bson.value_at(item.data, element.of) if item.type == bson.DOCUMENT else None
    return Met((*here, *element.of) if inside is not None else path, inside, wrapped, path)


def all_met(document: Document, fields: Fields) -> list[tuple[Field, Met]]:
    """What every rule finds; where one rule refuses what is no array, the others over it find nothing."""
    found = [(one, met(document, one)) for one in fields]
    refused = {one.path for _, one in found if one.refused is not None}
    return [(rule, Met(one.array, None) if one.wrapped and one.array in refused else one) for rule, one in found]


def position_of(element: Element, length: int) -> int | None:
    """The position from the front, None outside the array."""
    position = element.number if element.number >= 0 else length + element.number
    return position if 0 <= position < length else None


@dataclass
class Loose:
    """What the rules of one document claim and do not use.

    Attributes:
        paths: What is left over.
        dropped: What is left behind by name.
    """

    paths: set[Path] = field(default_factory=set[Path])
    dropped: list[Path] = field(default_factory=list[Path])


def loose(document: Document, fields: Fields) -> Loose:
    """Everything the rules leave loose in one document or array element."""
    found = Loose()
    arrays: dict[Path, list[Element]] = {}
    for one in fields:
        if isinstance(one.rule, Object):
            continue
        if isinstance(one.rule, Flags):
            if not one.rule.column.type.array:
                found.paths.update(true_flags(document, one.paths, one.rule)[1:])
        elif isinstance(one.rule, ToFlags):
            if has_unlisted(bson.value_at(document, one.paths[0]), one.rule):
                found.paths.add(one.paths[0])
        else:
            path, value = chosen(document, one.paths)
            found.paths.update(losers(document, one.paths, path, value))
            if one.element is not None:
                arrays.setdefault(path, []).append(one.element)
    for path, elements in arrays.items():
        if is_left_over(bson.value_at(document, path), elements):
            if any(element.drops for element in elements):
                found.dropped.append(path)
            else:
                found.paths.add(path)
    return found


def losers(document: Document, paths: Sequence[Path], winner: Path, value: Value | None) -> list[Path]:
    """Paths of values that are not null and not byte for byte the value that was taken."""
    others = [(path, bson.value_at(document, path)) for path in paths if path != winner]
    return [
        path
        for path, other in others
        if other is not None
        and not is_null(other)
        and (value is None or (other.type, other.raw) != (value.type, value.raw))
    ]


def is_left_over(value: Value | None, elements: Sequence[Element]) -> bool:
    """Whether rules that take parts of this array leave any element that none of them takes whole."""
    if value is None or is_null(value):
        return False
    if value.type != bson.ARRAY and not all(element.coerce for element in elements):
        return False  # refused
    length = len(value.data) if value.type == bson.ARRAY else 1
    taken = {position_of(element, length) for element in elements if not element.of}
    return any(position not in taken for position in range(length))


def true_flags(document: Document, paths: Sequence[Path], rule: Flags) -> list[Path]:
    """Paths of the flags that are true, in written order; a refused value is none."""
    found: list[Path] = []
    for path in paths:
        try:
            state = flag_state(bson.value_at(document, path), rule, lambda _: None)
        except Refusal:
            state = False
        if state:
            found.append(path)
    return found


def flag_state(value: Value | None, rule: Flags, note: Noted) -> bool:
    """Whether a flag is set.

    Raises:
        Refusal: The value is neither a boolean, nor null, nor one the mapping lets pass for a boolean.
    """
    if value is None or is_null(value):
        return False
    return bool(convert(value, Type("boolean"), Setting(coerce=rule.coerce), note))


def labels_in(value: Value) -> list[Value]:
    """The elements that labels are looked for in; a single text is one."""
    return list(value.data) if value.type == bson.ARRAY else [value]


def has_unlisted(value: Value | None, rule: ToFlags) -> bool:
    """Whether an array of labels holds something that is no label of the rule."""
    if value is None or value.type not in (bson.ARRAY, bson.STRING, bson.SYMBOL):
        return False
    listed = {label.encode("utf-8") for label, _ in rule.columns}
    return any(item.type not in (bson.STRING, bson.SYMBOL) or item.data not in listed for item in labels_in(value))
