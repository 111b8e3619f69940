"""The layer rules: every value that is not as the mapping states is named, with its row, and no other is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from isthmus.mapping import parse_mapping
from isthmus.verify.result import LayerResult
from isthmus.verify.rules import check
from tests.integration.verify.made import Made, found, only
from tests.integration.verify.shop import oid

S = '"Shop ""ü"""'


def rules_of(made: Made) -> LayerResult:
    with made.subject() as subject:
        return check(subject)


def test_undamaged(shop_twin: Made) -> None:
    result = rules_of(shop_twin)
    assert found(result) == []
    checks = {(one.table, one.column): one for one in result.columns}
    assert checks["users", "email"].compared == 8
    assert "states nothing" in checks["users", "name"].why
    assert checks["order_lines", "position (order)"].compared == 4
    assert any("e-mail" in note for note in result.notes)


DAMAGES = {
    # what is done; table, column and condition of the row; what is not met
    "required": (
        f"ALTER TABLE {S}.orders ALTER number DROP NOT NULL; UPDATE {S}.orders SET number = NULL WHERE number = 1",
        ("orders", "number", "number IS NULL"),
        "required",
    ),
    "required behind the catalog's back": (
        (
            "UPDATE pg_attribute SET attnotnull = false"
            f" WHERE attname = 'number' AND attrelid = '{S}.orders'::regclass;"
            f" ALTER TABLE {S}.orders DROP CONSTRAINT IF EXISTS orders_number_not_null;"
            f" UPDATE {S}.orders SET number = NULL WHERE number = 1;"
            " UPDATE pg_attribute SET attnotnull = true"
            f" WHERE attname = 'number' AND attrelid = '{S}.orders'::regclass"
        ),
        ("orders", "number", "num_nulls(number) = 1"),
        "required",
    ),
    "required in a child": (
        f"ALTER TABLE {S}.order_lines ALTER sku DROP NOT NULL; UPDATE {S}.order_lines SET sku = NULL WHERE sku = 'a'",
        ("order_lines", "sku", "sku IS NULL"),
        "required",
    ),
    "enum": (
        f"ALTER TYPE {S}.order_state ADD VALUE 'LOST'; UPDATE {S}.orders SET state = 'LOST' WHERE number = 1",
        ("orders", "state", "number = 1"),
        "enum",
    ),
    "length": (
        (
            f"ALTER TABLE {S}.users ALTER email TYPE text;"
            f" UPDATE {S}.users SET email = repeat('é', 41) WHERE name = 'User 1'"
        ),
        ("users", "email", "name = 'User 1'"),
        "length",
    ),
    "digits behind the point": (
        f"ALTER TABLE {S}.orders ALTER total TYPE numeric; UPDATE {S}.orders SET total = 1.005 WHERE number = 1",
        ("orders", "total", "number = 1"),
        "precision",
    ),
    "digits before the point": (
        f"ALTER TABLE {S}.orders ALTER total TYPE numeric; UPDATE {S}.orders SET total = -100000000 WHERE number = 1",
        ("orders", "total", "number = 1"),
        "precision",
    ),
    "infinity": (
        f"ALTER TABLE {S}.orders ALTER total TYPE numeric; UPDATE {S}.orders SET total = 'Infinity' WHERE number = 1",
        ("orders", "total", "number = 1"),
        "precision",
    ),
    "constant": (f"UPDATE {S}.orders SET year = 2025 WHERE number = 1", ("orders", "year", "number = 1"), "constant"),
    "trailing space": (
        f"UPDATE {S}.users SET email = email || ' ' WHERE name = 'User 1'",
        ("users", "email", "name = 'User 1'"),
        "trim",
    ),
    "leading no-break space": (
        f"UPDATE {S}.users SET email = E'\\u00a0' || email WHERE name = 'User 1'",
        ("users", "email", "name = 'User 1'"),
        "trim",
    ),
    "capital": (
        f"UPDATE {S}.users SET email = 'User1@x.org' WHERE name = 'User 1'",
        ("users", "email", "name = 'User 1'"),
        "lower",
    ),
    "capital beyond ASCII": (
        f"UPDATE {S}.users SET email = 'İser1@x.org' WHERE name = 'User 1'",
        ("users", "email", "name = 'User 1'"),
        "lower",
    ),
    "replaced value": (
        f"UPDATE {S}.orders SET mood = ':-)' WHERE number = 2",
        ("orders", "mood", "number = 2"),
        "values",
    ),
    "value that is none of them": (
        f"UPDATE {S}.orders SET size = 's' WHERE number = 2",
        ("orders", "size", "number = 2"),
        "values",
    ),
    "label twice": (
        f"UPDATE {S}.users SET kinds = kinds || '{{supplier}}' WHERE name = 'User 1'",
        ("users", "kinds", "name = 'User 1'"),
        "flags",
    ),
    "labels in another order": (
        f"UPDATE {S}.users SET kinds = '{{supplier,customer}}' WHERE name = 'User 1'",
        ("users", "kinds", "name = 'User 1'"),
        "flags",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_value_that_breaks_a_rule_is_named(shop_twin: Made, damage: str) -> None:
    statements, (table, column, where), what = DAMAGES[damage]
    shop_twin.do(*statements.split(";"))
    key = "concat_ws('/', orders_id, position)" if table == "order_lines" else "id::text"
    one = only(rules_of(shop_twin))
    assert (one.layer, one.table, one.path) == ("rules", table, column)
    assert one.id == shop_twin.one(f"SELECT {key} FROM {S}.{table} WHERE {where}")
    assert one.message.endswith(f"states: {what}.")


def test_sensitive_value_is_hidden(shop_twin: Made) -> None:
    shop_twin.do(f"UPDATE {S}.users SET secret = 'PASS' WHERE name = 'User 1'")
    assert only(rules_of(shop_twin)).actual == "(hidden)"
    shop_twin.do(f"UPDATE {S}.users SET secret = 'Ä' WHERE name = 'User 1'")
    one = only(rules_of(shop_twin))
    assert (one.path, one.actual) == ("secret", "(hidden)")


def test_some_columns_of_one_array_of_labels(shop_twin: Made) -> None:
    shop_twin.do(f"UPDATE {S}.users SET is_admin = true WHERE name = 'User 3'")
    one = only(rules_of(shop_twin))
    assert (one.table, one.path) == ("users", "is_admin, is_editor")
    assert one.id == str(shop_twin.one(f"SELECT id FROM {S}.users WHERE name = 'User 3'"))


UNIQUES = {
    "unique": ("users_email_key", "users", "email", "UPDATE {S}.users SET email = 'one@x' WHERE name <= 'User 2'"),
    "several columns": (
        "orders_number_year_key",
        "orders",
        "number, year",
        "UPDATE {S}.orders SET number = 7, year = 2023 WHERE number <= 2",
    ),
    "partial": (None, "orders", "number", "UPDATE {S}.orders SET state = 'OPEN', number = 9 WHERE number IN (3, 4)"),
    "key": ("countries_pkey", "countries", "code", "UPDATE {S}.countries SET code = 'de'"),
}


@pytest.mark.parametrize("case", UNIQUES)
def test_value_that_several_rows_have_behind_a_broken_index(shop_twin: Made, case: str) -> None:
    name, table, path, statement = UNIQUES[case]
    if name is None:
        name = shop_twin.one("SELECT indexname FROM pg_indexes WHERE indexdef ~ 'UNIQUE' AND indexdef ~ '2024'")
        # the other key of the same column would be in the way
        shop_twin.do(f"DROP INDEX {S}.orders_number_year_key")
        statement = statement.replace("number = 9", "number = 9, year = 2024")
    switch = "UPDATE pg_index SET indisready = {0}, indisvalid = {0} WHERE indexrelid = '" + S + ".{1}'::regclass"
    shop_twin.do(
        switch.format("false", name),
        f"SET session_replication_role = replica; {statement.format(S=S)}",
        switch.format("true", name),
    )
    differences = [one for one in rules_of(shop_twin).differences if one.path == path]
    assert [one.table for one in differences] == [table]
    assert (differences[0].actual or "").startswith("2 rows")


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        (f"DELETE FROM {S}.order_lines WHERE sku = 'b'", 1),
        (f"UPDATE {S}.order_lines SET position = 3 WHERE sku = 'c'", 1),
        (f"UPDATE {S}.order_lines SET position = -1 WHERE sku = 'd'", 1),
        (f"DELETE FROM {S}.line_parts WHERE name = 'x'", 1),
        (f"DELETE FROM {S}.order_lines WHERE sku = 'c'", 0),  # what is missing at the end is for the counts
    ],
)
def test_gap_among_positions(shop_twin: Made, statement: str, count: int) -> None:
    shop_twin.do(f"SET session_replication_role = replica; {statement}")
    result = rules_of(shop_twin)
    assert [one.path for one in result.differences] == ["position"] * count


