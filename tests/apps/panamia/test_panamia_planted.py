"""What became of everything that was planted in Pana MIA's documents, outcome by outcome.

Oracle: the outcomes of the generator's truth, and SQL of this test's own. Cannot see: what nobody planted, and dead
letters, of which there is no row (`test_panamia_moved`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import bson
import psycopg
import pytest
from bson import json_util
from psycopg import sql
from psycopg.rows import dict_row

from apps.generating.outcomes import extended
from tests.apps.panamia import facts
from tests.apps.panamia.conftest import Moved

Line = dict[str, Any]
TABLES = {**facts.FIELDS, "mentorsessions": facts.FIELDS["mentorSessions"]}
JUNCTIONS = {"profile_follows": "follower_id", "user_list_members": "list_id"}
"""Tables that an array fills, and the column that leads to the row of its document."""
IN_JSON = {"co_authors", "reviewed_by", "linked_profiles"}
"""Columns that hold ids without a foreign key: there an id of the target stays, also where no row has it."""
WITHOUT_ID = {"nextauth_verification_tokens", "nextauth_sessions"}
"""Of a table with another key, and of one that nothing is carried to."""
ONLY_NAMED = {"meant", "belongs"}
"""Outcomes for those who know more than an id: a copy does not look names up."""


class Rows:
    """The rows of the documents of a database that was moved, and what ledgers say of them."""

    def __init__(self, moved: Moved, connection: psycopg.Connection[Any]) -> None:
        self.moved, self.connection = moved, connection
        self.people = {one["person"]: one for one in moved.lines("people")}
        orphans = "SELECT source_collection, row_id, old_id_text FROM isthmus.orphan"
        self.orphans = set(connection.execute(orphans).fetchall())
        waiting = "SELECT table_name, row_id FROM isthmus.pending_reference"
        self.waiting = set(connection.execute(waiting).fetchall())
        merged = "SELECT collection, document FROM isthmus.conflict WHERE action = 'merged'"
        read = ((name, bson.decode(raw)) for name, raw in connection.execute(merged).fetchall())
        self.merged = {(name, str(document["_id"])): document for name, document in read}

    def id(self, collection: str, document: str) -> str:
        """The id of the row of a document."""
        found = self.moved.row_of(collection, document)
        assert found is not None, (collection, document)
        return found

    def row(self, line: Line) -> dict[str, Any]:
        """The row of a planted document."""
        query = sql.SQL("SELECT * FROM {} WHERE id = %s").format(sql.Identifier(TABLES[line["collection"]][0]))
        with self.connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query, [self.id(line["collection"], line["id"])]).fetchone()
        assert found is not None, line
        return found

    def place(self, line: Line, path: str) -> tuple[str, str]:
        """Table and column where a field goes that refers to something; of an array that may be a junction."""
        table, columns = TABLES[line["collection"]]
        column = columns[path.partition("[]")[0].partition(".")[0]] if path not in columns else columns[path]
        other, _, inner = column.partition(".")
        return (other, inner) if inner else (table, column)

    def held(self, line: Line, path: str) -> str:
        """What stands there, as text."""
        table, column = self.place(line, path)
        names = map(sql.Identifier, (column, table, JUNCTIONS.get(table, "id")))
        query = sql.SQL("SELECT {}::text FROM {} WHERE {} = %s").format(*names)
        return str(self.connection.execute(query, [self.id(line["collection"], line["id"])]).fetchall())


def has_value(rows: Rows, line: Line, outcome: Line) -> None:
    value = rows.row(line)[outcome["column"]]
    if isinstance(value, datetime):
        value = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    assert (float(value) if isinstance(value, Decimal) else value) == outcome["value"]


def has_length(rows: Rows, line: Line, outcome: Line) -> None:
    assert len(rows.row(line)[outcome["column"]]) == outcome["characters"]


def is_kept_aside(rows: Rows, line: Line, outcome: Line) -> None:
    """Beside its row; of a document that is part of another's row, in the ledger that holds it whole."""
    if line["end"] == "merged":
        held = extended(rows.merged[line["collection"], line["id"]][outcome["key"]])
    else:
        query = "SELECT document -> %s FROM isthmus.extras WHERE table_name = %s AND id = %s"
        place = (outcome["key"], TABLES[line["collection"]][0], rows.id(line["collection"], line["id"]))
        (held,) = rows.connection.execute(query, place).fetchone() or ("nothing",)
    assert json_util.loads(json.dumps(held)) == json_util.loads(json.dumps(outcome["value"]))


def leads_there(rows: Rows, line: Line, outcome: Line) -> None:
    to = outcome["to"]
    node = rows.people[to["person"]]["members"][0] if "person" in to else (to["collection"], to["id"])
    assert rows.id(*node) in rows.held(line, outcome["path"])


def leads_nowhere(rows: Rows, line: Line, outcome: Line) -> None:
    """Of an id of the target too: no row has it here. What is of another phase waits for a later copy of that."""
    old = outcome["old"] if outcome["kind"] == "orphan" else outcome["id"]
    row, (table, column) = rows.id(line["collection"], line["id"]), rows.place(line, outcome["path"])
    assert (line["collection"], row, old) in rows.orphans or (table, row) in rows.waiting, "in no ledger"
    assert (old in rows.held(line, outcome["path"])) == (outcome["kind"] == "row" and column in IN_JSON)


JUDGES: dict[str, Callable[[Rows, Line, Line], None]] = {
    "value": has_value,
    "json": has_value,
    "length": has_length,
    "extras": is_kept_aside,
    "refers": leads_there,
    "orphan": leads_nowhere,
    "row": leads_nowhere,
}


@pytest.fixture
def planted(moved: Moved) -> list[tuple[Line, Line]]:
    """Every document that was planted and has a row, with each of its outcomes that a copy can bring about."""

    def all_() -> Iterator[tuple[Line, Line]]:
        for line in moved.lines("planted"):
            if line["end"] in {"copied", "merged"} and line["collection"] not in WITHOUT_ID:
                yield from ((line, one) for one in line["outcomes"] if one["kind"] not in ONLY_NAMED)

    return list(all_())


def test_everything_planted_became_what_the_truth_says(
    moved: Moved, rows: psycopg.Connection[Any], planted: list[tuple[Line, Line]]
) -> None:
    found, wrong = Rows(moved, rows), list[str]()
    for line, outcome in planted:
        try:
            JUDGES[outcome["kind"]](found, line, outcome)
        except AssertionError as fault:
            wrong.append(f"{line['plant']} {outcome}: {fault}")
    assert wrong == []
    assert {one["kind"] for _, one in planted} == set(JUDGES)
    assert len(planted) > 180
