"""Reading one entry of `collections`: its table, its key, the documents it takes and leaves behind.

Field rules are `fields`'s; whether rules agree is `check`'s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

from isthmus.mapping.keys import COLLECTION_KEYS
from isthmus.mapping.model import OTHERS, Collection, IdColumn, Ids, OnConflict, OnDuplicate, Target
from isthmus.mapping.reading.conditions import read_skip_rules, read_when
from isthmus.mapping.reading.context import Context, default_name
from isthmus.mapping.reading.fields import read_fields
from isthmus.mapping.reading.indexes import read_indexes, read_search
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.origins import read_constants, read_optional, read_sources
from isthmus.mapping.reading.reader import Place, Reader, shorten
from isthmus.mapping.target import HIDDEN_ID
from isthmus.mapping.types import ColumnType, TypeFault, parse_type


def read_collection(
    reader: Reader, name: str, node: Node, context: Context, ids: Ids, target: Target
) -> Collection | str | None:
    """Read one entry.

    Args:
        reader: Takes the problems.
        name: The entry; `*` for all source collections nobody named.
        node: Its rule.
        context: The mapping around it.
        ids: The mapping's scheme.
        target: Has what the entry does not say about existing tables.

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
        return _skipped(reader, name, skip, found)
    if name == OTHERS:
        reader.report(
            "others-form",
            place,
            "`*` stands for the collections nobody named; they can only be skipped.",
            'Write "*": {skip: "why"}.',
        )
        return None
    table = _table(reader, name, found, context)
    if "ids" in found:
        ids = cast("Ids", reader.choice(found["ids"], (*place, "ids"), "`ids`", get_args(Ids), ids))
    if "extras" in found:
        extras = reader.name(found["extras"], (*place, "extras"), "The extras column", default=context.extras)
        context = replace(context, extras=extras)
    fields_node = found.get("fields")
    stated_id: IdColumn | None = None
    if isinstance(fields_node, MapNode):
        kept = tuple(entry for entry in fields_node.entries if entry[0].text != "_id")
        for key, value in fields_node.entries:
            if key.text == "_id":
                reader.lines[(*place, "fields", "_id")] = key.line
                stated_id = _id_column(reader, value, (*place, "fields", "_id"), ids)
        fields_node = MapNode(kept, fields_node.line)
    key = _key(reader, found["key"], (*place, "key")) if "key" in found else None
    id_column = stated_id or IdColumn(type=_id_type(ids))
    if key is not None and stated_id is None:
        id_column = IdColumn(column=HIDDEN_ID, type=_id_type(ids), kept=False)
    if key == (id_column.column,):
        key = None
    constants = read_constants(reader, found.get("constants"), (*place, "constants"), context)
    sources = read_sources(reader, name, found.get("from"), constants, context)
    if "optional" in found:
        sources = read_optional(reader, found["optional"], (*place, "optional"), sources)
    return Collection(
        table=table,
        ids=ids,
        id=id_column,
        extras=context.extras,
        sources=sources,
        constants=constants,
        key=key,
        when=read_when(
            reader,
            found["when"],
            (*place, "when"),
            meaning="takes every document",
            hint="Remove it; an entry without `when` takes all that is left.",
        )
        if "when" in found
        else (),
        skip=read_skip_rules(reader, skip, (*place, "skip")) if isinstance(skip, ListNode) else (),
        fields=read_fields(reader, fields_node, (*place, "fields"), context) if fields_node is not None else (),
        indexes=read_indexes(reader, found["indexes"], (*place, "indexes")) if "indexes" in found else (),
        search=read_search(reader, found["search"], (*place, "search")) if "search" in found else None,
        on_duplicate=cast("OnDuplicate", _choice(reader, found, place, "on_duplicate", OnDuplicate, "dead_letter")),
        match=_match(reader, found["match"], (*place, "match")) if "match" in found else (),
        on_conflict=cast("OnConflict", _choice(reader, found, place, "on_conflict", OnConflict, target.on_conflict)),
        conflict_stated="on_conflict" in found or target.conflict_stated,
        rerun="tracked" if "rerun" in found and read_rerun(reader, found["rerun"], place) else target.rerun,
        rewritten=reader.flag(found["rewritten"], (*place, "rewritten"), "`rewritten`")
        if "rewritten" in found
        else False,
        asked=reader.text(found["asked"], (*place, "asked"), "The reason of `asked`", hint=_WHY_ASKED)
        if "asked" in found
        else None,
    )


_WHY_ASKED = 'Write why nobody carries it unless told to: asked: "all sign in again".'


def _skipped(reader: Reader, name: str, skip: Node, found: dict[str, Node]) -> str:
    place = ("collections", name)
    hint = "Write the reason, or for some of the documents a list: [{when: {field: value}, why: …}]."
    why = reader.text(skip, (*place, "skip"), "The reason of `skip`", hint=hint)
    for key in found:
        if key != "skip":
            message = f"`{name}` is skipped as a whole, so `{key}` has no effect."
            reader.report(
                "skipped", (*place, key), message, "Remove it, or skip by a condition: skip: [{when: …, why: …}]."
            )
    return why


def _table(reader: Reader, name: str, found: dict[str, Node], context: Context) -> str:
    place = ("collections", name)
    table = default_name((name,), context.naming)
    if "table" in found:
        table = reader.name(found["table"], (*place, "table"), "The table", default=table or "unnamed")
    elif table:
        reader.check_name(table, place, "The table")
    else:
        reader.report("bad-name", place, f"No table name can be made of `{shorten(name)}`.", "Name it: {table: …}.")
    return table or "unnamed"


def _choice(reader: Reader, found: dict[str, Node], place: Place, key: str, words: object, default: str) -> str:
    if key not in found:
        return default
    return reader.choice(found[key], (*place, key), f"`{key}`", get_args(words), default)


def read_rerun(reader: Reader, node: Node, place: Place) -> bool:
    """Read `rerun`, whose only word is `tracked`."""
    return reader.choice(node, (*place, "rerun"), "`rerun`", ("tracked",), "tracked") == "tracked"


def _key(reader: Reader, node: Node, place: Place) -> tuple[str, ...]:
    if isinstance(node, ScalarNode):
        word = reader.text(node, place, "`key`", default="none")
        return () if word == "none" else (word,)
    names = reader.texts(node, place, "`key`")
    if not names and not reader.is_broken(place):
        reader.report("key-column", place, "`key` names no column.", "Write `key: none` for a table without a key.")
    return names


def _match(reader: Reader, node: Node, place: Place) -> tuple[tuple[str, ...], ...]:
    lists: list[tuple[str, ...]] = []
    for at, item in reader.items(node, place, "`match`"):
        if isinstance(item, ScalarNode) and isinstance(item.value, str):
            hint = f"Write [[{shorten(item.text)}]]: a list of lists of columns."
            reader.report("not-a-list", at, f"`match` lists lists of columns, but this is `{item.text}`.", hint)
            continue
        columns = reader.texts(item, at, "`match`")
        if columns:
            lists.append(columns)
        elif not reader.is_broken(at):
            reader.report("match-column", at, "This list of `match` names no column.", "Name at least one.")
    if not lists and not reader.is_broken(place):
        reader.report("match-column", place, "`match` lists nothing.", "Write [[email], [name]], or remove it.")
    return tuple(lists)


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
