"""Every setting of the service, each with its variable, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from isthmus.cli.setting_files import read_setting_files
from isthmus.errors import ConfigError

from ..web.cookies import may_set_cookie
from ..web.origins import origin_of

Policy = Literal["trusted", "verification-required", "disabled"]
_PROVIDER = "OAUTH_"
Need = Literal["POSTGRES_URL", "MONGODB_URI", "AUTH_SECRET"]
"""A setting without a default that would do."""
NEEDS: frozenset[Need] = frozenset(get_args(Need))
"""What the service itself needs; scripts need less."""
_SHORTEST_SECRET = 16
"""Characters of AUTH_SECRET, where people come by https."""
SECRETS = ("POSTGRES_URL", "MONGODB_URI", "AUTH_SECRET", "MAIL")
"""Variables whose value may stand in a file, which `…_FILE` names."""


class Settings(BaseSettings):
    """What the service is told from outside."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    postgres_url: SecretStr | None = Field(None, description="PostgreSQL; a pooler in transaction mode will do")
    postgres_direct_url: SecretStr | None = Field(
        None,
        description="the same without a pooler. `isthmus outbox`, `switch` and `schema` read it; the service does not,"
        " for it needs no session of its own",
    )
    mongodb_uri: SecretStr | None = Field(None, description="MongoDB, with the name of the database")
    use_memory_postgres: bool = Field(
        default=False, description="start an embedded PostgreSQL with an empty schema instead of POSTGRES_URL"
    )
    use_memory_mongodb: bool = Field(
        default=False, description="start an embedded MongoDB wire server instead of MONGODB_URI"
    )
    public_url: str = Field("http://localhost:3000", description="where people reach the service; links begin with it")
    auth_secret: SecretStr = Field(
        SecretStr(""),
        description="what tokens of sign-in links are hashed with; a new one makes mailed links void",
    )
    session_cookie_domain: str | None = Field(
        None, description="a domain whose other host names share the session, as `.example.org`; default: this host"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="further origins that may write, by commas, as `https://sitting.example.org`"
    )
    admin_emails: Annotated[tuple[str, ...], NoDecode] = Field((), description="addresses of the admins, by commas")
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
    session_days: int = Field(30, ge=1, le=365, description="how long a session lasts that is not used")
    links_per_hour: int = Field(5, ge=1, description="sign-in links that one address may ask for in an hour")
    links_per_hour_and_host: int = Field(30, ge=1, description="those that one network address may ask for in an hour")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="proxies whose X-Forwarded-For is believed, by commas: addresses, or networks as `10.0.0.0/8`"
    )
    body_bytes: int = Field(524_288, ge=1_024, description="the largest body of a request, in bytes")
    pool_size: int = Field(10, ge=1, description="connections to PostgreSQL at most")
    statement_seconds: float = Field(
        15, ge=0.1, le=3_600, description="how long PostgreSQL may take for one statement of a request, in seconds"
    )
    mongodb_timeout_ms: int = Field(2_000, ge=100, description="how long MongoDB may take to answer, in milliseconds")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(3000, ge=0, le=65535, description="the port to listen on; 0: any that is free")
    oauth: dict[str, Policy] = Field(
        default_factory=dict[str, Policy],
        description="OAUTH_<PROVIDER>: `trusted`, `verification-required` or `disabled`; default: the second",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  pydantic's own form
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take nothing but what `read_settings` gives, which may be another environment than that of the process."""
        return (init_settings,)

    @field_validator("admin_emails", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        return tuple(one.lower() for one in _split(value)) if isinstance(value, str) else value

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return _split(value) if isinstance(value, str) else value

    @field_validator("public_url", "allowed_origins")
    @classmethod
    def _origins(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return origin_of(value) if isinstance(value, str) else tuple(origin_of(one) for one in value)

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
    def is_secure(self) -> bool:
        """Whether people come by https."""
        return self.public_url.startswith("https:")

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The addresses of the proxies that are trusted."""
        return tuple(ip_network(one) for one in self.trusted_proxies)

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may write."""
        return frozenset({self.public_url, *self.allowed_origins})


def read_settings(environment: Mapping[str, str] = os.environ, *, needs: Collection[Need] = NEEDS) -> Settings:
    """Return the settings that stand in an environment.

    Args:
        environment: Where they stand.
        needs: Which of those without a default must be there.

    Raises:
        ConfigError: One cannot be, or is not there (code `setting`), or a file with an address cannot be used.
    """
    found = dict(environment)
    read_setting_files(found, (name for name in SECRETS if name not in NEEDS or name in needs))
    if found.get("MAIL", "").startswith("/"):  # a login shell's mailbox, as sshd and others set it
        del found["MAIL"]
    given = {name: found[name.upper()] for name in Settings.model_fields if found.get(name.upper())}
    for old, name in (("NEXTAUTH_URL", "public_url"), ("NEXTAUTH_SECRET", "auth_secret")):
        if found.get(old):
            given.setdefault(name, found[old])
    policies = {
        name.removeprefix(_PROVIDER).lower(): value.strip().lower()
        for name, value in found.items()
        if name.startswith(_PROVIDER) and value
    }
    try:
        settings = Settings(**given, oauth=policies)  # pyright: ignore[reportArgumentType]  pydantic reads texts
        wrong = _lacking(settings, needs)
    except ValidationError as fault:
        settings, wrong = None, [_told(one["loc"], one["msg"]) for one in fault.errors()]
    if settings is None or wrong:
        hint = "python -m apps.panamia.service --help lists all settings."
        raise ConfigError("Settings cannot be: " + "; ".join(wrong), code="setting", hint=hint)
    return settings


def _lacking(settings: Settings, needs: Collection[Need]) -> list[str]:
    found: list[str] = []
    if "POSTGRES_URL" in needs and not settings.use_memory_postgres and settings.postgres_url is None:
        found.append("POSTGRES_URL names no database, and USE_MEMORY_POSTGRES is not said")
    if "MONGODB_URI" in needs and not settings.use_memory_mongodb and settings.mongodb_uri is None:
        found.append("MONGODB_URI names no database, and USE_MEMORY_MONGODB is not said")
    short = len(settings.auth_secret.get_secret_value()) < _SHORTEST_SECRET
    if "AUTH_SECRET" in needs and settings.is_secure and short:
        found.append(f"AUTH_SECRET needs {_SHORTEST_SECRET} characters at least where PUBLIC_URL is https")
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in text.split(","))))


def _told(place: tuple[Any, ...], message: str) -> str:
    words = message.removeprefix("Value error, ")
    if not place:
        return words
    name = "".join(_PROVIDER if part == "oauth" else str(part).upper() for part in place[:2])
    return f"{name}: {words}"
