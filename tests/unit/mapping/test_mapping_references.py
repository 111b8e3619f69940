"""References in all their forms: by id, by another field, as arrays, routed, to entries without id; what waits."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from isthmus.mapping import ddl, parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import Pointer, point
from isthmus.mapping.tables import PendingTable, Reference, build_schema, pending_tables

SHOP = """
isthmus: 1
collections:
  accounts:
    from: crm_accounts
    fields:
      account_id: {type: integer!, unique: true}
      slug: {type: text, coerce: true, normalise: lower, values: {old: new}}
    indexes: [{columns: [slug], unique: true}]
  fs.files: {ids: cuid2, fields: {name: {type: text, unique: true}}}
  merged: {from: [m1, m2], fields: {_id: {column: merged_id}}}
  countries: {key: code, fields: {code: text!}}
  customers:
    fields:
      account: {references: accounts.account_id, required: true, on_orphan: dead_letter}
      accountNumber: {references: crm_accounts.account_id, type: integer, index: true}
      slug: {references: accounts.slug, type: text, normalise: trim}
      file: {references: fs.files}
      fileName: {references: fs.files.name}
      friends: {references: customers, type: "uuid[]", on_orphan: drop, index: true}
      accounts: {references: accounts.account_id, type: "uuid[]"}
      accountNumbers: {references: accounts.account_id, type: "integer[]"}
      country: {references: countries}
      countryCode: {references: countries.code}
      m: {references: m1}
      ms: {references: merged._id}
      owner: {route: {accounts: owner_account, customers: {column: owner_customer, index: true}}, required: true}
      orders: {child: orders, fields: {lines: {child: lines, fields: {account: {references: accounts.slug}}}}}
      pairs: {junction: customers_accounts}
      places: {junction: customers_countries}
junctions:
  customers_accounts: {customer_id: customers, account_id: accounts.account_id}
  customers_countries: {customer_id: customers, country: countries.code}
"""


def reference_of(column: str, table: str = "customers") -> tuple[str, Reference]:
    found = build_schema(parse_mapping(SHOP)).tables[table].column(column)
    assert found.reference is not None
    return str(found.type), found.reference


def shape_of() -> dict[str, Any]:
    return json.loads(compile_plans(parse_mapping(SHOP))["customers"])["shapes"][0]


def pending_of(table: str, column: str) -> PendingTable:
    found = {(one.table, one.column): one for one in pending_tables(parse_mapping(SHOP))}
    return found[table, column]


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("accounts", Pointer("accounts", "crm_accounts")),
        ("crm_accounts", Pointer("accounts", "crm_accounts")),
        ("accounts.account_id", Pointer("accounts", "crm_accounts", ("account_id",))),
        ("accounts._id", Pointer("accounts", "crm_accounts")),
        ("fs.files", Pointer("fs.files", "fs.files")),
        ("fs.files.name", Pointer("fs.files", "fs.files", ("name",))),
        (r"fs.files.a.b\.c", Pointer("fs.files", "fs.files", ("a", "b.c"))),
        ("merged", Pointer("merged", "merged")),
        ("m2", Pointer("merged", "m2")),
        ("fs", None),
        ("accounts.", None),
        ("nothing.x", None),
    ],
)
def test_longest_name_that_fits_is_meant(text: str, pointer: Pointer | None) -> None:
    assert point(parse_mapping(SHOP), text) == pointer


def test_reference_by_a_field_waits_for_the_id() -> None:
    type_, reference = reference_of("account")
    assert type_ == "uuid"
    assert (reference.table, reference.column, reference.by, reference.lookup) == ("accounts", "id", "account_id", True)
    assert (reference.entry, reference.collection) == ("accounts", "crm_accounts")
    assert reference_of("file_name")[0] == "text"


def test_reference_by_a_field_of_its_type_keeps_the_value() -> None:
    type_, reference = reference_of("account_number")
    assert type_ == "integer"
    assert (reference.column, reference.by, reference.lookup) == ("account_id", "account_id", False)


def test_reference_to_an_entry_without_id_becomes_its_key() -> None:
    type_, reference = reference_of("country")
    assert type_ == "text"
    assert (reference.column, reference.by, reference.lookup) == ("code", None, True)
    type_, reference = reference_of("country_code")
    assert (type_, reference.column, reference.by, reference.lookup) == ("text", "code", "code", False)


def test_ids_are_hashed_with_the_name_of_their_source() -> None:
    """Where an entry has several sources, the reference says which; else the entry's own name stands for all."""
    columns = {column["name"]: column["reference"] for column in shape_of()["tables"][0]["columns"]}
    hashed = {name: columns[name]["collection"] for name in ("m", "ms", "account_number", "owner_account", "file")}
    assert hashed == {
        "m": "m1",
        "ms": "merged",
        "account_number": "crm_accounts",
        "owner_account": "crm_accounts",
        "file": "fs.files",
    }


