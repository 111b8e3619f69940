"""Every setting of the service, each with its variable, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from isthmus.cli.setting_files import read_setting_files

from ..web.cookies import may_set_cookie
from ..web.settings import NO_POSTGRES, BodyBytes, Port, Seconds, Url, WebSettings, made, refused, words

Policy = Literal["trusted", "verification-required", "disabled"]
_PROVIDER = "OAUTH_"
Need = Literal["POSTGRES_URL", "MONGODB_URI", "AUTH_SECRET"]
"""A setting without a default that would do."""
NEEDS: frozenset[Need] = frozenset(get_args(Need))
"""What the service itself needs; scripts need less."""
_SHORTEST_SECRET = 16
"""Characters of AUTH_SECRET, where people come by https."""


class Settings(WebSettings):
    """What the service is told from outside."""

    secrets: ClassVar[tuple[str, ...]] = ("POSTGRES_URL", "MONGODB_URI", "AUTH_SECRET", "MAIL")

    public_url: Url = "http://localhost:3000"
    port: Port = 3000
    body_bytes: BodyBytes = 524_288
    pool_size: int = Field(10, ge=2, description="connections to PostgreSQL at most; half of them may wait for MongoDB")
    statement_seconds: Seconds = 15
    postgres_direct_url: SecretStr | None = Field(
        None,
        description="POSTGRES_URL without a pooler. `isthmus outbox`, `switch` and `schema` read it; the service does"
        " not, for it needs no session of its own",
    )
    mongodb_uri: SecretStr | None = Field(None, description="MongoDB, with the name of the database")
    use_memory_mongodb: bool = Field(
        default=False, description="start an embedded MongoDB wire server instead of MONGODB_URI"
    )
    auth_secret: SecretStr = Field(
        SecretStr(""),
        description="what tokens of sign-in links are hashed with, 16 characters at least where PUBLIC_URL is https;"
        " a new one makes mailed links void",
    )
    session_cookie_domain: str | None = Field(
        None, description="a domain whose other host names share the session, as `.example.org`; default: this host"
    )
    admin_emails: tuple[str, ...] = Field((), description="addresses of the admins, by commas")
    mail: SecretStr = Field(
        SecretStr("console"),
        description="where mail goes: `console`, `file:FOLDER`, `smtp://USER:PASSWORD@HOST:PORT`, `smtps://…`,"
        " or `MODULE:ATTRIBUTE` of one's own",
    )
    mail_from: str = Field("Pana MIA <no-reply@localhost>", description="the sender of mail")
    mail_reply_to: str | None = Field(
        None,
        description="the address of people who read answers to mail; also named where somebody may need help at once",
    )
    mail_every_seconds: float = Field(
        10,
        ge=0,
        le=86_400,
        description="how often mail of notifications that is due is looked for; 0: this process sends none",
    )
    clean_up_every_seconds: float = Field(
        3_600,
        ge=0,
        le=86_400,
        description="how often what has expired is deleted; 0: this process deletes nothing, so run"
        " `apps.panamia.scripts.clean_up`",
    )
    session_days: int = Field(30, ge=1, le=365, description="how long a session lasts that is not used")
    links_per_hour: int = Field(5, ge=1, description="sign-in links that one address may ask for in an hour")
    links_per_hour_and_host: int = Field(30, ge=1, description="those that one network address may ask for in an hour")
    trusted_proxies: tuple[str, ...] = Field(
        (), description="proxies whose X-Forwarded-For is believed, by commas: addresses, or networks as `10.0.0.0/8`"
    )
    mongodb_timeout_ms: int = Field(2_000, ge=100, description="how long MongoDB may take to answer, in milliseconds")
    oauth: dict[str, Policy] = Field(
        default_factory=dict[str, Policy],
        description="OAUTH_<PROVIDER>: what a provider's word is worth: `trusted`, `verification-required` (the"
        " default) or `disabled`. It does nothing by itself, for no route here asks a provider: docs/how-to/sign-in.md",
    )

    @field_validator("admin_emails", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        return tuple(one.lower() for one in words(value)) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _hosts(cls, value: Any) -> Any:
        return words(value) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            ip_network(one)
        return value

    @model_validator(mode="after")
    def _cookie_domain(self) -> Settings:
        if self.session_cookie_domain is not None:
            host = urlsplit(self.public_url).hostname or ""
            if not may_set_cookie(host, self.session_cookie_domain):
                raise ValueError(
                    f"SESSION_COOKIE_DOMAIN: browsers take no cookie of {host} for {self.session_cookie_domain!r}"
                )
        return self

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The addresses of the proxies that are trusted."""
        return tuple(ip_network(one) for one in self.trusted_proxies)


def read_settings(environment: Mapping[str, str] = os.environ, *, needs: Collection[Need] = NEEDS) -> Settings:
    """Return the settings that stand in an environment.

    Args:
        environment: Where they stand.
        needs: Which of those without a default must be there.

    Raises:
        ConfigError: One cannot be, or is not there (code `setting`), or a file with an address cannot be used.
    """
    found = dict(environment)
    read_setting_files(found, (name for name in Settings.secrets if name not in NEEDS or name in needs))
    if found.get("MAIL", "").startswith("/"):  # a login shell's mailbox, as sshd and others set it
        del found["MAIL"]
    for old, name in (("NEXTAUTH_URL", "PUBLIC_URL"), ("NEXTAUTH_SECRET", "AUTH_SECRET")):
        found[name] = found.get(name) or found.get(old, "")
    policies = {
        name.removeprefix(_PROVIDER).lower(): value.strip().lower()
        for name, value in found.items()
        if name.startswith(_PROVIDER) and value
    }
    settings = made(Settings, found, oauth=policies)
    wrong = _lacking(settings, needs)
    if wrong:
        raise refused(Settings, wrong)
    return settings


def _lacking(settings: Settings, needs: Collection[Need]) -> list[str]:
    found: list[str] = []
    if "POSTGRES_URL" in needs and not settings.has_postgres:
        found.append(NO_POSTGRES)
    if "MONGODB_URI" in needs and not settings.use_memory_mongodb and settings.mongodb_uri is None:
        found.append("MONGODB_URI names no database, and USE_MEMORY_MONGODB is not said")
    short = len(settings.auth_secret.get_secret_value()) < _SHORTEST_SECRET
    if "AUTH_SECRET" in needs and settings.is_secure and short:
        found.append(f"AUTH_SECRET needs {_SHORTEST_SECRET} characters at least where PUBLIC_URL is https")
    return found
