"""`isthmus verify` turns red and names what was done to a target, in the ways in which the real run damaged its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.apps.nextcrm.conftest import Carried, run
from tests.apps.nextcrm.test_nextcrm_secrets import secrets_of
from tests.apps.twins import twin_of
from tests.fix_postgres import drop_database

CHANGED = "changed-by-hand"
DAMAGE = {
    "a row is gone": 'DELETE FROM "Employees" WHERE id = (SELECT min(id::text)::uuid FROM "Employees") RETURNING id',
    "a text is another": (
        'UPDATE "crm_Leads" SET company = \'x\' WHERE id = (SELECT min(id::text)::uuid FROM "crm_Leads") RETURNING id'
    ),
    "an instant is a millisecond later": (
        'UPDATE "Documents" SET "createdAt" = "createdAt" + interval \'1 ms\' WHERE id ='
        ' (SELECT min(id::text)::uuid FROM "Documents" WHERE "createdAt" IS NOT NULL) RETURNING id'
    ),
    "a reference is NULL": (
        'UPDATE "Tasks" SET section = NULL WHERE id ='
        ' (SELECT min(id::text)::uuid FROM "Tasks" WHERE section IS NOT NULL) RETURNING id'
    ),
    "an owner is another": (
        'UPDATE "crm_Accounts" a SET assigned_to = (SELECT id FROM "Users" u WHERE u.id <> a.assigned_to LIMIT 1)'
        ' WHERE id = (SELECT min(id::text)::uuid FROM "crm_Accounts" WHERE assigned_to IS NOT NULL) RETURNING id'
    ),
    "a comment has no task": (
        'UPDATE "tasksComments" SET assigned_crm_account_task = NULL WHERE id = (SELECT min(id::text)::uuid'
        ' FROM "tasksComments" WHERE assigned_crm_account_task IS NOT NULL) RETURNING id'
    ),
    "an element is another": (
        'UPDATE "Boards" SET "sharedWith" = "sharedWith"[2:] WHERE id = (SELECT min(id::text)::uuid FROM "Boards"'
        ' WHERE cardinality("sharedWith") > 1) RETURNING id'
    ),
    "two owners have changed places": (
        'WITH two AS (SELECT DISTINCT ON (assigned_to) id, assigned_to FROM "crm_Contacts"'
        " WHERE assigned_to IS NOT NULL ORDER BY assigned_to, id LIMIT 2)"
        ' UPDATE "crm_Contacts" a SET assigned_to = other.assigned_to FROM two own, two other'
        " WHERE a.id = own.id AND other.id <> own.id RETURNING a.id"
    ),
    "a huge number is one less": (
        'UPDATE "crm_Opportunities" SET budget = budget - 1 WHERE budget > 9007199254740992 RETURNING id'
    ),
    "a password is another": (
        f"UPDATE \"Users\" SET password = '{CHANGED}' WHERE id ="
        ' (SELECT min(id::text)::uuid FROM "Users" WHERE password IS NOT NULL) RETURNING id'
    ),
    "a link leads elsewhere": (
        'UPDATE "DocumentsToTasks" SET task_id = (SELECT id FROM "Tasks" WHERE id <> ALL'
        ' (SELECT task_id FROM "DocumentsToTasks") LIMIT 1) WHERE ctid = (SELECT min(ctid) FROM "DocumentsToTasks")'
        " RETURNING document_id"
    ),
    "a link is gone": (
        'DELETE FROM "ContactsToOpportunities" WHERE ctid = (SELECT min(ctid) FROM "ContactsToOpportunities")'
        " RETURNING contact_id"
    ),
}


@pytest.fixture
def twin(busy: Carried, postgres: str) -> Iterator[str]:
    """Conninfo of a copy of the target, to be damaged."""
    conninfo = twin_of(postgres, busy.database)
    yield conninfo
    drop_database(postgres, conninfo)


def verified(busy: Carried, twin: str, layers: str) -> tuple[dict[str, Any], str]:
    """Verify the twin, which must be found wrong; the report, and all that was written."""
    ran = run(*("verify", "mapping.yaml", "--source", str(busy.dump), "--layers", layers, "--json", "-"), database=twin)
    assert ran.code == 1, ran.said
    return json.loads(ran.out), ran.out + ran.said


def test_every_damage_is_named(busy: Carried, twin: str) -> None:
    done: list[tuple[str, str, str]] = []
    with psycopg.connect(twin) as connection:
        for name, statement in DAMAGE.items():
            rows = connection.execute(statement.encode()).fetchall()
            assert rows, name
            done += [(name, statement.split('"')[1], str(identifier)) for (identifier,) in rows]
    report, said = verified(busy, twin, "counts,references,checksum")
    named = {(one["table"], str(one["id"])) for one in report["differences"]}
    for name, table, identifier in done:
        assert any(table == there and identifier in id_ for there, id_ in named), (name, table, identifier, named)
    rows = {(one["table"], str(one["id"])) for one in report["differences"] if one["layer"] == "checksum"}
    assert len(rows) == len(done) + 1  # and nothing else: a link that leads elsewhere is gone from where it led
    assert not [secret for secret in (*secrets_of(busy.dump), CHANGED) if secret in said]


def test_values_that_are_not_as_the_papers_expect_are_named(busy: Carried, twin: str) -> None:
    """An address that is none, and an end before its beginning; the database itself refuses NULLs and other words."""
    statements = (
        """UPDATE "crm_Leads" SET email = 'nobody at all' WHERE id = (SELECT min(id::text)::uuid FROM "crm_Leads")""",
        """UPDATE "crm_Contracts" SET "endDate" = "startDate" - interval '1 ms' WHERE id =
            (SELECT min(id::text)::uuid FROM "crm_Contracts" WHERE "startDate" IS NOT NULL)""",
    )
    done: set[tuple[str, str]] = set()
    with psycopg.connect(twin) as connection:
        for statement in statements:
            row = connection.execute(f"{statement} RETURNING id".encode()).fetchone()
            assert row is not None
            done.add((statement.split('"')[1], str(row[0])))
    report, _ = verified(busy, twin, "rules")
    assert {(one["table"], str(one["id"])) for one in report["differences"]} == done
    assert {one["path"] for one in report["differences"]} == {"email", "endDate"}
