"""Drizzle's journal names every file, once, in rising order.

Problem: Drizzle's runner takes files by its journal: one without an entry is never applied, and an entry whose `when`
is not greater than that of the newest applied one is passed over in silence.

Solution: `meta/_journal.json` has one entry for each file, in the order of the numbers, with `idx` counting on and
`when` rising. `isthmus schema new` writes the entry. Entries of the baseline are only kept from change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.journal import Entry, JournalFault, read_journal
from isthmus.govern.migrations.names import is_earlier, name_of
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
    settings = checking.now.settings
    named = {one.tag: name_of(one.tag, settings) for one in entries}
    older = {tag for tag, name in named.items() if name is not None and is_earlier(name, settings)}
    for tag, times in tags.items():
        if times > 1 and tag not in older:
            line = [one.line for one in entries if one.tag == tag][-1]
            yield line, f"{tag} has {times} entries.", "Keep one."
    for one in checking.now.named:
        if one.text not in tags and not checking.is_older(one):
            yield 0, f"{one.text}.sql has no entry, so Drizzle would never apply it.", "Add its entry."
    newest: Entry | None = None
    last = ""
    for one in entries:
        if one.tag not in older:
            yield from _alone(checking, one)
            if newest is not None and one.when <= newest.when:
                message = f"`when` of {one.tag} is not greater than that of {newest.tag}"
                hint = "Give it the time at which it was written."
                yield one.line, f"{message}: Drizzle would pass it over in silence.", hint
            if one.tag < last:
                yield one.line, f"{one.tag} stands behind {last}.", "Put entries in the order of their numbers."
        newest = one if newest is None or one.when > newest.when else newest
        last = one.tag


def _alone(checking: Checking, one: Entry) -> Iterator[tuple[int, str, str]]:
    if one.tag not in checking.now.migrations:
        yield one.line, f"There is no {one.tag}.sql for this entry.", "Remove the entry, or put the file back."
    if one.idx != one.place:
        yield one.line, f"{one.tag} has idx {one.idx} and is entry {one.place}.", "Count idx on from 0."


RULE = Rule("journal", _find)
