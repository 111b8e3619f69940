"""CHANGELOG.md is what the entries make it.

Problem: a summary written by hand lacks the entries that were forgotten, and two branches write it in two ways.

Solution: `isthmus changes log` writes it, the newest entry first, and `isthmus changes new` does so too. After a merge
write it anew; where it is in conflict, that settles the conflict.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking, EntryFile
from isthmus.govern.changes.log import Noted, named_in, render_log
from isthmus.govern.changes.names import LOG
from isthmus.govern.findings import Finding
from isthmus.govern.repository.tree import FILE
from isthmus.govern.rules.rule import Rule

_HINT = "isthmus changes log writes it; then git add it, with every entry."


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    entries = [Noted(one.blob.path.rpartition("/")[2], one.entry) for one in _named(checking)]
    path = f"{checking.folder}/{LOG}"
    blob = checking.now.blobs.get(path)
    if not entries:
        return
    if blob is None:
        yield Finding(path, 0, RULE.name, "It is missing.", _HINT)
        return
    written = checking.text(blob)
    if blob.mode != FILE or written is None:
        yield Finding(path, 0, RULE.name, "It is no plain file of text.", _HINT)
        return
    made = render_log(entries)
    if written != made:
        names, stated = {one.name for one in entries}, named_in(written)
        lacking, more = sorted(names - stated), sorted(stated - names)
        what = f"It lacks {', '.join(lacking)}. " if lacking else ""
        what += f"It names {', '.join(more)}, which git does not hold. " if more else ""
        line = next(
            (
                n
                for n, (one, two) in enumerate(zip(written.split("\n"), made.split("\n"), strict=False), 1)
                if one != two
            ),
            0,
        )
        yield Finding(path, line, RULE.name, (what or "It is not what the entries make it.").strip(), _HINT)


def _named(checking: ChangesChecking) -> list[EntryFile]:
    return [one for one in checking.entries.values() if one.name is not None]


RULE = Rule("change-log", _find)
