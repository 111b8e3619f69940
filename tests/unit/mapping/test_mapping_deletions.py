"""What tables do for rows that others add, delete and change later, on a real server.

`table_default`, `on_delete`, `on_update`.
"""

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


UPDATED = """
isthmus: 1
naming: keep
target: {schema: "S ü", on_update: cascade}
collections:
  "U ser":
    fields: {name: {type: text, unique: true}, tags: {child: tags, fields: {t: text}}, likes: {junction: likes}}
  Task: {fields: {name: text}}
  Note:
    fields:
      owner: {references: "U ser"}
      checker: {references: "U ser", on_update: restrict}
      byName: {references: "U ser.name", type: text, on_delete: null}
      about: {route: {Task: {column: task, on_delete: cascade}, "U ser": {column: person, on_update: restrict}}}
junctions: {likes: {who: "U ser", what: Task}}
"""


def actions(text: str) -> dict[str, tuple[str | None, str | None]]:
    """Return each foreign key's column with what follows a change and a deletion."""
    tables = build_schema(parse_mapping(text)).tables.values()
    return {key.columns[0]: (key.on_update, key.on_delete) for table in tables for key in table.foreign_keys}


def test_a_mapping_says_once_what_follows_a_change() -> None:
    assert actions(UPDATED) == {
        "U ser_id": ("cascade", "cascade"),
        "owner": ("cascade", None),
        "checker": ("restrict", None),
        "byName": ("cascade", "set null"),
        "task": ("cascade", "cascade"),
        "person": ("restrict", None),
        "who": ("cascade", "cascade"),
        "what": ("cascade", "cascade"),
    }
    plain = actions(UPDATED.replace(", on_update: cascade}", "}"))
    assert {column: update for column, (update, _) in plain.items() if update} == {
        "checker": "restrict",
        "person": "restrict",
    }


@pytest.mark.parametrize(
    ("column", "stays"), [("owner", False), ("checker", True), ("task", False), ("person", True), ("byName", False)]
)
def test_a_row_follows_the_value_it_points_by(database: str, column: str, stays: bool) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(ddl.render(build_schema(parse_mapping(UPDATED))).encode())
        connection.execute('SET search_path = "S ü"')
        connection.execute('INSERT INTO "U ser" (id, name) VALUES (%s, %s)', (USER, "Ann"))
        connection.execute('INSERT INTO "Task" (id) VALUES (%s)', (TASK,))
        table, key, before, now = "U ser", "id", USER, NOTE
        if column == "task":
            table, before = "Task", TASK
        elif column == "byName":
            key, before, now = "name", "Ann", "Anne"
        connection.execute(f'INSERT INTO "Note" (id, "{column}") VALUES (%s, %s)'.encode(), (NOTE, before))
        change = f'UPDATE "{table}" SET {key} = %s'.encode()
        if stays:
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute(change, (now,))
        else:
            connection.execute(change, (now,))
            assert str(connection.execute(f'SELECT "{column}" FROM "Note"'.encode()).fetchone()[0]) == now  # type: ignore[index]


def test_what_follows_a_change_is_part_of_what_makes_a_mapping_another_one() -> None:
    for word in (", on_update: cascade", ", on_update: restrict"):
        assert word in UPDATED
        assert parse_mapping(UPDATED.replace(word, "", 1)).fingerprint != parse_mapping(UPDATED).fingerprint
