"""NextCRM from a running server that fails, is killed or is written to, and into a PostgreSQL that goes away.

Oracle: the truth of the generator, and the same documents copied from their dump. The wire server stands for MongoDB:
no elections, no snapshots.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from bson import ObjectId

from apps.nextcrm.generate import main
from tests.apps.nextcrm.conftest import MAPPING, Carried
from tests.apps.nextcrm.target import Target
from tests.apps.nextcrm.test_nextcrm_truth import wrong_items
from tests.chaos.proxy import Proxy
from tests.chaos.sessions import Copy
from tests.chaos.snapshot import differences, snapshot
from tests.fix_mongo import WireServer, database_url, needs_wire_server
from tests.oracle.copying import copy

KEY = "c0de" * 16


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireServer]:
    """A server with the documents of the fixture `as_run`, generated into it (the wire server takes no far dates)."""
    needs_wire_server()
    folder = tmp_path_factory.mktemp("mongo")
    server = WireServer(folder, ("--enable-test-commands",))
    server.start()
    url = database_url(server.url, "nextcrm")
    assert main([url, "--profile", "as-run", "--truth", str(folder / "truth.json")]) == 0
    server.stop()  # a killed wire server forgets what was written last
    server.start()
    yield server
    server.kill()


@pytest.fixture
def source(server: WireServer) -> str:
    """URL of the running server's database."""
    if not server.running:
        server.start()
    return database_url(server.url, "nextcrm").replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=1000")


def assert_carried(as_run: Carried, database: str, report: dict[str, Any] | None) -> None:
    """All of the fixture `as_run` is there: book by book, and item by item."""
    assert report is not None
    assert as_run.copied.report is not None
    for part in ("collections", "junctions", "references"):
        assert report[part] == as_run.copied.report[part], part
    with psycopg.connect(database) as connection:
        assert wrong_items(as_run.truth, Target(connection, as_run.truth["labels"])) == []


def test_documents_generated_into_a_server_and_copied_from_it_are_those_of_the_dump(
    as_run: Carried, source: str, deployed: str
) -> None:
    copied = copy(MAPPING, cast("Any", source), deployed)
    assert copied.code == 1, copied.said
    assert_carried(as_run, deployed, copied.report)


def test_read_errors_are_waited_out_and_end_no_collection(
    as_run: Carried, server: WireServer, source: str, deployed: str, tmp_path: Path
) -> None:
    """In the middle of the reading: some collections are in the target, others not begun."""
    (tmp_path / "id.key").write_text(KEY, encoding="ascii")
    live = Copy(MAPPING, cast("Any", source), deployed, tmp_path / "id.key", tmp_path)
    live.options = ("--workers", "1", "--memory", "1M", "--retry-seconds", "30", "--json", str(tmp_path / "copy.json"))
    with live.begin(pause=("copy.after-commit", 8)) as session:
        session.wait_until_paused()
        with server.failing(["find", "getMore", "aggregate", "count"], times=6, closeConnection=True):
            session.go_on()
            ended = session.ended()
    assert ended.code == 1, ended.text
    assert "does not answer" in ended.words  # or nothing failed
    assert_carried(as_run, deployed, json.loads((tmp_path / "copy.json").read_text(encoding="utf-8")))


def test_a_server_that_stays_away_ends_the_copy_resumable_and_nothing_is_called_complete(
    as_run: Carried, server: WireServer, source: str, deployed: str, tmp_path: Path
) -> None:
    (tmp_path / "id.key").write_text(KEY, encoding="ascii")
    live = Copy(MAPPING, cast("Any", source), deployed, tmp_path / "id.key", tmp_path)
    live.options = ("--workers", "1", "--memory", "1M", "--retry-seconds", "1")
    with live.begin(pause=("copy.after-commit", 8)) as session:
        session.wait_until_paused()
        server.kill()
        session.go_on()
        gone_at = time.monotonic()
        ended = session.ended()
    assert time.monotonic() - gone_at < 30  # not once for each of the 29 collections
    assert ended.code == 3, ended.text
    assert re.search(
        r"\d\d collections could not be read to the end: • (\w+, ){3}\w+ and \d+ more: The MongoDB", ended.words
    )
    with psycopg.connect(deployed) as connection:
        done = connection.execute("SELECT bool_and(done), count(*) FILTER (WHERE done) FROM isthmus.partition")
        everything, some = done.fetchone() or (True, 0)
        assert (everything, some > 0) == (False, True)
        assert connection.execute('SELECT count(*) FROM "Users"').fetchone() == (0,)
    server.start()
    copied = copy(MAPPING, cast("Any", source), deployed)
    assert copied.code == 1, copied.said
    assert copied.report is not None
    assert copied.report["resumed"]
    assert_carried(as_run, deployed, copied.report)


