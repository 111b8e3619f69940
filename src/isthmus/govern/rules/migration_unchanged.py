"""What is committed is never changed.

Problem: a migration that was applied somewhere is not applied again. Whoever edits, renames or deletes one has two
databases that differ, and a history that says they are the same.

Solution: write a new migration that changes what the old one made. What is in HEAD, in the base, in a branch that is
being merged, or applied stays as it is: its text, its name, its mode, and that it is a plain file. Where the base is
known, a migration that only the branch has may be given a later number (`isthmus schema renumber`), which changes its
name and the lines of headers that name it, and nothing else. A folder that the settings of HEAD or of the base name
stays in the settings; it is given up in two commits, the first of which switches this rule off for it, with a reason.

A merged one that every database refuses was applied nowhere: it may be corrected or deleted in the commit in which the
settings excuse it, `off = {"migration-unchanged/0007_total" = "refused everywhere"}`. A deployer still refuses where a
database has it after all.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.repository.differences import back_from, how_changed
from isthmus.govern.rules.rule import Rule

_INSTEAD = "write what should change as a new migration."


def _find(checking: Checking) -> Iterator[Finding]:
    told: set[str] = set()
    sides = [side for side in (checking.parted, checking.head, *checking.merging) if side is not None]
    there = {path for side in sides for path in side.folder.blobs}
    for side in sides:
        for one in side.folder.migrations.values():
            if one.text in checking.renumbered:
                continue
            for blob in one.blobs:
                how = how_changed(blob, checking.tree, there)
                if how is not None and blob.path not in told:
                    told.add(blob.path)
                    hint = f"{back_from(side.name, blob.path)}, and {_INSTEAD}"
                    if side is checking.head and not checking.based and "renamed" in how:
                        hint += " A new number for one that only this branch has needs the base in the settings."
                    yield Finding(blob.path, 0, RULE.name, f"It is committed in {side.name} and {how}.", hint)


RULE = Rule("migration-unchanged", _find)
