"""A migration is its SQL, as a plain file, and nothing else.

Problem: a folder without `migration.sql`, with `up.sql` instead, or with a link in its place is applied as nothing, or
as something that can change without anybody's doing.

Solution: one plain file with SQL in UTF-8, and beside it a `rollback.sql` where the rollback is long.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.names import ROLLBACK_FILE, SQL_FILE, sql_path
from isthmus.govern.repository.differences import KINDS
from isthmus.govern.repository.tree import EXECUTABLE, LINK, MODULE
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.statements import SqlFault
from isthmus.govern.utf8 import broken_line


def _find(checking: Checking) -> Iterator[Finding]:
    place = checking.tree.blobs.get(checking.now.path)
    if place is not None:
        message = f"The folder of migrations is {KINDS.get(place.mode, 'no folder')}: nothing in it is looked at."
        yield Finding(place.path, 0, RULE.name, message, "Make it a folder, or name the one that holds them.")
    for one in checking.looked_at:
        if one.sql is None:
            path = f"{checking.now.path}/{sql_path(one.text, checking.now.settings.layout)}"
            yield Finding(path, 0, RULE.name, "The migration has no SQL.", f"Write {SQL_FILE}, or remove its folder.")
        for blob in one.others:
            yield Finding(
                blob.path,
                0,
                RULE.name,
                "No runner looks at this file.",
                f"A migration is {SQL_FILE}, with {ROLLBACK_FILE} beside it where one is needed.",
            )
        for blob in (one.sql, one.rollback):
            if blob is not None and blob.mode in {LINK, MODULE, EXECUTABLE}:
                yield Finding(
                    blob.path, 0, RULE.name, f"It is {KINDS[blob.mode]}, and no plain file.", "Make it a plain file."
                )
        yield from _texts(checking, one)


def _texts(checking: Checking, one: Migration) -> Iterator[Finding]:
    for blob in (one.sql, one.rollback):
        if blob is None or blob.mode in {LINK, MODULE} or blob.oid not in checking.texts:
            continue
        text = checking.text(blob)
        if text is None:
            line = broken_line(checking.texts[blob.oid])
            yield Finding(blob.path, line, RULE.name, "It is not UTF-8.", "Save it as UTF-8.")
            continue
        found = checking.split(blob)
        if isinstance(found, SqlFault):
            yield Finding(blob.path, found.line, RULE.name, f"Its SQL does not end: {found}.", "Close it.")
        elif not found:
            hint = "Write one; SELECT 1; is one that changes nothing."
            yield Finding(blob.path, 0, RULE.name, "It holds no statement.", hint)


RULE = Rule("migration-files", _find)
