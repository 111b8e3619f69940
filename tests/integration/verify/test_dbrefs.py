"""DBRefs, which name their collection: those without an id mean the document whose `_id` is null; where routes lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId

from isthmus.survey.propose import propose, write_mapping
from isthmus.verify.checksum import routes
from isthmus.verify.result import LAYERS
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import named, verified
from tests.unit.survey.surveys import survey_of

NOWHERE = """\
isthmus: 1
collections:
  u: {fields: {}}
  b:
    fields:
      n: {column: n_id, references: u, on_orphan: "null"}
      us: {column: u_ids, type: "uuid[]", references: u, on_orphan: "null"}
      c: {child: c, fields: {n: {column: n_id, references: u, on_orphan: "null"}}}
      us_j: {junction: b_to_u}
      any: {type: jsonb, rewrite: {"[].n": u}}
junctions: {b_to_u: {b_id: b, u_id: u}}
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
    return make_here(NOWHERE, {"u": [{"_id": one} for one in ids], "b": [*_pointing(values, ids[2]), {"_id": 9}]})


def _pointing(values: list[Any], other: Any) -> list[dict[str, object]]:
    return [
        {
            "_id": str(n),
            "n": value,
            "us": [value, other],
            "c": [{"n": value}, {"n": DBRef("u", None)}],
            "us_j": [value, other],
            "any": [{"n": value}],
        }
        for n, value in enumerate(values)
    ]


def test_a_dbref_without_an_id_is_an_orphan_where_no_document_has_a_null(nowhere: Made) -> None:
    result = verified(nowhere, LAYERS)
    assert result.passed, result.differences
    counts = (
        "SELECT table_name || '.' || column_name, count(*)::integer, min(old_id_text), max(old_id_text)"
        " FROM isthmus.orphan GROUP BY 1 ORDER BY 1"
    )
    null = ("null", "null")
    assert nowhere.rows(counts) == [
        ("b.any.[].n", 1, *null),
        ("b.n_id", 1, *null),
        ("b.u_ids", 1, *null),
        ("b_to_u.u_id", 1, *null),
        ("c.n_id", 6, *null),
    ]
    nowhere.do("DELETE FROM isthmus.orphan WHERE table_name = 'b' AND column_name = 'n_id'")
    assert ("b", "n_id") in named(verified(nowhere, ("checksum",)), "checksum")


def test_a_dbref_without_an_id_leads_to_the_document_whose_id_is_null(make_here: Callable[..., Made]) -> None:
    one = ObjectId()
    made = make_here(NOWHERE, {"u": [{"_id": None}, {"_id": one}], "b": _pointing([DBRef("u", None), one, None], one)})
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    null = made.one("SELECT id FROM isthmus.id_map WHERE origin = 'document' AND collection = 'u'")
    assert made.rows("SELECT count(*) FROM isthmus.orphan") == [(0,)]
    ways = "n_id::text, u_ids[1]::text, \"any\" -> 0 ->> 'n'"
    assert made.rows(f"SELECT {ways} FROM b WHERE u_ids[1] <> u_ids[2]") == [(null, null, null)]
    assert made.one(f"SELECT count(*) FROM c WHERE n_id = '{null}'") == 4
    assert made.one(f"SELECT count(*) FROM b_to_u WHERE u_id = '{null}'") == 1


def test_under_kept_ids_no_document_has_a_null_and_such_a_dbref_is_a_null(make_here: Callable[..., Made]) -> None:
    made = make_here(
        f"ids: keep\n{NOWHERE}".replace("uuid[]", "text[]"),
        {"u": [{"_id": "a"}], "b": _pointing([DBRef("u", None), "a"], "a")},
    )
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    assert "1 DBRef of b.n_id has a null $id, and is NULL." in result.layers["types"].notes


@pytest.mark.parametrize("table", ["b", "c"])
def test_a_reference_that_is_gone_is_counted_beside_dbrefs_without_an_id(nowhere: Made, table: str) -> None:
    nowhere.do(f"UPDATE {table} SET n_id = NULL WHERE ctid = (SELECT max(ctid) FROM {table} WHERE n_id IS NOT NULL)")
    assert named(verified(nowhere, ("types",)), "types") == {(table, "n_id")}


