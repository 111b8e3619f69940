"""Collections of MongoDB that are dropped once nothing needs them, and the export of each.

Oracle: the documents as they were, read by the driver; what a test did beforehand. Cannot see: sharded collections,
rights of a real server's users, disks that lie.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import ObjectId

from apps.panamia.moving.exporting import read_again
from apps.panamia.moving.retirements import Retirement, announce
from isthmus.sources.dump.folder import list_collections
from tests.apps.panamia.conftest import HOME, Served, isthmus
from tests.apps.panamia.meanwhile import Behind, Writes
from tests.apps.panamia.retiring import NOWHERE, another_database, exported, retire, rows_of, there
from tests.apps.panamia.secrets_of import FIELDS
from tests.oracle.copying import url

pytestmark = pytest.mark.slow


def test_a_phase_is_retired_with_a_whole_export_and_is_gone_for_good(
    at_phase: Callable[[int], Served], tmp_path: Path
) -> None:
    served, export = at_phase(6), tmp_path / "made by it" / "export"
    before = served.documents()
    dry = served.phase("retire", "3", folder=tmp_path)
    assert (dry.code, dry.result["outcome"]) == (0, "clear"), dry.said
    assert dry.result["going"] == {"notifications": len(before["notifications"])}
    assert "→ next: python -m apps.panamia.phase retire 3 --live --export FOLDER" in dry.said
    for words in (["--live"], ["--live", "--export", str(export)]):  # nothing to export to; nobody typed anything
        assert served.phase("retire", "3", *words).code == 2
    wrong = served.phase("retire", "3", "--live", "--export", str(export), "--confirm", "retire 3 of somewhere")
    assert wrong.code == 2
    assert "not-confirmed" in wrong.said
    assert served.documents() == before
    assert not export.exists()

    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "bell.ts").write_text("import mongoose from 'mongoose'\nconst notifications = []\n")
    (tmp_path / "app" / "bell.py").write_text("all = db['notifications'].find()\nusers = db['users']\n")
    words = ["--code", str(tmp_path / "app"), "--json", str(tmp_path / "retired.json"), "--with-secrets"]
    code, said = retire(served, 3, export, *words)
    assert code == 0, said
    assert "secret" not in said.lower(), "it has none, so nobody is warned"
    page = json.loads((tmp_path / "retired.json").read_text())
    assert page["code"] == [f"{tmp_path}/app/bell.py:1: notifications", f"{tmp_path}/app/bell.ts:1: mongoose"]
    assert set(page["code"]) <= {line.strip() for line in said.splitlines()}
    assert served.documents() == {name: found for name, found in before.items() if name != "notifications"}
    assert exported(served, export, "notifications") == before["notifications"]
    listed = json.loads((export / "phase-3.json").read_text())["collections"]["notifications"]
    assert listed["documents"] == len(before["notifications"])
    assert listed["sha256"] == page["exports"]["notifications"]["sha256"]
    told = list_collections(export / served.mongo)["notifications"].info
    indexes = {one["name"] for one in told.indexes}
    assert indexes == {"_id_", *(one["name"] for one in served.stages[6].documents["notifications"][1])}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [export, *export.rglob("*")]}
    assert set(modes.values()) == {0o600, 0o700}
    assert [path for path, mode in modes.items() if path.is_dir() != (mode == 0o700)] == []

    assert served.words()[3] == "retired"
    assert "retired already" in served.phase("retire", "3", "--live").said
    for words in (["run", "3"], ["verify", "3"], ["undo", "3"]):
        assert served.phase(*words).code == 5, words
    found = isthmus(
        "status", "--decommission", "--source", served.source, database=served.database, json_file=tmp_path / "d.json"
    )
    checks = {one["check"]: one for one in found.result["checks"]}
    assert checks["collections"]["stands_in_the_way"] is False, found.said
    assert checks["collections"]["facts"]["notifications"]["fate"] == "gone"
    assert "(1 of them not in MongoDB any more)" in checks["collections"]["told"]
    assert checks["documents"]["stands_in_the_way"] is False, found.said


def test_users_go_once_documents_point_at_postgresql(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served = at_phase(2)
    with there(served) as mongo:
        user = mongo["users"].find_one({}, {"_id": 1})
        assert user is not None
        image = mongo["images"].find_one_and_update({}, {"$set": {"userId": str(user["_id"])}})
        ran = served.phase("retire", "1", folder=tmp_path)
        assert ran.code == 1, ran.said
        live = {one["place"]: one["live"] for one in ran.result["references"] if one["live"]}
        assert live == {"images.userId": 1}
        assert image is not None
        assert str(image["_id"]) in ran.said
        mongo["images"].replace_one({"_id": image["_id"]}, image)
    code, said = retire(served, 1, tmp_path)
    assert code == 0, said
    assert "were acknowledged" in said, "the test account that profiles and others name"
    gone = set(served.stages[2].documents) - set(served.documents())
    assert gone == {
        *("users", "nextauth_users", "nextauth_accounts", "nextauth_verification_tokens"),
        "nextauth_sessions",
    }
    undone = served.phase("undo", "2")
    assert undone.code == 5
    assert "which is retired" in undone.said
    # what comes next needs no user of MongoDB any more
    assert served.phase("run", "5").code == 5
    assert served.phase("run", "3").code == 1
    assert served.phase("verify", "3").code == 0


def test_killed_between_two_drops_it_is_gone_on_with(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served, export = at_phase(6), tmp_path / "export"
    before = served.documents()
    command = [sys.executable, "-m", "apps.panamia.phase", "retire", "6", "--live", "--export", str(export)]
    command.append("--with-secrets")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ISTHMUS_", "PG"))}
    process = subprocess.Popen(
        [*command, "--confirm", f"retire 6 of {served.mongo}"],
        cwd=HOME.parents[1],
        env=clean | {"MONGODB_URI": served.source, "DATABASE_URL": url(served.database)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.rstrip().endswith("dropped."):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert ": dropped." in said, said
    assert "Warning: the exports hold tokens" in said
    assert re.search(r"oauthverifications: [\d,]+ documents exported .*, with \d+ secret values in clear text", said)
    page = json.loads(served.phase("status", "--json").said)
    going_on = f"retire 6 --live --export {shlex.quote(str(export))} --with-secrets"
    assert (page["phases"][5]["word"], page["next"]) == ("half retired", going_on)
    assert page["phases"][5]["returned"] == []
    assert served.phase("run", "6").code == 5
    with psycopg.connect(served.database) as connection, there(served) as mongo:  # ended before a drop, before a rename
        for name in ("links", "podcasts"):
            made = read_again(export / served.mongo / f"{name}.bson")
            announce(connection, 6, name, Retirement(made.contents.documents, made.file, made.sha256, is_dropped=False))
        mongo["links"].rename("links.isthmus-retiring")
        made = read_again(export / served.mongo / "newsletters.bson")  # ended behind a drop, before that was written
        announce(connection, 6, "newsletters", Retirement(1, made.file, made.sha256, is_dropped=False))
        mongo["newsletters"].drop()
    with psycopg.connect(served.database, autocommit=True) as connection:  # the target is lost behind a drop
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
        errors = Writes("podcasts: dropped.", lambda: connection.execute(cut, (connection.info.dbname,)))
        words = ["--export", str(export), "--with-secrets", "--confirm", f"retire 6 of {served.mongo}"]
        ran = served.phase("retire", "6", "--live", *words, errors=errors)
    assert (ran.code, "error (target" in ran.said) == (4, True), ran.said
    assert served.words()[6] == "half retired"
    ran = served.phase(*shlex.split(going_on), "--confirm", f"retire 6 of {served.mongo}")
    assert ran.code == 0, ran.said
    assert served.words()[6] == "retired"
    after = served.documents()
    gone = before.keys() - after.keys()
    assert len(gone) == 21
    assert {name: exported(served, export, name) for name in gone} == {name: before[name] for name in gone}
    assert after == {name: found for name, found in before.items() if name not in gone}
    with psycopg.connect(served.database) as connection:
        (rows,) = connection.execute("SELECT count(*), count(dropped_at) FROM panamia_move.retirement").fetchall()
    assert rows == (21, 21)


@pytest.mark.parametrize("when", ["followers: ", "mentorSessions: dropped."], ids=["exporting", "dropping"])
def test_who_writes_between_looking_and_dropping_loses_nothing(
    at_phase: Callable[[int], Served], tmp_path: Path, when: str
) -> None:
    served = at_phase(6)
    before, new = served.documents(), ObjectId()
    with there(served) as mongo:
        errors = Writes(when, lambda: mongo["signups"].replace_one({"_id": new}, {"email": "late"}, upsert=True))
        ran = served.phase(
            "retire",
            "6",
            "--live",
            "--export",
            str(tmp_path),
            "--with-secrets",
            "--confirm",
            f"retire 6 of {served.mongo}",
            errors=errors,
        )
        said = errors.getvalue()
        assert ran.code == 5, said
        assert "collection-changed" in said
        assert "signups: dropped." not in said
        after = served.documents()
        assert after["signups"].keys() == {*before["signups"], new}
        assert ("mentorSessions" in after) is (when == "followers: ")
    for name in before.keys() - after.keys():
        assert exported(served, tmp_path, name) == before[name]
    assert served.words()[6] == ("done" if when == "followers: " else "half retired")


def test_later_phases_need_no_retired_document(
    at_phase: Callable[[int], Served], moved_on_server: Served, tmp_path: Path
) -> None:
    served = at_phase(2)
    code, said = retire(served, 1, tmp_path)
    assert code == 0, said
    for number in (3, 4, 5, 6):
        ran, proof = served.phase("run", str(number)), served.phase("verify", str(number))
        assert (ran.code in {0, 1}, proof.code) == (True, 0), (number, ran.said, proof.said)
        assert served.phase("acknowledge", str(number), "--all", "--reason", "planted").code == 0
    assert served.words() == {1: "retired", **dict.fromkeys(range(2, 7), "done")}
    # whom documents mean is known without the documents of users: all is as where they were there to the end
    for query in (
        "SELECT id, actor, target, article_id, profile_id, session_id FROM notifications",
        "SELECT id, author_id, co_authors, reviewed_by, removed_by FROM articles",
        "SELECT id, user_id, email FROM profiles",
        "SELECT follower_id, following_id FROM user_follows",
        "SELECT id, user_id FROM images",
        "SELECT list_id, profile_id FROM user_list_members",
        "SELECT follower_id, profile_id FROM profile_follows",
    ):
        assert rows_of(served, query) == rows_of(moved_on_server, query), query
        assert rows_of(served, query), query


def test_a_collection_that_is_made_anew_is_not_retired_and_nothing_is_lost(
    at_phase: Callable[[int], Served], tmp_path: Path, behind: Behind
) -> None:
    served, name, aside = at_phase(3), "notifications", "notifications.isthmus-retiring"
    before, carried = served.documents()[name], len(rows_of(served, "SELECT id FROM notifications"))
    with there(served) as mongo:
        like: Any = mongo[name].find_one({"type": "Follow"})
        new = {**like, "_id": ObjectId()}
        behind.wait("renameCollection", lambda: mongo[name].insert_one(new))
        code, said = retire(served, 3, tmp_path / "aside")
        assert (code, "collection-returned" in said) == (5, True), said
        found = served.documents()
        assert (found[name].keys(), found[aside]) == ({new["_id"]}, before)
        assert served.words()[3] == "half retired"
        dry = served.phase("retire", "3", folder=tmp_path)
        assert (dry.code, "since it was put aside" in dry.result["in_the_way"][0]) == (1, True), dry.said
        assert served.phase("retire", "3", "--restored", "--live").code == 5
        mongo[aside].insert_one(new)  # what is wanted of it goes to the others
        mongo[name].drop()
        code, said = retire(served, 3, tmp_path / "aside")
        assert (code, "collection-changed" in said) == (5, True), said
        assert served.documents()[name].keys() == {*before, new["_id"]}
        assert served.words()[3] == "done"
        mongo[name].delete_one({"_id": new["_id"]})

        behind.wait("drop", lambda: mongo[name].insert_one(new))
        code, said = retire(served, 3, tmp_path / "dropped")
        assert (code, "collection-returned" in said) == (5, True), said
        assert served.documents()[name].keys() == {new["_id"]}
        assert exported(served, tmp_path / "dropped", name) == before
        assert served.words()[3] == "half retired"
        dry = served.phase("retire", "3", folder=tmp_path)
        assert dry.code == 1
        assert dry.result["returned"][0] | {"told": ""} == {
            "collection": name,
            "documents": 1,
            "lacking": len(before),
            "without": 0,
            "is_as_exported": False,
            "is_new": False,
            "told": "",
        }
        assert retire(served, 3, tmp_path / "dropped")[0] == 5
        assert served.phase("retire", "3", "--restored", "--live").code == 5
        assert served.documents()[name].keys() == {new["_id"]}

        mongo[name].insert_many(bson.decode(one) for one in before.values())  # as mongorestore does
        assert served.phase("retire", "3", "--restored").code == 0
        assert served.words()[3] == "half retired", "that was a dry run"
        assert served.phase("retire", "3", "--restored", "--live").code == 0
        assert served.words()[3] == "done"
        query = "SELECT documents, restored_by <> '' AND restored_at > retired_at FROM panamia_move.retirement"
        assert rows_of(served, query) == [str((len(before), True))] * 2, "what was taken back stays written down"
        assert served.phase("retire", "3").code == 1, "somebody must carry it"
        assert served.phase("run", "3").code in {0, 1}
        assert served.phase("verify", "3").code == 0
        assert len(rows_of(served, "SELECT id FROM notifications")) == carried + 1
        served.phase("acknowledge", "3", "--all", "--reason", "planted")
        last = tmp_path / "all of 'it'"
        code, said = retire(served, 3, last)
        assert (code, served.words()[3]) == (0, "retired"), said
        assert exported(served, last, name).keys() == {*before, new["_id"]}

        mongo[name].insert_one({"late": 1})  # whoever looks later sees it, too
        behind.asked.clear()
        page = json.loads(served.phase("status", "--json").said)
        assert behind.asked == [("listCollections", True)], "names alone, once"
        third = page["phases"][2]
        assert (third["word"], third["returned"], page["next"]) == ("half retired", [name], "retire 3")
        assert f"MongoDB has {name} again, which phase 3 retired" in served.phase("status").said
        assert "1 document, which nobody carried" in served.phase(*page["next"].split()).said
        for source, why in ((another_database(served), "another one is named"), (NOWHERE, "does not answer")):
            ran = replace(served, source=source).phase("status")
            assert (ran.code, "again is not known" in ran.said, why in ran.said) == (0, True, True), ran.said
            assert "which phase 3 retired" not in ran.said
        assert retire(served, 3, last)[0] == 5
        assert served.words()[3] == "half retired"
        mongo[name].drop()
    going_on = json.loads(served.phase("status", "--json").said)["next"]
    assert going_on == f"retire 3 --live --export {shlex.quote(str(last))}"
    ran = served.phase(*shlex.split(going_on))
    assert (ran.code, "not-confirmed" in ran.said) == (2, True), "it is to be typed"
    ran = served.phase(*shlex.split(going_on), "--confirm", f"retire 3 of {served.mongo}")
    assert (ran.code, served.words()[3]) == (0, "retired"), ran.said


def test_where_nothing_is_retired_status_asks_no_server(moved_on_server: Served, behind: Behind) -> None:
    behind.asked.clear()
    page = json.loads(moved_on_server.phase("status", "--json").said)
    assert [one["returned"] for one in page["phases"]] == [None] * 6
    assert [one["retired"] for one in page["phases"]] == [[]] * 6
    assert behind.asked == []


def _at(document: dict[str, Any], path: str) -> object:
    found: Any = document
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def test_all_is_retired_no_secret_stands_in_an_export_and_nothing_is_left(
    at_phase: Callable[[int], Served], tmp_path: Path
) -> None:
    served, export = at_phase(6), tmp_path / "export"
    before = served.documents()
    said, by_hand = "", {"notifications", "articles"}  # phases 3 and 4, which have no secrets and cost as much
    for number in (6, 5, 1):
        code, more = retire(served, number, export)
        assert code == 0, more
        said += more
    assert served.documents().keys() == by_hand
    assert said.count("Values of secret fields stand in no export") == 3
    with there(served) as mongo:
        for name in by_hand:
            mongo[name].drop()
    written = b"".join(path.read_bytes() for path in export.rglob("*") if path.is_file()) + said.encode()
    secrets = {
        value
        for name, paths in FIELDS.items()
        for raw in before[name].values()
        for path in paths
        if isinstance(value := _at(bson.decode(raw), path), str) and len(value) > 8
    }
    assert len(secrets) > 500
    assert [one for one in secrets if one.encode() in written] == []
    for name, documents in before.items():
        if name in by_hand:
            continue
        found = exported(served, export, name)
        assert found.keys() == documents.keys(), name
        if name not in FIELDS:
            assert found == documents, name
        changed = [one for one in documents if found[one] != documents[one]]
        assert (len(changed) > 0) is (name in FIELDS), name
        for one in changed:
            was, now = bson.decode(documents[one]), bson.decode(found[one])
            tops = {path.partition(".")[0] for path in FIELDS[name]}
            assert {key for key in was if was[key] != now[key]} <= tops, (name, one)
    told = list_collections(export / served.mongo)["users"].info.indexes
    assert any(isinstance(one.get("collation"), dict) and one["unique"] for one in told), "as the server has it"

    # nothing is left there, which is known of this database alone
    asked = ["status", "--decommission", "--source"]
    end = isthmus(*asked, served.source, database=served.database, json_file=tmp_path / "end.json")
    assert end.result["gone"], end.said
    assert set(end.result["in_the_way"]) <= {"writes"}, end.said  # of this test, which made the documents just now
    assert end.code == len(end.result["in_the_way"])
    assert "Nothing is left there" in end.said
    other = isthmus(*asked, another_database(served), database=served.database)
    assert (other.code, "unknown-database" in other.said) == (3, True), other.said
    assert "retired already" in served.phase("retire", "5").said
    assert served.phase("retire", "5", "--restored").code == 0
    assert {served.words()[number] for number in (1, 5, 6)} == {"retired"}
    # from exports without secrets nothing can be carried again
    with there(served) as mongo:
        mongo["profiles"].insert_many(bson.decode(one) for one in exported(served, export, "profiles").values())
    back = served.phase("retire", "5", "--restored", "--live")
    assert (back.code, "secret value" in back.said) == (5, True), back.said
    assert served.words()[5] == "half retired", "for it is there again"
