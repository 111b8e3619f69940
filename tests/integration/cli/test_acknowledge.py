"""`isthmus letters acknowledge`, `isthmus conflicts acknowledge`, and what lists and status say of it.

Oracle: the documents planted, what the test itself said of them, and the table that keeps it, read with SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.state.lease import Lease
from isthmus.state.migrate import migrate, state_migrations
from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import Ran, RunCommand
from tests.integration.copy.carrying import oid

PEOPLE = "Pe'o \"ple é"
MAPPING = """\
isthmus: 1
collections:
  'Pe''o "ple é': {table: people, fields: {name: text!, pin: {type: integer, sensitive: true}}}
  things: {fields: {n: integer!}}
"""
HUSHED = "hush-4711"
DUMP: dict[str, list[dict[str, Any]]] = {
    PEOPLE: [
        {"_id": oid(1), "name": "Ann", "pin": 1},
        {"_id": oid(2), "pin": 2},  # required
        {"_id": oid(3), "name": "Cy", "pin": HUSHED},  # type
    ],
    "things": [{"_id": oid(11)}, {"_id": oid(12), "n": "x"}, {"_id": oid(13), "n": 1}],
}
Do = Callable[..., Ran]


@pytest.fixture
def do(isthmus: RunCommand, database: str, tmp_path: Path) -> Do:
    return lambda *arguments: isthmus(*arguments, env={"DATABASE_URL": database}, cwd=tmp_path)


@pytest.fixture
def copy(do: Do, make_dump: MakeDump, tmp_path: Path) -> Do:
    """Return a function that copies documents, by default with the mapping above; options behind them."""

    def run(dump: dict[str, list[dict[str, Any]]], *options: object, mapping: str = MAPPING) -> Ran:
        (tmp_path / "mapping.yaml").write_text(mapping)
        return do("copy", "mapping.yaml", "-s", make_dump(dump), *options)

    return run


def listed(do: Do, what: str, *options: object) -> dict[int, dict[str, Any]]:
    """Return number → entry of a list, as its JSON has them."""
    ran = do(what, "list", "--json", "-", *options)
    assert ran.code == 0, ran.all
    said = json.loads(ran.out)
    assert said["total"] == len(said[what])
    return {one["id"]: one for one in said[what]}


def number_of(do: Do, what: str, **wanted: object) -> int:
    """Return the number of the one entry of a list that has some values."""
    (found,) = [one["id"] for one in listed(do, what).values() if wanted.items() <= one.items()]
    return found


def said(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.all
    return json.loads(ran.out)


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(query.encode()).fetchall()


def test_letters_are_acknowledged_listed_counted_apart_and_taken_back(do: Do, copy: Do, database: str) -> None:
    assert copy(DUMP).code == 1
    assert {one["acknowledged"] for one in listed(do, "letters").values()} == {None}
    one = number_of(do, "letters", source_id=str(oid(2)))
    ran = do("letters", "acknowledge", one, "--reason", "nobody signs in with it", "--by", "Ann é")
    assert ran.code == 0, ran.all
    assert ran.out == "1 dead letter newly acknowledged; 3 are open.\n"
    word = listed(do, "letters")[one]["acknowledged"]
    ((role,),) = rows(database, "SELECT session_user")
    assert (word["reason"], word["by"], word["role"]) == ("nobody signs in with it", "Ann é", role)
    assert one not in listed(do, "letters", "--open")
    assert len(listed(do, "letters", "--open")) == 3
    text = do("letters", "list").out
    assert text.count("acknowledged by Ann é") == 1
    assert "nobody signs in with it" not in do("letters", "list", "--open").out
    assert "nobody signs in with it" in do("letters", "show", one).out
    exported = [json.loads(line) for line in do("letters", "export").out.splitlines()]
    assert [entry["acknowledged"] is not None for entry in exported if entry["id"] == one] == [True]

    ran = do("status")
    assert f"1 acknowledged dead letter in {PEOPLE}: required (convert)" in ran.out
    assert f"1 dead letter in {PEOPLE}: type (convert)" in ran.out
    assert "isthmus letters list" in ran.out
    status = json.loads(do("status", "--json", "-").out)
    (line,) = status["acknowledged"]
    assert line == {"run": 1, "collection": PEOPLE, "stage": "convert", "code": "required", "count": 1}
    assert sum(entry["count"] for entry in status["letters"]) == 4
    assert copy(DUMP).code == 0  # as without: nothing of it is news

    again = said(
        do("letters", "acknowledge", one, "--reason", " nobody signs in with it\n", "--by", "Ann é", "--json", "-")
    )
    assert again == {
        "outcome": "acknowledged",
        "exit_code": 0,
        "newly": 0,
        "otherwise": 0,
        "already": 1,
        "withdrawn": 0,
        "open": 3,
    }
    assert len(rows(database, "SELECT FROM isthmus.acknowledgement")) == 1
    more = said(do("letters", "acknowledge", "--all", "--reason", "the rest", "--json", "-"))
    assert (more["newly"], more["otherwise"], more["already"], more["open"]) == (3, 0, 1, 0)
    assert listed(do, "letters")[one]["acknowledged"] == word  # --all leaves it alone
    other = said(do("letters", "acknowledge", one, one, "--reason", "better", "--json", "-"))
    assert (other["newly"], other["otherwise"], other["already"]) == (0, 1, 0)
    assert listed(do, "letters")[one]["acknowledged"]["reason"] == "better"
    assert "No dead letter is open; 4 are acknowledged." in do("letters", "list", "--open").out
    assert "isthmus letters list" not in do("status").out

    ran = do("letters", "acknowledge", one, "--withdraw", "--by", "Ben")
    assert (ran.code, ran.out) == (0, "1 dead letter no longer acknowledged; 1 is open.\n")
    assert do("letters", "acknowledge", one, "--withdraw").out.startswith("0 dead letters no longer acknowledged")
    assert list(listed(do, "letters", "--open")) == [one]
    kept = rows(
        database, "SELECT reason, withdrawn_by FROM isthmus.acknowledgement WHERE withdrawn_at IS NOT NULL ORDER BY id"
    )
    assert kept == [("nobody signs in with it", None), ("better", "Ben")]


REASONS = (
    'it\'s "quoted"; DROP TABLE isthmus.acknowledgement; -- %s %(run)s {0}',
    "two\nlines\r\nand\ta tab",
    "[bold red]markup[/] [link=x] <script>alert(1)</script> \\[",
    "\x1b[31mred\x1b[0m \u202e rtl é 漢",
)


def test_a_reason_may_say_anything_and_is_shown_on_one_line(do: Do, copy: Do) -> None:
    copy(DUMP)
    for one, reason in zip(sorted(listed(do, "letters")), REASONS, strict=True):
        assert do("letters", "acknowledge", one, "--reason", reason).code == 0
    assert [one["acknowledged"]["reason"] for _, one in sorted(listed(do, "letters").items())] == list(REASONS)
    text = do("letters", "list").out
    assert "\x1b" not in text
    assert "\u202e" not in text
    lines = [line for line in text.splitlines() if "acknowledged by" in line]
    for line, reason in zip(lines, REASONS, strict=True):
        assert all(word in line for word in reason.split() if word.isprintable())


REFUSED = (
    (("--all",), "no-reason", "needs a reason"),
    (("--all", "--reason", " \n\t"), "no-reason", "needs a reason"),
    (("--reason", "x"), "which-ones", "Give numbers"),
    (("1", "--all", "--reason", "x"), "which-ones", "not several"),
    (("--all", "--withdraw", "--reason", "x"), "which-ones", "--withdraw takes back"),
    (("1", "4711", "4712", "--reason", "x"), "no-letter", "numbers 4711, 4712;"),
    (("9223372036854775807", "--withdraw"), "no-letter", "9223372036854775807"),
    (("--collection", "thingz", "--reason", "x"), "no-letter", "things: required"),
    (("--collection", "things", "--code", "nul", "--reason", "x"), "no-letter", "things: type"),
)


def test_what_cannot_be_meant_is_refused_and_nothing_is_written(
    do: Do, copy: Do, database: str, tmp_path: Path
) -> None:
    copy(DUMP)
    for arguments, code, words in REFUSED:
        ran = do("letters", "acknowledge", *arguments, "--json", "said.json")
        assert (ran.code, f"({code})" in ran.err, words in ran.err) == (2, True, True), ran.all
        assert json.loads((tmp_path / "said.json").read_text())["outcome"] == "failed"
    assert rows(database, "SELECT FROM isthmus.acknowledgement") == []


def test_no_number_and_no_target_are_refused(do: Do, database: str) -> None:
    for number in ("0", "-1", "x", "9223372036854775808"):
        assert do("letters", "acknowledge", "--reason", "x", "--", number).code == 2
    ran = do("letters", "acknowledge", "1", "--reason", "x")
    assert (ran.code, "(no-run)" in ran.err) == (4, True)
    assert rows(database, "SELECT to_regclass('isthmus.run')") == [(None,)]


def test_a_word_holds_for_the_same_document_in_a_later_copy_and_falls_with_the_document_or_its_cause(
    do: Do, copy: Do, database: str
) -> None:
    copy(DUMP)
    assert said(do("letters", "acknowledge", "--all", "--reason", "ok", "--json", "-"))["newly"] == 4
    before = listed(do, "letters")
    changed = {
        PEOPLE: [DUMP[PEOPLE][0], {"_id": oid(2), "pin": 3}, DUMP[PEOPLE][2]],
        "things": [{"_id": oid(10), "n": 0}, *DUMP["things"]],  # in another place, and under another number
    }
    assert copy(changed, "--fresh").code == 1  # as without
    after = listed(do, "letters")
    assert not before.keys() & after.keys()
    assert {one["source_id"] for one in after.values() if one["acknowledged"] is None} == {str(oid(2))}
    assert [one["source_id"] for one in listed(do, "letters", "--open").values()] == [str(oid(2))]
    # the same document, and another reason why it cannot be carried
    other = MAPPING.replace("n: integer!", "n: boolean!")
    copy(changed, "--fresh", mapping=other)
    assert {one["source_id"] for one in listed(do, "letters", "--open").values()} == {str(oid(2))} | (
        {str(oid(10)), str(oid(13))}  # letters now, which they were not
    )
    other = MAPPING.replace("n: integer!", "m: {type: text, required: true}, n: integer")
    copy(changed, "--fresh", mapping=other)
    open_ones = {one["source_id"] for one in listed(do, "letters", "--open").values()}
    assert open_ones == {str(oid(n)) for n in (2, 10, 11, 12, 13)}
    copy(DUMP, "--fresh")
    assert listed(do, "letters", "--open") == {}  # all is as it was when it was looked at


def test_a_retry_carries_an_acknowledged_letter_and_leaves_the_others_acknowledged(
    do: Do, copy: Do, tmp_path: Path
) -> None:
    copy(DUMP)
    do("letters", "acknowledge", "--all", "--reason", "ok")
    (tmp_path / "mapping.yaml").write_text(
        MAPPING.replace("n: integer!", "n: {type: integer, required: true, default: 7}")
    )
    ran = do("letters", "retry", "mapping.yaml")
    assert "1 of 4 dead letters of run 1 carried, 3 left" in ran.out
    assert len(listed(do, "letters")) == 3
    assert listed(do, "letters", "--open") == {}


def test_letters_of_earlier_copies_of_other_collections_can_be_named(do: Do, copy: Do, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id uuid PRIMARY KEY, name text NOT NULL, pin integer)")
        connection.execute("CREATE TABLE things (id uuid PRIMARY KEY, n integer NOT NULL)")
    mapping = MAPPING.replace("isthmus: 1\n", "isthmus: 1\ntarget: {tables: existing}\nextras: dead_letter\n")
    copy(DUMP, "--only", PEOPLE, mapping=mapping)
    first = list(listed(do, "letters"))
    copy(DUMP, "--only", "things", mapping=mapping)
    assert set(first) < set(listed(do, "letters"))
    assert said(do("letters", "acknowledge", first[0], "--reason", "x", "--json", "-"))["open"] == 3
    assert said(do("letters", "acknowledge", "--collection", PEOPLE, "--reason", "x", "--json", "-"))["newly"] == 1
    assert said(do("letters", "acknowledge", "--all", "--reason", "x", "--json", "-"))["newly"] == 2
    copy(DUMP, "--only", PEOPLE, "--fresh", mapping=mapping)
    ran = do("letters", "acknowledge", first[0], "--reason", "x")
    assert (ran.code, "(no-letter)" in ran.err) == (2, True)  # that copy is forgotten


def test_no_sensitive_value_is_kept_or_shown(do: Do, copy: Do, database: str) -> None:
    copy(DUMP)
    ran = do("letters", "acknowledge", "--all", "--reason", "ok", "--json", "-")
    shown = [
        ran,
        do("letters", "list"),
        do("letters", "list", "--json", "-"),
        do("status", "--json", "-"),
        do("status"),
    ]
    assert all(HUSHED not in one.all for one in shown)
    ((kept,),) = rows(database, "SELECT string_agg(a::text, ' ') FROM isthmus.acknowledgement a")
    assert HUSHED not in kept
    assert HUSHED.encode().hex() not in kept


EXISTING = """\
isthmus: 1
target: {tables: existing}
extras: dead_letter
collections:
  people:
    match: [[name]]
    fields: {name: text, note: text, pin: {type: text, sensitive: true}}
