"""What keeps a phase from being retired, and what is told of it.

Oracle: the documents as they were, read by the driver; what a test did beforehand. Cannot see: sharded collections,
rights of a real server's users, disks that lie.
"""

from __future__ import annotations

import contextlib
import json
import resource
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

from apps.panamia.moving.exporting import export_collection
from apps.panamia.moving.retirements import Retirement, announce, be_alone, note_dropped
from isthmus.connect.mongo import open_server
from isthmus.errors import ConfigError
from isthmus.polyglot.outbox import delete, enqueue
from isthmus.state.switches import LOCK
from tests.apps.panamia.conftest import Moved, Served, isthmus, phase_command
from tests.apps.panamia.meanwhile import Behind, Writes
from tests.apps.panamia.retiring import NOWHERE, another_database, printed, retire, there

pytestmark = pytest.mark.slow


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
        errors = Writes("exported to", lambda: held.extend(connection.execute(take, (LOCK,)).fetchall()))
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


@contextlib.contextmanager
def _files_of(most_bytes: int) -> Iterator[None]:
    """Let no file that this process writes become larger: what a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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


def test_nothing_is_retired_while_it_is_not_known_what_still_needs_mongodb(
    at_phase: Callable[[int], Served], postgres: str, tmp_path: Path, behind: Behind
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
