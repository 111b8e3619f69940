"""Letters of sign-in are taken away behind the answer, so that it neither waits for a server nor tells of one."""

from __future__ import annotations

import asyncio
import logging

from ..mail import Letter, Sender

_log = logging.getLogger("panamia")
_SECONDS = 120
"""For one letter."""


async def post(sender: Sender, letter: Letter, what: str) -> bool:
    """Take a letter away, and return whether it went; why not goes to the log, without its address and its text."""
    try:
        await asyncio.wait_for(sender.send(letter), _SECONDS)
    except Exception as fault:  # noqa: BLE001  a sender of somebody's own may raise anything
        _log.error("%s was not sent: %s", what, type(fault).__name__)
        return False
    return True
