"""What may go wrong in the middle of a switch: writers can write again, and nothing is left that nobody knows of.

MongoDB that goes away and comes back, errors of any kind, Ctrl-C while a server works, a validator that changes late.
Oracle: the rows of isthmus.switch; the catalog of MongoDB. Cannot see: a server that is there and does not answer.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pymongo.monitoring
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from isthmus.connect.mongo import MongoServer, open_server
from isthmus.polyglot.switch import ledger as ledger_rows
from isthmus.polyglot.switch.carrier import Compared
from isthmus.polyglot.switch.fence import Fence
from isthmus.polyglot.switch.late import Late
from isthmus.polyglot.switch.ledger import Ledger, held
from isthmus.polyglot.switch.place import Place
from isthmus.polyglot.switch.rows import Move
from isthmus.polyglot.switch.run import Mover, Settings
from isthmus.polyglot.switch.session import causal, settle
from isthmus.state.switches import LOCK
from isthmus.work import stages
from tests.fix_mongo import WireServer, database_url
from tests.integration.switch.test_switch_command import OWN, WITH, Command
from tests.integration.switch.world import PEOPLE, TABLE, World

QUOTED = TABLE.replace('"', '""')
STANDS = "SELECT home, frozen_at IS NULL FROM isthmus.switch WHERE collection = %s"


@pytest.fixture
def command(tmp_path: Path, world: World) -> Command:
    return Command(tmp_path, world)


@pytest.fixture
def on_own_server(tmp_path: Path, world: World, own_mongo: WireServer) -> Iterator[Command]:
    """Commands for a MongoDB that may be ended."""
    with own_mongo.client() as client:
        yield Command(tmp_path, World(world.conninfo, database_url(own_mongo.url, "app"), client["app"]))


def filled(world: World, number: int = 3) -> None:
    world.documents.create_collection(PEOPLE, validator=OWN)
    world.people.insert_many([{"_id": f"p{one:04}", "bio": "x"} for one in range(number)])


def test_mongodb_that_goes_away_in_run_and_comes_back(
    on_own_server: Command, own_mongo: WireServer, tmp_path: Path
) -> None:
    """Behind the fence writers could not write, so they are kept waiting until somebody says otherwise."""
    command, world = on_own_server, on_own_server.world
    filled(world)
    runs = world.runs(tmp_path)
    with runs.begin("run", *WITH, pause=("switch.fenced", 1)) as session:
        session.wait_until_paused()
        own_mongo.stop()  # behind a kill the wire server may have lost the fence, whatever it confirmed
        session.go_on()
        ended = session.ended()
    assert (ended.code, "may still be frozen" in ended.words, "isthmus switch cancel" in ended.words) == (3, True, True)
    assert world.do(STANDS, PEOPLE) == [("mongodb", False)]
    ran = command.run("status")
    assert (ran.code, "MongoDB was not asked" in " ".join(ran.err.split())) == (1, True), ran.all
    assert command.run("cancel", PEOPLE).code == 3
    assert world.do(STANDS, PEOPLE) == [("mongodb", False)]
    code, found = command.json("cancel", PEOPLE, "--no-fence")
    assert (code, found["fence"], "until isthmus switch cancel lowers it" in found["note"]) == (0, "left", True)
    assert world.do(STANDS, PEOPLE) == [("mongodb", True)]
    assert command.json("status")[1]["outcome"] == "fence-left"
    own_mongo.start()
    with pytest.raises(PyMongoError, match="validation"):
        world.people.insert_one({"_id": "refused"})
    assert command.json("cancel", PEOPLE)[1]["fence"] == "lowered"
    assert (command.validator(), command.run("status").code) == (OWN, 0)
    assert command.run("run", PEOPLE, *WITH).code == 0
    assert len(world.rows()) == 3


def test_mongodb_that_goes_away_in_back_keeps_nobody_waiting(
    on_own_server: Command, own_mongo: WireServer, tmp_path: Path
) -> None:
    command, world = on_own_server, on_own_server.world
    filled(world)
    assert command.run("run", PEOPLE, *WITH).code == 0
    runs = world.runs(tmp_path)
    for stage in ("switch.frozen", "switch.fenced"):
        with runs.begin("back", *WITH, pause=(stage, 1)) as session:
            session.wait_until_paused()
            own_mongo.kill()
            session.go_on()
            ended = session.ended()
        assert (ended.code, "Writers may write again. No fence in MongoDB" in ended.words) == (3, True), ended.text
        assert world.do(STANDS, PEOPLE) == [("postgres", True)]
        own_mongo.start()
    world.documents.command({"collMod": PEOPLE, "validator": OWN})  # the server may have lost the fence's end, or not
    code, found = command.json("status")
    assert (code, found["outcome"], command.validator()) == (1, "fence-missing", OWN)
    assert command.json("cancel", PEOPLE)[1]["fence"] == "raised"
    assert (command.run("status").code, command.validator() == OWN) == (0, False)
    assert command.run("back", PEOPLE, *WITH).code == 0
    assert (command.validator(), world.people.count_documents({})) == (OWN, 3)


@pytest.mark.parametrize("killed_at", ["switch.cancel-lowered", "switch.cancel-thawed"])
def test_cancel_that_is_killed_is_done_again(command: Command, tmp_path: Path, killed_at: str) -> None:
    world = command.world
    filled(world)
    runs, back = world.runs(tmp_path), killed_at == "switch.cancel-thawed"
    if back:
        assert command.run("run", PEOPLE, *WITH).code == 0
    assert runs.run("back" if back else "run", *WITH, kill=["switch.fenced", 1]).code == -signal.SIGKILL
    assert runs.run("cancel", kill=[killed_at, 1]).code == -signal.SIGKILL
    assert command.run("status").code == 1
    code, found = command.json("cancel", PEOPLE)
    assert (code, found["outcome"], found["home"]) == (0, "cancelled", "postgres" if back else "mongodb")
    assert world.do(STANDS, PEOPLE) == [(found["home"], True)]
    assert (command.run("status").code, command.validator() == OWN) == (0, not back)


def test_a_fence_that_comes_late_is_found_and_lifted(command: Command, tmp_path: Path) -> None:
    """A collMod that the server had in hand, while its command was cancelled."""
    world = command.world
    filled(world)
    assert world.runs(tmp_path).run("run", *WITH, kill=["switch.fenced", 1]).code == -signal.SIGKILL
    late = command.validator()
    assert command.run("cancel", PEOPLE).code == 0
    world.documents.command({"collMod": PEOPLE, "validator": late})
    ran = command.run("status")
    assert (ran.code, "a fence refuses every write" in " ".join(ran.out.split())) == (1, True), ran.all
    assert command.run("status", MONGODB_URI="").code == 0, "PostgreSQL alone does not know"
    assert command.json("cancel", PEOPLE)[1]["fence"] == "lowered"
    assert command.validator() == OWN
    world.documents.command({"collMod": PEOPLE, "validator": late})
    world.do("DELETE FROM isthmus.switch_move")
    world.do("DELETE FROM isthmus.switch")
    world.do(f'TRUNCATE "{QUOTED}"')
    code, found = command.json("status")
    assert (code, found["outcome"], found["other_fences"]) == (1, "fence-left", [PEOPLE])
    assert command.run("cancel", PEOPLE).code == 0
    assert command.validator() == OWN
    world.documents.command({"collMod": PEOPLE, "validator": late})
    assert command.run("run", PEOPLE, *WITH).code == 0
    assert command.run("back", PEOPLE, *WITH).code == 0
    assert command.validator() == OWN, "what stood before a fence that was there already"


def test_a_fence_that_mongodb_refuses_or_does_not_come_to(on_own_server: Command, own_mongo: WireServer) -> None:
    command, world = on_own_server, on_own_server.world
    filled(world)
    with own_mongo.failing(["collMod"], errorCode=50):
        ran = command.refused("run", PEOPLE, *WITH, code="source-interrupted", exit_code=3)
    assert "Writers may write again" in ran.err
    with own_mongo.failing(["collMod"], errorCode=13):
        code, found = command.json("run", PEOPLE, *WITH)
    assert (code, found["fence"], "The guard alone keeps writers out." in found["notes"][0]) == (0, "none", True)
    assert command.json("status")[1]["collections"][PEOPLE]["fenced"] is False


class _Seen(pymongo.monitoring.CommandListener):
    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        self.commands.append(dict(event.command))

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        pass

    @contextmanager
    def server(self, world: World) -> Iterator[MongoServer]:
        """Give a server all whose commands are seen."""
        with MongoClient[dict[str, Any]](world.url, event_listeners=[self]) as client:
            yield MongoServer(client, None, "here", ())


def test_the_fence_is_on_a_majority_and_what_is_read_then_is_not_older(world: World) -> None:
    filled(world)
    seen = _Seen()
    with seen.server(world) as server, held(world.conninfo, PEOPLE) as ledger, causal(server) as session:
        assert Fence(server, world.documents.name, ledger, session).raise_() is None
        settle(server, world.documents.name, PEOPLE, session)
        Fence(server, world.documents.name, ledger, session).lower()
    changes = [one for one in seen.commands if "collMod" in one]
    assert len(changes) == 2
    assert all(one["maxTimeMS"] > 0 and one["writeConcern"]["w"] == "majority" for one in changes)
    (read,) = [one for one in seen.commands if "find" in one]
    assert read["readConcern"]["level"] == "majority"
    assert read["lsid"] == changes[0]["lsid"]
    assert read["readConcern"]["afterClusterTime"], "all that was acknowledged before"


def test_rows_that_could_not_go_back_are_found_before_anybody_waits(command: Command, tmp_path: Path) -> None:
    world = command.world
    filled(world)
    assert command.run("run", PEOPLE, *WITH).code == 0
    bad = f'UPDATE "{QUOTED}" SET document = document || \'{{"when": {{"$oid": "x"}}}}\' WHERE id <> \'p0000\''
    good = f"UPDATE \"{QUOTED}\" SET document = document - 'when'"
    world.do(bad)
    ran = command.refused("back", PEOPLE, *WITH, code="switch-unfit")
    assert ("2 values" in ran.err, "_id p0001" in ran.err, "Frozen" in ran.err) == (True, True, False)
    world.do(good)
    with world.runs(tmp_path).begin("back", *WITH, pause=("switch.fenced", 1)) as session:
        session.wait_until_paused()
        world.do(bad)
        session.go_on()
        ended = session.ended()
    assert (ended.code, "(switch-unfit)" in ended.text) == (1, True), ended.text
    assert world.do(STANDS, PEOPLE) == [("postgres", True)]
    assert command.json("status")[1]["outcome"] == "settled", "the fence stands again"


class _Breaks:
    """A carrier with a fault that nobody has thought of."""

    name = "table x"

    def table(self) -> None:
        return None

    def check(self, *_: str) -> None:
        pass

    def ahead(self, *_: str) -> None:
        return None

    def copy(self, *_: str) -> dict[str, int]:
        raise ZeroDivisionError


def mover(world: World, ledger: Ledger, server: Any, carrier: Any, said: list[str]) -> Mover:
    stop, name = threading.Event(), world.documents.name
    fence = Fence(server, name, ledger)
    settings = Settings("postgres", wait_seconds=5)
    return Mover(ledger, carrier, fence, Late(server, name, ledger, stop), lambda: None, settings, stop, said.append)


def test_an_error_that_nobody_has_thought_of_leaves_no_freeze(command: Command) -> None:
    world = command.world
    filled(world)
    server = open_server(world.url)
    said: list[str] = []
    try:
        with held(world.conninfo, PEOPLE) as ledger, pytest.raises(ZeroDivisionError):
            mover(world, ledger, server, _Breaks(), said).run()
    finally:
        server.close()
    assert said[-1] == "Not switched. Writers may write again."
    assert (world.do(STANDS, PEOPLE), command.validator()) == ([("mongodb", True)], OWN)


class _Carries(_Breaks):
    """A carrier that has nothing to carry."""

    def copy(self, *_: str) -> dict[str, int]:
        return {}

    def verify(self, *_: str) -> Compared:
        return Compared(0)


@pytest.mark.parametrize("stage", ["switch.flip-before-commit", "switch.flip-after-commit"])
def test_what_ends_a_switch_at_its_flip_takes_back_no_flip(command: Command, stage: str) -> None:
    """Ctrl-C twice, for example: what is committed is told, and kept, as it is."""
    world = command.world
    filled(world)
    server = open_server(world.url)
    said: list[str] = []

    def ends(at: str) -> None:
        if at == stage:
            raise KeyboardInterrupt

    stages.listeners.append(ends)
    try:
        with held(world.conninfo, PEOPLE) as ledger, pytest.raises(KeyboardInterrupt):
            mover(world, ledger, server, _Carries(), said).run()
    finally:
        stages.listeners.remove(ends)
        server.close()
    flipped = stage == "switch.flip-after-commit"
    assert ("Not switched. Writers may write again." in said) == (not flipped)
    assert world.do(STANDS, PEOPLE) == [("postgres" if flipped else "mongodb", True)]
    assert world.do("SELECT step FROM isthmus.switch_move") == [("flipped" if flipped else "cancelled",)]
    with held(world.conninfo, PEOPLE) as ledger:
        ledger.thaw(Move(1, "postgres", "flipped", announced=True, place=Place("table x")))
    assert world.do("SELECT step FROM isthmus.switch_move") == [("flipped" if flipped else "cancelled",)]


def test_deletes_of_the_outbox_are_looked_at_many_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from isthmus.polyglot.outbox import delete, enqueue
    from tests.integration.cli.conftest import run_command

    names = [f"p{one:04}" for one in range(7)]
    filled(world, 7)
    with psycopg.connect(world.conninfo) as connection:
        enqueue(connection, *(delete(PEOPLE, name) for name in names))
    env = {"POSTGRES_DIRECT_URL": world.conninfo, "MONGODB_URI": world.url}
    assert run_command(tmp_path, "outbox", "run", "--drain", env=env).code == 0
    world.people.insert_many([{"_id": name, "_isthmus": {"v": 0}} for name in names])
    world.people.insert_one({"_id": "new"})
    monkeypatch.setattr(ledger_rows, "_EVENTS", 3)
    seen = _Seen()
    with seen.server(world) as server, held(world.conninfo, PEOPLE) as ledger:
        Late(server, world.documents.name, ledger, threading.Event()).remove()
    assert [one["_id"] for one in world.people.find()] == ["new"]
    assert len([one for one in seen.commands if "delete" in one]) == 3


def stopped(world: World, folder: Path, when: str, *words: str) -> tuple[int, str, float]:
    """Run a switch, and interrupt it when SQL says so; return its code, its text and how long it took then."""
    with world.runs(folder).begin(*words) as session:
        give_up_at = time.monotonic() + 60
        while world.do(when) != [(True,)]:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        session.process.send_signal(signal.SIGINT)
        began = time.monotonic()
        ended = session.ended()
        return ended.code, ended.words, time.monotonic() - began


def test_ctrl_c_is_heard_while_the_server_makes_it_wait(world: World, tmp_path: Path) -> None:
    filled(world)
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    with psycopg.connect(world.conninfo) as writer:
        writer.execute(f'LOCK TABLE "{QUOTED}" IN EXCLUSIVE MODE'.encode())
        code, text, seconds = stopped(world, tmp_path, waits, "run", *WITH)
    assert (code, "Writers may write again" in text, seconds < 30) == (130, True, True), text
    with psycopg.connect(world.conninfo) as writer:
        writer.execute("SELECT 1 FROM isthmus.switch WHERE collection = %s FOR SHARE", (PEOPLE,))
        code, text, seconds = stopped(world, tmp_path, waits, "run", *WITH, "--wait-seconds", "600")
    assert (code, "Writers may write again" in text, seconds < 30) == (130, True, True), text
    assert world.do(STANDS, PEOPLE) == [("mongodb", True)]


def test_ctrl_c_is_heard_between_documents(world: World, tmp_path: Path) -> None:
    filled(world, 1_200)
    runs = world.runs(tmp_path)
    assert runs.run("run", *WITH).code == 0
    world.do(f'UPDATE "{QUOTED}" SET document = document || \'{{"bio": "new"}}\'')
    with runs.begin("back", *WITH, pause=("switch.written", 1)) as session:
        session.wait_until_paused()
        session.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        session.go_on()
        ended = session.ended()
    assert (ended.code, ended.stages["switch.written"]) == (130, 1), ended.text
    assert world.do(STANDS, PEOPLE) == [("postgres", True)]


def test_who_is_waited_for_is_named_and_nobody_else(command: Command) -> None:
    world = command.world
    filled(world)
    assert command.run("prepare", PEOPLE, "other").code == 0
    hold = "SELECT 1 FROM isthmus.switch WHERE collection = %s FOR SHARE"
    with (
        psycopg.connect(world.conninfo, application_name="guilty") as guilty,
        psycopg.connect(world.conninfo, application_name="innocent") as innocent,
    ):
        guilty.execute(hold, (PEOPLE,))
        innocent.execute(hold, ("other",))
        ran = command.refused("run", PEOPLE, *WITH, "--wait-seconds", "1.5", code="switch-writers")
    assert ("guilty (pid" in ran.err, "innocent" in ran.err) == (True, False), ran.err


@pytest.mark.parametrize("goal", ["run", "back"])
def test_a_process_that_was_replaced_writes_nothing(world: World, tmp_path: Path, goal: str) -> None:
    """It stood still while its session was ended and another one took the move over."""
    filled(world)
    runs = world.runs(tmp_path)
    if goal == "back":
        assert runs.run("run", *WITH).code == 0
        world.do(f"DELETE FROM \"{QUOTED}\" WHERE id = 'p0000'")
    pause = ("switch.begun" if goal == "run" else "switch.fenced", 1)
    with runs.begin(goal, *WITH, pause=pause) as session:
        session.wait_until_paused()
        world.do(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
            LOCK,
        )
        with held(world.conninfo, PEOPLE) as second:
            move = second.open_move()
            assert move is not None
            second.go_on(move, move.place.carrier, None)
            session.go_on()
            ended = session.ended()
    assert (ended.code, "Writers may write again" in ended.text) == (4, False), ended.text
    assert (len(world.rows()), world.people.count_documents({})) == ((0, 3) if goal == "run" else (2, 3))
