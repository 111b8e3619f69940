"""An entry has all its sections, once, in their order.

Problem: what is left out was perhaps not thought of: nobody can tell that from `nothing to do`.

Solution: the headings that `isthmus changes new` writes, each once, with its level: Date, Ticket, Model File,
PostgreSQL Dependencies, Changes with Added Fields, Modified Fields, Removed Fields and Index Changes below it, Data
Migration, Rollback, Testing. Others may stand between them.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.entry import SECTIONS, Entry
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        if one.entry is not None:
            for line, message, hint in _wrong(one.entry):
                yield Finding(one.blob.path, line, RULE.name, message, hint)


def _wrong(entry: Entry) -> Iterator[tuple[int, str, str]]:
    if not entry.by_name and not any(one.level > 1 for one in entry.headings):
        hint = f"isthmus changes new writes them: {', '.join(SECTIONS)}."
        yield 0, "It is empty." if not entry.headings else "It has no sections.", hint
        return
    near = {one.name.casefold().rstrip(": "): one for one in entry.headings}
    order = list(SECTIONS)
    last = -1
    for name, level in SECTIONS.items():
        if entry.section(name) is not None:
            continue
        heading = f"{'#' * level} {name}"
        meant = near.get(name.casefold())
        if meant is None:
            yield 0, f"It has no section {name}.", f"Write the heading `{heading}`, and below it what it says or None."
        else:
            written = f"{'#' * meant.level} {meant.name}"
            yield meant.line, f"`{written}` is not read.", f"Write `{heading}`."
    seen: set[str] = set()
    for one in entry.headings:
        if SECTIONS.get(one.name) != one.level:
            continue
        if one.name in seen:
            yield one.line, f"The section {one.name} stands twice.", "Keep one of them."
            continue
        seen.add(one.name)
        if order.index(one.name) < last:
            yield one.line, f"{one.name} stands behind {order[last]}.", f"The order is {', '.join(order)}."
        last = max(last, order.index(one.name))


RULE = Rule("entry-sections", _find)
