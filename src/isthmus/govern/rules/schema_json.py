"""Where a folder has `schema.json`, it stays, and it knows every migration as it is.

Problem: `schema.json` says which tables and columns there are, and other checks believe it. One that was written before
the last migration says what is no longer true. It is written only when the rehearsal found nothing against the
migrations, so that a fresh one also says that their rollbacks were tried.

Solution: run `isthmus schema rehearse` when a migration or its rollback is new or was changed, and commit what it
writes. Compared are names and checksums of all migrations of the index; no database is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.names import SCHEMA_FILE
from isthmus.govern.repository.tree import LINK, MODULE, Blob
from isthmus.govern.rules.rule import Rule
from isthmus.govern.schema_json import SchemaJsonFault, checksum_of, read_schema_json

_HINT = "Run isthmus schema rehearse, and git add what it writes."


def _find(checking: Checking) -> Iterator[Finding]:
    path = f"{checking.now.path}/{SCHEMA_FILE}"
    blob = checking.now.exempt.get(SCHEMA_FILE)
    if blob is None:
        for side in (checking.parted, checking.head):
            if side is not None and SCHEMA_FILE in side.folder.exempt:
                message = f"It is in {side.name} and was deleted."
                yield Finding(path, 0, RULE.name, message, f"Put it back (git checkout HEAD -- {path}).")
                return
        return
    for line, message in _wrong(checking, blob):
        yield Finding(path, line, RULE.name, message, _HINT)


def _wrong(checking: Checking, blob: Blob) -> Iterator[tuple[int, str]]:
    if blob.mode in {LINK, MODULE}:
        yield 0, "It is no plain file."
        return
    text = checking.text(blob) or ""
    try:
        known = read_schema_json(text).migrations
    except SchemaJsonFault as fault:
        yield 0, f"It cannot be read: {fault}."
        return
    there = {one.text: one for one in checking.now.named}
    for name, checksum in known.items():
        line = text.count("\n", 0, max(text.find(f'"{name}"'), 0)) + 1
        if name not in there:
            yield line, f"It knows {name}, which there is not."
        elif (now := _checksum(checking, there[name])) is not None and now != checksum:
            yield line, f"{name} was changed since it was rehearsed."
    for name in there:
        if name not in known:
            yield 0, f"It does not know {name}, which was not rehearsed yet."


def _checksum(checking: Checking, one: Migration) -> str | None:
    """Return the checksum of a migration in the index; None where its text was not read, or is none."""
    sql, rollback = checking.text(one.sql), checking.text(one.rollback)
    if sql is None or (one.rollback is not None and rollback is None):
        return None
    return checksum_of(sql, rollback)


RULE = Rule("schema-json", _find)