@pytest.mark.parametrize(
    ("instant", "new", "gone"),
    [
        (("copy.partition-done", 24), 2, 1),
        pytest.param(("copy.after-commit", 1), 0, 0, marks=pytest.mark.soak),
    ],
)
def test_documents_that_are_written_meanwhile_are_named_and_none_is_skipped_or_read_twice(
    instant: tuple[str, int],
    new: int,
    gone: int,
    as_run: Carried,
    server: WireServer,
    source: str,
    deployed: str,
    tmp_path: Path,
) -> None:
    """Behind the reading of Tasks both new ones and the one that is gone are named; before it nothing is to be told."""
    (tmp_path / "id.key").write_text(KEY, encoding="ascii")
    live = Copy(MAPPING, cast("Any", source), deployed, tmp_path / "id.key", tmp_path)
    live.options = ("--workers", "1", "--json", str(tmp_path / "copy.json"))
    front, end = ObjectId(b"\1" * 12), ObjectId(b"\xff" * 12)
    added = [
        {"_id": one, "title": f"meanwhile {one}", "priority": "low", "position": 1, "__v": 0} for one in (front, end)
    ]
    planted = [item["label"] for item in as_run.truth["planted"] if item["collection"] == "Tasks"]
    with server.client() as client, live.begin(pause=instant) as session:
        tasks = client["nextcrm"]["Tasks"]
        session.wait_until_paused()
        removed = tasks.find_one({"title": {"$nin": planted, "$gt": "Task 000300"}})  # no comment points at it
        assert removed is not None
        try:
            tasks.insert_many(added)
            tasks.delete_one({"_id": removed["_id"]})
            session.go_on()
            ended = session.ended()
        finally:
            tasks.delete_many({"_id": {"$in": [front, end]}})
            tasks.insert_one(removed)
    assert ended.code == 1, ended.text
    report = json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))
    told, was = report["moved"], as_run.copied.report
    assert was is not None
    assert (told["new"], told["changed"], told["gone"]) == (new, 0, gone)
    if new:
        assert set(told["new_ids"]["Tasks"]) == {str(front), str(end)}
        assert told["gone_ids"] == {"Tasks": [str(removed["_id"])]}
    with psycopg.connect(deployed) as connection:
        target = Target(connection, as_run.truth["labels"])
        titles = set(target.ids("Tasks"))
        assert len(titles) == was["collections"]["Tasks"]["copied"] + (0 if new else 1)
        assert (removed["title"] in titles) == bool(new)  # as it was when it was read
        assert {one["title"] for one in added} & titles == (set() if new else {one["title"] for one in added})
    for name, own in report["collections"].items():
        assert name == "Tasks" or own == was["collections"][name], name


OUTAGES = ["after-commit", *(pytest.param(cut, marks=pytest.mark.soak) for cut in ("before-commit", "within-copy"))]


@pytest.mark.parametrize("cut", OUTAGES)
def test_a_connection_that_is_cut_loses_no_batch_and_doubles_none(
    cut: Any, as_run: Carried, make_deployed: Callable[[], str], tmp_path: Path
) -> None:
    with psycopg.connect(as_run.database) as connection:
        (key,) = connection.execute("SELECT key FROM isthmus.id_key").fetchone() or (b"",)
    (tmp_path / "id.key").write_text(bytes(key).hex(), encoding="ascii")
    target = make_deployed()
    began = time.monotonic()
    with Proxy(target, cut, 12) as proxy:
        copied = copy(MAPPING, as_run.dump, proxy.conninfo(target), "--id-key", str(tmp_path / "id.key"))
        assert proxy.cuts == 1
    assert copied.code == 1, copied.said
    assert time.monotonic() - began < 60
    difference = differences(snapshot(target, "public"), snapshot(as_run.database, "public"))
    assert not difference, difference
