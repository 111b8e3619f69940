"""An entry is a plain file of text.

Problem: a link, a submodule or bytes that are no text can say something else tomorrow, or nothing.

Solution: Markdown in UTF-8, as a plain file.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.findings import Finding
from isthmus.govern.repository.differences import KINDS
from isthmus.govern.repository.tree import FILE
from isthmus.govern.rules.rule import Rule
from isthmus.govern.utf8 import broken_line


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        path, mode = one.blob.path, one.blob.mode
        if mode != FILE:
            message = f"It is {KINDS.get(mode, mode)}, and no plain file."
            yield Finding(path, 0, RULE.name, message, "Make it a plain file.")
        elif one.entry is None:
            line = broken_line(checking.texts.get(one.blob.oid, b""))
            yield Finding(path, line, RULE.name, "It is not UTF-8.", "Save it as UTF-8.")


RULE = Rule("entry-file", _find)
