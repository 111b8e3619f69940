"""Full-text search: the expression one index a table is built over, its size limit, and the query that uses it.

The expression must be immutable, so the language is a constant and arrays go through a function of our own
(`array_to_string` is only STABLE, because an element's output function may be). A tsvector holds at most 1 MB; rows
whose text is longer than the limit are left out by the predicate, so that they cannot break the index; `finish` lists
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.mapping.names import quote_identifier, quote_literal
from isthmus.mapping.types import ColumnType

SEARCH_BYTES = 262_144
"""Most text of one row, in bytes, that is indexed. Even text of nothing but distinct hyphenated words, each indexed
whole and in parts with its positions, stays under tsvector's limit of 1,048,575 bytes (PostgreSQL: Text Search
Limitations)."""

ARRAY_TEXT = "isthmus_array_text"


@dataclass(frozen=True)
class SearchSql:
    """SQL of a search index.

    Attributes:
        document: The text of a row.
        expression: Its tsvector, immutable.
        predicate: True for the rows the index holds.
    """

    document: str
    expression: str
    predicate: str


def array_text_function(schema: str) -> str:
    """SQL that makes the immutable function from a text array to text; repeatable."""
    name = f"{quote_identifier(schema)}.{quote_identifier(ARRAY_TEXT)}"
    return (
        f"CREATE OR REPLACE FUNCTION {name}(elements text[]) RETURNS text\n"
        "  LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
        "  AS $$ SELECT pg_catalog.array_to_string(elements, ' ') $$"
    )


def search_sql(schema: str, columns: Sequence[tuple[str, ColumnType]], language: str) -> SearchSql:
    """Write the expression over text, varchar, their arrays, and the text of jsonb values.

    Args:
        schema: Where `array_text_function` lives.
        columns: Names and types, in the order their text is joined; at least one.
        language: A text search configuration.
    """
    parts = [_text_of(schema, quote_identifier(name), column_type) for name, column_type in columns]
    document = " || ' ' || ".join(f"coalesce({part}, '')" for part in parts)
    return SearchSql(
        document=document,
        expression=f"to_tsvector({quote_literal(language)}::regconfig, {document})",
        predicate=f"octet_length({document}) <= {SEARCH_BYTES}",
    )


def _text_of(schema: str, column: str, column_type: ColumnType) -> str:
    if column_type.array:
        return f"{quote_identifier(schema)}.{quote_identifier(ARRAY_TEXT)}({column}::text[])"
    if column_type.kind == "jsonb":
        return f"{column}::text"
    return column


def search_query(schema: str, table: str, sql: SearchSql, language: str) -> str:
    """Write the query that uses the index; the predicate is part of it, since the index is partial."""
    return (
        f"SELECT * FROM {quote_identifier(schema)}.{quote_identifier(table)}\n"
        f"WHERE {sql.expression}\n"
        f"      @@ websearch_to_tsquery({quote_literal(language)}, 'words to find')\n"
        f"  AND {sql.predicate}"
    )
