"""The date of an entry is a day there was, and the one of its name.

Problem: `2026-02-30` is no day, and an entry of next year stands at the top of the log for a year.

Solution: `## Date` holds the day on which the entry was written, UTC, in the form `YYYY-MM-DD`, and the name begins
with the same one. It may be a day ahead, for clocks and zones differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.names import real_day
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule

_AHEAD = timedelta(days=1)
_FIRST = 2000
_HINT = "Write the day on which the entry is written (YYYY-MM-DD, UTC), here and in the name."


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        path = one.blob.path
        section = one.entry.section("Date") if one.entry is not None else None
        stated = [(0, one.name.day)] if one.name is not None else []
        stated += [(section.lines[0].number if section.lines else section.line, section.value)] if section else []
        for line, text in stated:
            day = real_day(text)
            if day is None or day.year < _FIRST:
                yield Finding(path, line, RULE.name, f"`{text}` is no day." if text else "It has no date.", _HINT)
            elif day > checking.today + _AHEAD:
                yield Finding(path, line, RULE.name, f"{text} lies in the future.", _HINT)
            elif line and one.name is not None and text != one.name.day:
                message = f"It says {text}, and its name {one.name.day}."
                yield Finding(path, line, RULE.name, message, _HINT)


RULE = Rule(
    "entry-date",
    _find,
    bad=("changes/2026-02-30_user_add_email.md", "## Date\n\nFebruary 30th\n"),
    good=("changes/2026-02-28_user_add_email.md", "## Date\n\n2026-02-28\n"),
)