def test_column_that_is_gone(shop_twin: Made) -> None:
    shop_twin.do(f"ALTER TABLE {S}.orders DROP COLUMN total", f"UPDATE {S}.orders SET size = 's' WHERE number = 2")
    assert {(one.table, one.path) for one in rules_of(shop_twin).differences} == {
        ("orders", "total"),
        ("orders", "size"),
    }


OTHER_TYPES = """
isthmus: 1
enums: {size: [small, large]}
collections:
  a:
    fields:
      _id: {column: id}
      at: timestamp(3)
      exact: {type: timestamptz, default: now}
      sizes: {type: "size[]", values: {s: small, l: large, "*": small}}
      active: {type: boolean, values: {Active: true, Inactive: false}}
      level: {type: integer, values: {1: 10, 2: 20, "*": 0}, default: 5}
      words: {type: "text[]", normalise: [trim, lower]}
      channel: {flags: {byMail: mail, byPhone: phone}, type: text, default: none}
      prices: "numeric(5,1)[]"
      codes: "varchar(3)[]"
      word: {type: text, normalise: lower, values: {x: LOUD}, default: Default}
    constants:
      since: {type: date, value: "2024-05-06"}
      ratio: {type: double, value: 0.5}
      on: {type: boolean, value: true}
"""
DOCUMENTS = [
    {
        "_id": oid(1),
        "sizes": ["s", "q"],
        "active": "Active",
        "level": 2,
        "words": [" Ä ", "b"],
        "byMail": True,
        "word": "X",
    },
    {"_id": oid(2), "level": 77, "byPhone": False, "codes": ["abc"], "word": "ß"},
    {"_id": oid(3)},
]