"""
NOTED = [{"_id": oid(1), "name": "Ann", "note": "new", "pin": HUSHED}, {"_id": oid(2), "name": "Bob", "note": "his"}]


def test_conflicts_are_acknowledged_and_fall_when_either_side_says_something_else(
    do: Do, copy: Do, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE people (id text PRIMARY KEY, name text UNIQUE, note text, pin text, more text)"
        )
        connection.execute("INSERT INTO people VALUES ('a', 'Ann', 'old', 'their-1', ''), ('b', 'Bob', 'b', NULL, '')")
    mapping = EXISTING.replace("collections:\n", "ids: cuid2\ncollections:\n")
    assert copy({"people": NOTED}, mapping=mapping).code == 1
    assert [one["acknowledged"] for one in listed(do, "conflicts").values()] == [None, None]
    ann = number_of(do, "conflicts", row_id="a")
    assert do("conflicts", "acknowledge", ann, "--reason", "theirs [is] newer").out == (
        "1 conflict newly acknowledged; 1 is open.\n"
    )
    text = do("conflicts", "list").out
    assert "theirs [is] newer" in text
    assert str(ann) in text
    assert [one["row_id"] for one in listed(do, "conflicts", "--open").values()] == ["b"]
    assert said(do("conflicts", "acknowledge", "--table", "people", "--reason", "x", "--json", "-"))["newly"] == 1
    assert "No conflict is open; 2 are acknowledged." in do("conflicts", "list", "--open").out
    assert HUSHED not in do("conflicts", "list", "--json", "-").out
    ran = do("conflicts", "acknowledge", "--table", "nobody", "--reason", "x")
    assert (ran.code, "(no-conflict)" in ran.err, "people: people" in ran.err) == (2, True, True)

    def left(people: list[dict[str, Any]], change: str = "SELECT") -> set[str]:
        """Return the rows whose conflict is open after a copy of some documents, and of a change to the rows."""
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(change.encode())
        copy({"people": people}, "--fresh", mapping=mapping)
        found = listed(do, "conflicts").values()
        assert len(found) == 2
        return {one["row_id"] for one in found if one["acknowledged"] is None}

    assert left(NOTED, "UPDATE people SET more = 'x'") == set()  # a column that the mapping does not fill
    long = "n" * 300
    assert left([{**NOTED[0], "pin": "another"}, {**NOTED[1], "note": long}]) == {"a", "b"}  # one of them is hidden
    do("conflicts", "acknowledge", "--all", "--reason", "y")
    assert left([{**NOTED[0], "pin": "another"}, {**NOTED[1], "note": long}]) == set()
    assert left([{**NOTED[0], "pin": "another"}, {**NOTED[1], "note": f"{long}."}]) == {"b"}  # behind what is shown
    assert left(NOTED) == set()
    assert left(NOTED, "UPDATE people SET pin = 'their-2' WHERE id = 'a'") == {"a"}
    assert left(NOTED, "UPDATE people SET pin = 'their-1' WHERE id = 'a'") == set()


def test_what_a_joined_document_says_is_open_again_when_it_says_something_else(do: Do, copy: Do) -> None:
    mapping = """\
