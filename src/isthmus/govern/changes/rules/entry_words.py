"""Every section says something.

Problem: an empty section, or one with `TODO` in it, looks like an entry and tells nothing about the documents that are
there already, how to go back, or what was tried.

Solution: write what is so. `None` is enough for fields and indexes that do not change and for data that need no
migration, but not for all four kinds of change at once, for then nothing changed: where only a comment did, say so
below Modified Fields. `Rollback` and `Testing` want a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.entry import WHAT_CHANGED, Entry
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule
from isthmus.govern.unwritten import says_nothing

_MAY_BE_NONE = (*WHAT_CHANGED, "Data Migration")
_SPEAKING = (*_MAY_BE_NONE, "Rollback", "Testing")
_LEFT = re.compile(r"[\W_]*(todo|tbd|fixme|xxx|<[^<>]+>)[\W_]*", re.IGNORECASE)


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        if one.entry is not None:
            for line, message, hint in _wrong(one.entry):
                yield Finding(one.blob.path, line, RULE.name, message, hint)


def _wrong(entry: Entry) -> Iterator[tuple[int, str, str]]:
    for name in _SPEAKING:
        section = entry.section(name)
        if section is None or (section.is_none and name in _MAY_BE_NONE):
            continue
        or_none = " or None" if name in _MAY_BE_NONE else ""
        if all(says_nothing(line.text) for line in section.lines):
            yield section.line, f"{name} says nothing.", f"Write what is so{or_none}."
            continue
        for line in section.lines:
            if not line.fenced and _LEFT.fullmatch(line.text):
                yield line.number, f"`{line.text.strip()}` is still to be written.", f"Write what is so{or_none}."
    kinds = [entry.section(name) for name in WHAT_CHANGED]
    changes = entry.section("Changes")
    renamed = entry.model is not None and entry.model.old is not None
    if changes is not None and not renamed and all(one is not None and one.is_none for one in kinds):
        yield changes.line, "It says that nothing changed.", "Say below Modified Fields what did, if only a comment."


RULE = Rule(
    "entry-words",
    _find,
    bad=("changes/2026-02-28_user_add_email.md", "## Rollback\n\nTODO\n\n## Testing\n"),
    good=(
        "changes/2026-02-28_user_add_email.md",
        (
            "## Rollback\n\nRemove the field; documents keep it, and nothing reads it.\n\n"
            "## Testing\n\nSaved and read back in the tests of the model.\n"
        ),
    ),
)
