"""Sends the mail that is owed: what is due in one go, and for as long as the service runs."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from smtplib import SMTPResponseException

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ..mail import DeferredError, Sender, UndeliverableError
from ..repeating import repeated
from ..resources import Resources
from .letters import Owed, letter_of, pause_of, why_not
from .owing import MOST_TRIES, give_up, put_off, settle, take

_log = logging.getLogger("panamia")
_SECONDS = 120
"""For one mail; less than it is left to whoever took it."""


@dataclass
class Counts:
    """What became of the mail that was due.

    Attributes:
        sent: Taken by the sender.
        dropped: No longer wanted, or read meanwhile.
        put_off: Failed, and due again later.
        given_up: Failed for good.
    """

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    given_up: int = 0


async def send_due(
    sessions: async_sessionmaker[AsyncSession],
    sender: Sender,
    public_url: str,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Counts:
    """Send all mail that is due, one by one, until none is, no mail can be taken, or somebody says stop.

    Several may run at once, in several processes: none takes what another one has.
    """
    counts, goes_on = Counts(), True
    while goes_on and not stopped():
        async with sessions.begin() as db:
            owed = await take(db)
            dropped = why_not(owed, datetime.datetime.now(datetime.UTC)) if owed is not None else None
            if owed is not None and dropped is not None:
                await settle(db, owed.notification, sent=False)
                counts.dropped += 1
        if owed is None:
            break
        if dropped is None:
            goes_on = await _send(sessions, sender, public_url, owed, counts)
    return counts


async def _send(
    sessions: async_sessionmaker[AsyncSession], sender: Sender, public_url: str, owed: Owed, counts: Counts
) -> bool:
    """Send one mail that was taken; return whether others may be tried."""
    failure, for_good, goes_on = "", owed.tries > MOST_TRIES, True
    try:
        if for_good:
            failure = "the process that sent it ended, time and again"
        else:
            await asyncio.wait_for(sender.send(letter_of(owed, public_url)), _SECONDS)
    except UndeliverableError as fault:
        failure, for_good = str(fault), True
    except DeferredError as fault:
        failure = str(fault)
    except OSError as fault:
        failure, goes_on = _kind_of(fault), False
    except Exception as fault:  # noqa: BLE001  a sender of somebody's own may raise anything
        failure = _kind_of(fault)
    async with sessions.begin() as db:
        if not failure:
            await settle(db, owed.notification, sent=True)
            counts.sent += 1
        elif for_good or owed.tries >= MOST_TRIES:
            await give_up(db, owed, failure)
            counts.given_up += 1
            _log.error("mail of notification %s was given up: %s", owed.notification, failure)
        else:
            await put_off(db, owed, failure, pause_of(owed.tries))
            counts.put_off += 1
            _log.warning("mail of notification %s was not sent, try %s: %s", owed.notification, owed.tries, failure)
    return goes_on


def _kind_of(fault: Exception) -> str:
    """Name a failure without its text, which may hold what people wrote."""
    code = f" {fault.smtp_code}" if isinstance(fault, SMTPResponseException) else ""
    return f"{type(fault).__name__}{code}"


def mail_sent(resources: Resources) -> AbstractAsyncContextManager[None]:
    """Send mail beside the block, every so often as the settings say; with 0 nothing is sent here."""

    def send(stopped: Callable[[], bool]) -> Awaitable[Counts]:
        return send_due(resources.sessions, resources.mail, resources.settings.public_url, stopped=stopped)

    return repeated(send, resources.settings.mail_every_seconds, "mail waits")
