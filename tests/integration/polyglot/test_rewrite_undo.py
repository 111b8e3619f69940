"""Rewrites put back from their own log, taken up again, stopped, and killed at named instants.

Oracle: the documents as they were planted, byte by byte; an undisturbed rewrite. A killed process is a real one, ended
by SIGKILL. Cannot see: a death of either server.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from isthmus.errors import TargetError
from isthmus.polyglot.rewrite import live, run, undo
from isthmus.polyglot.rewrite.result import RewriteResult
from isthmus.state.lease import Lease
from tests.chaos.sessions import ROOT
from tests.forkserver import Forked, possible
from tests.integration.copy.carrying import listening, oid
from tests.integration.polyglot.rewriting import (
    POSTS,
    REFS,
    USERS,
    Ref,
    Rewriting,
    totals,
)

KILLED = -9


def test_an_undo_puts_back_every_byte_and_a_redo_works(world: Rewriting) -> None:
    for _ in range(2):
        assert totals(world.rewrite()) == {"changed": REFS}
        counted = world.rewrite(live=False, undo=True)
        assert totals(counted) == {"would_restore": REFS}
        assert world.there() == world.expected()
        result = world.rewrite(undo=True)
        assert totals(result) == {"restored": REFS}
        assert (result.outcome, result.exit_code) == ("complete", 0)
        assert world.there() == world.planted()
        assert {line[6] for line in world.log()} == {"undone"}
    assert totals(world.rewrite(undo=True)) == {}


def test_only_chosen_collections_and_tables_are_put_back(world: Rewriting) -> None:
    world.rewrite()
    assert totals(world.rewrite(undo=True, only=[USERS])) == {"restored": 3}
    assert totals(world.rewrite(undo=True, to=["posts"])) == {"restored": 6}
    world.mapping = "isthmus: 1\ncollections: {nothing: {fields: {x: text}}}"  # the log knows where it wrote
    assert totals(world.rewrite(undo=True)) == {"restored": REFS - 9}
    assert world.there() == world.planted()


def test_what_a_writer_changed_since_is_left_alone_and_told(world: Rewriting) -> None:
    world.rewrite()
    world.set(POSTS, oid(103), set={"the author": "somebody else"})
    world.set(POSTS, oid(101), unset={"coAuthors": 1}, push={"friends": {"$each": ["new"], "$position": 0}})
    world.mongo.client[world.mongo.name][POSTS].delete_one({"_id": oid(102)})
    for live_, left, code in ((False, "left_alone", 1), (True, "left_alone", 1), (True, "left_before", 0)):
        result = world.rewrite(undo=True, live=live_)
        told = totals(result)
        assert {name: told[name] for name in (left, "gone")} == {left: 5, "gone": 2}
        assert result.exit_code == code
        assert {one.outcome for one in result.listed if one.path == "the author"} >= {left}
    assert told == {"left_before": 5, "gone": 2}, "a second undo has nothing to do"
    assert Counter(line[6] for line in world.log()) == {"undone": REFS - 7, "left": 5, "gone": 2}
    assert world.one(POSTS, oid(103))["the author"] == "somebody else"
    assert world.one(POSTS, oid(101))["friends"] == ["new", oid(4), str(oid(5)), 7, "näme's", None]
    world.set(POSTS, oid(103), set={"the author": oid(1)})
    assert totals(world.rewrite())["changed"] == REFS - 6
    told = totals(world.rewrite(undo=True))
    assert told == {"restored": REFS - 6, "left_before": 4, "gone": 2}, "what was written since is not told again"


def test_nothing_was_written_is_no_trouble(world: Rewriting) -> None:
    assert totals(world.rewrite(undo=True, live=False)) == totals(world.rewrite(undo=True)) == {}


def test_two_rewrites_of_one_place_go_back_to_what_stood_before_the_last(world: Rewriting) -> None:
    world.rewrite()
    world.set(POSTS, oid(103), set={"the author": str(oid(5))})
    assert totals(world.rewrite()) == {"changed": 1, "canonical": REFS - 1}
    assert totals(world.rewrite(undo=True)) == {"restored": REFS}
    assert world.one(POSTS, oid(103))["the author"] == str(oid(5))
    assert {line[6] for line in world.log()} == {"undone"}


def stopped(world: Rewriting, at: str, number: int, **how: Any) -> RewriteResult:
    """Rewrite, and ask it to stop at an instant."""
    stop, seen = threading.Event(), 0

    def listen(stage: str) -> None:
        nonlocal seen
        seen += stage == at
        if seen == number:
            stop.set()

    with listening(listen):
        return world.rewrite(stop=stop, **how)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rewrite read and plan little at once."""
    monkeypatch.setattr(run, "BLOCK_BYTES", 300)
    monkeypatch.setattr(live, "DOCUMENTS", 1)
    monkeypatch.setattr(undo, "DOCUMENTS", 1)


