"""Tables that are not as the mapping makes them, so that their rows cannot be read as it would."""

from __future__ import annotations

from psycopg import sql

from isthmus.verify.subject import Subject

_THERE = """
SELECT w.t, w.c, format_type(a.atttypid, a.atttypmod)
FROM unnest({tables}::text[], {columns}::text[], {types}::text[]) AS w(t, c, k)
LEFT JOIN pg_attribute a ON a.attrelid = to_regclass({schema} || '.' || quote_ident(w.t)) AND a.attname = w.c
    AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM to_regtype(w.k)
"""


def changed_tables(subject: Subject) -> dict[str, tuple[str, str]]:
    """Return table → (column, why), of tables that lack a column or have one of another type.

    The layer schema says more of them.
    """
    wanted = [
        (table.name, column.name, column.type.sql(subject.schema.schema))
        for table in subject.schema.tables.values()
        for column in table.final.columns
    ]
    if not wanted:
        return {}
    schema = sql.Identifier(subject.schema.schema).as_string(subject.connection)
    tables, columns, types = (list(part) for part in zip(*wanted, strict=True))
    kinds = [_without_modifier(kind) for kind in types]
    rows = subject.connection.execute(
        sql.SQL(_THERE).format(
            tables=sql.Literal(tables),
            columns=sql.Literal(columns),
            types=sql.Literal(kinds),
            schema=sql.Literal(schema),
        )
    )
    found: dict[str, tuple[str, str]] = {}
    for table, column, there in rows:
        what = f"is of type {there}" if there is not None else "is not there"
        found.setdefault(table, (column, f"{table}.{column} {what}, so the rows of {table} could not be compared."))
    return found


def _without_modifier(kind: str) -> str:
    """Return a type as SQL without its length or precision, which `to_regtype` does not need."""
    return kind if kind.startswith('"') else kind.split("(", maxsplit=1)[0] + ("[]" if kind.endswith("[]") else "")
