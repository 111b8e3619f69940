"""Letters of sign-in are taken away behind the answer, so that it neither waits for a server nor tells of one."""

from __future__ import annotations

import logging

from ..mail import Letter, Sender, UndeliverableError

_log = logging.getLogger("panamia")


async def post(sender: Sender, letter: Letter, what: str) -> bool:
    """Take a letter away, and return whether it went; why not goes to the log, without its address and its text."""
    try:
        await sender.send(letter)
    except (OSError, UndeliverableError) as fault:
        _log.error("%s was not sent: %s", what, type(fault).__name__)
        return False
    return True
