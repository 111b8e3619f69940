"""What is new is added, and a person's file stays as it is, byte for byte, around it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

from isthmus.mapping import parse_mapping
from isthmus.survey.propose import propose, update_text
from isthmus.survey.propose.update import Updated
from tests.unit.survey.surveys import survey_of

DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"_id": n, "name": f"n{n}", "mail": f"m{n}", "address": {"city": "x", "zip": n}, "steps": [{"a": n, "b": "x"}]}
        for n in range(60)
    ],
    "orders": [{"_id": n, "status": "OPEN" if n % 2 else "DONE", "users": [n, (n + 1) % 60]} for n in range(60)],
}


def updated(text: str, folder: Path) -> Updated:
    mapping = parse_mapping(text)
    found = update_text(text, mapping, propose(survey_of(folder, DOCUMENTS), beside=mapping))
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
    assert set(found.added) == {"collection orders", "field users.mail", "field users.address.zip", "field users.b"}
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
