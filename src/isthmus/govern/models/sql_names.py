"""Names as SQL that is executed writes them: in double quotes wherever the server would need them. Pure."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast
    char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
    desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
    grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
    lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize
    not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision
    primary real references returning right row select session_user setof similar smallint some substring symmetric
    system_user table tablesample then time timestamp to trailing treat trim true union unique user using values
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
    xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905  as a list it would be ten times as long
)
"""Words that cannot stand everywhere as a name (PostgreSQL 18, `pg_get_keywords()`, all that are not unreserved)."""


def name(text: str) -> str:
    """Return one name."""
    return text if _PLAIN.fullmatch(text) and text not in KEYWORDS else '"' + text.replace('"', '""') + '"'


def within(schema: str, text: str) -> str:
    """Return the name of something in a schema, both."""
    return f"{name(schema)}.{name(text)}"


def literal(text: str) -> str:
    """Return a text as a constant."""
    doubled = text.replace("'", "''")
    return f"E'{doubled.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{doubled}'"
