"""Nothing stands in a migration that its transaction cannot hold.

Problem: a COMMIT inside of a migration ends the transaction that was to make it whole, so that a failure leaves half
of it; an index that is built CONCURRENTLY, VACUUM and their like are refused inside of one, and the deployment stops
there. A new value of an enum cannot be used in the transaction that adds it.

Solution: leave BEGIN, COMMIT and ROLLBACK out. What cannot run inside of a transaction stands in a migration of its own
with `-- Transaction: none`, and nothing else with it: it is executed statement by statement, each kept for itself.
What uses a new enum value comes in a migration behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.transactions import misplaced


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        if header is None or one.sql is None:
            continue
        whole = header.value("Transaction") != "none"
        for found in misplaced(checking.statements(one), in_transaction=whole):
            yield Finding(one.sql.path, found.line, RULE.name, found.message, found.hint)


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
