"""Two small projects, one of each layout, with two committed migrations each."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from isthmus.govern.check import Checked, check_schemas
from isthmus.govern.settings import find_project
from tests.fix_git import Git

SETTINGS = '[schema]\nfolder = "prisma/migrations"\nticket = "PANA-[0-9]+|N/A"\n'
FLAT = '[schema]\nfolder = "drizzle"\nlayout = "flat"\nticket = "PANA-[0-9]+|N/A"\n'
SQL = (
    "-- Purpose: tables of users\n-- Ticket: PANA-1\n-- Reversible: Yes\n-- Rollback: DROP TABLE x;\n\n"
    "CREATE TABLE x (id int);\n"
)


def place(name: str, file: str = "migration.sql") -> str:
    return f"prisma/migrations/{name}/{file}"


FIRST, SECOND = place("20260101000000_first"), place("20260102000000_second")
THIRD = place("20260103000000_third")
JOURNAL = "drizzle/meta/_journal.json"


def journal(*tags: str, when: tuple[int, ...] = (1000, 1010, 1020, 1030)) -> str:
    entries = [
        f'{{"idx": {n}, "version": "7", "when": {when[n]}, "tag": "{tag}", "breakpoints": true}}'
        for n, tag in enumerate(tags)
    ]
    return '{"version": "7", "dialect": "postgresql", "entries": [\n' + ",\n".join(entries) + "\n]}\n"


@cache
def _made(make: Callable[[Path], None]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="isthmus-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make(folder)
    return folder


def prisma(folder: Path) -> Git:
    """Return a repository of the layout `folders`."""
    return Git.copied(_made(_prisma), folder)


def drizzle(folder: Path) -> Git:
    """Return a repository of the layout `flat`."""
    return Git.copied(_made(_drizzle), folder)


def _prisma(folder: Path) -> None:
    git = Git(folder)
    git.add("isthmus.toml", SETTINGS)
    git.add("prisma/migrations/migration_lock.toml", 'provider = "postgresql"\n')
    git.add("prisma/migrations/TEMPLATE.sql", "-- Purpose:\n")
    git.add(FIRST, SQL)
    git.add(SECOND, SQL)
    git.commit()


def _drizzle(folder: Path) -> None:
    git = Git(folder)
    git.add("isthmus.toml", FLAT)
    git.add("drizzle/0000_first.sql", SQL)
    git.add("drizzle/0001_second.sql", SQL)
    git.add(JOURNAL, journal("0000_first", "0001_second"))
    git.commit()


def checked(git: Git, **how: Any) -> Checked:
    return check_schemas(find_project(git.folder), **how)


def refused(found: Checked) -> list[tuple[str, str]]:
    return [(one.rule, one.file) for one in found.findings]
