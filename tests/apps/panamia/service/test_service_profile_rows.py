"""Rows of profiles as a store of documents: what it keeps, what it refuses, and that others' writes are seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import Int64
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from apps.panamia.models.ids import new_id
from apps.panamia.service.profiles.rows import RowProfiles
from isthmus.errors import PolyglotError
from isthmus.polyglot.stores import DocumentStore
from tests.apps.panamia.service.conftest import World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def session(world: World) -> AsyncIterator[AsyncSession]:
    """A transaction that is undone."""
    async with world.app.state.resources.sessions() as session:
        yield session
        await session.rollback()


async def _code(work: Any) -> str:
    with pytest.raises(PolyglotError) as refused:
        await work
    return refused.value.code


async def test_document_is_kept_changed_and_removed(session: AsyncSession) -> None:
    rows = RowProfiles(session)
    store: DocumentStore = rows
    made = await store.insert({"email": " A@Example.org", "name": "Ana", "odd": {"n": Int64(5)}, "images": {"x": 1}})
    assert made.document["email"] == "a@example.org"
    assert made.document["odd"] == {"n": 5}
    assert await store.get(made.id) == made
    changed = await store.update(made.id, set={"images.primary": "p", "odd.m": 1}, unset=["odd.n", "missing"])
    assert changed.revision != made.revision
    assert changed.document["odd"] == {"m": 1}
    assert changed.document["images"] == {"x": 1, "primary": "p"}
    cleared = await store.update(made.id, unset=["odd", "images"])
    assert {"odd", "images"}.isdisjoint(cleared.document)
    replaced = await store.replace({"_id": made.id, "email": "b@example.org"}, revision=cleared.revision)
    assert "name" not in replaced.document
    put = await store.put({"_id": made.id, "email": "c@example.org", "name": "C"})
    assert (await store.find({"email": "c@example.org"}))[0] == put
    other = await store.put({"_id": new_id(), "email": "d@example.org"})
    assert {one.id for one in await store.find({"name": None})} == {other.id}
    assert await store.delete(made.id)
    assert not await store.delete(made.id)
    assert [one.id for one in await store.find({})] == [other.id]


async def test_what_another_has_written_is_a_conflict(session: AsyncSession) -> None:
    store = RowProfiles(session)
    made = await store.insert({"email": "a@example.org", "odd": 1})
    second = await store.update(made.id, set={"odd": 2})  # beside the row only
    assert second.revision != made.revision
    assert await _code(store.update(made.id, set={"odd": 3}, revision=made.revision)) == "store-conflict"
    assert await _code(store.replace({"_id": made.id, "email": "x@example.org"}, revision="?")) == "store-conflict"
    assert await _code(store.delete(made.id, revision=made.revision)) == "store-conflict"
    assert await _code(store.update(new_id(), set={"odd": 3})) == "store-absent"
    assert (await store.get(made.id)) == second


async def test_what_cannot_be_is_refused_and_the_transaction_goes_on(session: AsyncSession) -> None:
    store = RowProfiles(session)
    made = await store.insert({"email": "a@example.org", "slug": "ana"})
    assert await _code(store.insert({"email": "A@example.org"})) == "store-exists"
    assert await _code(store.insert({"email": "b@example.org", "slug": "ana"})) == "store-exists"
    assert await _code(store.insert({"email": "b@example.org", "userId": new_id()})) == "store-refused"
    assert await _code(store.insert({"_id": "no key", "email": "b@example.org"})) == "store-refused"
    assert await _code(store.insert({"name": "Bo"})) == "store-document"
    assert await _code(store.insert({"email": "b@example.org", "name": "a\0b"})) == "store-document"
    assert await _code(store.insert({"email": "b@example.org", "odd": {"$set": 1}})) == "store-document"
    assert await _code(store.update(made.id, unset=["email"])) == "store-document"
    assert await _code(store.update(made.id, set={"email.x": 1})) == "store-path"
    assert await _code(store.find({"details": "x"})) == "store-query"
    assert await _code(store.find({}, limit=0)) == "store-query"
    assert [one.id for one in await store.find({})] == [made.id]


async def test_columns_that_no_document_has_stay(session: AsyncSession) -> None:
    store = RowProfiles(session)
    made = await store.insert({"email": "a@example.org", "pronouns": {"sheher": True}})
    sent = "UPDATE profiles SET membership_level = 'partner', address_line3 = 'c/o', pronouns = '{she/her,xe/xem}'"
    await session.execute(text(sent))
    await store.update(made.id, set={"name": "Ana", "primary_address.city": "Miami"})
    query = "SELECT membership_level, address_line3, pronouns, name, address_locality FROM profiles"
    assert (await session.execute(text(query))).one() == ("partner", "c/o", ["she/her", "xe/xem"], "Ana", "Miami")
