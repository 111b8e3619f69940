"""Routes with a second field for one of their columns (`field`): taken where the route leads to another column.

Oracle: the references planted in the documents; books and rows of retries as in `retrying`; every layer of verify.
"""

from __future__ import annotations

from typing import Any

import pytest
from bson import DBRef

from isthmus.verify.result import LAYERS, Verified
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.copy.retrying import as_copied_anew, retry
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import named, verified

MAPPING = """
isthmus: 1
naming: keep
ids: IDS
collections:
  Comments:
    fields:
      n: integer
      about:
        first_of: [about, "own.tâsk"]
        route: {Tasks: {column: task}, CRM Tasks: {column: "crm tâsk", field: "own.tâsk"}}
        on_orphan: ACTION
      lines:
        child: lines
        fields:
          at: {first_of: [at, own], route: {Tasks: {column: a}, CRM Tasks: {column: b, field: own}}, on_orphan: "null"}
  Tasks: {fields: {n: {type: integer, coerce: COERCE}}}
  CRM Tasks: {fields: {n: {type: integer, coerce: COERCE}}}
"""
NULL = MAPPING.replace("IDS", "uuid").replace("ACTION", '"null"').replace("COERCE", "false")
TASKS = [{"_id": oid(10 + n), "n": 10 + n} for n in range(3)]
CRM = [*({"_id": oid(20 + n), "n": 20 + n} for n in range(3)), {"_id": "it's 23", "n": 23}, {"_id": oid(10), "n": 29}]
GONE = oid(99)

# what the documents hold (about, own), and which numbers the two columns then refer to; None for NULL
CASES: list[tuple[Any, Any, int | None, int | None]] = [
    (oid(10), None, 10, None),
    (oid(20), None, None, 20),
    (None, oid(20), None, 20),
    (oid(10), oid(20), 10, 20),
    (oid(11), str(oid(21)), 11, 21),
    (oid(11), "it's 23", 11, 23),
    (oid(11), DBRef("CRM Tasks", oid(22)), 11, 22),
    (oid(11), DBRef("Tasks", oid(12)), 11, None),
    (oid(11), oid(12), 11, None),  # no CRM task
    (oid(11), GONE, 11, None),
    (oid(11), [oid(20)], 11, None),
    (oid(11), 5, 11, None),
    (oid(20), oid(20), None, 20),
    (oid(12), oid(12), 12, None),
    (oid(20), oid(21), None, 20),  # the route leads there itself
    (GONE, oid(20), None, None),
    (None, GONE, None, None),
    (str(oid(10)), oid(10), 10, 29),  # one id of two collections
    (None, None, None, None),
]


def differs(about: Any, own: Any) -> bool:
    return about is not None and own is not None and about != own


def comment(number: int, about: Any, own: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"_id": oid(100 + number), "n": number, "own": {}}
    line: dict[str, Any] = {}
    if about is not None:
        document["about"] = line["at"] = about
    if own is not None:
        document["own"] = {"tâsk": own}
        line["own"] = own
    return {**document, "lines": [{}, line]}


COMMENTS = [comment(number, about, own) for number, (about, own, *_) in enumerate(CASES)]
ROWS = 'SELECT c.n, t.n, k.n FROM {} LEFT JOIN "Tasks" t ON t.id = {} LEFT JOIN "CRM Tasks" k ON k.id = {} ORDER BY 1'


def write(world: World, tasks: Any = TASKS, crm: Any = CRM) -> None:
    world.write({"Comments": COMMENTS, "Tasks": tasks, "CRM Tasks": crm})


def columns(world: World) -> list[tuple[Any, ...]]:
    return world.rows(ROWS.format('"Comments" c', "c.task", 'c."crm tâsk"'))


def lines(world: World) -> list[tuple[Any, ...]]:
    joined = '"Comments" c JOIN lines l ON l."Comments_id" = c.id AND l.position = 1'
    return world.rows(ROWS.format(joined, "l.a", "l.b"))


EXPECTED = [(number, task, crm) for number, (_, _, task, crm) in enumerate(CASES)]


