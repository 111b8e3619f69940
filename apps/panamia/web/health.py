"""Whether a service lives, and whether its PostgreSQL answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from .resources import Resources, resources_of
from .settings import WebSettings

router = APIRouter(tags=["health"])
_SECONDS = 3.0

State = Literal["up", "down"]


class Health(BaseModel):
    """That it lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be answered."""

    status: Literal["ok", "down"]
    postgres: State


@router.get("/health")
async def health() -> Health:
    """Say that the process lives; asks no database."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "PostgreSQL is away"}})
async def ready(resources: Annotated[Resources[WebSettings], Depends(resources_of)], response: Response) -> Readiness:
    """Say whether PostgreSQL answers; nothing else is needed, nor the main service."""
    postgres = await state_of(ask_postgres(resources.engine))
    if postgres == "down":
        response.status_code = 503
        return Readiness(status="down", postgres=postgres)
    return Readiness(status="ok", postgres=postgres)


async def ask_postgres(engine: AsyncEngine) -> None:
    """Ask PostgreSQL for nothing in particular."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def state_of(asked: Awaitable[None]) -> State:
    """Return whether a database answers, in a few seconds."""
    try:
        await asyncio.wait_for(asked, _SECONDS)
    except Exception:  # noqa: BLE001  whatever it is, the database does not answer
        return "down"
    return "up"
