"""What values became that the mapping replaces or fills in: counted pair by pair, through all that a copy goes through.

Oracle: the planted documents, counted by hand. Cannot see: what a killed process leaves, of which tests/chaos compares
the books with those of an undisturbed copy.
"""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.state.became import UNTOLD
from isthmus.transfer.result import Result
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import as_copied_anew, retry
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import named, verified

MAPPING = """
    isthmus: 1
    enums: {state: [ACTIVE, DONE, "on hold"]}
    collections:
      'Odd "Tasks"':
        table: 'Odd "Tasks":x.y'
        fields:
          status:
            column: 'St "ü".a'
            type: state
            values: {Active: ACTIVE, Done: DONE, "wait → what": on hold, 1: ACTIVE, "*": null}
            default: ACTIVE
            default_for: [missing, "null"]
          made: {type: timestamptz, default: id_time}
          secret: {type: text, sensitive: true, values: {a: b}, default: c}
          steps:
            child: steps
            fields:
              ok: {type: "boolean[]", values: {"yes": true, "no": false}}
              n: {type: integer!, default: 7}
      Users:
        table: users
        fields: {name: {type: text!, unique: true}, kind: {type: text, values: {u: user}, default: none}}
"""
PLACE = 'Odd "Tasks":x.y.St "ü".a'
TASKS: list[dict[str, Any]] = [
    *({"_id": oid(n), "status": "Active", "secret": "a"} for n in range(5)),
    {"_id": oid(10), "status": "Done", "secret": "z"},
    {"_id": oid(11), "status": "wait → what"},
    {"_id": oid(12), "status": 1.0},
    {"_id": oid(13), "status": "nobody's"},
    {"_id": oid(14), "status": ["Active"]},
    {"_id": oid(15), "status": None, "made": None},
    {"_id": oid(16), "steps": [{"ok": ["yes", "no", "yes", None, True]}, {"n": 1}]},
    {"_id": "no ObjectId", "made": "not an instant"},  # refused, so nothing of it counts
    {"_id": 17, "status": "Active"},
]
USERS = [{"_id": oid(20), "name": "a", "kind": "u"}, {"_id": oid(21), "name": "b"}]
BECAME = {
    f"{PLACE}:value_mapped": {
        '"Active" → "ACTIVE"': 6,
        '"Done" → "DONE"': 1,
        '"wait → what" → "on hold"': 1,
        '1 → "ACTIVE"': 1,
        "* → null": 2,
    },
    f"{PLACE}:default": {'missing → "ACTIVE"': 1, 'null → "ACTIVE"': 1},
    'Odd "Tasks":x.y.made:default': {"missing → id_time": 11},
    'Odd "Tasks":x.y.secret:value_mapped': {"(hidden) → (hidden)": 5},
    'Odd "Tasks":x.y.secret:default': {"missing → (hidden)": 7},
    "steps.ok:value_mapped": {'"yes" → true': 2, '"no" → false': 1},
    "steps.n:default": {"missing → 7": 1},
    "users.kind:value_mapped": {'"u" → "user"': 1},
    "users.kind:default": {'missing → "none"': 1},
}


def became(result: Result) -> dict[str, dict[str, int]]:
    """What a result says became what, after its sums were held against the numbers of `adjusted`."""
    balanced(result)
    assert result.balance is not None
    told = result.balance.became
    sums = {name: sum(pairs.values()) for name, pairs in told.items()}
    kinds = ("default", "value_mapped")
    assert sums == {n: count for n, count in result.balance.adjusted.items() if n.rpartition(":")[2] in kinds}
    return told


def write(world: World) -> None:
    world.write({'Odd "Tasks"': TASKS, "Users": USERS})


def test_every_change_that_the_mapping_names_is_counted_by_what_it_was(world: World) -> None:
    write(world)
    result = world.copy(MAPPING)
    assert became(result) == BECAME
    assert result.balance is not None
    assert len(world.letters()) == 1
    assert result.balance.as_json()["became"] == BECAME
    again = world.copy(MAPPING)
    assert again.repeated
    assert world.one("SELECT balance -> 'became' FROM isthmus.run") == BECAME


def test_a_copy_that_died_and_goes_on_comes_to_the_same(world: World) -> None:
    write(world)
    deaths = 0
    for stage in ("copy.before-commit", "copy.after-commit", "finish.primary-key-after-commit"):

        def die(reached: str, at: str = stage) -> None:
            if reached == at:
                raise KeyboardInterrupt

        with listening(die), pytest.raises(KeyboardInterrupt):
            world.copy(MAPPING, workers=1)
        deaths += 1
    assert deaths == 3
    assert became(world.copy(MAPPING)) == BECAME


def test_what_leaves_in_finish_takes_its_counts_along(world: World) -> None:
    again = [{"_id": oid(30), "name": "a", "kind": "u"}, {"_id": oid(31), "name": "b"}, {"_id": oid(32), "name": "c"}]
    world.write({'Odd "Tasks"': TASKS, "Users": USERS + again})
    result = world.copy(MAPPING)
    assert len(world.letters("Users")) == 2
    users = {"users.kind:value_mapped": {'"u" → "user"': 1}, "users.kind:default": {'missing → "none"': 2}}
    assert became(result) == {**BECAME, **users}


RETRIED = """
    isthmus: 1
    collections:
      C: {{table: c, fields: {{a: {{type: integer, values: {{one: 1{more}}}, default: 0{when}}}}}}}
"""


