"""Which fields and columns must not be shown, as the run's own mapping says."""

from __future__ import annotations

from isthmus.mapping import parse_mapping
from isthmus.mapping.fields import show_path
from isthmus.mapping.model import ChildField, ColumnField, FieldRule
from isthmus.mapping.tables import build_schema
from isthmus.state.runs import Run


def hidden_paths(run: Run, collection: str) -> list[list[str]]:
    """Return the paths of sensitive fields; `[]` stands for every element of an array of sub-documents."""
    mapping = parse_mapping(run.mapping_text, file_name="the run's mapping")
    rule = mapping.collections.get(collection)
    return _sensitive(rule.fields, []) if rule is not None else []


def _sensitive(fields: tuple[FieldRule, ...], above: list[str]) -> list[list[str]]:
    found: list[list[str]] = []
    for field in fields:
        if isinstance(field, ColumnField) and field.sensitive:
            found.append([*above, *field.path])
        elif isinstance(field, ChildField):
            found.extend(_sensitive(field.fields, [*above, *field.path, "[]"]))
    return found


def hidden_columns(run: Run) -> set[tuple[str, str]]:
    """Return (table, column) of sensitive columns; of a jsonb column also each of its rewritten places."""
    schema = build_schema(parse_mapping(run.mapping_text, file_name="the run's mapping"))
    found: set[tuple[str, str]] = set()
    for table in schema.tables.values():
        for column in table.columns:
            if column.sensitive:
                found.add((table.name, column.name))
                found |= {(table.name, f"{column.name}.{show_path(path)}") for path, _ in column.rewrites}
    return found
