"""Find, claim, create: what one caller is told, and what stands in MongoDB behind it.

Oracle: the documents that are there, by a plain read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from bson import Binary, CodecOptions, Decimal128, ObjectId
from bson.binary import UuidRepresentation
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from isthmus.errors import IsthmusError, PolyglotError
from isthmus.polyglot.ensure import (
    Belonging,
    check_indexes,
    check_indexes_async,
    ensure,
    ensure_async,
    ensure_indexes,
    ensure_indexes_async,
)
from isthmus.polyglot.ensure.filters import collation_of, with_email
from isthmus.polyglot.references import PgRef
from tests.fix_mongo import MongoDatabase
from tests.integration.ensure.faces import Face

BELONGING = Belonging("owner.id", email="contact.e-mail ü")
TYPED = Belonging("userId", Annotated[str, PgRef["users.id", "cuid2"]], email="email")
CUID2, OTHER_CUID2 = "tz4a98xxat96iws9zmbrgj3a", "pfh0haxfpzowht3oi213cqos"
AN_UUID = UUID("12345678-1234-4234-8234-1234567890ab")


def of(email: object, **more: Any) -> dict[str, Any]:
    return {"contact": {"e-mail ü": email}, **more}


def refused(call: Callable[[], Any], code: str) -> IsthmusError:
    with pytest.raises(IsthmusError) as error:
        call()
    assert error.value.code == code
    assert error.value.hint
    return error.value


def test_row_meets_its_document_by_reference_email_and_factory(face: Face) -> None:
    face.make(BELONGING)
    face.collection.insert_many([of("ann@x", _id=1), of("ben@x", _id=2, owner={"id": "u2", "since": 5})])
    assert face.ensure(BELONGING, "u2").document == of("ben@x", _id=2, owner={"id": "u2", "since": 5})
    claimed = face.ensure(BELONGING, "u1", email="ann@x")
    assert (claimed.how, claimed.document) == ("claimed", of("ann@x", _id=1, owner={"id": "u1"}))
    found = face.ensure(BELONGING, "u1", email="somebody@else")
    assert (found.how, found.document) == ("found", claimed.document)
    taken = face.ensure(BELONGING, "u3", email="ben@x", create=lambda: of("ben@x"))
    assert (taken.how, taken.document, taken.others) == ("taken", None, (2,))
    assert face.ensure(BELONGING, "u3", email="cy@x").how == "none"
    created = face.ensure(BELONGING, "u3", email="cy@x", create=lambda: of("cy@x", at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert created.how == "created"
    assert face.ensure(BELONGING, "u3").document == created.document
    assert len(face.there()) == 3


@pytest.mark.parametrize("left", [{}, {"owner": {}}, {"owner": {"id": None, "n": 1}}, {"owner": {"id": ""}}])
@pytest.mark.parametrize(
    ("stored", "given"),
    [
        ("ann@x.org", " Ann@X.ORG"),
        ("ANN@x.Org", "ann@x.org"),
        (" Ann@x.org\r\n", "ann@x.org"),
        ("\u00a0ann@x.org  ", "ANN@X.ORG\n"),
        ("   ann@x.org", "   ann@x.org"),
        ("ÄNNE.ß@x", "änne.ß@X"),
    ],
)
def test_unclaimed_document_is_claimed_however_its_email_is_stored(
    sync: Face, stored: str, given: str, left: dict[str, Any]
) -> None:
    sync.make(BELONGING)
    sync.collection.insert_many([of("anne@x.org"), of("ann@x.or"), of("annn@x.org"), of("'; {$ne: 1}")])
    sync.collection.insert_one(of(stored, _id="it", **left))
    claimed = sync.ensure(BELONGING, "u1", email=given)
    assert claimed.how == "claimed"
    assert claimed.document is not None
    assert claimed.document["_id"] == "it"
    assert claimed.document["owner"] == {**left.get("owner", {}), "id": "u1"}
    assert claimed.document["contact"] == {"e-mail ü": stored}


@pytest.mark.parametrize("stored", [["ann@x"], None, 5, {"a": "ann@x"}, "änn@x", "a nn@x", "ann@x.", "", "ann@x\u200b"])
def test_documents_of_another_email_are_left(sync: Face, stored: object) -> None:
    sync.make(BELONGING)
    sync.collection.insert_one(of(stored, _id=1))
    assert sync.ensure(BELONGING, "u1", email="ann@x").how == "none"
    assert sync.there() == [of(stored, _id=1)]


@pytest.mark.parametrize(
    "held", [["u2"], [], [None], [""], "u2", " ", 0, False, ObjectId("6b03c2096a89e5be8f5fa97e"), {}]
)
def test_document_with_anything_else_as_reference_is_not_claimed(sync: Face, held: object) -> None:
    sync.make(BELONGING)
    sync.collection.insert_one(of("ann@x", _id=1, owner={"id": held}))
    found = sync.ensure(BELONGING, "u1", email="ann@x", create=lambda: {"never": 1})
    assert (found.how, found.others) == ("taken", (1,))
    assert sync.there() == [of("ann@x", _id=1, owner={"id": held})]


def test_several_documents_with_the_email_are_named_and_left(face: Face) -> None:
    face.make(BELONGING)
    there = [of("ann@x", _id=1), of("ANN@x", _id="2"), of("ann@x ", _id=3, owner={"id": None})]
    face.collection.insert_many([*there, of("ann@x", _id=4, owner={"id": "u4"})])
    found = face.ensure(BELONGING, "u1", email="ann@x", create=lambda: of("ann@x"))
    assert (found.how, found.document, set(found.others)) == ("ambiguous", None, {1, "2", 3})
    assert len(face.there()) == 4
    face.collection.delete_many({"_id": {"$in": [1, 3]}})
    assert face.ensure(BELONGING, "u1", email="ann@x").how == "claimed"


def test_many_documents_with_the_email_are_not_all_named(sync: Face) -> None:
    sync.make(BELONGING)
    sync.collection.insert_many([of("ann@x") for _ in range(250)])
    assert len(sync.ensure(BELONGING, "u1", email="ann@x").others) == 20


@pytest.mark.parametrize(
    ("holds", "key", "other", "stored"),
    [
        (UUID, AN_UUID, UUID(int=5), Binary(AN_UUID.bytes, 4)),
        (int, 2**62, -5, 2**62),
        (str, "O'Neil \"ü", "o'neil \"ü", "O'Neil \"ü"),
    ],
)
def test_keys_of_every_type(face: Face, holds: Any, key: Any, other: Any, stored: Any) -> None:
    belonging = Belonging("ref", holds, email="email")
    face.make(belonging)
    face.collection.insert_many([{"_id": 1}, {"_id": 2, "ref": ""}, {"_id": 3, "email": "a@x"}])
    assert face.ensure(belonging, key, create=lambda: {"_id": 5}).how == "created"
    assert face.ensure(belonging, key, create=lambda: {"_id": 6}).how == "found"
    assert face.ensure(belonging, other, email="A@X").how == "claimed"
    assert face.ensure(belonging, other).how == "found"
    there = {one["_id"]: one.get("ref") for one in face.there()}
    assert there[5] == stored
    assert set(there) == {1, 2, 3, 5}


def test_typed_reference_refuses_what_can_be_no_key(face: Face) -> None:
    face.make(TYPED)
    assert face.ensure(TYPED, CUID2, create=dict).how == "created"
    for value in ("a5f0c1a2b3c4d5e6f7a8b9c0", "", None, ObjectId(), CUID2.upper()):
        refused(lambda value=value: face.ensure(TYPED, value, email="a@x", create=dict), "ensure-reference")
    assert len(face.there()) == 1


def test_bad_emails_are_refused_before_anything_is_asked(face: Face) -> None:
    for email in ("", "  ", 5, "a\0b"):
        refused(lambda email=email: face.ensure(TYPED, CUID2, email=email, create=dict), "ensure-email")
    refused(lambda: face.ensure(Belonging("userId"), CUID2, email="a@x"), "ensure-email")
    assert face.there() == []


def test_collection_without_indexes_is_never_written_to(face: Face) -> None:
    face.collection.insert_one({"_id": 1, "email": "a@x"})
    face.collection.create_index("userId")
    error = refused(lambda: face.ensure(TYPED, CUID2, email="a@x", create=dict), "ensure-no-index")
    assert [one.where.path for one in error.problems] == ["userId", "email"]
    refused(lambda: face.ensure(TYPED, CUID2, create=dict), "ensure-no-index")
    assert face.ensure(TYPED, CUID2).how == "none"
    assert face.there() == [{"_id": 1, "email": "a@x"}]


def test_factory_that_raises_leaves_nothing(face: Face) -> None:
    face.make(TYPED)

    def fail() -> dict[str, Any]:
        raise LookupError("no name")

    with pytest.raises(LookupError, match="no name"):
        face.ensure(TYPED, CUID2, create=fail)
    refused(lambda: face.ensure(TYPED, CUID2, create=lambda: {"userId": OTHER_CUID2}), "ensure-factory")
    refused(lambda: face.ensure(TYPED, CUID2, create=lambda: {"at": object()}), "ensure-factory")
    refused(lambda: face.ensure(TYPED, CUID2, create=lambda: None), "ensure-factory")
    assert face.there() == []


def test_factory_is_not_asked_where_there_is_a_document(face: Face) -> None:
    face.make(TYPED)
    face.ensure(TYPED, CUID2, create=dict)

    def fail() -> dict[str, Any]:
        raise AssertionError

    assert face.ensure(TYPED, CUID2, create=fail).how == "found"


def test_factory_may_give_an_id_of_its_own_that_is_free(face: Face) -> None:
    face.make(TYPED)
    created = face.ensure(TYPED, CUID2, create=lambda: {"name": "Ann", "_id": "own"})
    assert created.document == {"_id": "own", "name": "Ann", "userId": CUID2}
    error = refused(lambda: face.ensure(TYPED, OTHER_CUID2, create=lambda: {"_id": "own"}), "ensure-refused")
    assert "_id" in error.message
    assert face.there() == [created.document]


def test_other_unique_index_is_named_without_the_value(face: Face) -> None:
    face.make(TYPED)
    face.collection.create_index("slug", unique=True, sparse=True)
    face.collection.insert_one({"_id": 1, "slug": "of-somebody"})
    error = refused(lambda: face.ensure(TYPED, CUID2, create=lambda: {"slug": "of-somebody"}), "ensure-refused")
    assert "slug" in error.message
    assert "of-somebody" not in str(error)


def test_validator_that_refuses_is_told(face: Face) -> None:
    face.collection.database.create_collection(face.collection.name, validator={"userId": {"$exists": False}})
    face.make(TYPED)
    face.collection.insert_one({"_id": 1, "email": "a@x"})
    refused(lambda: face.ensure(TYPED, CUID2, create=dict), "ensure-refused")
    refused(lambda: face.ensure(TYPED, CUID2, email="a@x"), "ensure-refused")
    assert face.there() == [{"_id": 1, "email": "a@x"}]


def test_reference_has_no_place_in_what_is_no_document(face: Face) -> None:
    face.make(BELONGING)
    face.collection.insert_one(of("ann@x", _id=1, owner=None))
    error = refused(lambda: face.ensure(BELONGING, "u1", email="ann@x"), "ensure-refused")
    assert error.message.endswith("in element owner")
    assert face.there() == [of("ann@x", _id=1, owner=None)]


@pytest.mark.parametrize("holder", [[], [{"id": "u2"}], [{"n": 1}], 5, "u1"])
def test_document_without_a_place_for_the_reference_is_not_claimed(sync: Face, holder: object) -> None:
    sync.make(BELONGING)
    sync.collection.insert_one(of("ann@x", _id=1, owner=holder))
    assert sync.ensure(BELONGING, "u1", email="ann@x").how == "taken"
    assert sync.there() == [of("ann@x", _id=1, owner=holder)]


def test_key_in_an_array_is_told(face: Face) -> None:
    face.make(TYPED)
    face.collection.insert_one({"_id": 1, "userId": [CUID2]})
    refused(lambda: face.ensure(TYPED, CUID2, create=dict), "ensure-shape")
    whole = Belonging("n", int)
    face.make(whole)
    face.collection.insert_one({"_id": 2, "n": Decimal128("5")})
    refused(lambda: face.ensure(whole, 5, create=dict), "ensure-shape")


def test_collections_are_read_as_the_caller_reads_them(mongo: MongoDatabase) -> None:
    plain = mongo.client[mongo.name]["c"]
    belonging = Belonging("ref", UUID, email="email")
    ensure_indexes(plain, belonging)
    plain.insert_one({"_id": 1, "email": "a@x", "at": datetime(2026, 1, 1, tzinfo=UTC)})
    standard = plain.with_options(
        CodecOptions(uuid_representation=UuidRepresentation.STANDARD, tz_aware=True, tzinfo=UTC),
        write_concern=WriteConcern(0),
    )
    found = ensure(standard, belonging, AN_UUID, email="a@x")
    assert found.document == {"_id": 1, "email": "a@x", "at": datetime(2026, 1, 1, tzinfo=UTC), "ref": AN_UUID}
    assert ensure(plain, belonging, AN_UUID).how == "found"
    raw = plain.with_options(CodecOptions(document_class=RawBSONDocument))
    created = ensure(raw, belonging, UUID(int=7), create=lambda: {"a": {"b": 1}})
    assert isinstance(created.document, RawBSONDocument)
    assert created.document["a"]["b"] == 1
    assert ensure(raw, belonging, UUID(int=7)).document == created.document


def test_each_face_refuses_the_collection_of_the_other(mongo: MongoDatabase) -> None:
    blocking = mongo.client[mongo.name]["c"]

    async def wrong(call: Callable[..., Awaitable[Any]], *given: Any) -> None:
        with pytest.raises(PolyglotError) as error:
            await call(blocking, TYPED, *given)
        assert error.value.code == "ensure-collection"

    async def other() -> Any:
        async with AsyncMongoClient[dict[str, Any]](mongo.url) as client:
            return client[mongo.name]["c"]

    for call, given in ((ensure_async, (CUID2,)), (ensure_indexes_async, ()), (check_indexes_async, ())):
        asyncio.run(wrong(call, *given))
    awaited = asyncio.run(other())
    others: list[Any] = [awaited, mongo.client, mongo.client[mongo.name], None, "c"]
    for strange in others:
        error = refused(lambda strange=strange: ensure(strange, TYPED, CUID2), "ensure-collection")
        assert type(strange).__name__ in error.message
        refused(lambda strange=strange: ensure_indexes(strange, TYPED), "ensure-collection")
        refused(lambda strange=strange: check_indexes(strange, TYPED), "ensure-collection")


def test_factory_may_be_awaited(mongo: MongoDatabase) -> None:
    async def make() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"name": "Ann"}

    async def run() -> Any:
        async with AsyncMongoClient[dict[str, Any]](mongo.url) as client:
            collection = client[mongo.name]["c"]
            await ensure_indexes_async(collection, TYPED)
            return await ensure_async(collection, TYPED, CUID2, create=make)

    found = asyncio.run(run())
    assert (found.how, found.document["name"]) == ("created", "Ann")


def test_look_ups_use_the_indexes(sync: Face) -> None:
    sync.make(TYPED)
    asked = sync.collection.find(with_email(TYPED, "a@x", "a@x"), collation=collation_of(TYPED))
    assert "isthmus_ensure_email" in str(asked.explain()["queryPlanner"]["winningPlan"])
    plan = sync.collection.find({"userId": CUID2}).explain()["queryPlanner"]["winningPlan"]
    assert "isthmus_ensure_userId" in str(plan)
