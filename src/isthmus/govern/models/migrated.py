"""Scratch databases with migrations applied, and what each folder of them made."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.migrations.script import Script
from isthmus.govern.rehearsing.lines import Lines
from isthmus.govern.scratch import Scratch


@dataclass
class Migrated:
    """A scratch database with the migrations of some folders applied, one folder after the other.

    Attributes:
        conninfo: Of the database; nobody is connected to it.
        catalog: All that is there now.
        made: What the settings call a folder → what it made and is still there.
        before: What somebody else makes before the first migration, by `before.sql`.
    """

    conninfo: str
    catalog: Catalog = field(default_factory=dict[Key, dict[str, str | bool | int | None]])
    made: dict[str, frozenset[Key]] = field(default_factory=dict[str, frozenset[Key]])
    before: frozenset[Key] = frozenset()

    @property
    def own(self) -> Catalog:
        """What the migrations made, of all folders."""
        return {key: one for key, one in self.catalog.items() if key not in self.before}

    def others(self, title: str) -> frozenset[Key]:
        """Return what is somebody else's: what other folders made than this one, and what was there before all."""
        return self.before.union(*(keys for name, keys in self.made.items() if name != title))


@contextmanager
def migrated_database(scratch: Scratch, folders: Sequence[tuple[str, Sequence[Script]]]) -> Generator[Migrated]:
    """Apply migrations to an empty scratch database, for as long as the context lasts.

    Args:
        scratch: Where.
        folders: What the settings call each folder, and what of it to apply.

    Raises:
        TargetError: The server refused a migration (code `migration-failed`), or lacks an extension
            (`scratch-extension`).
    """
    with Lines(scratch, [one for _, scripts in folders for one in scripts]) as lines:
        found = Migrated(lines.conninfo, before=frozenset(read_catalog(lines.reader)))
        known = set(found.before)
        for title, scripts in folders:
            for one in scripts:
                lines.apply(one)
            found.catalog = read_catalog(lines.reader)
            found.made[title] = frozenset(found.catalog.keys() - known)
            known |= found.catalog.keys()
        found.made = {title: keys & found.catalog.keys() for title, keys in found.made.items()}
        for one in (lines.reader, lines.giver):
            one.close()  # a database can be copied while nobody is connected to it
        yield found
