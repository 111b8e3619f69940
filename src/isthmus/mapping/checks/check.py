"""Checks between the rules of a mapping: names that exist, tables and columns that do not collide, rules that agree.

`reading` found what is wrong with one rule by itself; here is what is wrong with two together. Problems go to the same
reader, with the place of the rule that should change. Paths are in `paths`, columns, indexes and search in
`columns`, references, rewriting and junctions in `links`, sources and shared tables in `flows`, keys
and existing tables in `keys`, identities in `identities`.
"""

from __future__ import annotations

from isthmus.mapping.checks.columns import TableView, check_table
from isthmus.mapping.checks.flows import check_flows, check_shared
from isthmus.mapping.checks.identities import check_identities, check_identity_columns
from isthmus.mapping.checks.keys import check_keys
from isthmus.mapping.checks.links import check_cycles, check_junctions, check_links
from isthmus.mapping.checks.paths import check_paths
from isthmus.mapping.model import ChildField, FieldRule, Mapping
from isthmus.mapping.paths import show_path
from isthmus.mapping.placing import child_key
from isthmus.mapping.reading.reader import Place, Reader


def check(mapping: Mapping, reader: Reader) -> None:
    """Report every contradiction of a mapping to its reader.

    Args:
        mapping: As read; where a rule had a problem of its own, a stand-in.
        reader: Knows the lines and the places that already have a problem.
    """
    _check_schema(mapping, reader)
    if not mapping.collections and not reader.problems:
        reader.report("no-collection", ("collections",), "The mapping carries no collection.", "Name at least one.")
    tables = _views(mapping, reader)
    check_flows(mapping, reader)
    _check_tables(mapping, reader, tables)
    for table in tables:
        if not table.is_junction:
            check_paths(reader, table)
        check_table(reader, table)
        check_links(mapping, reader, table)
        check_identity_columns(mapping, reader, table)
    check_keys(mapping, reader)
    check_junctions(mapping, reader)
    check_cycles(mapping, reader)
    check_shared(mapping, reader)
    check_identities(mapping, reader)


def _check_schema(mapping: Mapping, reader: Reader) -> None:
    schema = mapping.target.schema_name
    if schema == "isthmus":
        message = "The schema `isthmus` holds the state of Isthmus and cannot hold the tables too."
        reader.report("bad-schema", ("target", "schema"), message, "Choose another, such as `public`.")
    elif schema.startswith("pg_") or schema == "information_schema":
        reader.report(
            "bad-schema", ("target", "schema"), f"The schema `{schema}` belongs to PostgreSQL.", "Choose another."
        )


def _views(mapping: Mapping, reader: Reader) -> list[TableView]:
    tables: list[TableView] = []
    for name, collection in mapping.collections.items():
        place = ("collections", name)
        root = TableView(
            name=collection.table,
            place=(*place, "table"),
            owner=f"the collection `{name}`",
            entry=name,
            key=(collection.id.column,) if collection.id.kept else (),
            row_key=(collection.id.column,),
            fields=collection.fields,
            fields_place=(*place, "fields"),
            extras=collection.extras,
            extras_place=(*place, "extras"),
            indexes=collection.indexes,
            search=collection.search,
            rules_place=place,
            constants=collection.constants,
        )
        tables.append(root)
        _collect_children(reader, root, tables)
    for name in mapping.junctions:
        tables.append(TableView.of_junction(name, mapping.junctions[name]))
    return tables


def _collect_children(reader: Reader, parent: TableView, tables: list[TableView]) -> None:
    for key, rule in rules_with_keys(parent.fields, reader, parent.fields_place):
        if not isinstance(rule, ChildField):
            continue
        place = (*parent.fields_place, key)
        row_key = child_key(parent.name, parent.row_key, rule.own)
        child = TableView(
            name=rule.table,
            place=(*place, "child"),
            owner=f"the array `{show_path(rule.path)}` of {parent.owner}",
            entry=parent.entry,
            key=row_key,
            row_key=row_key,
            fields=rule.fields,
            fields_place=(*place, "fields"),
            extras=rule.extras,
            extras_place=(*place, "extras"),
            indexes=rule.indexes,
            search=rule.search,
            rules_place=place,
            parent=parent.name,
        )
        tables.append(child)
        _collect_children(reader, child, tables)


def rules_with_keys(fields: tuple[FieldRule, ...], reader: Reader, place: Place) -> list[tuple[str, FieldRule]]:
    """Pair each rule with its key in the file, by which its line is known."""
    return [(reader.key_of(place, number), rule) for number, rule in enumerate(fields)]


def _check_tables(mapping: Mapping, reader: Reader, tables: list[TableView]) -> None:
    """Table names share one namespace with enum types (as row types) and with indexes (as relations)."""
    seen: dict[str, TableView] = {}
    for table in tables:
        first = seen.setdefault(table.name, table)
        if first is not table and not _may_share(reader, first, table):
            message = f"The table `{table.name}` is wanted twice: by {first.owner} and by {table.owner}."
            hint = "Give one of them another name"
            lone = first.entry is not None and table.entry is not None and first.parent is None and table.parent is None
            hint += f", or state `table: {table.name}` to fill it from both." if lone else "."
            reader.report("table-clash", table.place, message, hint)
        if table.name in mapping.enums:
            message = (
                f"`{table.name}` names both an enum and the table of {table.owner}; PostgreSQL makes a type of each."
            )
            reader.report("table-clash", table.place, message, "Give one of them another name.")
    names: dict[str, TableView] = {}
    for table in tables:
        for position, index in enumerate(table.indexes):
            at = (*table.rules_place, "indexes", str(position), "name")
            if index.name is None:
                continue
            if index.name in seen:
                message = f"`{index.name}` is already the name of a table."
                reader.report("index-clash", at, message, "Give the index another name.")
            other = names.setdefault(index.name, table)
            if other is not table and other.name == table.name and index in other.indexes:
                continue
            if other is not table or index.name in {one.name for one in table.indexes[:position]}:
                message = f"Two indexes are called `{index.name}`, on `{other.name}` and on `{table.name}`."
                reader.report("index-clash", at, message, "Index names are unique in a schema; give one another name.")


def _may_share(reader: Reader, first: TableView, second: TableView) -> bool:
    """Whether two entries may fill one table: root tables, or children of one table; `check_shared` compares them.

    Two names that only happen to be folded into one are an accident; one of the two must state the table.
    """
    if first.entry is None or second.entry is None or first.entry == second.entry or first.parent != second.parent:
        return False
    return first.place in reader.lines or second.place in reader.lines
