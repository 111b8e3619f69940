"""The JSON Schema against the reader: what is good passes both, what has a wrong form fails both."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from isthmus.errors import MappingError
from isthmus.mapping import keys, parse_mapping
from isthmus.mapping.schema import json_schema, json_schema_text

GOOD = [
    "isthmus: 1\ncollections: {A: }\n",
    "isthmus: 1\ntarget:\npolicies:\nenums:\njunctions:\ncollections: {A: {fields: , constants: , indexes: []}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, index: false, unique: true}}}}\n",
    """
isthmus: 1
target: {schema: app, tables: create}
ids: cuid2
extras: dead_letter
extensions: [vector]
naming: keep
enums: {s: [a, b]}
policies: {nul: remove, utf8: replace, nan: null, range: infinity}
collections:
  U: {ids: keep, fields: {_id: bigint}}
  A:
    table: as
    ids: uuid
    extras: more
    skip:
      - why: w
        when: {a: 1, b: [x, null], c: {missing: true}, d: {"null": true}, e: {not: [1]}, f: {not: true}}
      - {when: {a: {$oid: 65f0a0000000000000000001}}, why: w}
    fields:
      _id: {column: key}
      a: text!
      b: {type: "numeric(3,1)", default: 1.5, default_for: [missing, null], coerce: true, unique: true, sensitive: true}
      c: {column: c2, references: U, on_orphan: null, index: true}
      d: {type: jsonb, default: {x: []}, rewrite: {"[].u": U}, policies: {nan: "null"}}
      e: {child: es, own: a_key, extras: dead_letter, fields: {f: s, g: {drop: no}}, indexes: [f], search: [f2]}
      h: {junction: au}
      i: {path: [x, ""], column: i, type: "text[]"}
      j.k: {type: date, required: true}
    indexes: [[a, b], {columns: a, unique: true, where: a > 'x', method: btree, name: n}]
    search: {columns: [a], language: german}
  "*": {skip: rest}
junctions:
  au: {columns: {u: U, a: A}, on_orphan: drop}
""".replace(", search: [f2]", ""),
    """
isthmus: 1
target: {schema: app, tables: existing, on_conflict: overwrite, rerun: tracked}
enums: {s: [x, y]}
collections:
  people:
    from: {P1: {year: 2020}, P2: {year: 2021}, P3: {year: 2022}}
    when: {kind: person}
    constants: {year: integer!, origin: {type: text, value: crm, index: true}}
    key: [email, year]
    on_duplicate: merge
    match: [[email], [name, born]]
    on_conflict: keep_target
    rerun: tracked
    fields:
      _id: {column: person_id}
      email: {type: text!, normalise: [trim, lower], unique: true}
      name: {first_of: [name, [profile, ""]], type: text, normalise: trim}
      born: {path: dates, element: 0, of: day, others: "not needed", type: date}
      state: {type: boolean, values: {Inactive: false, 1: true, "*": null}}
      mail: {type: text, expect: email}
      level: {type: integer, expect: {min: 1, max: 9}}
      ended: {type: date, expect: {not_before: born, max: "2030-01-01"}}
      kinds: {flags: {isX: x, isY: y}, type: "s[]", default: []}
      about: {type: jsonb, object: {a: about.a, "": [beside, ""]}, required: true}
      both: {type: jsonb, object: [about.b, zz]}
      roles: {to_flags: {admin: is_admin, editor: , viewer: {column: v, default: false, index: true, required: true}}}
      friends: {references: people, type: "uuid[]", on_orphan: drop, index: true}
      country: {references: countries.code, normalise: trim, coerce: true}
      owner:
        route: {countries: c_id, firms: {column: f_id, index: true, on_delete: null}}
        required: true
        on_orphan: dead_letter
      chief: {references: people, on_delete: restrict}
      rank: {type: integer, table_default: 3}
      owner2: {first_of: [x, y.z], route: {countries: c2, firms: f2}, sensitive: true}
      texts: {references: A C, type: "text[]", on_orphan: drop}
      text: {references: A C, type: text, unique: true}
      follower: {references: firms, on_update: cascade}
  others: {from: [P1, P2], key: none, fields: {a: text}}
  countries: {fields: {code: {type: text, unique: true}, people: {junction: pc}}}
  firms: {from: Firmen, key: no, fields: {_id: {column: id}, no: text!}}
  A C:
    from: [A, B]
    optional: [A, B]
    fields:
      to: {first_of: [u, [v, ""]], route: {firms: f, D: {column: d, field: [v, ""], on_update: restrict}}}
  D: {optional: D}
