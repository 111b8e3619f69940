"""An entry names the ticket where the change was decided.

Problem: `later`, or nothing, leads nowhere when somebody asks in a year why a field is gone.

Solution: `## Ticket` holds one ticket in the form that the settings name (`ticket`), alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    pattern = checking.settings.ticket
    for one in checking.looked_at:
        section = one.entry.section("Ticket") if one.entry is not None else None
        if section is not None and not re.fullmatch(pattern, section.value):
            line = section.lines[0].number if section.lines else section.line
            message = f"`{section.value}` is no ticket." if section.value else "It names no ticket."
            yield Finding(one.blob.path, line, RULE.name, message, f"Tickets have the form {pattern}.")


RULE = Rule(
    "entry-ticket",
    _find,
    bad=("changes/2026-02-28_user_add_email.md", "## Ticket\n\nlater\n"),
    good=("changes/2026-02-28_user_add_email.md", "## Ticket\n\nPANA-12\n"),
)
