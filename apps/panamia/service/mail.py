"""Where mail goes: the terminal, a folder, or a server, as a setting says."""

from __future__ import annotations

import asyncio
import secrets
import smtplib
import ssl
import sys
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from isthmus.errors import ConfigError

from .settings import Settings

_SECONDS = 20


@dataclass(frozen=True)
class Letter:
    """One mail.

    Attributes:
        to: An address.
        subject: One line.
        text: Its body, as plain text.
    """

    to: str
    subject: str
    text: str


class Sender(Protocol):
    """What takes mail away."""

    async def send(self, letter: Letter) -> None:
        """Take one mail away.

        Raises:
            OSError: It cannot be taken now; try again later. `smtplib.SMTPException` is one.
        """
        ...


class ConsoleSender:
    """Prints mail on standard error: for trying things out, for a link in it signs its reader in."""

    async def send(self, letter: Letter) -> None:
        """Print it."""
        print(f"--- mail to {letter.to}: {letter.subject}\n{letter.text}\n---", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class FileSender:
    """Writes each mail as a file of a folder, which only its owner may read.

    Attributes:
        folder: Made when it is not there.
        sender: The From of mail.
    """

    folder: Path
    sender: str

    async def send(self, letter: Letter) -> None:
        """Write it: as a whole, or not at all."""
        await asyncio.to_thread(self._write, _message(letter, self.sender))

    def _write(self, message: EmailMessage) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(8)
        part = self.folder / f"{name}.part"
        part.touch(0o600)
        part.write_bytes(message.as_bytes())
        part.rename(self.folder / f"{name}.eml")


@dataclass(frozen=True)
class SmtpSender:
    """Gives mail to a server: `smtps://` speaks TLS at once, `smtp://` where the server offers it.

    Attributes:
        host: Its name.
        port: Its port.
        user: Who signs in; None for nobody.
        password: With what.
        at_once: Whether TLS is spoken from the first byte.
        sender: The From of mail.
    """

    host: str
    port: int
    user: str | None
    password: str
    at_once: bool
    sender: str

    def __repr__(self) -> str:
        return f"SmtpSender({self.host}:{self.port})"

    async def send(self, letter: Letter) -> None:
        """Give it to the server."""
        await asyncio.to_thread(self._send, _message(letter, self.sender))

    def _send(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        if self.at_once:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        with server:
            server.ehlo()
            if not self.at_once and server.has_extn("starttls"):
                server.starttls(context=context)
            if self.user is not None:
                server.login(self.user, self.password)
            server.send_message(message)


def sender_of(settings: Settings) -> Sender:
    """Return what the setting MAIL means.

    Raises:
        ConfigError: It means nothing (code `setting`).
    """
    kind, _, rest = settings.mail.partition(":")
    if settings.mail == "console":
        return ConsoleSender()
    if kind == "file" and rest:
        return FileSender(Path(rest), settings.mail_from)
    if kind in {"smtp", "smtps"}:
        parts = urlsplit(settings.mail)
        if parts.hostname:
            at_once = kind == "smtps"
            port = parts.port or (465 if at_once else 587)
            user = unquote(parts.username) if parts.username else None
            return SmtpSender(parts.hostname, port, user, unquote(parts.password or ""), at_once, settings.mail_from)
    raise ConfigError(
        "The setting MAIL names no way to send mail.",
        code="setting",
        hint="MAIL is console, file:FOLDER, smtp://USER:PASSWORD@HOST:PORT or smtps://… .",
    )


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, " ".join(letter.subject.split())
    message.set_content(letter.text)
    return message
