"""How people are shown to each other: by id and screen name, never by address."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from .bodies import Output
from .identity import USERS

GONE = "Former Member"
"""What somebody is called who is no longer there."""
_NAMELESS = "Someone"


class Person(Output):
    """A person as others see one; without an id it is somebody who is gone."""

    id: str | None
    screenname: str | None
    name: str


FORMER = Person(id=None, screenname=None, name=GONE)


def person(key: str | None, screenname: str | None) -> Person:
    """Return somebody as others see one; without a key it is somebody who is gone."""
    return FORMER if key is None else Person(id=key, screenname=screenname, name=screenname or _NAMELESS)


async def shown(db: AsyncSession, ids: Iterable[str | None]) -> dict[str, Person]:
    """Return how people are shown, by id; those who are gone are left out."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = await db.execute(sa.select(USERS.c.id, USERS.c.screenname).where(USERS.c.id.in_(wanted)))
    return {key: person(key, screenname) for key, screenname in rows}
