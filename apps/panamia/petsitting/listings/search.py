"""Finds what is offered: by kind, days, place, price and words, page by page.

A page is read in its order and by its indexes, so it takes as long as it shows, not as there is; where probably few
fit, these are collected, by the indexes of words and places. The nearest are looked for in rings around the place, a
narrow one first: no index of PostgreSQL itself knows distances on a sphere, and in each ring they are reckoned exactly.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ...web.cursors import Cursor
from ...web.sessions import Signed
from ..models import Listing
from .conditions import Condition, conditions_of, distance_from, of_prices, within
from .cursors import End
from .places import Around, rings
from .rows import has_sitter, is_here
from .rules import Wanted
from .showing import shown
from .views import FoundView, ListingPage

SLICE = 1_000
"""Listings that are walked through in their order at first."""
MOST_WALKED = 10_000
"""Listings that are walked through in their order, at most, before all that fit are collected."""
_MORE = 1.5
"""How much longer a slice is than it should have to be: what fits does not stand evenly."""
_ALLOW = sa.text("SELECT current_setting('enable_seqscan'), set_config('enable_seqscan', :answer, true)")
"""Let the server read tables from end to end or not, until the transaction ends; returns whether it might before."""
_Rows = Sequence[Any]
"""Of key, distance, and instant or price."""
Found = list[tuple[str, float | None]]
"""Keys in their order, with the distance in kilometres where there is a place."""


async def search(
    db: AsyncSession,
    wanted: Wanted,
    after: End | Cursor | None,
    limit: int,
    now: datetime.datetime,
    asker: Signed | None,
) -> ListingPage:
    """Return a page of what is offered, wanted and free.

    Args:
        db: The transaction.
        wanted: What somebody looks for.
        after: Where the page before ended; of the same order.
        limit: Listings at most.
        now: This instant.
        asker: Who looks.
    """
    conditions = [*has_sitter(), *conditions_of(wanted, now)]
    if wanted.sort == "nearest" and wanted.around is not None:
        found, end = await _nearest(db, [*conditions, is_here(Listing.sitter_id)], wanted.around, after, limit)
    else:
        found, end = await _sorted(db, conditions, wanted, after, limit)
    distances = dict(found)
    views = await shown(db, list(distances), asker)
    return ListingPage(
        listings=[FoundView(**dict(one), distance_km=_told(distances[one.id])) for one in views], next=end
    )


async def _sorted(
    db: AsyncSession, conditions: list[Condition], wanted: Wanted, after: End | Cursor | None, limit: int
) -> tuple[Found, str | None]:
    """Return the newest ones, or the cheapest ones."""
    by_price = wanted.sort == "price"
    at: Any = Listing.price_per_day if by_price else Listing.created_at
    walked = [*has_sitter()]
    if by_price and wanted.prices is not None:
        walked += of_prices(wanted.prices)
    distance: sa.ColumnElement[Any] = sa.null()
    if wanted.around is not None:
        distance = distance_from(wanted.around.place)
        conditions = [*conditions, *within(wanted.around.place, wanted.around.km), distance <= wanted.around.km]
    behind = [] if after is None else [_beside(at, after.at, after.id, is_behind=True, rising=by_price)]
    query = sa.select(Listing.id, distance.label("distance"), at.label("at"), Listing.sitter_id).where(*conditions)
    if wanted.text is None and wanted.around is None:
        rows = await _walked(db, query.where(*behind), at, limit + 1, rising=by_price)
    else:
        rows = await _found_anyhow(db, query, walked, behind, at, limit + 1, rising=by_price)
    end = None
    if len(rows) > limit:
        last = rows[limit - 1]
        end = str(End(last[2], last[0]) if by_price else Cursor(last[2], last[0]))
    return [(row[0], row[1]) for row in rows[:limit]], end


async def _found_anyhow(
    db: AsyncSession, query: Any, walked: list[Condition], behind: list[Condition], at: Any, most: int, *, rising: bool
) -> _Rows:
    """Return the first rows of a query of which the server can only guess how many there are.

    How many listings hold words beside each other, or lie in a place and cost so much, no statistics tell, and a wrong
    guess walks through all of them. So first a slice is walked through, which tells: if it holds none, there are few,
    probably. Else the next slice is as long as it must be, by what was found so far. Where none was found, or that is
    far, they are collected, and sorted then.

    Args:
        db: The transaction.
        query: For all that fit.
        walked: What indexes of the order are limited to.
        behind: Where the page begins.
        at: By which they are sorted.
        most: Rows.
        rising: Whether the least come first.
    """
    found: list[Any] = []
    length, all_lengths = SLICE, 0
    while all_lengths + length <= MOST_WALKED:
        edge = sa.select(at, Listing.id).where(*walked, *behind).order_by(*_order(at, Listing.id, rising=rising))
        last = (await db.execute(edge.offset(length).limit(1))).one_or_none()
        if last is None:
            break
        before = _beside(at, last[0], last[1], is_behind=False, rising=rising)
        found += await _walked(db, _others(query, found).where(*behind, before), at, most - len(found), rising=rising)
        if len(found) >= most:
            return found
        behind = [_beside(at, last[0], last[1], is_behind=True, rising=rising, or_there=True)]
        all_lengths += length
        if not found:
            break
        needed = math.ceil(_MORE * all_lengths * (most - len(found)) / len(found))
        length = max(all_lengths, needed)  # never so short that slices become many
    return [*found, *await _collected(db, _others(query, found).where(*behind), most - len(found), rising=rising)]


def _others(query: Any, found: list[Any]) -> Any:
    """Leave out what was found: somebody may have changed its price since, and it would be found twice."""
    return query.where(Listing.id.not_in([row[0] for row in found])) if found else query


async def _walked(db: AsyncSession, query: Any, at: Any, most: int, *, rising: bool) -> _Rows:
    """Return the first rows of a query, read in their order."""
    query = query.where(is_here(Listing.sitter_id)).order_by(*_order(at, Listing.id, rising=rising))
    return (await db.execute(query.limit(most))).all()


async def _collected(db: AsyncSession, query: Any, most: int, *, rising: bool) -> _Rows:
    """Return the first rows of a query, all of which are found by indexes, and sorted then.

    The server takes words beside each other to be as frequent as both anywhere, and would read the whole table.
    """
    fit = query.cte("fit").prefix_with("MATERIALIZED")
    rest = sa.select(fit.c.id, fit.c.distance, fit.c.at).where(is_here(fit.c.sitter_id))
    rest = rest.order_by(*_order(fit.c.at, fit.c.id, rising=rising)).limit(most)
    might = (await db.execute(_ALLOW, {"answer": "off"})).one()[0]
    rows = (await db.execute(rest)).all()
    await db.execute(_ALLOW, {"answer": might})
    return rows


def _order(at: Any, key: Any, *, rising: bool) -> tuple[Any, Any]:
    return (at, key) if rising else (at.desc(), key.desc())


def _beside(
    at: Any, instant_or_price: object, key: str, *, is_behind: bool, rising: bool, or_there: bool = False
) -> Condition:
    """Return which listings come behind a place in the order, or before it; with `or_there` also what is there."""
    place, other = sa.tuple_(at, Listing.id), sa.tuple_(sa.literal(instant_or_price, at.type), sa.literal(key))
    if is_behind == rising:
        return place >= other if or_there else place > other
    return place <= other if or_there else place < other


async def _nearest(
    db: AsyncSession, conditions: list[Condition], around: Around, after: End | Cursor | None, limit: int
) -> tuple[Found, str | None]:
    """Return the nearest ones; the last ring is closed, so what lies at the very edge is in it."""
    begin = after if isinstance(after, End) else None
    from_km = float(begin.at) if begin is not None else 0.0
    found: list[tuple[str, float]] = []
    distance = distance_from(around.place)
    for inner, outer in rings(from_km, around.km) if from_km <= around.km else []:
        ring = [distance >= inner, distance < outer if outer < around.km else distance <= outer]
        if begin is not None and inner == from_km:
            ring.append(sa.tuple_(distance, Listing.id) > sa.tuple_(sa.literal(begin.at, sa.Double), begin.id))
        query = sa.select(Listing.id, distance).where(*conditions, *within(around.place, outer), *ring)
        query = query.order_by(distance, Listing.id).limit(limit + 1 - len(found))
        found += [(row[0], row[1]) for row in await db.execute(query)]
        if len(found) > limit:
            break
    end = str(End(found[limit - 1][1], found[limit - 1][0])) if len(found) > limit else None
    return [*found[:limit]], end


def _told(distance: float | None) -> float | None:
    return None if distance is None else round(distance, 3)
