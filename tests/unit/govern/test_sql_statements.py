"""SQL is cut where PostgreSQL would end a statement, and nowhere else."""

from __future__ import annotations

import pytest

from isthmus.govern.sql.statements import SqlFault, split

CASES: dict[str, tuple[str, list[str]]] = {
    "none": ("", []),
    "comments alone": ("-- a;\n/* b; /* c; */ */", []),
    "one without a semicolon": ("SELECT 1", ["SELECT 1"]),
    "two": ("SELECT 1;\nSELECT 2;", ["SELECT 1", "SELECT 2"]),
    "empty ones": (";;SELECT 1;;", ["SELECT 1"]),
    "quote": ("SELECT ';', 'it''s;';SELECT 2", ["SELECT ';', 'it''s;'", "SELECT 2"]),
    "backslash in a plain quote": ("SELECT '\\';SELECT 2", ["SELECT '\\'", "SELECT 2"]),
    "backslash in an escaped quote": ("SELECT E'\\';';SELECT 2", ["SELECT E'\\';'", "SELECT 2"]),
    "unicode quotes": ("SELECT U&'\\0041;', U&\"x;\";SELECT 2", ["SELECT U&'\\0041;', U&\"x;\"", "SELECT 2"]),
    "name": ('SELECT ";""";SELECT 2', ['SELECT ";"""', "SELECT 2"]),
    "dollar": ("DO $$ BEGIN x; END $$;SELECT 2", ["DO $$ BEGIN x; END $$", "SELECT 2"]),
    "dollar with a tag": ("DO $a$ ; $$ ; $b$ $a$;SELECT 2", ["DO $a$ ; $$ ; $b$ $a$", "SELECT 2"]),
    "dollar in a name": ("SELECT a$b$c; SELECT 2", ["SELECT a$b$c", "SELECT 2"]),
    "parameter": ("SELECT $1; SELECT $2", ["SELECT $1", "SELECT $2"]),
    "rule": ("CREATE RULE r AS ON x DO (a; b);SELECT 2", ["CREATE RULE r AS ON x DO (a; b)", "SELECT 2"]),
    "body": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
        ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", "SELECT 3"],
    ),
    "replaced body": (
        "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1; END;SELECT 2",
        ["CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1; END", "SELECT 2"],
    ),
    "transaction": ("BEGIN; SELECT 1; END;", ["BEGIN", "SELECT 1", "END"]),
    "comment inside": ("SELECT /* ; */ 1 -- ;\n;SELECT 2", ["SELECT /* ; */ 1 -- ;", "SELECT 2"]),
    "byte order mark": ("\ufeffSELECT 1;", ["SELECT 1"]),
}


@pytest.mark.parametrize("case", CASES)
def test_statements(case: str) -> None:
    sql, expected = CASES[case]
    assert [one.text for one in split(sql)] == expected


def test_lines_and_first_words() -> None:
    first, second = split("-- x\n\n  create /* y */ Unique index\n concurrently i on t (a);\n\n-- z\nVACUUM")
    assert (first.line, second.line) == (3, 7)
    assert first.begins("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY")
    assert not first.begins("CREATE", "INDEX")


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SELECT 1;\nSELECT 'x", 2),
        ('\nSELECT "x', 2),
        ("SELECT E'x\\'", 1),
        ("DO $$ x", 1),
        ("/* a /* b */", 1),
        ("SELECT 1;\nCREATE FUNCTION f() BEGIN ATOMIC SELECT 1;", 2),
    ],
)
def test_what_is_not_closed_is_named(sql: str, line: int) -> None:
    with pytest.raises(SqlFault) as caught:
        split(sql)
    assert caught.value.line == line
