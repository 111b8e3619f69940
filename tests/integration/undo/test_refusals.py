"""What an undo refuses before it looks at rows, whom it waits for, and that a death leaves all or nothing.

Oracle: what each test itself did; every row of every table before and after.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from isthmus.state.lease import LOCK
from isthmus.state.switches import LOCK as SWITCH
from tests.fix_postgres import until_free
from tests.integration.cli.conftest import COMMAND, Ran
from tests.integration.undo.conftest import copied_world
from tests.integration.undo.undoing import MAPPING, World


def refused(world: World, code: int, name: str, *words: object, conninfo: str = "") -> Ran:
    """Take back, dry and live; both are refused with a code."""
    before = world.everything()
    for flags in ((), ("--live",)):
        ran = world.run("undo", world.mapping, "-t", conninfo or world.conninfo, *words, *flags, "--retry-seconds", "1")
        assert (ran.code, name in ran.err) == (code, True), ran.all
    assert world.everything() == before
    return ran


def test_a_target_without_a_copy_and_names_that_are_none(world: World, carried: World) -> None:
    world.map(MAPPING)
    for flags in ((), ("--live",)):
        ran = world.run("undo", world.mapping, "-t", world.conninfo, *flags)
        assert (ran.code, "no-run" in ran.err) == (4, True)
    ran = refused(carried, 2, "no-such-entry", "--only", "Plaices")
    assert "Did you mean Places?" in ran.err


def test_tables_of_the_copys_own_and_rows_that_are_not_tracked(world: World, carried: World) -> None:
    world.map("isthmus: 1\ncollections: {people: {fields: {name: text}}}\n")
    ran = world.run("undo", world.mapping, "-t", world.conninfo)
    assert (ran.code, "undo-created" in ran.err, "copy --fresh" in ran.err) == (2, True, True)
    world.map(MAPPING.replace(", rerun: tracked", ""))
    ran = world.run("undo", world.mapping, "-t", carried.conninfo, "--only", "people")
    assert (ran.code, "undo-untracked" in ran.err) == (2, True)
    assert "The rows of people are not tracked" in ran.err


def test_another_mapping_than_the_one_the_rows_were_carried_with(world: World, carried: World) -> None:
    world.map(MAPPING.replace("said: text", 'said: {drop: "no use"}'))
    ran = world.run("undo", world.mapping, "-t", carried.conninfo)
    assert (ran.code, "mapping-changed" in ran.err) == (2, True), ran.all
    assert "SELECT mapping_text FROM isthmus.run WHERE id = 1" in ran.err


def test_triggers_that_fire_when_rows_are_deleted(carried: World) -> None:
    carried.do(
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';"
        'CREATE TRIGGER "on Update" BEFORE UPDATE ON trips FOR EACH ROW EXECUTE FUNCTION noted();'
        'CREATE TRIGGER "on Delete" BEFORE DELETE ON trips FOR EACH ROW EXECUTE FUNCTION noted()'
    )
    ran = refused(carried, 4, "delete-triggers")
    assert "on Delete" in ran.err
    assert "on Update" not in ran.err
    carried.do('ALTER TABLE trips DISABLE TRIGGER "on Delete"')
    assert carried.undo()["outcome"] == "done"


def test_rights_and_row_security_also_of_tables_that_refer(carried: World) -> None:
    role = 'u ndo "ü'
    quoted = sql.Identifier(role).as_string(None)
    carried.do(
        f"DROP ROLE IF EXISTS {quoted}; CREATE ROLE {quoted} LOGIN;"
        f"GRANT ALL ON SCHEMA public, isthmus TO {quoted};"
        f" GRANT ALL ON ALL TABLES IN SCHEMA public, isthmus TO {quoted};"
        'CREATE TABLE "Other\'s One".notes (id integer PRIMARY KEY, who uuid REFERENCES people ON DELETE CASCADE)'
    )
    other = make_conninfo(carried.conninfo, user=role)
    try:
        ran = refused(carried, 4, "no-right", conninfo=other)
        assert "Other's One.notes" in ran.err
        assert "GRANT" in ran.err
        carried.do(
            f'GRANT USAGE ON SCHEMA "Other\'s One" TO {quoted}; GRANT SELECT ON "Other\'s One".notes TO {quoted};'
            'ALTER TABLE "Other\'s One".notes ENABLE ROW LEVEL SECURITY'
        )
        refused(carried, 4, "row-security", conninfo=other)
        carried.do('ALTER TABLE "Other\'s One".notes DISABLE ROW LEVEL SECURITY')
        carried.do(f"REVOKE DELETE ON trips FROM {quoted}")
        ran = refused(carried, 4, "no-right", conninfo=other)
        assert "DELETE" in ran.err
        carried.do(f"GRANT DELETE ON trips TO {quoted}; ALTER TABLE people ENABLE ROW LEVEL SECURITY")
        refused(carried, 4, "row-security", conninfo=other)
        carried.do("ALTER TABLE people DISABLE ROW LEVEL SECURITY")
        ran = carried.run("undo", carried.mapping, "-t", other, "--live")
        assert ran.code == 0, ran.all
        assert carried.one("SELECT role FROM isthmus.undo") == role
    finally:
        carried.do(f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")


def test_a_copy_at_work_and_one_that_is_not_complete(carried: World) -> None:
    with psycopg.connect(carried.conninfo, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
        refused(carried, 4, "lease-held")
    carried.do("UPDATE isthmus.run SET stage = 'finishing'")
    ran = refused(carried, 4, "run-unfinished")
    assert "Go on with it" in ran.err


PAUSED = """
import sys
from isthmus.cli.main import main
from isthmus.work.stages import listeners
stage = sys.argv.pop(1)
def listen(name):
    if name == stage:
        print("there", flush=True)
        sys.stdin.readline()
