"""Answers of people: what is read of a file, and each mistake with its line.

Cannot see: whether the documents are there; `integration/identities` does.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isthmus.errors import ConfigError
from isthmus.mapping import Mapping, parse_mapping
from isthmus.mapping.resolutions import (
    ANSWER_KEYS,
    ROOT_KEYS,
    AnsweredDocument,
    Resolutions,
    beside,
    load_resolutions,
    parse_resolutions,
    resolutions_of,
)
from isthmus.mapping.resolutions_schema import json_schema

HEX, OTHER = "65f0c1a2b3c4d5e6f7a8b9c0", "650e12345678901234567890"  # the second is a number to YAML
MAPPING = parse_mapping("""
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members:
      users: {keys: {email: email}}
      'auth "ü"': {keys: {email: email}}
    linked:
      profiles: {keys: {email: email}}
collections:
  users: {table: users, fields: {email: text}}
  'auth "ü"': {table: users, fields: {email: text}}
  profiles: {fields: {userId: {column: user_id, references: users, identity: people}, email: text}}
""")
PLAIN: Mapping = parse_mapping("isthmus: 1\ncollections: {users: {fields: {email: text}}}\n")


def read(*answers: str) -> Resolutions:
    body = "".join(f"    - {one}\n" for one in answers)
    return parse_resolutions(f"isthmus: 1\nidentities:\n  people:\n{body}", MAPPING)


def problems(*answers: str) -> list[tuple[str, int | None]]:
    with pytest.raises(ConfigError) as refused:
        read(*answers)
    assert refused.value.code == "resolutions"
    assert all(one.hint for one in refused.value.problems)
    return [(one.code, one.where.line) for one in refused.value.problems]


def test_answers_are_read_with_their_lines() -> None:
    found = read(
        f"{{same: [{{users: {HEX.upper()}}}, {{'auth \"ü\"': {OTHER}}}], reason: phone}}",
        "{different: [{users: 5}, {profiles: 'text \"x\"'}], reason: ' two '}",
        "{drop: {profiles: {$uuid: 00000000-0000-4000-8000-000000000000}}, reason: test}",
    ).of("people")
    assert [one.kind for one in found] == ["same", "different", "drop"]
    assert [one.where.line for one in found] == [4, 5, 6]
    assert found[0].documents == (AnsweredDocument("users", HEX), AnsweredDocument('auth "ü"', OTHER))
    assert [one.id for one in found[1].documents] == ["5", 'text "x"']
    assert found[1].reason == "two"
    assert json.loads(found[2].documents[0].id) == {"$uuid": "00000000-0000-4000-8000-000000000000"}


def test_documents_are_written_as_they_are_read() -> None:
    for document in (
        AnsweredDocument('auth "ü"', HEX),
        AnsweredDocument("users", 'text "x" {$}'),
        AnsweredDocument("users", '{"$oid": "x"}'),
        AnsweredDocument("users", "-5"),
        AnsweredDocument("users", '"650e12345678901234567890"'),
    ):
        assert read(f"{{drop: {document}, reason: r}}").of("people")[0].documents == (document,)


def test_nothing_is_no_mistake() -> None:
    for text in ("", "# later\n", "isthmus: 1\n", "isthmus: 1\nidentities:\n  people:\n", "isthmus: 1\nidentities:\n"):
        assert parse_resolutions(text, MAPPING).of("people") == ()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("just a text", "not-a-map"),
        ("{reason: x}", "answer-form"),
        (f"{{same: [{{users: {HEX}}}, {{users: 2}}], drop: {{users: 3}}, reason: x}}", "answer-form"),
        (f"{{same: [{{users: {HEX}}}], reason: x}}", "answer-form"),
        (f"{{same: {{users: {HEX}}}, reason: x}}", "not-a-list"),
        (f"{{same: [{{users: {HEX}}}, {{users: {HEX}}}], reason: x}}", "answer-form"),
        ("{different: [{users: 1}, {users: 2}, {users: 3}], reason: x}", "answer-form"),
        (f"{{drop: [{{users: {HEX}}}], reason: x}}", "answer-form"),
        (f"{{drop: {{users: {HEX}, profiles: {HEX}}}, reason: x}}", "answer-form"),
        (f"{{drop: {{users: {HEX}}}}}", "no-reason"),
        (f"{{drop: {{users: {HEX}}}, reason: ''}}", "empty-text"),
        (f"{{drop: {{users: {HEX}}}, reason: 5}}", "not-text"),
        (f"{{drop: {{user: {HEX}}}, reason: x}}", "unknown-collection"),
        (f"{{drop: {{users: {HEX[:-1]}}}, reason: x}}", "bad-document-id"),
        ("{drop: {users: }, reason: x}", "bad-document-id"),
        ("{drop: {users: true}, reason: x}", "bad-document-id"),
        ("{drop: {users: [1]}, reason: x}", "bad-document-id"),
        ("{drop: {users: {}}, reason: x}", "bad-document-id"),
        (f"{{drop: {{users: {HEX}}}, reason: x, why: y}}", "unknown-key"),
    ],
)
def test_each_mistake_is_told_with_its_line(answer: str, code: str) -> None:
    assert problems(answer) == [(code, 4)]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    assert problems("{drop: {users: true}, reason: x}", f"{{drop: {{user: {HEX}}}}}") == [
        ("bad-document-id", 4),
        ("no-reason", 5),
        ("unknown-collection", 5),
    ]


def test_what_is_dropped_is_neither_the_same_nor_dropped_twice() -> None:
    drop = f"{{drop: {{users: {HEX}}}, reason: x}}"
    assert problems(drop, drop) == [("answered-twice", 5)]
    assert problems(drop, f"{{same: [{{users: {HEX.upper()}}}, {{users: 2}}], reason: x}}") == [("same-and-dropped", 5)]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("- a\n", "wrong-root", 1),
        ("identities: {}\n", "no-version", 1),
        ("isthmus: 2\n", "unknown-version", 1),
        ("isthmus: 1\nidentities: {persons: []}\n", "unknown-identity", 2),
        ("isthmus: 1\nanswers: {}\n", "unknown-key", 2),
        ("isthmus: 1\nidentities: {people: x}\n", "not-a-list", 2),
        ("isthmus: 1\n\tx: 1\n", "yaml-tab", 2),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, code: str, line: int) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_resolutions(text, MAPPING, file_name="a.yaml")
    assert [(one.code, one.where.line, one.where.file) for one in refused.value.problems] == [(code, line, "a.yaml")]


def test_a_file_that_was_named_must_be_there_and_one_beside_the_mapping_need_not(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    found = resolutions_of(mapping, MAPPING, None)
    assert found == Resolutions(str(tmp_path / "resolutions.yaml"))
    with pytest.raises(ConfigError, match="no such file"):
        resolutions_of(mapping, MAPPING, tmp_path / "other.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_resolutions(tmp_path, MAPPING)
    beside(mapping).write_text(f"isthmus: 1\nidentities: {{people: [{{drop: {{users: {HEX}}}, reason: x}}]}}\n")
    assert len(resolutions_of(mapping, MAPPING, None).of("people")) == 1
    assert resolutions_of(mapping, PLAIN, None).identities == {}
    with pytest.raises(ConfigError) as refused:
        resolutions_of(mapping, PLAIN, beside(mapping))
    assert refused.value.code == "no-identities"


def test_the_digest_says_what_is_answered_and_nothing_else() -> None:
    one, two = (
        f"{{same: [{{users: {HEX}}}, {{users: 2}}], reason: x}}",
        "{different: [{users: 3}, {users: 4}], reason: y}",
    )
    digest = read(one, two).digest("people")
    assert read(two, one.replace("reason: x", "reason: z")).digest("people") == digest
    assert read(f"{{same: [{{users: 2}}, {{users: {HEX}}}], reason: x}}", two).digest("people") == digest
    assert read(one).digest("people") != digest
    assert read(one, two.replace("different", "same")).digest("people") != digest
    drop = "{drop: {users: 3}, reason: y}"
    assert read(drop).digest("people") != read(drop.replace("reason: y", "reason: z")).digest("people")


def test_the_schema_knows_every_key_of_the_reader() -> None:
    schema = json_schema()
    assert tuple(schema["properties"]) == ROOT_KEYS
    assert set(schema["$defs"]["answer"]["properties"]) == set(ANSWER_KEYS)
