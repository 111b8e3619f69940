"""What the settings MAIL, MAIL_FROM and MAIL_REPLY_TO mean."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from isthmus.errors import ConfigError

from ..settings import Settings
from .letter import Addresses, UndeliverableError, address_of
from .senders import ConsoleSender, FileSender, Sender
from .smtp import SmtpSender

_OWN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_HINT = "MAIL is console, file:FOLDER, smtp://USER:PASSWORD@HOST:PORT, smtps://…, or MODULE:ATTRIBUTE of your own."


def sender_of(settings: Settings) -> Sender:
    """Return what the settings mean.

    `MODULE:ATTRIBUTE` is imported and called with the settings; what it returns is the sender.

    Raises:
        ConfigError: They mean nothing (code `setting`). The message holds no password.
    """
    whose = Addresses(
        _address("MAIL_FROM", settings.mail_from),
        None if settings.mail_reply_to is None else _address("MAIL_REPLY_TO", settings.mail_reply_to),
    )
    said = settings.mail.get_secret_value()
    kind, _, rest = said.partition(":")
    if said == "console":
        return ConsoleSender()
    if kind == "file" and rest:
        return FileSender(Path(rest), whose)
    if kind in {"smtp", "smtps"}:
        return _smtp(said, whose)
    if _OWN.fullmatch(said):
        return _own(said, settings)
    raise ConfigError("The setting MAIL names no way to send mail.", code="setting", hint=_HINT)


def _smtp(said: str, whose: Addresses) -> SmtpSender:
    try:
        parts = urlsplit(said)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ConfigError("The setting MAIL names no server of mail.", code="setting", hint=_HINT)
    at_once = parts.scheme == "smtps"
    user = unquote(parts.username) if parts.username else None
    if user is None and parts.password:
        raise ConfigError("The setting MAIL has a password, and no user.", code="setting", hint=_HINT)
    password = unquote(parts.password or "")
    if not f"{user or ''}{password}".isascii():
        raise ConfigError("The user and the password of MAIL can only be of ASCII.", code="setting", hint=_HINT)
    return SmtpSender(host, port or (465 if at_once else 587), user, password, at_once, whose)


def _own(said: str, settings: Settings) -> Sender:
    module, _, name = said.partition(":")
    try:
        make = cast("Callable[[Settings], Any]", getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError) as fault:
        raise ConfigError(f"MAIL names {said}, which is not there: {fault}.", code="setting", hint=_HINT) from None
    except Exception as fault:  # whatever somebody's own module raises
        raise ConfigError(
            f"MAIL names {said}, whose module cannot be imported: {type(fault).__name__}.", code="setting", hint=_HINT
        ) from fault
    try:
        made = make(settings) if callable(make) else None
    except Exception as fault:
        raise ConfigError(
            f"MAIL names {said}, which raises {type(fault).__name__} when it is called.", code="setting", hint=_HINT
        ) from fault
    if not isinstance(made, Sender) or not inspect.iscoroutinefunction(made.send):
        raise ConfigError(
            f"MAIL names {said}, which makes nothing that sends mail.",
            code="setting",
            hint="It is called with the settings and returns an object with `async def send(letter)`.",
        )
    return made


def _address(setting: str, text: str) -> Address:
    """Return the address that a setting names, with its name."""
    message = EmailMessage()
    try:
        message["From"] = text
        [found] = message["From"].addresses
        address_of(found.addr_spec)
    except (ValueError, UndeliverableError):
        raise ConfigError(
            f"The setting {setting} is no address.", code="setting", hint="Such as `Pana MIA <pana@example.org>`."
        ) from None
    return found