def test_documents_that_only_look_like_dbrefs_are_ids_themselves(make_here: Callable[..., Made]) -> None:
    """Of a document with more keys than a DBRef has the `$id` is no reference, and a null there is none either."""
    like: dict[str, Any] = {"$ref": "u", "$id": None, "more": 1}
    made = make_here(NOWHERE, {"u": [{"_id": like}], "b": [{"_id": 1, "n": like}, {"_id": 2, "n": DBRef("u", like)}]})
    result = verified(made, LAYERS)
    assert result.passed, result.differences
    (column,) = [one for one in result.layers["types"].columns if (one.table, one.column) == ("b", "n_id")]
    assert (column.compared, column.left_out, column.why) == (2, 0, "")


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


CODED = ROUTES.replace("fields:\n      x:", "fields:\n      code: text!\n      x:")
EXISTING = f"target: {{tables: existing}}\n{CODED}"
TABLES = """
CREATE TABLE p (id uuid PRIMARY KEY);
CREATE TABLE q (id uuid PRIMARY KEY);
CREATE TABLE s (id uuid PRIMARY KEY);
CREATE TABLE r (id uuid PRIMARY KEY, code text NOT NULL, p_id uuid, q_id uuid, s_id uuid);
CREATE TABLE c (r_id uuid, position integer, s_id uuid, q_id uuid, PRIMARY KEY (r_id, position))
"""


def _crossing(make_here: Callable[..., Made], mapping: str, before: str) -> Made:
    """What p has q has not; the first document says the id alone, the next two name a collection that has it not."""
    one, two = ObjectId(), ObjectId()
    values: list[Any] = [two, DBRef("p", two), DBRef("s", two), DBRef("q", two), one]
    documents = [
        {"_id": ObjectId(), "code": f"c{number}", "x": value, "c": [{"x": value if number != 1 else None}]}
        for number, value in enumerate(values)
    ]
    return make_here(mapping, {"p": [{"_id": one}], "q": [{"_id": two}], "s": [], "r": documents}, before=before)


@pytest.mark.parametrize(
    ("mapping", "before"),
    [
        (CODED, ""),
        (f"ids: keep\n{CODED}", ""),
        (CODED.replace("  r:\n    fields:\n", "  r:\n    key: code\n    fields:\n      _id: {column: old_id}\n"), ""),
        (EXISTING, TABLES),
    ],
    ids=["own ids", "kept ids", "another key", "existing"],
)
def test_a_dbref_is_an_orphan_though_another_collection_of_its_route_has_the_id(
    make_here: Callable[..., Made], mapping: str, before: str
) -> None:
    made = _crossing(make_here, mapping, before)
    assert made.one("SELECT count(*) FROM isthmus.orphan WHERE table_name = 'r'") == 2
    result = verified(made, LAYERS)
    assert result.passed, result.differences


@pytest.mark.parametrize(("mapping", "before"), [(CODED, ""), (EXISTING, TABLES)], ids=["own", "existing"])
def test_a_ledger_that_calls_an_id_an_orphan_that_a_later_collection_has_is_not_believed(
    make_here: Callable[..., Made], mapping: str, before: str
) -> None:
    made = _crossing(make_here, mapping, before)
    made.do(
        "INSERT INTO isthmus.orphan (run_id, source_collection, table_name, column_name, row_id, target_collection,"
        " target_id, action, by_default) SELECT 1, 'r', 'r', 'p_id|q_id|s_id', id, 'p', q_id, 'null', false"
        " FROM r WHERE code = 'c0'",
        "UPDATE r SET q_id = NULL WHERE code = 'c0'",
    )
    assert {table for table, _ in named(verified(made, ("checksum",)), "checksum")} == {"r"}


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


@pytest.mark.parametrize("there", [False, True])
def test_survey_map_copy_and_verify_agree_on_dbrefs_without_an_id(
    there: bool, tmp_path: Path, make_here: Callable[..., Made]
) -> None:
    ids: list[Any] = [ObjectId() for _ in range(20)]
    people = [{"_id": one} for one in ([*ids, None] if there else ids)]
    things = [{"_id": ObjectId(), "who": DBRef("people", ids[n % 20] if n % 5 else None)} for n in range(40)]
    collections: dict[str, Any] = {"people": people, "things": things}
    survey = survey_of(tmp_path / "survey", collections)
    (reference,) = survey.references
    assert (reference.hits, reference.orphans) == ((40, 0) if there else (32, 8))
    made = make_here(write_mapping(propose(survey)), collections)
    assert made.one("SELECT count(*) FROM isthmus.orphan") == (0 if there else 8)
    assert made.one("SELECT count(*) FROM isthmus.dead_letter") == 0
    result = verified(made, LAYERS)
    assert result.passed, result.differences
