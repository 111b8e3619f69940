"""A database in which every kind of damage has something to hit, and the mapping that carries it.

Every type of column, names that need quoting, keys of every kind, two levels of child tables, pairs from both sides,
references of every kind with orphans of every policy, documents that are joined, refused, skipped or changed on the
way. What is to be damaged has a name of its own (`name`, `label`, `title`), so that damage needs no id.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, ObjectId

SCHEMA = 'Dämage "s" %s'
THINGS = 'every "thing" %s'
SECRETS = ("pin-4711", "pin-4712", "pin-4713", "pin-4799", "code-0815", "code-0816")
"""Values of sensitive columns, those that damage puts there among them: no output may hold one."""

Plain = dict[str, Any]

MAPPING = """\
isthmus: 1
target: {schema: 'Dämage "s" %s'}
enums:
  mood: [OK, "it's; fine", "100%", ÜBEL]
  kind: [customer, supplier]
collections:
  'Things "ü" %':
    table: 'every "thing" %s'
    fields:
      label: {type: text!, unique: true}
      text: {column: 'te "xt" %s', type: text}
      vc: varchar(20)
      si: smallint
      i: integer
      bi: bigint
      re: real
      do: double
      nu: numeric
      n2: numeric(10,2)
      bo: boolean
      da: date
      ts: timestamp
      tz: timestamptz
      tz3: timestamptz(3)
      u: uuid
      by: bytea
      j: jsonb
      ta: text[]
      ua: uuid[]
      ia: integer[]
      na: numeric[]
      da_: {path: das, column: das, type: "double[]"}
      en: mood
      ea: mood[]
      pin: {type: text, sensitive: true}
      secret: {type: jsonb, sensitive: true}
  people:
    fields:
      name: {type: text!, unique: true}
      mail: {type: "varchar(60)", normalise: [trim, lower], unique: true}
      pin: {type: text, sensitive: true}
      boss: {column: boss_id, references: people, on_orphan: "null", index: true}
      friends: {column: friend_ids, references: people, type: "uuid[]", on_orphan: drop}
      mates: {column: mate_ids, references: people, type: "uuid[]", on_orphan: "null"}
      team: {column: team_id, references: teams.slug, on_orphan: "null"}
      reviewers: {type: jsonb, rewrite: {"[].user": people}}
      about: {route: {people: about_person_id, teams: about_team_id}, on_orphan: "null"}
      likes: {junction: person_likes}
      kinds: {flags: {isCustomer: customer, isSupplier: supplier}, type: "kind[]"}
      note: {type: text, policies: {nul: remove}}
      since: {type: integer, default: 1999}
      phone: {path: phones, element: 0, of: number, type: text}
    indexes:
      - {columns: [since], where: "since > 2000"}
      - [boss_id, name]
    search: [name, note]
    skip:
      - {when: {gone: true}, why: "they left"}
  teams: {fields: {slug: {type: text!, unique: true}, name: text}}
  products: {fields: {title: {type: text!, unique: true}, fans: {junction: person_likes}}}
  countries: {key: code, fields: {code: "varchar(2)!", name: text}}
  rates: {key: [country, year], fields: {country: text!, year: integer!, rate: numeric}}
  stays: {fields: {what: {type: text!, unique: true}, nights: smallint}}
  labels: {ids: keep, fields: {name: text, owner: {column: owner_id, references: people, on_orphan: "null"}}}
  orders:
    from: {"Orders 2023": {year: 2023}, "Orders.2024": {year: 2024}}
    constants: {year: integer!}
    fields:
      number: {type: integer!, unique: true}
      user: {column: user_id, references: people, required: true, on_orphan: dead_letter}
      label: {column: label_id, references: labels, on_orphan: "null"}
      country: {column: country_code, references: countries.code, type: "varchar(2)", on_orphan: "null"}
      stay: {column: stay_id, references: stays, on_orphan: "null"}
      size: {type: text, values: {s: small, l: large}}
      total: numeric(10,2)
      lines:
        child: order_lines
        fields:
          sku: text!
          count: {type: smallint, default: 1}
          by: {column: by_id, references: people, on_orphan: "null"}
          when: timestamptz
          parts: {child: line_parts, fields: {name: text, weight: real}}
  nothing: {fields: {name: text}}
  log: {key: none, fields: {line: text, level: smallint}}
  accounts:
    on_duplicate: merge
    fields:
      number: {type: text!, unique: true, normalise: trim}
      title: text
      holder: {column: holder_id, references: people, on_orphan: "null"}
      entries: {child: account_entries, fields: {amount: integer}}
  clients:
    fields:
      name: {type: text!, unique: true}
      account: {column: account_id, references: accounts.number, on_orphan: "null"}
      all: {junction: client_accounts}
  invoices: {from: papers, when: {kind: invoice}, fields: {kind: {drop: it is the condition}, number: {type: text!, unique: true}}}
  notes: {from: papers, when: {kind: note}, fields: {kind: text, text: {type: text!, unique: true}}}
