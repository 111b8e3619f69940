"""Entries are never changed once they are committed.

Problem: a log that can be rewritten says what somebody would have liked. An old entry that is edited for a new change
hides both.

Solution: write a new entry that says what is different now. What is in HEAD, in the base, or in a branch that is being
merged stays as it is: its text, its name, its mode, and that it is a plain file. `git reset --soft HEAD~1` takes a
commit back that nobody has yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.names import parse_entry_name
from isthmus.govern.findings import Finding
from isthmus.govern.repository.differences import back_from, how_changed
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    told: set[str] = set()
    for side in (checking.parted, checking.head, *checking.merging):
        if side is None:
            continue
        for blob in side.below(checking.entries_folder):
            name = blob.path.removeprefix(f"{checking.entries_folder}/")
            how = how_changed(blob, checking.now, side.blobs) if parse_entry_name(name) is not None else None
            if how is not None and blob.path not in told:
                told.add(blob.path)
                message = f"It is committed in {side.name} and {how}."
                hint = f"{back_from(side.name, blob.path)}, and write what is different now as a new entry."
                yield Finding(blob.path, 0, RULE.name, message, hint)


RULE = Rule("entry-unchanged", _find)
