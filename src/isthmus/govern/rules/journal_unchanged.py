"""Drizzle's journal keeps what is committed.

Problem: Drizzle's runner compares `when` of the journal with that of the newest migration in the database. Another
`when`, another tag, or an entry that is gone makes it pass something over, or apply it again. From the newest snapshot
in `meta` its generator works out what has changed, so an older one that is edited makes it write wrong SQL.

Solution: entries of committed migrations stay as they are (`idx`, `tag`, `when`, `breakpoints`), and so do their
snapshots. `isthmus schema renumber` changes those of migrations that no base has.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking, Side
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.journal import Entry, JournalFault, read_journal
from isthmus.govern.migrations.names import JOURNAL, snapshot_number
from isthmus.govern.repository.differences import back_from, how_changed
from isthmus.govern.repository.tree import Blob
from isthmus.govern.rules.rule import Rule


def _find(checking: Checking) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    for side in (checking.parted, checking.head, *checking.merging):
        if side is None:
            continue
        for what, found in (*_entries(checking, side), *_snapshots(checking, side)):
            if (found.file, what) not in told:
                told.add((found.file, what))
                yield found


def _entries(checking: Checking, side: Side) -> Iterator[tuple[str, Finding]]:
    path = f"{checking.now.path}/{JOURNAL}"
    back = f"Put the entry back as it is in {side.name}."
    before = _read(checking, side.folder.journal)
    if before and checking.now.journal is None:
        message = f"The journal is committed in {side.name} and was deleted."
        yield "", Finding(path, 0, RULE.name, message, f"{back_from(side.name, path)}.")
        return
    now = {one.tag: one for one in _read(checking, checking.now.journal) or ()}
    if not now:
        return  # the rule `journal` says that it cannot be read, or lacks every entry
    for one in before or ():
        if one.tag in checking.renumbered:
            continue
        other = now.get(one.tag)
        if other is None:
            yield one.tag, Finding(path, 0, RULE.name, f"{one.tag} had an entry in {side.name}.", back)
            continue
        pairs = [("breakpoints", one.breakpoints, other.breakpoints)]
        if not _may_move(checking, one.tag):
            pairs += [("idx", one.idx, other.idx), ("when", one.when, other.when)]
        for name, was, is_now in pairs:
            if was != is_now:
                message = f"`{name}` of {one.tag} was {_said(was)} in {side.name} and is {_said(is_now)}."
                yield f"{one.tag} {name}", Finding(path, other.line, RULE.name, message, back)


def _may_move(checking: Checking, tag: str) -> bool:
    """Tell whether an entry may come later: a base is known that has it not, or another branch is merged before it."""
    if checking.based:
        return not any(tag in side.folder.migrations for side in checking.based)
    return bool(checking.merging) and not all(tag in side.folder.migrations for side in checking.merging)


def _snapshots(checking: Checking, side: Side) -> Iterator[tuple[str, Finding]]:
    moved = {one.partition("_")[0] for one in checking.renumbered}
    there = {one.path for one in side.folder.exempt.values()}
    for inside, blob in side.folder.exempt.items():
        number = snapshot_number(inside)
        how = how_changed(blob, checking.tree, there) if number is not None else None
        if how is None or number in moved:
            continue
        hint = f"{back_from(side.name, blob.path)}."
        yield inside, Finding(blob.path, 0, RULE.name, f"It is committed in {side.name} and {how}.", hint)


def _read(checking: Checking, journal: Blob | None) -> list[Entry] | None:
    text = checking.text(journal)
    try:
        return None if text is None else read_journal(text)
    except JournalFault:
        return None


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "not there" if value is None else str(value)


RULE = Rule("journal-unchanged", _find)
