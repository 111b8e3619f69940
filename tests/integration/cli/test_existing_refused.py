"""What is said before a copy into tables that exist: of tables that are not there, and of the wrong database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.integration.cli.conftest import RunCommand

MAPPING = """
isthmus: 1
target: {tables: existing}
naming: keep
extras: dead_letter
collections:
  modulStatus: {fields: {name: text, isVisible: boolean}}
  crm_Leads: {fields: {name: text!}}
"""
LEADS = 'CREATE TABLE "crm_Leads" (id uuid PRIMARY KEY, name text NOT NULL);'


def findings(ran_out: str) -> list[dict[str, str]]:
    return [one for one in json.loads(ran_out)["findings"] if one["code"] == "table-missing"]


@pytest.mark.parametrize(
    ("others", "meant"),
    [
        ('CREATE TABLE "crm_Lead_Statuses" (id uuid PRIMARY KEY, name text)', None),  # like it, by chance
        ('CREATE TABLE "modul_status" (id uuid PRIMARY KEY, name text, "isVisible" boolean)', '"modul_status"'),
        ('CREATE TABLE "modulStatuses" (id uuid PRIMARY KEY, name text)', '"modulStatuses"'),
        ('CREATE TABLE "modulStatus_" (id uuid PRIMARY KEY, name text, owner uuid NOT NULL)', None),  # nobody fills it
        ('CREATE TABLE "modulStatus_" (id uuid PRIMARY KEY, x integer NOT NULL DEFAULT 1)', '"modulStatus_"'),
        ('CREATE TABLE "modulStatus_" (key uuid PRIMARY KEY, name text)', None),  # no id
    ],
)
def test_table_is_suggested_only_where_it_is_meant(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str, others: str, meant: str | None
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"{LEADS}{others}")  # pyright: ignore[reportArgumentType, reportCallIssue]
    ran = isthmus("check", write_mapping(MAPPING), "-t", database, "--json", "-")
    assert ran.code == 4, ran.all
    (one,) = findings(ran.out)
    assert (f"Did you mean {meant}?" if meant else "use `tables: create`") in one["hint"]


def test_column_that_the_mapping_fills_already_is_not_suggested_for_another(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TABLE "crm_Leads" (id uuid PRIMARY KEY, name text, phone1 text)')
    mapping = write_mapping(
        "isthmus: 1\ntarget: {tables: existing}\nnaming: keep\nextras: dead_letter\n"
        "collections: {crm_Leads: {fields: {name: text, phone1: text, phone2: text}}}\n"
    )
    ran = isthmus("check", mapping, "-t", database)
    assert "has no column phone2" in ran.err
    assert "Did you mean" not in ran.err


def test_database_with_none_of_the_tables_is_one_sentence(
    isthmus: RunCommand, write_mapping: Callable[[str], Path], database: str
) -> None:
    mapping = write_mapping(MAPPING)
    for statement in ("", 'CREATE TABLE "crm_Lead_Statuses" (id uuid PRIMARY KEY, name text)'):
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
        ran = isthmus("check", mapping, "-t", database, "--json", "-")
        assert ran.code == 4, ran.all
        (one,) = findings(ran.out)
        assert one["message"] == "None of the mapping's 2 tables is there, in the schema public."
        assert "the right database" in one["hint"]
        assert "isthmus schema deploy" in one["hint"]
        assert "tables: create" not in ran.all
