"""What a database has, the folder has as well, unchanged.

Problem: git knows what was committed, and not what was deployed from a branch, from a laptop, or before somebody wrote
history anew. A file that differs from what was applied makes another database out of nothing than the one in use.

Solution: `isthmus schema check --target TARGET` compares with the history of a database as well. Put the file back as
it was applied; give what is older than an applied one a new number (`isthmus schema renumber`).
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking, names_in
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.names import name_of, sql_path
from isthmus.govern.migrations.script import checksums
from isthmus.govern.rules.rule import Rule
from isthmus.govern.utf8 import text_of

_BACK = "Put the file back as it was applied, and write what should change as a new migration."


def _find(checking: Checking) -> Iterator[Finding]:
    applied = checking.applied or {}
    settings = checking.now.settings
    elsewhere = names_in(checking.based)
    for name, checksum in applied.items():
        one = checking.now.migrations.get(name)
        path = f"{checking.now.path}/{sql_path(name, settings.layout)}"
        if one is None or one.sql is None:
            if name not in elsewhere:
                yield Finding(path, 0, RULE.name, "It was applied to the target, and is gone.", _BACK)
        elif (raw := checking.texts.get(one.sql.oid)) is not None and not _is_text_of(raw, checksum):
            yield Finding(path, 0, RULE.name, "It was applied to the target with another text.", _BACK)
    names = [name for text in applied if (name := name_of(text, settings)) is not None]
    newest = max(names, key=lambda one: one.order, default=None)
    for one in checking.governed if newest is not None else ():
        if one.name is not None and one.text not in applied and newest is not None and one.name.order < newest.order:
            yield Finding(
                one.path,
                0,
                RULE.name,
                f"It comes before {newest.text}, which was applied to the target, and was not applied itself.",
                "isthmus schema renumber gives it a new number, where it is in no base.",
            )


def _is_text_of(raw: bytes, checksum: str) -> bool:
    """Tell whether a file is what was applied, whatever ends of lines it was applied with; as a deployer does."""
    text = text_of(raw)
    return text is not None and checksum in checksums(text)


RULE = Rule("migration-applied", _find)