def test_array_of_references_has_an_index_and_no_foreign_key() -> None:
    schema = build_schema(parse_mapping(SHOP))
    table = schema.tables["customers"]
    type_, reference = reference_of("friends")
    assert (type_, reference.lookup, reference.on_orphan, reference.stated) == ("uuid[]", False, "drop", True)
    assert [index.method for index in table.indexes if index.columns == ("friends",)] == ["gin"]
    assert {key.columns[0] for key in table.foreign_keys} == {
        *("account", "account_number", "slug", "file", "file_name", "country", "country_code", "m", "ms"),
        *("owner_account", "owner_customer"),
    }
    assert [reference_of(name)[1].lookup for name in ("accounts", "account_numbers")] == [True, False]


def test_route_has_a_nullable_column_for_each_entry() -> None:
    table = build_schema(parse_mapping(SHOP)).tables["customers"]
    for name, target in (("owner_account", "accounts"), ("owner_customer", "customers")):
        column = table.column(name)
        assert column.nullable
        assert column.reference is not None
        assert column.reference.routed == ("owner_account", "owner_customer")
        assert (column.reference.table, column.reference.on_orphan) == (target, "dead_letter")
    (field,) = [field for field in shape_of()["fields"] if field["do"] == "route"]
    names = [shape_of()["tables"][0]["columns"][number]["name"] for number in field["columns"]]
    assert (field["path"], names) == (["owner"], ["owner_account", "owner_customer"])


def test_what_waits_has_a_table_and_is_no_column_of_the_plan() -> None:
    shape = shape_of()
    loaded = {column["name"] for column in shape["tables"][0]["columns"]}
    waiting = {"account", "file_name", "accounts", "country"}
    assert not loaded & waiting
    assert {"account_number", "slug", "friends", "country_code", "m", "ms"} <= loaded
    pending = [table for table in shape["tables"] if table["kind"] == "pending"]
    assert [(table["books"], table["parent"]) for table in pending] == [
        ("customers.account", 0),
        ("customers.file_name", 0),
        ("customers.accounts", 0),
        ("customers.country", 0),
        ("lines.account", 2),
    ]
    assert [table["name"] for table in pending] == [pending_of(*table["books"].split(".")).name for table in pending]
    account = pending[0]["columns"][-1]
    assert (account["name"], account["role"], account["required"]) == ("value", "reference", True)
    assert account["type"] == account["reference"]["by"]["type"] == {"kind": "integer", "array": False}
    assert pending[3]["columns"][-1]["reference"] == {"collection": "countries", "ids": "uuid", "by": None}
    assert pending[3]["columns"][-1]["type"]["kind"] == "uuid"


def test_value_met_is_converted_as_the_field_it_is_compared_with() -> None:
    (column,) = [c for c in shape_of()["tables"][0]["columns"] if c["name"] == "slug"]
    by = column["reference"]["by"]
    assert (by["coerce"], by["normalise"]) == (True, ["trim", "lower"])
    assert by["values"] == [{"from": "old", "to": "new"}]
    assert column["normalise"] == column["values"] == []


