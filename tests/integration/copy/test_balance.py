"""The books of generated databases balance, whatever is in them; and a book that is cooked is found out.

Oracle: counts taken from target and ledgers with SQL of this test, and the documents themselves. The generators import
nothing from isthmus. Blind spot: which value a row holds (property tests of the core and the scenarios look at that).
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from isthmus.transfer.balance import balance_from_json
from isthmus.work.stages import listeners
from tests.generators import bson_writer as bw
from tests.generators.mappings import Case, cases
from tests.integration.copy.carrying import World, balanced, oid

_OBJECT_ID = re.compile(rb"\x07[^\x00]*\x00(.{12})", re.DOTALL)


def as_yaml(mapping: dict[str, Any]) -> str:
    stream = io.StringIO()
    YAML(typ="safe").dump(mapping, stream)
    return stream.getvalue()


def users_for(documents: list[bytes], every: int) -> list[bytes]:
    """Return a `Users` document for every so many of the ObjectIds in the documents, and one nobody refers to."""
    found = sorted({match[1] for document in documents for match in _OBJECT_ID.finditer(document)})
    ids = [*found[::every], oid(2**90).binary]
    return [bw.document([("_id", bw.object_id(one)), ("name", bw.string("u"))]).raw for one in ids]


def assert_balance(world: World, case: Case, every: int) -> None:
    """Copy a generated database and count what its target and ledgers hold."""
    users = users_for(case.documents, every)
    world.write({"Main": case.documents, "Users": users})
    result = world.copy(as_yaml(case.mapping), fresh=True)
    balanced(result)
    assert result.balance is not None
    main = result.balance.collections["Main"]
    letters = world.letters("Main")
    assert main.read == len(case.documents)
    assert main.dead_letters == len(letters)
    assert main.copied == world.one("SELECT count(*) FROM main") == main.tables["main"]
    assert {letter.document for letter in letters} <= set(case.documents)
    assert result.balance.collections["Users"].copied == len(users)
    assert sum(result.balance.skips.values()) == main.skipped
    kept = {name for name, books in result.balance.references.items() if "kept" in books.actions}
    listed = world.one("SELECT count(*) FROM isthmus.orphan")
    assert listed == sum(books.orphans + books.refused for books in result.balance.references.values()), kept
    assert sum(result.balance.junctions.values()) == sum(
        world.one(f"SELECT count(*) FROM {name}") for name in result.balance.junctions
    )
    assert balance_from_json(json.loads(json.dumps(result.balance.as_json()))) == result.balance
    expected = 1 if letters or result.balance.orphans_by_default or result.balance.left_out_indexes else 0
    assert result.exit_code == expected
    again = world.copy(as_yaml(case.mapping))
    assert (again.repeated, again.exit_code) == (True, 0)


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.soak)])
def test_books_of_generated_databases_balance(world: World, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=cases(max_documents=12), every=st.integers(1, 3))
    def law(case: Case, every: int) -> None:
        assert_balance(world, case, every)

    law()


MAPPING = """
isthmus: 1
collections:
  A: {fields: {n: integer, b: {references: B, on_orphan: "null"}, kids: {child: a_kids, fields: {x: integer}}}}
  B: {fields: {n: integer, as: {junction: pairs}}}
junctions: {pairs: {b_id: B, a_id: A}}
"""


@contextmanager
def meanwhile(stage: str, world: World, statement: str) -> Iterator[None]:
    """Run a statement behind the copy's back when it reaches a stage for the first time."""
    done: list[bool] = []

    def listen(reached: str) -> None:
        if reached == stage and not done:
            done.append(True)
            world.rows(statement)

    listeners.append(listen)
    try:
        yield
    finally:
        listeners.remove(listen)
    assert done, stage


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM a_kids WHERE x = 1", "a_kids: 3 rows expected, 2 are in the table."),
        ("INSERT INTO b (id, n) VALUES (gen_random_uuid(), 7)", "b: 2 rows expected, 3 are in the table."),
        ("UPDATE a SET b = NULL WHERE n = 1", "a.b: 3 reference values, 2 resolved, 0 orphans."),
        ("DELETE FROM pairs WHERE ctid IN (SELECT ctid FROM pairs LIMIT 1)", "pairs: 2 resolved references,"),
        ("DELETE FROM isthmus.dead_letter", "A: 1 dead letters counted, 0 in the ledger."),
    ],
)
def test_what_is_changed_behind_the_copys_back_is_a_difference(world: World, statement: str, told: str) -> None:
    world.write(
        {
            "A": [
                *({"_id": oid(n), "n": n, "b": oid(10), "kids": [{"x": n}]} for n in (1, 2, 3)),
                {"_id": oid(4), "n": "no number"},
            ],
            "B": [{"_id": oid(10), "n": 10, "as": [oid(1), oid(2)]}, {"_id": oid(11), "n": 11}],
        }
    )
    with meanwhile("finish.before-complete", world, statement):
        result = world.copy(MAPPING)
    assert result.outcome == "complete"
    assert result.balance is not None
    assert any(difference.startswith(told) for difference in result.balance.differences), result.balance.differences
    assert not result.balance.complete
    assert result.exit_code == 1


def test_column_that_comes_out_empty_is_named(world: World) -> None:
    world.write({"A": [{"_id": oid(n), "N": n} for n in range(5)], "B": [{"_id": oid(9)}]})
    result = world.copy("isthmus: 1\ncollections: {A: {fields: {n: integer}}, B: {fields: {n: integer}}}\n")
    balanced(result)
    assert result.balance is not None
    assert result.balance.empty_columns == ["a.n", "b.n"]
    assert result.balance.extras == {"A.N": 5}


def test_documents_that_leave_in_finish_take_their_books_along(world: World) -> None:
    mapping = """
    isthmus: 1
    policies: {nul: remove}
    collections:
      A: {fields: {n: {type: integer, unique: true}, text: text, old: {drop: "not wanted"}}}
    """
    documents: list[dict[str, Any]] = [
        {"_id": oid(i), "n": n, "text": "x\0", "old": 1, "more": {"deep": 1}} for i, n in enumerate([1, 1, 2])
    ]
    world.write({"A": documents})
    result = world.copy(mapping)
    balanced(result)
    assert result.balance is not None
    assert result.balance.adjusted == {"a.text:nul_removed": 2}
    assert result.balance.extras == {"A.more": 2}
    assert result.balance.dropped == {"A.old": 2}
    assert world.one("SELECT count(*) FROM isthmus.adjustment") == 2


def test_more_than_five_hundred_tables_and_field_names_are_counted_right(world: World) -> None:
    kids = ", ".join(f"k{n}: {{child: a_k{n}, fields: {{x: integer}}}}" for n in range(520))
    mapping = f"isthmus: 1\ncollections: {{A: {{fields: {{{kids}}}}}}}\n"
    document: dict[str, Any] = {f"k{n}": [{"x": 1}] for n in range(520)}
    world.write({"A": [{"_id": oid(1), **document}, {"_id": oid(2), **{f"data{n}": n for n in range(700)}}]})
    result = world.copy(mapping, workers=1)
    balanced(result)
    assert result.balance is not None
    assert sum(result.balance.extras.values()) == 700
    assert "A.(others)" in result.balance.extras
