"""Collections of MongoDB that are dropped once nothing needs them: what keeps them, and the export of each.

Oracle: the documents as they were, read by the driver; what a test did beforehand. Cannot see: sharded collections,
rights of a real server's users, disks that lie.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import resource
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bson
import psycopg
import pytest
from bson import ObjectId
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pymongo import MongoClient, monitoring
from pymongo.database import Database

from apps.panamia.moving.exporting import export_collection, read_again
from apps.panamia.moving.retirements import Retirement, announce, be_alone, note_dropped
from isthmus.connect.mongo import open_server
from isthmus.errors import ConfigError
from isthmus.polyglot.outbox import delete, enqueue
from isthmus.sources.dump.folder import list_collections
from isthmus.state.switches import LOCK
from tests.apps.panamia.conftest import HOME, Moved, Served, isthmus, phase_command
from tests.apps.panamia.secrets_of import FIELDS
from tests.oracle.copying import url

pytestmark = pytest.mark.slow
NOWHERE = "mongodb://127.0.0.1:9/nothing?serverSelectionTimeoutMS=200"


@contextlib.contextmanager
def there(served: Served) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](served.source) as client:
        yield client.get_default_database()


def retire(served: Served, number: int, export: Path, *more: str) -> tuple[int, str]:
    ran = served.phase(
        "retire",
        str(number),
        "--live",
        "--export",
        str(export),
        "--confirm",
        f"retire {number} of {served.mongo}",
        *more,
    )
    return ran.code, ran.said


def another_database(served: Served) -> str:
    """The address of a database that is not there, on the same server."""
    return served.source.replace("/pana-", "/pano-")


def printed(said: str) -> dict[str, Any]:
    """What went to standard output, which stands behind standard error: JSON and nothing else."""
    return json.loads(said[said.index("{\n") :])


def exported(served: Served, export: Path, name: str) -> dict[Any, bytes]:
    data = (export / served.mongo / f"{name}.bson").read_bytes()
    return {one["_id"]: bson.encode(one) for one in bson.decode_all(data)}


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


def test_what_is_not_as_it_was_verified_keeps_a_phase(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served = at_phase(6)
    with there(served) as mongo:
        new = mongo["contactus"].insert_one({"name": "new"}).inserted_id
        mongo["links"].delete_one({})
        mongo["images"].update_one({}, {"$set": {"image": "another"}})
    before = served.documents()
    ran = served.phase("retire", "6", folder=tmp_path)
    assert (ran.code, ran.result["outcome"]) == (1, "in-the-way"), ran.said
    assert [why.partition(" (")[0] for why in ran.result["in_the_way"]] == [
        "images: not as it was carried: 1 changed",
        "contactus: not as it was carried: 1 new",
        "links: not as it was carried: 1 gone.",
    ]
    assert str(new) in ran.said
    code, said = retire(served, 6, tmp_path / "export")
    assert code == 5, said
    assert "not-retirable" in said
    assert served.documents() == before
    assert not (tmp_path / "export").exists()


def test_what_lives_in_mongodb_or_waits_for_it_keeps_a_phase(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served, export, key = at_phase(6), tmp_path / "export", ObjectId()
    before = served.documents()
    assert isthmus("switch", "prepare", "notifications", "images", database=served.database).code == 0

    def kept() -> list[str]:
        dry = served.phase("retire", "3", folder=tmp_path)
        assert dry.code == 1, dry.said
        return dry.result["in_the_way"]

    with psycopg.connect(served.database, autocommit=True) as connection:
        lives = "it lives in MongoDB, where applications read and write it; move it first: isthmus switch run"
        assert kept() == [f"notifications: {lives}."]
        begin = "INSERT INTO isthmus.switch_move (collection, goal, carrier, token)"
        connection.execute(f"{begin} VALUES ('notifications', 'postgres', 'table x', gen_random_uuid())")
        (why,) = kept()
        assert why.startswith(
            "notifications: a switch of it to PostgreSQL is under way, behind the step begun, and nobody"
        )
        assert "isthmus switch cancel" in why
        connection.execute("UPDATE isthmus.switch_move SET step = 'flipped', ended_at = now()")
        connection.execute(
            "UPDATE isthmus.switch SET home = 'postgres', frozen_at = now() WHERE collection = 'notifications'"
        )
        assert kept() == ["notifications: it is frozen; isthmus switch status tells why."]
        connection.execute("UPDATE isthmus.switch SET frozen_at = NULL")
        with connection.transaction():
            enqueue(connection, delete("notifications", key), delete("notifications", key))
            enqueue(connection, delete("images", key))
        (why,) = kept()
        assert why == "notifications: 2 events of the outbox not applied yet; run isthmus outbox run."
        parked = (
            "UPDATE isthmus.outbox SET parked_at = now(), attempts = 1, fault = 'lives-elsewhere', last_error = 'x'"
        )
        connection.execute(f"{parked} WHERE id = (SELECT min(id) FROM isthmus.outbox)")
        (why,) = kept()
        assert why.startswith("notifications: 2 events of the outbox not applied yet, 1 parked; answer the parked ones")
        code, said = retire(served, 3, export)
        assert (code, "not-retirable" in said) == (5, True), said
        assert served.documents() == before
        assert not export.exists()
        asked = ["status", "--decommission", "--source", served.source]
        found = isthmus(*asked, database=served.database, json_file=tmp_path / "d.json")
        facts = {one["check"]: one["facts"] for one in found.result["checks"]}
        assert {name: one["home"] for name, one in facts["homes"].items()} == {
            "images": "mongodb",
            "notifications": "postgres",
        }
        assert {name: (one["open"], one["parked"]) for name, one in facts["outbox"].items()} == {
            "images": (1, 0),
            "notifications": (2, 1),
        }
        connection.execute("UPDATE isthmus.outbox SET applied_at = now(), outcome = 'skipped', reason = 'x'")
        connection.execute("SELECT pg_advisory_lock(%s, hashtext('notifications'))", (LOCK,))  # a switch is at work
        code, said = retire(served, 3, export)
        assert (code, "switch-held" in said) == (4, True), said
        assert served.documents() == before
        connection.execute("SELECT pg_advisory_unlock_all()")
        held: list[Any] = []
        take = "SELECT pg_try_advisory_lock(%s, hashtext('notifications'))"
        errors = _Writes("exported to", lambda: held.extend(connection.execute(take, (LOCK,)).fetchall()))
        words = ["--export", str(export), "--confirm", f"retire 3 of {served.mongo}"]
        ran = served.phase("retire", "3", "--live", *words, errors=errors)
        assert ran.code == 0, ran.said
        assert held == [(False,)], "nobody switches it meanwhile"
    assert served.documents() == {name: found for name, found in before.items() if name != "notifications"}


def test_references_in_what_is_still_read_keep_a_phase(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served = at_phase(5)
    profiles = {str(one) for one in served.documents()["profiles"]}
    ran = served.phase("retire", "5", folder=tmp_path)
    assert ran.code == 1, ran.said
    live = {one["place"]: one["live"] for one in ran.result["references"]}
    with there(served) as mongo:
        lists = [str(one) for each in mongo["userlists"].find() for one in _array(each.get("profiles"))]
        linked = [str(one) for each in mongo["events"].find() for one in _array(each.get("linked_profiles"))]
        first = [str(each.get("primary_profile")) for each in mongo["events"].find()]
    wanted = {"userlists.profiles[]": lists, "events.linked_profiles[]": linked, "events.primary_profile": first}
    assert live == {place: sum(one in profiles for one in all_) for place, all_ in wanted.items()}
    assert all(live.values())
    assert retire(served, 5, tmp_path / "export")[0] == 5
    assert not (tmp_path / "export").exists()


def _array(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]  # pyright: ignore[reportUnknownVariableType]


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
        errors = _Writes("podcasts: dropped.", lambda: connection.execute(cut, (connection.info.dbname,)))
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
        errors = _Writes(when, lambda: mongo["signups"].replace_one({"_id": new}, {"email": "late"}, upsert=True))
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


class _Writes(io.StringIO):
    """Standard error at which an application writes to MongoDB when a certain line comes."""

    def __init__(self, line: str, do: Callable[[], object]) -> None:
        super().__init__()
        self._line, self._do = line, do

    def write(self, text: str, /) -> int:
        if self._line in text:
            self._do()
        return super().write(text)


def test_an_export_that_cannot_be_made_is_told_and_leaves_nothing(
    at_phase: Callable[[int], Served], tmp_path: Path
) -> None:
    served, name = at_phase(6), "notifications"
    taken = tmp_path / "a file"
    taken.write_text("mine")
    other = tmp_path / "other" / served.mongo / f"{name}.bson"
    other.parent.mkdir(parents=True)
    with closing(open_server(served.source)) as server:

        def export(folder: Path) -> str:
            with pytest.raises(ConfigError) as refused:
                export_collection(server, served.mongo, name, folder)
            return f"{refused.value.code}: {refused.value}"

        assert export(taken / "export").startswith("export-unwritable")
        with _files_of(200_000):
            assert "File too large" in export(tmp_path / "full")
        assert [one.name for one in (tmp_path / "full" / served.mongo).iterdir()] == [f"{name}.metadata.json"]
        for data, why in ((b"no documents", "whole documents"), (bson.encode({"_id": 1})[:-3], "cut off")):
            other.write_bytes(data)
            assert why in export(tmp_path / "other")
            assert other.read_bytes() == data
    other.write_bytes(bson.encode({"_id": 1}))
    code, said = retire(served, 3, tmp_path / "other")
    assert (code, "export-exists" in said) == (2, True), said
    assert other.read_bytes() == bson.encode({"_id": 1})
    assert served.documents() == served.stages[6].by_id()
    assert served.words()[3] == "done"


def test_what_cannot_be_retired_is_said_at_once(
    moved_on_server: Served, moved_from_dump: Moved, tmp_path: Path
) -> None:
    served, dump = moved_on_server, moved_from_dump
    assert "nothing to retire" in served.phase("retire", "2").said
    assert printed(served.phase("retire", "2", "--json", "-").said)["outcome"] == "nothing-to-retire"
    never = printed(served.phase("retire", "3", "--restored", "--json", "-").said)
    assert (never["outcome"], never["exit_code"], never["database"]) == ("not-restored", 0, served.mongo)
    another = replace(served, source=another_database(served))
    for words in ([], ["--restored", "--live"]):
        ran = another.phase("retire", "3", *words)
        assert (ran.code, "other-source" in ran.said, "from another source" in ran.said) == (5, True, True), ran.said
    assert retire(another, 3, tmp_path / "export")[0] == 5
    with psycopg.connect(served.database) as connection:
        be_alone(connection)
        code, said = retire(served, 3, tmp_path / "export")
        assert (code, "retiring-already" in said) == (4, True), said
        assert served.phase("retire", "3", "--restored", "--live").code == 4
    assert served.phase("retire", "9").code == 2
    gone = replace(served, source=NOWHERE)
    assert retire(gone, 3, tmp_path)[0] == 3
    ran = phase_command("retire", "3", source=dump.source, database=dump.database, answers=dump.answers)
    assert (ran.code, "source-not-live" in ran.said) == (2, True)
    nowhere = replace(served, source=served.source.replace(quote(served.mongo, safe=""), ""))
    assert "names no database" in nowhere.phase("retire", "3").said
    (tmp_path / "a file").write_text("")
    for folder, why in ((tmp_path / "nowhere", "is not there"), (tmp_path / "a file", "is no folder")):
        code, said = retire(served, 3, tmp_path / "export", "--code", str(folder))
        assert (code, "no-such-folder" in said, why in said) == (2, True, True), said
    assert not (tmp_path / "export").exists()


@contextlib.contextmanager
def _files_of(most_bytes: int) -> Iterator[None]:
    """Let no file that this process writes become larger: what a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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


