"""What a check of the log could not ask, and what it saw that is no fault. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.dependencies import MIGRATION, read_dependencies
from isthmus.govern.changes.rules.dependency_table import untrue
from isthmus.govern.migrations.names import SCHEMA_FILE


def notes(checking: ChangesChecking) -> Iterator[str]:
    """Yield sentences; some come again."""
    known = checking.known
    for one in checking.looked_at:
        section = one.entry.section("PostgreSQL Dependencies") if one.entry is not None else None
        needed = read_dependencies(section).found if section is not None else ()
        for found in needed:
            if found.kind == MIGRATION and found.name in known.migrations and known.migrations[found.name] is None:
                yield f"Nothing tells when {found.name} was written: only that it is there was asked."
        if any(found.kind != MIGRATION for found in needed) and known.without:
            yield (
                f"There is no {SCHEMA_FILE} in {', '.join(known.without)}: tables and columns that entries need "
                "were not asked for. isthmus schema rehearse writes it."
            )
        if not checking.is_new(one):
            for line, message, _ in untrue(known, one):
                yield f"{one.blob.path}, line {line}: {message} It may have been dropped since."
    named = {path for one in checking.entries.values() for path in checking.names(one)}
    without = [path for path in checking.models if path not in named]
    if checking.scope == "all" and without:
        count = f"{len(without):,} models have" if len(without) > 1 else f"The model {without[0]} has"
        yield f"{count} no entry yet; the next change asks for one."
