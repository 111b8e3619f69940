"""A small shop as a mongodump folder, with faults planted in it and the truth about them as plain JSON.

Seeded: the same seed and size give the same bytes. Users and Coupons have ObjectIds, Products ids of five types; an
order points at a buyer, at the products of its lines, and at coupons, which point back. Planted are orphans in a root
table, in a child table and in a junction, documents that do not convert, documents left out, and e-mail addresses that
occur twice. Nothing planted touches anything else planted, so the truth is a plain list.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value

MAPPING = """\
isthmus: 1
policies: {nul: dead_letter, utf8: replace}
enums:
  state: [open, paid, sent]
collections:
  Users:
    table: users
    fields:
      email: {type: text, required: true, unique: true}
      name: text
      createdAt: {column: created_at, type: timestamptz, default: id_time}
  Products:
    table: products
    fields:
      title: text!
      price: numeric(10,2)!
      dimensions: jsonb
  Coupons:
    table: coupons
    fields:
      code: text!
      orderIDs: {junction: coupons_to_orders}
  Orders:
    table: orders
    skip: [{when: {test: true}, why: "test orders"}]
    fields:
      state: {type: state, required: true, default: open}
      buyer: {column: buyer_id, references: Users, on_orphan: "null"}
      placedAt: {column: placed_at, type: timestamptz, required: true}
      total: {type: double}
      couponIDs: {junction: coupons_to_orders}
      notes: {type: jsonb, rewrite: {"[].by": Users}}
      lines:
        child: order_lines
        fields:
          product: {column: product_id, references: Products, on_orphan: "null"}
          quantity: {type: integer, required: true}
      address.city: {column: city, type: text}
      __v: {drop: "version counter of the old driver"}
junctions:
  coupons_to_orders: {columns: {coupon_id: Coupons, order_id: Orders}, on_orphan: drop}
