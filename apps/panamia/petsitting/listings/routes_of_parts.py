"""What belongs to a listing: its photos, the days its sitter blocks, what people said of it."""

from __future__ import annotations

from fastapi import APIRouter

from ...web.cursors import cursor_of
from ...web.database import Db
from ...web.inputs import Key
from ...web.sessions import Asker, Somebody
from ..days import days_of
from ..resources import Open
from . import blocks, photos, reviews
from .bodies import NewBlock, NewPhoto
from .routes import CursorText, Limit
from .rows import check_seen
from .views import Blocks, BlockView, Photos, PhotoView, Reviews

router = APIRouter(prefix="/api/listings/{key}", tags=["listings"])


@router.get("/photos")
async def photos_of(key: Key, somebody: Somebody, db: Db) -> Photos:
    """List the photos of a listing."""
    await check_seen(db, key, somebody)
    return await photos.listed(db, key)


@router.post("/photos", status_code=201)
async def add_photo(key: Key, body: NewPhoto, asker: Asker, db: Db) -> PhotoView:
    """Add a link to a photo: the sitter."""
    return await photos.add(db, asker, key, body)


@router.delete("/photos/{photo}", status_code=204)
async def remove_photo(key: Key, photo: Key, asker: Asker, db: Db) -> None:
    """Take a photo away: the sitter."""
    await photos.remove(db, asker, key, photo)


@router.get("/blocks")
async def blocks_of(key: Key, asker: Asker, db: Db) -> Blocks:
    """List the days that are blocked and not over: the sitter."""
    return await blocks.listed(db, asker, key)


@router.post("/blocks", status_code=201)
async def add_block(key: Key, body: NewBlock, asker: Asker, resources: Open, db: Db) -> BlockView:
    """Block days, so that nobody can book them: the sitter.

    Days that somebody has are refused (409, code `taken`, with the days).
    """
    return await blocks.add(db, resources.settings, asker, key, days_of(body.first, body.end), body.note)


@router.delete("/blocks/{block}", status_code=204)
async def remove_block(key: Key, block: Key, asker: Asker, db: Db) -> None:
    """Let people book blocked days again: the sitter."""
    await blocks.remove(db, asker, key, block)


@router.get("/reviews")
async def reviews_of(key: Key, somebody: Somebody, db: Db, cursor: CursorText = None, limit: Limit = 20) -> Reviews:
    """List what people said who stayed, the newest first."""
    await check_seen(db, key, somebody)
    return await reviews.listed(db, key, cursor_of(cursor), limit)
