"""Nothing new locks, rewrites or loses a table that is in use.

Problem: a statement that takes a moment on a laptop keeps everybody waiting on a large table: an index that is built
without CONCURRENTLY, a type that changes, a foreign key that is validated at once, NOT NULL without a default.

Solution: make it in steps that hold no lock for long, each a migration of its own; the hints say which. Statements on
tables that the same migration makes are free, or an older one that is new as well: that no base has, or, where none is
known, HEAD; of `CREATE TABLE IF NOT EXISTS` nobody knows whether it makes one. New migrations alone are looked at, as
squawk sees them, which is asked where it is installed (`pip install squawk-cli`); what it does not see, such as SQL
inside of DO blocks and functions, is not found.

These of its rules are about danger, and count: `require-concurrent-index-creation`,
`require-concurrent-index-deletion`, `require-concurrent-reindex`, `require-concurrent-partition-detach`,
`adding-required-field`, `adding-not-nullable-field`, `adding-field-with-default`, `adding-serial-primary-key-field`,
`changing-column-type`, `disallowed-unique-constraint`, `constraint-missing-not-valid`, `adding-foreign-key-constraint`,
`ban-alter-domain-with-add-constraint`, `ban-truncate-cascade`, `ban-drop-database`, and `syntax-error`, for what cannot
be read is not looked at. `table-rewrite` is Isthmus's own: VACUUM FULL, CLUSTER, SET LOGGED, SET UNLOGGED, SET
TABLESPACE, SET ACCESS METHOD, and new serial and identity columns.

Its other rules are left out. They are opinions of style (`prefer-text-field`, `prefer-bigint-over-int`,
`prefer-identity`, `prefer-timestamp-tz`, `ban-char-field`), ask for SQL that may be run twice, which a deployer with a
history does not need (`prefer-robust-stmts`), for limits that the deployer sets (`require-lock-timeout`,
`require-statement-timeout`), or what the rule `transaction` asks; or they forbid what changes a schema for its clients
(`ban-drop-column`, `ban-drop-table`, `renaming-column` …), which no tool can judge: `Reversible:` says what it costs.

One of them is switched off with `off = {"dangerous-ddl/changing-column-type" = "the tables are small"}`. Comments to
squawk and its own settings file count for nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.linting.dangers import DANGERS, REWRITE, SYNTAX
from isthmus.govern.linting.report import Said
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.rules.rule import Rule
from isthmus.govern.sql.rewrites import rewrite
from isthmus.govern.sql.statements import Statement
from isthmus.govern.sql.tables import made_tables, touched_table

_HINTS = {one.name: one.hint for one in DANGERS}
_NOT_VALID = "constraint-missing-not-valid"
_MORE_EXACT = frozenset(
    {"adding-foreign-key-constraint", "disallowed-unique-constraint", "adding-serial-primary-key-field"}
)


def _find(checking: Checking) -> Iterator[Finding]:
    new = {one.text for one in checking.new}
    made: dict[str, int] = {}
    for one in checking.own:
        statements = checking.statements(one)
        there = made_tables(statements, made)
        if one.text not in (checking.applied or ()):
            made = there
        if one.sql is None or one.text not in new:
            continue
        for name, line, message, hint in [*_said(checking, one, there), *_rewrites(statements, there)]:
            if f"{RULE.name}/{name}" not in checking.now.settings.off:
                yield Finding(one.sql.path, line, f"{RULE.name}/{name}", message, hint)


def _said(checking: Checking, one: Migration, made: Mapping[str, int]) -> Iterator[tuple[str, int, str, str]]:
    said = checking.lint.files.get(one.sql.path, ()) if checking.lint is not None and one.sql is not None else ()
    text = checking.text(one.sql) or ""
    for broken in [found for found in said if found.name == SYNTAX][:1]:
        yield (
            SYNTAX,
            broken.line,
            f"squawk cannot read it from here: {broken.message}.",
            "Correct it; where the server takes it as it is, switch dangerous-ddl/syntax-error off with a reason.",
        )
    statements = checking.statements(one)
    starts = _starts(statements, text) if said else []
    for found in said:
        place = bisect_right(starts, found.start) - 1
        free = place >= 0 and _is_made_before(statements[place], place, made)
        if found.name in _HINTS and not _is_told_better(found, said) and not free:
            yield found.name, found.line, found.message, found.help or _HINTS[found.name]


def _is_told_better(found: Said, said: Sequence[Said]) -> bool:
    return found.name == _NOT_VALID and any(
        other.name in _MORE_EXACT and found.start <= other.start < found.end for other in said
    )


def _starts(statements: Sequence[Statement], text: str) -> list[int]:
    """Return where statements begin, in bytes as a linter counts them."""
    plain = text.removeprefix("\ufeff")
    starts = [0, *(one.start for one in statements)]
    return list(accumulate(len(plain[start:end].encode()) for start, end in pairwise(starts)))


def _is_made_before(statement: Statement, place: int, made: Mapping[str, int]) -> bool:
    """Tell whether a statement is about a table that was made before it, in this migration or in one before that
    nobody has."""
    table = touched_table(statement)
    return table is not None and made.get(table, place) < place


def _rewrites(statements: Sequence[Statement], made: Mapping[str, int]) -> Iterator[tuple[str, int, str, str]]:
    for place, one in enumerate(statements):
        what = rewrite(one)
        if what is not None and not _is_made_before(one, place, made):
            yield (
                REWRITE,
                one.line,
                f"{what[:1].upper()}{what[1:]} writes the whole table anew, and nobody may read it meanwhile.",
                "Do it in steps that hold no lock for long, or at a time of its own with the application stopped.",
            )


RULE = Rule(
    "dangerous-ddl",
    _find,
    bad=(
        "0002_mails_in_order.sql",
        (
            "-- Purpose: look users up by mail\n-- Ticket: CRM-13\n-- Reversible: Yes\n"
            "-- Rollback: DROP INDEX users_mail;\n\nCREATE INDEX users_mail ON users (mail);\n"
        ),
    ),
    good=(
        "0002_mails_in_order.sql",
        (
            "-- Purpose: look users up by mail\n-- Ticket: CRM-13\n-- Reversible: Yes\n"
            "-- Rollback: DROP INDEX CONCURRENTLY users_mail;\n-- Transaction: none\n\n"
            "CREATE INDEX CONCURRENTLY users_mail ON users (mail);\n"
        ),
    ),
)
