"""A copy inside a test: write a mapping and a dump, carry them in this process, read the target back.

The copy runs through the entry that the command line uses (`copy_database`), against a real server; what it left
behind is read with SQL of the tests' own, so that the product's readers are not their own witnesses.
"""

from __future__ import annotations

import contextlib
import textwrap
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from bson import ObjectId

from isthmus.mapping import parse_mapping
from isthmus.mapping.things import Things, with_things
from isthmus.sources import open_source
from isthmus.transfer.job import Options
from isthmus.transfer.result import Result
from isthmus.transfer.run import copy_database, tell
from isthmus.verify.result import Verified
from isthmus.verify.run import verify_database
from isthmus.verify.subject import Options as VerifyOptions
from isthmus.work import stages
from isthmus.work.progress import Progress
from tests.fix_dumps import Documents, write_collection


def oid(number: int) -> ObjectId:
    """Return the ObjectId with this number in its last bytes."""
    return ObjectId(number.to_bytes(12, "big"))


@contextmanager
def listening(listener: Callable[[str], None]) -> Generator[None]:
    """Tell a listener every stage that a copy inside the block reaches; see `isthmus.work.stages`."""
    stages.listeners.append(listener)
    try:
        yield
    finally:
        stages.listeners.remove(listener)


@dataclass
class Letter:
    """A row of the dead letter table."""

    collection: str
    source_id: str | None
    location: str
    stage: str
    code: str
    path: str
    message: str
    causes: list[dict[str, Any]]
    document: bytes


@dataclass
class World:
    """One target database and one dump folder.

    Attributes:
        conninfo: The target.
        folder: The dump folder of one database.
        notes: Sentences the last copy told the person watching.
    """

    conninfo: str
    folder: Path
    notes: list[str] = field(default_factory=list[str])

    def write(
        self, collections: Mapping[str, Documents | None], *, compressed: bool | Iterable[str] = False
    ) -> dict[str, Path]:
        """Write (or replace) collections of the dump; return their data files."""
        packed = set(collections if compressed is True else compressed or ())
        return {
            name: write_collection(self.folder, name, documents, compressed=name in packed)
            for name, documents in collections.items()
        }

    def copy(self, mapping: str, *, stop: threading.Event | None = None, **options: Any) -> Result:
        """Carry the dump into the target as a mapping (YAML) says, until `stop` is set; `options` as in `Options`."""
        text = textwrap.dedent(mapping)
        source = open_source(str(self.folder))
        self.notes = []
        try:
            result = copy_database(
                parse_mapping(text, file_name="mapping.yaml"),
                source,
                self.conninfo,
                mapping_text=text,
                options=Options(**options),
                progress=Progress(on_note=self.notes.append),
                stop=stop,
            )
            tell(self.conninfo, result)  # as the command does
            return result
        finally:
            source.close()

    def verify(self, mapping: str, *, things: Things | None = None, sample: int | None = None) -> Verified:
        """Verify the target, all layers.

        Args:
            mapping: The mapping, as YAML.
            things: What its identities came to.
            sample: So many documents of each collection; every one where it is None.
        """
        text = textwrap.dedent(mapping)
        read = parse_mapping(text, file_name="mapping.yaml")
        with contextlib.closing(open_source(str(self.folder))) as source:
            return verify_database(
                read if things is None else with_things(read, things),
                source,
                self.conninfo,
                options=VerifyOptions(sample=sample),
                mapping_text=text,
            )

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows (none for a statement that gives none)."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description is not None else []

    def column(self, query: str, *parameters: object) -> list[Any]:
        """Return the first column of a statement's rows."""
        return [row[0] for row in self.rows(query, *parameters)]

    def one(self, query: str, *parameters: object) -> Any:
        """Return the first value of a statement's only row."""
        rows = self.rows(query, *parameters)
        assert len(rows) == 1, rows
        return rows[0][0]

    def letters(self, collection: str | None = None) -> list[Letter]:
        """Return the dead letters, oldest first."""
        rows = self.rows(
            "SELECT collection, source_id_text, location, stage, code, path, message, causes, document"
            " FROM isthmus.dead_letter WHERE %s::text IS NULL OR collection = %s ORDER BY id",
            collection,
            collection,
        )
        return [Letter(*row) for row in rows]

    def codes(self, collection: str | None = None) -> dict[str | None, str]:
        """Return the headline code of each dead letter by the `_id` as text."""
        return {letter.source_id: letter.code for letter in self.letters(collection)}

    def orphans(self) -> list[tuple[Any, ...]]:
        """Return (table, column, old id as text, action, by default) of the ledger, oldest first."""
        return self.rows(
            "SELECT table_name, column_name, old_id_text, action, by_default FROM isthmus.orphan ORDER BY id"
        )

    def has_state(self) -> bool:
        """Tell whether Isthmus wrote its schema."""
        return bool(self.one("SELECT to_regnamespace('isthmus') IS NOT NULL"))


def balanced(result: Result) -> None:
    """Assert that a copy came to its end and its books balance."""
    assert result.outcome == "complete", result
    assert result.balance is not None
    assert result.balance.differences == []
    for books in result.balance.collections.values():
        assert books.read == books.copied + books.merged + books.kept + books.skipped + books.dead_letters
    for books in result.balance.references.values():
        assert books.values == books.resolved + books.pending + books.orphans
