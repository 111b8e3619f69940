"""A page that refuses: nothing of its transaction stays, and what others undid is run again, as with all other routes.

The pages of the sidecar only read; the routes here write, for those that will.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from apps.panamia.petsitting.models import Listing, ListingPhoto
from apps.panamia.petsitting.pages.rendering import PageRoute
from apps.panamia.web.database import Db
from apps.panamia.web.errors import UnsureError, conflict
from apps.panamia.web.sessions import Asker
from tests.apps.panamia.petsitting.sidecar import Sidecar

pytestmark = pytest.mark.anyio
_UNDONE = sa.text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$")


async def write(db: Db, sitter: str) -> None:
    """Write a row."""
    db.add(Listing(kind="rental", sitter_id=sitter, title="x", price_per_day=1, currency="USD", time_zone="UTC"))
    await db.flush()


async def test_page_that_wrote_and_refuses_leaves_nothing(sidecar: Sidecar) -> None:
    router = APIRouter(route_class=PageRoute)

    @router.get("/refusing")
    async def refusing(asker: Asker, db: Db) -> Response:
        await write(db, asker.id)
        raise conflict("Not <today>", "never")

    sidecar.app.include_router(router)
    _, browser = sidecar.signed_in()
    answer = await browser.get("/refusing")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "Not &lt;today&gt;" in answer.text
    assert sidecar.pets.rows("SELECT count(*) FROM listings") == [(0,)]


async def test_page_that_others_undid_is_run_again(sidecar: Sidecar) -> None:
    router = APIRouter(route_class=PageRoute)
    times = 0

    @router.get("/undone")
    async def undone(asker: Asker, db: Db) -> Response:
        nonlocal times
        times += 1
        await write(db, asker.id)
        if times < 3:
            await db.execute(_UNDONE)
        return Response("done")

    sidecar.app.include_router(router)
    _, browser = sidecar.signed_in()
    answer = await browser.get("/undone")
    assert (answer.status_code, answer.text, times) == (200, "done", 3)
    assert sidecar.pets.rows("SELECT count(*) FROM listings") == [(1,)]


async def test_page_that_is_refused_when_it_is_committed_says_so_as_a_page(sidecar: Sidecar) -> None:
    listing = sidecar.pets.make_listing()
    router = APIRouter(route_class=PageRoute)

    @router.get("/late")
    async def late(db: Db) -> Response:
        await db.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
        db.add_all(ListingPhoto(listing_id=listing, url="https://example.org/x", position=0) for _ in range(2))
        await db.flush()
        return Response("done")

    sidecar.app.include_router(router)
    answer = await sidecar.client().get("/late")
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/html; charset=utf-8")
    assert "Somebody was faster" in answer.text
    assert sidecar.pets.rows("SELECT count(*) FROM listing_photos") == [(0,)]


@pytest.mark.parametrize(("code", "told"), [("admin_shutdown", True), ("deadlock_detected", True), (None, False)])
async def test_page_says_that_nothing_was_changed_only_where_that_is_known(
    sidecar: Sidecar, code: str | None, told: bool
) -> None:
    router = APIRouter(route_class=PageRoute)

    @router.get("/failing")
    async def failing(db: Db) -> Response:
        if code is None:
            raise UnsureError
        await db.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"))
        return Response()

    sidecar.app.include_router(router)
    answer = await sidecar.client().get("/failing")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, told)
    assert ("Nothing was changed." in answer.text) == told
    assert ("it may have been done" in answer.text) != told
