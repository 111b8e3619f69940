"""`isthmus verify` turns red and names what was done to a target, in the ways in which the real run damaged its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests import forkserver
from tests.apps.nextcrm.conftest import MAPPING, Carried
from tests.fix_postgres import drop_database
from tests.oracle.copying import COMMAND, url

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
    "a link is gone": (
        'DELETE FROM "ContactsToOpportunities" WHERE ctid = (SELECT min(ctid) FROM "ContactsToOpportunities")'
        " RETURNING contact_id"
    ),
}


@pytest.fixture
def twin(busy: Carried) -> Iterator[str]:
    """Conninfo of a copy of the target, to be damaged."""
    name = str(conninfo_to_dict(busy.database)["dbname"])
    server = make_conninfo(busy.database, dbname="postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(f"{name} twin"), sql.Identifier(name)))
    conninfo = make_conninfo(busy.database, dbname=f"{name} twin")
    yield conninfo
    drop_database(server, conninfo)


def test_every_damage_is_named(busy: Carried, twin: str) -> None:
    done: dict[str, tuple[str, str]] = {}
    with psycopg.connect(twin) as connection:
        for name, statement in DAMAGE.items():
            row = connection.execute(statement.encode()).fetchone()
            assert row is not None, name
            done[name] = (statement.split('"')[1], str(row[0]))
    arguments = ["verify", str(MAPPING), "--source", str(busy.dump), "--layers", "counts,references,checksum"]
    arguments += ["--json", "-"]
    environment = {**os.environ, "DATABASE_URL": url(twin)}
    if forkserver.possible():
        run = forkserver.run("isthmus", arguments, cwd=busy.dump, env=environment, timeout=120)
    else:
        run = forkserver.subprocess.run([COMMAND, *arguments], capture_output=True, check=False, env=environment)
    assert run.returncode == 1
    report = json.loads(run.stdout)
    named = {(one["table"], str(one["id"])) for one in report["differences"]}
    for name, (table, identifier) in done.items():
        assert any(table == there and identifier in id_ for there, id_ in named), (name, table, identifier, named)
    rows = {(one["table"], str(one["id"])) for one in report["differences"] if one["layer"] == "checksum"}
    assert len(rows) == len(DAMAGE)  # and nothing else
