"""DBRefs, which name their collection: what verify counts of those without an id, and where routes with them lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId

from isthmus.verify.checksum import routes
from isthmus.verify.result import LAYERS
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import named, verified

NOWHERE = """\
isthmus: 1
collections:
  u: {fields: {}}
  b:
    fields:
      n: {column: n_id, references: u, on_orphan: "null"}
      us: {column: u_ids, type: "uuid[]", references: u, on_orphan: "null"}
      c: {child: c, fields: {n: {column: n_id, references: u, on_orphan: "null"}}}
"""
ROUTES = """\
isthmus: 1
collections:
  p: {fields: {}}
  q: {fields: {}}
  s: {fields: {}}
  r:
    fields:
      x: {route: {p: {column: p_id}, q: {column: q_id}, s: {column: s_id}}, on_orphan: "null"}
      c: {child: c, fields: {x: {route: {s: {column: s_id}, q: {column: q_id}}, on_orphan: "null"}}}
"""


@pytest.fixture
def nowhere(make_here: Callable[..., Made]) -> Made:
    """Of five references three are null, missing, or a DBRef without an id."""
    ids = [ObjectId() for _ in range(3)]
    values = [DBRef("u", None), DBRef("u", ids[0]), ids[1], None, DBRef("u", ids[0])]
    documents: list[dict[str, object]] = [
        {"_id": n, "n": value, "us": [value, ids[2]], "c": [{"n": value}, {"n": DBRef("u", None)}]}
        for n, value in enumerate(values)
    ]
    return make_here(NOWHERE, {"u": [{"_id": one} for one in ids], "b": [*documents, {"_id": 9}]})


def test_a_dbref_without_an_id_is_a_null(nowhere: Made) -> None:
    result = verified(nowhere, LAYERS)
    assert result.passed, result.differences
    notes = result.layers["types"].notes
    assert "1 DBRef of b.n_id has a null $id, and is NULL." in notes
    assert "6 DBRefs of c.n_id have a null $id, and are NULL." in notes


@pytest.mark.parametrize("table", ["b", "c"])
def test_a_reference_that_is_gone_is_counted_beside_dbrefs_without_an_id(nowhere: Made, table: str) -> None:
    nowhere.do(f"UPDATE {table} SET n_id = NULL WHERE ctid = (SELECT max(ctid) FROM {table} WHERE n_id IS NOT NULL)")
    assert named(verified(nowhere, ("types",)), "types") == {(table, "n_id")}


def test_dbrefs_are_not_counted_beside_documents_that_only_look_like_them(make_here: Callable[..., Made]) -> None:
    """Of a document with more keys than a DBRef has the `$id` is no reference, so nulls of it prove nothing."""
    like: dict[str, Any] = {"$ref": "u", "$id": None, "more": 1}
    made = make_here(NOWHERE, {"u": [{"_id": like}], "b": [{"_id": 1, "n": like}, {"_id": 2, "n": DBRef("u", like)}]})
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    (column,) = [one for one in result.layers["types"].columns if (one.table, one.column) == ("b", "n_id")]
    assert (column.left_out, column.why) == (1, "How many of its DBRefs have a null $id was not counted.")


def _values() -> Iterator[tuple[object, object]]:
    """Numbers of every type and DBRefs with them, for a route to p, q and s, and for one to s and q.

    p has the ids 0 to 19, q 10 to 39, s 30 to 59; some lead nowhere.
    """
    for number in range(70):
        plain: list[object] = [number, Int64(number), float(number), Decimal128(str(number))]
        yield plain[number % 4], plain[number % 4]
        for name in "pqs":
            named = DBRef(name, plain[(number + 1) % 4])
            yield named, named if name != "p" else None
    yield None, None
    yield DBRef("s", None), DBRef("s", None)


@pytest.fixture
def routed(make_here: Callable[..., Made]) -> Made:
    """References of several forms to ids that are no ObjectIds, and that several collections have."""
    return make_here(
        ROUTES,
        {
            "p": [{"_id": n} for n in range(20)],
            "q": [{"_id": Int64(n)} for n in range(10, 40)],
            "s": [{"_id": float(n)} for n in range(30, 60)],
            "r": [{"_id": n, "x": value, "c": [{"x": inner}]} for n, (value, inner) in enumerate(_values())],
        },
    )


def test_routes_with_dbrefs_are_verified(routed: Made) -> None:
    result = verified(routed, LAYERS)
    assert result.passed, result.differences
    assert not [note for note in result.layers["checksum"].notes if "oracle" in note]


def test_a_route_that_leads_elsewhere_is_named(routed: Made) -> None:
    """A DBRef names q, and p has a row with the same `_id`: only the checksum and the samples can know."""
    same = (
        "FROM r JOIN isthmus.id_map b ON b.id = r.q_id::text AND b.collection = 'q'"
        " JOIN isthmus.id_map a USING (key_digest) JOIN p ON p.id::text = a.id"
    )
    routed.do(
        f"UPDATE r SET p_id = x.p_id, q_id = NULL FROM (SELECT r.id, p.id AS p_id {same} LIMIT 1) x WHERE x.id = r.id"
    )
    assert named(verified(routed, ("checksum",)), "checksum") == {("r", "p_id")}


def test_a_plain_value_that_leads_to_a_later_collection_is_named(routed: Made) -> None:
    """Finish keeps the first collection that has the id, so the second one is wrong."""
    same = (
        "FROM r JOIN p ON p.id = r.p_id JOIN isthmus.id_map a ON a.id = p.id::text AND a.collection = 'p'"
        " JOIN isthmus.id_map b USING (key_digest) JOIN q ON q.id::text = b.id"
    )
    routed.do(
        f"UPDATE r SET q_id = x.q_id, p_id = NULL FROM (SELECT r.id, q.id AS q_id {same} LIMIT 1) x WHERE x.id = r.id"
    )
    assert named(verified(routed, ("checksum",)), "checksum") == {("r", "p_id")}


def test_a_second_column_of_a_route_is_named(routed: Made) -> None:
    """The first one is right, so only the second can be wrong."""
    routed.do(
        "UPDATE r SET s_id = (SELECT id FROM s LIMIT 1) WHERE id = (SELECT id FROM r WHERE p_id IS NOT NULL LIMIT 1)"
    )
    assert named(verified(routed, ("checksum",)), "checksum") == {("r", "s_id")}


def test_an_id_in_another_column_of_its_route_is_named(make_here: Callable[..., Made]) -> None:
    """Ids that come from ObjectIds are the same in all columns of a route."""
    ids = [ObjectId() for _ in range(4)]
    values = [*ids, DBRef("q", ids[3]), DBRef("q", ids[2])]  # both p and q have the third
    documents: list[dict[str, object]] = [{"_id": n, "x": value} for n, value in enumerate(values)]
    made = make_here(
        ROUTES,
        {
            "p": [{"_id": one} for one in ids[:3]],
            "q": [{"_id": one} for one in ids[2:]],
            "s": [],
            "r": documents,
        },
    )
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    made.do("ALTER TABLE r DROP CONSTRAINT r_q_id_fkey")
    made.do("UPDATE r SET q_id = p_id, p_id = NULL WHERE p_id IS NOT NULL AND p_id NOT IN (SELECT id FROM q)")
    assert [one.path for one in verified(made, ("checksum",)).differences] == ["p_id", "p_id"]


def test_a_route_with_very_many_ids_elsewhere_is_left_to_the_oracle(
    routed: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST_PAIRS", 3)
    result = verified(routed, LAYERS)
    assert result.passed, result.differences
    assert (
        "r was compared by the slower oracle: more than 3 ids in references of r may lead to several tables."
        in result.layers["checksum"].notes
    )
    routed.do("UPDATE r SET q_id = NULL WHERE id = (SELECT id FROM r WHERE q_id IS NOT NULL LIMIT 1)")
    assert ("r", "q_id") in named(verified(routed, ("checksum",)), "checksum")
