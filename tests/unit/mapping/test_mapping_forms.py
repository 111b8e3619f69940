"""Good mappings: short and long forms, what follows from what is not said, the fingerprint."""

from __future__ import annotations

import subprocess
import sys

import pytest

from isthmus.mapping import load_mapping, parse_mapping
from isthmus.mapping.model import ChildField, ColumnField, Condition, Default, JunctionField, Policies
from isthmus.mapping.types import ColumnType

DESIGN = r"""
isthmus: 1
target: {schema: public, tables: create}        # create | existing
ids: uuid
extras: extras
extensions: [vector]
enums:
  task_status: [ACTIVE, PENDING, COMPLETE]
collections:
  Tasks:
    table: tasks
    fields:
      title: text!
      content: text
      __v: {column: v, type: integer, default: 0}
      dueDateAt: {column: due_date_at, type: timestamptz, index: true}
      taskStatus: {column: task_status, type: task_status, default: ACTIVE}
      user: {column: user_id, references: Users, on_orphan: "null"}
      tags: jsonb
      reviewers: {type: jsonb, rewrite: {"[].userId": Users}}
      address.city: {column: city, type: text}
      documentIDs: {junction: documents_to_tasks}
      steps: {child: task_steps, fields: {name: text!, done: {type: boolean, default: false}}}
      legacy: {drop: "superseded by steps in 2023"}
    indexes: [[task_status, due_date_at], {columns: [title], where: "task_status = 'ACTIVE'"}]
    search: [title, content]
  Users: {}
  Documents: {fields: {tasksIDs: {junction: documents_to_tasks}}}
junctions:
  documents_to_tasks: {document_id: Documents, task_id: Tasks}
"""


def fields_of(rules: str, *, head: str = "") -> list[object]:
    mapping = parse_mapping(f"isthmus: 1\n{head}\ncollections:\n  U: {{}}\n  A:\n    fields:\n      {rules}\n")
    return list(mapping.collections["A"].fields)


def test_mapping_of_the_design_is_read_whole() -> None:
    mapping = parse_mapping(DESIGN)
    tasks = mapping.collections["Tasks"]
    by_path = {rule.path: rule for rule in tasks.fields}
    assert by_path["title",] == ColumnField(path=("title",), column="title", type=ColumnType("text"), required=True)
    assert by_path["__v",] == ColumnField(
        path=("__v",), column="v", type=ColumnType("integer"), default=Default(kind="literal", value=0)
    )
    user = by_path["user",]
    assert isinstance(user, ColumnField)
    assert (user.references, user.on_orphan, user.type) == ("Users", "null", None)
    steps = by_path["steps",]
    assert isinstance(steps, ChildField)
    assert [rule.path for rule in steps.fields] == [("name",), ("done",)]
    assert by_path["documentIDs",] == JunctionField(path=("documentIDs",), junction="documents_to_tasks")
    assert ("address", "city") in by_path
    assert mapping.collections["Users"].table == "users"


def test_short_form_says_the_same_as_the_long_one() -> None:
    short = fields_of("aB: numeric(10,2)!")
    assert short == fields_of("aB: {column: a_b, type: 'numeric(10, 2)', required: true}")
    assert short == fields_of("aB: {type: 'numeric(10,2)!'}")


@pytest.mark.parametrize("written", ["null", "'null'", "~"])
def test_the_word_null_needs_no_quotes_where_a_word_is_meant(written: str) -> None:
    rule = fields_of(f"u: {{references: U, on_orphan: {written}}}")[0]
    assert isinstance(rule, ColumnField)
    assert rule.on_orphan == "null"


def test_keys_are_what_the_author_wrote() -> None:
    """YAML would read these words as numbers, truth values, null and dates."""
    rules = fields_of("no: text\n      1.0: text\n      null: text\n      true: text\n      2024-01-01: text")
    assert [getattr(rule, "path", None) for rule in rules] == [
        ("no",),
        ("1", "0"),
        ("null",),
        ("true",),
        ("2024-01-01",),
    ]


def test_paths_with_dots_backslashes_and_empty_keys_can_be_written() -> None:
    rules = fields_of(r"""a\.b: text
      c\\.d: text
      "e\\f": text
      x: {path: [g.h, ""], type: text, column: x}
      y: {path: [1, no], type: text}
      old_id: {path: [_id], column: old_id, type: text}""")
    assert [getattr(rule, "path", None) for rule in rules] == [
        ("a.b",),
        ("c\\", "d"),
        ("e\\f",),
        ("g.h", ""),
        ("1", "no"),
        ("_id",),
    ]


def test_naming_keep_takes_names_as_they_are() -> None:
    mapping = parse_mapping(
        "isthmus: 1\nnaming: keep\ncollections:\n  crm_Accounts:\n"
        "    fields: {createdAt: timestamp(3)!, __v: integer, a.b: text}\n"
    )
    rule = mapping.collections["crm_Accounts"]
    assert rule.table == "crm_Accounts"
    assert [getattr(field, "column", None) for field in rule.fields] == ["createdAt", "__v", "a_b"]


def test_policies_are_inherited_key_by_key() -> None:
    rules = fields_of("a: {type: text, policies: {utf8: replace}}", head="policies: {nul: remove, range: null}")
    rule = rules[0]
    assert isinstance(rule, ColumnField)
    assert rule.policies == Policies(nul="remove", utf8="replace", range="null")


