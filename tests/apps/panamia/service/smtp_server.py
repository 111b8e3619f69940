"""An SMTP server on loopback that tests send mail to, and tell what to answer."""

from __future__ import annotations

import asyncio
import email
import ssl
import subprocess
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = "mailer@x", "p:%/s s@word"


@dataclass
class Post:
    """What came, and what the server answers.

    Attributes:
        mails: Envelope sender, envelope recipients and message of each.
        rcpt: The answer to a recipient; empty: it is taken.
        data: The answer to a mail; empty: it is taken.
        hang_up: Whether the connection is cut in place of the answer to a mail.
        hang_up_behind: Whether it is cut when the mail was taken.
    """

    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list[tuple[str, list[str], EmailMessage]])
    encrypted: list[bool] = field(default_factory=list[bool])
    signed_in: list[bool] = field(default_factory=list[bool])
    rcpt: str = ""
    data: str = ""
    hang_up: bool = False
    hang_up_behind: bool = False
    port: int = 0

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if not self.rcpt:
            envelope.rcpt_tos.append(address)
        return self.rcpt or "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  the library's name
        if self.hang_up:
            server.transport.abort()
        if self.data or self.hang_up:
            return self.data or "250 ok"
        message = cast("EmailMessage", email.message_from_bytes(envelope.content, policy=default))
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message))
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.signed_in.append(bool(session.authenticated))
        return "250 taken"

    async def handle_QUIT(self, server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802  the library's name
        if self.hang_up_behind:
            server.transport.abort()
        return "221 bye"


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 and localhost, which is its own authority."""

    file: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what a server speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(folder: Path) -> Certificate:
    """Make one in a folder, by openssl."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", names, "-keyout", str(made.key), "-out", str(made.file)),
        ],
        check=True,
        capture_output=True,
    )
    return made


@asynccontextmanager
async def smtp_server(
    *, tls: Certificate | None = None, at_once: Certificate | None = None, sign_in: bool = False, utf8: bool = True
) -> AsyncGenerator[Post]:
    """Run a server.

    Args:
        tls: It offers STARTTLS with this one.
        at_once: It speaks TLS from the first byte with this one.
        sign_in: It wants USER and PASSWORD.
        utf8: It takes addresses that are not of ASCII.
    """
    post = Post()

    def may(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    more: dict[str, Any] = {"tls_context": tls.context()} if tls else {}
    if sign_in:
        more |= {"authenticator": may, "auth_required": True, "auth_require_tls": False}
    talking: list[SMTP] = []

    def connected() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # it thinks little of passwords without TLS, and so do we
            talking.append(SMTP(post, enable_SMTPUTF8=utf8, **more))
        return talking[-1]

    running = await asyncio.get_running_loop().create_server(
        connected, "127.0.0.1", 0, ssl=at_once.context() if at_once else None
    )
    post.port = int(running.sockets[0].getsockname()[1])
    try:
        yield post
    finally:
        running.close()
        for one in talking:
            if one.transport is not None:
                cast("asyncio.Transport", one.transport).abort()
        await running.wait_closed()
        await asyncio.sleep(0.01)  # so that transports that were cut are closed
