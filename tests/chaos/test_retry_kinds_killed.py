"""SIGKILL at the instants of a retry that delivers into tables that exist, or joins documents that are one thing.

Oracle: a retry that nothing disturbed, on a copy of the same database: rows, ledgers, books, catalog. Cannot see: what
is wrong in that one as well; tests/integration/copy/test_retry_existing.py and test_retry_merging.py look there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.chaos.retries import Retry, clone
from tests.chaos.sessions import Copy, Ended
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.chaos.stage_names import documented
from tests.fix_copies import KEY
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import oid

pytestmark = pytest.mark.slow  # every test runs whole sessions of the command

KILLED = -9
TOLD = {0, 1}  # some letters stay
STAGES = [stage for stage in documented() if stage.startswith(("retry.", "deliver."))]
TABLES = """
CREATE TABLE people (
  id uuid PRIMARY KEY, email text UNIQUE, n integer CHECK (n <> 13), note text, boss uuid REFERENCES people,
  mate uuid REFERENCES people, seen jsonb
);
CREATE TABLE phones (
  people_id uuid REFERENCES people, position integer, number text, PRIMARY KEY (people_id, position)
);
CREATE TABLE posts (id uuid PRIMARY KEY, n integer, writer uuid REFERENCES people);
CREATE TABLE likes (person uuid NOT NULL REFERENCES people, post uuid NOT NULL REFERENCES posts,
  PRIMARY KEY (person, post));
INSERT INTO people (id, email, n, note)
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n || '@x', -n, 'old'
FROM generate_series(2, 30, 4) AS n;
INSERT INTO phones SELECT id, 0, 'old' FROM people;
"""
FIELDS = """
    fields:
      email: {type: text, unique: true}
      n: {type: integer, coerce: COERCE}
      boss: {references: people, on_orphan: "null"}
      mate: {references: people, on_orphan: dead_letter}
      seen: {type: jsonb, rewrite: {"[].who": people}}
      phones: {child: phones, extras: dead_letter, fields: {number: text}}
      likes: {junction: likes}
  posts: {fields: {n: {type: integer, coerce: COERCE}, writer: {references: people.email, on_orphan: "null"}}}
junctions: {likes: {columns: {person: people, post: posts}, on_orphan: drop}}
"""
HEADS = {
    "existing": """
isthmus: 1
target: {tables: existing, on_conflict: overwrite, rerun: tracked}
collections:
  people:
    match: [[email]]""",
    "merging": """
