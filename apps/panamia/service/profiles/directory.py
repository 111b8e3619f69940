"""The directory: the pages of active profiles, for everybody."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy.ext.asyncio import AsyncSession

from isthmus.polyglot.stores import Stored

from ...web.bodies import Output
from ...web.database import Db
from ...web.errors import bad, not_found
from ...web.inputs import LARGEST, ONE_LINE
from ..resources import Open
from .document import Card, PublicProfile, card_of, profile_of, public_of, read_profile
from .inputs import Category, County
from .naming import owner_of, screenname_of
from .stores import Profiles, Wanted
from .where import reading
from .words import CATEGORIES, COUNTIES

router = APIRouter(prefix="/api/directory", tags=["directory"])
_MOST = 50
_MOST_WORDS = 5
_LONGEST = 200
_LONGEST_CURSOR = 8_000
"""As much as proxies let through. It holds slugs of any length that an index of PostgreSQL does, and twice that."""


class Page(Output):
    """Some profiles, by their slugs, and where to go on; null behind the last one."""

    profiles: list[Card]
    next_cursor: str | None


@router.get("")
async def listed(
    db: Db,
    resources: Open,
    q: Annotated[str, Query(max_length=100, description="Words; all are found"), ONE_LINE] = "",
    category: Annotated[Category | None, Query(description="Those listed under it")] = None,
    county: Annotated[County | None, Query(description="Those of it")] = None,
    mentors: Annotated[bool, Query(description="Those who are mentors")] = False,
    cursor: Annotated[
        str | None, Query(max_length=_LONGEST_CURSOR, description="`nextCursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST, description=f"Most profiles; never more than {_MOST}")] = 20,
) -> Page:
    """List active profiles that have a slug, in a stable order."""
    groups: list[tuple[str, ...]] = []
    if category is not None:
        groups.append(tuple(f"categories.{key}" for key in CATEGORIES[category]))
    if county is not None:
        groups.append(tuple(f"counties.{key}" for key in COUNTIES[county]))
    if mentors:
        groups.append(("mentoring.enabled",))
    most = min(limit, _MOST)
    words = tuple(dict.fromkeys(q.split()))[:_MOST_WORDS]
    wanted = Wanted(words, tuple(groups), None if cursor is None else _read(cursor), most + 1)
    async with reading(resources, db) as profiles:
        found = await profiles.page(wanted)
    cards = [card_of(profile_of(one)) for one in found[:most]]
    return Page(profiles=cards, next_cursor=_cursor(found[most - 1]) if len(found) > most else None)


@router.get("/{handle}")
async def public(
    handle: Annotated[str, Path(max_length=_LONGEST, description="A slug, or a screen name")], db: Db, resources: Open
) -> PublicProfile:
    """Return the page of an active profile, whether somebody has claimed it or not.

    By its slug, else by the screen name of its user, also a former one. 404 for all others, whatever there is of them.
    """
    if not handle.isprintable():
        raise not_found("Profile")
    async with reading(resources, db) as profiles:
        found = await profiles.public({"slug": handle}) or await _by_screenname(db, profiles, handle)
    if found is None:
        raise not_found("Profile")
    profile = read_profile(found)
    return public_of(profile, await screenname_of(db, profile.user_id) if profile.user_id else None)


async def _by_screenname(db: AsyncSession, profiles: Profiles, name: str) -> Stored | None:
    owner = await owner_of(db, name)
    return None if owner is None else await profiles.public({"userId": owner})


def _cursor(document: dict[str, Any]) -> str:
    place = f"{document['_id']}\0{document['slug']}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, str]:
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
    except ValueError:
        place = ""
    document_id, end, slug = place.partition("\0")
    if not end:
        raise bad("This cursor leads nowhere; begin again without one", "cursor")
    return slug, document_id
