"""What is new is added, and a person's file stays as it is, byte for byte, around it."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS

from isthmus.mapping import parse_mapping
from isthmus.survey.propose import propose, stated_policies, update_text
from isthmus.survey.propose.update import Updated
from tests.unit.survey.propose.proposals import line_of, notes_above
from tests.unit.survey.surveys import survey_of

DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"_id": n, "name": f"n{n}", "mail": f"m{n}", "address": {"city": "x", "zip": n}, "steps": [{"a": n, "b": "x"}]}
        for n in range(60)
    ],
    "orders": [{"_id": n, "status": "OPEN" if n % 2 else "DONE", "users": [n, (n + 1) % 60]} for n in range(60)],
}


def updated(
    text: str,
    folder: Path,
    documents: dict[str, list[dict[str, Any]]] = DOCUMENTS,
    indexes: dict[str, list[dict[str, Any]]] | None = None,
) -> Updated:
    mapping = parse_mapping(text)
    survey = survey_of(folder, documents, indexes=indexes)
    found = update_text(text, mapping, propose(survey, mapping, stated_policies(text)))
    parse_mapping(found.text)
    return found


def only_added(before: str, after: str) -> None:
    """Every character of the file is still there, in order."""
    removed = [step for step in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
               if step[0] in {"delete", "replace"}]  # fmt: skip
    assert not removed, removed


BLOCK = """\
# my mapping
isthmus: 1

collections:
  users:   # people
    ids: keep
    fields:
      _id: integer
      name: {type: text!, index: true}   # mine
      address.city: text
      steps:
        child: user_steps
        fields:
          a: integer
    # the end of users
  # nothing else
"""


def test_new_collections_and_fields_are_added_to_block_style(tmp_path: Path) -> None:
    found = updated(BLOCK, tmp_path)
    only_added(BLOCK, found.text)
    assert set(found.added) == {
        "collection orders",
        "field users.mail",
        "field users.address.zip",
        "field users.steps[].b",
    }
    mapping = parse_mapping(found.text)
    assert {"users", "orders"} == set(mapping.collections)
    assert "name: {type: text!, index: true}   # mine\n" in found.text


@pytest.mark.parametrize(
    "text",
    [
        "isthmus: 1\ncollections: {users: {ids: keep, fields: {_id: integer, name: text}}}\n",
        "isthmus: 1\ncollections: {users: {ids: keep}}",
        "isthmus: 1\ncollections: {users: {ids: keep, fields: {}}}",
        "{isthmus: 1, collections: {users: {ids: keep, fields: {name: text, # mine\n  mail: text # too\n}}}}",
        "isthmus: 1\ncollections:\n  users:\n    ids: keep",
        "isthmus: 1\ncollections:\n  users:\n",
        "isthmus: 1\ncollections:\n  users:\n    fields:\n",
        "isthmus: 1\r\ncollections:\r\n  users:\r\n    fields:\r\n      name: text\r\n",
        "\ufeffisthmus: 1\ncollections:\n  users: {table: people}\n",
        "isthmus: 1\nenums:\n  orders_status: [X]\ncollections:\n  users:\n    table: orders\n",
        "isthmus: 1\ncollections:\n  users:\n    fields:\n      x:\n        drop: >-\n         a\n\n\n# end\n",
        "isthmus: 1\ncollections:\n  x: {}\n  users:\n    skip: |\n      a\n      reason\n\n# end\n",
    ],
)
def test_every_style_is_added_to_and_then_complete(text: str, tmp_path: Path) -> None:
    found = updated(text, tmp_path / "first")
    only_added(text, found.text)
    assert found.added
    again = updated(found.text, tmp_path / "second")
    assert (again.text, again.added) == (found.text, [])


def test_what_a_person_decided_is_left_alone(tmp_path: Path) -> None:
    text = """\
isthmus: 1
collections:
  people:
    from: users
    fields: {name: {column: mail, type: text}, address: jsonb, steps: {drop: "why"}, mail: {column: m, type: text}}
  "*": {skip: "not part of it"}