listeners.append(listen)
main()
"""


def test_a_copy_that_holds_the_lease_and_the_same_copy_when_it_was_killed(world: World) -> None:
    world.prepare()
    words = ("copy", world.mapping, "-s", world.dump, "-t", world.conninfo)
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED, "deliver.before-commit", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as copying:
        assert copying.stdout is not None
        assert copying.stdout.readline() == "there\n"
        ran = world.run("undo", world.mapping, "-t", world.conninfo, "--live", "--retry-seconds", "1")
        assert (ran.code, "lease-held" in ran.err) == (4, True), ran.all
        copying.kill()
    until_free(world.conninfo)
    refused(world, 4, "run-unfinished")
    assert world.one("SELECT count(*) FROM people") == 0
    world.copy()
    assert world.undo()["outcome"] == "done"


def test_tables_that_are_partitioned_or_have_heirs_by_now(carried: World) -> None:
    carried.do("CREATE TABLE heir () INHERITS (trips)")
    refused(carried, 4, "inherited-table")
    carried.do(
        "DROP TABLE heir; ALTER TABLE follows RENAME TO follows_was; CREATE TABLE follows (follower uuid REFERENCES"
        " people, followed uuid REFERENCES people, PRIMARY KEY (follower, followed)) PARTITION BY HASH (follower);"
        'CREATE TABLE "follows 0" PARTITION OF follows FOR VALUES WITH (MODULUS 1, REMAINDER 0);'
        "INSERT INTO follows SELECT * FROM follows_was; DROP TABLE follows_was"
    )
    ran = refused(carried, 4, "not-a-table")
    assert "a partitioned table" in ran.err


def test_a_collection_that_lives_in_postgresql_or_is_on_its_way(carried: World) -> None:
    move = "INSERT INTO isthmus.switch_move (collection, goal, carrier, token, step, ended_at) VALUES ('people', "
    ends = "UPDATE isthmus.switch_move SET step = 'cancelled', ended_at = now()"
    carried.do("INSERT INTO isthmus.switch (collection) VALUES ('people'), ('Places')")
    carried.do(f"{move} 'postgres', 'mapping m', gen_random_uuid(), 'verified', NULL)")
    ran = refused(carried, 4, "switch-open")
    assert "isthmus switch cancel people" in " ".join(ran.err.split())
    carried.do(ends)
    with psycopg.connect(carried.conninfo, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, hashtext('people'))", (SWITCH,))  # a switch is at work
        assert carried.run("undo", carried.mapping, "-t", carried.conninfo).code == 0, "nothing is taken away"
        ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--live")
        assert (ran.code, "switch-held" in ran.err) == (4, True), ran.all
    carried.do("UPDATE isthmus.switch SET home = 'postgres' WHERE collection = 'people'")
    carried.do(f"{move} 'postgres', 'mapping m', gen_random_uuid(), 'flipped', now())")
    ran = refused(carried, 4, "lives-in-postgres")
    assert "isthmus switch back people" in " ".join(ran.err.split())
    refused(carried, 4, "lives-in-postgres", "--only", "people")
    carried.do(f"{move} 'mongodb', 'mapping m', gen_random_uuid(), 'verified', NULL)")
    refused(carried, 4, "switch-open")
    carried.do(ends + " WHERE goal = 'mongodb'")
    carried.do("UPDATE isthmus.switch_move SET carrier = 'table people' WHERE goal = 'postgres'")
    assert carried.run("undo", carried.mapping, "-t", carried.conninfo).code == 0, "its documents are elsewhere"
    carried.do("UPDATE isthmus.switch SET home = 'mongodb'")
    ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--live")
    assert ran.code == 0, ran.all


def test_definitions_that_a_dead_copy_set_aside(carried: World) -> None:
    carried.do(
        "INSERT INTO isthmus.saved_ddl (run_id, table_schema, table_name, kind, name, statements)"
        " VALUES (1, 'public', 'people', 'foreign-key', 'the key', '[]')"
    )
    refused(carried, 4, "definitions-missing")


def test_a_writer_is_waited_for_and_named(carried: World) -> None:
    with psycopg.connect(carried.conninfo) as writer:
        writer.execute("UPDATE \"Visits\" SET noted = 'x' WHERE false")
        ran = carried.run("undo", carried.mapping, "-t", carried.conninfo, "--live", "--retry-seconds", "1")
        assert (ran.code, "tables-in-use" in ran.err) == (4, True), ran.all
        assert carried.run("undo", carried.mapping, "-t", carried.conninfo).code == 0  # a look waits for nobody
    assert carried.undo()["outcome"] == "done"


AT_STAGE = """
import os, signal, sys, time
from isthmus.mapping import load_mapping
from isthmus.work.stages import listeners
from isthmus.transfer.undoing.undo import undo_copy
from pathlib import Path
conninfo, mapping, stage, what = sys.argv[1:]
def listen(name):
    if name == stage:
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        print("there", flush=True)
        sys.stdin.readline()
