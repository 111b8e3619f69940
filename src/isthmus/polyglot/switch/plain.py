"""A collection that moves into a table of documents, or back: copied and verified by the library itself.

Only what differs is written. Into PostgreSQL all of it in one transaction, so a death on the way leaves the table as it
was; into MongoDB document by document, and a repetition finds what is left.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from pymongo import DeleteOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from isthmus.connect.mongo import MongoServer
from isthmus.connect.postgres import explain, meaning
from isthmus.errors import ConfigError, PolyglotError, Problem, Where
from isthmus.polyglot.stores.form import to_json, written
from isthmus.polyglot.switch.carrier import Compared, Difference, Home
from isthmus.polyglot.switch.documents import (
    as_read,
    batches,
    difference,
    problems_of_rows,
    replacement,
    row_problems,
    source_problems,
)
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.polyglot.switch.place import Table
from isthmus.polyglot.switch.session import connect, refuse_hidden_rows
from isthmus.polyglot.switch.sides import Pair, Sides
from isthmus.polyglot.switch.waiting import ended_by
from isthmus.work.stages import reached

_SHOWN = 20
_COLUMNS = {"id": "text", "document": "jsonb", "revision": "uuid"}
_MADE = (
    'CREATE TABLE {} (id text COLLATE "C" PRIMARY KEY, document jsonb NOT NULL,'
    " revision uuid NOT NULL DEFAULT gen_random_uuid());"
)


class PlainTable:
    """A `Carrier` for a table of documents.

    Args:
        server: The server of MongoDB.
        database: The database's name there.
        conninfo: The database of PostgreSQL.
        ledger: Of the collection, held.
        table: The table: `name` or `schema.name`.
        stop: Ends whatever is done.
        session: In which MongoDB is read and written.
    """

    def __init__(
        self,
        server: MongoServer,
        database: str,
        conninfo: str,
        ledger: Ledger,
        table: str,
        stop: threading.Event,
        session: ClientSession,
    ) -> None:
        self._conninfo = conninfo
        self._ledger = ledger
        schema, _, name = table.rpartition(".")
        self._table = sql.Identifier(*filter(None, (schema, name)))
        self._text = table
        self._stop = stop
        self._sides = Sides(server, database, ledger.collection, self._table, stop, session)

    @property
    def name(self) -> str:
        """As `Carrier.name`."""
        return f"table {self._text}"

    def table(self) -> Table | None:
        """As `Carrier.table`."""
        row = self._ledger.connection.execute(
            "SELECT c.oid::bigint, format('%%I.%%I', n.nspname, c.relname)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
            (self._shown,),
        ).fetchone()
        return None if row is None else Table(int(row[0]), str(row[1]))

    def check(self, goal: Home) -> None:
        """As `Carrier.check`.

        Raises:
            ConfigError: The table is not there, or is none of documents (code `switch-table`).
            TargetError: A policy hides rows of it (code `switch-hidden-rows`).
            PolyglotError: It holds rows that no switch brought there (code `switch-table-filled`).
        """
        connection = self._ledger.connection
        rows = connection.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            (self._shown,),
        ).fetchall()
        found = {str(name): str(of_type) for name, of_type in rows}
        wrong = [name for name, of_type in _COLUMNS.items() if found.get(name) != of_type]
        table = self.table()
        if wrong or table is None:
            what = f"has no column {wrong[0]} of type {_COLUMNS[wrong[0]]}" if found else "is not there"
            raise ConfigError(
                f"The table {self._text} {what}.",
                code="switch-table",
                where=Where(table=self._text),
                hint=f"Make it with a migration: {_MADE.format(self._shown)}",
            )
        refuse_hidden_rows(connection, table.oid, self._text)
        if goal == "postgres" and not self._ledger.filled_before(self.name, table.oid):
            row = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._table)).fetchone()
            if row and row[0]:
                raise PolyglotError(
                    f"The table {self._text} holds rows, and no switch of this collection brought them there.",
                    code="switch-table-filled",
                    where=Where(table=self._text),
                    hint="A switch makes the table equal to the collection. Empty it, or name another one.",
                )

    def ahead(self, goal: Home) -> Mapping[str, int] | None:
        """As `Carrier.ahead`; on the way back nothing is copied, for a fence may still stand there: rows are looked at.

        Raises:
            PolyglotError: As `copy`.
        """
        if goal == "postgres":
            return self._into_table()
        with (
            self._reading() as connection,
            ended_by(self._stop, connection),
            closing(self._sides.rows(connection)) as rows,
        ):
            self._refuse(problems_of_rows(self._ledger.collection, rows, _SHOWN), "MongoDB")
        return None

    def copy(self, goal: Home) -> Mapping[str, int]:
        """As `Carrier.copy`.

        Raises:
            PolyglotError: Documents that cannot be kept (`switch-unfit`), or that a constraint, an index or a validator
                refuses (`switch-refused`), or ids (`switch-ids`).
            Interrupted: The stop was set.
        """
        return self._into_table() if goal == "postgres" else self._into_collection()

    def verify(self, goal: Home) -> Compared:  # noqa: ARG002  both ways it is the same question
        """As `Carrier.verify`: what the rows read back as is compared with the BSON of the documents."""
        documents, total = 0, 0
        shown: list[Difference] = []
        with self._both() as pairs:
            for pair in pairs:
                documents += 1
                what = difference(pair)
                if what is not None:
                    total += 1
                    if len(shown) < _SHOWN:
                        shown.append(Difference(pair.id, what))
        return Compared(documents, shown, total)

    @property
    def _shown(self) -> str:
        return self._table.as_string(self._ledger.connection)

    def _into_table(self) -> dict[str, int]:
        documents = 0
        problems: list[Problem] = []
        with self._both() as pairs, connect(self._conninfo, autocommit=True) as connection:
            connection.execute("CREATE TEMP TABLE isthmus_delta (id text PRIMARY KEY, document jsonb)")
            for batch in batches(pairs):
                rows: list[tuple[str, str | None]] = []
                for pair in batch:
                    documents += pair.source is not None
                    if pair.source is None:
                        rows.append((pair.id, None))
                        continue
                    if len(problems) < _SHOWN:
                        problems += source_problems(self._ledger.collection, pair.id, pair.source)
                    text = written(to_json(pair.source)) if not problems else pair.row
                    if text != pair.row:
                        rows.append((pair.id, text))
                with connection.cursor() as cursor, cursor.copy("COPY isthmus_delta FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            self._refuse(problems, "a table of documents")
            try:
                with ended_by(self._stop, connection):
                    return {"documents": documents, **self._delivered(connection)}
            except psycopg.Error as fault:
                if meaning(fault) != "data":
                    raise
                raise self._refused(explain(fault, values=False)) from None

    def _delivered(self, connection: psycopg.Connection[Any]) -> dict[str, int]:
        """Make the table what the collection is. Committed; of two that differ in one instant nobody sees the half."""
        with connection.transaction():
            self._ledger.filled(connection)
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
            removed = connection.execute(
                sql.SQL("DELETE FROM {} t USING isthmus_delta d WHERE t.id = d.id AND d.document IS NULL").format(
                    self._table
                )
            ).rowcount
            written_ = connection.execute(
                sql.SQL(
                    "INSERT INTO {} AS t (id, document)"
                    " SELECT id, document FROM isthmus_delta WHERE document IS NOT NULL"
                    " ON CONFLICT (id) DO UPDATE SET document = excluded.document, revision = gen_random_uuid()"
                ).format(self._table)
            ).rowcount
            reached("switch.copy-before-commit")
        reached("switch.copy-after-commit")
        return {"written": written_, "removed": removed}

    def _into_collection(self) -> dict[str, int]:
        documents, changed, removed = 0, 0, 0
        collection = self._sides.collection.with_options(write_concern=WriteConcern("majority", j=True))
        with self._both() as pairs:
            for batch in batches(pairs):
                gone = [pair for pair in batch if pair.row is None]
                changes = [pair for pair in batch if pair.row is not None and difference(pair) is not None]
                problems = [
                    one for pair in changes for one in row_problems(self._ledger.collection, pair.id, pair.row or "")
                ]
                self._refuse(problems, "MongoDB")
                documents += len(batch) - len(gone)
                work: list[Any] = [DeleteOne(as_read(pair)) for pair in gone]
                work += [replacement(pair) for pair in changes]
                if not work:
                    continue
                with self._ledger.connection.transaction():
                    self._ledger.assert_mine(self._ledger.connection)
                try:
                    collection.bulk_write(work, ordered=True, session=self._sides.session)
                except BulkWriteError as error:
                    raise self._refused(_first_error(error)) from None
                except PyMongoError as error:
                    raise self._sides.trouble(error, "write documents") from None
                reached("switch.written")
                changed, removed = changed + len(changes), removed + len(gone)
        return {"documents": documents, "written": changed, "removed": removed}

    @contextmanager
    def _both(self) -> Generator[Iterator[Pair]]:
        with self._reading() as connection, closing(self._sides.pairs(connection)) as pairs:
            yield pairs

    @contextmanager
    def _reading(self) -> Generator[psycopg.Connection[Any]]:
        with connect(self._conninfo) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection

    def _refuse(self, problems: list[Problem], place: str) -> None:
        if problems:
            more = "at least " if len(problems) >= _SHOWN else ""
            raise PolyglotError(
                f"{more}{len(problems)} values of {self._ledger.collection} cannot be kept in {place}.",
                code="switch-unfit",
                where=Where(collection=self._ledger.collection),
                problems=tuple(problems[:_SHOWN]),
                hint="Correct these documents where they are, or move the collection with a mapping.",
            )

    def _refused(self, words: str) -> PolyglotError:
        return PolyglotError(
            f"Some documents of {self._ledger.collection} are refused where they are to go: {words}",
            code="switch-refused",
            where=Where(collection=self._ledger.collection, table=self._text),
            hint="Correct the documents, or the constraint, index or validator that stands there.",
        )


def _first_error(error: BulkWriteError) -> str:
    """Return what MongoDB says of the first write it refused, without values."""
    errors: list[dict[str, Any]] = error.details.get("writeErrors") or [{}]
    code = errors[0].get("code")
    return f"{ {121: 'a validator does', 11000: 'a unique index does'}.get(code or 0, f'code {code}') } (MongoDB)."
