"""What became of a committed file: nothing, or what a person would call it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Container

from isthmus.govern.repository.tree import EXECUTABLE, FILE, LINK, MODULE, Blob, Tree

KINDS = {LINK: "a symbolic link", MODULE: "a submodule", EXECUTABLE: "executable", FILE: "a plain file"}


def how_changed(before: Blob, now: Tree, there: Container[str]) -> str | None:
    """Say what became of a file: `was edited`, `was renamed to …`; None where it stands as it was.

    Args:
        before: The file as it is committed.
        now: The tree it should stand in.
        there: Paths that were there with it: nothing was renamed to one of them.
    """
    found = now.blobs.get(before.path)
    if found == before:
        return None
    if found is None:
        moved = [path for path, one in now.blobs.items() if one.oid == before.oid and path not in there]
        return f"was renamed to {moved[0]}" if len(moved) == 1 else "was deleted"
    if found.mode != before.mode and found.mode in {LINK, MODULE}:
        return f"was replaced by {KINDS[found.mode]}"
    if found.oid != before.oid:
        return "was edited"
    return f"is {KINDS.get(found.mode, found.mode)} now, and was {KINDS.get(before.mode, before.mode)}"


def back_from(revision: str, path: str) -> str:
    """Say how to put a file back as it is in a commit, without a full stop."""
    return f"Put it back (git checkout {shlex.quote(revision)} -- {shlex.quote(path)})"
