"""Drizzle's journal names every file, once, in rising order.

Problem: Drizzle's runner takes files by its journal: one without an entry is never applied, and an entry whose `when`
is not greater than that of the newest applied one is passed over in silence.

Solution: `meta/_journal.json` has one entry for each file, in the order of the numbers, with `idx` counting on and
`when` rising. `isthmus schema new` writes the entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.journal import Entry, JournalFault, read_journal
from isthmus.govern.rules.rule import Rule


def _find(checking: Checking) -> Iterator[Finding]:
    blob = checking.now.journal
    if blob is None:
        return
    text = checking.text(blob)
    try:
        entries = read_journal(text if text is not None else "")
    except JournalFault as fault:
        yield Finding(blob.path, 0, RULE.name, f"The journal cannot be read: {fault}.", "Put it back from HEAD.")
        return
    for line, message, hint in _wrong(checking, entries):
        yield Finding(blob.path, line, RULE.name, message, hint)


def _wrong(checking: Checking, entries: list[Entry]) -> Iterator[tuple[int, str, str]]:
    tags = Counter(one.tag for one in entries)
    for tag, times in tags.items():
        if times > 1:
            line = [one.line for one in entries if one.tag == tag][-1]
            yield line, f"{tag} has {times} entries.", "Keep one."
    for one in checking.now.named:
        if one.text not in tags:
            yield 0, f"{one.text}.sql has no entry, so Drizzle would never apply it.", "Add its entry."
    for one in entries:
        if one.tag not in checking.now.migrations:
            yield one.line, f"There is no {one.tag}.sql for this entry.", "Remove the entry, or put the file back."
        if one.idx != one.place:
            yield one.line, f"{one.tag} has idx {one.idx} and is entry {one.place}.", "Count idx on from 0."
    for one, other in pairwise(entries):
        if other.when <= one.when:
            yield (
                other.line,
                f"`when` of {other.tag} is not greater than that of {one.tag}: Drizzle would pass it over in silence.",
                "Give it the time at which it was written.",
            )
        if other.tag < one.tag:
            yield other.line, f"{other.tag} stands behind {one.tag}.", "Put entries in the order of their numbers."


RULE = Rule("journal", _find)