"""
    found = updated(text, tmp_path)
    assert (found.text, found.added) == (text, [])


def test_new_field_does_not_take_the_name_of_a_renamed_column(tmp_path: Path) -> None:
    text = "isthmus: 1\ncollections:\n  users:\n    fields:\n      name: {column: mail, type: text}\n"
    found = updated(text, tmp_path)
    assert "mail: {column: mail_2, type: text!}" in found.text


def test_alias_is_not_written_into(tmp_path: Path) -> None:
    text = "isthmus: 1\ncollections:\n  people: {from: x, fields: &f {name: text}}\n  users: {table: us, fields: *f}\n"
    found = updated(text, tmp_path)
    assert any("alias" in one for one in found.by_hand)


@pytest.mark.parametrize(
    "text",
    [
        "isthmus: 1\n? collections\n: users:\n    fields:\n      name: text\n",
        "isthmus: 1\ncollections:\n  ? users\n  : fields:\n      name: text\n",
        "isthmus: 1\ncollections:\n  ? users\n",
        "isthmus: 1\ncollections:\n  users:\n    ? fields\n    : name: text\n",
        "isthmus: 1\ncollections:\n  users:\n    fields:\n      ? name\n      : text\n",
        "isthmus: 1\ncollections:\n  users:\n    fields:\n      ? |-\n        name\n      : text\n",
        "isthmus: 1\n? enums\n: {x: [Q]}\ncollections:\n  users:\n    fields:\n      name: text\n",
    ],
)
def test_nothing_is_added_beside_keys_that_are_written_with_a_question_mark(text: str, tmp_path: Path) -> None:
    found = updated(text, tmp_path)
    only_added(text, found.text)
    assert any("(`? key`): add `mail: text!` by hand" in one for one in found.by_hand)
    assert "field users.mail" not in found.added


def test_question_mark_in_braces_is_no_hindrance(tmp_path: Path) -> None:
    found = updated("isthmus: 1\ncollections: {? users : {fields: {? name : text}}}\n", tmp_path)
    assert (found.by_hand, "field users.mail" in found.added) == ([], True)


def test_what_a_new_field_names_is_added_or_the_field_is_not(tmp_path: Path) -> None:
    text = "isthmus: 1\n? enums\n: {mine: [Q]}\ncollections:\n  orders: {fields: {q: text}}\n  users: {skip: later}\n"
    found = updated(text, tmp_path)
    assert "orders_status" not in found.text
    assert any("status: {type: orders_status!" in one for one in found.by_hand)


SPLIT = """\
isthmus: 1
collections:
  first: {from: users, when: {name: n1}, fields: {name: text, steps: {child: a_steps, fields: {a: integer}}}}
  second: {from: users, fields: {name: text, mail: text, address: jsonb}}
  orders: {skip: later}
