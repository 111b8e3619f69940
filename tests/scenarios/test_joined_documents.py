"""Whole copies of databases in which many documents are one thing (`on_duplicate: merge`), compared with the oracle.

What only this shows: who is joined with whom when several indexes say so, in which order rows are filled, that nothing
points at a document that has no row any more, and that the ledgers name exactly what was joined.

The generator says what each way of drawing documents leaves out.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import psycopg
import pytest
from bson import DBRef

from isthmus.verify.reference import Reference, load
from isthmus.verify.reference.compare import Comparison
from tests.generators.joined import Joined, mapping
from tests.generators.mingled import Mingled
from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.copying import Compared, compared, documents_of
from tests.oracle.ledgers import accounts_of, run_facts

Plain = dict[str, Any]

ALL = "{columns: [first, last], unique: true}", "{columns: [phone], unique: true}"
SOME = "{columns: [first, last], unique: true}", """{columns: [phone], unique: true, where: "phone LIKE 'p%'"}"""


def carry(folder: Path, database: str, text: str, documents: dict[str, list[Plain]]) -> Compared:
    """Copy the documents, assert that the books balance and count as many joined ones as the oracle, and compare."""
    world = World(database, folder / "dump" / "people")
    world.write(documents)
    (folder / "mapping.yaml").write_text(textwrap.dedent(text), "utf-8")
    result = world.copy(text)
    balanced(result)
    found = compared(folder / "mapping.yaml", world.folder, database)
    assert result.balance is not None
    assert {name: books.merged for name, books in result.balance.collections.items()} == {
        name: found.totals.merged[name] for name in documents
    }
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("ways", "shared", "uniques"),
    [("one", False, SOME), ("one", True, ALL), ("chains", False, ALL)],
    ids=["alike in one", "of two collections", "in chains"],
)
def test_generated_documents_are_joined_as_the_oracle_says(
    ways: str, shared: bool, uniques: tuple[str, ...], seed: int, tmp_path: Path, database: str
) -> None:
    text = mapping(uniques=uniques, shared=shared, waits=ways == "chains")
    found = carry(tmp_path, database, text, Joined(seed, ways=ways, shared=shared).documents())
    assert not found.differences
    assert found.totals.merged.total() > 8
    for table in ("tags", "parts", "members", "notes")[2 if ways == "chains" else 0 :]:
        assert found.totals.rows[table]


KEPT, JOINED, OTHER, GROUP = oid(1), oid(2), oid(3), oid(50)
TAGS = [{"word": "w", "parts": [{"n": 1, "mail": "same@x"}]}]
TWO: dict[str, list[Plain]] = {
    "Old": [
        {"_id": JOINED, "mail": "same@x", "state": "s2", "extra": 1, "boss": JOINED, "friends": [JOINED], "tags": TAGS}
        | {"groups": [GROUP]},
        {"_id": KEPT, "mail": "same@x", "state": "s1", "tags": TAGS},
        {"_id": OTHER},
    ],
    "groups": [{"_id": GROUP}],
    "notes": [
        {"_id": "n", "by": JOINED, "mail": "same@x", "kept": "same@x", "seen": [JOINED], "who": JOINED}
        | {"data": [{"who": JOINED}]}
    ],
    "places": [{"_id": oid(60), "code": "c", "owner": JOINED}],
}
"""Two documents that are one, and every way to point at the one that has no row."""

CHANGES = {
    ("people", "state"): "UPDATE people SET state = 's2' WHERE state = 's1'",
    ("people", "boss_id"): "UPDATE people SET boss_id = %(other)s WHERE boss_id IS NOT NULL",
    ("people", "friends"): "UPDATE people SET friends = array_replace(friends, %(kept)s, %(joined)s)",
    ("notes", "data"): "UPDATE notes SET data = replace(data::text, %(kept)s::text, %(joined)s::text)::jsonb",
    ("people", "extras"): "UPDATE people SET extras = NULL",
    ("people", "(joined into)"): "UPDATE isthmus.id_map SET id = %(other)s::text WHERE origin = 'merged'",
    ("people", "(conflict)"): "DELETE FROM isthmus.conflict",
    ("tags", "(row)"): "UPDATE tags SET position = 2 WHERE position = 1",
    ("parts", "(row)"): "UPDATE parts SET tags_position = 2 WHERE tags_position = 1",
    ("parts", "mail_id"): "UPDATE parts SET mail_id = %(joined)s WHERE tags_position = 1",
    ("members", "(row)"): "UPDATE members SET person_id = %(joined)s",
    ("places", "owner_id"): "UPDATE places SET owner_id = %(joined)s",
    ("notes", "by_id"): "UPDATE notes SET by_id = %(joined)s",
    ("notes", "mail_id"): "UPDATE notes SET mail_id = %(joined)s",
    ("notes", "kept"): "UPDATE notes SET kept = NULL",
    ("notes", "seen"): "UPDATE notes SET seen = array_replace(seen, %(kept)s, %(joined)s)",
    ("notes", "person_id"): "UPDATE notes SET person_id = %(joined)s",
}
"""(table, path) of a difference: a statement that makes it."""


def test_a_changed_row_of_each_kind_is_found(tmp_path: Path, database: str) -> None:
    """Were one of these passed over, the tests above could not fail."""
    assert not carry(tmp_path, database, mapping(uniques=ALL, waits=False), TWO).differences
    with psycopg.connect(database, autocommit=True) as connection:
        facts = run_facts(connection)
        reference = Reference(load(tmp_path / "mapping.yaml"), facts.key, facts.now_us)
        documents = list(documents_of(tmp_path / "dump" / "people", list(TWO)))
        people = {one: reference.expected("Old", bson.encode({"_id": one})).id for one in (KEPT, JOINED, OTHER)}
        names = {"kept": people[KEPT], "joined": people[JOINED], "other": people[OTHER]}
        values = {name: UUID(identifier) for name, identifier in names.items()}
        foreign = (
            "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
        for (statement,) in connection.execute(foreign).fetchall():
            connection.execute(statement)

        def seen() -> set[tuple[str, str]]:
            comparison = Comparison(reference, connection, accounts_of(connection, reference))
            return {(one.table, one.path) for one in comparison.differences(documents)}

        for place, change in CHANGES.items():
            with connection.transaction() as transaction:
                assert connection.execute(change.encode(), values).rowcount > 0, place
                assert seen() == {place}
                raise psycopg.Rollback(transaction)
        with connection.transaction():
            assert seen() == set()


def joining(*fields: str, name: str = "people", more: str = "") -> str:
    """An entry whose documents are joined."""
    return f"  {name}: {{on_duplicate: merge, {more} fields: {{{', '.join(fields)}}}}}\n"


def unique(name: str, kind: str = "integer") -> str:
    return f"{name}: {{type: {kind}, unique: true}}"


def one_of_each(name: str, entry: str) -> str:
    return f'{name}: {{column: {name}_id, references: {entry}, unique: true, on_orphan: "null"}}'


MAIL = unique("mail", "text")
NAMES = "indexes: [{columns: [first, last], unique: true}],"
HOME = 'home: {column: home_id, references: places.code, on_orphan: "null"}'
PLACES = f"  places: {{fields: {{{unique('code', 'text')}}}}}\n"
NOTES = "  notes: {fields: {j: {type: jsonb, rewrite: {who: people}}}}\n"
ANIMALS = "  dogs: {fields: {n: integer}}\n  cats: {fields: {n: integer}}\n"

Case = tuple[str, dict[str, list[Plain]]]
"""Entries, and documents whose `_id` is their place in the list unless they have one."""

AS_IT_SAYS: dict[str, Case] = {
    "filled in the order of _id, whichever index joins first": (
        joining(unique("a"), unique("b"), "n: integer"),
        {"people": [{"a": 1, "b": 2}, {"b": 2, "n": 2}, {"a": 1, "n": 3}]},
    ),
    "a value that another replaced still joins": (
        joining(unique("b"), unique("a")),
        {"people": [{"a": 1, "b": 2}, {"a": 4, "b": 2}, {"a": 4}]},
    ),
    "a filled row joins others by an index that was built": (
        joining(MAIL, "first: text", "last: text", more=NAMES),
        {"people": [{"mail": "a", "first": "f"}, {"mail": "a", "last": "l"}, {"first": "f", "last": "l"}]},
    ),
    "a reference that moves joins others by an index that was built": (
        joining(one_of_each("boss", "people"), one_of_each("wife", "people")),
        {"people": [{"wife": oid(5)}, {"wife": oid(5)}, {"boss": oid(1)}, {"boss": oid(2)}, {}]},
    ),
    "a value that waits moves to the row of another collection": (
        joining(MAIL, HOME, more="from: [A, B],") + PLACES,
        {"A": [{"mail": "a"}], "B": [{"_id": oid(2), "mail": "a", "home": "x"}], "places": [{"code": "x"}]},
    ),
    "a value that waits and differs is listed": (
        joining(MAIL, HOME) + PLACES,
        {
            "people": [{"mail": "a", "home": "y"}, {"mail": "a", "home": "x"}],
            "places": [{"code": "x"}, {"code": "y"}],
        },
    ),
    "extras that differ are listed, even if the row's contain them": (
        joining(MAIL),
        {"people": [{"mail": "a", "tags": [1, 2]}, {"mail": "a", "tags": [2]}]},
    ),
    "jsonb that the row took from a joined document is not listed": (
        joining(MAIL, "j: {type: jsonb, rewrite: {who: people}}"),
        {"people": [{"mail": "a"}, {"mail": "a", "j": {"who": oid(2)}}]},
    ),
    "kept ids in jsonb are replaced where they refer, and nowhere else": (
        joining(MAIL, more="ids: keep,") + NOTES,
        {
            "people": [{"_id": "ann", "mail": "a"}, {"_id": "bob", "mail": "a"}],
            "notes": [{"j": {"who": "bob", "nick": "bob", "bob": 1}}],
        },
    ),
    "kept numbers in jsonb are replaced": (
        joining("_id: {type: integer}", MAIL, more="ids: keep,") + NOTES,
        {"people": [{"_id": 1, "mail": "a"}, {"_id": 2, "mail": "a"}], "notes": [{"j": {"who": 2, "nick": "2"}}]},
    ),
    "a route is one value, which the row that stays keeps": (
        joining(MAIL, "any: {route: {dogs: dog_id, cats: cat_id}}") + ANIMALS,
        {
            "people": [{"mail": "a", "any": DBRef("cats", oid(1))}, {"mail": "a", "any": DBRef("dogs", oid(1))}],
            "dogs": [{}],
            "cats": [{}],
        },
    ),
    "ids of several types": (
        joining(MAIL, "n: integer"),
        {
            "people": [
                *({"_id": "x", "mail": "a", "n": 1}, {"_id": 10, "mail": "a", "n": 2}),
                *({"_id": 9.5, "mail": "a", "n": 3}, {"_id": {"a": 1}, "mail": "a", "n": 4}),
                *({"_id": True, "mail": "b", "n": 4}, {"_id": b"abc", "mail": "b"}, {"_id": b"zz", "mail": "b"}),
            ]
        },
    ),
    "values that only PostgreSQL holds for equal": (
        joining(unique("d", "double"), "t: 'text[]'", more="indexes: [{columns: [t], unique: true}],"),
        {
            "people": [
                *({"d": 0.0}, {"d": -0.0}, {"d": float("nan")}),
                *({"d": float("nan"), "t": ["a", None]}, {"t": ["a", None]}),
            ]
        },
    ),
    "a key of several columns, and unique columns": (
        joining("first: text!", "last: text!", MAIL, unique("phone", "text"), more="key: [first, last],"),
        {
            "people": [
                {"mail": "a", "first": "f", "last": "l"},
                {"mail": "a", "first": "f", "last": "k", "phone": "1"},
                {"first": "e", "last": "l", "phone": "1"},
            ]
        },
    ),
    "rows of two tables that point at each other": (
        joining(one_of_each("b", "b"), unique("n"), name="a") + joining(one_of_each("a", "a"), unique("n"), name="b"),
        {
            "a": [{"n": 1, "b": oid(1)}, {"n": 1, "b": oid(2)}, {"b": oid(3)}, {"b": oid(4)}],
            "b": [{"a": oid(1)}, {"a": oid(2)}, {"a": oid(3), "n": 7}, {"a": oid(4), "n": 7}],
        },
    ),
    "references by values that others replaced": (
        joining(unique("n"), unique("m"))
        + "  notes: {fields: {x: {references: people.m, type: integer}, y: {column: y_id, references: people.n}}}\n",
        {"people": [{"m": 1, "n": 3}, {"m": 1, "n": 2}, {"m": 9, "n": 3}], "notes": [{"x": 9, "y": 2}]},
    ),
}


def carry_case(case: Case, folder: Path, database: str) -> Compared:
    entries, documents = case
    numbered = {
        name: [{"_id": oid(number), **one} for number, one in enumerate(content, 1)]
        for name, content in documents.items()
    }
    return carry(folder, database, f"isthmus: 1\ncollections:\n{entries}", numbered)


@pytest.mark.parametrize("case", AS_IT_SAYS)
def test_documents_are_joined_as_the_oracle_says(case: str, tmp_path: Path, database: str) -> None:
    found = carry_case(AS_IT_SAYS[case], tmp_path, database)
    assert not found.differences
    assert found.totals.merged.total() > 0


@pytest.mark.parametrize("seed", range(4))
def test_generated_documents_that_contradict_each_other(seed: int, tmp_path: Path, database: str) -> None:
    documents = Joined(seed, ways="any", shared=True).documents()
    found = carry(tmp_path, database, mapping(uniques=ALL, shared=True), documents)
    assert not found.differences
    assert found.totals.merged.total() > 8


@pytest.mark.parametrize("seed", range(6))
def test_documents_that_anything_may_join_are_joined_as_the_oracle_says(
    seed: int, tmp_path: Path, database: str
) -> None:
    mingled = Mingled(seed)
    assert not carry(tmp_path, database, mingled.mapping(), mingled.documents()).differences
