"""What to do about a model without an entry. Pure."""

from __future__ import annotations

import shlex

from isthmus.govern.changes.checking import ChangesChecking


def write_entry(checking: ChangesChecking, path: str) -> str:
    """Return the command that writes an entry for a model."""
    return (
        f'isthmus changes new {shlex.quote(checking.of_project(path))} "what changed", then git add all that it names.'
    )
