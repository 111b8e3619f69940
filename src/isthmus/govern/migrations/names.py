"""Names of migrations in both layouts, and which files of a folder are none.

`folders` is Prisma's layout (`prisma/migrations/20260131120000_add_users/migration.sql`), `flat` is Drizzle's
(`drizzle/0007_add_users.sql`, with a journal in `drizzle/meta`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from isthmus.govern.settings import Layout, SchemaSettings

SQL_FILE = "migration.sql"
ROLLBACK_FILE = "rollback.sql"
SCHEMA_FILE = "schema.json"
SEED_FILE = "seed.sql"
BEFORE_FILE = "before.sql"
JOURNAL = "meta/_journal.json"
_SNAPSHOT = re.compile(r"meta/([0-9]{4})_snapshot\.json")
_WORDS = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_NAMES: dict[Layout, re.Pattern[str]] = {
    "folders": re.compile(rf"([0-9]{{14}})_({_WORDS})"),
    "flat": re.compile(rf"([0-9]{{4}})_({_WORDS})"),
}
FORMS: dict[Layout, str] = {"folders": "YYYYMMDDHHMMSS_snake_case", "flat": "NNNN_snake_case"}
_EARLIER = re.compile(r"([0-9]{1,20})[_-](.+)")
"""What other runners take for a name: `0_init`, `20240101000000-AddUsers`."""
_EXEMPT = frozenset(
    {"TEMPLATE.sql", "migration_lock.toml", "README.md", ".gitkeep", SCHEMA_FILE, SEED_FILE, BEFORE_FILE}
)
_MOST_BYTES = 200
"""Longer names are no file names everywhere (most file systems end at 255 bytes)."""


@dataclass(frozen=True)
class Name:
    """The name of a migration, taken apart.

    Attributes:
        text: All of it, without `.sql`.
        number: Its digits.
        words: The rest.
    """

    text: str
    number: str
    words: str

    @property
    def order(self) -> tuple[int, str]:
        """What migrations are sorted by: as every runner does, the number first."""
        return int(self.number), self.text


def parse_name(text: str, layout: Layout) -> Name | None:
    """Take a name apart; None where it has not the form of its layout."""
    found = _NAMES[layout].fullmatch(text)
    return Name(text, found[1], found[2]) if found and len(text.encode()) <= _MOST_BYTES else None


def baseline_of(settings: SchemaSettings) -> Name | None:
    """Return the name of the last migration that was there before Isthmus; None where none is stated, or it is none."""
    stated = settings.baseline
    return None if stated is None else parse_name(stated, settings.layout) or _earlier(stated)


def name_of(text: str, settings: SchemaSettings) -> Name | None:
    """Take a name apart; up to the baseline it may have any form in which a number comes first."""
    found = parse_name(text, settings.layout)
    if found is not None:
        return found
    baseline, earlier = baseline_of(settings), _earlier(text)
    return earlier if baseline is not None and earlier is not None and earlier.order <= baseline.order else None


def is_earlier(name: Name, settings: SchemaSettings) -> bool:
    """Tell whether a migration was there before Isthmus: it is the baseline, or comes before it."""
    baseline = baseline_of(settings)
    return baseline is not None and name.order <= baseline.order


def _earlier(text: str) -> Name | None:
    found = _EARLIER.fullmatch(text)
    return Name(text, found[1], found[2]) if found else None


def instant(number: str) -> datetime | None:
    """Return the instant that 14 digits name, without zone; None where there is none such, as of 31 February."""
    try:
        return datetime.strptime(number, "%Y%m%d%H%M%S")  # noqa: DTZ007  names have no zone
    except ValueError:
        return None


def is_exempt(inside: str, layout: Layout) -> bool:
    """Tell whether a file is none of the migrations' own.

    Args:
        inside: Its path from the folder of migrations.
        layout: Of the folder.
    """
    return inside in _EXEMPT or (layout == "flat" and inside.startswith("meta/"))


def owner(inside: str, layout: Layout) -> str | None:
    """Return the text that must be the name of the migration which a file belongs to.

    None where a file stands where none of a migration can: beside the folders, or in a folder of the flat layout.
    """
    head, _, rest = inside.partition("/")
    if layout == "folders":
        return head if rest else None
    if rest or not head.endswith(".sql"):
        return None
    return head.removesuffix(".sql").removesuffix(".rollback")


def sql_path(name: str, layout: Layout) -> str:
    """Return where the SQL of a migration stands, from the folder of migrations."""
    return f"{name}/{SQL_FILE}" if layout == "folders" else f"{name}.sql"


def rollback_path(name: str, layout: Layout) -> str:
    """Return where a rollback of its own file stands, from the folder of migrations."""
    return f"{name}/{ROLLBACK_FILE}" if layout == "folders" else f"{name}.rollback.sql"


def snapshot_number(inside: str) -> str | None:
    """Return the number of the migration that a file of Drizzle's belongs to, which shows the schema behind it.

    Args:
        inside: Its path from the folder of migrations.

    Returns:
        None where it is no such file.
    """
    found = _SNAPSHOT.fullmatch(inside)
    return found[1] if found else None


def snapshot_path(number: str) -> str:
    """Return where the snapshot behind a migration stands, from the folder of migrations."""
    return f"meta/{number}_snapshot.json"