junctions: {pc: {person: people, country: countries}}
""",
]
BAD = [
    "isthmus: 2\ncollections: {A: {}}\n",
    "collections: {A: {}}\n",
    "isthmus: 1\ncollections: []\n",
    "isthmus: 1\ncollektions: {A: {}}\n",
    "isthmus: 1\nids: serial\ncollections: {A: {}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: 5}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, requird: true}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {required: true}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, required: 1}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {child: x}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {drop: x, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {skip: [{when: {}, why: x}]}}\n",
    "isthmus: 1\ncollections: {A: {skip: [{when: {a: null}, why: x}]}}\n",
    'isthmus: 1\ncollections: {A: {}, "*": {}}\n',
    "isthmus: 1\ncollections: {A: {}}\njunctions: {j: {a: A}}\n",
    "isthmus: 1\ncollections: {A: {}}\npolicies: {nul: replace}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: text}, indexes: [{column: a}]}}\n",
    "isthmus: 1\ncollections: {A: {from: []}}\n",
    "isthmus: 1\ncollections: {A: {optional: []}}\n",
    "isthmus: 1\ncollections: {A: {optional: true}}\n",
    "isthmus: 1\ntarget: {on_update: null}\ncollections: {A: {}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {references: A, on_update: delete}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {first_of: [a, b], route: {A: x, B: {field: b}}}}}, B: {}}\n",
    "isthmus: 1\ncollections: {A: {from: {}}}\n",
    "isthmus: 1\ncollections: {A: {when: {}}}\n",
    "isthmus: 1\ncollections: {A: {constants: {a: {value: 1}}}}\n",
    "isthmus: 1\ncollections: {A: {constants: {a: {type: text, value: null}}}}\n",
    "isthmus: 1\ncollections: {A: {key: []}}\n",
    "isthmus: 1\ncollections: {A: {on_duplicate: keep}}\n",
    "isthmus: 1\ntarget: {tables: existing}\ncollections: {A: {match: [a], fields: {a: text}}}\n",
    "isthmus: 1\ntarget: {tables: existing, rerun: all}\ncollections: {A: {}}\n",
    "isthmus: 1\ntarget: {tables: existing, on_conflict: drop}\ncollections: {A: {}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {first_of: [b], type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {first_of: [b, c], path: d, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {first_of: [b, c], element: 0, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {element: x, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {of: x, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {others: x, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {normalise: upper, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {normalise: [], type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {values: [], type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {expect: mail, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {expect: {}, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {expect: {least: 1}, type: integer}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {expect: email, references: A}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {flags: {x: 1}, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {flags: {x: X}, path: y, type: text}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {references: A, on_delete: drop}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {references: A, table_default: x}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, table_default: null}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {to_flags: {}}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {to_flags: {x: {default: 1}}}}}}\n",
    "isthmus: 1\ncollections: {A: {}, B: {fields: {a: {route: {A: x}}}}}\n",
    "isthmus: 1\ncollections: {A: {}, B: {fields: {a: {route: {A: x, B: {index: true}}}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: text}, search: {columns: [a], language: klingon}}}\n",
    "isthmus: 1\ncollections: {A: {when: {a: {$gt: 1}}}}\n",
    "isthmus: 1\ncollections: {A: {when: {a: [{$regex: x}]}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, default_for: [null]}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, default: x, default_for: []}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {references: A, values: {x: y}}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {references: A, default: x}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: jsonb, rewrite: {x: A}, values: {x: y}}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, flags: {x: X}, normalise: trim}}}}\n",
    "isthmus: 1\ncollections: {A: {fields: {a: {type: text, flags: {x: X}, values: {x: y}}}}}\n",
]


def plain(text: str) -> Any:
    return cast("Any", YAML(typ="safe", pure=True)).load(text)


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json_schema_text() == json_schema_text()
    assert json_schema_text().endswith("}\n")


@pytest.mark.parametrize("text", GOOD)
def test_good_mapping_passes_schema_and_reader(text: str) -> None:
    errors = [error.message for error in Draft202012Validator(json_schema()).iter_errors(plain(text))]
    assert not errors
    parse_mapping(text)


@pytest.mark.parametrize("text", BAD)
def test_bad_mapping_fails_schema_and_reader(text: str) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(plain(text))
    with pytest.raises(Exception, match="cannot be used"):
        parse_mapping(text)


WORDS = sorted({key for name, known in vars(keys).items() if name.endswith("_KEYS") for key in known} | {"", "a", "*"})
THINGS: list[Any] = [
    *(None, [], {}, 5, -1, 0, True, False, 1.5, "", "a", "text", "text!", "uuid[]", "none", "null", "now", "*", "_id"),
    *([None], ["a"], ["a", "b"], [["a"]], [{}], [""], {"a": 1}, {"a": None}, {"a": "b"}, {"": "a"}, {"$gt": 1}),
]


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every map and list of a mapping with every key or position in it."""
    entries = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in entries] + [place for _, value in entries for place in places(value)]


@given(data=st.data())
def test_what_the_reader_takes_the_schema_takes_too(data: st.DataObject) -> None:
    mapping = json.loads(json.dumps(plain(data.draw(st.sampled_from(GOOD)))))  # keys are texts, as editors see them
    for _ in range(data.draw(st.integers(1, 2))):
        around, key = data.draw(st.sampled_from(places(mapping)))
        change = data.draw(st.sampled_from(["replace", "add", "remove"]))
        thing = json.loads(json.dumps(data.draw(st.sampled_from(THINGS))))
        if change == "remove":
            del around[key]
        elif change == "add" and isinstance(around, dict):
            around[data.draw(st.sampled_from(WORDS))] = thing
        else:
            around[key] = thing
    try:
        parse_mapping(json.dumps(mapping))
    except MappingError:
        return
    assert [error.message for error in Draft202012Validator(json_schema()).iter_errors(mapping)] == []
