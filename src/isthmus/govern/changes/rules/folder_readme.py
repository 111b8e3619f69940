"""Beside the entries stands what they are.

Problem: whoever finds the folder does not know what asks for its files, nor how to write one.

Solution: a `README.md`, which `isthmus changes new` writes with the first entry. What it says is free.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.names import README
from isthmus.govern.findings import Finding
from isthmus.govern.repository.tree import FILE
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    path = f"{checking.folder}/{README}"
    blob = checking.now.blobs.get(path)
    said = (checking.text(blob) or "").strip()
    if checking.entries and (blob is None or blob.mode != FILE or not said):
        what = "It is missing." if blob is None else "It says nothing."
        yield Finding(path, 0, RULE.name, what, "isthmus changes log writes one where there is none; git add it.")


RULE = Rule("folder-readme", _find)
