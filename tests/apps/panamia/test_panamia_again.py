"""Phases that are run, verified and undone again behind the rewrite of references, and a rewrite that is killed.

Oracle: both sides as they were before. A killed process is a real one, ended by SIGKILL. Cannot see: a death of a
server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient

from isthmus.errors import TargetError
from isthmus.state.lease import Lease
from tests.apps.panamia.conftest import HOME, SECONDS, Served, contents, isthmus
from tests.apps.twins import twin_of
from tests.chaos.sessions import ROOT
from tests.fix_postgres import drop_database
from tests.forkserver import Forked, possible

pytestmark = pytest.mark.slow

KILLED = -9
TO = ["--to", "users", "--to", "nextauth_users"]


def test_the_first_phase_is_verified_and_run_again_behind_the_rewrite(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(2)
    rows, documents = contents(served.database), served.documents()
    verified = served.phase("verify", "1")
    assert verified.code == 0, verified.said
    assert "were looked at as they were before" in " ".join(verified.said.split())
    again = served.phase("run", "1")
    assert again.code == 1, "of its dead letters"
    assert contents(served.database) == rows
    assert served.documents() == documents
    assert served.phase("verify", "1").code == 0
    assert served.words()[1] == "done", "what was acknowledged stays so: nothing changed but references"
    undone = served.phase("undo", "2", "--live")
    assert undone.code == 0, undone.said
    verified = served.phase("verify", "1")
    assert verified.code == 0, "the run read rewritten documents, which are as before by now"
    assert served.words()[1] == "done"


def test_who_writes_else_than_references_is_seen_behind_the_rewrite_too(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(2)
    with MongoClient[dict[str, Any]](served.source) as client, psycopg.connect(served.database) as connection:
        ((collection, user),) = connection.execute(
            "SELECT collection, new_text FROM isthmus.rewrite_log WHERE state = 'done' AND site = 'userId'"
            " AND collection = 'nextauth_accounts' ORDER BY id LIMIT 1"
        ).fetchall()
        there = client.get_default_database()[collection]
        one = there.find_one({"userId": user})
        assert one is not None
        there.update_one({"_id": one["_id"]}, {"$set": {"scope": "something else"}})
        assert served.phase("verify", "1").code == 1
        there.update_one({"_id": one["_id"]}, {"$set": {"scope": one["scope"]}})
        assert served.phase("verify", "1").code == 0
        there.update_one({"_id": one["_id"]}, {"$set": {"userId": "another one"}})
        assert served.phase("verify", "1").code == 1


def test_a_rewrite_of_other_references_that_was_undone_is_none_of_the_second_phase(
    at_phase: Callable[[int], Served],
) -> None:
    served = at_phase(6)
    assert set(served.words().values()) == {"done"}
    rewrite = ["refs", "rewrite", "mapping.yaml", "--source", served.source, "--to", "profiles"]
    for more in (["--live"], ["--undo", "--live"]):
        ran = isthmus(*rewrite, *more, database=served.database)
        assert ran.code in {0, 1}, ran.said
        assert served.words()[2] == "done", more
    with psycopg.connect(served.database) as connection:
        undone = connection.execute(
            "SELECT count(*) FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id"
            " WHERE r.scope -> 'to' ? 'profiles' AND l.state = 'undone'"
        ).fetchone()
    assert undone is not None
    assert undone[0] > 0


def test_a_rewrite_that_was_run_twice_is_half_undone_until_no_value_of_either_stands(
    at_phase: Callable[[int], Served],
) -> None:
    served = at_phase(2)
    before = served.stages[1].by_id()
    with MongoClient[dict[str, Any]](served.source) as client:
        there = client.get_default_database()
        old = there["users"].find_one({"email": {"$in": [one["key"] for one in served.lines("people")]}})
        assert old is not None
        changed = there["images"].find_one({"userId": {"$type": "string"}})
        assert changed is not None
        there["images"].update_one({"_id": changed["_id"]}, {"$set": {"userId": old["_id"]}})
    items = served.phase("items", "2", "--all").said
    for _ in range(2):  # the one with little to do, the other with nothing
        assert served.phase("run", "2").code == 1
    assert served.phase("items", "2", "--all").said == items
    assert served.phase("verify", "2").code == 0
    assert served.words()[2] == "done"
    killed(served, "rewrite.undone", 2, "--undo")
    assert served.words()[2] == "half undone"
    assert json.loads(served.phase("status", "--json").said)["next"] == "undo 2 --live"
    assert served.phase("run", "3").code == 5
    assert served.phase("undo", "2", "--live").code in {0, 1}
    assert served.words()[2] == "not begun"
    expected = {**before["images"], changed["_id"]: served.documents()["images"][changed["_id"]]}
    assert served.documents() == {**before, "images": expected}


def killed(served: Served, stage: str, number: int, *more: str) -> None:
    """Rewrite in a process of its own that is killed when it comes to a stage for so many times."""
    code, said = rewrite(served, {"kill": [stage, number]}, *more)
    assert code == KILLED, (stage, number, said)
    free(served.database)


def rewrite(served: Served, plan: dict[str, Any], *more: str) -> tuple[int, str]:
    """Rewrite in a process of its own, little at once; return its exit code, and what it said."""
    words = [json.dumps({"rewrite": [4_000, 50], **plan}), "refs", "rewrite", str(HOME / "mapping.yaml"), *TO, "--live"]
    words += [*more, "-s", served.source, "-t", served.database]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if possible():
        process: Any = Forked("runner", words, cwd=HOME, env=environment)
    else:
        command = [sys.executable, "-m", "tests.chaos.runner", *words]
        process = subprocess.Popen(
            command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
    said, _ = process.communicate(timeout=SECONDS)
    return process.wait(), said


def free(database: str) -> None:
    """Wait until the server has noticed that a killed process is gone."""
    give_up_at = time.monotonic() + 20
    while True:
        lease = Lease(database)
        try:
            lease.acquire()
        except TargetError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            lease.release()


def settled(database: str) -> Counter[tuple[Any, ...]]:
    """The log of what was written, without what differs from run to run."""
    with psycopg.connect(database) as connection:
        return Counter(
            connection.execute(
                "SELECT collection, source_id, path::text, old_value, new_text, state, reason FROM isthmus.rewrite_log"
            ).fetchall()
        )


STAGES = [("planned", 2), ("updated", 5), ("before-commit", 9), ("settled", 12), ("checkpoint", 6)]
BACK = [("put-back", 1), ("undo-before-commit", 3), ("undone", 5)]


@pytest.mark.timeout(300)
def test_a_rewrite_that_is_killed_at_several_instants_comes_to_the_same_and_so_does_its_undoing(
    at_phase: Callable[[int], Served],
) -> None:
    served = at_phase(1)
    rewritten, before = served.stages[2].by_id(), served.stages[1].by_id()
    for stage, number in STAGES:
        killed(served, f"rewrite.{stage}", number)
        assert served.words()[2] == "interrupted"
        assert served.documents() != rewritten
    assert served.phase("run", "2").code == 1
    assert served.documents() == rewritten
    assert settled(served.database) == settled(served.stages[2].database)
    assert served.phase("verify", "2").code == 0
    for stage, number in BACK:
        killed(served, f"rewrite.{stage}", number, "--undo")
        assert served.words()[2] != "not begun"
        assert served.documents() != before
    assert served.phase("undo", "2", "--live").code == 0
    assert served.documents() == before
    assert served.words()[2] == "not begun"


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_killed_at_20_instants_it_comes_to_the_same_and_so_does_its_undoing(
    at_phase: Callable[[int], Served], postgres: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    served = at_phase(1)
    rewritten, before = served.stages[2].by_id(), served.stages[1].by_id()
    wanted = settled(served.stages[2].database)
    instants: list[list[tuple[str, int]]] = []
    for more, code in (((), 1), (("--undo",), 0)):
        log = tmp_path / f"stages{len(instants)}"
        ended = rewrite(served, {"log": str(log)}, *more)
        assert ended[0] == code, ended[1]
        instants.append(twenty(log.read_text(encoding="ascii").split()))
        assert served.documents() == (before if more else rewritten)
    record_property("killed_at", instants)
    for there, back in zip(*instants, strict=True):
        database = twin_of(postgres, served.stages[1].database)
        try:
            one = replace(served, database=database)
            killed(one, *there)
            assert one.phase("run", "2").code == 1, there
            assert one.documents() == rewritten, there
            assert settled(database) == wanted, there
            killed(one, *back, "--undo")
            undone, at_its_end = one.phase("undo", "2", "--live"), back == instants[1][-1]
            assert (undone.code, "undone already" in undone.said) == ((5, True) if at_its_end else (0, False)), back
            assert one.documents() == before, back
            assert one.words()[2] == "not begun", back
            if at_its_end:
                assert one.phase("run", "2").code == 1
                assert one.documents() == rewritten
        finally:
            drop_database(postgres, database)


def twenty(stages: list[str]) -> list[tuple[str, int]]:
    """Instants at even distances, from the first to the last: each a stage, and the how-manieth time it is reached."""
    chosen = [number * (len(stages) - 1) // 19 for number in range(20)]
    assert len(set(chosen)) == 20
    return [(stages[at], stages[: at + 1].count(stages[at])) for at in chosen]
