"""What takes mail away, and the two ways that need no server: the terminal and a folder."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol, runtime_checkable

from .letter import Addresses, Letter, check, message_of


class DeferredError(OSError):
    """This mail cannot be taken now, and others may; try it again later."""


@runtime_checkable
class Sender(Protocol):
    """What takes mail away."""

    async def send(self, letter: Letter) -> None:
        """Take one mail away.

        Raises:
            UndeliverableError: This mail never arrives.
            DeferredError: This one cannot be taken now.
            OSError: None can be taken now. `smtplib.SMTPException` is one.
        """
        ...


class ConsoleSender:
    """Prints mail on standard error: for trying things out, for a link in it signs its reader in."""

    async def send(self, letter: Letter) -> None:
        """Print it, without what would steer the terminal."""
        check(letter)
        text = "".join(
            one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in letter.text
        )
        print(f"--- mail to {letter.to}: {letter.subject}\n{text}\n---", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class FileSender:
    """Writes each mail as a file of a folder, which only its owner may read.

    Attributes:
        folder: Made when it is not there.
        whose: Whom mail is from.
    """

    folder: Path
    whose: Addresses

    async def send(self, letter: Letter) -> None:
        """Write it: as a whole, or not at all."""
        await asyncio.to_thread(self._write, message_of(letter, self.whose))

    def _write(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(8)
        part = self.folder / f"{name}.part"
        part.touch(0o600)
        part.write_bytes(message.as_bytes())
        part.rename(self.folder / f"{name}.eml")
