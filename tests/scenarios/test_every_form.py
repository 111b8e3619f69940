"""A small database under a mapping with every form of the language, carried by the command and compared row by row.

What only this shows: values that wait and are looked up, routes that are settled, tables that several flows fill and
tables that keep no id, as they are when the copy is finished. Planted are orphans in each of them.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import psycopg
import pytest

from isthmus.verify.reference import Reference, load
from isthmus.verify.reference.compare import Comparison, GivenAccounts
from tests.generators import bson_writer as bw
from tests.generators.bson_writer import Value
from tests.oracle.copying import compared, copy, documents_of
from tests.oracle.ledgers import accounts_of, run_facts

MAPPING = """\
isthmus: 1
enums:
  role: [admin, writer, guest]
collections:
  pets:
    from: {Cats: {kind: cat}, Dogs: {kind: dog}}
    constants: {kind: text!, legs: {type: smallint, value: 4}}
    fields:
      name: {type: text, normalise: [trim, lower]}
      owner: {references: customers.mail, on_orphan: "null"}
      toys: {child: toys, fields: {maker: {references: customers.number, type: bigint, on_orphan: "null"}}}
  Admins:
    from: Users
    when: {isAdmin: true}
    table: admins
    fields: {name: text, isAdmin: {drop: "all of them are"}}
  Users:
    table: users
    fields:
      name: {first_of: [nick, name], type: text}
      roles: {type: "role[]", flags: {isAdmin: admin, canWrite: writer, guest: guest}}
      tags: {to_flags: {new: is_new, old: is_old}}
      phone: {path: phones, element: 0, of: number, type: text, others: "only the first"}
      state: {type: boolean, values: {on: true, off: false, "*": null}}
  customers:
    ids: cuid2
    fields:
      mail: {type: text, unique: true, normalise: lower}
      number: {type: bigint, unique: true, coerce: true}
      friends: {type: "uuid[]", references: Users, on_orphan: drop}
      pets: {type: "uuid[]", references: pets, on_orphan: "null"}
      pet: {type: text, references: pets, on_orphan: "null"}
      foes: {type: "text[]", references: Users, on_orphan: drop}
      rates: {type: "numeric(4,2)[]", references: rates, on_orphan: "null"}
      numbers: {junction: customers_customers, own: customer_id}
  rates:
    key: percent
    fields:
      percent: numeric(4,2)!
      of:
        first_of: [of, alsoOf]
        route: {Users: user_id, customers2: {column: other_id, field: alsoOf}}
        on_orphan: "null"
  customers2:
    table: others
    fields: {rate: {references: rates, on_orphan: "null"}, percent: {references: rates.percent, on_orphan: "null"}}
  notes:
    key: none
    fields: {text: text}
junctions:
  customers_customers: {columns: {customer_id: customers, other_id: customers.number}, on_orphan: drop}
"""


class _Maker:
    """Makes the documents; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self.chance, self.besides = random.Random(seed), random.Random(f"{seed} besides")
        self.ids = {
            name: [self.oid() for _ in range(12)]
            for name in ("Cats", "Dogs", "Users", "customers", "rates", "customers2")
        }

    def beside(self, name: str, *, several: bool = False) -> Value:
        """An id, or some, drawn apart, so that what all else is drawn as does not depend on it."""
        self.chance, self.besides = self.besides, self.chance
        try:
            return self.some(name) if several else self.one_of(name)
        finally:
            self.chance, self.besides = self.besides, self.chance

    def oid(self) -> Value:
        return bw.object_id(self.chance.randbytes(12))

    def one_of(self, name: str) -> Value:
        """An id of a collection, now and then one of nobody."""
        return self.chance.choice([*self.ids[name], self.oid()])

    def some(self, name: str) -> Value:
        return bw.array(
            [
                self.chance.choice([self.one_of(name), self.one_of(name), bw.null()])
                for _ in range(self.chance.randrange(4))
            ]
        )

    def number(self) -> Value:
        return bw.int64(self.chance.randrange(15))

    def mail(self) -> Value:
        return bw.string(self.chance.choice(["USER{}@x", "user{}@x"]).format(self.chance.randrange(15)))

    def documents(self, name: str) -> list[bytes]:
        if name == "notes":
            return [bw.document([("_id", self.oid()), ("text", bw.string(f"note {n % 3}"))]).raw for n in range(9)]
        return [
            bw.document([("_id", one), *self.fields(name, number)]).raw for number, one in enumerate(self.ids[name])
        ]

    def fields(self, name: str, number: int) -> list[tuple[str, Value]]:
        flag = bw.boolean(true=self.chance.random() < 0.5)
        if name in ("Cats", "Dogs"):
            toys = [bw.document([("maker", self.number())]) for _ in range(self.chance.randrange(3))]
            return [("name", bw.string(f" Pet {number}\u00a0")), ("owner", self.mail()), ("toys", bw.array(toys))]
        if name == "Users":
            phones = [bw.document([("number", bw.string(str(n)))]) for n in range(self.chance.randrange(3))]
            state = bw.string(self.chance.choice(["on", "off", "?"]))
            tags = bw.array([bw.string(one) for one in self.chance.sample(["new", "old", "odd"], 2)])
            return [
                *(
                    ("isAdmin", flag),
                    ("canWrite", bw.boolean(true=True)),
                    ("nick", bw.string("n")),
                    ("name", bw.string("m")),
                ),
                *(("tags", tags), ("phones", bw.array(phones)), ("state", state)),
            ]
        if name == "customers":
            numbers = bw.array([self.number() for _ in range(self.chance.randrange(4))])
            return [
                *(("mail", bw.string(f"user{number}@X")), ("number", bw.string(str(number))), ("numbers", numbers)),
                *(("friends", self.some("Users")), ("pets", self.some("Dogs")), ("rates", self.some("rates"))),
                *(("pet", self.beside("Dogs")), ("foes", self.beside("Users", several=True))),
            ]
        if name == "rates":
            return [
                ("percent", bw.double(number / 4)),
                ("of", self.one_of(self.chance.choice(["Users", "customers2"]))),
                ("alsoOf", self.beside("customers2")),
            ]
        return [("rate", self.one_of("rates")), ("percent", bw.double(self.chance.randrange(20) / 4))]


