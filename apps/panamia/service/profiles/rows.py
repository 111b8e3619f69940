"""Profiles as rows of PostgreSQL: columns as the mapping has them, and beside them what Isthmus keeps of each row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from isthmus.polyglot.stores import Stored, faults, form
from isthmus.polyglot.stores.asked import checked_limit
from isthmus.polyglot.stores.changes import Changes
from isthmus.polyglot.stores.session import sqlstate
from isthmus.polyglot.switch import Home

from ...models import Profile
from ...models.ids import new_id
from ..people import is_address
from .columns import Row, document_of, row_of
from .slugs import is_close
from .stores import COLLECTION, SEARCHED, Claim, Wanted

_TABLE = cast("sa.Table", Profile.__table__)
_EXTRAS = sa.table(
    "extras",
    sa.column("table_schema", sa.Text),
    sa.column("table_name", sa.Text),
    sa.column("id", sa.Text),
    sa.column("row_position", ARRAY(sa.Integer)),
    sa.column("document", JSONB),
    schema="isthmus",
)
_REVISION = sa.literal_column("profiles.xmin || translate(profiles.ctid::text, '(,)', '..')", sa.Text)
"""Each write of a row gives it another one."""
_ASKED = {
    "_id": _TABLE.c.id,
    "userId": _TABLE.c.user_id,
    "email": _TABLE.c.email,
    "slug": _TABLE.c.slug,
    "name": _TABLE.c.name,
    "active": _TABLE.c.active,
}
"""Fields that may be asked for → columns."""
_SEARCHED = {
    "name": _TABLE.c.name,
    "five_words": _TABLE.c.descriptions["fiveWords"].astext,
    "tags": _TABLE.c.descriptions["tags"].astext,
    "details": _TABLE.c.descriptions["details"].astext,
}
_UNIQUE = "23505"


class RowProfiles:
    """`Profiles` in PostgreSQL, in the transaction of a connection; nothing is committed here.

    Ids are the rows' keys. The e-mail of a document is its row's: trimmed, in lower case.

    Args:
        connection: Inside a transaction.
    """

    home: Home = "postgres"

    def __init__(self, connection: AsyncSession | AsyncConnection) -> None:
        self._on = connection

    async def get(self, document_id: object) -> Stored | None:
        """As `DocumentStore.get`."""
        return next(iter(await self.find({"_id": document_id}, limit=1)), None)

    async def find(self, fields: Mapping[str, object], *, limit: int = 100, after: object = None) -> list[Stored]:
        """As `DocumentStore.find`, of some fields that are columns."""
        query = sa.select(_TABLE, _REVISION.label("revision")).order_by(_TABLE.c.id.collate("C"))
        query = query.limit(checked_limit(limit, COLLECTION))
        for path, value in fields.items():
            if path not in _ASKED or not isinstance(value, str | bool | None):
                raise faults.no_query(f"{path[:60]!r} is no column of profiles, or its value none.", COLLECTION)
            column = _ASKED[path]
            query = query.where(column.is_(None) if value is None else column == value)
        if after is not None:
            query = query.where(_TABLE.c.id.collate("C") > str(after))
        rows = await self._rows(query)
        extras = await self._extras([str(row["id"]) for row in rows])
        return [_stored(row, extras.get(str(row["id"]))) for row in rows]

    async def insert(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.insert`. Without `_id` it gets a key."""
        whole = {"_id": new_id(), **document}
        form.to_bson(whole, COLLECTION)
        row, rest = self._columns(whole, None)
        async with self._refusals():
            await self._on.execute(_TABLE.insert().values(row))
            await self._keep(row["id"], rest)
        return await self._there(row["id"])

    async def put(self, document: Mapping[str, Any]) -> Stored:
        """As `DocumentStore.put`."""
        if await self.get(document.get("_id")) is None:
            return await self.insert(document)
        return await self.replace(document)

    async def replace(self, document: Mapping[str, Any], *, revision: str | None = None) -> Stored:
        """As `DocumentStore.replace`."""
        form.to_bson(document, COLLECTION)
        row, _ = await self._held(document.get("_id"), revision)
        columns, rest = self._columns(document, None)
        return await self._written(row, columns, rest)

    async def update(
        self,
        document_id: object,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002  the word of MongoDB
        unset: Iterable[str] = (),
        revision: str | None = None,
    ) -> Stored:
        """As `DocumentStore.update`. Columns that nothing is said of are not written."""
        changes = Changes(set, unset, COLLECTION)
        row, extras = await self._held(document_id, revision)
        fields = form.to_json(form.to_bson(document_of(row, extras), COLLECTION))
        # in that form, which has milliseconds: what differs then is what is said
        was, rest_was = self._columns(form.read(form.written(fields)), row)
        changes.applied_to(fields)
        now, rest = self._columns(form.read(form.written(fields)), row)
        changed = {name: value for name, value in now.items() if name not in was or was[name] != value}
        return await self._written(row, changed, None if rest == rest_was else rest)

    async def delete(self, document_id: object, *, revision: str | None = None) -> bool:
        """As `DocumentStore.delete`."""
        if await self.get(document_id) is None:
            return False
        row, _ = await self._held(document_id, revision)
        async with self._refusals():
            await self._on.execute(_TABLE.delete().where(_TABLE.c.id == row["id"]))
            await self._keep(row["id"], {})
        return True

    async def of_user(self, user_id: str) -> Stored | None:
        """As `Profiles.of_user`."""
        return next(iter(await self.find({"userId": user_id}, limit=1)), None)

    async def public(self, fields: Mapping[str, object]) -> Stored | None:
        """As `Profiles.public`."""
        return next(iter(await self.find({**fields, "active": True}, limit=1)), None)

    async def claim(self, user_id: str, email: str) -> tuple[Claim, Stored | None]:
        """As `Profiles.claim`."""
        of_email = is_address(_TABLE.c.email, email)
        found = await self.of_user(user_id)
        if found is not None:
            return "found", found
        claim = _TABLE.update().where(of_email, _TABLE.c.user_id.is_(None)).values(user_id=user_id)
        try:
            async with self._on.begin_nested():
                claimed = (await self._on.execute(claim.returning(_TABLE.c.id))).scalar_one_or_none()
        except IntegrityError as fault:
            if sqlstate(fault) != _UNIQUE:
                raise
            return "found", await self.of_user(user_id)
        if claimed is not None:
            return "claimed", await self.of_user(user_id)
        taken = (await self._on.execute(sa.select(_TABLE.c.id).where(of_email))).first()
        return "none" if taken is None else "taken", None

    async def page(self, wanted: Wanted) -> list[dict[str, Any]]:
        """As `Profiles.page`."""
        slug = _TABLE.c.slug.collate("C")
        query = sa.select(_TABLE).where(_TABLE.c.active, slug > "").order_by(slug).limit(wanted.limit)
        for word in wanted.words:
            query = query.where(sa.or_(*(_SEARCHED[field].icontains(word, autoescape=True) for field in SEARCHED)))
        for group in wanted.flags:
            query = query.where(sa.or_(*(_is_true(flag) for flag in group)))
        if wanted.behind is not None:
            query = query.where(slug > wanted.behind[0].partition("\0")[0])  # what follows a NUL is nothing here
        return [document_of(row) for row in await self._rows(query)]

    async def slugs(self, beginning: str) -> set[str]:
        """As `Profiles.slugs`."""
        column = _TABLE.c.slug
        query = sa.select(column).where(is_close(column, beginning))
        return {str(one) for one in (await self._on.execute(query)).scalars()}

    async def _there(self, document_id: object) -> Stored:
        found = await self.get(document_id)
        if found is None:
            raise faults.absent(COLLECTION)
        return found

    async def _held(self, document_id: object, revision: str | None) -> tuple[Row, dict[str, Any] | None]:
        """Return a row and its extras, held until the transaction ends.

        Raises:
            PolyglotError: It is not there, or has another revision.
        """
        query = sa.select(_TABLE, _REVISION.label("revision")).where(_TABLE.c.id == str(document_id))
        found = await self._rows(query.with_for_update(key_share=True))
        if not found:
            raise faults.absent(COLLECTION)
        row = found[0]
        if revision is not None and row["revision"] != revision:
            raise faults.conflict(COLLECTION)
        return row, (await self._extras([str(row["id"])])).get(str(row["id"]))

    async def _written(self, row: Row, changed: Mapping[str, Any], rest: Mapping[str, Any] | None) -> Stored:
        """Write columns, and what stands beside them unless that is None."""
        values = {name: value for name, value in changed.items() if name != "id"} or {"user_id": row["user_id"]}
        async with self._refusals():
            await self._on.execute(_TABLE.update().where(_TABLE.c.id == row["id"]).values(values))
            if rest is not None:
                await self._keep(row["id"], rest)
        return await self._there(row["id"])

    async def _rows(self, query: sa.Select[Any]) -> list[Row]:
        return [dict(row) for row in (await self._on.execute(query)).mappings()]  # pyright: ignore[reportUnknownVariableType, reportArgumentType, reportCallIssue, reportReturnType]

    async def _extras(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        if not ids:
            return {}
        query = sa.select(_EXTRAS.c.id, _EXTRAS.c.document).where(*_beside(), _EXTRAS.c.id.in_(ids))
        return {name: form.read(form.written(document)) for name, document in await self._on.execute(query)}

    async def _keep(self, row_id: str, rest: Mapping[str, Any]) -> None:
        if not rest:
            await self._on.execute(sa.delete(_EXTRAS).where(*_beside(), _EXTRAS.c.id == row_id))
            return
        values: dict[str, Any] = {
            "table_schema": "public",
            "table_name": _TABLE.name,
            "id": row_id,
            "row_position": [],
            "document": form.to_json(form.to_bson(rest, COLLECTION)),
        }
        put = insert(_EXTRAS).values(values)
        names = ["table_schema", "table_name", "id", "row_position"]
        await self._on.execute(
            put.on_conflict_do_update(index_elements=names, set_={"document": put.excluded.document})
        )

    def _columns(self, document: Mapping[str, Any], before: Row | None) -> tuple[dict[str, Any], dict[str, Any]]:
        row, rest = row_of(document, before)
        if row["email"] is None:
            raise faults.no_document("A profile has an e-mail.", COLLECTION, "email")
        return row, rest

    @asynccontextmanager
    async def _refusals(self) -> AsyncGenerator[None]:
        """Say in the stores' words what PostgreSQL refuses, and leave the transaction as it was before."""
        try:
            async with self._on.begin_nested():
                yield
        except DBAPIError as fault:
            code = sqlstate(fault) or ""
            if code == _UNIQUE:
                named = getattr(getattr(fault.orig, "diag", None), "constraint_name", None)
                raise faults.exists(COLLECTION, f"with the same value of {named}") from fault
            if code.startswith(("22", "23", "54")):
                raise faults.refused(COLLECTION, f"PostgreSQL does ({code})") from fault
            raise


def _beside() -> tuple[sa.ColumnElement[bool], ...]:
    """Return what tells the extras of profiles from others."""
    return (
        _EXTRAS.c.table_schema == "public",
        _EXTRAS.c.table_name == _TABLE.name,
        _EXTRAS.c.row_position == sa.cast([], ARRAY(sa.Integer)),
    )


def _is_true(flag: str) -> sa.ColumnElement[bool]:
    column, _, key = flag.partition(".")
    return _TABLE.c[column].contains({key: True})


def _stored(row: Row, extras: Mapping[str, Any] | None) -> Stored:
    document = document_of(row, extras)
    return Stored(document["_id"], document, str(row["revision"]))
