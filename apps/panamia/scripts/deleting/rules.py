"""The rules by which tables keep a person, in their own words: the comments of constraints that a deletion violates.

So any service beside this one states its rule where it holds, and nothing here has to know of it.
"""

from __future__ import annotations

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ...service.notifications.words import one_line

_COMMENT = sa.text("""
SELECT obj_description(c.oid, 'pg_constraint') FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE (n.nspname, t.relname, c.conname) = (:schema, :table, :name)
""")
_LONGEST = 500


async def rule_of(sessions: async_sessionmaker[AsyncSession], fault: IntegrityError) -> str | None:
    """Return a sentence on why rows cannot go; None where no constraint was named.

    Args:
        sessions: Opens a transaction in which the comment is read.
        fault: What the deletion ended with.
    """
    told = fault.orig.diag if isinstance(fault.orig, psycopg.Error) else None
    if told is None or told.constraint_name is None:
        return None
    place = {"schema": told.schema_name, "table": told.table_name, "name": told.constraint_name}
    async with sessions.begin() as db:
        comment = (await db.execute(_COMMENT, place)).scalar_one_or_none()
    return sentence_of(comment, f"{told.constraint_name} of {told.schema_name}.{told.table_name}")


def sentence_of(comment: str | None, constraint: str) -> str:
    """Return what a constraint says, and which one it is."""
    rule = one_line(comment, _LONGEST)
    return f"{rule} So says {constraint}." if rule else f"{constraint} does not let them go."
