"""Hold values of documents against the rows of the target, then against the documents.

Values go through temporary tables of the target in pieces, so memory depends on neither their number nor that of the
documents; those that no row has stay there until all documents are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, LiteralString

import bson
import psycopg
from psycopg import sql

from isthmus.connect.real_columns import There, ThereColumn
from isthmus.polyglot.audit_goals import Goal, Goals
from isthmus.polyglot.sites import Site
from isthmus.state.statements import statements

_MOST_MET = 20_000
_MOST_THERE = 50_000


def statement(name: str) -> bytes:
    """Return one of the statements of an audit."""
    return statements("audit", "isthmus.polyglot")[name]


@dataclass
class Met:
    """What was met at one site.

    Attributes:
        documents: That hold a value there.
        forms: How the values are written.
        leads: To what they lead: `row`; `own` (the value is the row's id as it stands); `document`; `open` (neither).
        own: Of those that are the row's id as it stands, how they are written.
    """

    documents: int = 0
    forms: Counter[str] = field(default_factory=Counter[str])
    leads: Counter[str] = field(default_factory=Counter[str])
    own: Counter[str] = field(default_factory=Counter[str])

    @property
    def values(self) -> int:
        """How many values there are."""
        return self.forms.total()


@dataclass(frozen=True)
class Holder:
    """A document that holds references.

    Attributes:
        source_id: `{"_id": value}` as BSON; None when it cannot be read.
        row_ids: The ids that its row may have, unless it has that of another one.
        digest: The document's, as `document_digest` makes it.
    """

    source_id: bytes | None
    row_ids: list[str]
    digest: bytes


class Spool:
    """Takes values and documents, and holds them against the rows of the target. For one thread.

    Args:
        connection: In autocommit mode; gets temporary tables.
        schema: Of the tables.
        there: Their real columns.
        goals: What references lead to.
        sites: Where they stand.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], schema: str, there: There, goals: Goals, sites: Sequence[Site]
    ) -> None:
        self.unreadable: dict[str, list[bytes]] = {}
        self._connection = connection
        self._goals = goals
        self._number = 0
        self._values: list[tuple[object, ...]] = []
        self._meanings: list[tuple[object, ...]] = []
        self._known: list[tuple[int, str]] = []
        self._looks = [look for goal in goals.all if (look := _look_of(schema, there, goal)) is not None]
        self.met: list[Met] = [Met() for _ in sites]
        for name in ("there", "met", "may", "hit", "open", "open_may"):
            connection.execute(statement(f"create_{name}"))

    def document(self, goal: Goal, key: str) -> None:
        """Take what a document of a goal is known by."""
        self._known.append((goal.number, key))
        if len(self._known) >= _MOST_THERE:
            self._send_known()

    def value(self, site: int, holder: Holder, place: str, value: object, goals: Sequence[Goal]) -> None:
        """Take a value of a document.

        Args:
            site: Number of its site.
            holder: The document.
            place: Where it stands, for people.
            value: As it was decoded.
            goals: What it may lead to.
        """
        meanings = [self._goals.meaning(goal, value) for goal in goals]
        form, made = meanings[0].form, any(one.made for one in meanings)
        self._number += 1
        raw = bson.encode({"": value})
        held = (holder.source_id, holder.row_ids, holder.digest)
        self._values.append((self._number, site, *held, place, raw, form, made))
        for goal, one in zip(goals, meanings, strict=True):
            digest = None if one.id_document is None else sha256(one.id_document).digest()
            self._meanings.append((self._number, goal.number, one.key, one.literal, digest))
        if len(self._values) >= _MOST_MET:
            self.send()

    def send(self) -> None:
        """Hold what is in hand against the rows, count it, and keep what no row has."""
        self._send_known()
        if not self._values:
            return
        _copy(self._connection, "COPY pg_temp.audit_met FROM STDIN", self._values)
        _copy(
            self._connection, "COPY pg_temp.audit_may (number, goal, key, literal, digest) FROM STDIN", self._meanings
        )
        self._values, self._meanings = [], []
        self._look("audit_may")
        for site, form, leads, count in self._connection.execute(statement("count_met")).fetchall():
            self.met[int(site)].forms[str(form)] += int(count)
            self.met[int(site)].leads[str(leads)] += int(count)
            self.met[int(site)].own[str(form)] += int(count) if leads == "own" else 0
        for name in ("keep_open", "keep_open_may", "close_met"):
            self._connection.execute(statement(name))

    def settle(self) -> None:
        """Hold the values that no row has against the documents, then against the rows as they are by now.

        All documents must have been taken.
        """
        self.send()
        self._connection.execute(
            "CREATE INDEX ON pg_temp.audit_there (goal, md5(key))"
        )  # a key may be too long for one
        self._connection.execute("CREATE INDEX ON pg_temp.audit_open_may (number)")
        for table in ("audit_there", "audit_open", "audit_open_may"):
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", table)))
        self._led("open_of_documents", "document")
        self._look("audit_open_may")
        self._led("open_of_rows", "row")

    def _led(self, name: str, to: str) -> None:
        for site, count in self._connection.execute(statement(name)).fetchall():
            self.met[int(site)].leads["open"] -= int(count)
            self.met[int(site)].leads[to] += int(count)

    def _look(self, table: str) -> None:
        for look in self._looks:
            self._connection.execute(look.statement(sql.Identifier("pg_temp", table)))

    def _send_known(self) -> None:
        if self._known:
            _copy(self._connection, "COPY pg_temp.audit_there (goal, key) FROM STDIN", self._known)
            self._known = []


