"""Names of migrations have one form.

Problem: a runner sorts migrations by name and passes over what it does not know. A name in another form is applied at
another time than its author thinks, or never.

Solution: `YYYYMMDDHHMMSS_snake_case/migration.sql` in the layout `folders`, `NNNN_snake_case.sql` in the layout `flat`.
Words begin with a letter and have one underscore between them. Nothing else stands in the folder but what tools keep
there (`TEMPLATE.sql`, `migration_lock.toml`, `meta/`, `README.md`, `.gitkeep`), and what a rehearsal writes
(`schema.json`) or reads (`seed.sql`, `before.sql`).
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.names import FORMS, SQL_FILE
from isthmus.govern.rules.rule import Rule


def _find(checking: Checking) -> Iterator[Finding]:
    layout = checking.now.settings.layout
    form = FORMS[layout] + (f"/{SQL_FILE}" if layout == "folders" else ".sql")
    for one in checking.looked_at:
        if one.name is None:
            yield Finding(
                one.path,
                0,
                RULE.name,
                f"`{one.text}` is no name of a migration.",
                f"Name it {form}: lower-case words with one underscore between them.",
            )
    for blob in checking.now.strays:
        yield Finding(
            blob.path,
            0,
            RULE.name,
            "It is no migration, and no runner would look at it.",
            f"Name it {form}, or move it out of the folder.",
        )


RULE = Rule(
    "migration-name",
    _find,
    bad=("20260131120000_Add-Users/migration.sql", "-- Purpose: …"),
    good=("20260131120000_add_users/migration.sql", "-- Purpose: …"),
)
