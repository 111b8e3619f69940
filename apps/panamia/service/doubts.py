"""What a service that people reach by https should not be left with: said when it starts. Pure."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import parseaddr

from .settings import Settings

_NOBODY_READS = ("no-reply", "noreply", "no_reply", "donotreply", "do-not-reply")


def doubts_of(settings: Settings) -> list[str]:
    """Return a sentence for each setting that is fine for trying things out, and hardly for people."""
    if not settings.is_secure:
        return []
    found: list[str] = []
    kind, _, _ = settings.mail.get_secret_value().partition(":")
    if kind == "console":
        found.append(
            "MAIL is console: no mail goes to anybody, so nobody can sign in, and links that sign people in stand in"
            " the log. Name a server: MAIL=smtp://…"
        )
    elif kind == "file":
        found.append("MAIL is a folder: no mail goes to anybody, so nobody can sign in. Name a server: MAIL=smtp://…")
    sender = _address(settings.mail_from)
    if sender is not None and "." not in sender.domain:
        found.append(f"MAIL_FROM is at {sender.domain}: servers refuse such mail. Name an address of yours.")
    if sender is not None and sender.username.lower() in _NOBODY_READS and settings.mail_reply_to is None:
        found.append(
            "MAIL_FROM is an address that nobody reads, and MAIL_REPLY_TO names none that somebody does: who is told"
            " that their address was changed has nobody to answer to."
        )
    if not settings.trusted_proxies:
        found.append(
            "TRUSTED_PROXIES names none, and https is spoken by a proxy: everybody counts as one host, and"
            f" {settings.links_per_hour_and_host} links an hour are all that people get together."
        )
    for name, is_embedded in (("POSTGRES", settings.use_memory_postgres), ("MONGODB", settings.use_memory_mongodb)):
        if is_embedded:
            found.append(f"USE_MEMORY_{name} is said: all that is written there is gone when the service ends.")
    return found


def _address(text: str) -> Address | None:
    try:
        return Address(addr_spec=parseaddr(text)[1])
    except (ValueError, IndexError):
        return None
