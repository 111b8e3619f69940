"""Reading field rules: short forms, long forms, paths, indexes and search of one table.

Turns each rule into its model; the problems go to the reader. Whether names exist and rules agree is `check`'s.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import dataclass
from typing import Literal, cast, get_args

from isthmus.mapping.literals import LiteralFault, column_literal
from isthmus.mapping.model import (
    ChildField,
    ColumnField,
    Default,
    DropField,
    FieldPath,
    FieldRule,
    IndexRule,
    JunctionField,
    Method,
    Naming,
    OnOrphan,
    Policies,
    Rewrite,
    SearchRule,
)
from isthmus.mapping.names import fold
from isthmus.mapping.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reader import Place, Reader, describe, shorten, suggest
from isthmus.mapping.types import ColumnType, TypeFault, parse_type

SEARCH_LANGUAGES = (
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
)
"""Text search configurations every PostgreSQL since 14 brings along."""

POLICY_KEYS = tuple(Policies.model_fields)
COLUMN_KEYS = (
    "path",
    "column",
    "type",
    "required",
    "default",
    "default_for",
    "coerce",
    "index",
    "unique",
    "references",
    "on_orphan",
    "rewrite",
    "sensitive",
    "policies",
)
JUNCTION_KEYS = ("path", "junction", "own")
CHILD_KEYS = ("path", "child", "own", "extras", "fields", "indexes", "search")
DROP_KEYS = ("path", "drop")
_FORMS = {"junction": JUNCTION_KEYS, "child": CHILD_KEYS, "drop": DROP_KEYS}


@dataclass(frozen=True)
class Context:
    """What field rules take from the mapping around them.

    Attributes:
        enums: Values of each enum.
        collections: Names of all collections, for hints.
        naming: How columns are named by default.
        extras: Default of a child's `extras`.
        policies: Mapping-wide ones, where a field says nothing.
    """

    enums: MappingABC[str, tuple[str, ...]]
    collections: tuple[str, ...]
    naming: Naming
    extras: str
    policies: Policies


def parse_path(text: str) -> FieldPath | None:
    r"""Split a dotted path; `\.` is a dot inside a key, `\\` a backslash.

    Returns:
        The keys; None when one is empty (such a path is written as a list, `path: [a, ""]`).
    """
    keys: list[str] = [""]
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in (".", "\\"):
            position += 1
            keys[-1] += text[position]
        elif character == ".":
            keys.append("")
        else:
            keys[-1] += character
        position += 1
    return tuple(keys) if all(keys) else None


def show_path(path: FieldPath) -> str:
    """Print a path as a mapping writes it; an empty key shows as `""`."""
    return ".".join(key.replace("\\", "\\\\").replace(".", "\\.") or '""' for key in path)


def default_name(path: FieldPath, naming: Naming) -> str:
    """The name of a column or table nobody named: folded, or the keys joined with `_` under `naming: keep`."""
    return fold(" ".join(path)) if naming == "fold" else "_".join(path)


def read_fields(reader: Reader, node: Node, place: Place, context: Context) -> tuple[FieldRule, ...]:
    """Read the `fields` of a collection or child, in the order of the file."""
    rules: list[FieldRule] = []
    for key, value in reader.entries(node, place, "`fields`"):
        rule = _field(reader, key, value, (*place, key), context)
        if rule is not None:
            reader.field_keys[place, rule.path] = key
            rules.append(rule)
    return tuple(rules)


def _field(reader: Reader, key: str, node: Node, place: Place, context: Context) -> FieldRule | None:
    path = _path_of(reader, key, node, place)
    if path is None:
        return None
    if isinstance(node, ScalarNode):
        return _short_form(reader, path, node, place, context)
    if isinstance(node, ListNode):
        reader.report(
            "field-form", place, "A field rule is a type or a map, but this is a list.", "Write `text[]` for an array."
        )
        return None
    present = {entry.text for entry, _ in node.entries}
    forms = [form for form in _FORMS if form in present]
    if len(forms) > 1:
        names = " and ".join(f"`{form}`" for form in forms)
        reader.report("field-form", place, f"A field cannot be {names} at once.", "Keep one of them.")
        return None
    if not forms:
        return _column(reader, path, node, place, context)
    found = reader.keys(node, place, f"A `{forms[0]}` field", _FORMS[forms[0]])
    if forms[0] == "drop":
        return DropField(path=path, why=reader.text(found["drop"], (*place, "drop"), "The reason of `drop`"))
    if forms[0] == "junction":
        own = reader.text(found["own"], (*place, "own"), "`own`") if "own" in found else None
        return JunctionField(
            path=path, junction=reader.text(found["junction"], (*place, "junction"), "The name of a junction"), own=own
        )
    return _child(reader, path, found, place, context)


def _path_of(reader: Reader, key: str, node: Node, place: Place) -> FieldPath | None:
    stated = (
        next((value for entry, value in node.entries if entry.text == "path"), None)
        if isinstance(node, MapNode)
        else None
    )
    if isinstance(stated, ListNode):
        items = reader.items(stated, (*place, "path"), "`path`")
        keys = [item.text for _, item in items if isinstance(item, ScalarNode)]
        if len(keys) == len(items) and keys:
            return tuple(keys)
        reader.report("bad-path", (*place, "path"), "`path` must be a list of keys.", 'Such as `path: [address, ""]`.')
        return None
    text = key
    if stated is not None:
        text = reader.text(stated, (*place, "path"), "`path`", default=key)
    path = parse_path(text)
    if path is None:
        hint = 'Write `\\.` for a dot that belongs to a key, and `path: [a, ""]` for an empty key.'
        reader.report("bad-path", place, f"The path `{shorten(text)}` has an empty key.", hint)
    return path


def _short_form(reader: Reader, path: FieldPath, node: ScalarNode, place: Place, context: Context) -> FieldRule | None:
    if not isinstance(node.value, str):
        hint = 'Write a type such as `text`, or {drop: "why"} to leave the field behind.'
        reader.report("field-form", place, f"A field rule is a type or a map, but this is {describe(node)}.", hint)
        return None
    column = _column_name(reader, path, place, context)
    required = node.value.rstrip().endswith("!")
    return ColumnField(
        path=path,
        column=column,
        type=_type(reader, node.value, place, context),
        required=required,
        policies=context.policies,
    )


def _column_name(reader: Reader, path: FieldPath, place: Place, context: Context) -> str:
    name = default_name(path, context.naming)
    if name:
        reader.check_name(name, place, "The column name")
    else:
        message = f"No column name can be made of `{shorten(show_path(path))}`."
        reader.report("bad-name", place, message, "Name it: {column: …}.")
    return name or "unnamed"


def _type(reader: Reader, text: str, place: Place, context: Context) -> ColumnType:
    word = text.strip().removesuffix("!").rstrip()
    try:
        return parse_type(word, context.enums)
    except TypeFault as fault:
        hint = fault.hint
        if word in context.collections:
            hint = f"To refer to a collection write {{references: {word}}}."
        elif word in ("drop", "skip", "ignore"):
            hint = 'To leave a field behind write {drop: "why"}.'
        reader.report("unknown-type", place, f"This type cannot be used: {fault.message}", hint)
        return ColumnType("text")


def _column(reader: Reader, path: FieldPath, node: MapNode, place: Place, context: Context) -> ColumnField:
    found = reader.keys(node, place, "A field", (*COLUMN_KEYS, *_FORMS))
    required = reader.flag(found["required"], (*place, "required"), "`required`") if "required" in found else False
    column_type: ColumnType | None = None
    if "type" in found:
        text = reader.text(found["type"], (*place, "type"), "A column type", default="text")
        required = required or text.rstrip().endswith("!")
        column_type = _type(reader, text, (*place, "type"), context)
    elif "references" not in found:
        reader.report(
            "missing-key",
            place,
            "This field has no `type`.",
            "Name one, such as `type: text`, or `references: COLLECTION`.",
        )
        column_type = ColumnType("text")

    def flag(key: str) -> bool:
        return reader.flag(found[key], (*place, key), f"`{key}`") if key in found else False

    default = None
    if "default" in found:
        if column_type is None:
            reader.report("bad-default", (*place, "default"), "A reference has no default.", "Remove `default`.")
        elif not reader.is_broken((*place, "type")) and place not in reader.broken:
            default = _default(reader, found["default"], (*place, "default"), column_type, context.enums)
    references = (
        reader.text(found["references"], (*place, "references"), "`references`") if "references" in found else None
    )
    on_orphan = None
    if "on_orphan" in found:
        options = get_args(OnOrphan)
        on_orphan = cast(
            "OnOrphan", reader.choice(found["on_orphan"], (*place, "on_orphan"), "`on_orphan`", options, "null")
        )
        if references is None:
            reader.report(
                "needs-references",
                (*place, "on_orphan"),
                "`on_orphan` needs `references`.",
                "Add it, or remove `on_orphan`.",
            )
    return ColumnField(
        path=path,
        column=reader.name(found["column"], (*place, "column"), "The column name", default="unnamed")
        if "column" in found
        else _column_name(reader, path, place, context),
        type=column_type,
        required=required,
        default=default,
        default_for=_default_for(reader, found, place),
        coerce=flag("coerce"),
        index=flag("index"),
        unique=flag("unique"),
        references=references,
        on_orphan=on_orphan,
        rewrite=_rewrite(reader, found["rewrite"], (*place, "rewrite")) if "rewrite" in found else (),
        sensitive=flag("sensitive"),
        policies=read_policies(reader, found["policies"], (*place, "policies"), context.policies)
        if "policies" in found
        else context.policies,
    )


def _default_for(reader: Reader, found: dict[str, Node], place: Place) -> tuple[Literal["missing", "null"], ...]:
    if "default_for" not in found:
        return ("missing",)
    place = (*place, "default_for")
    node = found["default_for"]
    items = reader.items(node, place, "`default_for`") if isinstance(node, ListNode) else [(place, node)]
    words = {reader.choice(item, at, "An entry of `default_for`", ("missing", "null"), "missing") for at, item in items}
    if "default" not in found:
        reader.report("needs-default", place, "`default_for` needs a `default`.", "Add it, or remove `default_for`.")
    kept: list[Literal["missing", "null"]] = []
    if "missing" in words or not words:
        kept.append("missing")
    if "null" in words:
        kept.append("null")
    return tuple(kept)


def _default(
    reader: Reader, node: Node, place: Place, column_type: ColumnType, enums: MappingABC[str, tuple[str, ...]]
) -> Default | None:
    if isinstance(node, ScalarNode):
        if node.value is None:
            reader.report(
                "bad-default", place, "A default of null changes nothing.", "Remove it; a missing field becomes NULL."
            )
            return None
        if node.value in ("now", "id_time"):
            if column_type.kind in ("date", "timestamp", "timestamptz") and not column_type.array:
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
        reader.report("bad-default", place_of_value, f"The default {fault.message}.", fault.hint, line=node.line)
        return None


def _rewrite(reader: Reader, node: Node, place: Place) -> tuple[Rewrite, ...]:
    rewrites: list[Rewrite] = []
    for text, value in reader.entries(node, place, "`rewrite`"):
        at = (*place, text)
        keys: list[str] = []
        path = parse_path(text)
        for part in path or ():
            key = part
            depth = 0
            while key.endswith("[]"):
                key = key[:-2]
                depth += 1
            keys.extend([key] if key else [])
            keys.extend(["[]"] * depth)
        if path is None:
            hint = "Write keys with dots between them, and `[]` for every element: `[].userId`, `items[].ref`."
            reader.report("bad-path", at, f"The path `{shorten(text)}` has an empty key.", hint)
            continue
        rewrites.append(Rewrite(path=tuple(keys), collection=reader.text(value, at, "A collection's name")))
    return tuple(sorted(rewrites, key=lambda rewrite: rewrite.path))


def read_policies(reader: Reader, node: Node, place: Place, base: Policies) -> Policies:
    """Read policies; those not stated stay as in `base`."""
    found = reader.keys(node, place, "`policies`", POLICY_KEYS)
    stated: dict[str, str] = {}
    for key, value in found.items():
        options = cast("tuple[str, ...]", get_args(Policies.model_fields[key].annotation))
        stated[key] = reader.choice(value, (*place, key), f"The policy `{key}`", options, "dead_letter")
    return Policies.model_validate({**base.model_dump(), **stated})


def _child(reader: Reader, path: FieldPath, found: dict[str, Node], place: Place, context: Context) -> ChildField:
    extras = context.extras
    if "extras" in found:
        extras = reader.name(found["extras"], (*place, "extras"), "The extras column", default=extras)
    if "fields" not in found:
        reader.report(
            "missing-key",
            place,
            "A child table has no `fields`.",
            "Say what becomes of each element's fields: {child: …, fields: {…}}.",
        )
    own = reader.name(found["own"], (*place, "own"), "`own`", default="own") if "own" in found else None
    return ChildField(
        path=path,
        table=reader.name(found["child"], (*place, "child"), "The child table", default="unnamed"),
        own=own,
        extras=extras,
        fields=read_fields(reader, found["fields"], (*place, "fields"), context) if "fields" in found else (),
        indexes=read_indexes(reader, found["indexes"], (*place, "indexes")) if "indexes" in found else (),
        search=read_search(reader, found["search"], (*place, "search")) if "search" in found else None,
    )


def read_indexes(reader: Reader, node: Node, place: Place) -> tuple[IndexRule, ...]:
    """Read the `indexes` of a table: lists of columns, or the long form."""
    rules: list[IndexRule] = []
    for at, item in reader.items(node, place, "`indexes`"):
        if isinstance(item, ListNode):
            rules.append(IndexRule(columns=reader.texts(item, at, "an index")))
            continue
        if isinstance(item, ScalarNode) and isinstance(item.value, str):
            rules.append(IndexRule(columns=(item.value,)))
            continue
        found = reader.keys(item, at, "An index", ("columns", "unique", "where", "method", "name"))
        if "columns" not in found:
            reader.report(
                "missing-key", at, "This index has no `columns`.", "Write {columns: [a, b]}, or a list of columns."
            )
            continue
        columns = found["columns"]
        rules.append(
            IndexRule(
                columns=reader.texts(columns, (*at, "columns"), "`columns`")
                if not isinstance(columns, ScalarNode)
                else (reader.text(columns, (*at, "columns"), "`columns`"),),
                unique=reader.flag(found["unique"], (*at, "unique"), "`unique`") if "unique" in found else False,
                where=reader.text(found["where"], (*at, "where"), "`where`") if "where" in found else None,
                method=cast(
                    "Method", reader.choice(found["method"], (*at, "method"), "`method`", get_args(Method), "btree")
                )
                if "method" in found
                else "btree",
                name=reader.name(found["name"], (*at, "name"), "The index name", default="unnamed")
                if "name" in found
                else None,
            )
        )
    return tuple(rules)


def read_search(reader: Reader, node: Node, place: Place) -> SearchRule:
    """Read the `search` of a table: a list of columns, or {columns, language}."""
    if isinstance(node, ListNode):
        return SearchRule(columns=reader.texts(node, place, "`search`"))
    found = reader.keys(node, place, "`search`", ("columns", "language"))
    columns: tuple[str, ...] = ()
    if "columns" in found:
        columns = reader.texts(found["columns"], (*place, "columns"), "`columns`")
    elif isinstance(node, MapNode):
        reader.report("missing-key", place, "`search` has no `columns`.", "Write {columns: [a, b], language: english}.")
    language = "simple"
    if "language" in found:
        at = (*place, "language")
        language = reader.text(found["language"], at, "`language`", default=language)
        if language not in SEARCH_LANGUAGES:
            reader.report(
                "unknown-language",
                at,
                f"`{shorten(language)}` is no text search language.",
                suggest(language, SEARCH_LANGUAGES),
            )
    return SearchRule(columns=columns, language=language)
