"""Whether the service lives, and which of its databases answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from .resources import Open, Resources

router = APIRouter(tags=["health"])
_SECONDS = 3.0

State = Literal["up", "down"]


class Health(BaseModel):
    """That it lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What can be answered: `degraded` is all but what stands in MongoDB."""

    status: Literal["ok", "degraded", "down"]
    postgres: State
    mongodb: State


@router.get("/health")
async def health() -> Health:
    """Say that the process lives; asks no database."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "PostgreSQL is away"}})
async def ready(resources: Open, response: Response) -> Readiness:
    """Say which database answers. 503 only without PostgreSQL: without MongoDB much can still be answered."""
    postgres, mongodb = await asyncio.gather(_state(_ask_postgres(resources)), _state(resources.mongo.ping()))
    if postgres == "down":
        response.status_code = 503
        return Readiness(status="down", postgres=postgres, mongodb=mongodb)
    return Readiness(status="ok" if mongodb == "up" else "degraded", postgres=postgres, mongodb=mongodb)


async def _ask_postgres(resources: Resources) -> None:
    async with resources.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def _state(asked: Awaitable[None]) -> State:
    try:
        await asyncio.wait_for(asked, _SECONDS)
    except Exception:  # noqa: BLE001  whatever it is, the database does not answer
        return "down"
    return "up"