isthmus: 1
collections:
  people:
    on_duplicate: merge
    fields: {mail: {type: text!, unique: true}, name: text, pin: {type: text, sensitive: true}}
"""
    people = [
        {"_id": oid(1), "mail": "a", "name": "first", "pin": "1"},
        {"_id": oid(2), "mail": "a", "name": "second", "pin": HUSHED},
    ]
    copy({"people": people}, mapping=mapping)
    assert said(do("conflicts", "acknowledge", "--all", "--reason", "x", "--json", "-"))["newly"] == 1
    copy({"people": people}, "--fresh", mapping=mapping)
    assert listed(do, "conflicts", "--open") == {}
    copy({"people": [people[0], {**people[1], "pin": "another"}]}, "--fresh", mapping=mapping)
    assert len(listed(do, "conflicts", "--open")) == 1


def test_a_target_of_an_older_version_is_read_as_it_is_and_brought_up_to_date_by_the_first_word(
    do: Do, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        migrate(connection, state_migrations()[:14])
        connection.execute(
            "INSERT INTO isthmus.run (mapping_fingerprint, mapping_text, source, source_name, target_schema, tables,"
            " started_at, stage, lease_token, lease_holder, lease_at, isthmus_version) VALUES ('f', %s, '{}', 's',"
            " 'public', '{}', now(), 'copying', gen_random_uuid(), 'h', now(), '0')",
            (MAPPING,),
        )
        connection.execute(
            "INSERT INTO isthmus.partition (run_id, collection, number, start_position) VALUES (1, 'things', 0, '')"
        )
        connection.execute(
            "INSERT INTO isthmus.dead_letter (run_id, collection, location, stage, code, path, message, causes,"
            " document, document_digest)"
            " VALUES (1, 'things', 'l', 'load', 'c', 'p', 'm', '[{\"code\": \"c\"}]', '', '')"
        )
    assert len(listed(do, "letters", "--open")) == 1
    assert json.loads(do("status", "--json", "-").out)["acknowledged"] == []
    assert listed(do, "conflicts", "--open") == {}
    lease = Lease(database)
    lease.acquire()
    try:
        ran = do("letters", "acknowledge", "--all", "--reason", "x")
        assert (ran.code, "(lease-held)" in ran.err) == (4, True)
    finally:
        lease.release()
    assert do("letters", "acknowledge", "--all", "--reason", "x").code == 0
    assert rows(database, "SELECT max(version) FROM isthmus.migration") == [(state_migrations()[-1].version,)]
    lease.acquire()
    try:
        assert do("letters", "acknowledge", "--all", "--withdraw").code == 0  # while another isthmus is at work
    finally:
        lease.release()


def test_a_role_that_may_not_write_is_told_what_it_lacks(isthmus: RunCommand, do: Do, copy: Do, database: str) -> None:
    copy(DUMP)
    role = 're"ader é'
    with psycopg.connect(database, autocommit=True) as connection:
        migrate(connection)
        name = sql.Identifier(role)
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(name))
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA isthmus TO {}").format(name))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA isthmus TO {}").format(name))
    try:
        ran = isthmus("letters", "acknowledge", "--all", "--reason", "x", "-t", make_conninfo(database, user=role))
        assert (ran.code, "(no-right)" in ran.err) == (4, True), ran.all
        assert "GRANT SELECT, INSERT, UPDATE ON isthmus.acknowledgement" in ran.err
        assert len(listed(do, "letters", "--open")) == 4
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))
