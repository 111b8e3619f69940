"""The core takes every plan that a good mapping compiles to; what it does with documents is `tests/oracle`'s."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from isthmus._rust import Transcoder
from isthmus.errors import MappingError
from isthmus.mapping import ddl, keys, parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.schema import json_schema
from isthmus.mapping.tables import build_schema, pending_tables

EVERYTHING = r"""
isthmus: 1
enums: {kind: [home, work]}
collections:
  people:
    from: {People2020: {year: 2020}, People2021: {year: 2021}}
    when: {active: true}
    constants: {year: integer!, origin: {type: kind!, value: work, index: true}, since: {type: date, value: 2020-01-31}}
    key: [email]
    on_duplicate: merge
    skip: [{when: {gone: true}, why: bin}]
    fields:
      _id: {column: person_id}
      email: {type: text!, normalise: [trim, lower]}
      name: {first_of: [name, profile.name, [a, ""]], type: text}
      state: {type: boolean, values: {Active: true, Inactive: false, 1: true, "1": false, 2.5: null, "*": null}}
      price: {type: "numeric(5,2)", values: {none: 0, half: 0.5}}
      first_phone: {path: phones, element: 0, of: number, type: text, others: unused}
      last_phone: {path: phones, element: -1, of: number, type: text, coerce: true, others: unused}
      kinds: {flags: {isHome: home, isWork: work}, type: "kind[]", default: [home]}
      kind1: {flags: {is1: home, is.2: work}, type: kind, coerce: true}
      roles: {to_flags: {admin: is_admin, editor: {column: is_editor, default: false, index: true}, viewer: }}
      tags: {type: "text[]", normalise: lower, values: {x: null, "*": y}}
      friends: {references: people, type: "uuid[]", index: true, on_orphan: drop, coerce: true}
      country: {references: countries.code, required: true}
      country2: {path: country2, references: countries.code, type: text, normalise: trim}
      owner: {route: {companies: owner_company, teams: {column: owner_team, index: true}}, on_orphan: dead_letter}
      org: {references: teams.slug, type: "text[]"}
      orgs: {references: countries.code, type: "bigint[]"}
      second: {path: refs, element: 1, references: countries.code}
      visits:
        child: visits
        fields:
          country: {references: countries.code, required: true}
          stops: {child: stops, fields: {ends: {references: countries.code, type: "bigint[]"}, to: {junction: pc}}}
      accounts: {junction: pc}
      lone: {references: lonely}
      loneKey: {references: lonely.code}
  others: {from: [People2020, People2021], when: {active: {missing: true}}, table: other, key: none, fields: {a: text}}
  rest: {from: People2021, table: other, key: none, extras: extras}
  countries: {ids: keep, fields: {_id: bigint, code: {type: text!, unique: true, normalise: trim, coerce: true}}}
  companies: {}
  teams: {fields: {slug: text}, indexes: [{columns: slug, unique: true}]}
  lonely: {key: code, fields: {code: integer!}}
  chained: {key: lone, fields: {lone: {references: lonely, required: true}}}
  end: {fields: {chained: {references: chained}}}
junctions:
  pc: {person_id: people, country_id: countries.code}
"""


@pytest.mark.parametrize("name", sorted(compile_plans(parse_mapping(EVERYTHING))))
def test_core_takes_the_plan(name: str) -> None:
    Transcoder(compile_plans(parse_mapping(EVERYTHING))[name], bytes(32), 0)


def test_route_that_must_be_found_says_so_in_the_plan() -> None:
    text = "isthmus: 1\ncollections:\n  U: {}\n  V: {}\n  A: {fields: {a: {route: {U: u, V: v}, required: true}}}\n"
    (shape,) = json.loads(compile_plans(parse_mapping(text))["A"])["shapes"]
    assert shape["fields"] == [
        {"path": ["a"], "do": "route", "table": 0, "columns": [1, 2], "required": True},
        {"path": ["_isthmus"], "do": "drop"},
    ]


def _places(tree: Any) -> Iterator[Any]:
    """Every map and list of a YAML tree that holds something."""
    inner = list(tree.values()) if isinstance(tree, dict) else list(tree) if isinstance(tree, list) else []
    if inner:
        yield tree
    for value in inner:
        yield from _places(value)


WORDS = sorted({word for name, words in vars(keys).items() if name.endswith("_KEYS") for word in words})
VALUES: list[Any] = [
    *(
        "people",
        "countries.code",
        "teams",
        "lonely",
        "text",
        "text!",
        "uuid[]",
        "jsonb",
        "kind",
        "none",
        "trim",
        "drop",
    ),
    *(
        "merge",
        "email",
        "code",
        "People2020",
        "id",
        "other",
        "visits",
        "pc",
        "keep",
        True,
        None,
        0,
        -1,
        [],
        {},
        ["email"],
    ),
]


def _change(random: Random, tree: Any) -> None:
    """Take something away, put something else there, or put it under another key."""
    places = list(_places(tree))
    place = random.choice(places)
    value = random.choice([*VALUES, *(v for p in places for v in (p.values() if isinstance(p, dict) else p))])
    if isinstance(place, list):
        place[random.randrange(len(place))] = deepcopy(value)
        return
    key = random.choice(list(place))
    match random.randrange(4):
        case 0:
            del place[key]
        case 1:
            place[key] = deepcopy(value)
        case 2:
            place[random.choice(WORDS)] = deepcopy(value)
        case _:
            place[random.choice(WORDS)] = place.pop(key)


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**63))
def test_changed_mapping_ends_in_problems_or_in_tables_and_plans_that_run(seed: int) -> None:
    """What `check` lets through is good: nothing behind it refuses, neither the JSON Schema nor the core."""
    random = Random(seed)
    yaml = cast("Any", YAML(typ="safe", pure=True))
    yaml.sort_base_mapping_type_on_output = False
    tree = yaml.load(EVERYTHING)
    for _ in range(random.choice([1, 1, 2])):
        _change(random, tree)
    text = io.StringIO()
    yaml.dump(tree, text)
    try:
        mapping = parse_mapping(text.getvalue())
    except MappingError:
        return
    assert Draft202012Validator(json_schema()).is_valid(tree)
    schema = build_schema(mapping)
    assert ddl.render(schema)
    compile(ddl.render_sqlalchemy(schema), "target.py", "exec")
    names = [table.name for table in pending_tables(mapping)]
    assert len(set(names)) == len(names)
    for plan in compile_plans(mapping).values():
        Transcoder(plan, bytes(32), 0)
