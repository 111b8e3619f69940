"""What a survey takes for references, each on a few documents that show one thing; large ones are in scenarios."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, DBRef, Int64, ObjectId

from isthmus.survey.reference import Reference
from tests.unit.survey.surveys import survey_of

Docs = list[dict[str, Any]]
CHANCE = random.Random()


@pytest.fixture(autouse=True)
def _the_same_draws() -> None:
    """Whatever tests ran before: percentages of which none is 0 may well be numbers of rows."""
    CHANCE.seed(7)


def users(count: int = 40) -> Docs:
    return [{"_id": ObjectId(), "name": f"User {n % 9}"} for n in range(count)]


def found(folder: Path, collections: Mapping[str, Sequence[Mapping[str, Any]] | None], **how: Any) -> list[Reference]:
    return list(survey_of(folder, collections, **how).references)


def one(folder: Path, collections: Mapping[str, Sequence[Mapping[str, Any]] | None], **how: Any) -> Reference:
    references = found(folder, collections, **how)
    assert len(references) == 1, references
    return references[0]


def pointing(people: Docs, count: int, write: Any = lambda value: value, field: str = "x") -> Docs:
    return [{"_id": ObjectId(), field: write(CHANCE.choice(people)["_id"])} for _ in range(count)]


# Forms.


@pytest.mark.parametrize(
    ("form", "write"), [("oid", lambda value: value), ("hex", str), ("dbref", lambda value: DBRef("people", value))]
)
def test_ids_of_each_form_are_found_whatever_the_field_is_called(form: str, write: Any, tmp_path: Path) -> None:
    people = users()
    reference = one(tmp_path, {"people": people, "things": pointing(people, 60, write)})
    assert (reference.collection, reference.path, reference.to.collection) == ("things", ("x",), "people")
    assert reference.forms == {form: 60}
    assert (reference.values, reference.hits, reference.orphans, reference.cardinality) == (60, 60, 0, "many-to-one")


def test_two_forms_in_one_field_count_together(tmp_path: Path) -> None:
    people = users()
    things = pointing(people, 30) + pointing(people, 30, str) + [{"_id": ObjectId(), "x": "N/A"} for _ in range(5)]
    reference = one(tmp_path, {"people": people, "things": things})
    assert reference.forms == {"oid": 30, "hex": 30}
    assert (reference.values, reference.hits, reference.orphans) == (65, 60, 5)


def test_a_text_id_that_looks_like_an_object_id_counts_once(tmp_path: Path) -> None:
    people: Docs = [{"_id": str(ObjectId())} for _ in range(20)] + users(20)
    things = [{"_id": ObjectId(), "x": str(person["_id"])} for person in people]
    reference = one(tmp_path, {"people": people, "things": things})
    assert (reference.values, reference.hits, reference.distinct) == (40, 40, 40)
    assert sum(reference.forms.values()) == 40


def test_ids_of_several_types_are_one_target(tmp_path: Path) -> None:
    kinds: list[Any] = [value for n in range(20) for value in (ObjectId(), n + 1, f"p-{n}")]
    people: Docs = [{"_id": value} for value in kinds]
    reference = one(tmp_path, {"people": people, "things": pointing(people, 100)})
    assert (reference.to.collection, reference.hits, reference.values) == ("people", 100, 100)
    assert set(reference.forms) == {"oid", "value"}


def test_compound_ids_are_referred_to_as_a_whole_and_not_by_their_parts(tmp_path: Path) -> None:
    bills: Docs = [{"_id": {"year": 2020 + n % 4, "number": n}} for n in range(60)]
    things: Docs = [{"_id": ObjectId(), "replaces": CHANCE.choice(bills)["_id"]} for _ in range(30)]
    numbered: Docs = [{"_id": n} for n in range(60)]
    reference = one(tmp_path, {"bills": bills, "things": things, "numbered": numbered})
    assert (reference.path, reference.to.collection, reference.hits) == (("replaces",), "bills", 30)


def test_numbers_of_another_type_are_the_same(tmp_path: Path) -> None:
    shops: Docs = [{"_id": 70_000 + 3 * n} for n in range(50)]
    things: Docs = [{"_id": ObjectId(), "x": kind(CHANCE.choice(shops)["_id"])} for kind in (Int64, float, int) * 20]
    assert one(tmp_path, {"shops": shops, "things": things}).hits == 60


# Natural keys.


@pytest.mark.parametrize("index", [True, False])
def test_values_that_are_unique_elsewhere_are_keys(index: bool, tmp_path: Path) -> None:
    people: Docs = [{"_id": ObjectId(), "email": f"user{n}@example.com"} for n in range(30)]
    things: Docs = [{"_id": ObjectId(), "sent_by": CHANCE.choice(people)["email"]} for _ in range(50)]
    indexes = {"people": [{"v": 2, "key": {"email": 1}, "name": "email_1", "unique": True}]} if index else {}
    reference = one(tmp_path, {"people": people, "things": things}, indexes=indexes)
    assert (reference.to.collection, reference.to.path) == ("people", ("email",))
    assert reference.to.unique_by == ("index" if index else "values")


def test_a_key_of_which_a_value_is_there_twice_says_so(tmp_path: Path) -> None:
    accounts: Docs = [{"_id": ObjectId(), "account_id": 100_000 + 7 * max(1, n)} for n in range(500)]
    customers: Docs = [
        {"_id": ObjectId(), "accounts": [CHANCE.choice(accounts)["account_id"] for _ in range(3)]} for _ in range(90)
    ]
    reference = one(tmp_path, {"accounts": accounts, "customers": customers})
    assert (reference.path, reference.to.path, reference.repeated) == (("accounts", "[]"), ("account_id",), 1)


def test_values_of_which_many_are_there_twice_are_no_key(tmp_path: Path) -> None:
    people: Docs = [{"_id": ObjectId(), "nick": f"nick-{n % 560}"} for n in range(600)]
    things: Docs = [{"_id": ObjectId(), "x": f"nick-{CHANCE.randrange(560)}"} for _ in range(300)]
    assert not found(tmp_path, {"people": people, "things": things})


def test_what_is_copied_beside_an_id_is_no_reference_of_its_own(tmp_path: Path) -> None:
    people: Docs = [{"_id": ObjectId(), "name": f"User {n}"} for n in range(40)]
    posts: Docs = [
        {"_id": ObjectId(), "by": {"id": person["_id"], "name": person["name"]}}
        for person in CHANCE.choices(people, k=80)
    ]
    assert one(tmp_path, {"people": people, "posts": posts}).path == ("by", "id")


def test_some_texts_that_are_keys_elsewhere_make_no_reference(tmp_path: Path) -> None:
    people: Docs = [{"_id": ObjectId(), "email": f"user{n}@example.com"} for n in range(60)]
    leads: Docs = [{"_id": ObjectId(), "email": f"user{n * 5}@example.com"} for n in range(60)]
    indexes = {"people": [{"v": 2, "key": {"email": 1}, "name": "email_1", "unique": True}]}
    assert not found(tmp_path, {"people": people, "leads": leads}, indexes=indexes)


# Small numbers.


def goods(count: int = 120) -> Docs:
    return [{"_id": n + 1} for n in range(count)]


@pytest.mark.parametrize(
    ("what", "draw"),
    [
        ("rank", lambda: CHANCE.randint(1, 5)),
        ("month", lambda: CHANCE.randint(1, 12)),
        ("percent", lambda: CHANCE.randint(0, 100)),
        ("quantity", lambda: min(CHANCE.randint(1, 30), CHANCE.randint(1, 30))),
        ("yes", lambda: CHANCE.random() < 0.5),
    ],
)
def test_quantities_are_no_ids_though_they_are_found_among_them(what: str, draw: Any, tmp_path: Path) -> None:
    things: Docs = [{"_id": ObjectId(), what: draw()} for _ in range(200)]
    for count in (14, 40, 100, 120):
        assert not found(tmp_path / str(count), {"goods": goods(count), "things": things}), count


def test_counts_of_two_collections_are_no_reference(tmp_path: Path) -> None:
    things: Docs = [{"_id": ObjectId(), "serial": n + 1} for n in range(110)]
    assert not found(tmp_path, {"goods": goods(), "things": things})


def test_numbers_that_go_through_all_ids_are_a_reference(tmp_path: Path) -> None:
    things: Docs = [{"_id": ObjectId(), "x": CHANCE.randint(1, 120)} for _ in range(200)]
    assert one(tmp_path, {"goods": goods(), "things": things}).hits == 200


def test_a_name_speaks_for_the_few_small_numbers_that_have_it(tmp_path: Path) -> None:
    things: Docs = [{"_id": ObjectId(), "good_id": CHANCE.randint(1, 5)} for _ in range(50)]
    assert one(tmp_path, {"goods": goods(10), "things": things}).to.collection == "goods"


# Which collection.


def test_ids_that_another_collection_has_as_well_mean_the_one_that_has_them_all(tmp_path: Path) -> None:
    people = users(60)
    others: Docs = [{"_id": person["_id"]} for person in people[:30]] + users(60)
    references = found(tmp_path, {"a": others, "b": people, "things": pointing(people, 100)})
    assert [(one.collection, one.to.collection, one.hits) for one in references] == [("things", "b", 100)]
    assert 20 < references[0].wrong["a"] < 80
    assert not references[0].several


def test_reused_ids_that_happen_to_be_named_often_make_no_second_collection(tmp_path: Path) -> None:
    people = users(60)
    others: Docs = [{"_id": person["_id"]} for person in people[:30]] + users(60)
    things = pointing(people[:8] + people[40:44], 60)  # half of all people are others, too, but two in three of these
    references = found(tmp_path, {"a": others, "b": people, "things": things})
    assert [(one.to.collection, one.several) for one in references] == [("b", {})]


def test_of_two_collections_that_hold_all_values_the_smaller_is_meant(tmp_path: Path) -> None:
    everyone = users(200)
    staff: Docs = [{"_id": person["_id"]} for person in everyone[:40]]
    references = found(tmp_path, {"everyone": everyone, "staff": staff, "things": pointing(staff, 80)})
    assert {(one.collection, one.to.collection) for one in references} == {("things", "staff"), ("staff", "everyone")}


def test_nearly_all_ids_of_another_collection_are_one_identity_and_half_of_them_an_accident(tmp_path: Path) -> None:
    people = users(50)
    profiles: Docs = [{"_id": person["_id"]} for person in people[:39]] + users(1)
    reference = one(tmp_path / "all", {"people": people, "profiles": profiles})
    assert (reference.collection, reference.path, reference.to.collection) == ("profiles", ("_id",), "people")
    assert (reference.cardinality, reference.hits) == ("one-to-one", 39)
    half: Docs = [{"_id": person["_id"]} for person in people[:20]] + users(20)
    assert not found(tmp_path / "half", {"people": people, "profiles": half})


def test_a_copy_of_the_own_id_is_no_reference(tmp_path: Path) -> None:
    people: Docs = [{**person, "id": str(person["_id"])} for person in users()]
    numbered: Docs = [{"_id": n, "number": n} for n in range(5000, 5060)]
    assert not found(tmp_path, {"people": people, "numbered": numbered})


def test_a_field_beside_says_which_of_several_collections_is_meant(tmp_path: Path) -> None:
    people, teams = users(40), users(30)
    rare: Docs = [{"_id": ObjectId(), "about": teams[0]["_id"], "kind": "Team"} for _ in range(2)]
    notes: Docs = [{**one, "kind": "User"} for one in pointing(people, 100, field="about")] + rare
    reference = one(tmp_path, {"users": people, "teams": teams, "notes": notes})
    assert reference.several == {"users": 100, "teams": 2}
    assert (reference.values, reference.hits, reference.wrong) == (102, 102, {})
    strays = [{**one, "kind": "User"} for one in notes]
    alone = one(tmp_path / "strays", {"users": people, "teams": teams, "notes": strays})
    assert (alone.several, alone.hits, alone.orphans, alone.wrong) == ({}, 100, 2, {"teams": 2})


def test_dbrefs_say_themselves_which_collection_is_meant(tmp_path: Path) -> None:
    people, teams = users(40), users(30)
    notes = pointing(people, 60, lambda value: DBRef("people", value)) + pointing(
        teams, 3, lambda value: DBRef("teams", value)
    )
    assert one(tmp_path, {"people": people, "teams": teams, "notes": notes}).several == {"people": 60, "teams": 3}


def test_a_single_value_of_another_collection_is_a_mistake_though_it_says_so(tmp_path: Path) -> None:
    people, teams = users(40), users(30)
    notes = [*pointing(people, 60, lambda value: DBRef("people", value))]
    notes.append({"_id": ObjectId(), "x": DBRef("teams", teams[0]["_id"])})
    reference = one(tmp_path, {"people": people, "teams": teams, "notes": notes})
    assert (reference.several, reference.hits, reference.orphans, reference.wrong) == ({}, 60, 1, {"teams": 1})


def test_states_that_are_ids_somewhere_by_one_of_their_words_are_no_reference(tmp_path: Path) -> None:
    plans: Docs = [{"_id": value} for value in (True, "free", "Active", 3, "gold", 7.5, ObjectId())]
    things: Docs = [{"_id": ObjectId(), "state": CHANCE.choice(["Active", True, False])} for _ in range(90)]
    assert not found(tmp_path, {"plans": plans, "things": things})


def test_several_collections_are_seen_without_a_word(tmp_path: Path) -> None:
    people, teams = users(40), users(40)
    reference = one(tmp_path, {"a": people, "b": teams, "notes": pointing(people, 60) + pointing(teams, 40)})
    assert reference.several == {"a": 60, "b": 40}


# How much must be found.


def test_few_hits_count_where_the_name_speaks_for_them(tmp_path: Path) -> None:
    people = users(40)
    lost: Docs = [{"_id": ObjectId(), "user": ObjectId()} for _ in range(180)]
    named = one(tmp_path / "named", {"users": people, "things": pointing(people, 8, field="user") + lost})
    assert (named.values, named.hits, named.orphans) == (188, 8, 180)
    assert named.examples
    assert all("$oid" in example for example in named.examples)
    other: Docs = [{"_id": ObjectId(), "x": thing["user"]} for thing in pointing(people, 8, field="user") + lost]
    assert not found(tmp_path / "other", {"users": people, "things": other})


def test_ids_of_nothing_are_no_reference_whatever_they_are_called(tmp_path: Path) -> None:
    things: Docs = [{"_id": ObjectId(), "user_id": ObjectId(), "person": str(ObjectId())} for _ in range(50)]
    assert not found(tmp_path, {"user": users(), "person": users(), "things": things, "nothing": []})


def test_nothing_refers_to_an_empty_collection(tmp_path: Path) -> None:
    assert not found(tmp_path, {"users": [], "empty": None, "things": pointing(users(), 20, field="user")})


# Shape.


def test_arrays_on_both_sides_are_one_relation(tmp_path: Path) -> None:
    tasks, files = users(30), users(30)
    pairs = {(CHANCE.randrange(30), CHANCE.randrange(30)) for _ in range(60)}
    left: Docs = [{**one, "x": [files[b]["_id"] for a, b in pairs if a == n]} for n, one in enumerate(tasks)]
    right: Docs = [{**one, "y": [tasks[a]["_id"] for a, b in pairs if b == n]} for n, one in enumerate(files)]
    sides = {one.collection: one.other_side for one in found(tmp_path, {"tasks": left, "files": right})}
    assert sides == {"tasks": ("files", ("y", "[]")), "files": ("tasks", ("x", "[]"))}


def test_two_relations_of_the_same_collections_are_two(tmp_path: Path) -> None:
    tasks, files = users(30), users(30)
    left: Docs = [{**one, "x": [CHANCE.choice(files)["_id"] for _ in range(2)]} for one in tasks]
    right: Docs = [{**one, "y": [CHANCE.choice(tasks)["_id"] for _ in range(2)]} for one in files]
    references = found(tmp_path, {"tasks": left, "files": right})
    assert [one.other_side for one in references] == [None, None]


@pytest.mark.parametrize("twice", [0, 1])
def test_one_to_one_is_counted_and_not_estimated(twice: int, tmp_path: Path) -> None:
    people = users(1500)
    things: Docs = [{"_id": ObjectId(), "x": person["_id"]} for person in people]
    things[-1]["x"] = people[0]["_id"] if twice else people[-1]["_id"]
    reference = one(tmp_path, {"people": people, "things": things})
    assert reference.cardinality == ("many-to-one" if twice else "one-to-one")
    assert reference.distinct == 1500 - twice


# What may be chance.


@pytest.mark.parametrize(
    ("field", "most", "doubt"),
    [
        ("weight", 320, "numbers"),  # some are nowhere
        ("weight", 300, "numbers"),  # all are found, as any number of that size would be
        ("customer", 320, ""),
        ("customer_id", 300, ""),
        ("ownerId", 320, ""),
    ],
)
def test_counted_numbers_of_which_no_name_speaks_may_be_found_by_chance(
    field: str, most: int, doubt: str, tmp_path: Path
) -> None:
    chance = random.Random(1)
    customers: Docs = [{"_id": n} for n in range(1, 301)]
    things: Docs = [{"_id": ObjectId(), field: chance.randint(1, most)} for _ in range(2000)]
    reference = one(tmp_path, {"customers": customers, "things": things})
    assert (reference.to.collection, reference.doubt) == ("customers", doubt)


@pytest.mark.parametrize(("field", "kept", "doubt"), [("x", 60, ""), ("x", 45, "values"), ("people", 45, "")])
def test_texts_of_which_some_are_nowhere_may_be_found_by_chance(
    field: str, kept: int, doubt: str, tmp_path: Path
) -> None:
    people: Docs = [{"_id": f"person-{n}"} for n in range(kept)]
    things: Docs = [{"_id": ObjectId(), field: f"person-{n % 60}"} for n in range(240)]
    assert one(tmp_path, {"people": people, "things": things}).doubt == doubt


def test_object_ids_and_uuids_are_never_found_by_chance(tmp_path: Path) -> None:
    chance = random.Random(2)
    devices: Docs = [{"_id": Binary(chance.randbytes(16), 4)} for _ in range(40)]
    things = [*pointing(devices, 60), {"_id": ObjectId(), "x": Binary(bytes(16), 4)}]
    assert one(tmp_path / "uuid", {"devices": devices, "things": things}).doubt == ""
    people = users()
    assert one(tmp_path / "oid", {"people": people[1:], "things": pointing(people, 60)}).doubt == ""


# DBRefs.


@pytest.mark.parametrize("make_id", [lambda n: n + 1, "p{}".format, lambda n: Binary(bytes([n] * 16), 4)])
def test_dbrefs_into_ids_of_any_type_are_looked_up(make_id: Any, tmp_path: Path) -> None:
    people: Docs = [{"_id": make_id(n)} for n in range(40)]
    lost: dict[str, Any] = {"_id": ObjectId(), "x": DBRef("people", "?")}
    things = [*pointing(people, 100, lambda value: DBRef("people", value)), lost]
    reference = one(tmp_path, {"people": people, "things": things})
    assert (reference.to.collection, reference.forms) == ("people", {"dbref": 101})
    assert (reference.hits, reference.orphans) == (100, 1)


def test_a_dbref_is_looked_up_only_where_it_says(tmp_path: Path) -> None:
    people, posts = users(), users()
    things = pointing(people, 60, lambda value: DBRef("posts", value))
    assert found(tmp_path, {"people": people, "posts": posts, "things": things}) == []


def test_dbrefs_with_the_digits_of_an_object_id_and_with_null(tmp_path: Path) -> None:
    people = users()
    things = pointing(people, 60, lambda value: DBRef("people", str(value)))
    things.append({"_id": ObjectId(), "x": DBRef("people", None)})
    reference = one(tmp_path / "lost", {"people": people, "things": things})
    assert (reference.hits, reference.orphans, reference.forms) == (60, 1, {"dbref": 61})
    reference = one(tmp_path / "found", {"people": [*people, {"_id": None}], "things": things})
    assert (reference.hits, reference.orphans, reference.forms) == (61, 0, {"dbref": 61})
