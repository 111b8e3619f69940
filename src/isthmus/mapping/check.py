"""Checks between the rules of a mapping: names that exist, tables and columns that do not collide, rules that agree.

`reader` found what is wrong with one rule by itself; here is what is wrong with two together. Problems go to the same
reader, with the place of the rule that should change. Columns, indexes and search are in `check_columns`, references,
rewriting and junctions in `check_links`.
"""

from __future__ import annotations

from isthmus.mapping.check_columns import TableView, check_table
from isthmus.mapping.check_links import check_junctions, check_links
from isthmus.mapping.fields import show_path
from isthmus.mapping.model import ChildField, ColumnField, DropField, FieldPath, FieldRule, Mapping
from isthmus.mapping.reader import Place, Reader
from isthmus.mapping.tables import child_key

MAX_DEPTH = 100
"""Deepest nesting of a BSON document that MongoDB stores (documentation: MongoDB Limits and Thresholds)."""


def check(mapping: Mapping, reader: Reader) -> None:
    """Report every contradiction of a mapping to its reader.

    Args:
        mapping: As read; where a rule had a problem of its own, a stand-in.
        reader: Knows the lines and the places that already have a problem.
    """
    _check_schema(mapping, reader)
    if not mapping.collections and not reader.problems:
        reader.report("no-collection", ("collections",), "The mapping carries no collection.", "Name at least one.")
    tables: list[TableView] = []
    for name, collection in mapping.collections.items():
        place = ("collections", name)
        root = TableView(
            name=collection.table,
            place=(*place, "table"),
            owner=f"the collection `{name}`",
            key=(collection.id.column,),
            fields=collection.fields,
            fields_place=(*place, "fields"),
            extras=collection.extras,
            extras_place=(*place, "extras"),
            indexes=collection.indexes,
            search=collection.search,
            rules_place=place,
        )
        tables.append(root)
        _collect_children(reader, root, tables)
    for name in mapping.junctions:
        tables.append(TableView.of_junction(name, mapping.junctions[name]))
    _check_tables(mapping, reader, tables)
    for table in tables:
        if not table.is_junction:
            _check_paths(reader, table)
        check_table(reader, table)
        check_links(mapping, reader, table)
    check_junctions(mapping, reader)


def _check_schema(mapping: Mapping, reader: Reader) -> None:
    schema = mapping.target.schema_name
    if schema == "isthmus":
        message = "The schema `isthmus` holds the state of Isthmus and cannot hold the tables too."
        reader.report("bad-schema", ("target", "schema"), message, "Choose another, such as `public`.")
    elif schema.startswith("pg_") or schema == "information_schema":
        reader.report(
            "bad-schema", ("target", "schema"), f"The schema `{schema}` belongs to PostgreSQL.", "Choose another."
        )


def _collect_children(reader: Reader, parent: TableView, tables: list[TableView]) -> None:
    for key, rule in rules_with_keys(parent.fields, reader, parent.fields_place):
        if not isinstance(rule, ChildField):
            continue
        place = (*parent.fields_place, key)
        child = TableView(
            name=rule.table,
            place=(*place, "child"),
            owner=f"the array `{show_path(rule.path)}` of {parent.owner}",
            key=child_key(parent.name, parent.key, rule.own),
            fields=rule.fields,
            fields_place=(*place, "fields"),
            extras=rule.extras,
            extras_place=(*place, "extras"),
            indexes=rule.indexes,
            search=rule.search,
            rules_place=place,
        )
        tables.append(child)
        _collect_children(reader, child, tables)


def rules_with_keys(fields: tuple[FieldRule, ...], reader: Reader, place: Place) -> list[tuple[str, FieldRule]]:
    """Pair each rule with its key in the file, by which its line is known."""
    return [(reader.key_of(place, rule.path), rule) for rule in fields]


def _check_tables(mapping: Mapping, reader: Reader, tables: list[TableView]) -> None:
    """Table names share one namespace with enum types (as row types) and with indexes (as relations)."""
    seen: dict[str, TableView] = {}
    for table in tables:
        first = seen.setdefault(table.name, table)
        if first is not table:
            message = f"The table `{table.name}` is wanted twice: by {first.owner} and by {table.owner}."
            reader.report("table-clash", table.place, message, "Give one of them another name.")
        if table.name in mapping.enums:
            message = (
                f"`{table.name}` names both an enum and the table of {table.owner}; PostgreSQL makes a type of each."
            )
            reader.report("table-clash", table.place, message, "Give one of them another name.")
        for position, index in enumerate(table.indexes):
            at = (*table.rules_place, "indexes", str(position), "name")
            if index.name is not None and index.name in {other.name for other in tables}:
                reader.report(
                    "index-clash", at, f"`{index.name}` is already the name of a table.", "Give the index another name."
                )
    names: dict[str, str] = {}
    for table in tables:
        for position, index in enumerate(table.indexes):
            if index.name is None:
                continue
            at = (*table.rules_place, "indexes", str(position), "name")
            if index.name in names:
                message = f"Two indexes are called `{index.name}`, on `{names[index.name]}` and on `{table.name}`."
                reader.report("index-clash", at, message, "Index names are unique in a schema; give one another name.")
            names.setdefault(index.name, table.name)


def _check_paths(reader: Reader, table: TableView) -> None:
    """No path twice, and none inside another one that is taken as a whole."""
    seen: dict[FieldPath, FieldRule] = {}
    for key, rule in rules_with_keys(table.fields, reader, table.fields_place):
        place = (*table.fields_place, key)
        path = rule.path
        if len(path) > MAX_DEPTH:
            reader.report(
                "bad-path", place, f"The path has {len(path)} keys; documents nest {MAX_DEPTH} deep.", "Shorten it."
            )
        if path[0] == "_id" and (len(path) > 1 or not isinstance(rule, ColumnField)) and len(table.key) == 1:
            message = f"`{show_path(path)}` is part of `_id`, which becomes the key as a whole."
            reader.report(
                "id-path",
                place,
                message,
                "To keep its parts too write, under another key, {path: [_id], column: …, type: jsonb}.",
            )
        if path == ("_id",) and isinstance(rule, ColumnField) and rule.sensitive and len(table.key) == 1:
            message = "`_id` cannot be sensitive: commands and ledgers name documents by it."
            hint = "Remove `sensitive`. An `_id` that is a secret must be changed in MongoDB before the copy."
            reader.report("sensitive-id", (*place, "sensitive"), message, hint)
        if path in seen:
            reader.report(
                "path-conflict",
                place,
                f"The field `{show_path(path)}` has two rules.",
                "Keep one; one field feeds one rule.",
            )
        seen.setdefault(path, rule)
    for key, rule in rules_with_keys(table.fields, reader, table.fields_place):
        for length in range(1, len(rule.path)):
            outer = seen.get(rule.path[:length])
            if outer is None:
                continue
            message = f"`{show_path(rule.path)}` lies inside `{show_path(outer.path)}`, which {_says(outer)}."
            hint = f"Remove one of the two rules; rules inside `{show_path(outer.path)}` need no rule for the whole."
            reader.report("path-conflict", (*table.fields_place, key), message, hint)
            break


def _says(rule: FieldRule) -> str:
    if isinstance(rule, ColumnField):
        return f"becomes the column `{rule.column}` as a whole"
    if isinstance(rule, ChildField):
        return f"becomes the child table `{rule.table}`"
    if isinstance(rule, DropField):
        return "is dropped as a whole"
    return f"feeds the junction `{rule.junction}`"