junctions:
  person_likes: {columns: {person_id: people, product_id: products}, on_orphan: drop}
  client_accounts: {columns: {client_id: clients, account_id: accounts.number}, on_orphan: drop}
"""  # noqa: E501


def oid(number: int) -> ObjectId:
    """Return the ObjectId with this number in its last bytes."""
    return ObjectId(number.to_bytes(12, "big"))


def _uuid(number: int) -> Binary:
    return Binary.from_uuid(UUID(int=(number << 96) | 0x4000_8000_0000_0000_0000 | number))


def _thing(number: int, label: str) -> Plain:
    """Return a thing with a value in every column; those with a higher number have higher values."""
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    return {
        "_id": oid(1000 + number),
        "label": label,
        "text": f"Straße {'é' * number}",
        "vc": "v" * (number + 2),
        "si": number * 7,
        "i": number * 70_001,
        "bi": Int64(number * 9_007_199_254_740_993),
        "re": number + 0.25,
        "do": number + 0.1,
        "nu": Decimal128(f"{number}.1230"),
        "n2": Decimal128(f"{number * 11}.50"),
        "bo": bool(number % 2),
        "da": datetime(2021, 2, number + 1, tzinfo=UTC),
        "ts": begin + timedelta(days=number, milliseconds=123),
        "tz": begin + timedelta(days=number, milliseconds=456),
        "tz3": begin + timedelta(days=number, milliseconds=789),
        "u": _uuid(number + 1),
        "by": Binary(bytes([number, 0, 255, 10])),
        "j": {"a": number, "b": [1, 2.5, None, {"c": "x"}], "ü %s": "y", "n": Decimal128("1.00")},
        "ta": ["x", "ÿ y", f"t{number}", "x"],
        "ua": [_uuid(7), _uuid(number)],
        "ia": [3, 1, 2, number],
        "na": [Decimal128("1.0"), Decimal128("2.00")],
        "das": [0.1, 0.2, number + 0.3],
        "en": ["OK", "it's; fine", "100%", "ÜBEL"][number % 4],
        "ea": ["OK", "ÜBEL", "OK"],
        "pin": SECRETS[number % 3],
        "secret": {"code": SECRETS[4], "n": number},
        "unnamed %": {"deep": [number, Int64(5), Decimal128("3.0")]},
    }


def _things() -> list[Plain]:
    low, first, second, third, high = (
        _thing(number, label) for number, label in enumerate(["low", "first", "second", "third", "high"])
    )
    names = [name for name in low if name not in {"_id", "label", "unnamed %"}]
    nothing: Plain = {"_id": oid(1010), "label": "null", **dict.fromkeys(names)}
    empty: Plain = {"_id": oid(1012), "label": "empty", "text": "", "by": b"", "j": {}, "ta": [], "ua": [], "ea": []}
    special: Plain = {"_id": oid(1013), "label": "special", "do": float("nan"), "nu": Decimal128("NaN"), "j": [1.5, 0]}
    return [
        *(low, first, second, third, high, nothing, {"_id": oid(1011), "label": "missing"}, empty, special),
        {"_id": oid(1020), "label": "letter one", "i": "no number"},
        {"_id": oid(1021), "label": "letter two", "en": "no mood"},
        {"_id": oid(1022), "label": "letter three", "i": Int64(2**40)},
    ]


def _people() -> list[Plain]:
    people: list[Plain] = [
        {"_id": oid(n), "name": name, "mail": f" {name}@X.org ", "since": 2000 + n, "pin": SECRETS[n % 3]}
        for n, name in enumerate(["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"], start=1)
    ]
    ann, bob, cid, dan, eve, fay, gus, hal = people
    ann |= {"boss": oid(2), "friends": [oid(2), oid(901), oid(3)], "mates": [oid(4), oid(902), oid(5)]}
    ann |= {"phones": [{"number": "1"}, {"number": "2"}, {"number": "3"}]}
    ann |= {"isCustomer": True, "isSupplier": True, "team": "red", "about": oid(2), "likes": [oid(101), oid(102)]}
    bob |= {"boss": oid(903), "team": "no such team", "about": oid(51), "isCustomer": True, "isSupplier": False}
    cid |= {"boss": oid(1), "about": oid(904), "likes": [oid(101), oid(905)], "note": "nul\0here", "team": "blue"}
    dan |= {"reviewers": [{"user": oid(1), "ok": True}, {"user": oid(906), "ok": False}], "likes": [oid(103)]}
    eve |= {"friends": [], "mates": None, "boss": None, "note": "Ünï %s \"q\" 'a'"}
    del fay["since"]
    fay |= {"boss": oid(1), "nobody named": {"this": Int64(7), "at": datetime(2022, 1, 1, tzinfo=UTC)}}
    gus |= {"reviewers": [{"user": oid(2)}], "friends": [oid(1), oid(2), oid(3)]}
    hal |= {"about": oid(1), "team": "red"}
    people += [
        {"_id": oid(20), "name": "ann", "mail": "second@x.org"},
        {"_id": oid(21), "name": "gone", "gone": True},
        {"_id": oid(22), "name": None},
    ]
    return people


def _orders() -> tuple[list[Plain], list[Plain]]:
    at = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)

    def order(n: int, **more: Any) -> Plain:
        return {"_id": oid(200 + n), "number": n, "user": oid(1 + n % 5), "total": Decimal128(f"{n}.50"), **more}

    parts = [{"name": "x", "weight": 0.5}, {"name": "y", "weight": 1.5}]
    first = [
        order(1, label="ä b%", country="de", stay={"room": 1, "day": "mon"}, size="s"),
        order(2, label="nothing", country="zz", stay={"room": 9, "day": "mon"}, size="xl"),
        order(3, user=oid(999)),
    ]
    second = [
        order(
            4,
            lines=[
                {"sku": "a", "count": 2, "by": oid(1), "when": at, "parts": parts},
                {"sku": "b", "by": oid(998), "when": at + timedelta(hours=1), "parts": [{"name": "z"}]},
                {"sku": "c", "count": 4, "by": oid(2), "more": {"x": 1}},
            ],
        ),
        order(5, lines=[{"sku": "d", "count": 3}, {"sku": "e", "count": 3, "parts": parts}]),
        order(6, label="", country="fr", stay={"room": 1, "day": "tue"}, lines=[{"sku": "lost", "by": oid(997)}]),
        order(7, lines=[{"count": 3}]),
    ]
    return first, second


def database() -> dict[str, list[Plain]]:
    """Return the documents by collection."""
    orders_2023, orders_2024 = _orders()
    return {
        'Things "ü" %': _things(),
        "people": _people(),
        "teams": [
            {"_id": oid(50), "slug": "red", "name": "Red"},
            {"_id": oid(51), "slug": "blue", "name": "Blue"},
            {"_id": oid(52), "slug": "green"},
        ],
        "products": [
            {"_id": oid(101), "title": "tea", "fans": [oid(1), oid(4), oid(907)]},
            {"_id": oid(102), "title": "milk"},
            {"_id": oid(103), "title": "rice", "fans": [oid(4), oid(5)]},
        ],
        "countries": [
            {"_id": oid(60), "code": "de", "name": "Germany"},
            {"_id": oid(61), "code": "fr", "name": "France"},
            {"_id": oid(62), "code": "at", "name": "Österreich"},
        ],
        "rates": [
            {"_id": oid(70 + n), "country": country, "year": 2020 + n, "rate": Decimal128(f"{n}.10")}
            for n, country in enumerate(["de", "de", "fr", "at"])
        ],
        "stays": [
            {"_id": {"room": 1, "day": "mon"}, "what": "room 1, Monday", "nights": 2},
            {"_id": {"room": 1, "day": "tue"}, "what": "room 1, Tuesday", "nights": 3},
            {"_id": {"day": "mon", "room": 1}, "what": "the keys the other way round", "nights": 4},
            {"_id": 5, "what": "a number", "nights": 5},
        ],
        "labels": [
            {"_id": "ä b%", "name": "first", "owner": oid(1)},
            {"_id": "", "name": "empty"},
            {"_id": "'q\" x", "name": "quoted", "owner": oid(996)},
        ],
        "Orders 2023": orders_2023,
        "Orders.2024": orders_2024,
        "log": [{"_id": oid(300 + n), "line": f"line {n // 2}", "level": n // 4} for n in range(8)],
        "accounts": [
            {"_id": oid(400), "number": "A1", "holder": oid(1), "entries": [{"amount": 1}, {"amount": 2}]},
            {"_id": oid(401), "number": " A1", "title": "filled in", "entries": [{"amount": 3}]},
            {"_id": oid(402), "number": "B2", "title": "kept"},
            {"_id": oid(403), "number": "B2 ", "title": "the other title", "holder": oid(995)},
            {"_id": oid(404), "number": "C3", "title": "alone"},
        ],
        "clients": [
            {"_id": oid(410), "name": "one", "account": "A1", "all": ["A1", "C3", "none"]},
            {"_id": oid(411), "name": "two", "account": "B2", "all": ["B2"]},
            {"_id": oid(412), "name": "three", "account": "none"},
        ],
        "nothing": [],
        "papers": [
            {"_id": oid(500), "kind": "invoice", "number": "R1"},
            {"_id": oid(501), "kind": "note", "text": "buy milk", "unknown": 1},
            {"_id": oid(502), "kind": "poem", "text": "no entry takes it"},
        ],
    }
