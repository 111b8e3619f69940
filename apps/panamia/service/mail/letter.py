"""One mail, and what it is on the wire. Pure but for the clock.

Nothing that people wrote becomes a header of its own: an address that is none, or a subject of several lines, is
refused before there is a message.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import localtime, make_msgid

_NO_LINE = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of Unicode that a line of a header cannot hold: controls, halves of characters, ends of lines."""


class UndeliverableError(ValueError):
    """This mail never arrives, however often it is tried. Its text says why, and holds nothing that people wrote."""


@dataclass(frozen=True)
class Letter:
    """One mail.

    Attributes:
        to: An address, without a name.
        subject: One line.
        text: Its body, as plain text.
        key: What tells this mail from all others, so that a repeated one is known; None: it is drawn.
        stop: Address of the page where its reader says no to such mail; None where there is nothing to say no to.
    """

    to: str
    subject: str
    text: str
    key: str | None = None
    stop: str | None = None


@dataclass(frozen=True)
class Addresses:
    """Whom mail is from.

    Attributes:
        sender: Its From.
        answers: Where answers go; None: to the sender.
    """

    sender: Address
    answers: Address | None = None


def check(letter: Letter) -> None:
    """Look whether a letter can be one; every sender does, before anything else.

    Raises:
        UndeliverableError: The address is none, the subject is not one line, or the text is no Unicode.
    """
    address_of(letter.to)
    if not _is_line(letter.subject) or not letter.subject.strip():
        raise UndeliverableError("the subject is not one line")
    if any(unicodedata.category(one) == "Cs" for one in letter.text):
        raise UndeliverableError("the text holds half a character")


def address_of(text: str) -> Address:
    """Return an address as the standard means it.

    Raises:
        UndeliverableError: It is none; several are none, and so is one with a name.
    """
    local, _, domain = text.rpartition("@")
    if not local or not domain or not _is_line(text) or any(one.isspace() for one in text):
        raise UndeliverableError("the address is none")
    try:
        found = Address(addr_spec=f"{local}@{domain}") if text.isascii() else _international(local, domain)
    except (MessageError, ValueError, IndexError):
        raise UndeliverableError("the address is none") from None
    plain = not text.isascii() or found.addr_spec == text  # else it has a comment
    if not plain or found.domain.startswith("[") or text.startswith("-"):  # a bare network, an option of a program
        raise UndeliverableError("the address is none")
    return found


def _international(local: str, domain: str) -> Address:
    """Return an address that is not of ASCII alone: what is before the @ stays, the domain is as servers know it."""
    Address(addr_spec=f"{''.join(one if one.isascii() else 'x' for one in local)}@example.org")
    host = domain.encode("idna").decode("ascii")
    Address(addr_spec=f"x@{host}")
    return Address(username=local, domain=host)


def message_of(letter: Letter, whose: Addresses, *, ascii_only: bool = False) -> EmailMessage:
    """Return the message, dated now; on request with a body of ASCII, which every server takes.

    Raises:
        UndeliverableError: As `check`.
    """
    check(letter)
    to = address_of(letter.to)
    message = EmailMessage(default.clone(utf8=not to.addr_spec.isascii()))
    message["From"], message["To"], message["Subject"] = whose.sender, to, letter.subject
    if whose.answers is not None:
        message["Reply-To"] = whose.answers
    message["Date"] = localtime()
    key = f"<{letter.key}@{whose.sender.domain}>" if letter.key is not None else make_msgid(domain=whose.sender.domain)
    message["Message-ID"] = key
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop is not None:
        message["List-Unsubscribe"] = f"<{letter.stop}>"
    message.set_content(letter.text, cte="quoted-printable" if ascii_only and not letter.text.isascii() else None)
    return message


def _is_line(text: str) -> bool:
    return all(unicodedata.category(one) not in _NO_LINE for one in text)
