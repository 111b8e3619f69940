"""What a header says must mean something.

Problem: an empty purpose, a ticket nobody finds, `Reversible: Maybe`, or `Yes` without a way back look like a header
and say nothing.

Solution: `Purpose` is a sentence; `Ticket` has the form that the settings name; `Reversible` is Yes, No or Partial;
`Rollback` has the SQL that undoes it where that is Yes or Partial; `Transaction`, where given, is `none` or `one`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.header import Field, Header
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.statements import SqlFault, split
from isthmus.govern.unwritten import says_nothing

REVERSIBLE = ("Yes", "No", "Partial")
TRANSACTIONS = ("one", "none")


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        if header is not None and one.sql is not None:
            for line, message, hint in _wrong(checking, one, header):
                yield Finding(one.sql.path, line, RULE.name, message, hint)


def _wrong(checking: Checking, one: Migration, header: Header) -> Iterator[tuple[int, str, str]]:
    fields = header.fields
    if (purpose := fields.get("Purpose")) and says_nothing(purpose.value):
        yield purpose.line, "`Purpose:` says nothing.", "Say in a sentence what the migration is for."
    ticket = checking.now.settings.ticket
    if (stated := fields.get("Ticket")) and not re.fullmatch(ticket, stated.value):
        yield stated.line, f"`{stated.value}` is no ticket.", f"Tickets have the form {ticket}."
    reversible = fields.get("Reversible")
    if reversible and reversible.value not in REVERSIBLE:
        words = ", ".join(REVERSIBLE)
        yield reversible.line, f"`Reversible: {reversible.value}` is none of {words}.", f"Write one of {words}."
    if reversible and reversible.value in {"Yes", "Partial"} and one.rollback is None:
        rollback = fields.get("Rollback")
        if rollback is None or says_nothing(rollback.value):
            yield (
                (rollback or reversible).line,
                f"It is reversible ({reversible.value}) and has no rollback.",
                "Write the SQL that undoes it behind `-- Rollback:` or into a rollback file, or `Reversible: No`.",
            )
        else:
            yield from _unended(rollback)
    transaction = fields.get("Transaction")
    if transaction and transaction.value not in TRANSACTIONS:
        yield (
            transaction.line,
            f"`Transaction: {transaction.value}` is none of {', '.join(TRANSACTIONS)}.",
            "Leave the line out for one transaction, or write `-- Transaction: none`.",
        )


def _unended(rollback: Field) -> Iterator[tuple[int, str, str]]:
    try:
        split(rollback.value)
    except SqlFault as fault:
        line = rollback.begins + fault.line - 1
        yield line, f"The rollback's SQL does not end: {fault}.", "Close it; a rollback is SQL, without other words."


RULE = Rule(
    "header-values",
    _find,
    bad=("0001_x.sql", "-- Purpose:\n-- Ticket: later\n-- Reversible: Maybe\n\nSELECT 1;\n"),
    good=("0001_x.sql", "-- Purpose: nothing but an example\n-- Ticket: N/A\n-- Reversible: No\n\nSELECT 1;\n"),
)
