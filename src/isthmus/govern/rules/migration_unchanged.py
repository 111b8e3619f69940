"""What is committed is never changed.

Problem: a migration that was applied somewhere is not applied again. Whoever edits, renames or deletes one has two
databases that differ, and a history that says they are the same.

Solution: write a new migration that changes what the old one made. What is in HEAD, in the base, or applied stays as it
is: its text, its name, its mode, and that it is a plain file. Where a base is named, a migration that only the branch
has may be given a later number (`isthmus schema renumber`), and nothing else of it may change.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.repository.tree import EXECUTABLE, FILE, LINK, MODULE, Blob
from isthmus.govern.rules.rule import Rule

_HINT = "Put it back (git checkout HEAD -- FILE), and write what should change as a new migration."
_KINDS = {LINK: "a symbolic link", MODULE: "a submodule", EXECUTABLE: "executable", FILE: "a plain file"}


def _find(checking: Checking) -> Iterator[Finding]:
    held = checking.tree.blobs
    told: set[str] = set()
    for side in (checking.parted, checking.head):
        if side is None:
            continue
        for one in side.folder.migrations.values():
            if side is checking.head and checking.parted is not None and _is_renumbered(checking, one):
                continue
            for blob in one.blobs:
                now = held.get(blob.path)
                if now != blob and blob.path not in told:
                    told.add(blob.path)
                    how = _deleted(checking, blob) if now is None else _changed(blob, now)
                    yield Finding(blob.path, 0, RULE.name, f"It is committed in {side.name} and {how}.", _HINT)


def _deleted(checking: Checking, blob: Blob) -> str:
    moved = [path for path, one in checking.tree.blobs.items() if one.oid == blob.oid and path != blob.path]
    return f"was renamed to {moved[0]}" if len(moved) == 1 else "was deleted"


def _changed(before: Blob, now: Blob) -> str:
    if now.mode != before.mode and now.mode in {LINK, MODULE}:
        return f"was replaced by {_KINDS[now.mode]}"
    if now.oid != before.oid:
        return "was edited"
    return f"is {_KINDS.get(now.mode, now.mode)} now, and was {_KINDS.get(before.mode, before.mode)}"


def _is_renumbered(checking: Checking, one: Migration) -> bool:
    """Tell whether a migration that only this branch has was given a later number, and nothing else of it changed."""
    sides = [side for side in (checking.parted, checking.tip) if side is not None]
    if one.name is None or any(one.text in side.folder.migrations for side in sides):
        return False
    for other in checking.new:
        same = [blob.oid for blob in other.blobs] == [blob.oid for blob in one.blobs]
        if other.name is not None and other.name.words == one.name.words and same:
            return other.name.order > one.name.order and one.text not in checking.now.migrations
    return False


RULE = Rule("migration-unchanged", _find)