def test_other_types_pass_and_fail(make_here: Callable[..., Made]) -> None:
    made = make_here(OTHER_TYPES, {"a": DOCUMENTS})
    assert made.one("SELECT count(*) FROM a") == 3
    assert found(rules_of(made)) == []
    made.do(
        "ALTER TABLE a ALTER at TYPE timestamp, ALTER prices TYPE numeric[], ALTER codes TYPE text[]",
        "UPDATE a SET at = '2024-01-01 00:00:00.0001', level = 7, words = '{ok,Ä}', channel = 'post',"
        " prices = '{1,1.55}', codes = '{abcd}', since = '2024-05-07', ratio = 0.25, \"on\" = false, word = 'QUIET'"
        " WHERE level = 20",
        "UPDATE a SET channel = 'mail', word = 'LOUD' WHERE level = 0",
    )
    result = rules_of(made)
    assert {one.path for one in result.differences} == {
        "at",
        "level",
        "words",
        "channel",
        "prices",
        "codes",
        "since",
        "ratio",
        "on",
        "word",
    }
    assert result.found == 10


def test_rules_of_a_mapping_that_letters_were_tried_with_again_count_too(make_here: Callable[..., Made]) -> None:
    made = make_here(
        "isthmus: 1\ncollections: {a: {fields: {t: {type: text, values: {s: small, '*': other}}}}}\n",
        {"a": [{"_id": oid(1), "t": "s"}]},
    )
    assert rules_of(made).passed
    text = "isthmus: 1\ncollections: {a: {fields: {t: {type: text, values: {s: small, m: middle, '*': other}}}}}\n"
    made.do("UPDATE a SET t = 'middle'")
    assert only(rules_of(made)).path == "t"
    fingerprint = parse_mapping(text).fingerprint
    made.do(
        f"UPDATE isthmus.run SET retries = jsonb_build_array(jsonb_build_object('fingerprint', '{fingerprint}',"
        f" 'mapping_text', $t${text}$t$))"
    )
    assert rules_of(made).passed


EXISTING = """
isthmus: 1
target: {tables: existing, schema: app}
collections:
  users: {fields: {email: {type: text!, normalise: lower, unique: true}, age: smallint}}
"""


