"""Core and oracle say the same of documents whose things are known: rows, refusals, counts, and what is listed."""

from __future__ import annotations

import io
from typing import Any, cast

import bson
import pytest
from bson import Binary, ObjectId
from bson.dbref import DBRef
from ruamel.yaml import YAML

from isthmus._rust import IdCodec
from isthmus.mapping.things import Things
from tests.generators.things import MEMBERS, People, mapping
from tests.oracle.agreement import KEY, Pair


def named(identifier: object) -> bytes:
    return bson.encode({"_id": identifier})


def id_of(collection: str, identifier: object, scheme: str = "cuid2") -> str:
    return IdCodec(KEY).derive(collection, named(identifier), scheme)


def plain(text: str) -> dict[str, Any]:
    return cast("dict[str, Any]", YAML(typ="safe", pure=True).load(io.StringIO(text)))


@pytest.mark.parametrize("seed", range(1, 7))
def test_many_people(seed: int) -> None:
    people = People(seed, id_of)
    of: dict[str, dict[bytes, str | None]] = {"profiles": dict.fromkeys(map(named, people.none["profiles"]))}
    for thing, parts in people.groups:
        for name, identifiers in parts.items():
            of.setdefault(name, {}).update({named(one): thing for one in identifiers})
    of["legacy"].popitem()  # one that nobody knows
    things = Things(of, {"users": {named(one): why for one, why in people.dropped["users"].items()}}, "")
    for name in (*MEMBERS, "profiles"):
        pair = Pair(plain(mapping()), name, things)
        documents = [bson.encode(document) for document in people.collections[name]]
        assert pair.disagreements(documents) == []
        for document in documents:
            assert pair.disagreements([document]) == []


UUIDS = """
isthmus: 1
identities:
  people:
    keys: [mail]
    members: {users: {keys: {mail: mail}}, others: {keys: {mail: mail}}}
    linked: {Main: {keys: {mail: mail}}}
collections:
  users: {table: people, rewritten: true, fields: {mail: text}}
  others: {table: people, fields: {mail: text}}
  Main:
    fields:
      owner: {references: users, identity: people}
      must: {references: others, required: %s}
      all: {type: "uuid[]", references: users}
      inside: {type: jsonb, rewrite: {"[].who": users}}
"""
STANDING = "00000000-0000-4000-8000-0000000000AB"


@pytest.mark.parametrize("required", ["false", "true"])
def test_hostile_values(required: str) -> None:
    user, thing = ObjectId(b"u" * 12), id_of("others", "ü", "uuid")
    values: list[Any] = [
        None, user, str(user), str(user).upper(), "ü", "", thing, thing.upper(), thing[:-1], STANDING, "z" * 24, 5, 5.0,
        [user], [], {"a": user}, DBRef("users", user), DBRef("users", thing), DBRef("others", "ü"), DBRef("x", user),
        Binary(b"0" * 16, 4), True, "\0",
    ]  # fmt: skip
    of: dict[str, dict[bytes, str | None]] = {
        "users": {named(user): thing, named(5): thing, named("ü"): STANDING.lower()},
        "others": {named("ü"): thing},
        "Main": {named(1): thing, named(2): None, named("ü 'x'"): STANDING.lower()},
    }
    pair = Pair(plain(UUIDS % required), "Main", Things(of, {"Main": {named(4): "out"}}, ""))
    for identifier in (1, 2, "ü 'x'", 3, 4, bson.Int64(1)):
        for value in values:
            document = {"_id": identifier, "owner": value, "must": value, "inside": [{"who": value}]}
            if not isinstance(value, list):
                document["all"] = [value]
            assert pair.disagreements([bson.encode(document)]) == [], document
        assert pair.disagreements([bson.encode({"_id": identifier})]) == []
