"""Reading the rule of one collection: its table, its key, the documents it leaves behind.

Field rules are `fields`'s; whether rules agree is `check`'s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

from pydantic import JsonValue

from isthmus.mapping.fields import Context, default_name, parse_path, read_fields, read_indexes, read_search
from isthmus.mapping.literals import LiteralFault, any_value
from isthmus.mapping.model import OTHERS, Collection, Condition, IdColumn, Ids, Operator, SkipRule
from isthmus.mapping.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reader import Place, Reader, describe, shorten
from isthmus.mapping.types import ColumnType, TypeFault, parse_type

COLLECTION_KEYS = ("table", "skip", "ids", "extras", "fields", "indexes", "search")
_STATES = ("missing", "null", "present")


def read_collection(reader: Reader, name: str, node: Node, context: Context, ids: Ids) -> Collection | str | None:
    """Read the rule of one collection.

    Args:
        reader: Takes the problems.
        name: The collection; `*` for all nobody named.
        node: Its rule.
        context: The mapping around it.
        ids: The mapping's scheme.

    Returns:
        The rule; the reason, when the collection is skipped as a whole; None when it says nothing usable.
    """
    place = ("collections", name)
    if not name:
        reader.report("bad-name", place, "A collection has no name.", "Remove it.")
        return None
    found = reader.keys(node, place, "A collection", COLLECTION_KEYS)
    skip = found.get("skip")
    if skip is not None and not isinstance(skip, ListNode):
        why = reader.text(skip, (*place, "skip"), "The reason of `skip`")
        for key in found:
            if key != "skip":
                message = f"`{name}` is skipped as a whole, so `{key}` has no effect."
                reader.report(
                    "skipped", (*place, key), message, "Remove it, or skip by a condition: skip: [{when: …, why: …}]."
                )
        return why
    if name == OTHERS:
        reader.report(
            "others-form",
            place,
            "`*` stands for the collections nobody named; they can only be skipped.",
            'Write "*": {skip: "why"}.',
        )
        return None
    table = default_name((name,), context.naming)
    if "table" in found:
        table = reader.name(found["table"], (*place, "table"), "The table", default=table or "unnamed")
    elif table:
        reader.check_name(table, place, "The table")
    else:
        reader.report("bad-name", place, f"No table name can be made of `{shorten(name)}`.", "Name it: {table: …}.")
    if "ids" in found:
        ids = cast("Ids", reader.choice(found["ids"], (*place, "ids"), "`ids`", get_args(Ids), ids))
    if "extras" in found:
        extras = reader.name(found["extras"], (*place, "extras"), "The extras column", default=context.extras)
        context = replace(context, extras=extras)
    id_column = IdColumn(type=_id_type(ids))
    fields_node = found.get("fields")
    if isinstance(fields_node, MapNode):
        kept = tuple(entry for entry in fields_node.entries if entry[0].text != "_id")
        for key, value in fields_node.entries:
            if key.text == "_id":
                reader.lines[(*place, "fields", "_id")] = key.line
                id_column = _id_column(reader, value, (*place, "fields", "_id"), ids)
        fields_node = MapNode(kept, fields_node.line)
    return Collection(
        table=table or "unnamed",
        ids=ids,
        id=id_column,
        extras=context.extras,
        skip=_skip_rules(reader, skip, (*place, "skip")) if isinstance(skip, ListNode) else (),
        fields=read_fields(reader, fields_node, (*place, "fields"), context) if fields_node is not None else (),
        indexes=read_indexes(reader, found["indexes"], (*place, "indexes")) if "indexes" in found else (),
        search=read_search(reader, found["search"], (*place, "search")) if "search" in found else None,
    )


def _id_type(ids: Ids) -> ColumnType:
    return ColumnType("uuid") if ids == "uuid" else ColumnType("text")


def _id_column(reader: Reader, node: Node, place: Place, ids: Ids) -> IdColumn:
    expected = _id_type(ids)
    column = "id"
    text: str | None = None
    at = place
    if isinstance(node, ScalarNode):
        text = reader.text(node, place, "The rule of `_id`", default=str(expected))
    else:
        found = reader.keys(node, place, "The rule of `_id`", ("column", "type"))
        if "column" in found:
            column = reader.name(found["column"], (*place, "column"), "The key column", default=column)
        if "type" in found:
            at = (*place, "type")
            text = reader.text(found["type"], at, "A column type", default=str(expected))
    if text is None:
        return IdColumn(column=column, type=expected)
    try:
        stated = parse_type(text.strip().removesuffix("!"), ())
    except TypeFault as fault:
        reader.report("unknown-type", at, f"This type cannot be used: {fault.message}", fault.hint)
        return IdColumn(column=column, type=expected)
    if ids != "keep" and stated != expected:
        message = f"With `ids: {ids}` the key column has the type `{expected}`, not `{stated}`."
        reader.report("id-type", at, message, "Remove the type, or use `ids: keep` to carry `_id` as it is.")
        return IdColumn(column=column, type=expected)
    if stated.array or stated.kind in ("jsonb", "boolean", "real", "double", "enum"):
        reader.report(
            "id-type",
            at,
            f"`{stated}` cannot be a key.",
            "Use text, varchar, an integer, numeric, uuid, bytea or an instant.",
        )
    return IdColumn(column=column, type=stated)


def _skip_rules(reader: Reader, node: ListNode, place: Place) -> tuple[SkipRule, ...]:
    rules: list[SkipRule] = []
    for at, item in reader.items(node, place, "`skip`"):
        found = reader.keys(item, at, "A skip rule", ("when", "why"))
        for key in ("when", "why"):
            if key not in found and isinstance(item, MapNode):
                reader.report(
                    "missing-key", at, f"This skip rule has no `{key}`.", "Write {when: {field: value}, why: …}."
                )
        conditions: list[Condition] = []
        if "when" in found:
            entries = reader.entries(found["when"], (*at, "when"), "`when`")
            if not entries and not reader.is_broken((*at, "when")):
                reader.report(
                    "empty-condition",
                    (*at, "when"),
                    "`when` has no condition and would skip every document.",
                    'To skip a collection write skip: "why".',
                )
            for key, value in entries:
                condition = _condition(reader, key, value, (*at, "when", key))
                if condition is not None:
                    conditions.append(condition)
        why = reader.text(found["why"], (*at, "why"), "`why`") if "why" in found else ""
        ordered = sorted(conditions, key=lambda condition: (condition.path, condition.op))
        rules.append(SkipRule(all=tuple(ordered), why=why))
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
