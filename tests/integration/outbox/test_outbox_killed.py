"""Relays that are killed between claim, write, mark and commit: each event has its effect once, in order.

Oracle: the documents that the events come to, counted by the test. Cannot see: a death of MongoDB that loses what it
had acknowledged, which majority write concern is there against.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from isthmus.polyglot.outbox import delete, insert, put, update
from tests.integration.outbox.world import PEOPLE, World


def story(number: int) -> list[Any]:
    """Return events of one document of every kind; applied twice, or in another order, they come to something else."""
    return [
        insert(PEOPLE, number, {"n": 1, "steps": "a"}),
        update(PEOPLE, number, increment={"n": 1}),
        delete(PEOPLE, number),
        put(PEOPLE, number, {"n": 10, "list": ["x", "y", "x"]}),
        update(PEOPLE, number, increment={"n": 5}, set={"last": number}),
        update(PEOPLE, number, increment={"n": 5}, pull={"list": "x"}, where={"list": "x"}),
    ]


EVENTS = 6


@pytest.mark.parametrize(
    ("stage", "nth"),
    [
        *(("outbox.written", nth) for nth in (3, 9, 11)),
        *((stage, nth) for stage in ("outbox.before-commit", "outbox.after-commit") for nth in (1, 2)),
        ("outbox.claimed", 1),
        pytest.param("outbox.claimed", 2, marks=pytest.mark.soak),
        *(pytest.param("outbox.written", nth, marks=pytest.mark.soak) for nth in range(1, 25) if nth not in {3, 9, 11}),
    ],
)
def test_relay_killed_at_a_stage(world: World, tmp_path: Path, stage: str, nth: int) -> None:
    documents = 4
    world.enqueue(*(event for number in range(documents) for event in story(number)))
    relays = world.relays(tmp_path)
    ended = relays.run("--drain", kill=[stage, nth])
    if ended.stages[stage] < nth:
        assert ended.code == 0, ended.text
    else:
        assert ended.code == -signal.SIGKILL, ended.text
    again = relays.run("--drain")
    assert again.code == 0, again.text
    assert ended.stages["outbox.written"] + again.stages["outbox.written"] == documents * EVENTS, "done once each"
    assert world.open_events() == []
    assert world.there() == {number: {"n": 20, "last": number, "list": ["y"]} for number in range(documents)}


@pytest.mark.parametrize("nth", [3, 14])
def test_relay_killed_between_writes_is_followed_by_one_that_runs(world: World, tmp_path: Path, nth: int) -> None:
    world.enqueue(*(event for number in range(4) for event in story(number)))
    relays = world.relays(tmp_path)
    with relays.begin(kill=["outbox.written", nth]) as first, relays.begin("--poll-seconds", "0.1") as second:
        give_up_at = time.monotonic() + 30
        while world.open_events():
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        first.process.terminate()
        assert first.ended(30).code in {-signal.SIGKILL, 0}  # the other one may have been faster
        second.process.terminate()
        ended = second.ended(30)
    assert ended.code == 0, ended.text
    assert world.open_events() == []
    assert world.there() == {number: {"n": 20, "last": number, "list": ["y"]} for number in range(4)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_relay_that_is_told_to_stop_finishes_the_event_in_hand(world: World, tmp_path: Path, number: int) -> None:
    world.enqueue(*(event for one in range(4) for event in story(one)))
    relays = world.relays(tmp_path)
    with relays.begin("--json", str(tmp_path / "r.json"), pause=("outbox.written", 3)) as session:
        session.wait_until_paused()
        session.process.send_signal(number)
        session.go_on()
        ended = session.ended(30)
    assert ended.code == 0, ended.text
    assert ended.stages["outbox.written"] == 3
    assert len(world.open_events()) == 4 * EVENTS - 3
    assert '"applied": 3' in (tmp_path / "r.json").read_text(encoding="utf-8")
    assert '"outcome": "stopped"' in (tmp_path / "r.json").read_text(encoding="utf-8")