def rows_of(served: Served, query: str) -> list[str]:
    with psycopg.connect(served.database) as connection:
        return sorted(str(row) for row in connection.execute(query.encode()).fetchall())


class _Behind(monitoring.CommandListener):
    """An application that writes to a collection right behind a command of somebody else, once."""

    def __init__(self) -> None:
        self.behind, self.do = "", lambda: None
        self.asked: list[tuple[str, bool]] = []

    def wait(self, command: str, do: Callable[[], object]) -> None:
        """Write when a command has been done."""
        self.behind, self.do = command, do

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Note which question it is, and whether it is for names alone."""
        if event.command_name.lower() not in {"buildinfo", "endsessions", "hello", "ping"}:
            self.asked.append((event.command_name, bool(event.command.get("nameOnly"))))

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing is done behind a command that failed."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Write."""
        if event.command_name.lower() == self.behind.lower():
            self.behind = ""
            self.do()


@pytest.fixture(scope="module")
def behind() -> _Behind:
    found = _Behind()
    monitoring.register(found)
    return found


def test_a_collection_that_is_made_anew_is_not_retired_and_nothing_is_lost(
    at_phase: Callable[[int], Served], tmp_path: Path, behind: _Behind
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


def test_where_nothing_is_retired_status_asks_no_server(moved_on_server: Served, behind: _Behind) -> None:
    behind.asked.clear()
    page = json.loads(moved_on_server.phase("status", "--json").said)
    assert [one["returned"] for one in page["phases"]] == [None] * 6
    assert [one["retired"] for one in page["phases"]] == [[]] * 6
    assert behind.asked == []


def test_nothing_is_retired_while_it_is_not_known_what_still_needs_mongodb(
    at_phase: Callable[[int], Served], postgres: str, tmp_path: Path, behind: _Behind
) -> None:
    served = at_phase(3)
    name = str(conninfo_to_dict(served.database)["dbname"])
    refuse = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format
    with psycopg.connect(postgres, autocommit=True) as connection:
        for words in ([], ["--live", "--export", str(tmp_path / "export")]):
            # who is connected already stays so; the command that is asked comes too late
            behind.wait("buildinfo", lambda: connection.execute(refuse(sql.Identifier(name), sql.SQL("false"))))
            try:
                confirm = ["--confirm", f"retire 3 of {served.mongo}"]
                ran = served.phase("retire", "3", *words, *confirm, "--json", str(tmp_path / "said.json"))
            finally:
                connection.execute(refuse(sql.Identifier(name), sql.SQL("true")))
            assert behind.behind == "", "it was refused"
            assert (ran.code, "error (not-known)" in ran.said) == (2, True), ran.said
            assert "not currently accepting connections" in ran.said, "the command says why"
            assert json.loads((tmp_path / "said.json").read_text())["code"] == "not-known"
    assert not (tmp_path / "export").exists()
    assert served.documents() == served.stages[3].by_id()
    assert served.words()[3] == "done"


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


def test_what_cannot_be_put_aside_or_is_not_there_is_said(at_phase: Callable[[int], Served], tmp_path: Path) -> None:
    served = at_phase(2)
    for words in (["4"], ["4", "--live", "--export", str(tmp_path), "--confirm", f"retire 4 of {served.mongo}"]):
        never = served.phase("retire", *words)
        assert (never.code, "Phase 4 was never run" in never.said) == (5 if len(words) > 1 else 1, True), never.said
    served = at_phase(6)
    with there(served) as mongo:
        mongo["articles.isthmus-retiring"].insert_one({"_id": "somebody's"})
        clash = served.phase("retire", "4", folder=tmp_path)
        assert (clash.code, "did not put aside" in clash.result["in_the_way"][0]) == (1, True), clash.said
        assert retire(served, 4, tmp_path / "export")[0] == 5
        mongo["articles.isthmus-retiring"].drop()
        mongo["notifications"].drop()
        count = len(served.stages[6].documents["notifications"][0])
        dry = served.phase("retire", "3", folder=tmp_path)
        why = f"notifications: {count:,} documents of it were carried; it is not in {served.mongo} any more."
        assert (dry.code, dry.result["in_the_way"], dry.result["going"]) == (1, [why], {}), dry.said
        assert retire(served, 3, tmp_path / "export")[0] == 5
        assert served.words()[3] == "done"
        with psycopg.connect(served.database) as connection:  # as where none of its documents was carried
            announce(connection, 3, "notifications", Retirement(0, None, "", is_dropped=False))
            note_dropped(connection, "notifications")
        already = printed(served.phase("retire", "3", "--json", "-").said)
        assert (already["outcome"], already["exit_code"]) == ("retired-already", 0)
        assert not (tmp_path / "export").exists()
        mongo["notifications"].insert_one({"new": 1})
        late = served.phase("retire", "3", folder=tmp_path)
        assert (late.code, late.result["returned"][0]["is_new"]) == (1, True), late.said
        assert served.phase("retire", "3", "--restored", "--live").code == 0
        assert served.words()[3] == "done"