isthmus: 1
collections:
  people:
    on_duplicate: merge""",
}


def documents(kind: str) -> dict[str, list[dict[str, object]]]:
    """Return people of whom every third is a letter; where they are joined, two of them have one address."""
    things = 20 if kind == "merging" else 30
    return {
        "people": [
            {
                "_id": oid(n),
                "email": f"{n % things}@x",
                "n": str(n) if n % 3 == 0 else n + 100,
                "boss": oid(n % 30 + 1),
                **({"mate": oid((n + 3) % 30 or 30)} if n % 6 == 0 else {}),
                "seen": [{"who": oid(n // 3 * 3)}, {"who": oid(99)}],
                "phones": [{"number": f"{n}-{k}"} for k in range(n % 3)],
                "likes": [oid(100 + n % 8), oid(100 + n % 5)],
            }
            for n in range(1, 31)
        ],
        "posts": [{"_id": oid(100 + n), "n": n if n % 2 else str(n), "writer": f"{n * 3}@x"} for n in range(8)],
    }


@dataclass(frozen=True)
class Copied:
    """A complete copy of one kind, with letters, and what an undisturbed retry of them comes to."""

    server: str
    target: str
    retry: Retry
    ended: Ended
    left: Snapshot


def of(copied: Copied, target: str, folder: Path) -> Retry:
    one = copied.retry
    return Retry(one.mapping, one.source, target, one.key, folder, plan=one.plan)


@pytest.fixture(scope="module", params=list(HEADS))
def copied(request: pytest.FixtureRequest, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    """Return a complete copy of one kind; its target is cloned, never written to."""
    kind = str(request.param)
    folder: Path = tmp_path_factory.mktemp(kind)
    for name, some in documents(kind).items():
        write_collection(folder / "dump", name, some)
    for name, coerce in (("begun", "false"), ("corrected", "true")):
        text = HEADS[kind] + FIELDS.replace("COERCE", coerce)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    key = folder / "id.key"
    key.write_text(KEY, encoding="ascii")
    target = create_database(postgres)
    try:
        if kind == "existing":
            with psycopg.connect(target, autocommit=True) as connection:
                connection.execute(TABLES.encode())
        first = Copy(folder / "begun.yaml", folder / "dump", target, key, folder, {}).run()
        assert "The books balance" in first.text, first.text
        other = clone(postgres, target)
        (folder / "undisturbed").mkdir()
        retry = Retry(
            folder / "corrected.yaml", folder / "dump", other, key, folder / "undisturbed", plan={"letters": 3}
        )
        ended = retry.run()
        assert ended.code in TOLD, ended.text
        left = snapshot(other, "public")
        drop_database(postgres, other)
        yield Copied(postgres, target, retry, ended, left)
    finally:
        drop_database(postgres, target)


@pytest.fixture
def make_retry(copied: Copied, tmp_path: Path) -> Iterator[Callable[[], Retry]]:
    """Return a function that makes a retry of letters of a fresh clone, dropped after the test."""
    made: list[str] = []

    def make() -> Retry:
        made.append(clone(copied.server, copied.target))
        folder = tmp_path / str(len(made))
        folder.mkdir()
        return of(copied, made[-1], folder)

    yield make
    for target in made:
        drop_database(copied.server, target)


def finish(retry: Retry, copied: Copied) -> None:
    """Let a retry go on to its end; assert that it leaves what an undisturbed one does."""
    ended = retry.run()
    assert ended.code in TOLD, ended.text
    difference = differences(snapshot(retry.target, "public"), copied.left)
    assert not difference, difference


def stages(copied: Copied) -> list[str]:
    return [stage for stage in STAGES if copied.ended.stages[stage]]


def test_undisturbed_retries_deliver_or_join(copied: Copied) -> None:
    assert "set again" in copied.ended.text
    if copied.left["ledger: row_state"]:
        assert {"deliver.between-tables", *(one for one in STAGES if one.startswith("retry."))} <= set(stages(copied))
    else:
        origins = [row for row in copied.left["ledger: id_map"] if "merged" in str(row)]
        assert len(origins) == 10


def test_retry_killed_at_every_stage_in_turn_then_equal(make_retry: Callable[[], Retry], copied: Copied) -> None:
    """One session after another on the same target, each killed one stage later than the one before."""
    retry = make_retry()
    killed: list[str] = []
    for stage in stages(copied):
        if retry.run(kill=[stage, 1]).code == KILLED:  # what was done before a kill is not done again
            killed.append(stage)
    assert {"retry.begun", "retry.before-commit", "retry.after-commit", "retry.end-before-commit"} <= set(killed)
    finish(retry, copied)


@pytest.mark.parametrize("example", range(2))
def test_retry_killed_at_any_statement_then_equal(
    example: int, make_retry: Callable[[], Retry], copied: Copied
) -> None:
    kill_anywhere(random.Random(example), make_retry(), copied)


def kill_anywhere(chance: random.Random, retry: Retry, copied: Copied) -> None:
    """Kill sessions before statements drawn by chance, later and later, until one comes to its end."""
    number = 0
    while True:
        number += chance.randint(5, 400)
        ended = retry.run(statement=number)
        if ended.code in TOLD:
            break
        assert ended.code == KILLED, ended.text
    finish(retry, copied)


@pytest.mark.soak
def test_retry_killed_at_every_occurrence_of_a_stage_then_equal(
    make_retry: Callable[[], Retry], copied: Copied
) -> None:
    for stage in stages(copied):
        for number in range(1, copied.ended.stages[stage] + 1):
            retry = make_retry()
            ended = retry.run(kill=[stage, number])
            assert ended.code == KILLED, ended.text
            ended = retry.run(kill=[stage, 1])
            assert ended.code in {KILLED, *TOLD}, ended.text
            finish(retry, copied)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
def test_retry_killed_at_random_instants_then_equal(part: int, make_retry: Callable[[], Retry], copied: Copied) -> None:
    chance = random.Random(1000 + part)
    for _ in range(10):
        kill_anywhere(chance, make_retry(), copied)
    for _ in range(10):
        retry = make_retry()
        for _ in range(3):
            ended = retry.run(after=chance.uniform(0, copied.ended.seconds))
            assert ended.code in {KILLED, *TOLD}, ended.text
        finish(retry, copied)