def all_layers(world: World, mapping: str = NULL) -> Verified:
    return verified(Made(world.conninfo, world.folder, mapping), LAYERS)


@pytest.mark.parametrize("ids", ["uuid", "cuid2"])
def test_the_field_is_taken_where_the_route_leads_elsewhere_and_stays_in_extras(world: World, ids: str) -> None:
    mapping = NULL.replace("ids: uuid", f"ids: {ids}")
    write(world)
    result = world.copy(mapping)
    balanced(result)
    assert result.exit_code == 0
    assert columns(world) == EXPECTED == lines(world)
    kept = world.column("SELECT n FROM \"Comments\" WHERE extras #> '{own,tâsk}' IS NOT NULL ORDER BY 1")
    assert kept == [number for number, (about, own, *_) in enumerate(CASES) if differs(about, own)]
    assert result.balance is not None
    assert result.balance.extras["Comments.own.tâsk"] == len(kept)
    books = result.balance.references["Comments.task|crm tâsk"]
    given = [case for case in CASES if case[0] is not None or case[1] is not None]
    assert (books.values, books.resolved, books.orphans) == (len(given), len(given) - 2, 2)
    verdict = all_layers(world, mapping)
    assert verdict.passed, verdict.differences
    assert world.copy(mapping).exit_code == 0


def test_an_id_that_nothing_has_still_costs_its_document(world: World) -> None:
    write(world)
    mapping = NULL.replace('        on_orphan: "null"\n', "        on_orphan: dead_letter\n")
    balanced(world.copy(mapping))
    lost = {15, 16}
    assert world.codes() == {str(oid(100 + number)): "orphan" for number in lost}
    assert columns(world) == [row for row in EXPECTED if row[0] not in lost]
    verdict = all_layers(world, mapping)
    assert verdict.passed, verdict.differences


@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE "Comments" SET "crm tâsk" = NULL WHERE n = 3',
        'UPDATE "Comments" SET "crm tâsk" = (SELECT id FROM "CRM Tasks" WHERE n = 22) WHERE n = 3',
        'UPDATE "Comments" SET "crm tâsk" = (SELECT id FROM "CRM Tasks" WHERE n = 22) WHERE n = 8',
        'UPDATE "Comments" SET task = NULL WHERE n = 3',
    ],
)
def test_damage_is_named(world: World, damage: str) -> None:
    write(world)
    world.copy(NULL)
    world.rows(damage)
    column = "task" if "SET task" in damage else "crm tâsk"
    assert ("Comments", column) in named(all_layers(world), "samples")
    world.rows('ALTER TABLE "Comments" DROP CONSTRAINT "Comments_crm tâsk_fkey"')
    world.rows('UPDATE "Comments" SET "crm tâsk" = gen_random_uuid() WHERE n = 4')
    assert ("Comments", "crm tâsk") in named(all_layers(world), "references")


@pytest.mark.parametrize(
    "stage", ["finish.routes-before-commit", "finish.routes-after-commit", "finish.before-complete"]
)
def test_a_copy_that_ended_on_the_way_goes_on(world: World, stage: str) -> None:
    write(world)

    def end(reached: str) -> None:
        if reached == stage:
            raise _EndedError

    with listening(end), pytest.raises(_EndedError):
        world.copy(NULL)
    balanced(world.copy(NULL))
    assert columns(world) == EXPECTED == lines(world)


class _EndedError(Exception):
    """What ends a copy on the way."""


def test_letters_that_are_carried_later_take_and_are_taken(world: World) -> None:
    tasks = [{**one, "n": str(one["n"])} if one["n"] == 11 else one for one in TASKS]
    crm = [{**one, "n": str(one["n"])} if one["n"] == 20 else one for one in CRM]
    write(world, tasks, crm)
    world.write({"Comments": [*COMMENTS, {**comment(50, oid(10), oid(22)), "n": "50"}]})
    balanced(world.copy(NULL))
    assert len(world.letters()) == 3
    loose = NULL.replace("coerce: false", "coerce: true").replace("n: integer", "n: {type: integer, coerce: true}")
    result = retry(world, loose)
    assert (result.left, result.unrestored) == ([], {})
    assert columns(world) == [*EXPECTED, (50, 10, 22)]
    assert lines(world) == [*EXPECTED, (50, 10, 22)]
    verdict = all_layers(world, loose)
    assert verdict.passed, verdict.differences
    as_copied_anew(world, loose)


