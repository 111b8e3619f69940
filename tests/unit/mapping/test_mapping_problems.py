"""Bad mappings: each gets a problem with the right code, line and suggestion, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.errors import MappingError, Problem
from isthmus.mapping import load_mapping, parse_mapping

# The first line is `isthmus: 1`; the text of each case begins at line 2.
CASES = [
    # text, code, line, part of message or hint
    ("colections: {}", "unknown-key", 2, "Did you mean `collections`?"),
    ("ids: uuidd\ncollections: {A: {}}", "unknown-choice", 2, "Did you mean `uuid`?"),
    ("naming: off\ncollections: {A: {}}", "unknown-choice", 2, "`naming` cannot be `off`"),
    ("target: {schema: isthmus}\ncollections: {A: {}}", "bad-schema", 2, "holds the state"),
    ("target: {schema: pg_x}\ncollections: {A: {}}", "bad-schema", 2, "belongs to PostgreSQL"),
    ("target: {tables: made}\ncollections: {A: {}}", "unknown-choice", 2, "`create`, `existing`"),
    ("target: public\ncollections: {A: {}}", "not-a-map", 2, "must be a map"),
    ("policies: {nul: drop}\ncollections: {A: {}}", "unknown-choice", 2, "`dead_letter`, `remove`"),
    ("policies: {nil: remove}\ncollections: {A: {}}", "unknown-key", 2, "Did you mean `nul`?"),
    ("extensions: vector\ncollections: {A: {}}", "not-a-list", 2, "must be a list"),
    ("collections:", "no-collection", 2, "carries no collection"),
    ("collections: [A]", "not-a-map", 2, "this is a list"),
    ("collections: {A: {}, A: {}}", "duplicate-key", 2, "already given in line 2"),
    ("collections:\n  A:\n    tabel: a", "unknown-key", 4, "Did you mean `table`?"),
    ("collections:\n  A:\n    table: 5", "not-text", 4, 'Write it in quotes: "5"'),
    ('collections:\n  A: {table: ""}', "empty-text", 3, "is empty"),
    ("collections:\n  $$: {}", "bad-name", 3, "No table name"),
    ("collections:\n  A: {table: " + "ü" * 32 + "}", "bad-name", 3, "64 bytes"),
    ('collections:\n  A: {skip: ""}', "empty-text", 3, "is empty"),
    ("collections:\n  A: {skip: true}", "not-text", 3, "truth value true"),
    ("collections:\n  A: {skip: old, table: a}", "skipped", 3, "`table` has no effect"),
    ('collections:\n  A: {}\n  "*": {table: x}', "others-form", 4, "can only be skipped"),
    # enums
    ("enums: {s: []}\ncollections: {A: {}}", "empty-enum", 2, "has no values"),
    ("enums: {s: [a, a]}\ncollections: {A: {}}", "duplicate-value", 2, "lists `a` twice"),
    ("enums:\n  s:\n    - a\n    - 1\ncollections: {A: {}}", "not-text", 5, 'quotes: "1"'),
    ("enums: {s: [true]}\ncollections: {A: {}}", "not-text", 2, 'quotes: "true"'),
    ("enums: {s: [null]}\ncollections: {A: {}}", "not-text", 2, "this is null"),
    ("enums: {integer: [a]}\ncollections: {A: {}}", "bad-name", 2, "built-in type"),
    ("enums: {int8: [a]}\ncollections: {A: {}}", "bad-name", 2, "built-in type"),
    ("enums: {s: [" + "x" * 64 + "]}\ncollections: {A: {}}", "bad-name", 2, "64 bytes"),
    ("enums: {a: [x]}\ncollections: {A: {}}", "table-clash", 3, "names both an enum"),
    # fields
    ("collections:\n  A:\n    fields:\n      a: txt", "unknown-type", 5, "Did you mean `text`?"),
    ("collections:\n  A:\n    fields:\n      a: json", "unknown-type", 5, "Use `jsonb`."),
    ("collections:\n  A:\n    fields:\n      a: A", "unknown-type", 5, "{references: A}"),
    ("enums: {state: [x]}\ncollections:\n  A:\n    fields:\n      a: stat", "unknown-type", 6, "Did you mean `state`?"),
    ("collections:\n  A:\n    fields:\n      a: numeric(2,5)", "unknown-type", 5, "scale"),
    ("collections:\n  A:\n    fields:\n      a: varchar(0)", "unknown-type", 5, "between 1 and"),
    ("collections:\n  A:\n    fields:\n      a: timestamp(7)", "unknown-type", 5, "between 0 and 6"),
    ("collections:\n  A:\n    fields:\n      a: jsonb[]", "unknown-type", 5, "Use `jsonb`"),
    ("collections:\n  A:\n    fields:\n      a:", "field-form", 5, "YAML reads it as null"),
    ("collections:\n  A:\n    fields:\n      a: no", "unknown-type", 5, "`no` is not a column type"),
    ("collections:\n  A:\n    fields:\n      a: true", "field-form", 5, "truth value"),
    ("collections:\n  A:\n    fields:\n      a: [text]", "field-form", 5, "`text[]`"),
    ("collections:\n  A:\n    fields:\n      a: {}", "missing-key", 5, "has no `type`"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, sensitiv: true}", "unknown-key", 5, "`sensitive`"),
    ("collections:\n  A:\n    fields:\n      a: {drop: x, child: y}", "field-form", 5, "at once"),
    ("collections:\n  A:\n    fields:\n      a: {drop: }", "not-text", 5, "reason"),
    ("collections:\n  A:\n    fields:\n      a: {drop: x, type: text}", "unknown-key", 5, "no key `type`"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, required: yes}", "not-a-flag", 5, "Write `true`"),
    ("collections:\n  A:\n    fields:\n      a..b: text", "bad-path", 5, "empty key"),
    ("collections:\n  A:\n    fields:\n      $: text", "bad-name", 5, "No column name"),
    ("collections:\n  A:\n    fields:\n      xmin: text", "bad-name", 5, "every PostgreSQL table"),
    ("collections:\n  A:\n    fields:\n      aB: text\n      a_b: text", "column-clash", 6, "`aB` and by the field `a_b`"),
    ("collections:\n  A:\n    fields:\n      id: text", "column-clash", 5, "by `_id` and by the field `id`"),
    ("collections:\n  A:\n    fields:\n      extras: text", "column-clash", 3, "extras: …"),
    ("collections:\n  A:\n    fields:\n      a: text\n      a.b: text", "path-conflict", 6, "lies inside `a`"),
    ("collections:\n  A:\n    fields:\n      a.b: text\n      a: {drop: x}", "path-conflict", 5, "dropped as a whole"),
    ('collections:\n  A:\n    fields:\n      a: text\n      b: {path: a, type: text}', "path-conflict", 6, "two rules"),
    ("collections:\n  A:\n    fields:\n      _id.a: text", "id-path", 5, "path: [_id]"),
    ("collections:\n  A:\n    fields:\n      a: {type: integer, default: x}", "bad-default", 5, "whole number"),
    ("collections:\n  A:\n    fields:\n      a: {type: smallint, default: 40000}", "bad-default", 5, "-32768 to 32767"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, default: 5}", "bad-default", 5, 'quotes: "5"'),
    ("collections:\n  A:\n    fields:\n      a: {type: text, default: null}", "bad-default", 5, "changes nothing"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, default: now}", "bad-default", 5, "{literal: now}"),
    ("collections:\n  A:\n    fields:\n      a: {type: boolean, default: no}", "bad-default", 5, "`true` or `false`"),
    ("collections:\n  A:\n    fields:\n      a: {type: varchar(2), default: abc}", "bad-default", 5, "3 characters"),
    ("collections:\n  A:\n    fields:\n      a: {type: 'numeric(4,2)', default: 1.234}", "bad-default", 5, "after the point"),
    ("collections:\n  A:\n    fields:\n      a: {type: date, default: '2024-01-01T01:00:00'}", "bad-default", 5, "time of day"),
    ("enums: {s: [x]}\ncollections:\n  A:\n    fields:\n      a: {type: s, default: y}", "bad-default", 6, "Its values: `x`"),
    ("collections:\n  A:\n    fields:\n      a: {type: 'text[]', default: x}", "bad-default", 5, "must be a list"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, default_for: null}", "needs-default", 5, "needs a `default`"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, on_orphan: null}", "needs-references", 5, "needs `references`"),
    ("collections:\n  A:\n    fields:\n      a: {type: text, index: true, unique: true}", "index-twice", 5, "Keep `unique"),
    # _id
    ("collections:\n  A:\n    fields:\n      _id: text", "id-type", 5, "ids: keep"),
    ("ids: keep\ncollections:\n  A:\n    fields:\n      _id: jsonb", "id-type", 6, "cannot be a key"),
    ("collections:\n  A:\n    fields:\n      _id: {colum: x}", "unknown-key", 5, "Did you mean `column`?"),
    # references
    ("collections:\n  Users: {}\n  A:\n    fields:\n      u: {references: User}", "unknown-collection", 6, "Did you mean `Users`?"),
    ("collections:\n  U: {skip: x}\n  A:\n    fields:\n      u: {references: U}", "unknown-collection", 6, "is skipped"),
    ("collections:\n  U: {table: us}\n  A:\n    fields:\n      u: {references: us}", "unknown-collection", 6, "collections are meant"),
    ("collections:\n  U: {}\n  A:\n    fields:\n      u: {references: U, type: text}", "reference-type", 6, "type `uuid`, not `text`"),
    ("collections:\n  U: {}\n  A:\n    fields:\n      u: {references: U, type: 'uuid[]'}", "reference-type", 6, "junction"),
    ("collections:\n  U: {}\n  A:\n    fields:\n      u: {references: U, required: true, on_orphan: null}", "required-null", 6, "dead_letter"),
    ("collections:\n  U: {}\n  A:\n    fields:\n      u: {references: U, default: x}", "bad-default", 6, "no default"),
    ("collections:\n  U: {}\n  A:\n    fields:\n      u: {references: U, on_orphan: drop}", "unknown-choice", 6, "`on_orphan` cannot be `drop`"),
    ("collections:\n  A:\n    fields:\n      u: {type: text, rewrite: {a: A}}", "rewrite-type", 5, "not jsonb"),
    ("collections:\n  A:\n    fields:\n      u: {type: jsonb, rewrite: {a: B}}", "unknown-collection", 5, "Known: `A`"),
    ("collections:\n  A:\n    fields:\n      u: {type: jsonb, rewrite: {a..b: A}}", "bad-path", 5, "empty key"),
    # children
    ("collections:\n  A:\n    fields:\n      c: {child: a, fields: {x: text}}", "table-clash", 5, "wanted twice"),
    ("collections:\n  A:\n    fields:\n      c: {child: c}", "missing-key", 5, "no `fields`"),
    ("collections:\n  A:\n    fields:\n      c: {child: c, fields: {position: text}}", "column-clash", 5, "wanted twice"),
    ("collections:\n  A:\n    fields:\n      c:\n        child: c\n        fields:\n          x: text\n          y: txt", "unknown-type", 9, "text"),
    ("collections:\n  A: {table: t}\n  B: {table: t}", "table-clash", 4, "`A` and by the collection `B`"),
    ("collections:\n  tasksX: {}\n  tasks_x: {}", "table-clash", 4, "wanted twice"),
    # junctions
    ("collections:\n  A:\n    fields:\n      b: {junction: j}", "unknown-junction", 5, "State it"),
    ("collections:\n  A:\n    fields:\n      b: {junction: ab}\n  B: {}\njunctions:\n  a_b: {a_id: A, b_id: B}", "unknown-junction", 5, "Did you mean `a_b`?"),
    ("collections: {A: {}, B: {}}\njunctions:\n  j: {a_id: A, b_id: B}", "junction-unfed", 4, "No field feeds"),
    ("collections:\n  A: {fields: {b: {junction: j}}}\njunctions:\n  j: {a_id: A, b_id: B}", "unknown-collection", 5, "the collection `B`"),
    ("collections:\n  A: {fields: {b: {junction: j}}}\njunctions:\n  j: {a_id: A}", "junction-columns", 5, "has 1"),
    ("collections:\n  A: {fields: {b: {junction: j}}}\njunctions:\n  j: {a: A, b: A}", "junction-own", 3, "own: a"),
    ("collections:\n  A: {fields: {b: {junction: j, own: x}}}\njunctions:\n  j: {a: A, b: A}", "junction-own", 3, "no column `x`"),
    ("collections:\n  A: {}\n  B: {}\n  C: {fields: {b: {junction: j}}}\njunctions:\n  j: {a: A, b: B}", "junction-side", 5, "`a` → `A`"),
    ("collections:\n  A: {fields: {b: {junction: j}}}\n  B: {}\njunctions:\n  j: {columns: {a: A, b: B}, on_orphan: null}", "unknown-choice", 6, "`drop`"),
    ("collections:\n  A: {table: j, fields: {b: {junction: j}}}\n  B: {}\njunctions:\n  j: {a: A, b: B}", "table-clash", 6, "wanted twice"),
    # indexes and search
    ("collections:\n  A:\n    fields: {dueAt: text}\n    indexes:\n      - [dueAt]", "unknown-column", 6, "Write `due_at`."),
    ("collections:\n  A:\n    fields: {due: text}\n    indexes:\n      - [du]", "unknown-column", 6, "Did you mean `due`?"),
    ("collections:\n  A:\n    fields: {a: text}\n    indexes:\n      - []", "empty-index", 6, "no columns"),
    ("collections:\n  A:\n    fields: {a: text}\n    indexes:\n      - [a, a]", "column-clash", 6, "twice"),
    ("collections:\n  A:\n    fields: {a: text}\n    indexes:\n      - {columns: [a], method: gin}", "gin-type", 6, "neither"),
    ("collections:\n  A:\n    fields: {a: jsonb}\n    indexes:\n      - {columns: [a], method: gin, unique: true}", "gin-unique", 6, "btree"),
    ("collections:\n  A:\n    fields: {a: text}\n    indexes:\n      - {column: a}", "unknown-key", 6, "Did you mean `columns`?"),
    ("collections:\n  A:\n    fields: {a: text}\n    indexes:\n      - {columns: a, name: a}", "index-clash", 6, "name of a table"),
    ("collections:\n  A:\n    fields: {a: text}\n    search: [b]", "unknown-column", 5, "no column `b`"),
    ("collections:\n  A:\n    fields: {a: integer}\n    search: [a]", "search-type", 5, "type `integer`"),
    ("collections:\n  A:\n    fields: {a: text}\n    search: {columns: [a], language: englisch}", "unknown-language", 5, "Did you mean `english`?"),
    # skip
    ("collections:\n  A:\n    skip:\n      - {when: {a: 1}}", "missing-key", 5, "no `why`"),
    ("collections:\n  A:\n    skip:\n      - {when: {}, why: x}", "empty-condition", 5, "every document"),
    ("collections:\n  A:\n    skip:\n      - {when: {a: null}, why: x}", "bad-condition", 5, "{missing: true}"),
    ("collections:\n  A:\n    skip:\n      - {when: {a: []}, why: x}", "bad-condition", 5, "empty list"),
    ("collections:\n  A:\n    skip:\n      - {when: {a: {b: 1}}, why: x}", "bad-condition", 5, "{not: value}"),
    ("collections:\n  A:\n    skip:\n      - {when: {a: {$oid: 12}}, why: x}", "bad-condition", 5, "$oid"),
    ("collections:\n  A:\n    skip:\n      - {when: {a: {missing: false}}, why: x}", "bad-condition", 5, "only `true`"),
    # YAML
    ("a: b: c", "yaml-syntax", 2, "quotes"),
    ("collections:\n\tA: {}", "yaml-tab", 3, "spaces"),
    ("collections: *x", "yaml-syntax", 2, "anchor"),
    ("---\na: 1", "yaml-syntax", 2, "one document"),
    ("collections: !!python/object x", "yaml-tag", 2, "means nothing"),
    ("collections: &a [*a]", "alias-loop", 2, "inside the value"),
    ('collections: {"A\\0": {}}', "nul", 2, "NUL"),
    ("? [a]\n: b", "yaml-key", 2, "single word"),
]  # fmt: skip


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    """The problems of a text that must be refused."""
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, file_name="m.yaml")
    assert caught.value.problems
    return caught.value.problems


@pytest.mark.parametrize(("text", "code", "line", "part"), CASES, ids=[f"{n}-{c[1]}" for n, c in enumerate(CASES)])
def test_broken_mapping_is_refused_with_code_line_and_suggestion(text: str, code: str, line: int, part: str) -> None:
    problems = problems_of(f"isthmus: 1\n{text}\n")
    found = [p for p in problems if p.code == code and p.where.line == line]
    assert found, [str(p) for p in problems]
    assert any(part in str(p) for p in found), [str(p) for p in problems]
    assert len(problems) <= 2, [str(p) for p in problems]
    for problem in problems:
        assert problem.where.file == "m.yaml"
        assert problem.message.endswith("."), problem.message
        assert problem.hint is None or problem.hint.endswith((".", "?", "}", "]")), problem.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-file"),
        ("# nothing\n", "empty-file"),
        ("---\n", "empty-file"),
        ("- a\n", "wrong-root"),
        ("just text\n", "wrong-root"),
        ("collections: {A: {}}\n", "no-version"),
        ("isthmus: 2\ncollections: {A: {}}\n", "unknown-version"),
        ("isthmus: '1'\ncollections: {A: {}}\n", "unknown-version"),
        ("isthmus: true\n", "unknown-version"),
        ("isthmus: [1]\n", "unknown-version"),
        ("isthmus: 1\n", "missing-key"),
        (b"isthmus: 1\ncollections: {\xff: {}}\n", "not-utf8"),
        ("isthmus: 1\n".encode("utf-16"), "not-utf8"),
        ("[" * 5000, "yaml-depth"),
        ("isthmus: 1\x07\n", "yaml-syntax"),
        ("{isthmus: 1", "yaml-syntax"),
        ("isthmus: 1\n" + "a: " * 2, "yaml-syntax"),
    ],
)
def test_file_that_is_no_mapping_is_refused(text: str | bytes, code: str) -> None:
    assert [problem.code for problem in problems_of(text)] == [code]


def test_line_of_a_byte_that_is_not_utf8_is_named() -> None:
    assert problems_of(b"isthmus: 1\n# \xe1\x45\xcc\n")[0].where.line == 2


def test_alias_bomb_is_refused_quickly() -> None:
    bomb = "isthmus: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert [problem.code for problem in problems_of(bomb)] == ["alias-bomb"]


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = """\
isthmus: 1
idz: uuid
collections:
  Tasks:
    fields:
      title: txt
      user: {references: Userz}
      done: {type: boolean, default: maybe}
    indexes: [[titel]]
  Users: {tabel: x}
