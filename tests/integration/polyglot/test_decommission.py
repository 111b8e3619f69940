"""What still needs MongoDB: each thing that may stand in the way is made to, and taken out of it again.

Oracle: what the test itself did to the application of `side_by_side`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import bson
import psycopg
import pytest
from bson import ObjectId

from isthmus.cli.decommission import answer
from isthmus.errors import SourceError
from isthmus.mapping import load_mapping
from isthmus.polyglot import decommission_writes
from isthmus.polyglot.decommission import Wanted, decommission
from isthmus.polyglot.outbox import delete, enqueue
from isthmus.sources import open_source
from isthmus.sources.gone import open_or_gone
from isthmus.state.acknowledgements import Kind, acknowledge, last_copies, read_items
from isthmus.verify.result import LAYERS
from isthmus.verify.run import verify_database
from tests.fix_dumps import MakeDump
from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import oid
from tests.integration.polyglot.side_by_side import (
    ARTICLES,
    MAPPING,
    SCHEMA,
    Application,
    documents,
    make_application,
)

STATED = MAPPING.replace(
    "follows: {follower: users, followed: users}",
    "follows: {columns: {follower: users, followed: users}, on_orphan: drop}",
)


@pytest.fixture
def application(tmp_path: Path, database: str, mongo: MongoDatabase) -> Application:
    """Return an application on both databases; nothing is copied."""
    return make_application(tmp_path / "app", database, mongo, mapping=STATED)


def ask(application: Application, mapping: str | None = None) -> dict[str, Any]:
    """Return the checks by name, as the JSON has them."""
    source = open_source(application.source)
    try:
        given = load_mapping(application.folder / mapping) if mapping is not None else None
        wanted = Wanted(LAYERS, 60, application.source)
        found = decommission(given, source, application.target, wanted)
    finally:
        source.close()
    assert found.clear is not bool(found.in_the_way)
    return {one["check"]: one for one in json.loads(json.dumps(found.as_json()["checks"]))}


def in_the_way(checks: dict[str, Any]) -> set[str]:
    """Return the names of what stands in the way."""
    return {name for name, one in checks.items() if one["stands_in_the_way"]}


def verify(application: Application) -> bool:
    """Verify in this process, and return whether it passed."""
    source = open_source(application.source)
    try:
        return verify_database(load_mapping(application.folder / "mapping.yaml"), source, application.target).passed
    finally:
        source.close()


def let_be(application: Application, kind: Kind) -> int:
    """Acknowledge all that there are of a kind; return how many."""
    with psycopg.connect(application.target) as connection:
        items = read_items(connection, kind, last_copies(connection, SCHEMA))
        return acknowledge(connection, kind, items, "they may stay").newly


def test_half_way_everything_that_is_left_is_named(application: Application) -> None:
    application.carry("users")
    checks = ask(application)
    assert in_the_way(checks) == {"collections", "references", "writes"}
    fates = {name: one["fate"] for name, one in checks["collections"]["facts"].items()}
    assert fates == {"users": "not verified", ARTICLES: "not carried", "notes": "not carried"}
    assert checks["references"]["facts"] == {
        f"{ARTICLES}.authorId": 3,
        f"{ARTICLES}.co Authors[].userId": 3,
        f"{ARTICLES}.editors[]": 3,
        "notes.object": 2,
        "notes.actor": 2,
    }
    assert verify(application)
    checks = ask(application)
    assert checks["collections"]["facts"]["users"]["fate"] == "carried"
    application.carry(ARTICLES)
    checks = ask(application)
    assert in_the_way(checks) == {"collections", "references", "writes"}
    assert set(checks["references"]["facts"]) == {"notes.object", "notes.actor"}
    assert {one["points_at"] for one in checks["pending"]["facts"]} == {"users"}, "which were carried"
    assert all(one["lead_nowhere"] for one in checks["pending"]["facts"])


def test_references_that_wait_for_what_was_not_carried_stand_in_the_way(application: Application) -> None:
    application.carry(ARTICLES)
    check = ask(application)["pending"]
    assert check["stands_in_the_way"]
    assert not any(one["lead_nowhere"] for one in check["facts"])
    application.carry("users")
    check = ask(application)["pending"]
    assert not check["stands_in_the_way"], "what is left leads nowhere"


def test_all_carried_and_verified_is_clear_until_somebody_writes(application: Application) -> None:
    application.carry()
    assert verify(application)
    checks = ask(application)
    assert in_the_way(checks) == {"writes"}
    assert checks["writes"]["facts"]["known_from"] == "oplog"
    assert set(checks["writes"]["facts"]["last"]) == {"users", ARTICLES, "notes"}
    users = application.collection("users")
    new = users.insert_one({"name": "Ed"}).inserted_id
    users.update_one({"_id": oid(2)}, {"$set": {"name": "Benno"}})
    users.delete_one({"_id": oid(3)})
    checks = ask(application)
    assert in_the_way(checks) == {"documents", "writes"}
    found = checks["documents"]["facts"]["users"]
    assert (found["documents"], found["new"], found["changed"], found["gone"]) == (4, 1, 1, 1)
    assert found["listed"] == [str(new), str(oid(2))]
    assert found["newest_at"] == new.generation_time.astimezone(UTC).isoformat()


def test_what_lives_in_mongodb_or_waits_for_it_stands_in_the_way(application: Application) -> None:
    application.carry()
    assert verify(application)
    checks = ask(application)
    assert (checks["homes"]["facts"], checks["outbox"]["facts"]) == ({}, {})
    application.sql("INSERT INTO isthmus.switch (collection, home) VALUES ('users', 'mongodb'), ('notes', 'postgres')")
    checks = ask(application)
    assert in_the_way(checks) == {"homes", "writes"}
    assert {name: one["home"] for name, one in checks["homes"]["facts"].items()} == {
        "users": "mongodb",
        "notes": "postgres",
    }
    assert [name for name, one in checks["homes"]["facts"].items() if one["why"]] == ["users"]
    application.sql("UPDATE isthmus.switch SET home = 'postgres', generation = 1")
    begun = "INSERT INTO isthmus.switch_move (collection, goal, carrier, token) VALUES ('notes', 'mongodb', 'x', %s)"
    application.sql(begun, [str(uuid4())])  # on its way back
    checks = ask(application)
    assert in_the_way(checks) == {"homes", "writes"}
    assert checks["homes"]["facts"]["notes"]["why"].startswith("a switch of it to MongoDB is under way")
    application.sql("UPDATE isthmus.switch_move SET step = 'cancelled', ended_at = now()")
    application.sql("UPDATE isthmus.switch SET frozen_at = now() WHERE collection = 'users'")
    assert ask(application)["homes"]["facts"]["users"]["why"].startswith("it is frozen")
    application.sql("UPDATE isthmus.switch SET frozen_at = NULL")
    assert in_the_way(ask(application)) == {"writes"}

    with psycopg.connect(application.target) as connection:
        enqueue(connection, delete("users", 1), delete("users", 1), delete("users", 2), delete("notes", 1))
    checks = ask(application)
    assert in_the_way(checks) == {"outbox", "writes"}
    parked = "UPDATE isthmus.outbox SET parked_at = now(), attempts = 1, fault = 'x', last_error = 'x'"
    users = "SELECT min(e.id) FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = key_id AND collection = 'users'"
    application.sql(f"{parked} WHERE id = ({users})")
    facts = ask(application)["outbox"]["facts"]
    assert {name: (one["open"], one["parked"]) for name, one in facts.items()} == {"users": (3, 1), "notes": (1, 0)}
    assert "isthmus outbox retry" in facts["users"]["why"]
    assert "isthmus outbox run" in facts["notes"]["why"]
    application.sql("UPDATE isthmus.outbox SET applied_at = now(), outcome = 'skipped', reason = 'x'")
    assert in_the_way(ask(application)) == {"writes"}


def test_collections_that_nobody_names_stand_in_the_way_and_those_left_behind_do_not(
    application: Application,
) -> None:
    application.collection("drafts").insert_one({"a": 1})
    mapping = application.folder / "mapping.yaml"
    mapping.write_text(STATED.replace("collections:\n", "collections:\n  drafts: {skip: nobody reads them}\n"))
    application.carry()
    assert verify(application)
    application.collection("sessions").insert_one({"a": 1})
    checks = ask(application)
    facts = checks["collections"]["facts"]
    assert facts["sessions"]["fate"] == "unnamed"
    assert (facts["drafts"]["fate"], facts["drafts"]["why"]) == ("left behind", "nobody reads them")
    assert in_the_way(checks) == {"collections", "writes"}
    application.collection("sessions").drop()
    application.collection("notes").drop()  # it is carried: what is dropped after that is not missed
    checks = ask(application)
    assert in_the_way(checks) == {"writes"}


def test_what_refs_rewrite_replaced_makes_no_document_newer(application: Application) -> None:
    application.carry()
    articles = application.collection(ARTICLES)
    ann = application.id_of("Ann 1")
    articles.update_one({"_id": oid(11)}, {"$set": {"authorId": ann}})
    articles.update_one({"_id": oid(13)}, {"$set": {"co Authors.0.userId": ann, "more": 1}})
    application.sql(
        "INSERT INTO isthmus.rewrite (source, source_name, mapping_fingerprint, scope, run_id, isthmus_version)"
        " VALUES ('{}', 's', 'f', '{}', 1, 'v')"
    )
    for number, path in ((11, ["authorId"]), (13, ["co Authors", 0, "userId"])):
        application.sql(
            "INSERT INTO isthmus.rewrite_log (rewrite_id, collection, source_id, site, path, old_value, new_text,"
            " state, settled_at) VALUES (1, %s, %s, 's', %s, %s, %s, 'done', now())",
            [
                ARTICLES,
                bson.encode({"_id": oid(number)}),
                json.dumps(path),
                bson.encode({"": oid(1)}),
                ann,
            ],
        )
    checks = ask(application)
    found = checks["documents"]["facts"][ARTICLES]
    assert (found["rewritten"], found["changed"], found["listed"]) == (1, 1, [str(oid(13))])
    application.sql("DELETE FROM isthmus.rewrite_log")
    checks = ask(application)
    assert checks["documents"]["facts"][ARTICLES]["changed"] == 2


def test_letters_conflicts_and_failed_verifications_stand_in_the_way(
    tmp_path: Path, database: str, mongo: MongoDatabase
) -> None:
    made = documents()
    made["users"].append({"_id": oid(5), "name": "Ann again", "email": "ann@example.org"})  # unique
    application = make_application(tmp_path / "app", database, mongo, made=made, mapping=STATED)
    application.carry()
    application.sql("UPDATE users SET name = 'Anna' WHERE name = 'Ann 1'")
    assert not verify(application)
    checks = ask(application)
    assert in_the_way(checks) >= {"letters", "collections"}
    ((letter),) = checks["letters"]["facts"]
    assert (letter["collection"], letter["count"], letter["acknowledged"]) == ("users", 1, 0)
    assert "difference" in checks["collections"]["facts"]["users"]["why"]
    assert let_be(application, "letter") == 1
    checks = ask(application)
    assert "letters" not in in_the_way(checks)
    ((letter),) = checks["letters"]["facts"]
    assert (letter["count"], letter["acknowledged"], checks["letters"]["acknowledged"]) == (0, 1, 1)
    assert checks["letters"]["told"] == "No dead letter is unanswered; 1 acknowledged."


def test_rows_kept_by_a_default_wait_for_an_answer(tmp_path: Path, database: str, mongo: MongoDatabase) -> None:
    application = make_application(
        tmp_path / "app", database, mongo, mapping=STATED.replace("  users:\n", "  users:\n    match: [[name]]\n")
    )
    application.sql("INSERT INTO users VALUES ('theirs', 'Ann 1', 'other@example.org')")
    application.carry()
    checks = ask(application)
    assert checks["conflicts"]["facts"] == {"users": 1}
    (application.folder / "stated.yaml").write_text(
        STATED.replace("  users:\n", "  users:\n    match: [[name]]\n    on_conflict: keep_target\n")
    )
    checks = ask(application, "stated.yaml")
    assert checks["conflicts"]["stands_in_the_way"] is False
    application.sql(
        "INSERT INTO isthmus.identity_conflict VALUES ('pe\"ople', 'x', 'several', 'two', '[]', 0, '[]', now())"
    )
    checks = ask(application, "stated.yaml")
    assert checks["conflicts"]["facts"] == {'identity pe"ople': 1}
    assert checks["conflicts"]["stands_in_the_way"] is True
    assert let_be(application, "conflict") == 1
    checks = ask(application)
    assert checks["conflicts"]["facts"] == {'identity pe"ople': 1}  # that is decided, never acknowledged
    assert checks["conflicts"]["acknowledged"] == 1
    application.sql("DELETE FROM isthmus.identity_conflict")
    checks = ask(application)
    assert (checks["conflicts"]["stands_in_the_way"], checks["conflicts"]["facts"]) == (False, {})
    assert checks["conflicts"]["told"] == "No conflict is unanswered; 1 acknowledged."


def test_code_is_looked_through_and_no_secret_is_told(application: Application) -> None:
    application.carry()
    code = application.folder / "shop app"
    (code / "node_modules" / "mongoose").mkdir(parents=True)
    (code / "node_modules" / "mongoose" / "index.js").write_text("require('mongodb')\n")
    (code / "db.ts").write_text("// nothing\nimport mongoose from 'mongoose'\n")
    (code / ".env.local").write_text("A=1\nMONGODB_URI='mongodb://bob:hunter2@h/d'\nOLD_MONGO_PASSWORD=hunter2mongo\n")
    ran = application.run(
        "status", "-t", application.target, "--decommission", "-s", application.source, "--code", code
    )
    assert ran.code == 1
    assert f"{code.as_posix()}/.env.local:2: mongodb://…, MONGODB_URI" in ran.out
    assert f"{code.as_posix()}/db.ts:2: mongoose" in ran.out
    assert "node_modules" not in ran.out
    assert "hunter2" not in ran.all
    assert "MongoDB is still needed:" in ran.out
    for name in ("db.ts", ".env.local"):
        (code / name).unlink()
    ran = application.run(
        "status", "-t", application.target, "--decommission", "-s", application.source, "--code", code, "--json", "-"
    )
    found = json.loads(ran.out)
    assert found["exit_code"] == 1  # everything was written a moment ago
    code_check = next(one for one in found["checks"] if one["check"] == "code")
    assert (code_check["stands_in_the_way"], code_check["facts"]["named"]) == (False, [])


def test_files_end_with_the_plain_answer_and_exit_0(tmp_path: Path, database: str, make_dump: MakeDump) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "mapping.yaml").write_text("isthmus: 1\ncollections: {a: {fields: {b: text}}}\n")
    application = Application(folder, database, str(make_dump({"a": [{"_id": 1, "b": "x"}]})))
    application.carry()
    assert verify(application)
    ran = application.run("status", "-t", database, "--decommission", "-s", application.source)
    assert ran.code == 0, ran.all
    lines = ran.out.splitlines()
    assert lines[-1] == "Nothing stands in the way of switching MongoDB off. Not known: writes, code."
    assert any(line.startswith("not known   writes") for line in lines)


def test_writes_are_told_from_new_ids_where_there_is_no_oplog(
    mongo: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise decommission_writes.NoOplogError("this server keeps none")

    mongo.write({"old": [{"_id": oid(1)}], "new": [{"_id": ObjectId()}], "texts": [{"_id": "a"}]})
    monkeypatch.setattr(decommission_writes, "_from_oplog", none)
    found = decommission_writes.recent_writes(mongo.url, mongo.name, ["old", "new", "texts"], 5)
    assert (found.how, set(found.last)) == ("ids", {"new"})
    assert abs((found.last["new"] - datetime.now(UTC)).total_seconds()) < 60
    assert "so only new documents are seen" in found.why


def test_what_is_missing_or_misplaced_is_a_usage_error(application: Application) -> None:
    ran = application.run("status", "-t", application.target, "--decommission", "-s", application.source)
    assert (ran.code, "no-run" in ran.err) == (4, True)
    ran = application.run("status", "-t", application.target, "--decommission")
    assert (ran.code, "source-needed" in ran.err) == (2, True)
    ran = application.run("status", "mapping.yaml", "-t", application.target)
    assert (ran.code, "decommission-only" in ran.err) == (2, True)
    ran = application.run("status", "-t", application.target, "--decommission", "--code", "nowhere")
    assert ran.code == 2


def test_a_database_that_is_gone_is_the_end_where_it_is_the_one_that_was_copied(
    application: Application, mongo: MongoDatabase
) -> None:
    application.carry("users", ARTICLES)
    assert verify(application)
    mongo.client.drop_database(mongo.name)

    def asked(address: str) -> Any:
        source = open_or_gone(partial(open_source, address), address)
        wanted = Wanted(LAYERS, 60, address)
        return decommission(None, source, application.target, wanted)

    found = asked(application.source)
    assert found.gone == mongo.name
    host = application.source.partition("://")[2].partition("/")[0].rpartition("@")[2]
    page = found.as_json()
    assert (page["gone"], page["answered_by"]) == (True, host)
    assert f"MongoDB at {host} has no database {mongo.name} any more" in answer(found)
    checks = {one.name: one for one in found.checks}
    fates = {name: one["fate"] for name, one in checks["collections"].facts.items()}
    assert fates == {"users": "gone", ARTICLES: "gone", "notes": "not carried"}
    assert {one.name for one in found.in_the_way} == {"collections"}, "writes before the drop are past"
    with pytest.raises(SourceError) as fault:
        asked(application.source.replace(quote(mongo.name, safe=""), "another"))
    assert fault.value.code == "unknown-database"