def test_a_joined_document_is_the_one_that_stays(world: World) -> None:
    mapping = NULL.replace("CRM Tasks: {fields: {n: {", "CRM Tasks: {on_duplicate: merge, fields: {n: {unique: true, ")
    write(world, crm=[*CRM, {"_id": oid(27), "n": 20}])
    world.write({"Comments": [*COMMENTS, comment(50, oid(10), oid(27))]})
    balanced(world.copy(mapping))
    assert columns(world) == [*EXPECTED, (50, 10, 20)]
    verdict = all_layers(world, mapping)
    assert verdict.passed, verdict.differences


THERE = """
CREATE TABLE "Tasks" (id uuid PRIMARY KEY, n integer);
CREATE TABLE "CRM Tasks" (id uuid PRIMARY KEY, n integer UNIQUE);
CREATE TABLE "Comments" (id uuid PRIMARY KEY, n integer, task uuid REFERENCES "Tasks",
  "crm tâsk" uuid REFERENCES "CRM Tasks" EXTRAS);
CREATE TABLE lines ("Comments_id" uuid REFERENCES "Comments", position integer, a uuid REFERENCES "Tasks",
  b uuid REFERENCES "CRM Tasks", PRIMARY KEY ("Comments_id", position));
"""


@pytest.mark.parametrize("extras", ["", ", extras jsonb"])
def test_tables_that_exist_take_it_too(world: World, extras: str) -> None:
    mapping = NULL.replace("naming: keep", "naming: keep\ntarget: {tables: existing}").replace(
        "CRM Tasks: {fields", "CRM Tasks: {match: [[n]], fields"
    )
    world.rows(THERE.replace(" EXTRAS", extras))
    own = "11111111-2222-4333-8444-555555555555"
    world.rows('INSERT INTO "CRM Tasks" VALUES (%s, 20)', own)
    tasks = [{**one, "n": str(one["n"])} if one["n"] == 11 else one for one in TASKS]
    crm = [{**one, "n": str(one["n"])} if one["n"] == 21 else one for one in CRM]
    write(world, tasks, crm)
    balanced(world.copy(mapping))
    verdict = all_layers(world, mapping)
    assert verdict.passed, verdict.differences
    assert str(world.one('SELECT "crm tâsk" FROM "Comments" WHERE n = 3')) == own
    loose = mapping.replace("coerce: false", "coerce: true")
    retry_existing(world, loose)
    assert columns(world) == EXPECTED == lines(world)
    verdict = all_layers(world, loose)
    assert verdict.passed, verdict.differences
    world.rows('UPDATE "Comments" SET "crm tâsk" = NULL WHERE n = 3')
    assert not all_layers(world, loose).passed


def test_collections_that_are_carried_one_after_the_other(world: World) -> None:
    mapping = NULL.replace("naming: keep", "naming: keep\ntarget: {tables: existing}")
    world.rows(THERE.replace(" EXTRAS", ", extras jsonb"))
    write(world)
    balanced(world.copy(mapping, only=("Tasks", "CRM Tasks")))
    balanced(world.copy(mapping, only=("Comments",)))
    assert columns(world) == EXPECTED == lines(world)
    verdict = all_layers(world, mapping)
    assert verdict.passed, verdict.differences


def retry_existing(world: World, mapping: str) -> None:
    from isthmus.mapping import parse_mapping
    from isthmus.transfer.letters.retry import retry_letters

    result = retry_letters(parse_mapping(mapping), world.conninfo, mapping_text=mapping)
    assert (result.left, result.unrestored) == ([], {})
