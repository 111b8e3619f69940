"""Mail that goes to a server by SMTP: encrypted where the server can, and always where a password goes along."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage

from .letter import Addresses, Letter, UndeliverableError, message_of
from .senders import DeferredError

_SECONDS = 20
"""For each answer of the server."""


@dataclass(frozen=True)
class SmtpSender:
    """Gives mail to a server: `smtps://` speaks TLS at once, `smtp://` where the server offers it.

    Attributes:
        host: Its name.
        port: Its port.
        user: Who signs in; None for nobody.
        password: With what.
        at_once: Whether TLS is spoken from the first byte.
        whose: Whom mail is from.
    """

    host: str
    port: int
    user: str | None = field(repr=False)
    password: str = field(repr=False)
    at_once: bool
    whose: Addresses

    async def send(self, letter: Letter) -> None:
        """Give it to the server.

        Raises:
            UndeliverableError: The server refuses the address or the text for good.
            DeferredError: It refuses them for now.
            OSError: It is not there, does not let us in, or would have the password unencrypted.
        """
        await asyncio.to_thread(self._send, message_of(letter, self.whose, ascii_only=True))

    def _send(self, message: EmailMessage) -> None:
        server = self._connected()
        try:
            self._enter(server)
            _hand_over(server, message, self.whose.sender)
            with contextlib.suppress(OSError):  # it has the mail: what it says now changes nothing
                server.quit()
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.at_once:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls"):
                server.starttls(context=context)
            elif self.user is not None and not _is_loopback(server):
                raise smtplib.SMTPNotSupportedError("the server offers no TLS, and no password goes there without")
        except BaseException:
            server.close()
            raise
        return server

    def _enter(self, server: smtplib.SMTP) -> None:
        if self.user is not None:
            server.login(self.user, self.password)


def _hand_over(server: smtplib.SMTP, message: EmailMessage, sender: Address) -> None:
    [to] = message["To"].addresses
    try:
        server.send_message(message, sender.addr_spec, [to.addr_spec])
    except smtplib.SMTPRecipientsRefused as fault:
        raise _refusal("the address", *(code for code, _ in fault.recipients.values())) from None
    except smtplib.SMTPDataError as fault:
        raise _refusal("the mail", fault.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        raise UndeliverableError("the server takes only addresses of ASCII") from None


def _refusal(what: str, code: int) -> Exception:
    if 500 <= code < 600:
        return UndeliverableError(f"the server refused {what} ({code})")
    return DeferredError(f"the server refused {what} for now ({code})")


def _is_loopback(server: smtplib.SMTP) -> bool:
    """Whether the other end is this machine, asked of the connection: a name may lead anywhere."""
    peer = server.sock.getpeername() if server.sock is not None else ("0.0.0.0", 0)  # noqa: S104  an address, no server
    return ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback
