"""A shop in which every layer has something to look at: each form of rule, each kind of reference, planted orphans."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128, ObjectId


def oid(number: int) -> ObjectId:
    """Return the ObjectId with this number in its last bytes."""
    return ObjectId(number.to_bytes(12, "big"))


MAPPING = """
isthmus: 1
target: {schema: 'Shop "ü"'}
enums:
  order_state: [OPEN, SENT, BACK]
  Kind: [customer, supplier]
collections:
  users:
    fields:
      email: {type: "varchar(40)!", normalise: [trim, lower], unique: true}
      name: text
      secret: {type: text, sensitive: true, normalise: lower}
      kinds: {flags: {isCustomer: customer, isSupplier: supplier}, type: "Kind[]"}
      roles: {to_flags: {admin: is_admin, editor: is_editor}}
      boss: {column: boss_id, references: users, on_orphan: "null", index: true}
      friends: {column: friend_ids, references: users, type: "uuid[]", on_orphan: drop}
      mates: {column: mate_ids, references: users, type: "uuid[]", on_orphan: "null"}
      likes: {junction: user_likes}
      tags: text[]
    search: [name, tags]
  teams: {fields: {name: {type: text!, unique: true}, country: {references: countries, on_orphan: "null"}}}
  countries: {key: code, fields: {code: "varchar(2)!", name: text}}
  orders:
    from: {orders2023: {year: 2023}, orders2024: {year: 2024}}
    constants: {year: integer!}
    fields:
      _id: {column: id}
      number: {type: integer!}
      state: {type: order_state, default: OPEN, index: true}
      size: {type: text, values: {s: small, l: large, "*": other}}
      mood: {type: text, values: {":-)": good}}
      total: "numeric(10,2)"
      placed: {column: placed_at, type: timestamptz}
      user: {column: user_id, references: users, required: true, on_orphan: dead_letter}
      team: {column: team_id, references: teams.name, on_orphan: "null"}
      owner: {route: {users: owner_user_id, teams: owner_team_id}, on_orphan: "null"}
      reviewers: {type: jsonb, rewrite: {"[].user": users}}
      lines:
        child: order_lines
        fields:
          sku: text!
          count: {type: smallint, default: 1}
          by: {column: by_id, references: users, on_orphan: "null"}
          parts: {child: line_parts, fields: {name: text}}
    indexes:
      - {columns: [number, year], unique: true}
      - {columns: [number], unique: true, where: "state = 'OPEN' AND year = 2024"}
      - {columns: [placed_at], where: "state = 'SENT'"}
  products: {fields: {name: text, likers: {junction: user_likes}}}
junctions:
  user_likes: {columns: {user_id: users, product_id: products}, on_orphan: drop}
"""


def shop() -> dict[str, list[dict[str, Any]]]:
    """Return the documents by collection."""
    users: list[dict[str, Any]] = [
        {"_id": oid(n), "email": f"  User{n}@X.org ", "name": f"User {n}", "secret": f"PASS{n}", "tags": ["a", f"t{n}"]}
        for n in range(1, 9)
    ]
    users[0] |= {"isCustomer": True, "isSupplier": True, "roles": ["admin"], "boss": oid(2), "secret": "ÄÖ"}
    users[1] |= {"isCustomer": False, "isSupplier": True, "roles": [], "boss": oid(990)}
    users[2] |= {"friends": [oid(1), oid(991), oid(2)], "mates": [oid(1), oid(992), None, oid(2)]}
    users[3] |= {"likes": [oid(101), oid(102), oid(993)], "boss": oid(1)}
    users[4] |= {"likes": [oid(101)]}
    teams = [
        {"_id": oid(50), "name": "red", "country": oid(60)},
        {"_id": oid(51), "name": "blue", "country": oid(994)},
        {"_id": oid(52), "name": "green"},
    ]
    countries = [{"_id": oid(60), "code": "de", "name": "Germany"}, {"_id": oid(61), "code": "fr", "name": "France"}]
    products = [
        {"_id": oid(101), "name": "tea", "likers": [oid(4), oid(6), oid(995)]},
        {"_id": oid(102), "name": "milk"},
    ]
    placed = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)

    def order(n: int, **more: Any) -> dict[str, Any]:
        total = Decimal128(Decimal(f"{n}.50"))
        return {"_id": oid(200 + n), "number": n, "user": oid(1 + n % 5), "total": total, "placed": placed, **more}

    return {
        "users": users,
        "teams": teams,
        "countries": countries,
        "products": products,
        "orders2023": [
            order(1, state="SENT", size="s", mood=":-)", team="red", owner=oid(3)),
            order(2, state="BACK", size="xxl", mood=":-(", team="nobody", owner=oid(51)),
        ],
        "orders2024": [
            order(3, owner=oid(996), reviewers=[{"user": oid(1), "ok": True}, {"user": oid(997)}]),
            order(
                4,
                lines=[
                    {"sku": "a", "count": 2, "by": oid(1), "parts": [{"name": "x"}, {"name": "y"}]},
                    {"sku": "b", "by": oid(998), "parts": [{"name": "z"}]},
                    {"sku": "c"},
                ],
            ),
            order(5, user=oid(999)),
            order(6, lines=[{"sku": "d"}]),
        ],
    }
