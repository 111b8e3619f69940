"""Reading conditions on a document: those of `when`, and the rules of `skip`."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from isthmus.mapping.model import Condition, Operator, SkipRule
from isthmus.mapping.paths import parse_path
from isthmus.mapping.reading.literals import LiteralFault, any_value, column_literal, is_extended
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, describe, shorten
from isthmus.mapping.types import ColumnType

INSTANTS = ("before", "not_before")
"""The words that compare dates."""
_STATES = ("missing", "null", "present")
_FORMS = (
    'Write a value, a list of values, {missing: true}, {"null": true}, {present: true}, {not: value}, or for dates'
    " {before: now}."
)
_OPERATORS = {
    "$eq": "Write the value itself.",
    "$ne": "Write {not: value}.",
    "$in": "Write a list of values.",
    "$nin": "Write {not: [A, B]}.",
    "$not": "Write {not: value}.",
    "$lt": "Dates alone are compared so: write {before: 2024-01-01T00:00:00Z}, or {before: now}.",
    "$gte": "Dates alone are compared so: write {not_before: 2024-01-01T00:00:00Z}, or {not_before: now}.",
    "$exists": "Write {missing: true} for false; for true {present: true}, which a stored null does not meet.",
}
"""What to write for operators of MongoDB that have an equivalent."""


def read_when(reader: Reader, node: Node, place: Place, *, meaning: str, hint: str) -> tuple[Condition, ...]:
    """Read `when`: conditions that must all hold.

    Args:
        reader: Takes the problems.
        node: The conditions.
        place: Of `when`.
        meaning: What no condition at all would do; end of a sentence.
        hint: What to write for that.
    """
    entries = reader.entries(node, place, "`when`")
    if not entries and not reader.is_broken(place):
        reader.report("empty-condition", place, f"`when` has no condition and {meaning}.", hint)
    conditions = [_condition(reader, key, value, (*place, key)) for key, value in entries]
    found = [condition for condition in conditions if condition is not None]
    return tuple(sorted(found, key=lambda condition: (condition.path, condition.op)))


def read_skip_rules(reader: Reader, node: ListNode, place: Place) -> tuple[SkipRule, ...]:
    """Read the rules of `skip`."""
    rules: list[SkipRule] = []
    for at, item in reader.items(node, place, "`skip`"):
        found = reader.keys(item, at, "A skip rule", ("when", "why"))
        is_map = isinstance(item, MapNode) or (isinstance(item, ScalarNode) and item.value is None)
        for key in ("when", "why"):
            if key not in found and is_map:
                reader.report(
                    "missing-key", at, f"This skip rule has no `{key}`.", "Write {when: {field: value}, why: …}."
                )
        conditions: tuple[Condition, ...] = ()
        if "when" in found:
            meaning, hint = "would skip every document", 'To skip a collection write skip: "why".'
            conditions = read_when(reader, found["when"], (*at, "when"), meaning=meaning, hint=hint)
        why = reader.text(found["why"], (*at, "why"), "`why`") if "why" in found else ""
        rules.append(SkipRule(all=conditions, why=why))
    return tuple(rules)


def _condition(reader: Reader, key: str, node: Node, place: Place) -> Condition | None:
    path = parse_path(key)
    if path is None:
        reader.report("bad-path", place, f"The path `{shorten(key)}` has an empty key.")
        return None
    if isinstance(node, MapNode) and len(node.entries) == 1:
        word, inner = node.entries[0]
        if word.text in _STATES:
            if not (isinstance(inner, ScalarNode) and inner.value is True):
                reader.report(
                    "bad-condition", place, f"`{word.text}` takes only `true`.", f"Write {{{word.text}: true}}."
                )
            return Condition(path=path, op=cast("Operator", word.text))
        if word.text in INSTANTS:
            values = _instant(reader, word.text, inner, (*place, word.text))
            return None if values is None else Condition(path=path, op=cast("Operator", word.text), values=values)
        if word.text == "not":
            return _comparison(reader, path, inner, (*place, "not"), negated=True)
    return _comparison(reader, path, node, place, negated=False)


def _instant(reader: Reader, word: str, node: Node, place: Place) -> tuple[JsonValue, ...] | None:
    """Read what an instant is compared with: one literal, or none for the start of the run."""
    if isinstance(node, ScalarNode) and node.text == "now":
        return ()
    try:
        return (column_literal(node, ColumnType("timestamptz"), ()),)
    except LiteralFault as fault:
        hint = fault.hint or "Write an instant, such as 2024-01-01T00:00:00Z, or now (the start of the run)."
        reader.report("bad-condition", place, f"What `{word}` compares with {fault.message}.", hint, line=node.line)
        return None


def _comparison(reader: Reader, path: tuple[str, ...], node: Node, place: Place, *, negated: bool) -> Condition | None:
    nodes = node.items if isinstance(node, ListNode) else (node,)
    values: list[JsonValue] = []
    for item in nodes:
        if isinstance(item, ScalarNode) and item.value is None and not isinstance(node, ListNode):
            hint = 'Write {"null": true} for a stored null, {missing: true} for a field that is not there.'
            reader.report(
                "bad-condition",
                place,
                "Missing and null are different states, so null alone is not a condition.",
                hint,
                line=item.line,
            )
            return None
        fault = None if isinstance(item, ScalarNode) else _no_value(item)
        if fault is not None:
            reader.report("bad-condition", place, *fault, line=item.line)
            return None
        try:
            values.append(any_value(item))
        except LiteralFault as fault:
            reader.report("bad-condition", place, f"The value {fault.message}.", fault.hint, line=item.line)
            return None
    if isinstance(node, ListNode):
        if not values:
            reader.report(
                "bad-condition", place, "An empty list meets no document.", "List at least one value.", line=node.line
            )
            return None
        return Condition(path=path, op="not_in" if negated else "in", values=tuple(values))
    return Condition(path=path, op="ne" if negated else "eq", values=tuple(values))


def _no_value(node: MapNode | ListNode) -> tuple[str, str] | None:
    """What is wrong with a list or map that stands where a value is compared, and the hint; None for Extended JSON."""
    if isinstance(node, MapNode):
        if is_extended(node):
            return None
        words = [key.text for key, _ in node.entries]
        operator = next((word for word in words if word.startswith("$")), None)
        if operator is not None:
            message = f"`{shorten(operator, 30)}` is no condition here, and no Extended JSON that is read here."
            return message, _OPERATORS.get(operator, _FORMS)
        if len(words) > 1 and set(words) <= {*_STATES, "not"}:
            return "A field has one condition, but here are several.", "Keep one; `not` takes a list of values."
    return f"A field cannot be compared with {describe(node)}.", _FORMS
