"""The digits of a name are a real instant, and not one to come.

Problem: `20260231120000` is no day; `99999999999999` sorts behind everything that will ever be written, so that every
later migration would be out of order.

Solution: the instant at which the migration was written, UTC. `isthmus schema new` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.names import instant
from isthmus.govern.rules.rule import Rule

_AHEAD = timedelta(days=1)
"""Clocks and zones may be so far apart."""
_FIRST = 2000


def _find(checking: Checking) -> Iterator[Finding]:
    if checking.now.settings.layout != "folders":
        return
    for one in checking.looked_at:
        if one.name is None:
            continue
        at = instant(one.name.number)
        hint = "Rename it with the instant at which it is written (YYYYMMDDHHMMSS, UTC)."
        if at is None or at.year < _FIRST:
            yield Finding(one.path, 0, RULE.name, f"{one.name.number} is no date and time.", hint)
        elif at > checking.today + _AHEAD:
            yield Finding(
                one.path, 0, RULE.name, f"{at:%Y-%m-%d %H:%M:%S} lies in the future: nothing could come after it.", hint
            )


RULE = Rule(
    "migration-time",
    _find,
    bad=("20260231120000_add_users/migration.sql", "-- Purpose: …"),
    good=("20260228120000_add_users/migration.sql", "-- Purpose: …"),
)