def test_pending_table_tells_the_row_and_the_element() -> None:
    plain, array, child = (
        pending_of("customers", "account"),
        pending_of("customers", "accounts"),
        pending_of("lines", "account"),
    )
    assert [column.name for column in plain.columns] == ["root_id", "value"]
    assert [(column.name, column.nullable) for column in array.columns] == [
        ("root_id", False),
        ("element", False),
        ("value", True),
    ]
    assert child.keys == (
        ("root_id", "orders_id"),
        ("position_1", "orders_position"),
        ("position_2", "position"),
    )
    assert [column.role for column in child.columns] == ["root_id", "ancestor_position", "position", "reference"]
    assert (array.array, array.pairs, array.flow.collection) == (True, False, "customers")


def test_junction_by_a_field_has_pending_pairs() -> None:
    pairs = pending_of("customers_accounts", "account_id")
    assert pairs.pairs
    assert [(column.name, str(column.type), column.role) for column in pairs.columns] == [
        ("customer_id", "uuid", "own"),
        ("account_id", "integer", "other"),
    ]
    shape = shape_of()
    junctions = {table["name"]: table for table in shape["tables"] if table["kind"] == "junction"}
    assert set(junctions) == {pairs.name, "customers_countries"}
    own, other = junctions[pairs.name]["columns"]
    assert junctions[pairs.name]["books"] == "customers_accounts.account_id"
    assert (own["reference"]["by"], other["reference"]["by"]["type"]["kind"]) == (None, "integer")
    kept = junctions["customers_countries"]["columns"][1]
    assert (kept["type"]["kind"], kept["reference"]["by"]["type"]["kind"]) == ("text", "text")
    tables = build_schema(parse_mapping(SHOP)).tables
    assert [str(column.type) for column in tables["customers_accounts"].columns] == ["uuid", "uuid"]
    assert [key.target_columns for key in tables["customers_countries"].foreign_keys] == [("id",), ("code",)]


def test_stating_the_type_that_follows_changes_nothing() -> None:
    one, other = SHOP, SHOP.replace("{references: fs.files}", "{references: fs.files, type: text}")
    assert one != other
    assert parse_mapping(one).fingerprint == parse_mapping(other).fingerprint
    kept = SHOP.replace(
        "required: true, on_orphan: dead_letter}", "required: true, type: integer, on_orphan: dead_letter}"
    )
    assert parse_mapping(one).fingerprint != parse_mapping(kept).fingerprint


def test_server_takes_the_final_tables_and_the_loading_ones(database: str) -> None:
    """The order of a copy: tables to load, pending ones, then what finish does; the catalog is that of the script."""
    mapping = parse_mapping(SHOP.replace("countries: {key", "countries: {from: [c1, c2], key"))
    schema = build_schema(mapping)
    columns = b"""SELECT table_name, column_name, ordinal_position - (SELECT count(*) FROM pg_attribute d
        WHERE d.attrelid = table_name::regclass AND d.attisdropped AND d.attnum < ordinal_position), is_nullable
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3"""
    with psycopg.connect(database) as connection:
        with connection.transaction(force_rollback=True):
            connection.execute(ddl.render(schema).encode())
            final = connection.execute(columns).fetchall()
        for statement in ["CREATE SCHEMA isthmus", *ddl.create_all(schema)]:
            connection.execute(statement.encode())
        for pending in pending_tables(mapping):
            connection.execute(ddl.create_pending_table(schema, pending).encode())
        assert connection.execute(columns).fetchall() != final
        for table in schema.tables.values():
            for after in (ddl.set_not_null(schema, table), ddl.drop_hidden(schema, table)):
                if after is not None:
                    connection.execute(after.encode())
            if table.primary_key:
                connection.execute(ddl.add_primary_key(schema, table).encode())
            for index in table.indexes:
                connection.execute(ddl.create_index(schema, table, index).encode())
        for table in schema.tables.values():
            for key in table.foreign_keys:
                connection.execute(ddl.add_foreign_key(schema, key).encode())
        assert connection.execute(columns).fetchall() == final