def test_skip_conditions_become_operators_and_extended_json() -> None:
    mapping = parse_mapping(r"""
isthmus: 1
collections:
  A:
    skip:
      - why: bin
        when:
          deleted: true
          kind: [a, 5, null, 9223372036854775807]
          gone: {missing: true}
          empty: {"null": true}
          odd: {null: true}
          there: {present: true}
          other: {not: x}
          others: {not: [x, 1.5]}
          ref: {$oid: 65F0A0000000000000000001}
          at: {not: {$date: "2024-01-01T00:00:00Z"}}
  B: {skip: "log-ins end"}
  "*": {skip: "not ours"}
""")
    conditions = {part.path[0]: part for part in mapping.collections["A"].skip[0].all}
    assert conditions["deleted"] == Condition(path=("deleted",), op="eq", values=(True,))
    assert conditions["kind"].op == "in"
    assert conditions["kind"].values == ("a", 5, None, {"$numberLong": "9223372036854775807"})
    assert [conditions[key].op for key in ("gone", "empty", "odd", "there", "other", "others")] == [
        "missing",
        "null",
        "null",
        "present",
        "ne",
        "not_in",
    ]
    assert conditions["others"].values == ("x", {"$numberDouble": "1.5"})
    assert conditions["ref"].values == ({"$oid": "65f0a0000000000000000001"},)
    assert conditions["at"].values == ({"$date": {"$numberLong": "1704067200000"}},)
    assert mapping.skipped == {"B": "log-ins end"}
    assert mapping.others_skipped == "not ours"
    assert mapping.why_skipped("B") == "log-ins end"
    assert mapping.why_skipped("C") == "not ours"
    assert mapping.why_skipped("A") is None


def test_anchors_and_merge_keys_are_followed() -> None:
    rules = fields_of("a: &t {type: text, required: true}\n      b: {<<: *t, column: bb}\n      c: *t")
    assert [(getattr(r, "column", None), getattr(r, "required", None)) for r in rules] == [
        ("a", True),
        ("bb", True),
        ("c", True),
    ]


def test_rewrite_paths_are_split_at_dots_and_brackets() -> None:
    rule = fields_of('a: {type: jsonb, rewrite: {"[].userId": U, "items[].to[]": U, plain: U}}')[0]
    assert isinstance(rule, ColumnField)
    assert {r.path for r in rule.rewrite} == {("[]", "userId"), ("items", "[]", "to", "[]"), ("plain",)}


def test_file_with_byte_order_mark_and_crlf_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("m") / 'mäpping "1".yaml'
    path.write_bytes(b"\xef\xbb\xbf" + DESIGN.strip().replace("\n", "\r\n").encode())
    assert load_mapping(path).fingerprint == parse_mapping(DESIGN).fingerprint


def test_fingerprint_of_a_mapping_without_newer_keys_stays_what_it_was() -> None:
    """Runs in targets know their mapping by it: one that changes refuses to go on."""
    assert parse_mapping(DESIGN).fingerprint == "dfd543122f9c43e6e1fafbc26672b3839ae94e196b6ed3ae0066c67e41c5a87b"


SAME = [
    ("ids: uuid\n", ""),
    ("extras: extras  # comment\n", ""),
    ("naming: fold\n", ""),
    ("target: {tables: create, schema: public}\n", ""),
    ("policies: {nul: dead_letter}\n", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_stating_a_default_does_not_change_the_fingerprint(one: str, other: str) -> None:
    rest = "collections:\n  A: {fields: {a: text}}\n"
    assert (
        parse_mapping(f"isthmus: 1\n{one}{rest}").fingerprint == parse_mapping(f"isthmus: 1\n{other}{rest}").fingerprint
    )


def test_form_comments_and_order_of_keys_do_not_change_the_fingerprint() -> None:
    one = """
isthmus: 1
enums: {s: [a, b], t: [c]}
collections:
  U: {}
  A: {table: a, fields: {x: s!, u: {references: U, on_orphan: null}, j: {junction: ua}}, indexes: [[x], u], search: []}
junctions: {ua: {u_id: U, a_id: A}}
""".replace(", search: []", "")
    other = """
junctions:
  ua: {columns: {u_id: U, a_id: A}}
collections:
  A:
    # a comment
    indexes: [{columns: [x], method: btree}, {columns: u, unique: false}]
    fields:
      x: {required: true, type: s, column: x}
      u: {on_orphan: "null", references: U, type: uuid}
      j: {junction: ua}
  U: {fields: }
enums:
  t: [c]
  s:
  - a
  - "b"
isthmus: 1
"""
    assert parse_mapping(one).fingerprint == parse_mapping(other).fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[ACTIVE, PENDING, COMPLETE]", "[PENDING, ACTIVE, COMPLETE]"),
        ("title: text!", "title: text"),
        ("default: 0", "default: 1"),
        ("ids: uuid", "ids: cuid2"),
        ("[task_status, due_date_at]", "[due_date_at, task_status]"),
        ('drop: "superseded by steps in 2023"', "drop: other"),
        ("      title: text!\n      content: text\n", "      content: text\n      title: text!\n"),
        ("{document_id: Documents, task_id: Tasks}", "{task_id: Tasks, document_id: Documents}"),
    ],
)
def test_what_has_an_effect_changes_the_fingerprint(old: str, new: str) -> None:
    assert old in DESIGN
    changed = DESIGN.replace(old, new)
    assert parse_mapping(changed).fingerprint != parse_mapping(DESIGN).fingerprint


def test_import_of_the_package_is_light() -> None:
    code = (
        "import sys, isthmus, isthmus.mapping\n"
        "heavy = {'pydantic', 'ruamel.yaml', 'sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert isthmus.__version__"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
