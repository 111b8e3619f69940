"""A migration that an entry needs is there, and was before it.

Problem: PostgreSQL is migrated before the documents that point at its rows. An entry that names a migration which
nobody wrote, or one that came later, states an order that never was.

Solution: name a migration of one of the folders of the settings, all of its name, whose day (UTC) is not later than
the date of the entry. The day of a name with 14 digits stands in the name, that of another in Drizzle's journal; where
neither tells, only that the migration is there is asked, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking, EntryFile
from isthmus.govern.changes.dependencies import MIGRATION, read_dependencies
from isthmus.govern.changes.known import Known
from isthmus.govern.changes.names import real_day
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        yield from _untrue(checking, one)


def _untrue(checking: ChangesChecking, one: EntryFile) -> Iterator[Finding]:
    section = one.entry.section("PostgreSQL Dependencies") if one.entry is not None else None
    if section is None:
        return
    known = checking.known
    for found in read_dependencies(section).found:
        if found.kind != MIGRATION:
            continue
        day = known.migrations.get(found.name)
        stated = real_day(one.name.day) if one.name is not None else None
        if found.name not in known.migrations:
            yield Finding(one.blob.path, found.line, RULE.name, _missing(known, found.name), _near(known, found.name))
        elif day is not None and stated is not None and day > stated:
            message = f"{found.name} is of {day}, later than the entry ({stated})."
            hint = "Date the entry on the day of the migration or later, or name the one that is really needed."
            yield Finding(one.blob.path, found.line, RULE.name, message, hint)


def _missing(known: Known, name: str) -> str:
    if not known.folders:
        return f"There is no migration {name}: the settings name no folder of migrations."
    return f"There is no migration {name} in {', '.join(known.folders)}."


def _near(known: Known, name: str) -> str:
    words = name.lstrip("0123456789_")
    near = [one for one in known.migrations if words and one.endswith(f"_{words}")]
    if len(near) == 1:
        return f"Write all of its name: {near[0]}?"
    return "Write the migration first (isthmus schema new), git add it, and name it here with all of its name."


RULE = Rule("dependency-migration", _find)
