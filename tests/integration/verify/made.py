"""A small database for tests of verify: a dump is written and copied once, and each test damages a twin of the target.

The copy runs through the entry that the command line uses; damage is plain SQL of the test's own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.transfer.job import Options as CopyOptions
from isthmus.transfer.result import Result
from isthmus.transfer.run import copy_database, tell
from isthmus.verify.result import Difference, LayerResult
from isthmus.verify.subject import Options, Subject, open_subject
from isthmus.work.progress import Progress
from tests.fix_dumps import Documents, write_collection
from tests.fix_postgres import create_database


@dataclass(frozen=True)
class Made:
    """A copied database.

    Attributes:
        conninfo: The target.
        folder: The dump that was copied, the folder of its database.
        mapping: The mapping's text.
    """

    conninfo: str
    folder: Path
    mapping: str

    def do(self, *statements: str) -> None:
        """Run statements of a test's own against the target, each by itself."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query against the target."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def one(self, query: str) -> Any:
        """Return the only value of a query."""
        ((value,),) = self.rows(query)
        return value

    @contextmanager
    def subject(self, conninfo: str | None = None, **options: Any) -> Generator[Subject]:
        """Open it for a layer; as another role where a conninfo is given."""
        mapping = parse_mapping(self.mapping, file_name="mapping.yaml")
        source = open_source(str(self.folder))
        try:
            with open_subject(mapping, source, conninfo or self.conninfo, Options(**options)) as subject:
                yield subject
        finally:
            source.close()

    def copy(self, **options: Any) -> Result:
        """Carry the dump into the target, as the command does."""
        source = open_source(str(self.folder))
        try:
            result = copy_database(
                parse_mapping(self.mapping, file_name="mapping.yaml"),
                source,
                self.conninfo,
                mapping_text=self.mapping,
                options=CopyOptions(**options),
                progress=Progress(),
            )
            tell(self.conninfo, result)
        finally:
            source.close()
        assert result.outcome == "complete", result
        return result

    def twin(self, server: str) -> Made:
        """Return the same target once more, for a test to damage; nobody may be connected to this one."""
        conninfo = create_database(server)
        name, own = (str(conninfo_to_dict(one)["dbname"]) for one in (conninfo, self.conninfo))
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(create.format(sql.Identifier(name), sql.Identifier(own)))
        return Made(make_conninfo(server, dbname=name), self.folder, self.mapping)


def make(
    conninfo: str,
    folder: Path,
    mapping: str,
    collections: Mapping[str, Documents | None],
    *,
    before: str = "",
    **options: Any,
) -> Made:
    """Write collections as a dump and copy them into a target as a mapping (YAML) says.

    Args:
        conninfo: The target.
        folder: Where the dump goes.
        mapping: The mapping.
        collections: Documents by collection.
        before: Statements that are run first, for tables that exist before.
        options: Of the copy.
    """
    for name, documents in collections.items():
        write_collection(folder, name, documents)
    made = Made(conninfo, folder, textwrap.dedent(mapping))
    if before:
        made.do(before)
    made.copy(**options)
    return made


def found(result: LayerResult) -> list[tuple[str, str, str | None]]:
    """Return (table, path, id) of every difference, sorted."""
    return sorted(((one.table, one.path, one.id) for one in result.differences), key=str)


def only(result: LayerResult) -> Difference:
    """Return the only difference that a layer found."""
    assert result.found == 1, result.differences
    (one,) = result.differences
    return one
