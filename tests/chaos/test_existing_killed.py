"""SIGKILL at every instant of a delivery into tables that exist, also while their definitions are put back.

Oracle: an unkilled copy of the same source into the same tables: rows, ledgers and the catalog of the real tables.
Blind spot: what both do wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from tests.chaos.sessions import Copy
from tests.chaos.snapshot import Snapshot, differences, snapshot
from tests.chaos.stage_names import documented
from tests.fix_copies import KEY
from tests.fix_dumps import write_collection
from tests.fix_postgres import create_database, drop_database
from tests.integration.copy.carrying import oid

KILLED = -9
STAGES = [stage for stage in documented() if stage.startswith(("deliver.", "saved."))]
TABLES = """
CREATE TABLE people (id uuid PRIMARY KEY, email text UNIQUE, name text, boss uuid REFERENCES people);
CREATE INDEX people_name_idx ON people (name DESC) WHERE name IS NOT NULL;
COMMENT ON INDEX people_name_idx IS 'who';
CREATE TABLE phones (
  people_id uuid REFERENCES people, position integer, number text, PRIMARY KEY (people_id, position)
);
CREATE INDEX ON phones (number);
CREATE TABLE visits (id uuid PRIMARY KEY, person uuid REFERENCES people ON DELETE CASCADE, place text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN IF NEW.place = 'nowhere' THEN RAISE EXCEPTION 'no such place'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION refuse();
"""
ROWS = """
INSERT INTO people (id, email, name)
SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n || '@x', 'old'
FROM generate_series(1, 40, 3) AS n;
INSERT INTO phones SELECT id, 0, 'old' FROM people;
"""
MAPPING = """
isthmus: 1
target: {tables: existing, on_conflict: overwrite, rerun: tracked}
collections:
  people:
    match: [[email]]
    fields:
      email: text
      name: text
      boss: {references: people, on_orphan: "null"}
      phones: {child: phones, extras: dead_letter, fields: {number: text}}
  visits: {fields: {person: {references: people, on_orphan: "null"}, place: text}}
"""


@dataclass
class _Status(Copy):
    """`isthmus status` in the place of the copy."""

    def command(self, *options: str) -> list[str]:
        """Return the arguments of `isthmus`."""
        return ["status", "--target", self.target, *options]


@dataclass(frozen=True)
class Deliveries:
    """One source and two kinds of target: empty tables, and tables that hold rows.

    Attributes:
        copy: The command, for a target to be put in.
        server: Where targets are made.
        expected: Kind of target → what an unkilled copy leaves.
        often: Kind of target → how often an unkilled copy comes by each stage.
    """

    copy: Copy
    server: str
    expected: dict[str, Snapshot]
    often: dict[str, dict[str, int]]

    def target(self, kind: str) -> str:
        """Make a target."""
        conninfo = create_database(self.server)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute((TABLES + (ROWS if kind == "filled" else "")).encode())
        return conninfo


@pytest.fixture(scope="module")
def deliveries(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    folder: Path = tmp_path_factory.mktemp("deliveries")
    people = [
        {
            "_id": oid(n),
            "email": f"{n}@x",
            "name": f"name {n}",
            "boss": oid(n % 40 + 1),
            "phones": [{"number": f"{n}-{k}"} for k in range(n % 3)],
            "shoe": n,
        }
        for n in range(1, 41)
    ]
    visits = [
        {"_id": oid(100 + n), "person": oid(n % 45 + 1), "place": "here" if n % 17 else "nowhere"} for n in range(60)
    ]
    write_collection(folder / "dump", "people", people)
    write_collection(folder / "dump", "visits", visits)
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    (folder / "id.key").write_text(KEY, encoding="ascii")
    copy = Copy(folder / "mapping.yaml", folder / "dump", "", folder / "id.key", folder, {"worth_rows": 1})
    made = Deliveries(copy, postgres, {}, {})
    for kind in ("empty", "filled"):
        target = made.target(kind)
        (folder / kind).mkdir()
        ended = replace(copy, target=target, folder=folder / kind).run()
        assert "The books balance" in ended.text, ended.text
        made.expected[kind] = snapshot(target, "public")
        made.often[kind] = dict(ended.stages)
        drop_database(postgres, target)
    return made


@pytest.fixture
def make_copy(deliveries: Deliveries, tmp_path: Path) -> Iterator[Callable[[str], Copy]]:
    made: list[str] = []

    def make(kind: str) -> Copy:
        made.append(deliveries.target(kind))
        folder = tmp_path / str(len(made))
        folder.mkdir()
        return replace(deliveries.copy, target=made[-1], folder=folder)

    yield make
    for target in made:
        drop_database(deliveries.server, target)


def test_unkilled_deliveries_reach_every_stage_of_the_page(deliveries: Deliveries) -> None:
    assert set(STAGES) <= {stage for often in deliveries.often.values() for stage in often}


def kill_and_compare(deliveries: Deliveries, copy: Copy, kind: str, stage: str, number: int) -> None:
    """Kill a copy, and the next one at the same stage, and a status that puts definitions back; then go on."""
    ended = copy.run(kill=[stage, number])
    assert ended.code == KILLED, ended.text
    with psycopg.connect(copy.target) as connection:
        row = connection.execute("SELECT count(*) FROM isthmus.saved_ddl").fetchone()
        aside = row is not None and row[0] > 0
    if aside:
        status = _Status(copy.mapping, copy.source, copy.target, copy.key, copy.folder / "status")
        status.folder.mkdir()
        ended = status.run(kill=["saved.restored-before-commit", 1 if stage.startswith("saved.restored") else 2])
        assert ended.code == KILLED, ended.text
        ended = status.run()
        assert "Put back" in ended.text
        with psycopg.connect(copy.target) as connection:
            assert connection.execute("SELECT * FROM isthmus.saved_ddl").fetchall() == []
    ended = copy.run(kill=[stage, 1])
    if ended.code == KILLED:
        ended = copy.run()
    assert "The books balance" in ended.text, ended.text
    difference = differences(snapshot(copy.target, "public"), deliveries.expected[kind])
    assert not difference, difference


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ("saved.dropped-after-commit", "empty"),
        ("deliver.refused-before-commit", "filled"),
        ("deliver.before-commit", "filled"),
    ],
)
def test_killed_in_a_delivery_then_equal(
    deliveries: Deliveries, make_copy: Callable[[str], Copy], stage: str, kind: str
) -> None:
    kill_and_compare(deliveries, make_copy(kind), kind, stage, 1)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["empty", "filled"])
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_every_occurrence_of_a_stage_of_a_delivery_then_equal(
    deliveries: Deliveries, make_copy: Callable[[str], Copy], stage: str, kind: str
) -> None:
    for number in range(1, deliveries.often[kind].get(stage, 0) + 1):
        kill_and_compare(deliveries, make_copy(kind), kind, stage, number)