COLLECTIONS = ("Cats", "Dogs", "Users", "customers", "rates", "customers2", "notes")


def write(folder: Path, seed: int) -> tuple[Path, Path]:
    """The dump folder and the mapping file."""
    dump = folder / "dump"
    dump.mkdir()
    made = _Maker(seed)
    for name in COLLECTIONS:
        (dump / f"{name}.bson").write_bytes(b"".join(made.documents(name)))
        (dump / f"{name}.metadata.json").write_text(json.dumps({"indexes": [], "collectionName": name}), "utf-8")
    mapping = folder / "mapping.yaml"
    mapping.write_text(MAPPING, "utf-8")
    return dump, mapping


@pytest.mark.parametrize("seed", [1, 2])
def test_every_form_arrives_as_the_oracle_says(seed: int, tmp_path: Path, database: str) -> None:
    source, mapping = write(tmp_path, seed)
    copied = copy(mapping, source, database)
    assert copied.code in (0, 1), copied.said
    found = compared(mapping, source, database)
    assert not found.differences
    assert found.totals.rows["rates"] == 12
    assert found.totals.rows["notes"] == 9
    # Without accounts the comparison names what was planted, in every kind of column that waits.
    unexcused = compared(mapping, source, database, GivenAccounts()).differences
    assert {"friends", "pets", "rates"} <= {one.path for one in unexcused}


CHANGES = {
    ("pets", "owner"): ("UPDATE pets SET owner = NULL", "owner IS NOT NULL"),
    ("pets", "kind"): ("UPDATE pets SET kind = 'cow'", "true"),
    ("customers", "pets"): ("UPDATE customers SET pets = pets[2:]", "cardinality(pets) > 0"),
    ("rates", "user_id"): ("UPDATE rates SET user_id = NULL", "user_id IS NOT NULL"),
    ("others", "rate"): ("UPDATE others SET rate = NULL", "rate IS NOT NULL"),
    ("notes", "(row)"): ("DELETE FROM notes", "true"),
    ("customers_customers", "(row)"): ("DELETE FROM customers_customers", "true"),
}
"""(table, path) of a difference: a statement that makes it, and in which rows it may."""


def test_a_changed_row_of_each_kind_is_found(tmp_path: Path, database: str) -> None:
    source, mapping = write(tmp_path, 3)
    copied = copy(mapping, source, database)
    assert copied.code in (0, 1), copied.said
    with psycopg.connect(database, autocommit=True) as connection:
        reference = Reference(load(mapping), run_facts(connection).key, run_facts(connection).now_us)
        accounts = accounts_of(connection, reference)
        documents = list(documents_of(source, COLLECTIONS))

        def seen() -> set[tuple[str, str]]:
            with connection.transaction():
                comparison = Comparison(reference, connection, accounts)
                return {(one.table, one.path) for one in comparison.differences(documents)}

        assert not seen()
        for place, (change, which) in CHANGES.items():
            statement = f"{change} WHERE ctid = (SELECT min(ctid) FROM {place[0]} WHERE {which})"
            with connection.transaction() as transaction:
                assert connection.execute(statement.encode()).rowcount == 1, place
                assert seen() == {place}
                raise psycopg.Rollback(transaction)
