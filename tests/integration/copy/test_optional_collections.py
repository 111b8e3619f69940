"""Source collections that may be missing (`optional`).

Oracle: what the dump holds; sentences and exit codes as the documentation has them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from isthmus.errors import SourceError
from isthmus.verify.result import LAYERS
from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import World, balanced, listening, oid
from tests.integration.verify.made import Made
from tests.integration.verify.test_layers import verified

MAPPING = """
isthmus: 1
collections:
  campaigns:
    from: {cam paigns: {old: false}, cämpains: {old: true}}
    optional: [cämpains]
    constants: {old: boolean}
    fields: {name: text!, next: {references: cämpains, on_orphan: "null"}}
"""
ONE = [{"_id": oid(1), "name": "a"}, {"_id": oid(2), "name": "b", "next": oid(11)}]
OLD = [{"_id": oid(11), "name": "c"}]
REMARK = "holds no collection cämpains; the mapping says that it may be missing."


class _EndedError(Exception):
    """What ends a copy on the way."""


def remarks(world: World) -> list[str]:
    return [note for note in world.notes if "may be missing" in note]


def passes(world: World, mapping: str = MAPPING) -> None:
    result = verified(Made(world.conninfo, world.folder, mapping), LAYERS)
    assert result.passed, result.differences


def test_a_missing_one_is_read_as_empty_and_told_in_one_line(world: World) -> None:
    world.write({"cam paigns": ONE})
    result = world.copy(MAPPING)
    balanced(result)
    assert result.exit_code == 0
    assert [REMARK in note for note in remarks(world)] == [True]
    assert result.balance is not None
    assert result.balance.collections["cämpains"].read == 0
    assert world.rows("SELECT name, old, next IS NULL FROM campaigns ORDER BY 1") == [
        ("a", False, True),
        ("b", False, True),
    ]
    passes(world)
    assert world.copy(MAPPING).exit_code == 0


def test_one_that_is_there_is_carried_and_not_spoken_of(world: World) -> None:
    world.write({"cam paigns": ONE, "cämpains": OLD})
    result = world.copy(MAPPING)
    balanced(result)
    assert remarks(world) == []
    assert world.rows("SELECT name, old FROM campaigns WHERE old") == [("c", True)]
    assert world.one("SELECT c.name FROM campaigns a JOIN campaigns c ON c.id = a.next") == "c"
    passes(world)


def test_files_that_have_come_or_gone_make_another_source_as_of_any_collection(world: World) -> None:
    world.write({"cam paigns": ONE})
    balanced(world.copy(MAPPING))
    world.write({"cämpains": OLD})
    with pytest.raises(SourceError, match="it has the collection cämpains") as caught:
        world.copy(MAPPING)
    assert caught.value.code == "source-differs"
    balanced(world.copy(MAPPING, fresh=True))
    for one in world.folder.glob("c*mpains*"):
        one.unlink()
    with pytest.raises(SourceError, match="it lacks the collection cämpains") as caught:
        world.copy(MAPPING)
    assert caught.value.code == "source-differs"


def from_server(world: World, mongo: MongoDatabase) -> World:
    return replace(world, folder=cast("Any", mongo.url))


def test_one_that_appears_on_a_server_behind_a_finished_copy_is_told(world: World, mongo: MongoDatabase) -> None:
    live = from_server(world, mongo)
    mongo.write({"cam paigns": ONE})
    balanced(live.copy(MAPPING))
    assert [REMARK in note for note in remarks(live)] == [True]
    mongo.write({"cämpains": OLD})
    result = live.copy(MAPPING)
    assert result.exit_code == 1
    assert result.changes is not None
    assert (result.changes.new, result.changes.named) == (1, {"cämpains": [str(oid(11))]})


@pytest.mark.parametrize("stage", ["begin.after-commit", "finish.before-complete"])
def test_one_that_appears_on_a_server_while_the_copy_is_stopped(world: World, mongo: MongoDatabase, stage: str) -> None:
    live = from_server(world, mongo)
    mongo.write({"cam paigns": ONE})

    def end(reached: str) -> None:
        if reached == stage:
            raise _EndedError

    with listening(end), pytest.raises(_EndedError):
        live.copy(MAPPING)
    mongo.write({"cämpains": OLD})
    result = live.copy(MAPPING)
    balanced(result)
    if stage == "begin.after-commit":  # nothing of it was read yet
        assert world.one("SELECT count(*) FROM campaigns") == 3
        assert result.exit_code == 0
        result = verified(Made(world.conninfo, live.folder, MAPPING), LAYERS)
        assert result.passed, result.differences
    else:
        assert world.one("SELECT count(*) FROM campaigns") == 2
        assert live.copy(MAPPING).exit_code == 1


@pytest.mark.parametrize(
    "mapping",
    [
        MAPPING.replace("    optional: [cämpains]\n", ""),
        MAPPING.replace("optional: [cämpains]", "optional: cam paigns"),
    ],
)
def test_one_that_may_not_be_missing_stays_refused(world: World, mapping: str) -> None:
    world.write({"cam paigns": ONE})
    with pytest.raises(SourceError) as caught:
        world.copy(mapping)
    assert [(one.code, one.where.collection) for one in caught.value.problems] == [("no-such-collection", "cämpains")]
    assert not world.has_state()


def test_a_source_in_which_all_of_them_are_missing_is_empty(world: World) -> None:
    world.write({"elsewhere": []})
    text = 'isthmus: 1\ncollections: {A: {optional: A}, "*": {skip: other}}\n'
    with pytest.raises(SourceError) as caught:
        world.copy(text)
    assert caught.value.code == "empty-source"


def test_saying_so_later_does_not_make_another_mapping(world: World) -> None:
    world.write({"cam paigns": ONE, "cämpains": OLD})
    balanced(world.copy(MAPPING.replace("    optional: [cämpains]\n", "")))
    assert world.copy(MAPPING).exit_code == 0