"""
    problems = problems_of(text)
    assert [(p.code, p.where.line) for p in problems] == [
        ("unknown-key", 2),
        ("unknown-type", 6),
        ("unknown-collection", 7),
        ("bad-default", 8),
        ("unknown-key", 10),
    ]


def test_places_name_the_path_inside_the_mapping() -> None:
    problems = problems_of("isthmus: 1\ncollections:\n  A:\n    fields:\n      a.b: {type: txt}\n")
    assert problems[0].where.path == 'collections.A.fields."a.b".type'


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(MappingError) as caught:
            load_mapping(path)
        assert caught.value.exit_code == 2
        assert str(path) in str(caught.value)


def test_too_many_columns_are_refused() -> None:
    fields = "".join(f"      f{n}: text\n" for n in range(1600))
    assert [p.code for p in problems_of(f"isthmus: 1\ncollections:\n  A:\n    fields:\n{fields}")] == [
        "too-many-columns"
    ]


def test_derived_child_key_beyond_63_bytes_is_refused() -> None:
    name = "t" * 61
    text = (
        f"isthmus: 1\ncollections:\n  A:\n    table: {name}\n    fields:\n      c: {{child: c, fields: {{x: text}}}}\n"
    )
    assert [p.code for p in problems_of(text)] == ["bad-name"]


WORDS = [
    "isthmus",
    "collections",
    "A",
    "fields",
    "junction",
    "child",
    "references",
    "null",
    "~",
    "1",
    "text",
    "[]",
    "*",
]


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
            st.lists(
                st.tuples(st.sampled_from([*WORDS[:7], "table", "type", "default", "indexes", "skip"]), inner),
                max_size=4,
            ).map(lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"),
        ),
        max_leaves=12,
    )
)
def test_any_shape_ends_in_a_mapping_or_in_problems(value: str) -> None:
    """Never another exception; what the shapes mean is not looked at here."""
    for text in (value, f"isthmus: 1\ncollections: {value}", f"isthmus: 1\ncollections: {{A: {value}}}",
                 f"isthmus: 1\ncollections: {{A: {{fields: {{a: {value}}}}}}}", f"isthmus: 1\njunctions: {value}"):  # fmt: skip
        try:
            parse_mapping(text)
        except MappingError as error:
            assert error.problems


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_any_text_ends_in_a_mapping_or_in_problems(text: str | bytes) -> None:
    with pytest.raises(MappingError):
        parse_mapping(text)
