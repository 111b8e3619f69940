"""What is said of data is true.

Problem: `Data Migration:` names a script that nobody committed, or says `None` above an UPDATE of every row. Whoever
plans the deployment reads that line.

Solution: `Data Migration:`, where given, is `None`; `Inline`, where the migration itself changes rows; or the path of a
script that git holds, from the root of the repository or from the folder of the settings.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.dependencies import INLINE, NONE, script_path
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.header import Field
from isthmus.govern.repository.tree import EXECUTABLE, FILE
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.statements import Statement

_CHANGING = frozenset({"UPDATE", "DELETE", "MERGE"})
_MAY_CHANGE = _CHANGING | {"INSERT", "TRUNCATE", "COPY", "SELECT", "WITH", "DO", "CALL", "EXECUTE"}


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        field = header.fields.get("Data Migration") if header is not None else None
        if field is not None and one.sql is not None:
            for line, message, hint in _wrong(checking, one, field):
                yield Finding(one.sql.path, line, RULE.name, message, hint)


def _wrong(checking: Checking, one: Migration, field: Field) -> Iterator[tuple[int, str, str]]:
    statements = checking.statements(one)
    if field.value == NONE:
        for found in statements:
            if _changes(found):
                message = f"{found.words[0]} changes rows, and the header says that no data is migrated."
                yield found.line, message, "Write `-- Data Migration: Inline`."
    elif field.value == INLINE:
        if not any(set(found.words) & _MAY_CHANGE or "USING" in _words(found) for found in statements):
            yield field.line, "No statement changes rows.", "Write `-- Data Migration: None`, or leave the line out."
    elif (path := script_path(field.value)) is None:
        yield field.line, "`Data Migration:` says nothing.", "Write None, Inline, or the path of a script."
    else:
        blob = checking.scripts.get(path)
        if blob is None:
            message = f"Git holds no file {path}."
            yield field.line, message, "git add the script, or write None or Inline."
        elif blob.mode not in {FILE, EXECUTABLE}:
            yield field.line, f"{path} is no plain file.", "Name a script."


def _changes(statement: Statement) -> bool:
    """Tell whether a statement changes rows that are there, or makes some of them."""
    head = statement.words[:1]
    if head == ("WITH",):
        return bool(_CHANGING & set(_words(statement)))
    return head[:1] in {(word,) for word in _CHANGING} or (head == ("INSERT",) and "FROM" in _words(statement))


def _words(statement: Statement) -> list[str]:
    return [one.word for one in statement.tokens]


RULE = Rule(
    "header-data-migration",
    _find,
    bad=(
        "0003_lower_case_mails.sql",
        (
            "-- Purpose: mails are compared in lower case\n-- Ticket: CRM-15\n-- Reversible: No\n"
            "-- Data Migration: None\n\nUPDATE users SET mail = lower(mail);\n"
        ),
    ),
    good=(
        "0003_lower_case_mails.sql",
        (
            "-- Purpose: mails are compared in lower case\n-- Ticket: CRM-15\n-- Reversible: No\n"
            "-- Data Migration: Inline\n\nUPDATE users SET mail = lower(mail);\n"
        ),
    ),
)
