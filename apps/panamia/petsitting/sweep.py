"""Write down what the clock has decided, once: for a timer, where the service itself does not (SWEEP_SECONDS=0).

python -m apps.panamia.petsitting.sweep
"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy.exc import SQLAlchemyError

from isthmus.errors import IsthmusError

from ..web.resources import opened
from .bookings.sweeping import sweep
from .settings import Settings, read_settings


def main() -> int:
    """Do it, say how many bookings it were, and return the exit code: 2 where a setting is wrong, 4 the database."""
    try:
        settings = read_settings()
    except IsthmusError as fault:
        print(f"✗ {fault}", file=sys.stderr)
        return 2
    try:
        print(f"bookings that the clock ended: {asyncio.run(_swept(settings)):,}")
    except SQLAlchemyError as fault:
        told = str(getattr(fault, "orig", fault)).partition("\n")[0]
        print(f"✗ Not all that the clock decided was written down: {told}. Say it again.", file=sys.stderr)
        return 4
    return 0


async def _swept(settings: Settings) -> int:
    async with opened(settings) as resources:
        return await sweep(resources)


if __name__ == "__main__":
    sys.exit(main())