"""


@dataclass
class Truth:
    """What was planted; ids are the hex of `{"_id": value}`, positions count from 0.

    Attributes:
        read: Documents by collection.
        skipped: Documents that the mapping leaves out.
        letters: By collection, by code, `_id`s of documents that cannot be carried.
        finish_letters: Which of them only finish can know.
        nulls: (table, `_id` of the root document, positions, column) of orphans that become NULL.
        pairs: (coupon `_id`, order `_id`) of pairs with an end that does not exist.
    """

    read: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    letters: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, "dict[str, list[str]]"])
    finish_letters: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    nulls: list[tuple[str, str, list[int], str]] = field(default_factory=list[tuple[str, str, "list[int]", str]])
    pairs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def letter(self, collection: str, code: str, identifier: Value) -> None:
        self.letters.setdefault(collection, {}).setdefault(code, []).append(hex_of(identifier))


def hex_of(identifier: Value) -> str:
    """The hex of `{"_id": value}`."""
    return bw.document([("_id", identifier)]).raw.hex()


class _Shop:
    def __init__(self, seed: int, orders: int) -> None:
        self.chance = random.Random(seed)
        self.orders = orders
        self.truth = Truth()
        self.clock = 1_600_000_000

    def object_id(self) -> Value:
        """Later ones are greater, as a server makes them."""
        self.clock += self.chance.randint(1, 50)
        return bw.object_id(self.clock.to_bytes(4, "big") + self.chance.randbytes(8))

    def product_id(self, number: int) -> Value:
        kinds = [bw.int32(number), bw.string(f"sku-{number}"), bw.double(number + 0.5), self.object_id()]
        composite = bw.document([("shop", bw.int32(1)), ("number", bw.int32(number))])
        return self.chance.choice([*kinds, composite])

    def text(self) -> str:
        return "".join(self.chance.choices("abc äßж😀'\"\\\n\t", k=self.chance.randint(0, 12)))

    def users(self) -> tuple[list[bytes], list[Value]]:
        documents: list[bytes] = []
        sound: list[Value] = []
        for number in range(self.orders // 4 + 10):
            identifier = self.object_id()
            email = f"user{number}@example.com"
            name = bw.string(self.text())
            if number % 25 == 7:
                # The e-mail of the user before, who has the lower id and stays.
                email = f"user{number - 1}@example.com"
                self.truth.letter("Users", "duplicate-key", identifier)
                self.truth.finish_letters.append(("Users", hex_of(identifier)))
            elif number % 40 == 13:
                name = bw.string("a\0b")
                self.truth.letter("Users", "nul", identifier)
            else:
                sound.append(identifier)
            elements = [("_id", identifier), ("email", bw.string(email)), ("name", name)]
            if number % 3:
                elements.append(("createdAt", bw.datetime_ms(self.clock * 1000 + number)))
            if number % 5 == 0:
                elements.append(("favourites", bw.array([bw.int64(number), bw.double(0.1), bw.object_id(bytes(12))])))
            documents.append(bw.document(elements).raw)
        return documents, sound

    def products(self) -> tuple[list[bytes], list[Value]]:
        documents: list[bytes] = []
        sound: list[Value] = []
        for number in range(self.orders // 10 + 10):
            identifier = self.product_id(number)
            price = bw.decimal128(0, self.chance.randint(1, 10**6), -2)
            if number % 20 == 9:
                price = bw.decimal128(0, 12345, -3)
                self.truth.letter("Products", "scale", identifier)
            else:
                sound.append(identifier)
            size = bw.document([("w", bw.double(self.chance.uniform(0, 9))), ("h", bw.int32(number))])
            elements = [("_id", identifier), ("title", bw.string(self.text())), ("price", price), ("dimensions", size)]
            documents.append(bw.document(elements).raw)
        return documents, sound

    def lines(self, identifier: Value, products: list[Value], *, plant: bool) -> Value:
        lines: list[Value] = []
        for position in range(self.chance.randint(0, 4)):
            product = self.chance.choice(products)
            if plant and position == 1:
                product = bw.string(f"gone-{self.chance.randint(0, 99)}")
                self.truth.nulls.append(("order_lines", hex_of(identifier), [position], "product_id"))
            lines.append(bw.document([("product", product), ("quantity", bw.int32(position + 1))]))
        return bw.array(lines)

    def order(
        self, number: int, users: list[Value], products: list[Value], coupons: list[Value]
    ) -> tuple[Value, bytes]:
        identifier = self.object_id()
        buyer = self.chance.choice(users)
        placed = bw.datetime_ms(self.clock * 1000)
        state = self.chance.choice(["open", "paid", "sent"])
        fate = number % 50
        sound = fate not in (3, 13, 23, 33)
        if fate == 3:
            self.truth.letter("Orders", "required", identifier)
            placed = bw.null()
        elif fate == 13:
            self.truth.letter("Orders", "enum", identifier)
            state = "lost"
        elif fate == 23:
            self.truth.letter("Orders", "range", identifier)
            placed = bw.datetime_ms(1 << 60)
        elif fate == 33:
            self.truth.skipped["Orders"] = self.truth.skipped.get("Orders", 0) + 1
        if sound and fate in (5, 6):
            buyer = self.object_id()
            self.truth.nulls.append(("orders", hex_of(identifier), [], "buyer_id"))
        chosen = self.chance.sample(coupons, k=self.chance.randint(0, 3))
        if sound and fate == 8:
            gone = self.object_id()
            chosen.append(gone)
            self.truth.pairs.append((hex_of(gone), hex_of(identifier)))
        notes = bw.array([bw.document([("by", self.chance.choice(users)), ("text", bw.string(self.text()))])])
        elements = [
            ("_id", identifier),
            ("buyer", buyer if number % 4 else bw.string(buyer.raw.hex())),
            ("state", bw.string(state)),
            ("placedAt", placed),
            ("total", bw.double(self.chance.uniform(0, 1e4))),
            ("couponIDs", bw.array(chosen)),
            ("notes", notes),
            ("lines", self.lines(identifier, products, plant=sound and fate in (15, 16, 17))),
            ("address", bw.document([("city", bw.string(self.text())), ("zip", bw.int32(number))])),
            ("__v", bw.int32(0)),
        ]
        if fate == 33:
            elements.append(("test", bw.boolean(true=True)))
        return identifier, bw.document(elements).raw

    def coupons(self, identifiers: list[Value], orders: list[Value]) -> list[bytes]:
        documents: list[bytes] = []
        for number, identifier in enumerate(identifiers):
            chosen = self.chance.sample(orders, k=min(len(orders), self.chance.randint(0, 4)))
            if number % 10 == 4:
                gone = self.object_id()
                chosen.append(gone)
                self.truth.pairs.append((hex_of(identifier), hex_of(gone)))
            elements = [("_id", identifier), ("code", bw.string(f"c{number}")), ("orderIDs", bw.array(chosen))]
            documents.append(bw.document(elements).raw)
        return documents

    def collections(self) -> dict[str, list[bytes]]:
        users, buyers = self.users()
        products, sold = self.products()
        coupons = [self.object_id() for _ in range(self.orders // 20 + 5)]
        made = [self.order(number, buyers, sold, coupons) for number in range(self.orders)]
        lost = {identifier for codes in self.truth.letters.values() for found in codes.values() for identifier in found}
        carried = [
            identifier
            for number, (identifier, _) in enumerate(made)
            if hex_of(identifier) not in lost and number % 50 != 33
        ]
        found = {
            "Users": users,
            "Products": products,
            "Coupons": self.coupons(coupons, carried),
            "Orders": [document for _, document in made],
        }
        self.truth.read = {name: len(documents) for name, documents in found.items()}
        return found


def write_shop(folder: Path, *, seed: int, orders: int) -> tuple[Path, Path, dict[str, Any]]:
    """Write a dump, its mapping and the truth.

    Returns:
        The dump's folder, the mapping file, and the truth as read back from its JSON file.
    """
    shop = _Shop(seed, orders)
    dump = folder / "shop"
    dump.mkdir(parents=True)
    for name, documents in shop.collections().items():
        (dump / f"{name}.bson").write_bytes(b"".join(documents))
        metadata = {"options": {}, "indexes": [], "uuid": "0" * 32, "collectionName": name, "type": "collection"}
        (dump / f"{name}.metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    mapping = folder / "shop.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    truth = folder / "truth.json"
    truth.write_text(json.dumps(shop.truth.__dict__, indent=1), encoding="utf-8")
    return dump, mapping, json.loads(truth.read_text(encoding="utf-8"))
