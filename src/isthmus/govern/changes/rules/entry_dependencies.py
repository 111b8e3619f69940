"""What an entry needs of PostgreSQL has one form.

Problem: a document that points at a row needs the table to be there first. Said in prose nobody can check it.

Solution: below `## PostgreSQL Dependencies` bullets of the form `- **Required Migration**: …`, `- **Table**: …` and `-
**Column**: …`, the column below its table, an indented line for a remark; or `None`. Whether they are true is asked by
`dependency-migration` and `dependency-table`.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.changes.checking import ChangesChecking
from isthmus.govern.changes.dependencies import FORM, read_dependencies
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule


def _find(checking: ChangesChecking) -> Iterator[Finding]:
    for one in checking.looked_at:
        section = one.entry.section("PostgreSQL Dependencies") if one.entry is not None else None
        if section is not None:
            for line, message in read_dependencies(section).faults:
                yield Finding(one.blob.path, line, RULE.name, message, f"Write {FORM}.")


RULE = Rule(
    "entry-dependencies",
    _find,
    bad=("changes/2026-02-28_profile_add_user.md", "## PostgreSQL Dependencies\n\nthe users table\n"),
    good=(
        "changes/2026-02-28_profile_add_user.md",
        (
            "## PostgreSQL Dependencies\n\n- **Required Migration**: 20260115093000_init_users_and_auth\n"
            "- **Table**: users\n- **Column**: id\n"
        ),
    ),
)
