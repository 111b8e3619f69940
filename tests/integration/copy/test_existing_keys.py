"""Copies into tables that exist and keep no id: their rows are known by their key, or by nothing.

Oracle: rows and ledgers read with SQL of the test's own.
"""

from __future__ import annotations

import pytest

from isthmus.errors import IsthmusError, TargetError
from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE sessions (token text PRIMARY KEY, mail text, seen integer, note text, prior text REFERENCES sessions);
CREATE TABLE events (id uuid PRIMARY KEY, name text, session text REFERENCES sessions, others text[]);
"""
MAPPING = """
isthmus: 1
target: {{tables: existing, on_conflict: {policy}}}
extras: dead_letter
collections:
  sessions:
    key: token
    match: {match}
    fields: {{token: text!, mail: text, seen: integer, prior: {{references: sessions, on_orphan: "null"}}}}
  events:
    fields:
      name: text
      session: {{references: sessions, on_orphan: "null"}}
      others: {{references: sessions, type: "text[]", on_orphan: "null"}}
"""
THERE = "INSERT INTO sessions VALUES ('t1', 'ann@x', 1, 'dear', NULL), ('old', 'bob@x', 1, NULL, NULL)"
SESSIONS = [
    {"_id": oid(1), "token": "t1", "mail": "a@x", "seen": 5},
    {"_id": oid(2), "token": "t2", "mail": "bob@x", "seen": 6, "prior": oid(1)},
    {"_id": oid(3), "token": "t3", "mail": "c@x", "seen": 7, "prior": oid(2)},
]
EVENTS = [
    {"_id": oid(100 + n), "name": f"e{n}", "session": oid(n), "others": [oid(n), oid(3), oid(77)]} for n in range(1, 5)
]
EVERYTHING = "SELECT token, mail, seen, note, prior FROM sessions ORDER BY token"


def mapping(policy: str = "keep_target", match: str = "[[mail]]") -> str:
    text = MAPPING.format(policy=policy, match=match)
    return text if match != "none" else text.replace("    match: none\n", "")


def test_rows_are_known_by_their_key_and_references_hold_it(world: World) -> None:
    world.rows(TABLES + THERE)
    world.write({"sessions": SESSIONS, "events": EVENTS})
    result = world.copy(mapping(match="none"))
    balanced(result)
    assert result.balance is not None
    assert (result.balance.collections["sessions"].kept, result.balance.collections["sessions"].copied) == (1, 2)
    assert world.rows(EVERYTHING) == [
        ("old", "bob@x", 1, None, None),
        ("t1", "ann@x", 1, "dear", None),
        ("t2", "bob@x", 6, None, "t1"),
        ("t3", "c@x", 7, None, "t2"),
    ]
    assert world.rows("SELECT name, session, others FROM events ORDER BY 1") == [
        ("e1", "t1", ["t1", "t3", None]),
        ("e2", "t2", ["t2", "t3", None]),
        ("e3", "t3", ["t3", "t3", None]),
        ("e4", None, [None, "t3", None]),
    ]
    ((row_id, action, differing),) = world.rows("SELECT row_id, action, differing FROM isthmus.conflict")
    assert (row_id, action, sorted(differing)) == ('["t1"]', "kept", ["mail", "seen"])
    assert world.column("SELECT id FROM isthmus.id_map WHERE origin = 'matched' ORDER BY 1") == [
        '["t1"]',
        '["t2"]',
        '["t3"]',
    ]


@pytest.mark.parametrize("policy", ["keep_target", "overwrite"])
def test_row_that_match_finds_keeps_its_key_and_is_referred_to_by_it(world: World, policy: str) -> None:
    world.rows(TABLES + THERE)
    world.write({"sessions": SESSIONS, "events": EVENTS})
    for fresh in (False, True):
        balanced(world.copy(mapping(policy), fresh=fresh))
        bob = ("old", "bob@x", 1, None, None) if policy == "keep_target" else ("old", "bob@x", 6, None, "t1")
        ann = ("t1", "ann@x", 1, "dear", None) if policy == "keep_target" else ("t1", "a@x", 5, "dear", None)
        assert world.rows(EVERYTHING) == [bob, ann, ("t3", "c@x", 7, None, "old")]
        assert world.rows("SELECT name, session, others FROM events WHERE name = 'e2'") == [
            ("e2", "old", ["old", "t3", None])
        ]


def test_documents_with_one_key_and_rows_that_two_match_are_refused(world: World) -> None:
    world.rows(TABLES + THERE)
    again = [{"_id": oid(4), "token": "t3", "mail": "d@x"}, {"_id": oid(5), "token": "t5", "mail": "ann@x"}]
    world.write({"sessions": [*SESSIONS, *again], "events": []})
    balanced(world.copy(mapping()))
    assert world.codes() == {str(oid(4)): "duplicate-key", str(oid(5)): "match-taken"}


PAIRED = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
extras: rest
collections:
  votes:
    key: [poll, number]
    fields: {poll: text!, number: "numeric(6,2)!", choice: text}
"""