listeners.append(listen)
path = Path(mapping)
result = undo_copy(load_mapping(path), conninfo, mapping_text=path.read_text(), live=True)
print(result.outcome)
"""


def started(world: World, stage: str, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", AT_STAGE, world.conninfo, str(world.mapping), stage, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def died(world: World, stage: str) -> bool:
    with started(world, stage, "die") as process:
        process.communicate(timeout=60)
        return process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def undone(_carried: World, postgres: str) -> dict[str, list[str]]:
    """Return every row behind an undo that nothing disturbed."""
    with copied_world(postgres, _carried, "undisturbed") as world:
        assert world.undo()["outcome"] == "done"
        return world.everything()


@pytest.mark.parametrize("stage", ["undo.locked", "undo.waiting", "undo.removed", "undo.before-commit"])
def test_a_death_before_the_commit_leaves_everything(carried: World, undone: dict[str, list[str]], stage: str) -> None:
    before = carried.everything()
    assert died(carried, stage)
    until_free(carried.conninfo)
    assert carried.everything() == before
    assert carried.undo()["outcome"] == "done"
    assert carried.everything() == undone


def test_the_command_killed_at_any_instant_and_run_again_ends_the_same(
    carried: World, undone: dict[str, list[str]]
) -> None:
    before, ended = carried.everything(), 0
    words = [COMMAND, "undo", str(carried.mapping), "-t", carried.conninfo]
    began = time.monotonic()
    subprocess.run(words, capture_output=True, check=True)
    took = time.monotonic() - began
    for part in (0.3, 0.7, 0.9, 1, 1.15, 1.4):
        with subprocess.Popen([*words, "--live"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(took * part)
            except subprocess.TimeoutExpired:
                process.kill()
        until_free(carried.conninfo)
        now = carried.everything()
        assert now in (before, undone), "all or nothing"
        ended += now == undone
    assert ended < 6, "none was killed before its end"
    assert carried.undo()["outcome"] == ("nothing" if ended else "done")
    assert carried.everything() == undone


def test_a_death_behind_the_commit_leaves_it_done(carried: World) -> None:
    assert died(carried, "undo.after-commit")
    assert carried.one("SELECT count(*) FROM people") == 0
    assert carried.one("SELECT count(*) FROM isthmus.undo") == 1
    assert carried.undo()["outcome"] == "nothing"


def test_who_refers_to_a_row_meanwhile_waits_and_is_refused(carried: World) -> None:
    """The row of somebody else would have gone with it (CASCADE), had it slipped in between look and delete."""
    carried.do(
        'CREATE TABLE "Other\'s One".notes (id integer PRIMARY KEY, who uuid REFERENCES people ON DELETE CASCADE)'
    )
    caught: list[type[BaseException]] = []

    def refer() -> None:
        try:
            carried.do('INSERT INTO "Other\'s One".notes SELECT 1, id FROM people WHERE "full ""name" = \'Ann\'')
        except psycopg.errors.ForeignKeyViolation as fault:
            caught.append(type(fault))

    thread = threading.Thread(target=refer)
    with started(carried, "undo.removed", "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive()  # it stands in line
        assert carried.one("SELECT count(*) FROM people") == 3  # readers do not
        out, _ = process.communicate("\n", timeout=60)
    assert out == "done\n"
    thread.join(20)
    assert caught == [psycopg.errors.ForeignKeyViolation]
