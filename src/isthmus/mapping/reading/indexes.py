"""Reading `indexes` and `search` of one table."""

from __future__ import annotations

from typing import cast, get_args

from isthmus.mapping.model import IndexRule, Method, SearchRule
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest

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


def read_indexes(reader: Reader, node: Node, place: Place) -> tuple[IndexRule, ...]:
    """Read the `indexes` of a table: lists of columns, or the long form."""
    rules: list[IndexRule] = []
    for at, item in reader.items(node, place, "`indexes`"):
        if isinstance(item, ListNode):
            rules.append(IndexRule(columns=reader.texts(item, at, "an index")))
            continue
        if isinstance(item, ScalarNode) and isinstance(item.value, str):
            rules.append(IndexRule(columns=(reader.text(item, at, "The column of an index"),)))
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
    if isinstance(node, ScalarNode) and node.value is not None:
        reader.items(node, place, "`search`")
        return SearchRule(columns=())
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
