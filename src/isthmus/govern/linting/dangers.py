"""Which of squawk's rules are about danger: long locks, tables written anew, failing on rows, losing them. Pure.

Its other rules are opinions of style (`prefer-text-field`, `prefer-bigint-over-int`), are about files that are run
again by hand (`prefer-robust-stmts`), about what the deployer does itself (`require-lock-timeout`), about what the rule
`transaction` asks, or about clients of a schema (`ban-drop-column`, `renaming-column`), which a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass

SYNTAX = "syntax-error"
REWRITE = "table-rewrite"
"""What isthmus finds itself, see `sql/rewrites.py`."""


@dataclass(frozen=True)
class Danger:
    """A rule of squawk.

    Attributes:
        name: What it is called there.
        sample: A statement that it must find; by it an installed squawk is tried.
        hint: What to do, where squawk does not say.
    """

    name: str
    sample: str
    hint: str


DANGERS: tuple[Danger, ...] = (
    Danger(
        "require-concurrent-index-creation",
        "CREATE INDEX i ON t (a);",
        "Write CREATE INDEX CONCURRENTLY, with `-- Transaction: none` in the header.",
    ),
    Danger(
        "require-concurrent-index-deletion",
        "DROP INDEX i;",
        "Write DROP INDEX CONCURRENTLY, with `-- Transaction: none` in the header.",
    ),
    Danger(
        "require-concurrent-reindex",
        "REINDEX TABLE t;",
        "Write REINDEX … CONCURRENTLY, with `-- Transaction: none` in the header.",
    ),
    Danger(
        "require-concurrent-partition-detach",
        "ALTER TABLE t DETACH PARTITION p;",
        "Write DETACH PARTITION … CONCURRENTLY, with `-- Transaction: none` in the header.",
    ),
    Danger(
        "adding-required-field",
        "ALTER TABLE t ADD COLUMN b bigint NOT NULL;",
        "Give it a default, or add it without NOT NULL, fill it in, and then set NOT NULL.",
    ),
    Danger(
        "adding-not-nullable-field",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
        "Add CHECK (… IS NOT NULL) NOT VALID, validate it in a migration behind this one, and set NOT NULL then.",
    ),
    Danger(
        "adding-field-with-default",
        "ALTER TABLE t ADD COLUMN c timestamptz DEFAULT clock_timestamp();",
        "Add the column without a default, set the default, and fill in what is there in parts.",
    ),
    Danger(
        "adding-serial-primary-key-field",
        "ALTER TABLE t ADD PRIMARY KEY (a);",
        "Make a unique index CONCURRENTLY, and the key by ADD PRIMARY KEY USING INDEX.",
    ),
    Danger(
        "changing-column-type",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
        "Add a column of the new type, fill it in parts, and let the application change over.",
    ),
    Danger(
        "disallowed-unique-constraint",
        "ALTER TABLE t ADD UNIQUE (a);",
        "Make a unique index CONCURRENTLY, and the constraint by ADD CONSTRAINT … UNIQUE USING INDEX.",
    ),
    Danger(
        "constraint-missing-not-valid",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);",
        "Add it as NOT VALID, and validate it in a migration behind this one.",
    ),
    Danger(
        "adding-foreign-key-constraint",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id);",
        "Add it as NOT VALID, and validate it in a migration behind this one.",
    ),
    Danger(
        "ban-alter-domain-with-add-constraint",
        "ALTER DOMAIN d ADD CONSTRAINT e CHECK (VALUE > 0);",
        "Add a constraint to each table instead, as NOT VALID.",
    ),
    Danger(
        "ban-truncate-cascade",
        "TRUNCATE t CASCADE;",
        "Name every table that is to be emptied.",
    ),
    Danger("ban-drop-database", "DROP DATABASE x;", "No migration of a schema needs it."),
)
NAMES = frozenset({SYNTAX, REWRITE, *(one.name for one in DANGERS)})
"""What can be switched off as `dangerous-ddl/NAME`."""