"""


def test_new_fields_of_a_collection_that_is_split_are_named(tmp_path: Path) -> None:
    found = updated(SPLIT, tmp_path)
    (said,) = found.by_hand
    assert said.startswith("users is carried by the entries first, second, so that users.steps[].b must be added by")
    assert (found.text, found.added) == (SPLIT, [])


def test_new_fields_of_collections_that_share_an_entry_are_named(tmp_path: Path) -> None:
    text = "isthmus: 1\ncollections:\n  all: {from: [orders, users], fields: {status: text, name: text}}\n"
    found = updated(text, tmp_path)
    assert (found.text, found.added) == (text, [])
    assert [one.split(", so that ")[0] for one in found.by_hand] == [
        f"all carries other collections beside {name}" for name in ("orders", "users")
    ]
    assert "so that orders.users must be added by hand" in found.by_hand[0]


def test_index_and_search_of_new_fields_are_named_with_the_columns_that_are_there(tmp_path: Path) -> None:
    text = (
        "isthmus: 1\ncollections:\n  orders: {skip: later}\n"
        "  users: {fields: {name: {column: called, type: text}, address: jsonb, steps: jsonb}}\n"
    )
    indexes: list[dict[str, Any]] = [
        {"v": 2, "key": {"name": 1, "mail": 1}, "name": "one", "unique": True},
        {"v": 2, "key": {"mail": 1, "_id": 1}, "name": "two", "partialFilterExpression": {"name": "n1"}},
        {"v": 2, "key": {"name": 1, "_id": 1}, "name": "old"},
        {"v": 2, "key": {"_fts": "text", "_ftsx": 1}, "name": "words", "weights": {"mail": 1, "name": 1}},
    ]
    found = updated(text, tmp_path, indexes={"users": indexes})
    assert found.added == ["field users.mail"]
    assert [one.split("add `")[1].split("` ")[0].split("` by")[0] for one in found.by_hand] == [
        "{columns: [called, mail], unique: true}",
        '{columns: [mail, id], where: "\\"called\\" = \'n1\'"}',
        "search: [mail, called]",
    ]
    assert updated(found.text, tmp_path / "again").by_hand == []


HARD: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"_id": n, "name": "x", "nul": "a\0b", "list": ["\0"], "json": [float("nan"), "\0"], "a.b": 1} for n in range(9)
    ],
    "fresh": [{"_id": f"\0{n}", "title": "\0", "mixed": {"k": 1} if n else "\0"} for n in range(40)],
}
LIST = "isthmus.adjustment lists the originals"


def test_new_columns_state_the_policies_that_the_file_does_not(tmp_path: Path) -> None:
    found = updated("isthmus: 1\ncollections:\n  users:\n    fields:\n      name: text\n", tmp_path, HARD)
    assert line_of(found.text, "nul:") == "nul: {type: text!, policies: {nul: remove}}"
    assert line_of(found.text, "list:") == 'list: {type: "text[]!", policies: {nul: remove}}'
    assert line_of(found.text, "json:") == 'json: {type: jsonb!, policies: {nul: remove, "nan": "null"}}'
    assert "type: text, policies: {nul: remove}}" in line_of(found.text, "source_id:")
    assert notes_above(found.text, "nul:") == [f"# check: 9 of 9 (100 %) texts hold NUL, which is removed; {LIST}"]
    assert "# check: 1 value with NUL goes to extras, and makes dead letters" in found.text
    assert "field users.a\\.b" in found.added


@pytest.mark.parametrize("stated", ["{nul: dead_letter}", '{nul: dead_letter, "nan": dead_letter}'])
def test_what_a_person_says_of_values_that_postgresql_refuses_is_followed(stated: str, tmp_path: Path) -> None:
    text = f"isthmus: 1\npolicies: {stated}\ncollections:\n  users:\n    fields:\n      name: text\n"
    found = updated(text, tmp_path, HARD)
    assert line_of(found.text, "nul:") == "nul: text!"
    assert "which makes their documents dead letters, as nul in the" in notes_above(found.text, "nul:")[0]
    follows = "nan" in stated
    assert line_of(found.text, "json:") == (
        "json: jsonb!" if follows else 'json: {type: jsonb!, policies: {"nan": "null"}}'
    )


def test_policy_that_carries_is_not_said_again(tmp_path: Path) -> None:
    text = "isthmus: 1\npolicies: {nul: remove}\ncollections:\n  users:\n    fields:\n      name: text\n"
    found = updated(text, tmp_path, HARD)
    assert line_of(found.text, "nul:") == "nul: text!"
    assert "goes to extras, and makes" not in found.text


def test_dates_that_become_null_by_the_policy_of_the_file_are_not_required(tmp_path: Path) -> None:
    far: Any = DatetimeMS(2**62)
    documents = {"c": [{"_id": n, "at": far if n == 3 else datetime(2024, 1, 1, tzinfo=UTC)} for n in range(99)]}
    text = 'isthmus: 1\npolicies: {range: "null"}\ncollections:\n  c:\n    fields:\n      x: text\n'
    found = updated(text, tmp_path, documents)
    assert line_of(found.text, "at:") == "at: timestamptz"
    assert "and become NULL" in notes_above(found.text, "at:")[0]


@pytest.mark.parametrize("rule", ["skip: [{when: {name: n1}, why: old}]", "when: {name: {not: n1}}"])
def test_reference_to_a_collection_that_leaves_documents_behind_is_not_required(rule: str, tmp_path: Path) -> None:
    text = f"isthmus: 1\ncollections:\n  users:\n    ids: keep\n    {rule}\n    fields: {{_id: integer, name: text}}\n"
    documents = {**DOCUMENTS, "posts": [{"_id": n, "user_id": n} for n in range(60)]}
    found = updated(text, tmp_path, documents)
    assert line_of(found.text, "user_id:") == 'user_id: {references: users, on_orphan: "null", index: true}'
    everything = updated(text.replace(f"    {rule}\n", ""), tmp_path / "all", documents)
    assert "required: true" in line_of(everything.text, "user_id:")
