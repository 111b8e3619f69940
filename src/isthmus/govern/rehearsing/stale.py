"""In what a `schema.json` differs from what it should say, as sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.catalog.naming import quoted
from isthmus.govern.schema_json import Column, SchemaJson, SchemaJsonFault, read_schema_json


def staleness(text: str, wanted: str) -> list[str]:
    """Return what stands in a `schema.json` and should not, or should and does not.

    Args:
        text: The file as it is.
        wanted: As it should be.

    Returns:
        Nothing where both say the same in other words.
    """
    try:
        was = read_schema_json(text)
    except SchemaJsonFault as fault:
        return [f"It cannot be read: {fault}."]
    now = read_schema_json(wanted)
    return [*_migrations(was, now), *_tables(was, now)]


def _migrations(was: SchemaJson, now: SchemaJson) -> Iterator[str]:
    for name in dict.fromkeys((*now.migrations, *was.migrations)):
        if name not in was.migrations:
            yield f"It does not know {name}."
        elif name not in now.migrations:
            yield f"It knows {name}, which there is not."
        elif was.migrations[name] != now.migrations[name]:
            yield f"{name} was changed since."


def _tables(was: SchemaJson, now: SchemaJson) -> Iterator[str]:
    for name in sorted(was.tables.keys() | now.tables.keys()):
        before, after = was.tables.get(name), now.tables.get(name)
        if before is None:
            yield f"{name} is not in it."
        elif after is None:
            yield f"{name} is in it, and no migration makes it."
        else:
            if before.migration != after.migration:
                yield f"{name} was made by {after.migration}, not by {before.migration}."
            for column in sorted(before.columns.keys() | after.columns.keys()):
                one, other = before.columns.get(column), after.columns.get(column)
                if one != other:
                    yield f"{name}.{quoted(column)} is {_said(one)} in it, and should be {_said(other)}."


def _said(column: Column | None) -> str:
    if column is None:
        return "absent"
    return f"`{column.type}{'' if column.nullable else ' NOT NULL'}` of {column.migration}"