@dataclass(frozen=True)
class _Look:
    """How the values of a goal are held against its rows.

    An id is one that is derived, or the one that the row of that document has instead, or the value as it stands.
    """

    goal: Goal
    real: sql.Identifier
    held: ThereColumn
    compared: ThereColumn | None

    def statement(self, may: sql.Identifier) -> sql.Composed:
        """Return the statement that enters the values which a row has."""
        parts = [self._part(may, "m.literal", self.held, self.goal.held, own=True)]
        if self.compared is not None and self.goal.column is not None:
            parts.append(self._part(may, "m.key", self.compared, self.goal.column))
            if self.goal.field is None:
                for known in ("i.key_digest = m.digest", "i.derived_id = m.key"):
                    parts.append(self._part(may, "i.id", self.compared, self.goal.column, known=known))
        return sql.SQL("INSERT INTO pg_temp.audit_hit {}").format(sql.SQL(" UNION ALL ").join(parts))

    def _part(
        self,
        may: sql.Identifier,
        value: LiteralString,
        compared: ThereColumn,
        column: str,
        *,
        known: LiteralString = "",
        own: bool = False,
    ) -> sql.Composed:
        joined = sql.SQL("")
        if known:
            joined = sql.SQL("JOIN isthmus.id_map i ON i.collection = ANY ({}) AND {}").format(
                sql.Literal(self.goal.names), sql.SQL(known)
            )
        return sql.SQL(
            "SELECT m.number, {own} FROM {may} m {joined} WHERE m.goal = {goal} AND {value} IS NOT NULL"
            " AND EXISTS (SELECT FROM {real} t WHERE {has})"
        ).format(
            own=sql.Literal(own),
            may=may,
            joined=joined,
            goal=sql.Literal(self.goal.number),
            value=sql.SQL(value),
            real=self.real,
            has=compared.is_text(sql.SQL("t.{}").format(sql.Identifier(column)), sql.SQL(value)),
        )


def _look_of(schema: str, there: There, goal: Goal) -> _Look | None:
    """Return how a goal is looked up; None where there is no such table."""
    columns = there.columns.get(goal.table, {})
    held = columns.get(goal.held)
    if held is None:
        return None
    return _Look(goal, sql.Identifier(schema, goal.table), held, columns.get(goal.column) if goal.column else None)


def _copy(connection: psycopg.Connection[Any], command: LiteralString, rows: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)
