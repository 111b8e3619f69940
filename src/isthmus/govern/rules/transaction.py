"""Nothing stands in a migration that its transaction cannot hold.

Problem: a COMMIT inside of a migration ends the transaction that was to make it whole, so that a failure leaves half
of it; an index that is built CONCURRENTLY, VACUUM and their like are refused inside of one, and the deployment stops
there. A new value of an enum cannot be used in the transaction that adds it.

Solution: leave BEGIN, COMMIT and ROLLBACK out. What cannot run inside of a transaction stands in a migration of its own
with `-- Transaction: none`, and nothing else with it: it is executed statement by statement, each kept for itself.
What uses a new enum value comes in a migration behind it. A rollback is applied as its migration is, so the same holds
for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.header import Header
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.statements import SqlFault, Statement, split
from isthmus.govern.sql.transactions import misplaced


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        if header is None or one.sql is None:
            continue
        whole = header.in_transaction
        for found in misplaced(checking.statements(one), in_transaction=whole):
            yield Finding(one.sql.path, found.line, RULE.name, found.message, found.hint)
        for path, line, statements in _rollbacks(checking, one, header):
            for found in misplaced(statements, in_transaction=whole):
                message = f"The rollback is applied as its migration is. {found.message}"
                yield Finding(path, line + found.line - 1, RULE.name, message, found.hint)


def _rollbacks(checking: Checking, one: Migration, header: Header) -> Iterator[tuple[str, int, Sequence[Statement]]]:
    """Yield path, line of the beginning and statements of what undoes a migration; that of its own file goes first."""
    field = header.fields.get("Rollback")
    if one.rollback is not None:
        found = checking.split(one.rollback)
        if not isinstance(found, SqlFault):
            yield one.rollback.path, 1, found
    elif field is not None and one.sql is not None and header.value("Reversible") in {"Yes", "Partial"}:
        with suppress(SqlFault):  # the rule `header-values` says so
            yield one.sql.path, field.begins, split(field.value)


RULE = Rule(
    "transaction",
    _find,
    bad=(
        "0002_index_mails.sql",
        (
            "-- Purpose: look users up by mail\n-- Ticket: CRM-13\n-- Reversible: No\n\n"
            "CREATE INDEX CONCURRENTLY users_mail ON users (mail);\n"
        ),
    ),
    good=(
        "0002_index_mails.sql",
        (
            "-- Purpose: look users up by mail\n-- Ticket: CRM-13\n-- Reversible: No\n-- Transaction: none\n\n"
            "CREATE INDEX CONCURRENTLY users_mail ON users (mail);\n"
        ),
    ),
)
