"""Whether the sidecar lives, and whether its database answers."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from .resources import Open, Resources

router = APIRouter(tags=["health"])
_SECONDS = 3.0


class Health(BaseModel):
    """That it lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be answered."""

    status: Literal["ok", "down"]
    postgres: Literal["up", "down"]


@router.get("/health")
async def health() -> Health:
    """Say that the process lives; asks no database."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "PostgreSQL is away"}})
async def ready(resources: Open, response: Response) -> Readiness:
    """Say whether PostgreSQL answers; nothing else is needed, nor the main service."""
    try:
        await asyncio.wait_for(_ask(resources), _SECONDS)
    except Exception:  # noqa: BLE001  whatever it is, the database does not answer
        response.status_code = 503
        return Readiness(status="down", postgres="down")
    return Readiness(status="ok", postgres="up")


async def _ask(resources: Resources) -> None:
    async with resources.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
