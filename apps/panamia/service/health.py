"""Whether the service lives, and which of its databases answers."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from ..web.health import State, ask_postgres, health, state_of
from .resources import Open

router = APIRouter(tags=["health"])
router.get("/health")(health)


class Readiness(BaseModel):
    """What can be answered: `degraded` is all but what stands in MongoDB."""

    status: Literal["ok", "degraded", "down"]
    postgres: State
    mongodb: State


@router.get("/ready", responses={503: {"model": Readiness, "description": "PostgreSQL is away"}})
async def ready(resources: Open, response: Response) -> Readiness:
    """Say which database answers. 503 only without PostgreSQL: without MongoDB much can still be answered."""
    postgres, mongodb = await asyncio.gather(state_of(ask_postgres(resources.engine)), state_of(resources.mongo.ping()))
    if postgres == "down":
        response.status_code = 503
        return Readiness(status="down", postgres=postgres, mongodb=mongodb)
    return Readiness(status="ok" if mongodb == "up" else "degraded", postgres=postgres, mongodb=mongodb)
