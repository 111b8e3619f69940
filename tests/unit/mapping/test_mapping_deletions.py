"""What tables do for rows that others add and delete later: `table_default` and `on_delete`, on a real server."""

from __future__ import annotations

import psycopg
import pytest

from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.tables import build_schema

TEXT = """
isthmus: 1
naming: keep
enums: {"St ate": [A, "it's"]}
collections:
  "U ser": {fields: {name: text}}
  Task: {fields: {name: text}}
  Note:
    fields:
      owner: {references: "U ser", on_delete: null}
      author: {references: "U ser", on_delete: cascade}
      checker: {references: "U ser", on_delete: restrict}
      reader: {references: "U ser"}
      about: {route: {Task: {column: task, on_delete: cascade}, "U ser": {column: person, on_delete: null}}}
      state: {type: "St ate", table_default: "it's"}
      at: {type: timestamp(3)!, default: id_time, table_default: now}
      likes: {type: bigint, default: 1, table_default: -9007199254740993}
      open: {type: boolean, table_default: true}
      rate: {type: "numeric(5,2)", table_default: 1.50}
"""
USER, TASK, NOTE = (f"00000000-0000-8000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture
def tables(database: str) -> psycopg.Connection:
    """A connection to a database with the tables, a user and a task."""
    connection = psycopg.connect(database, autocommit=True)
    connection.execute(ddl.render(build_schema(parse_mapping(TEXT))).encode())
    connection.execute('INSERT INTO "U ser" (id) VALUES (%s)', (USER,))
    connection.execute('INSERT INTO "Task" (id) VALUES (%s)', (TASK,))
    return connection


def test_rows_that_others_add_get_the_defaults_of_the_table(tables: psycopg.Connection) -> None:
    with tables:
        tables.execute('INSERT INTO "Note" (id) VALUES (%s)', (NOTE,))
        row = tables.execute('SELECT state::text, likes, open, rate::text, at IS NOT NULL FROM "Note"').fetchone()
    assert row == ("it's", -9007199254740993, True, "1.50", True)


@pytest.mark.parametrize(
    ("column", "deleted", "left"),
    [
        ("owner", "U ser", [(None,)]),
        ("author", "U ser", []),
        ("task", "Task", []),
        ("person", "U ser", [(None,)]),
        ("checker", "U ser", None),
        ("reader", "U ser", None),
    ],
)
def test_a_row_follows_the_row_it_points_at(
    tables: psycopg.Connection, column: str, deleted: str, left: list[tuple[None]] | None
) -> None:
    pointed = TASK if deleted == "Task" else USER
    with tables:
        tables.execute(f'INSERT INTO "Note" (id, {column}) VALUES (%s, %s)'.encode(), (NOTE, pointed))
        delete = f'DELETE FROM "{deleted}"'.encode()
        if left is None:
            with pytest.raises(psycopg.errors.IntegrityError):
                tables.execute(delete)
        else:
            tables.execute(delete)
            assert tables.execute(f'SELECT {column} FROM "Note"'.encode()).fetchall() == left


def test_what_the_table_gives_is_part_of_what_makes_a_mapping_another_one() -> None:
    for word in (", on_delete: cascade", ", table_default: true"):
        assert word in TEXT
        assert parse_mapping(TEXT.replace(word, "")).fingerprint != parse_mapping(TEXT).fingerprint
