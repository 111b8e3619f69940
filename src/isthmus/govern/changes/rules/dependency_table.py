"""A table and a column that an entry needs are there, and were before it.

Problem: a misspelt table, or one that only a later migration makes, is found when the first document points at
nothing.

Solution: name tables and columns as `schema.json` has them, which `isthmus schema rehearse` writes beside the
migrations: exactly, with the schema in front where that is not `public`. A migration that makes them is not later than
the entry. Of an entry that is committed only a note is made, since its table may have been dropped later. Without a
`schema.json` nothing can be told, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from isthmus.govern.changes.checking import ChangesChecking, EntryFile
from isthmus.govern.changes.dependencies import MIGRATION, TABLE, Dependency, read_dependencies
from isthmus.govern.changes.known import Known
from isthmus.govern.changes.names import real_day
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        if checking.is_new(one):
            for line, message, hint in untrue(checking.known, one):
                yield Finding(one.blob.path, line, RULE.name, message, hint)


def untrue(known: Known, one: EntryFile) -> Iterator[tuple[int, str, str]]:
    """Yield line, sentence and hint of each table and column of an entry that is not there, or was not then."""
    section = one.entry.section("PostgreSQL Dependencies") if one.entry is not None else None
    if section is None or len(known.without) == len(known.folders):
        return
    for found in read_dependencies(section).found:
        if found.kind != MIGRATION:
            yield from _wrong(known, one, found)


def _wrong(known: Known, one: EntryFile, found: Dependency) -> Iterator[tuple[int, str, str]]:
    table = known.table(found.name if found.kind == TABLE else found.table)
    if table is None:
        if found.kind == TABLE and not known.without:  # else it may be a table of a folder that says nothing
            names = sorted({*known.tables, *(name.removeprefix("public.") for name in known.tables)})
            yield found.line, f"schema.json has no table {found.name}.", _near(found.name, names)
        return
    column = table.columns.get(found.name)
    if found.kind != TABLE and column is None:
        yield found.line, f"The table {found.table} has no column {found.name}.", _near(found.name, table.columns)
        return
    made = table.migration if column is None else column.migration
    day = known.migrations.get(made)
    stated = real_day(one.name.day) if one.name is not None else None
    if day is not None and stated is not None and day > stated:
        message = f"{found.kind} {found.name} is made by {made}, later than the entry ({stated})."
        yield found.line, message, "Date the entry on the day of the migration or later."


def _near(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), 1)
    hint = f" Is {near[0]} meant?" if near else ""
    return f"Name it as it is, or write its migration first and let isthmus schema rehearse write schema.json.{hint}"


RULE = Rule("dependency-table", _find)
