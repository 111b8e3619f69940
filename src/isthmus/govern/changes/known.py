"""What entries may depend on: migrations with the time of each, tables and columns of `schema.json`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from isthmus.govern.migrations.folder import Folder
from isthmus.govern.migrations.journal import JournalFault, read_journal
from isthmus.govern.migrations.names import instant
from isthmus.govern.schema_json import SchemaJson, Table, table_key

_UNNAMED = "public"
"""Schema of a table that is named without one."""


@dataclass(frozen=True)
class Known:
    """What all folders of migrations hold together.

    Attributes:
        folders: Their paths.
        migrations: Name → day on which it was written, UTC; None where nothing tells.
        tables: `schema.table` → what is known of it.
        without: Folders that have no `schema.json` that can be read: whether a table is there cannot be told.
    """

    folders: tuple[str, ...] = ()
    migrations: Mapping[str, date | None] = field(default_factory=dict[str, date | None])
    tables: Mapping[str, Table] = field(default_factory=dict[str, Table])
    without: tuple[str, ...] = ()

    def table(self, name: str) -> Table | None:
        """Return a table by its name, with its schema or without; None where there is none such."""
        schema, dot, rest = name.partition(".")
        keys = [table_key(_UNNAMED, name), *([table_key(schema, rest)] if dot else []), name]
        return next((self.tables[key] for key in keys if key in self.tables), None)


def known_of(folders: Iterable[tuple[Folder, str | None, SchemaJson | None]]) -> Known:
    """Gather what folders of migrations hold, each with the text of its journal and what its `schema.json` says."""
    paths: list[str] = []
    migrations: dict[str, date | None] = {}
    tables: dict[str, Table] = {}
    without: list[str] = []
    for folder, journal, schema in folders:
        paths.append(folder.path)
        migrations |= _days(folder, journal)
        if schema is None:
            without.append(folder.path)
        else:
            for name, one in schema.tables.items():
                # A folder may add columns to a table of another one.
                there = tables.get(name)
                tables[name] = one if there is None else Table(there.migration, {**there.columns, **one.columns})
    return Known(tuple(paths), migrations, tables, tuple(without))


def _days(folder: Folder, journal: str | None) -> dict[str, date | None]:
    written = _journal_days(journal) if journal is not None else {}
    found: dict[str, date | None] = {}
    for one in folder.named:
        if one.name is not None and one.sql is not None:
            at = instant(one.name.number) if folder.settings.layout == "folders" else None
            found[one.text] = at.date() if at is not None else written.get(one.text)
    return found


def _journal_days(text: str) -> dict[str, date]:
    try:
        return {one.tag: datetime.fromtimestamp(one.when / 1000, UTC).date() for one in read_journal(text)}
    except (JournalFault, ValueError, OverflowError, OSError):
        return {}  # `isthmus schema check` says what is wrong with it
