"""Passwords appear in no output, sensitive fields in none but those that ask for them.

Oracle: a word that stands in nothing else, searched in everything that a command printed and that state keeps as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bson
import psycopg
import pytest

from tests.fix_dumps import MakeDump
from tests.fix_postgres import free_port, password_url
from tests.integration.cli.conftest import RunCommand

CANARY = "kanarienvogel"
PASSWORD = "Pa55/w@rd:kanarien%vogel"  # noqa: S105  made for these tests
QUOTED = "Pa55%2Fw%40rd%3Akanarien%25vogel"
PIECES = ("Pa55", "kanarien", "vogel")

MAPPING = """
isthmus: 1
policies: {nul: remove}
collections:
  Users:
    fields:
      name: text!
      password: {type: text, sensitive: true}
      pin: {type: integer, sensitive: true}
      token: {type: "varchar(40)", sensitive: true, unique: true}
      profile: {type: jsonb, sensitive: true}
      phones: {child: user_phones, fields: {label: text!, number: {type: "varchar(4)", sensitive: true}}}
      boss: {references: Users, on_orphan: dead_letter, sensitive: true}
"""


def users() -> list[bytes]:
    """Return documents that hold the word in sensitive fields only, refused for them or for others."""
    long = CANARY * 500
    documents: list[dict[str, object]] = [
        {"_id": 1, "name": "good", "password": CANARY, "token": CANARY, "profile": {"x": CANARY}},
        {"_id": 2, "name": None, "password": CANARY},
        {"_id": 3, "name": "n", "pin": CANARY},
        {"_id": 4, "name": "n", "token": CANARY * 4},
        {"_id": 5, "name": "n", "profile": {"x": CANARY, "y": float("nan")}},
        {"_id": 6, "name": "n", "phones": [{"label": "a", "number": CANARY}, {"number": CANARY}]},
        {"_id": 7, "name": "n", "password": f"{CANARY}\0{CANARY}", "profile": [f"{CANARY}\0"]},
        {"_id": 8, "name": "n", "token": CANARY},
        {"_id": 9, "name": "n", "boss": CANARY},
        {"_id": 10, "name": "n", "password": {"a": CANARY}},
        {"_id": 11, "name": "n", "password": long},
    ]
    return [bson.encode(document) for document in documents]


def test_sensitive_fields_are_shown_nowhere_unless_asked_for(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    broken = bson.encode({"_id": 12, "name": "n", "password": CANARY})
    broken = broken.replace(b"\x02name\0\x02\0\0\0", b"\x02name\0\x63\0\0\0")
    dump = make_dump({"Users": [*users(), broken]})
    report = tmp_path / "report.json"
    ran = isthmus("copy", write_mapping(MAPPING), "-s", dump, "-t", database, "--json", report)
    assert ran.code == 1, ran.all
    shown = [ran.all, report.read_text()]
    target = ("-t", database)
    listed = json.loads(isthmus("letters", "list", *target, "--json", "-").out)
    codes = {letter["source_id"]: letter["code"] for letter in listed["letters"]}
    assert len(codes) == 9, codes
    commands = [
        ("letters", "list", *target),
        ("letters", "list", *target, "--json", "-"),
        ("letters", "export", *target),
        ("orphans", "list", *target),
        ("orphans", "list", *target, "--json", "-"),
        ("status", *target),
        ("status", *target, "--json", "-"),
        *(("letters", "show", letter["id"], *target, "--json", "all.json") for letter in listed["letters"][::4]),
    ]
    for command in commands:
        shown.append(isthmus(*command).all)
        shown[-1] += "".join(path.read_text() for path in (tmp_path / "work").glob("*.json"))
        assert CANARY not in shown[-1], (command, shown[-1])
    assert all(CANARY not in text for text in shown)
    with psycopg.connect(database) as connection:
        for query in (
            "SELECT code, path, message, causes::text, location FROM isthmus.dead_letter",
            "SELECT original, column_name FROM isthmus.adjustment",
            "SELECT balance::text, source::text FROM isthmus.run",
            "SELECT name FROM isthmus.tally",
            "SELECT counts::text FROM isthmus.partition",
        ):
            assert CANARY not in str(connection.execute(query.encode()).fetchall()), query
    refused = next(letter["id"] for letter in listed["letters"] if letter["code"] == "required")
    assert CANARY in isthmus("orphans", "list", *target, "--show-sensitive").out
    assert CANARY in isthmus("letters", "show", refused, *target, "--show-sensitive").out
    exported = isthmus("letters", "export", *target, "--show-sensitive").out
    assert exported.count(CANARY) >= 8


ADDRESSES: dict[str, tuple[str, int]] = {
    "unreachable": (f"postgresql://someone:{QUOTED}@127.0.0.1:1/db", 4),
    "unknown-host": (f"postgresql://someone:{QUOTED}@no-such-host.invalid/db", 4),
    "key-value": (f"host=127.0.0.1 port=1 user=someone password='{PASSWORD}' dbname=db", 4),
    "not-encoded": (f"postgresql://someone:{PASSWORD}@127.0.0.1:1/db", 2),
    "other-scheme": (f"mysql://someone:{QUOTED}@127.0.0.1/db", 2),
    "sqlalchemy": (f"postgresql+psycopg://someone:{QUOTED}@127.0.0.1/db", 2),
    "mongodb": (f"mongodb://someone:{QUOTED}@127.0.0.1/db", 2),
    "as-parameter": (f"postgresql://127.0.0.1:1/db?user=someone&password={QUOTED}", 4),
    "unknown-parameter": (f"postgresql://someone:{QUOTED}@127.0.0.1:1/db?nonsense=1", 2),
    "no-scheme": (f"someone:{PASSWORD}@127.0.0.1/db", 2),
    "half-a-scheme": (f"postgres:someone:{PASSWORD}@127.0.0.1/db", 2),
    "bad-port": (f"postgresql://someone:{QUOTED}@127.0.0.1:port/db", 2),
}


@pytest.mark.parametrize(("address", "code"), ADDRESSES.values(), ids=ADDRESSES.keys())
def test_password_of_an_address_that_fails_is_in_no_output(
    isthmus: RunCommand,
    write_mapping: Callable[[str], Path],
    make_dump: MakeDump,
    tmp_path: Path,
    address: str,
    code: int,
) -> None:
    mapping = write_mapping("isthmus: 1\ncollections: {A: {fields: {}}}\n")
    dump = make_dump({"A": [{"_id": 1}]})
    copied = isthmus("copy", mapping, "-s", dump, "-t", address, "--json", "-")
    asked = isthmus("status", env={"DATABASE_URL": address, "ISTHMUS_DEBUG": "1"})
    for ran in (copied, asked):
        assert ran.code == code, ran.all
        for piece in PIECES:
            assert piece not in ran.all, ran.all
    refused = json.loads(copied.out)
    assert (refused["outcome"], refused["exit_code"]) == ("failed", code)
    assert asked.out == ""


def test_password_of_a_source_address_is_in_no_output(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str
) -> None:
    mapping = write_mapping("isthmus: 1\ncollections: {A: {fields: {}}}\n")
    for source in (
        f"mongodb://someone:{QUOTED}@127.0.0.1:1/db?serverSelectionTimeoutMS=500",
        f"mongodb+srv://someone:{PASSWORD}@host/db",
    ):
        ran = isthmus("copy", mapping, "-t", database, env={"MONGODB_URI": source, "ISTHMUS_RETRY_SECONDS": "1"})
        assert ran.code in {2, 3}, ran.all
        assert not any(piece in ran.all for piece in PIECES), ran.all


def test_wrong_and_right_password_of_a_real_server_are_in_no_output(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    mapping = write_mapping(MAPPING)
    dump = make_dump({"Users": users()})
    good = password_url(database, PASSWORD)
    wrong = good.replace(QUOTED, QUOTED + "x")
    assert wrong != good
    ran = isthmus("copy", mapping, "-s", dump, "-t", wrong)
    assert ran.code == 4, ran.all
    assert "password authentication failed" in ran.err
    assert not any(piece in ran.all for piece in PIECES), ran.all
    other_port = good.replace(good.rpartition(":")[2].partition("/")[0], str(free_port()))
    assert not any(piece in isthmus("status", "-t", other_port).all for piece in PIECES)
    report = tmp_path / "report.json"
    ran = isthmus("copy", mapping, "-s", dump, "-t", good, "--json", report)
    assert ran.code == 1, ran.all
    texts = [ran.all, report.read_text()]
    texts += [isthmus(*command, "-t", good).all for command in (("status",), ("letters", "list"), ("orphans", "list"))]
    assert not any(piece in text for piece in PIECES for text in texts)
    with psycopg.connect(database) as connection:
        assert "Pa55" not in str(connection.execute("SELECT * FROM isthmus.run").fetchall())
