"""Forms of the mapping language together in one mapping, carried into real tables.

Oracles: the Python path that shares no conversion with the core, for every row; and rows written down here by hand,
for what both could have misread alike.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fix_dumps import Documents
from tests.integration.copy.carrying import World, balanced, oid
from tests.oracle.copying import compared


@dataclass(frozen=True)
class Case:
    """A mapping, documents, and what some queries give afterwards; `letters` are codes by `_id` as text."""

    mapping: str
    documents: dict[str, Documents]
    expected: dict[str, list[tuple[Any, ...]]]
    letters: dict[str | None, str]


CASES = {
    "first_of, element and arrays that are references": Case(
        """
        isthmus: 1
        collections:
          U:
            fields:
              mail: {type: text, unique: true, normalise: [trim, lower]}
              code: {type: integer, unique: true, coerce: true}
          A:
            fields:
              n: integer
              owner: {first_of: [owner, created.by, old], references: U, on_orphan: "null"}
              mail: {first_of: [m1, m2], references: U.mail, column: by_mail, on_orphan: "null"}
              kept: {first_of: [k1, k2], references: U.code, type: integer, column: by_code, on_orphan: "null"}
              last: {path: history, element: -1, of: user, references: U, on_orphan: "null"}
              first: {path: history, element: 0, of: users, references: U, type: "uuid[]", on_orphan: "null"}
              mails: {references: U.mail, type: "text[]", on_orphan: drop}
              ids: {references: U.mail, type: "uuid[]", on_orphan: drop}
        """,
        {
            "U": [{"_id": oid(1), "mail": " A@x "}, {"_id": oid(2), "mail": "b@x", "code": "7"}],
            "A": [
                {
                    "_id": oid(10),
                    "n": 1,
                    "owner": None,
                    "created": {"by": oid(1)},
                    "old": oid(2),
                    "m2": "A@X",
                    "k1": 7,
                    "history": [{"user": oid(2), "users": [oid(1), oid(9), None]}, {"user": oid(1)}],
                    "mails": ["a@x", "B@X ", "zz", None, "a@x"],
                    "ids": ["a@x", "B@X ", "zz", None, "a@x"],
                },
                {
                    "_id": oid(11),
                    "n": 2,
                    "owner": oid(1),
                    "old": oid(1),
                    "m1": "zz",
                    "k2": "7",
                    "history": [],
                    "ids": [],
                },
                {"_id": oid(12), "n": 3, "history": None, "mails": None, "k1": 8},
                {"_id": oid(13), "n": 4, "k1": "x"},
            ],
        },
        {
            "SELECT a.n, o.mail, m.mail, by_code, l.mail, mails, cardinality(ids), a.extras - 'history' FROM a"
            " LEFT JOIN u o ON o.id = owner LEFT JOIN u m ON m.id = by_mail LEFT JOIN u l ON l.id = last ORDER BY n": [
                (1, "a@x", "a@x", 7, "a@x", ["a@x", "b@x", None, "a@x"], 4, {"old": {"$oid": str(oid(2))}}),
                (2, "a@x", None, 7, None, None, 0, None),
                (3, None, None, None, None, None, None, None),
            ]
        },
        {str(oid(13)): "type"},
    ),
    "values, normalise, element, flags and defaults": Case(
        """
        isthmus: 1
        enums: {size: [small, large], lab: [x, y]}
        collections:
          A:
            ids: keep
            fields:
              _id: integer
              size:
                path: sizes
                element: 0
                type: size
                normalise: [trim, lower]
                values: {s: small, l: large, "*": null}
              last: {path: sizes, element: -1, type: text!, normalise: lower, values: {"": none}}
              tags:
                type: text[]
                normalise: [trim, lower]
                values: {junk: null, a: b}
                default: [d]
                default_for: [missing, null]
              f: {flags: {x: x, y.z: y}, type: "lab[]", coerce: true, required: true}
              g: {flags: {p: P, q: Q}, type: text, default: none, default_for: [missing, null]}
              roles: {to_flags: {admin: is_admin, "on": {column: o, default: false}}}
              n: {first_of: [n1, n2], type: integer, values: {"": null, none: 0, 1: 100}, coerce: true, default: 42}
        """,
        {
            "A": [
                {
                    "_id": 1,
                    "sizes": [" S ", "X"],
                    "tags": [" Junk", "A", "q", None],
                    "x": True,
                    "y": {"z": 1},
                    "p": False,
                    "q": True,
                    "roles": ["admin", "on"],
                    "n1": "",
                },
                {"_id": 2, "sizes": ["zz"], "x": None, "p": True, "q": True, "roles": "on", "n2": "none"},
                {"_id": 3, "sizes": [""], "tags": None, "y": {"z": "false", "w": 1}, "roles": [5, "admin"], "n1": 1.0},
                {"_id": 4, "sizes": [None, "B"], "x": False, "roles": None, "n1": True, "n2": "none"},
                {"_id": 5, "sizes": [], "x": True},
            ]
        },
        {
            "SELECT id, size, last, tags, f::text[], g, is_admin, o, n, extras FROM a ORDER BY 1": [
                (1, "small", "x", [None, "b", "q", None], ["x", "y"], "Q", True, True, None, None),
                (2, None, "zz", ["d"], [], "P", False, True, 0, {"q": True}),
                (3, None, "none", ["d"], [], "none", True, False, 100, {"y": {"w": 1}, "roles": [5, "admin"]}),
                (4, None, "b", ["d"], [], "none", None, None, 1, {"n2": "none"}),
            ]
        },
        {'{"$numberInt":"5"}': "required"},
    ),
    "routes of documents, of chosen values and of children": Case(
        """
        isthmus: 1
        collections:
          U: {fields: {n: text}}
          T: {fields: {n: text}}
          A:
            fields:
              p: {first_of: [p1, p2], route: {U: pu, T: pt}, on_orphan: dead_letter}
              q: {path: qs, element: 0, of: ref, route: {T: qt, U: qu}, required: true}
              items:
                child: items
                fields:
                  r: {route: {U: ru, T: rt}, on_orphan: "null"}
                  rs: {references: U, type: "uuid[]", on_orphan: drop}
                  deep: {child: deep, fields: {r: {route: {T: rt, U: ru}}}}
        """,
        {
            "U": [{"_id": oid(1), "n": "u1"}, {"_id": oid(2), "n": "u2"}, {"_id": "u", "n": "u"}],
            "T": [{"_id": oid(3), "n": "t3"}, {"_id": oid(2), "n": "t2"}],
            "A": [
                {
                    "_id": oid(10),
                    "p2": oid(3),
                    "qs": [{"ref": oid(2)}],
                    "items": [
                        {"r": oid(3), "rs": [oid(1), oid(3)], "deep": [{"r": oid(1)}, {"r": "u"}]},
                        {"r": oid(99)},
                    ],
                },
                {"_id": oid(11), "p1": oid(98), "qs": [{"ref": oid(1)}]},
                {"_id": oid(12), "qs": [{"ref": oid(97)}]},
                {"_id": oid(13), "qs": []},
            ],
        },
        {
            "SELECT pu, p.n, q.n, qu FROM a JOIN t p ON p.id = pt JOIN t q ON q.id = qt": [(None, "t3", "t2", None)],
            "SELECT position, ru, t.n, cardinality(rs) FROM items LEFT JOIN t ON t.id = rt ORDER BY 1": [
                (0, None, "t3", 1),
                (1, None, None, None),
            ],
            "SELECT position, rt, u.n FROM deep JOIN u ON u.id = ru ORDER BY 1": [(0, None, "u1"), (1, None, "u")],
        },
        {str(oid(11)): "orphan", str(oid(12)): "orphan", str(oid(13)): "required"},
    ),
    "keys, references to keys, children, a junction and joined documents": Case(
        """
        isthmus: 1
        collections:
          C: {key: code, fields: {code: {type: text!, normalise: [trim, lower]}}}
          R: {key: [country, year], fields: {country: {references: C, required: true}, year: integer!}}
          L: {key: none, fields: {line: text, c: {references: C, on_orphan: "null"}}}
          P:
            key: mail
            on_duplicate: merge
            fields:
              _id: {column: id}
              mail: {type: text!, normalise: lower}
              c: {references: C.code, on_orphan: "null"}
              cs: {references: C.code, type: "text[]", on_orphan: drop}
              ds: {references: C, type: "text[]", on_orphan: drop}
              kids: {child: kids, fields: {p: {references: P.mail, on_orphan: "null"}}}
              pc: {junction: pc}
        junctions: {pc: {columns: {p: P, c: C}, on_orphan: drop}}
        """,
        {
            "C": [{"_id": oid(1), "code": " DE"}, {"_id": oid(2), "code": "fr"}, {"_id": oid(3), "code": "FR"}],
            "R": [
                {"_id": oid(5), "country": oid(1), "year": 1},
                {"_id": oid(6), "country": oid(1), "year": 1},
                {"_id": oid(7), "country": oid(3), "year": 1},
            ],
            "L": [{"_id": 5, "line": "x", "c": oid(1)}, {"_id": 6, "line": "x", "c": oid(1)}, {"_id": 7, "c": oid(9)}],
            "P": [
                {
                    "_id": oid(1),
                    "mail": "A",
                    "c": "DE ",
                    "cs": ["de", "FR", "zz"],
                    "ds": [oid(1), oid(3)],
                    "kids": [{"p": "B"}],
                    "pc": [oid(1), oid(9)],
                },
                {"_id": oid(2), "mail": "a", "c": "fr", "kids": [{"p": "A"}], "pc": [oid(2)]},
                {"_id": oid(3), "mail": "b", "cs": [], "kids": [{"p": "c"}], "pc": oid(1)},
            ],
        },
        {
            "SELECT code FROM c ORDER BY 1": [("de",), ("fr",)],
            "SELECT country, year FROM r": [("de", 1)],
            "SELECT line, c FROM l ORDER BY 1, 2": [("x", "de"), ("x", "de"), (None, None)],
            "SELECT mail, c, cs, ds FROM p ORDER BY 1": [("a", "de", ["de", "fr"], ["de"]), ("b", None, [], None)],
            "SELECT p.mail, position, o.mail FROM kids JOIN p ON p.id = p_id LEFT JOIN p o ON o.id = kids.p"
            " ORDER BY 1, 2": [("a", 0, "b"), ("a", 1, "a"), ("b", 0, None)],
            "SELECT mail, pc.c FROM pc JOIN p ON p.id = pc.p ORDER BY 1, 2": [("a", "de"), ("a", "fr"), ("b", "de")],
        },
        {str(oid(3)): "duplicate-key", str(oid(6)): "duplicate-key", str(oid(7)): "orphan"},
    ),
    "when, from, constants, skip and shared tables": Case(
        """
        isthmus: 1
        collections:
          big:
            table: orders
            from: {O23: {year: 2023}, O24: {year: 2024}}
            when: {total: {not: [0, 1]}, kind: [a, b]}
            constants: {year: integer!, size: {type: text!, value: big, index: true}}
            skip: [{when: {del: true}, why: gone}]
            fields:
              total: numeric(12,2)
              kind: {drop: "it says nothing else"}
              lines: {child: order_lines, fields: {sku: text}}
              buyer: {references: people, on_orphan: "null"}
          small:
            table: orders
            from: {O24: {year: 2024}, O25: {year: 2025}}
            constants: {year: integer!, size: {type: text!, value: small}}
            fields:
              total: numeric(12,2)
              lines: {child: order_lines, fields: {sku: text}}
              note: text
              buyer: {references: people, on_orphan: "null"}
          people:
            from: Contacts
            when: {kind: person, gone: {missing: true}}
            fields: {name: text!, orders: {junction: op}}
          firms:
            from: Contacts
            when: {kind: {"null": true}}
            fields: {name: text!, boss: {references: people, on_orphan: "null"}}
        junctions: {op: {columns: {person_id: people, order_id: O24}, on_orphan: drop}}
        """,
        {
            "O23": [
                {"_id": 1, "total": 5, "kind": "a", "lines": [{"sku": "x"}], "buyer": oid(1)},
                {"_id": 2, "total": 0, "kind": "a"},
                {"_id": 3, "total": 9, "kind": "b", "del": True},
            ],
            "O24": [
                {"_id": 1, "total": 7, "kind": "a", "lines": [{"sku": "y"}]},
                {"_id": 2, "total": 1, "note": "n", "lines": [{"sku": "z"}], "buyer": oid(2)},
            ],
            "O25": [{"_id": 1, "total": 1.25}],
            "Contacts": [
                {"_id": oid(1), "kind": "person", "name": "p", "orders": [1, 2, 3]},
                {"_id": oid(2), "kind": None, "name": "f", "boss": oid(1)},
                {"_id": oid(4), "kind": "person", "gone": 1, "name": "q"},
            ],
        },
        {
            "SELECT year, size, total::text, note, name, sku FROM orders o LEFT JOIN people p ON p.id = buyer"
            " LEFT JOIN order_lines ON orders_id = o.id ORDER BY 1, 3": [
                (2023, "big", "5.00", None, "p", "x"),
                (2024, "small", "1.00", "n", None, "z"),
                (2024, "big", "7.00", None, None, "y"),
                (2025, "small", "1.25", None, None, None),
            ],
            "SELECT f.name, p.name FROM firms f JOIN people p ON p.id = boss": [("f", "p")],
            "SELECT year, total::int FROM op JOIN orders o ON o.id = order_id ORDER BY 2": [(2024, 1), (2024, 7)],
        },
        {'{"$numberInt":"2"}': "no-entry", str(oid(4)): "no-entry"},
    ),
    "a junction looked up from both sides, fed by children too": Case(
        """
        isthmus: 1
        collections:
          U: {fields: {n: {type: integer, unique: true, coerce: true}, as: {junction: ua}}}
          A:
            ids: keep
            fields:
              _id: bigint
              m: {type: text, unique: true, normalise: lower}
              us: {junction: ua}
              kids: {child: kids, fields: {us: {junction: ua}}}
        junctions: {ua: {columns: {u: U.n, a: A.m}, on_orphan: drop}}
        """,
        {
            "U": [{"_id": oid(1), "n": "1", "as": ["X", "y", "q", None]}, {"_id": oid(2), "n": 2, "as": ["y", "Y"]}],
            "A": [
                {"_id": 1, "m": "X", "us": [1, "2", 9]},
                {"_id": 2, "m": "y", "kids": [{"us": [1]}, {"us": [1.0]}]},
            ],
        },
        {"SELECT n, a FROM ua JOIN u ON u.id = ua.u ORDER BY 1, 2": [(1, 1), (1, 2), (2, 1), (2, 2)]},
        {},
    ),
    "joined documents of two collections, with routes and look-ups to them": Case(
        """
        isthmus: 1
        collections:
          person:
            table: people
            from: {Users: {src: users}, Admins: {src: admins}}
            constants: {src: text!}
            on_duplicate: merge
            fields:
              mail: {type: text, unique: true, normalise: [trim, lower]}
              name: {first_of: [name, nick], type: text}
              city: {type: integer, coerce: true}
              tags: {type: "text[]", values: {x: y}}
              roles: {to_flags: {admin: is_admin}}
              visits: {child: visits, fields: {city: {references: cities.zip, type: integer, on_orphan: "null"}}}
          cities:
            fields:
              zip: {type: integer, unique: true, coerce: true}
              mayor: {references: person.mail, on_orphan: "null"}
              own: {route: {person: p, cities: c}}
              folk: {junction: folk}
        junctions: {folk: {columns: {c: cities, p: person.mail}, on_orphan: drop}}
        """,
        {
            "Users": [
                {"_id": oid(1), "mail": "A ", "nick": "n", "roles": "admin", "visits": [{"city": 1}]},
                {"_id": oid(5), "mail": "c", "city": "1"},
            ],
            "Admins": [
                {
                    "_id": oid(2),
                    "mail": "a",
                    "name": "adm",
                    "city": "2",
                    "tags": ["x"],
                    "visits": [{"city": 9}, {"city": "2"}],
                },
                {"_id": 3, "mail": "C"},
            ],
            "cities": [
                {"_id": oid(1), "zip": "1", "mayor": " a", "folk": ["A", "a", "c", "q"], "own": oid(2)},
                {"_id": oid(2), "zip": 2.0, "mayor": "C", "own": oid(1)},
            ],
        },
        {
            "SELECT mail, src, name, city, tags, is_admin FROM people ORDER BY 1": [
                ("a", "users", "n", 2, ["y"], True),
                ("c", "admins", None, 1, None, None),
            ],
            "SELECT mail, v.city FROM visits v JOIN people p ON p.id = people_id ORDER BY position": [
                ("a", 1),
                ("a", None),
                ("a", 2),
            ],
            "SELECT zip, m.mail, o.mail, c FROM cities JOIN people m ON m.id = mayor JOIN people o ON o.id = p"
            " ORDER BY 1": [(1, "a", "a", None), (2, "c", "a", None)],
            "SELECT zip, mail FROM folk JOIN cities c ON c.id = folk.c JOIN people p ON p.id = folk.p ORDER BY 2": [
                (1, "a"),
                (1, "c"),
            ],
        },
        {},
    ),
    "extras of children where the documents keep none": Case(
        """
        isthmus: 1
        collections:
          A:
            extras: dead_letter
            fields: {es: {child: es, extras: more, fields: {n: text, s.m: text}}}
          B:
            extras: more
            fields: {fs: {child: fs, extras: dead_letter, fields: {n: text}}}
        """,
        {
            "A": [
                {"_id": 1, "es": [{"n": "a", "u": 1, "s": {"m": "b", "v": 2}}]},
                {"_id": 2, "u": 1, "es": []},
            ],
            "B": [{"_id": 3, "u": 1, "fs": [{"n": "a"}]}, {"_id": 4, "fs": [{"u": 1}]}],
        },
        {
            "SELECT n, s_m, more FROM es": [("a", "b", {"u": 1, "s": {"v": 2}})],
            "SELECT more, n FROM b JOIN fs ON b_id = b.id": [({"u": 1}, "a")],
        },
        {'{"$numberInt":"2"}': "unknown-field", '{"$numberInt":"4"}': "unknown-field"},
    ),
    "three entries in one table, each with references of its own": Case(
        """
        isthmus: 1
        collections:
          A: {table: t, fields: {a: text}}
          B: {table: t, fields: {x: {references: U.n, on_orphan: "null"}, u: {type: text, unique: true}}, search: [u]}
          C:
            table: t
            fields:
              x: {references: U.n, on_orphan: "null"}
              r: {route: {U: p, B: q}}
              ts: {child: tt, fields: {v: {references: U.n, on_orphan: "null"}}}
          U:
            fields:
              n: {type: integer, unique: true}
              bs: {junction: ub}
              one: {references: B, on_orphan: "null"}
        junctions: {ub: {columns: {u: U, b: B.u}, on_orphan: drop}}
        """,
        {
            "A": [{"_id": oid(1), "a": "x"}, {"_id": 1, "x": "extra"}],
            "B": [{"_id": oid(2), "x": 1, "u": "k"}, {"_id": 1, "x": 9}],
            "C": [
                {"_id": oid(3), "x": 1, "r": oid(2), "ts": [{"v": 1}, {"v": 2}]},
                {"_id": 1, "r": 1},
                {"_id": oid(2), "x": 1},
            ],
            "U": [{"_id": oid(1), "n": 1, "bs": ["k", "zz"], "one": 1}],
        },
        {
            "SELECT count(*), count(a), count(x), count(u), count(p), count(q), count(extras) FROM t": [
                (6, 1, 2, 1, 0, 2, 1)
            ],
            "SELECT position, v IS NULL FROM tt ORDER BY 1": [(0, False), (1, True)],
            "SELECT t.u FROM ub JOIN t ON t.id = b": [("k",)],
        },
        {str(oid(2)): "duplicate-id"},
    ),
    "keys of constants and of what is looked up, two sources, values of the field that is compared": Case(
        """
        isthmus: 1
        collections:
          P:
            from: {S1: {s: 1}, S2: {s: 2}}
            key: [s, c]
            constants: {s: smallint!}
            fields:
              c: {references: Q.k, required: true, on_orphan: dead_letter}
              e: {references: Q.k, type: text, on_orphan: "null"}
          Q:
            when: {ok: true}
            fields: {ok: {drop: known}, k: {type: text, unique: true, normalise: [trim, lower], values: {x: y}}}
          Q2: {from: Q, ids: keep, fields: {k: {type: text!, values: {"*": other}}}}
        """,
        {
            "S1": [{"_id": 1, "c": "A", "e": "x"}, {"_id": 2, "c": "a "}, {"_id": 3, "c": "x", "e": "Q"}],
            "S2": [{"_id": 4, "c": "a"}, {"_id": 5, "c": "nope"}, {"_id": 6}],
            "Q": [
                {"_id": oid(1), "ok": True, "k": " A"},
                {"_id": oid(2), "ok": True, "k": "X"},
                {"_id": oid(3), "k": "z"},
            ],
        },
        {
            "SELECT s, k, e FROM p JOIN q ON q.id = c ORDER BY 1, 2": [(1, "a", "y"), (1, "y", None), (2, "a", None)],
            "SELECT id, k FROM q2": [(str(oid(3)), "other")],
        },
        {
            '{"$numberInt":"2"}': "duplicate-key",
            '{"$numberInt":"5"}': "orphan",
            '{"$numberInt":"6"}': "required",
        },
    ),
    "ids rewritten inside values that are chosen": Case(
        """
        isthmus: 1
        extensions: [plpgsql, no_such_extension]
        collections:
          U: {from: {U1: , U2: }, fields: {n: text}}
          A:
            ids: keep
            fields:
              j: {type: jsonb, first_of: [x, y.z], rewrite: {"[].u": U1, k: U2}}
              k: {type: jsonb, path: arr, element: 1, of: deep, rewrite: {u: U2}}
              more: {references: U1, type: "uuid[]", coerce: true, index: true, on_orphan: drop}
        """,
        {
            "U1": [{"_id": oid(1), "n": "a"}, {"_id": 5, "n": "b"}],
            "U2": [{"_id": oid(2), "n": "c"}, {"_id": 5, "n": "d"}],
            "A": [
                {"_id": "1", "x": [{"u": oid(1)}, {"u": 5}], "arr": [1, {"deep": {"u": 5}}], "more": oid(1)},
                {"_id": "2", "y": {"z": {"k": 5}, "w": 1}, "x": None, "more": [oid(2), 5, oid(9)]},
            ],
        },
        {
            "SELECT a.id, n FROM a, jsonb_path_query(j, '$[*].u') r JOIN u ON u.id::text = r #>> '{}' ORDER BY 2": [
                ("1", "a"),
                ("1", "b"),
            ],
            "SELECT a.id, n FROM a JOIN u ON u.id::text IN (j ->> 'k', k ->> 'u') ORDER BY 1": [("1", "d"), ("2", "d")],
            "SELECT a.id, n FROM a, unnest(more) r JOIN u ON u.id = r ORDER BY 1, 2": [
                ("1", "a"),
                ("2", "b"),
                ("2", "c"),
            ],
        },
        {},
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_forms_together_give_the_rows_they_say(world: World, tmp_path: Path, case: Case) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(textwrap.dedent(case.mapping))
    world.write(case.documents)
    balanced(world.copy(case.mapping))
    assert {query: world.rows(query) for query in case.expected} == case.expected
    assert world.codes() == case.letters
    assert compared(mapping, world.folder, world.conninfo).differences == []


def test_hostile_names_of_everything_that_has_one(world: World) -> None:
    mapping = r"""
        isthmus: 1
        naming: keep
        ids: cuid2
        collections:
          users.archive:
            table: "Users \"x\" %s"
            fields:
              Mail: {type: text, unique: true, normalise: lower}
              "a b.Cé": {type: integer, index: true}
              boss: {references: users.archive.Mail, on_orphan: "null"}
              pals: {references: users.archive, type: "text[]", on_orphan: drop, index: true}
              "is 'it'": {to_flags: {"yes": "Y %s", "no\\": }}
          Key Table:
            key: ["K 1", "no"]
            fields:
              "K 1": text!
              "no": {references: users.archive, required: true}
              who: {route: {users.archive: "W\"1", Other: "w'2"}}
          Other: {fields: {arr: {junction: "J %(x)s"}}}
        junctions: {"J %(x)s": {columns: {"o id": Other, "U": users.archive.Mail}, on_orphan: drop}}
        """
    world.write(
        {
            "users.archive": [
                {"_id": oid(1), "Mail": "A", "a b": {"Cé": 5}, "boss": "a", "pals": [oid(1), 7], "is 'it'": ["no\\"]},
                {"_id": 7, "Mail": "B", "boss": "zz"},
            ],
            "Key Table": [
                {"_id": 1, "K 1": "x", "no": oid(1), "who": oid(1)},
                {"_id": 2, "K 1": "y", "no": 7, "who": "o"},
            ],
            "Other": [{"_id": "o", "arr": ["a", "B", "C"]}],
        }
    )
    balanced(world.copy(mapping))
    users, key = '"Users ""x"" %s"', '"Key Table"'
    assert world.rows(
        f'SELECT "Mail", "a b_Cé", boss = id, cardinality(pals), "Y %s", "no\\" FROM {users} ORDER BY 1'
    ) == [("a", 5, True, 2, False, True), ("b", None, None, None, None, None)]
    assert world.rows(f'SELECT "K 1", "no" = "W""1", "w\'2" IS NULL FROM {key} ORDER BY 1') == [
        ("x", True, True),
        ("y", None, False),
    ]
    assert world.column(f'SELECT "Mail" FROM "J %(x)s" j JOIN {users} u ON u.id = j."U" ORDER BY 1') == ["a", "b"]
