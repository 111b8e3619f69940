"""Every migration says why it is there.

Problem: a year later nobody knows what a migration was for, which ticket it belongs to, or whether it can be undone.

Solution: its first 30 lines hold the fields `Purpose`, `Ticket` and `Reversible`, each as `-- Name: value`.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.header import HEADER_LINES, REQUIRED
from isthmus.govern.rules.rule import Rule


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        if header is None or one.sql is None:
            continue
        path = one.sql.path
        misspelt = {meant: (line, text) for line, text, meant in header.misspelt}
        late = {found.name: found for found in header.late}
        for name in REQUIRED:
            if name in header.fields:
                continue
            if name in late:
                message = f"`{name}:` stands behind line {HEADER_LINES}."
                yield Finding(path, late[name].line, RULE.name, message, "Move it to the top of the file.")
            elif name in misspelt:
                line, text = misspelt[name]
                yield Finding(path, line, RULE.name, f"`{text}` is not read.", f"Write `-- {name}: …`.")
            else:
                yield Finding(path, 1, RULE.name, f"The header has no `{name}:`.", f"Write `-- {name}: …` at the top.")
        for name, (line, text) in misspelt.items():
            if name not in REQUIRED and name not in header.fields:
                yield Finding(path, line, RULE.name, f"`{text}` is not read.", f"Write `-- {name}: …`.")
        for found in header.twice:
            message = f"`{found.name}:` stands twice; the first one is in line {header.fields[found.name].line}."
            yield Finding(path, found.line, RULE.name, message, "Keep one of them.")
        named = header.fields.get("Migration")
        if named is not None and named.value not in {"", one.text}:
            message = f"The header says that it is {named.value}, and it is {one.text}."
            yield Finding(path, named.line, RULE.name, message, "Correct the header, or leave the line out.")


RULE = Rule(
    "header-fields",
    _find,
    bad=("0001_add_users.sql", "CREATE TABLE users (id uuid PRIMARY KEY);\n"),
    good=(
        "0001_add_users.sql",
        (
            "-- Purpose: users of the CRM, with the ids of MongoDB\n-- Ticket: CRM-12\n-- Reversible: Yes\n"
            "-- Rollback: DROP TABLE users;\n\nCREATE TABLE users (id uuid PRIMARY KEY);\n"
        ),
    ),
)
