"""MongoDB's indexes: carried, or a comment that says why not; a unique one never costs a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson import DBRef, ObjectId

from isthmus.mapping.model import Mapping
from tests.unit.survey.propose.proposals import line_of, notes_above, proposed

DOCUMENTS: list[dict[str, Any]] = [
    {
        "_id": ObjectId(f"{n:024x}"), "a": n, "b": f"t{n}", "same": 1, "tags": ["x"], "o": {"p": n},
        "mix": n if n % 2 else "m", "kids": [{"k": n}], "on": n % 2 == 0,
        "state": "A" if n % 2 else "B", "long": "l" * 3000, "at": 5.5,
    }
    for n in range(60)
]  # fmt: skip


def with_index(folder: Path, key: dict[str, Any], **options: Any) -> tuple[str, Mapping]:
    index = {"v": 2, "key": key, "name": "the_index", **options}
    return proposed(folder, {"c": DOCUMENTS}, indexes={"c": [index]})


def test_single_index_and_unique_one_stand_at_their_field(tmp_path: Path) -> None:
    assert line_of(with_index(tmp_path / "1", {"a": -1})[0], "a:") == "a: {type: integer!, index: true}"
    assert line_of(with_index(tmp_path / "2", {"a": 1}, unique=True)[0], "a:") == "a: {type: integer!, unique: true}"
    assert line_of(with_index(tmp_path / "3", {"o.p": "hashed"})[0], "o.p:") == "o.p: {type: integer!, index: true}"
    assert line_of(with_index(tmp_path / "4", {"tags": 1})[0], "tags:") == 'tags: {type: "text[]!", index: true}'


def test_compound_index_names_columns(tmp_path: Path) -> None:
    _, mapping = with_index(tmp_path, {"a": 1, "o.p": -1, "_id": 1}, unique=True)
    (index,) = mapping.collections["c"].indexes
    assert (index.columns, index.unique) == (("a", "o_p", "id"), True)


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ({"a": {"$gt": 5}}, '"a" > 5'),
        ({"b": {"$exists": True}}, '"b" IS NOT NULL'),
        ({"state": "A"}, "\"state\" = 'A'"),
        ({"on": True}, '"on" = true'),
        ({"$and": [{"a": {"$gte": 1, "$lt": 9}}, {"b": "it's"}]}, '"a" >= 1 AND "a" < 9 AND "b" = \'it\'\'s\''),
    ],
)
def test_partial_index_keeps_its_condition(condition: dict[str, Any], where: str, tmp_path: Path) -> None:
    _, mapping = with_index(tmp_path, {"a": 1}, partialFilterExpression=condition)
    assert [index.where for index in mapping.collections["c"].indexes] == [where]


@pytest.mark.parametrize(
    ("key", "options", "why"),
    [
        ({"same": 1}, {"unique": True}, "59 of its 60 values are there a second time"),
        ({"mix": 1}, {"unique": True}, "it is jsonb"),
        ({"tags": 1}, {"unique": True}, "it is text[]"),
        ({"kids.k": 1}, {"unique": True}, "inside an array"),
        ({"long": 1}, {"unique": True}, "3,000 bytes"),
        ({"long": 1}, {}, "3,000 bytes"),
        ({"o": 1}, {}, "became columns"),
        ({"kids": 1}, {}, "became the table c_kids"),
        ({"tags": 1, "a": 1}, {}, "holds several values"),
        ({"at": "2dsphere"}, {}, "PostGIS"),
        ({"$**": 1}, {}, "wildcard"),
        ({"gone": 1}, {}, "no document has gone"),
        ({"a": 1}, {"partialFilterExpression": {"b": {"$gt": "m"}}}, "$gt"),
        ({"a": 1}, {"partialFilterExpression": {"state": "Z"}}, "does not compare"),
        ({"a": 1}, {"partialFilterExpression": {"gone": 5}}, "gone is no column"),
    ],
)
def test_what_cannot_be_carried_is_a_comment_with_the_reason(
    key: dict[str, Any], options: dict[str, Any], why: str, tmp_path: Path
) -> None:
    text, mapping = with_index(tmp_path, key, **options)
    assert why in line_of(text, "# check: unique index" if options.get("unique") else "# check: index")
    assert mapping.collections["c"].indexes == ()
    assert not any(getattr(rule, "unique", False) for rule in mapping.collections["c"].fields)


def test_expiry_is_an_index_and_a_warning(tmp_path: Path) -> None:
    text, _ = with_index(tmp_path, {"at": 1}, expireAfterSeconds=3600)
    assert line_of(text, "at:") == "at: {type: double!, index: true}"
    assert "3,600 seconds after this date (TTL)" in notes_above(text, "at:")[0]


def test_text_index_becomes_full_text_search_in_its_language(tmp_path: Path) -> None:
    _, mapping = with_index(tmp_path, {"_fts": "text", "_ftsx": 1}, weights={"b": 5}, default_language="german")
    search = mapping.collections["c"].search
    assert search is not None
    assert (search.columns, search.language) == (("b",), "german")


def test_names_are_searched_and_states_filtered_without_being_asked(tmp_path: Path) -> None:
    documents = [{"_id": n, "title": f"t{n}", "status": f"s{n}", "password": "x"} for n in range(5)]
    text, mapping = proposed(tmp_path, {"c": documents})
    assert mapping.collections["c"].search is not None
    assert line_of(text, "status:") == "status: {type: text!, index: true}"


def test_unique_index_that_is_not_known_to_hold_costs_no_document(tmp_path: Path) -> None:
    text, mapping = with_index(
        tmp_path / "partial", {"same": 1}, unique=True, partialFilterExpression={"same": {"$gt": 0}}
    )
    assert [index.unique for index in mapping.collections["c"].indexes] == [False]
    assert "# check: unique in MongoDB under this condition" in text
    text, mapping = with_index(tmp_path / "compound", {"same": 1, "state": 1}, unique=True)
    assert mapping.collections["c"].indexes == ()
    assert "2 combinations at most" in text


HEX = "abcdef0123456789abcdef01"
Y = [ObjectId(HEX), ObjectId("abcdef0123456789abcdef02"), ObjectId(f"{3:024x}")]


def references(folder: Path, values: list[Any], **more: Any) -> tuple[str, Mapping]:
    """Propose for references with a unique index of their own, and one with another field."""
    indexes = [
        {"v": 2, "key": {"y": 1}, "name": "alone", "unique": True, **more},
        {"v": 2, "key": {"same": 1, "y": 1}, "name": "both", "unique": True},
    ]
    documents = [{"_id": ObjectId(f"{100 + n:024x}"), "y": value, "same": 1} for n, value in enumerate(values)]
    return proposed(folder, {"x": documents, "y": [{"_id": one} for one in Y]}, indexes={"x": indexes})


@pytest.mark.parametrize(
    "values",
    [
        Y,
        [str(one) for one in Y],
        [DBRef("y", one) for one in Y],
        [DBRef("y", one, "shop") for one in Y],
        [DBRef("y", str(one)) for one in Y],
    ],
)
def test_unique_index_over_references_of_one_spelling_is_carried(values: list[Any], tmp_path: Path) -> None:
    text, mapping = references(tmp_path, values)
    assert "unique: true}" in line_of(text, '"y": {')
    assert [index.unique for index in mapping.collections["x"].indexes] == [True]


@pytest.mark.parametrize(
    "values",
    [
        [HEX, HEX.upper()],
        [ObjectId(HEX), HEX],
        [DBRef("y", Y[0]), DBRef("y", Y[0], "shop")],
        [DBRef("y", Y[0], "shop"), DBRef("y", Y[0], "elsewhere")],
        [DBRef("y", Y[0]), DBRef("y", HEX)],
        [DBRef("y", HEX), DBRef("y", HEX.upper())],
        [Y[0], DBRef("y", Y[0])],
        [HEX, *(f"{n:024x}" for n in range(400))],  # too many to know their case
    ],
)
def test_unique_index_over_references_that_may_mean_one_document_is_not(values: list[Any], tmp_path: Path) -> None:
    text, mapping = references(tmp_path, values)
    assert mapping.collections["x"].indexes == ()
    assert not any(getattr(rule, "unique", False) for rule in mapping.collections["x"].fields)
    assert "# check: unique index alone of MongoDB is not carried: " in text
    assert "# check: unique index both of MongoDB is not carried: " in text


def test_unique_index_over_kept_ids_tells_their_case_apart(tmp_path: Path) -> None:
    ids = [HEX, HEX.upper(), "other"]
    documents = [{"_id": ObjectId(f"{100 + n:024x}"), "y": value} for n, value in enumerate(ids)]
    index = {"v": 2, "key": {"y": 1}, "name": "alone", "unique": True}
    text, _ = proposed(tmp_path, {"x": documents, "y": [{"_id": one} for one in ids]}, indexes={"x": [index]})
    assert "unique: true}" in line_of(text, '"y": {')


def test_reference_is_as_long_as_the_ids_it_names(tmp_path: Path) -> None:
    ids = [f"{n}" * 1000 for n in range(9)]
    documents = [{"_id": ObjectId(f"{n:024x}"), "y": one, "t": "t" * 1700} for n, one in enumerate(ids)]
    index = {"v": 2, "key": {"y": 1, "t": 1}, "name": "wide"}
    text, mapping = proposed(tmp_path, {"x": documents, "y": [{"_id": one} for one in ids]}, indexes={"x": [index]})
    assert mapping.collections["x"].indexes == ()
    assert "2,700 bytes together" in line_of(text, "# check: index wide")


def test_many_long_columns_leave_room_for_their_lengths(tmp_path: Path) -> None:
    documents = [{"_id": n, **{f"f{i:02}": "x" * 80 for i in range(32)}} for n in range(3)]
    index = {"v": 2, "key": {f"f{i:02}": 1 for i in range(32)}, "name": "wide"}
    _, mapping = proposed(tmp_path, {"c": documents}, indexes={"c": [index]})
    assert mapping.collections["c"].indexes == ()


def test_what_a_text_index_loses_is_said(tmp_path: Path) -> None:
    key = {"a": 1, "_fts": "text", "_ftsx": 1, "at": -1}
    condition = {"a": {"$gt": 5}}
    text, _ = with_index(tmp_path, key, weights={"b": 5, "o": 1, "kids.k": 1}, partialFilterExpression=condition)
    assert line_of(text, "# check: not carried of the_index") == (
        "# check: not carried of the_index: its keys beside the text (a, at); kids.k (no column of text);"
        " o (no column of text); its condition: it finds all rows"
    )


def test_condition_that_tells_a_secret_is_not_carried(tmp_path: Path) -> None:
    documents = [{"_id": n, "password": "geheim" if n % 2 else "other", "a": n} for n in range(9)]
    indexes = [
        {"v": 2, "key": {"a": 1}, "name": "one", "partialFilterExpression": {"password": "geheim"}},
        {"v": 2, "key": {"a": 1}, "name": "two", "partialFilterExpression": {"$and": [{"password": "geheim"}]}},
        {"v": 2, "key": {"a": 1}, "name": "open", "partialFilterExpression": {"password": {"$exists": True}}},
    ]
    text, mapping = proposed(tmp_path, {"c": documents}, indexes={"c": indexes})
    assert "geheim" not in text
    assert text.count("compares password, whose values are secret") == 2
    assert [index.where for index in mapping.collections["c"].indexes] == ['"password" IS NOT NULL']
