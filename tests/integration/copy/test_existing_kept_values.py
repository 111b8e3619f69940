"""What a copy noted of rows that it kept follows what Isthmus itself brings to them later.

Oracle: nobody else writes to the target, so a verification must find nothing.
"""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.mapping import parse_mapping
from isthmus.transfer.existing import kept_values
from isthmus.transfer.job import Options as CopyOptions
from isthmus.transfer.letters.result import Choice
from isthmus.transfer.letters.retry import retry_letters
from isthmus.work.progress import Progress
from tests.integration.copy.carrying import World, balanced, oid

MAPPING = """
isthmus: 1
target: {tables: existing, on_conflict: keep_target}
collections:
  people:
    fields: {name: text, towns: {references: towns.code, type: "uuid[]", on_orphan: "null"}}
  towns: {fields: {code: {type: text, unique: true}, n: {type: integer, coerce: COERCE}}}
  others: {fields: {x: text}}
"""
TABLES = """
CREATE TABLE towns (id uuid PRIMARY KEY, code text UNIQUE, n integer);
CREATE TABLE people (id uuid PRIMARY KEY, name text, towns uuid[]);
CREATE TABLE others (id uuid PRIMARY KEY, x text)
"""
ONLY = ("people", "towns")


def differences(world: World, mapping: str) -> list[Any]:
    return [one for layer in world.verify(mapping).layers.values() for one in layer.differences]


@pytest.mark.parametrize("follows", [True, False])
def test_a_dead_letter_brings_what_a_kept_array_waits_for(
    world: World, monkeypatch: pytest.MonkeyPatch, follows: bool
) -> None:
    world.rows(TABLES)
    world.write(
        {
            "people": [{"_id": oid(n), "name": f"n{n}", "towns": ["a", "b"]} for n in (1, 2)],
            "towns": [{"_id": oid(11), "code": "a", "n": 1}, {"_id": oid(12), "code": "b", "n": "2"}],
            "others": [{"_id": oid(21), "x": "x"}],
        }
    )
    mapping, loose = MAPPING.replace("COERCE", "false"), MAPPING.replace("COERCE", "true")
    balanced(world.copy(mapping, only=("people",)))
    world.rows("UPDATE people SET name = 'theirs', towns = towns || gen_random_uuid() WHERE name = 'n1'")
    balanced(world.copy(mapping, only=ONLY))
    assert world.one("SELECT count(*) FROM isthmus.kept_value WHERE column_name = 'towns'") == 2
    assert differences(world, mapping) == []
    if not follows:
        monkeypatch.setattr(kept_values, "_follow", lambda _sides, _tables: None)
    result = retry_letters(
        parse_mapping(loose),
        world.conninfo,
        mapping_text=loose,
        choice=Choice(),
        options=CopyOptions(),
        progress=Progress(),
    )
    assert result.outcome == "complete"
    assert world.one("SELECT num_nulls(VARIADIC towns) FROM people WHERE name = 'theirs'") == 0
    found = {(one.layer, one.table, one.path) for one in differences(world, loose)}
    assert found == (set() if follows else {("checksum", "people", "towns")})
