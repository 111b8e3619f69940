"""What rules look at: the folder as it would be committed, what it was before, and the texts of what is new. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from isthmus.govern.migrations.folder import Folder, Migration
from isthmus.govern.migrations.header import Header, read_header
from isthmus.govern.migrations.names import Name, parse_name
from isthmus.govern.repository.tree import Blob, Tree

Scope = Literal["all", "staged", "base"]


@dataclass(frozen=True)
class Side:
    """The folder in a commit.

    Attributes:
        name: Of the commit, for people.
        folder: What it holds there.
    """

    name: str
    folder: Folder


@dataclass(frozen=True)
class Checking:
    """One folder of migrations, to be checked.

    Attributes:
        now: The folder in the index.
        head: The same in HEAD; None before the first commit.
        parted: Where the branch parted from its base; None without a base.
        tip: In the base as it is now; None without a base.
        scope: Which migrations rules on their texts look at: `all`, those that are not in HEAD (`staged`), those that
            the base has not (`base`).
        texts: Object → content, of every file that rules read.
        tree: All of the index that was asked for.
        today: The instant at which it is checked, UTC without zone.
    """

    now: Folder
    head: Side | None = None
    parted: Side | None = None
    tip: Side | None = None
    scope: Scope = "all"
    texts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    tree: Tree = field(default_factory=lambda: Tree("the index"))
    today: datetime = datetime.max  # noqa: DTZ901  UTC without zone, as names of migrations are

    @cached_property
    def baseline(self) -> Name | None:
        """The last migration that was there before Isthmus; None where all are governed."""
        stated = self.now.settings.baseline
        return None if stated is None else parse_name(stated, self.now.settings.layout)

    @cached_property
    def governed(self) -> list[Migration]:
        """Migrations behind the baseline."""
        return [one for one in self.now.migrations.values() if not self.is_older(one)]

    @cached_property
    def new(self) -> list[Migration]:
        """Migrations behind the baseline that are neither in HEAD nor in the base."""
        known = [side.folder.migrations for side in (self.head, self.parted, self.tip) if side is not None]
        return [one for one in self.governed if not any(one.text in migrations for migrations in known)]

    @cached_property
    def looked_at(self) -> list[Migration]:
        """Migrations that rules on names and texts look at."""
        side = {"all": None, "staged": self.head, "base": self.parted}[self.scope]
        known = side.folder.blobs if side is not None else {}
        return [one for one in self.governed if any(known.get(blob.path) != blob for blob in one.blobs)]

    def is_older(self, one: Migration) -> bool:
        """Tell whether a migration belongs to the baseline."""
        if self.baseline is None or one.name is None:
            return False
        return one.name.order <= self.baseline.order

    def text(self, blob: Blob | None) -> str | None:
        """Return a file's text; None where it was not read, or is none."""
        found = None if blob is None else self.texts.get(blob.oid)
        if found is None:
            return None
        try:
            return found.decode()
        except UnicodeDecodeError:
            return None

    @cached_property
    def _headers(self) -> dict[str, Header]:
        texts = {one.text: self.text(one.sql) for one in self.looked_at}
        return {name: read_header(text) for name, text in texts.items() if text is not None}

    def header(self, one: Migration) -> Header | None:
        """Return the header of a migration that is looked at; None where its text was not read, or is none."""
        return self._headers.get(one.text)