def test_tracked_rows_with_a_key_of_several_columns(world: World) -> None:
    world.rows(
        "CREATE TABLE votes (number numeric(6,2), poll varchar(10), choice text, id integer GENERATED ALWAYS AS"
        " IDENTITY,"
        " UNIQUE (poll, number)); INSERT INTO votes (choice) VALUES ('whose?'), ('whose?')"
    )

    def write(**choices: str | None) -> None:
        votes = [
            {"_id": oid(n), "poll": "p", "number": int(name[1:]), "choice": choice, "odd": n}
            for n, (name, choice) in enumerate(choices.items(), 1)
            if choice is not None
        ]
        world.write({"votes": votes})

    write(v1="a", v2="a", v3="a", v4="a", v5="a")
    balanced(world.copy(PAIRED))
    assert sorted(world.column("SELECT id FROM isthmus.extras"))[0] == '["p", "1.00"]'
    world.rows("UPDATE votes SET choice = 'mine' WHERE number IN (1, 2); DELETE FROM votes WHERE number = 4")
    write(v1="a", v2="b", v3="b", v4="b", v5=None, v6="new")
    result = world.copy(PAIRED)
    balanced(result)
    assert result.balance is not None
    assert result.balance.met_rows == {"votes": {"edited": 1, "kept": 1, "updated": 1, "deleted": 1, "gone": 1}}
    query = "SELECT number::text, choice FROM votes WHERE poll IS NOT NULL ORDER BY 1"
    after = [("1.00", "mine"), ("2.00", "mine"), ("3.00", "b"), ("5.00", "a"), ("6.00", "new")]
    assert world.rows(query) == after
    assert world.rows("SELECT row_id, action FROM isthmus.conflict ORDER BY 1") == [
        ('["p", "2.00"]', "kept"),
        ('["p", "4.00"]', "deleted-in-target"),
        ('["p", "5.00"]', "gone-from-source"),
    ]
    balanced(world.copy(PAIRED))
    assert world.rows(query) == after


def test_document_with_another_key_than_before_is_another_row(world: World) -> None:
    world.rows(TABLES)
    text = mapping("keep_target, rerun: tracked", "none")
    world.write({"sessions": SESSIONS[:1], "events": EVENTS[:1]})
    balanced(world.copy(text))
    world.write({"sessions": [{**SESSIONS[0], "token": "renewed"}], "events": EVENTS[:1]})
    balanced(world.copy(text))
    assert world.column("SELECT token FROM sessions ORDER BY 1") == ["renewed", "t1"]
    assert world.column("SELECT session FROM events") == ["renewed"]
    assert world.rows("SELECT row_id, action FROM isthmus.conflict") == [('["t1"]', "gone-from-source")]


def test_later_copy_of_others_finds_the_key_of_what_an_earlier_one_carried(world: World) -> None:
    world.rows(TABLES + THERE)
    world.write({"sessions": SESSIONS, "events": EVENTS})
    balanced(world.copy(mapping(), only=("sessions",)))
    world.rows(
        "DROP TABLE events; CREATE TABLE events (id uuid PRIMARY KEY, name text, session text REFERENCES sessions)"
    )
    balanced(
        world.copy(
            mapping().replace(
                'others: {references: sessions, type: "text[]", on_orphan: "null"}', 'others: {drop: "no"}'
            ),
            fresh=True,
        )
    )
    assert world.rows("SELECT name, session FROM events ORDER BY 1") == [
        ("e1", "t1"),
        ("e2", "old"),
        ("e3", "t3"),
        ("e4", None),
    ]


KEYLESS = """
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections: {log: {key: none, fields: {line: text}}}
"""


def test_rows_without_any_key_go_into_an_empty_table_only(world: World) -> None:
    world.rows("CREATE TABLE log (line text, at timestamptz DEFAULT now())")
    world.write({"log": [{"_id": oid(n), "line": "same"} for n in range(3)]})
    balanced(world.copy(KEYLESS))
    assert world.column("SELECT line FROM log") == ["same"] * 3
    assert world.copy(KEYLESS).repeated
    with pytest.raises(TargetError) as caught:
        world.copy(KEYLESS, fresh=True)
    assert caught.value.code == "rows-without-key"
    assert world.one("SELECT count(*) FROM log") == 3
    world.rows("TRUNCATE log")
    balanced(world.copy(KEYLESS))  # the same run goes on
    assert world.one("SELECT count(*) FROM log") == 3


def test_what_cannot_be_known_by_a_key_is_refused_before_anything(world: World) -> None:
    world.rows("CREATE TABLE log (line text)")
    world.write({"log": [{"_id": oid(1), "line": "x"}]})
    for text, code in [
        (KEYLESS.replace("extras: dead_letter\n", ""), "extras-need-key"),
        (
            KEYLESS.replace("{log: {key: none, fields: {line: text}}}", "{log: {key: line, fields: {line: text!}}}"),
            "no-row-key",
        ),
    ]:
        with pytest.raises(IsthmusError) as caught:
            world.copy(text)
        assert caught.value.code == code
    assert not world.has_state()
