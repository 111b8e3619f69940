"""Write down what the clock has decided, once: for a timer, where the service itself does not (SWEEP_SECONDS=0).

python -m apps.panamia.petsitting.sweep
"""

from __future__ import annotations

import asyncio
import sys

from isthmus.errors import IsthmusError

from .bookings.sweeping import sweep
from .resources import opened
from .settings import Settings, read_settings


def main() -> int:
    """Do it, say how many bookings it were, and return the exit code: 2 where a setting is wrong."""
    try:
        settings = read_settings()
    except IsthmusError as fault:
        print(f"✗ {fault}", file=sys.stderr)
        return 2
    print(f"bookings that the clock ended: {asyncio.run(_swept(settings)):,}")
    return 0


async def _swept(settings: Settings) -> int:
    async with opened(settings) as resources:
        return await sweep(resources)


if __name__ == "__main__":
    sys.exit(main())