def test_rows_that_were_there_before_are_told_apart(make_here: Callable[..., Made]) -> None:
    made = make_here(
        EXISTING,
        {"users": [{"_id": oid(1), "email": "new", "age": 3}, {"_id": 2, "email": "Other"}]},
        before="CREATE SCHEMA app; CREATE TABLE app.users (id uuid PRIMARY KEY, email text, age bigint);"
        " INSERT INTO app.users VALUES (gen_random_uuid(), 'OLD', 99999999), (gen_random_uuid(), NULL, 1),"
        " (gen_random_uuid(), 'twice', 1), (gen_random_uuid(), 'twice', 1)",
    )
    result = rules_of(made)
    assert found(result) == []
    left = {one.column: one.left_out for one in result.columns if "before the copy" in one.why}
    assert left == {"email (required)": 1, "email (lower)": 1, "age (range)": 1, "email (unique)": 2}
    made.do("UPDATE app.users SET email = upper(email), age = 70000 WHERE email IN ('new', 'other')")
    rows = {str(one) for (one,) in made.rows("SELECT id FROM app.users WHERE age = 70000")}
    result = rules_of(made)
    assert len(rows) == 2
    assert {(one.id, one.path) for one in result.differences} == {(row, c) for row in rows for c in ("email", "age")}


def test_row_of_a_document_with_the_unique_value_of_somebody_elses_is_named(make_here: Callable[..., Made]) -> None:
    before = "CREATE SCHEMA app; CREATE TABLE app.users (id uuid PRIMARY KEY, email text, age bigint)"
    made = make_here(EXISTING, {"users": [{"_id": oid(1), "email": "new", "age": 3}]}, before=before)
    own = made.one("SELECT id::text FROM app.users")
    for stranger in ("00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"):
        made.do(f"INSERT INTO app.users VALUES ('{stranger}', 'new', 1)")
        result = rules_of(made)
        assert [(one.id, one.path) for one in result.differences] == [(own, "email")]
        made.do(f"DELETE FROM app.users WHERE id = '{stranger}'")


MATCHED = EXISTING.replace("users: {", "users: {match: [[age]], on_conflict: overwrite, ")


def test_matched_rows_that_hold_what_their_documents_say_are_held_to_the_rules(make_here: Callable[..., Made]) -> None:
    made = make_here(
        MATCHED,
        {"users": [{"_id": oid(n), "email": f"u{n}", "age": n} for n in (1, 2, 3)]},
        before="CREATE SCHEMA app; CREATE TABLE app.users (id uuid PRIMARY KEY, email text, age bigint);"
        " INSERT INTO app.users VALUES (gen_random_uuid(), 'OLD', 1), (gen_random_uuid(), 'u2', 2),"
        " (gen_random_uuid(), 'STRANGER', 9)",
    )
    assert made.one("SELECT count(*) FROM isthmus.id_map WHERE origin = 'matched'") == 2
    assert found(rules_of(made)) == []
    made.do("UPDATE app.users SET email = upper(email)")
    rows = {str(one) for (one,) in made.rows("SELECT id FROM app.users WHERE age < 9")}
    assert {(one.id, one.path) for one in rules_of(made).differences} == {(row, "email") for row in rows}


def test_matched_rows_that_the_policy_kept_are_not(make_here: Callable[..., Made]) -> None:
    made = make_here(
        MATCHED.replace("overwrite", "keep_target"),
        {"users": [{"_id": oid(n), "email": f"u{n}", "age": n} for n in (1, 2)]},
        before="CREATE SCHEMA app; CREATE TABLE app.users (id uuid PRIMARY KEY, email text, age bigint);"
        " INSERT INTO app.users VALUES (gen_random_uuid(), 'OLD', 1), (gen_random_uuid(), 'u2', 2)",
    )
    result = rules_of(made)
    assert found(result) == []
    assert {one.column: one.left_out for one in result.columns if "before the copy" in one.why} == {"email (lower)": 1}
    made.do("UPDATE app.users SET email = upper(email)")
    same = str(made.one("SELECT id FROM app.users WHERE age = 2"))
    assert {(one.id, one.path) for one in rules_of(made).differences} == {(same, "email")}
