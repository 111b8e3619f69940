"""Try one migration on tables that have rows: apply it, roll it back, apply it again, and compare each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from isthmus.errors import TargetError
from isthmus.govern.catalog.compare import apart, differences
from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.catalog.read import read_catalog
from isthmus.govern.migrations.script import Script
from isthmus.govern.rehearsing.apply import Refused
from isthmus.govern.rehearsing.contents import Contents, read_contents
from isthmus.govern.rehearsing.lines import Lines
from isthmus.govern.rehearsing.losses import losses
from isthmus.govern.rehearsing.outcome import Kind, Outcome, Said
from isthmus.govern.rehearsing.seeding.rows import Manner, fill
from isthmus.govern.rehearsing.seeding.seed_file import SeedFile
from isthmus.govern.rehearsing.seeding.shape import Shape, read_shapes


@dataclass
class Trial:
    """The state that is handed from one migration to the next.

    Attributes:
        lines: The databases.
        seeds: Files of rows that the user gives.
        catalog: Of the filled database, as it is now.
        contents: What it holds now; None where that has to be read.
        empty: Table → why it could be given no row.
        tried: Such a table → what it was when that was tried; None before rows were given to any.
    """

    lines: Lines
    seeds: list[SeedFile]
    catalog: Catalog
    contents: Contents | None = None
    empty: dict[Key, str] = field(default_factory=dict[Key, str])
    tried: dict[Key, tuple[Shape, frozenset[Key]]] | None = None

    def advance(self, number: int, script: Script) -> None:
        """Apply a migration and do no more; where rows are in its way, to tables without.

        Raises:
            Refused: The server refuses it.
        """
        try:
            self.lines.apply(script)
        except Refused:
            if self.tried is None:
                raise
            self._renew(number)
            self.lines.apply(script)
        self._look()

    def carry(self, number: int, script: Script, outcome: Outcome, *, roll_back: bool) -> None:
        """Apply a migration to tables that have rows; where it can be rolled back, try that.

        Args:
            number: Its place among all, from 0.
            script: The migration.
            outcome: Gets what is found.
            roll_back: Whether its rollback is tried.

        Raises:
            TargetError: The server refuses it on tables without rows, too.
        """
        before, contents = self.catalog, self._fill("harsh")
        try:
            self.lines.apply(script)
        except Refused as refused:
            contents = self._fall_back(number, script, outcome, refused)
        outcome.rows = sum(rows.count for rows in contents.tables.values())
        self._look()
        if roll_back:
            self._roll_back(number, script, outcome, before, contents)

    def _roll_back(self, number: int, script: Script, outcome: Outcome, before: Catalog, contents: Contents) -> None:
        applied = self.catalog
        after = read_contents(self.lines.reader, applied)
        try:
            self.lines.roll_back(script)
        except TargetError as refused:
            outcome.said.append(_refused("rollback-refused", refused))
            self._renew(number + 1)
            return
        restored = read_catalog(self.lines.reader, but=())
        outcome.said += _differing("rollback-differs", before, restored)
        outcome.said += [Said("order", one.sentence, one.key) for one in apart(before, restored)]
        outcome.said += [
            Said("rows-lost", one.sentence) for one in losses(contents, read_contents(self.lines.reader, restored))
        ]
        try:
            self.lines.apply(script)
        except Refused as refused:
            outcome.said.append(_refused("again-refused", refused))
            self._renew(number + 1)
            return
        self._look()
        outcome.said += _differing("again-differs", applied, self.catalog)
        self.contents = read_contents(self.lines.reader, self.catalog)
        if not any(one.kind in {"rows-lost", "rollback-differs"} for one in outcome.said):
            outcome.said += [Said("again-rows", one.sentence) for one in losses(after, self.contents)]
        if any(one.kind in {"rollback-differs", "again-differs"} for one in outcome.said):
            self._renew(number + 1)

    def _fall_back(self, number: int, script: Script, outcome: Outcome, refused: Refused) -> Contents:
        """Apply a migration that was refused on rows to tidier rows, and to none where it is refused there, too."""
        before = self.catalog
        self._renew(number)
        contents = self._fill("mild")
        try:
            self.lines.apply(script)
        except Refused as again:
            self._renew(number)
            contents = read_contents(self.lines.reader, self.catalog)
            self.lines.apply(script)
            outcome.said.append(_refused("fails-on-rows", again, certain=_is_certain(again.fault, before)))
            outcome.said.append(
                Said("without-rows", "It was tried without giving rows to tables: what happens to them is not known.")
            )
            return contents
        outcome.said.append(_refused("fails-on-rows", refused, more=" It goes through on tidier rows."))
        return contents

    def _renew(self, migrations: int) -> None:
        self.lines.renew(migrations)
        for one in self.seeds:
            one.again()
        self._look()

    def _look(self) -> None:
        self.catalog = read_catalog(self.lines.reader, but=())
        self.contents = None

    def _fill(self, manner: Manner) -> Contents:
        """Put rows into tables that have none, and return what the database holds then."""
        reader = self.lines.reader
        for one in self.seeds:
            one.give(self.lines.giver)
        contents = self.contents if self.contents is not None and not self.seeds else None
        contents = contents or read_contents(reader, self.catalog)
        hidden = self._hidden()
        filled = set(contents.filled) | hidden.keys()
        self.tried = {} if self.tried is None else self.tried
        if len(filled) == len(contents.tables):
            self._note(contents, filled, hidden)
            return contents
        shapes = [one for one in read_shapes(reader) if one.key not in filled]
        waiting = [one for one in shapes if self.tried.get(one.key) != (one, one.points_at & filled)]
        unfilled = fill(reader, waiting, manner)
        empty = {one.key for one in unfilled}
        filled |= {one.key for one in waiting} - empty
        self.tried |= {one.key: (one, one.points_at & filled) for one in waiting if one.key in empty}
        self._note(contents, filled, hidden | {one.key: one.why for one in unfilled})
        return contents if len(empty) == len(waiting) else read_contents(reader, self.catalog)

    def _note(self, contents: Contents, filled: set[Key], empty: dict[Key, str]) -> None:
        kept = {key: why for key, why in self.empty.items() if key in contents.tables and key not in filled}
        self.empty = kept | empty

    def _hidden(self) -> dict[Key, str]:
        """Return the tables whose rows cannot be seen, with the reason."""
        forced = [key for key, one in self.catalog.items() if one.get("row security") == "on, for its owner too"]
        if not forced or self.lines.sees_all:
            return {}
        why = (
            "row security that is forced on its owner hides them from the role of --scratch; one with BYPASSRLS sees"
            " them"
        )
        return dict.fromkeys(forced, why)


def _differing(kind: Kind, before: Catalog, after: Catalog) -> Iterator[Said]:
    for one in differences(before, after):
        yield Said(kind, one.sentence, one.key)


def _refused(kind: Kind, refused: TargetError, *, certain: bool = False, more: str = "") -> Said:
    return Said(kind, refused.message + more, None, refused.where.file, refused.where.line, certain)


def _is_certain(fault: psycopg.Error, before: Catalog) -> bool:
    """Tell whether rows of any kind are refused: a column that is new holds nothing in any of them."""
    at = fault.diag
    if not isinstance(fault, psycopg.errors.NotNullViolation) or at.column_name is None:
        return False
    return Key("column", at.schema_name or "", at.table_name or "", at.column_name) not in before
