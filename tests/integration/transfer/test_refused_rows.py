"""Documents that only PostgreSQL refuses: exactly these become dead letters, with its words; the others arrive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import Int64
from psycopg import sql

from tests.chaos.sessions import Copy
from tests.fix_copies import FINISHED, SCHEMA, Unkilled
from tests.fix_dumps import write_collection

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command

CHECK = "ALTER TABLE {table} ADD CONSTRAINT not_these CHECK (name <> ALL ({names}))"
TRIGGER = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.name = ANY ({names}) THEN RAISE EXCEPTION 'not_these: %', NEW.name; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def letters(target: str) -> dict[bytes, tuple[str, str, str]]:
    """Return the document of every letter made at load → collection, code, message."""
    with psycopg.connect(target) as connection:
        rows = connection.execute(
            "SELECT document, collection, code, message FROM isthmus.dead_letter WHERE stage = 'load'"
        ).fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {bytes(document): (collection, code, message) for document, collection, code, message in rows}


def column(target: str, table: str, name: str) -> list[Any]:
    query = sql.SQL("SELECT {} FROM {}").format(sql.Identifier(name), sql.Identifier(SCHEMA, table))
    with psycopg.connect(target) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("statement", [CHECK, TRIGGER])
def test_rows_that_a_constraint_refuses_become_letters_and_no_others(statement: str, copy: Copy) -> None:
    import gzip

    raw = gzip.decompress((copy.source / "Documents.bson.gz").read_bytes())
    every = [(one, bson.encode(one)) for one in bson.decode_all(raw)]
    refused = [every[number] for number in (0, 57, 58, 199)]
    assert copy.run(kill=["begin.after-commit", 1]).code == -9
    names = sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(sql.Literal(one["name"]) for one, _ in refused))
    with psycopg.connect(copy.target, autocommit=True) as connection:
        connection.execute(
            sql.SQL(statement).format(table=sql.Identifier(SCHEMA, "documents"), names=names)  # pyright: ignore
        )
    ended = copy.run("--memory", "64M", batch_bytes=1 << 20)
    assert ended.code == FINISHED, ended.text
    assert "The books balance" in ended.words
    found = letters(copy.target)
    assert set(found) == {document for _, document in refused}
    assert {(collection, code) for collection, code, _ in found.values()} == {("Documents", "target-refused")}
    assert all("not_these" in message for _, _, message in found.values())
    kept = sorted(one["name"] for one, document in every if document not in found)
    assert sorted(column(copy.target, "documents", "name")) == kept


@pytest.mark.parametrize("title", ["kept, then lost", "the other one"])
def test_refused_one_of_two_documents_with_the_same_id_is_counted_once(
    title: str, copy: Copy, unkilled: Unkilled
) -> None:
    """One is refused at load; the other may be found bad in finish, where documents are found again by their id."""
    assert copy.run(kill=["begin.after-commit", 1]).code == -9
    with psycopg.connect(copy.target, autocommit=True) as connection:
        connection.execute(
            sql.SQL('ALTER TABLE {} ADD CHECK ("select" <> {})').format(
                sql.Identifier(SCHEMA, "order"), sql.Literal(title)
            )
        )
    ended = copy.run()
    assert ended.code == FINISHED, ended.text
    assert "The books balance" in ended.words
    assert [bson.decode(document)["title"] for document in letters(copy.target)] == [title]
    expected = [] if title == "the other one" else ["the other one"]
    assert [one for one in column(copy.target, "order", "select") if one in {title, *expected}] == expected


def test_rows_longer_than_a_page_become_letters(postgres: str, database: str, tmp_path: Path) -> None:
    """A row of fixed-width columns cannot be stored elsewhere in part: 8,160 bytes are its end."""
    fields = "\n".join(f"      f{number}: bigint" for number in range(1_100))
    mapping = (
        f"isthmus: 1\ntarget: {{schema: '{SCHEMA}', tables: create}}\ncollections:\n  Wide:\n    fields:\n{fields}\n"
    )
    (tmp_path / "wide.yaml").write_text(mapping)
    (tmp_path / "id.key").write_text("ab" * 32)
    width: Callable[[int], int] = lambda number: 1_100 if number in {3, 40, 41} else 400  # noqa: E731
    every = [
        bson.encode({"_id": number, **{f"f{f}": Int64(number * f) for f in range(width(number))}})
        for number in range(60)
    ]
    write_collection(tmp_path / "dump" / "shop", "Wide", every)
    copy = Copy(tmp_path / "wide.yaml", tmp_path / "dump" / "shop", database, tmp_path / "id.key", tmp_path)
    ended = copy.run("--memory", "64M", batch_bytes=1 << 20)
    assert ended.code == FINISHED, ended.text
    found = letters(database)
    assert set(found) == {every[3], every[40], every[41]}
    assert all("row is too big" in message for _, _, message in found.values())
    assert len(column(database, "wide", "id")) == 57
    assert copy.run().code == 0
