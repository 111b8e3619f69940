"""Every glob of the settings finds models.

Problem: with a misspelt folder in the settings no change is ever asked for, and every check passes.

Solution: each glob of `models` takes in a file that git holds, or one that was deleted now, or one that an entry is
about. Take a glob out of the settings when its last model is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    told = {path for one in checking.entries.values() for path in checking.names(one)}
    found = {glob for path in checking.ever | told for glob in checking.globs.matching(path)}
    for glob in checking.globs.positive:
        if glob not in found:
            message = f"The glob {glob} of changes.models takes in no file that git holds."
            hint = "Correct it, git add the models it is for, or take it out."
            yield Finding(checking.settings_file, 0, RULE.name, message, hint)


RULE = Rule("model-globs", _find)