@pytest.mark.usefixtures("small")
def test_one_that_was_stopped_goes_on_and_comes_to_the_same(world: Rewriting) -> None:
    first = stopped(world, "rewrite.settled", 2)
    assert (first.outcome, first.exit_code) == ("interrupted", 130)
    assert 0 < totals(first)["changed"] < REFS
    second = world.rewrite()
    assert second.resumed
    assert second.rewrite == first.rewrite
    assert totals(second) == {"changed": REFS}
    assert second.documents == {USERS: 12, POSTS: 5}
    assert world.there() == world.expected()
    halfway = stopped(world, "rewrite.undone", 1, undo=True)
    assert (halfway.outcome, halfway.exit_code) == ("interrupted", 130)
    assert totals(halfway)["restored"] + totals(world.rewrite(undo=True))["restored"] == REFS
    assert world.there() == world.planted()


@pytest.mark.usefixtures("small")
def test_another_scope_begins_anew_and_an_undo_ends_what_was_stopped(world: Rewriting) -> None:
    stopped(world, "rewrite.settled", 2)
    other = world.rewrite(only=[USERS])
    assert not other.resumed
    assert totals(other) == {"canonical": 3}
    stopped(world, "rewrite.settled", 1)
    world.rewrite(undo=True)
    assert world.there() == world.planted()
    last = world.rewrite()
    assert (last.resumed, totals(last)) == (False, {"changed": REFS})
    outcomes = [row[0] for row in world.do("SELECT outcome FROM isthmus.rewrite ORDER BY id")]
    assert outcomes == ["replaced", "complete", "undone", "complete"]


