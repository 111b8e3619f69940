"""Reading conditions on a document: those of `when`, and the rules of `skip`."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from isthmus.mapping.literals import LiteralFault, any_value
from isthmus.mapping.model import Condition, Operator, SkipRule
from isthmus.mapping.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.paths import parse_path
from isthmus.mapping.reader import Place, Reader, describe, shorten

_STATES = ("missing", "null", "present")


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
        for key in ("when", "why"):
            if key not in found and isinstance(item, MapNode):
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
        if word.text == "not":
            return _comparison(reader, path, inner, (*place, "not"), negated=True)
    return _comparison(reader, path, node, place, negated=False)


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
        extended = isinstance(item, MapNode) and any(key.text.startswith("$") for key, _ in item.entries)
        if not isinstance(item, ScalarNode) and not extended:
            hint = 'Write a value, a list of values, {missing: true}, {"null": true}, {present: true} or {not: value}.'
            reader.report(
                "bad-condition", place, f"A document cannot be compared with {describe(item)}.", hint, line=item.line
            )
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
