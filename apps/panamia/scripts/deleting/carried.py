"""Which row a profile's document became, and the other way: whatever was written on one side since, it is one profile.

Ids are those of the mapping: derived with the target's key, or written down where they cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import bson
import sqlalchemy as sa
from bson import ObjectId
from bson.codec_options import CodecOptions
from sqlalchemy.ext.asyncio import AsyncSession

from isthmus._rust import IdCodec

from ...service.profiles.stores import COLLECTION
from ..command import NotDoneError

_SCHEME = "cuid2"
"""What `ids` of mapping.yaml says."""
_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
_MAY = sa.text("""
SELECT has_table_privilege(to_regclass('isthmus.id_key'), 'SELECT')
    AND has_table_privilege(to_regclass('isthmus.id_map'), 'SELECT')
""")
_KEY = sa.text("SELECT key FROM isthmus.id_key")
_DOCUMENTS = sa.text("SELECT source_id FROM isthmus.id_map WHERE collection = :collection AND id = ANY (:ids)")
_ROWS = sa.text("""
SELECT id FROM isthmus.id_map WHERE collection = :collection
    AND key_digest IN (SELECT sha256(one) FROM unnest(CAST(:documents AS bytea[])) AS one)
""")


async def documents_of(db: AsyncSession, rows: Sequence[str]) -> list[Any]:
    """Return the `_id`s of the documents that rows of profiles were made of.

    Raises:
        NotDoneError: This role may not ask.
    """
    codec = await _codec(db)
    if codec is None:
        return []
    derived = [ObjectId(found) for row in rows if (found := codec.reverse(row)) is not None]
    noted = (await db.execute(_DOCUMENTS, {"collection": COLLECTION, "ids": list(rows)})).scalars()
    return [*derived, *(bson.decode(bytes(one), _CODEC)["_id"] for one in noted)]


async def rows_of(db: AsyncSession, documents: Sequence[Any]) -> list[str]:
    """Return the ids of the rows that profiles with these `_id`s became, or would become.

    Raises:
        NotDoneError: This role may not ask.
    """
    codec = await _codec(db)
    if codec is None:
        return []
    values = [cast("bytes", bson.encode({"_id": one})) for one in documents]
    derived = [codec.derive(COLLECTION, one, _SCHEME) for one in values]
    noted = (await db.execute(_ROWS, {"collection": COLLECTION, "documents": values})).scalars()
    return [*derived, *(str(one) for one in noted)]


async def _codec(db: AsyncSession) -> IdCodec | None:
    """Return what derives ids; None where nothing was ever carried."""
    may = (await db.execute(_MAY)).scalar_one()
    if may is None:
        return None
    if not may:
        raise NotDoneError(
            "This role may not ask which profile of one database is which of the other, so nothing was done."
            " GRANT SELECT ON isthmus.id_key, isthmus.id_map TO it, or let the owner of these tables do it."
        )
    key = (await db.execute(_KEY)).scalar_one_or_none()
    return None if key is None else IdCodec(bytes(key))