def test_a_document_with_more_values_than_one_update_replaces_is_changed_in_steps(
    world: Rewriting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (live, undo):
        monkeypatch.setattr(module, "MOST_VALUES", 2)
    world.set(POSTS, oid(101), push={"friends": {"$each": ["nobody", oid(1)]}})
    assert totals(world.rewrite()) == {"changed": REFS + 1, "unmapped": 1}
    assert totals(world.rewrite()) == {"canonical": REFS + 1, "unmapped": 1}
    world.set(POSTS, oid(101), set={"the author": "theirs"})
    assert totals(world.rewrite(undo=True)) == {"restored": REFS, "left_alone": 1}
    world.set(POSTS, oid(101), set={"the author": oid(1)}, pop={"friends": 1})
    world.set(POSTS, oid(101), pop={"friends": 1})
    assert world.there() == world.planted()


class Kills:
    """Rewrites of one world that processes of their own do, and are killed at."""

    plan: dict[str, Any]

    def __init__(self, world: Rewriting, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.plan = {"rewrite": [300, 2]}
        (folder / "mapping.yaml").write_text(world.mapping, encoding="utf-8")

    def run(self, *more: str, **plan: Any) -> tuple[int, str]:
        """Run the command; return the exit code, negative for a signal, and what was said."""
        process = self.begin(*more, **plan)
        text, _ = process.communicate(timeout=60)
        return process.wait(), text

    def begin(self, *more: str, **plan: Any) -> Forked | subprocess.Popen[str]:
        """Begin the command; see `tests.chaos.runner` for its plan."""
        words = [json.dumps({**self.plan, **plan}), "refs", "rewrite", "mapping.yaml", "--live", *more]
        words += ["-s", self.world.mongo.url, "-t", self.world.target]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if possible():
            return Forked("runner", words, cwd=self.folder, env=environment)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.runner", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def reset(self) -> None:
        """Bring documents and state to where they were before any rewrite."""
        self.world.begin_anew(self.world.templates, self.world.mapping)

    def free(self) -> None:
        """Wait until the server has noticed that a killed process is gone."""
        give_up_at = time.monotonic() + 20
        while True:
            lease = Lease(self.world.target)
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


@pytest.fixture
def kills(world: Rewriting, tmp_path: Path) -> Kills:
    """Return a world with more posts, to be killed at."""
    more = [
        {
            "_id": oid(200 + n),
            "title": f"q{n}",
            "the author": Ref(f"u{1 + n % 9}"),
            "friends": [Ref("u1"), Ref("u2", str)],
        }
        for n in range(12)
    ]
    world.plant_more(POSTS, more)
    return Kills(world, tmp_path)


def assert_all_rewritten(kills: Kills, log: list[tuple[Any, ...]], result: RewriteResult) -> None:
    assert kills.world.there() == kills.world.expected()
    assert kills.world.log() == log
    assert totals(result) == {"changed": len(log)}
    assert result.documents == {USERS: 12, POSTS: 17}


STAGES = [("planned", 1), ("planned", 4), ("updated", 1), ("before-commit", 2), ("settled", 3), ("checkpoint", 5)]
BACK = [("put-back", 1), ("undone", 2)]
MORE_STAGES = [("updated", 5), ("before-commit", 6), ("settled", 1), ("checkpoint", 1), ("checkpoint", 2)]
MORE_BACK = [("put-back", 3), ("undo-before-commit", 2), ("undo-before-commit", 4)]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("there", "and_back"), [(STAGES, BACK), pytest.param(MORE_STAGES, MORE_BACK, marks=pytest.mark.soak)]
)
def test_killed_at_any_stage_it_goes_on_to_the_same_end_and_back(
    kills: Kills, monkeypatch: pytest.MonkeyPatch, there: list[tuple[str, int]], and_back: list[tuple[str, int]]
) -> None:
    for module, name, value in ((run, "BLOCK_BYTES", 300), (live, "DOCUMENTS", 2), (undo, "DOCUMENTS", 2)):
        monkeypatch.setattr(module, name, value)
    kills.world.rewrite()
    log = kills.world.log()
    assert {line[6] for line in log} == {"done"}
    for stage, number in there:
        kills.reset()
        code, text = kills.run(kill=[f"rewrite.{stage}", number])
        assert code == KILLED, f"{stage} {number}: {text}"
        assert kills.world.there() != kills.world.expected()
        kills.free()
        result = kills.world.rewrite()
        assert_all_rewritten(kills, log, result)
        assert result.resumed
    for stage, number in and_back:
        code, text = kills.run("--undo", kill=[f"rewrite.{stage}", number])
        assert code == KILLED, f"{stage} {number}: {text}"
        kills.free()
        assert kills.world.rewrite(undo=True).exit_code == 0
        assert kills.world.there() == kills.world.planted()
        assert {line[6] for line in kills.world.log()} == {"undone"}
        kills.reset()
        kills.world.rewrite()


def test_ctrl_c_ends_it_behind_the_documents_in_hand(kills: Kills) -> None:
    flag = kills.folder / "paused"
    process = kills.begin(pause=["rewrite.planned", 3, str(flag)])
    while not flag.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.2)
    flag.unlink()
    text, _ = process.communicate(timeout=60)
    assert process.wait() == 130, text
    assert "Run the same command again to go on from here." in text
    assert {line[6] for line in kills.world.log()} == {"done"}
    assert kills.world.rewrite().exit_code == 0
    assert kills.world.there() == kills.world.expected()


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_killed_before_any_statement_it_goes_on_to_the_same_end(kills: Kills) -> None:
    kills.world.rewrite()
    log, number = kills.world.log(), 0
    while True:
        number += 1
        kills.reset()
        code, text = kills.run(statement=number)
        kills.free()
        if code == 0:
            break
        assert code == KILLED, text
        code, text = kills.run()
        assert code == 0, text
        assert kills.world.there() == kills.world.expected()
        assert kills.world.log() == log
    assert number > 50, number
