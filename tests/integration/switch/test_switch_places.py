"""A switch goes back to where it came from, and nowhere else: not to another table, nor to another MongoDB.

Oracle: documents and rows read past all stores. Cannot see: a second cluster; two databases of one server stand for it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from isthmus.errors import TargetError
from isthmus.polyglot.switch import session
from tests.fix_mongo import MongoDatabase
from tests.integration.switch.test_switch_command import OWN, WITH, Command
from tests.integration.switch.world import PEOPLE, TABLE, World, made_table

OTHER = "the other ' one"
QUOTED = TABLE.replace('"', '""')


@pytest.fixture
def command(tmp_path: Path, world: World) -> Command:
    return Command(tmp_path, world)


def filled(command: Command) -> None:
    command.world.people.insert_many([{"_id": name, "bio": "x"} for name in ("a", "b")])


def test_back_from_another_table_or_one_that_was_made_anew_is_refused(command: Command) -> None:
    world = command.world
    filled(command)
    assert command.run("run", PEOPLE, *WITH).code == 0
    world.do(made_table(OTHER).decode())
    try:
        ran = command.refused("back", PEOPLE, "--table", OTHER, code="switch-other-table")
        assert "this is another table" in " ".join(ran.err.split())
        world.do(f'ALTER TABLE "{QUOTED}" RENAME TO kept')
        world.do(f'ALTER TABLE "{OTHER}" RENAME TO "{QUOTED}"')
        ran = command.refused("back", PEOPLE, *WITH, code="switch-other-table")
        assert "made anew since" in " ".join(ran.err.split())
        assert world.people.count_documents({}) == 2, "an empty table has removed nothing"
        assert command.run("back", PEOPLE, "--table", "kept").code == 0, "the same table under another name"
    finally:
        world.do(f'DROP TABLE IF EXISTS "{OTHER}"')
        if world.do("SELECT to_regclass('kept') IS NOT NULL") == [(True,)]:
            world.do(f'DROP TABLE "{QUOTED}"')
            world.do(f'ALTER TABLE kept RENAME TO "{QUOTED}"')


def test_back_to_another_mongodb_or_a_collection_made_anew_is_refused(
    command: Command, make_mongo: Any, mongo: MongoDatabase
) -> None:
    world, other = command.world, make_mongo()
    filled(command)
    assert command.run("run", PEOPLE, *WITH).code == 0
    other.client[other.name][PEOPLE].insert_one({"_id": "theirs"})
    command.refused("back", PEOPLE, *WITH, "-s", other.url, code="switch-other-source")
    assert [one["_id"] for one in other.client[other.name][PEOPLE].find()] == ["theirs"]
    mongo.client[mongo.name].drop_collection(PEOPLE)
    command.refused("back", PEOPLE, *WITH, code="switch-other-source")
    world.people.insert_one({"_id": "restored"})
    ran = command.refused("back", PEOPLE, *WITH, code="switch-other-source")
    assert "--replaced" in ran.err
    assert command.run("back", PEOPLE, *WITH, "--replaced").code == 0
    assert sorted(one["_id"] for one in world.people.find()) == ["a", "b"]
    command.refused("run", PEOPLE, *WITH, "-s", other.url, code="switch-other-source")
    assert command.run("run", PEOPLE, *WITH).code == 0


def test_cancel_with_another_mongodb_forgets_no_fence(command: Command, tmp_path: Path, make_mongo: Any) -> None:
    world, other = command.world, make_mongo()
    world.documents.create_collection(PEOPLE, validator=OWN)
    filled(command)
    other.client[other.name].create_collection(PEOPLE)
    assert world.runs(tmp_path).run("run", *WITH, kill=["switch.fenced", 1]).code == -9
    ran = command.run("run", PEOPLE, *WITH, "-s", other.url)
    assert (ran.code, "(switch-other-source)" in ran.err) == (1, True), ran.err
    ran = command.run("cancel", PEOPLE, "-s", other.url)
    assert (ran.code, "(switch-other-source)" in ran.err) == (1, True), ran.err
    assert world.do("SELECT count(*) FROM isthmus.switch_fence") == [(1,)]
    assert world.do("SELECT frozen_at IS NULL FROM isthmus.switch") == [(False,)]
    code, found = command.json("cancel", PEOPLE)
    assert (code, found["outcome"], found["fence"]) == (0, "cancelled", "lowered")
    assert command.validator() == OWN


def test_names_that_nobody_knows_are_refused_with_those_that_there_are(command: Command) -> None:
    world = command.world
    filled(command)
    assert command.run("prepare", "profiles", "orders").code == 0
    for words in (
        ["run", "profilse", *WITH],
        ["back", "profilse", *WITH],
        ["cancel", "profilse"],
        ["status", "profilse"],
    ):
        ran = command.run(*words)
        assert (ran.code, "(switch-unknown)" in ran.err) == (2, True), ran.all
        assert "Is profiles meant? There are: orders, " in " ".join(ran.err.split())
    assert world.do("SELECT collection FROM isthmus.switch ORDER BY 1") == [("orders",), ("profiles",)]
    assert command.run("run", PEOPLE, *WITH).code == 0, "one that is in MongoDB alone"
    assert command.run("status", PEOPLE, "orders").code == 0


def test_rows_that_a_policy_hides_are_no_missing_rows(command: Command) -> None:
    world, role = command.world, "switch_hidden"
    filled(command)
    assert command.run("run", PEOPLE, *WITH).code == 0
    world.do(f"DROP ROLE IF EXISTS {role}")
    world.do(f"CREATE ROLE {role} LOGIN")
    world.do(f"GRANT USAGE ON SCHEMA isthmus TO {role}")
    world.do(f"GRANT ALL ON ALL TABLES IN SCHEMA isthmus TO {role}")
    world.do(f'GRANT ALL ON "{QUOTED}" TO {role}')
    world.do(f'ALTER TABLE "{QUOTED}" ENABLE ROW LEVEL SECURITY')
    world.do(f"CREATE POLICY a_few ON \"{QUOTED}\" USING (id = 'a')")
    try:
        theirs = make_conninfo(world.conninfo, user=role)
        ran = command.refused("back", PEOPLE, *WITH, "-t", theirs, code="switch-hidden-rows", exit_code=4)
        assert "Frozen" not in ran.err
        with (
            session.connect(theirs, autocommit=True) as connection,
            pytest.raises(Exception, match="row-level security"),
        ):
            connection.execute(f'SELECT count(*) FROM "{QUOTED}"'.encode())
        assert world.people.count_documents({}) == 2
    finally:
        world.do(f'DROP POLICY IF EXISTS a_few ON "{QUOTED}"')
        world.do(f'ALTER TABLE "{QUOTED}" DISABLE ROW LEVEL SECURITY')
        world.do(f"DROP OWNED BY {role}")
        world.do(f"DROP ROLE {role}")


def test_sessions_wait_for_the_disk_and_refuse_a_standby(world: World) -> None:
    for given, found in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
        with session.connect(f"{world.conninfo} options='-c synchronous_commit={given}'", autocommit=True) as one:
            assert one.execute("SHOW synchronous_commit").fetchone() == (found,)
    world.do("CREATE SCHEMA lying")
    world.do("CREATE FUNCTION lying.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    try:
        with pytest.raises(TargetError) as caught:
            session.connect(f"{world.conninfo} options='-c search_path=lying,pg_catalog'")
        assert caught.value.code == "read-only-server"
    finally:
        world.do("DROP SCHEMA lying CASCADE")


def test_what_is_written_down_names_table_and_collection(command: Command) -> None:
    filled(command)
    assert command.run("run", PEOPLE, *WITH).code == 0
    ((oid, name, database, uuid),) = command.world.do(
        "SELECT table_oid::text, table_name, source_database, source_uuid FROM isthmus.switch_move"
    )
    assert command.world.do(f"SELECT '\"{QUOTED}\"'::regclass::oid::text") == [(oid,)]
    assert name == f'public."{QUOTED}"'
    assert database == command.world.documents.name
    (found,) = command.world.documents.list_collections(filter={"name": PEOPLE})
    assert bytes(found["info"]["uuid"]) == uuid.bytes
    assert json.loads(command.run("status", "--json", "-").out)["collections"][PEOPLE]["stands"] is True