def test_a_retry_counts_what_it_carries_as_a_copy_with_its_mapping_does(world: World) -> None:
    before = RETRIED.format(more="", when="")
    after = RETRIED.format(more=', two: 2, "*": null', when=', default_for: [missing, "null"]')
    world.write({"C": [{"_id": oid(n), **({"a": a} if a else {})} for n, a in enumerate(["one", "two", "x", "y", ""])]})
    first = became(world.copy(before))
    assert first == {"c.a:value_mapped": {'"one" → 1': 1}, "c.a:default": {"missing → 0": 1}}
    result = retry(world, after)  # holds the books against those that tables and ledgers come to
    assert result.balance is not None
    assert result.balance.became == {
        "c.a:value_mapped": {'"one" → 1': 1, '"two" → 2': 1, "* → null": 2},
        "c.a:default": {"missing → 0": 1},
    }
    as_copied_anew(world, after)


def test_tables_that_exist_have_the_same_books(world: World) -> None:
    world.rows("CREATE TABLE users (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, kind text)")
    world.rows("INSERT INTO users VALUES (gen_random_uuid(), 'there', 'k')")
    world.write({"Users": USERS})
    mapping = """
        isthmus: 1
        target: {tables: existing}
        extras: dead_letter
        collections:
          Users:
            table: users
            match: [[name]]
            fields: {name: text!, kind: {type: text, values: {u: user}, default: none}}
    """
    expected = {name: pairs for name, pairs in BECAME.items() if name.startswith("users")}
    assert became(world.copy(mapping)) == expected


def older(world: World) -> None:
    """Make the books of what was read those that an older Isthmus left."""
    world.rows(
        "UPDATE isthmus.partition SET counts = (SELECT jsonb_object_agg(key, value - 'told_apart')"
        " FROM jsonb_each(counts) WHERE key NOT LIKE 'became at %')"
    )


def test_a_run_that_an_older_isthmus_began_is_told_apart_as_far_as_it_can_be(world: World) -> None:
    write(world)

    def die(stage: str) -> None:
        if stage == "copy.after-commit":
            raise KeyboardInterrupt

    with listening(die), pytest.raises(KeyboardInterrupt):
        world.copy(MAPPING, workers=1)
    older(world)
    result = world.copy(MAPPING)
    balanced(result)
    assert result.balance is not None
    users = {name: pairs for name, pairs in BECAME.items() if name.startswith("users")}
    tasks = {name: pairs for name, pairs in BECAME.items() if name not in users}
    assert result.balance.became in (users, tasks)  # what the second process read
    assert result.balance.adjusted["users.kind:default"] == 1
    checked = verified(Made(world.conninfo, world.folder, MAPPING))
    assert checked.passed, checked.differences
    assert any("an older Isthmus did not tell them apart" in note for note in checked.layers["counts"].notes)


def test_books_that_do_not_say_of_all_values_what_they_became_do_not_balance(world: World) -> None:
    write(world)

    def die(stage: str) -> None:
        if stage == "finish.primary-key-after-commit":
            raise KeyboardInterrupt

    with listening(die), pytest.raises(KeyboardInterrupt):
        world.copy(MAPPING)
    world.rows("UPDATE isthmus.partition SET counts = counts - 'became at users.kind:default'")
    result = world.copy(MAPPING)
    assert result.balance is not None
    assert result.balance.differences == ["users.kind:default: 1 values changed, 0 are told apart."]
    assert result.exit_code == 1


def test_what_left_together_with_what_it_was_joined_into_is_no_difference(world: World) -> None:
    mapping = """
        isthmus: 1
        collections:
          people:
            on_duplicate: merge
            fields:
              mail: {type: text!, unique: true}
              home: {column: home_id, references: homes, required: true}
              kind: {type: text, values: {u: user, "*": other}, default: none}
          homes: {fields: {owner: {column: owner_id, references: people, unique: true, required: true}}}
        """
    world.write(
        {
            "people": [
                {"_id": oid(1), "mail": "a", "home": oid(20), "kind": "x"},
                {"_id": oid(2), "mail": "a", "home": oid(21)},
                {"_id": oid(3), "mail": "c", "home": oid(21), "kind": "u"},
            ],
            "homes": [
                {"_id": oid(19), "owner": oid(2)},
                {"_id": oid(20), "owner": oid(1)},
                {"_id": oid(21), "owner": oid(3)},
            ],
        }
    )
    told = became(world.copy(mapping))
    assert world.codes()[str(oid(2))] == "joined-left"
    # The list of changed values, which went with the row, does not say what they became.
    assert told["people.kind:value_mapped"] == {'"u" → "user"': 1, '* → "other"': 1, UNTOLD: -1}
    checked = verified(Made(world.conninfo, world.folder, mapping), ("counts", "samples"))
    assert checked.passed, checked.differences
    assert any("documents left while their counts stayed" in note for note in checked.layers["counts"].notes)


def test_verify_holds_the_books_against_both_conversions(world: World) -> None:
    write(world)
    balanced(world.copy(MAPPING))
    made = Made(world.conninfo, world.folder, MAPPING)
    clean = verified(made)
    assert clean.passed, clean.differences
    assert not any("told apart" in note or "became" in note for note in clean.layers["counts"].notes)
    # One more became DONE and one less ACTIVE than did: all sums stay what they were.
    for path, more in (('"Active" → "ACTIVE"', -1), ('"Done" → "DONE"', 1)):
        world.rows(
            "UPDATE isthmus.run SET balance = jsonb_set(balance, %s, to_jsonb((balance #>> %s)::int + %s))",
            *(2 * [["became", f"{PLACE}:value_mapped", path]]),
            more,
        )
    place = ('Odd "Tasks":x.y', 'St "ü".a')
    result = verified(made)
    for layer in ("counts", "samples"):
        assert named(result, layer) == {place}
        assert result.layers[layer].found == 2
        assert {(one.expected, one.actual) for one in result.layers[layer].differences} == {("6", "5"), ("1", "2")}
    assert named(verified(made, ("samples",), sample=5), "samples") == set()  # a sample cannot tell
