"""The next migration: its name comes after all others, its header is one that `schema check` reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from isthmus.errors import ConfigError
from isthmus.govern.migrations.header import read_header
from isthmus.govern.migrations.names import Name, parse_name
from isthmus.govern.settings import Layout
from isthmus.govern.writing.draft import draft, next_name, ticket_of, with_entry, words_of

NOW = datetime(2026, 3, 4, 5, 6, 7)  # noqa: DTZ001  UTC without zone, as names are


def names(*texts: str, layout: Layout = "folders") -> list[Name]:
    return [one for text in texts if (one := parse_name(text, layout)) is not None]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("add users", "add_users"),
        ("Add User's E-Mail", "add_users_e_mail"),
        ("  Größe & Maß ", "grosse_mass"),
        ("add__x_", "add_x"),
        ("a1 2b", "a1_2b"),
    ],
)
def test_words(said: str, words: str) -> None:
    assert words_of(said) == words


@pytest.mark.parametrize("said", ["", "!!", "1st", "表"])
def test_nothing_to_make_a_name_of(said: str) -> None:
    with pytest.raises(ConfigError, match="No name"):
        words_of(said)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ((), "20260304050607_x"),
        (("20250101000000_a",), "20260304050607_x"),
        (("20260304050607_a",), "20260304050608_x"),
        (("20270101235959_a",), "20270102000000_x"),
        (("20260231000000_a",), "20260304050607_x"),
    ],
)
def test_next_by_time(known: tuple[str, ...], name: str) -> None:
    assert next_name("x", names(*known), "folders", NOW) == name


def test_next_by_number() -> None:
    assert next_name("x", [], "flat", NOW) == "0000_x"
    assert next_name("x", names("0002_b", "0010_a", layout="flat"), "flat", NOW) == "0011_x"
    with pytest.raises(ConfigError, match="last number"):
        next_name("x", names("9999_a", layout="flat"), "flat", NOW)
    with pytest.raises(ConfigError, match="too long"):
        next_name("x" * 250, [], "flat", NOW)


def test_header_is_read_again() -> None:
    made = draft(
        "0001_x",
        purpose="why",
        ticket="A-1",
        statements=["CREATE TABLE x (\n  id int\n)", "CREATE INDEX i ON x (id);"],
        rollback=["DROP INDEX i", "DROP TABLE\n  x;"],
        reversible="Yes",
        transaction=False,
    )
    header = read_header(made.text)
    assert {name: one.value for name, one in header.fields.items()} == {
        "Migration": "0001_x",
        "Purpose": "why",
        "Ticket": "A-1",
        "Reversible": "Yes",
        "Rollback": "DROP INDEX i;\nDROP TABLE\nx;",
        "Transaction": "none",
    }
    assert made.text.endswith("\n\nCREATE TABLE x (\n  id int\n);\n\nCREATE INDEX i ON x (id);\n")
    assert not header.misspelt


def test_without_a_way_back() -> None:
    header = read_header(draft("0001_x").text)
    assert (header.value("Reversible"), header.value("Rollback")) == ("No", None)


@pytest.mark.parametrize(
    ("branch", "ticket"),
    [
        ("feature/PANA-12-users", "PANA-12"),
        ("pana-12", "PANA-12"),
        ("main", None),
        ("PANAMA", None),
    ],
)
def test_ticket_of_a_branch(branch: str, ticket: str | None) -> None:
    assert ticket_of(branch, r"PANA-[0-9]+|N/A") == ticket


def test_entry_of_a_journal() -> None:
    entry: dict[str, Any] = {"idx": 0, "version": "7", "when": 5, "tag": "a", "breakpoints": False}
    before = {"version": "7", "dialect": "postgresql", "entries": [entry]}
    found = json.loads(with_entry(json.dumps(before), "0001_x", NOW))
    assert found["entries"][1] == {
        "idx": 1,
        "version": "7",
        "when": 1772600767000,
        "tag": "0001_x",
        "breakpoints": False,
    }
    entry["when"] = 9999999999999
    assert json.loads(with_entry(json.dumps(before), "x", NOW))["entries"][1]["when"] == 10000000000000
    assert json.loads(with_entry('{"version": "7", "entries": []}', "x", NOW))["entries"][0]["idx"] == 0
    with pytest.raises(ConfigError, match="cannot be added to"):
        with_entry("{}", "x", NOW)


@pytest.mark.parametrize(
    ("rollback", "apart"),
    [
        ("ALTER TABLE t ALTER c SET DEFAULT 'a\u2028  b'", True),
        ("ALTER TABLE t ALTER c SET DEFAULT 'a\x0cb'", True),
        ("ALTER TABLE t ALTER c SET DEFAULT 'a\n   b'", True),
        ('ALTER TABLE "odd\n  one" DROP c', True),
        ("DO $_1$\n  BEGIN\n  END$_1$", True),
        ("ALTER TABLE t ALTER c SET DEFAULT 'a'", False),
        ("ALTER TABLE t\n  ALTER c\n  SET DEFAULT 'a  b'", False),
    ],
)
def test_a_rollback_that_a_header_would_change_stands_in_its_own_file(rollback: str, *, apart: bool) -> None:
    made = draft("0001_x", rollback=[rollback], reversible="Yes")
    assert (made.rollback is not None) == apart
    if made.rollback is not None:
        assert made.rollback == f"{rollback};\n"
        assert read_header(made.text).value("Rollback") is None
