"""What rules look at: the folder as it would be committed, what it was before, and the texts of what is new. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from isthmus.govern.linting.report import Report
from isthmus.govern.migrations.folder import Folder, Migration
from isthmus.govern.migrations.header import Header, read_header
from isthmus.govern.migrations.names import SCHEMA_FILE, Name, baseline_of, is_earlier
from isthmus.govern.migrations.renaming import with_names
from isthmus.govern.repository.tree import Blob, Tree
from isthmus.govern.schema_json import SchemaJson, schema_json_of
from isthmus.govern.sql.statements import SqlFault, Statement, split
from isthmus.govern.utf8 import text_of

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
        merging: In the commits that a merge which is going on brings in.
        scope: Which migrations rules on their texts look at: `all`, those that are not in HEAD (`staged`), those that
            the base has not (`base`).
        texts: Object → content, of every file that rules read.
        tree: All of the index that was asked for.
        others: What the settings call the other folders → their `schema.json`; None where one has none.
        scripts: Files of the index anywhere that a header names as data migrations.
        applied: Name → checksum of what a database has; None where none was asked.
        lint: What squawk says of new migrations; None where it was not asked.
        today: The instant at which it is checked, UTC without zone.
    """

    now: Folder
    head: Side | None = None
    parted: Side | None = None
    tip: Side | None = None
    merging: tuple[Side, ...] = ()
    scope: Scope = "all"
    texts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    tree: Tree = field(default_factory=lambda: Tree("the index"))
    others: Mapping[str, Blob | None] = field(default_factory=dict[str, "Blob | None"])
    scripts: Mapping[str, Blob] = field(default_factory=dict[str, Blob])
    applied: Mapping[str, str] | None = None
    lint: Report | None = None
    today: datetime = datetime.max  # noqa: DTZ901  UTC without zone, as names of migrations are

    @cached_property
    def baseline(self) -> Name | None:
        """The last migration that was there before Isthmus; None where all are governed."""
        return baseline_of(self.now.settings)

    @cached_property
    def governed(self) -> list[Migration]:
        """Migrations behind the baseline."""
        return [one for one in self.now.migrations.values() if not self.is_older(one)]

    @cached_property
    def based(self) -> list[Side]:
        """The base, as it is and as it was when the branch parted from it; empty without one."""
        return [side for side in (self.parted, self.tip) if side is not None]

    @cached_property
    def held_elsewhere(self) -> list[Side]:
        """What others have, for all that is known: the base; HEAD where no base is known."""
        return self.based or [side for side in (self.head,) if side is not None]

    @cached_property
    def own(self) -> list[Migration]:
        """Migrations behind the baseline that nobody else has: that are in no base, or, where none is known, not in
        HEAD."""
        held = names_in(self.held_elsewhere)
        return [one for one in self.governed if one.text not in held]

    @cached_property
    def new(self) -> list[Migration]:
        """Migrations behind the baseline that can still be changed: those that are in no base and not in HEAD; where a
        base is asked for, those that it has not."""
        held = names_in([*self.based, *([self.head] if self.head is not None and self.scope != "base" else [])])
        return [one for one in self.governed if one.text not in held]

    @cached_property
    def looked_at(self) -> list[Migration]:
        """Migrations that rules on names and texts look at."""
        sides = {"all": [], "staged": [self.head, self.tip], "base": [self.parted]}[self.scope]
        known = [side.folder.blobs for side in sides if side is not None]
        return [one for one in self.governed if not any(_has_all(blobs, one) for blobs in known)]

    @cached_property
    def renumbered(self) -> Mapping[str, str]:
        """Old name → new name, of migrations that only this branch has, or a merge brings in, and that were given a
        later number, when nothing else of them changed. Where no base is known, what is in HEAD cannot be."""
        found: dict[str, str] = {}
        sides = [*self.merging, *([self.head] if self.head is not None and self.based else [])]
        for side in sides:
            pairs = self._pairs(side.folder)
            found |= {
                one.text: other.text
                for one, other in pairs
                if _is_same(self.texts, one, other, {old.text: new.text for old, new in pairs})
            }
        return found

    def _pairs(self, before: Folder) -> list[tuple[Migration, Migration]]:
        kept = names_in(self.held_elsewhere)
        gone = [one for one in before.named if one.text not in self.now.migrations and one.text not in kept]
        came = [one for one in self.now.named if one.text not in before.migrations and one.text not in kept]
        by_words: dict[str, tuple[list[Migration], list[Migration]]] = defaultdict(lambda: ([], []))
        for which, ones in enumerate((gone, came)):
            for one in ones:
                by_words[one.name.words if one.name else ""][which].append(one)
        return [
            (one, other)
            for ones, others in by_words.values()
            for one, other in zip(ones, others, strict=False)
            if one.name is not None and other.name is not None and other.name.order > one.name.order
        ]

    def is_older(self, one: Migration) -> bool:
        """Tell whether a migration belongs to the baseline: it is no later, and was there, if any was."""
        held = self._held
        return one.name is not None and is_earlier(one.name, self.now.settings) and (not held or one.text in held)

    @cached_property
    def _held(self) -> frozenset[str]:
        """Migrations that the base has, or HEAD where none is known, or that a merge brings in."""
        return names_in([*self.held_elsewhere, *self.merging])

    def text(self, blob: Blob | None) -> str | None:
        """Return a file's text; None where it was not read, or is none."""
        return text_of(None if blob is None else self.texts.get(blob.oid))

    @cached_property
    def schema_json(self) -> SchemaJson | None:
        """The tables that the migrations make; None where there is no `schema.json`, or none that can be read."""
        return schema_json_of(self.text(self.now.exempt.get(SCHEMA_FILE)))

    @cached_property
    def elsewhere(self) -> Mapping[str, SchemaJson | None]:
        """What the settings call the other folders → the tables that their migrations make; None as above."""
        return {title: schema_json_of(self.text(blob)) for title, blob in self.others.items()}

    @cached_property
    def _headers(self) -> dict[str, Header]:
        texts = {one.text: self.text(one.sql) for one in self.looked_at}
        return {name: read_header(text) for name, text in texts.items() if text is not None}

    def header(self, one: Migration) -> Header | None:
        """Return the header of a migration that is looked at; None where its text was not read, or is none."""
        return self._headers.get(one.text)

    @cached_property
    def _splits(self) -> dict[str, tuple[Statement, ...] | SqlFault]:
        return {}

    def split(self, blob: Blob) -> tuple[Statement, ...] | SqlFault:
        """Return the statements of a file, or why it cannot be cut into them; none where its text was not read."""
        if blob.oid not in self._splits:
            try:
                self._splits[blob.oid] = tuple(split(self.text(blob) or ""))
            except SqlFault as fault:
                self._splits[blob.oid] = fault
        return self._splits[blob.oid]

    def statements(self, one: Migration) -> tuple[Statement, ...]:
        """Return the statements of a migration; none where its text was not read, or is no SQL that ends."""
        found = () if one.sql is None else self.split(one.sql)
        return () if isinstance(found, SqlFault) else found


def names_in(sides: Iterable[Side]) -> frozenset[str]:
    """Return the names of all migrations that some commits hold."""
    return frozenset(text for side in sides for text in side.folder.migrations)


def _has_all(blobs: Mapping[str, Blob], one: Migration) -> bool:
    return all(blobs.get(blob.path) == blob for blob in one.blobs)


def _is_same(texts: Mapping[str, bytes], one: Migration, other: Migration, names: Mapping[str, str]) -> bool:
    """Tell whether one became the other by new names in its header alone."""
    if one.sql is None or other.sql is None or one.sql.mode != other.sql.mode:
        return False
    rest = [[(blob.mode, blob.oid) for blob in it.blobs if blob is not it.sql] for it in (one, other)]
    if rest[0] != rest[1]:
        return False
    if one.sql.oid == other.sql.oid:
        return True
    before, now = texts.get(one.sql.oid), texts.get(other.sql.oid)
    return before is not None and now is not None and with_names(before, names) == now
