"""Every setting of the sidecar, each with its variable, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from isthmus.cli.setting_files import read_setting_files
from isthmus.errors import ConfigError

from ..web.origins import origin_of

SECRETS = ("POSTGRES_URL",)
"""Variables whose value may stand in a file, which `…_FILE` names."""


class Settings(BaseSettings):
    """What the sidecar is told from outside."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    postgres_url: SecretStr | None = Field(
        None, description="the PostgreSQL of the main service; a pooler in transaction mode will do"
    )
    use_memory_postgres: bool = Field(
        default=False, description="start an embedded PostgreSQL with both schemas and no rows instead of POSTGRES_URL"
    )
    public_url: str = Field(
        "http://localhost:3001", description="where people reach this service; links to it begin with it"
    )
    main_url: str = Field(
        "http://localhost:3000",
        description="where people reach the main service, which signs them in; it may be down",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="further origins that may write, by commas, as `https://pana.example.org`"
    )
    body_bytes: int = Field(65_536, ge=1_024, description="the largest body of a request, in bytes")
    pool_size: int = Field(10, ge=1, description="connections to PostgreSQL at most")
    statement_seconds: float = Field(
        10, ge=1, le=600, description="how long PostgreSQL may take for one statement, in seconds"
    )
    sweep_seconds: float = Field(
        30,
        ge=0,
        le=3_600,
        description="how often this process writes down which holds have run out and which stays are over; 0: never",
    )
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(3001, ge=0, le=65535, description="the port to listen on; 0: any that is free")

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

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value

    @field_validator("public_url", "main_url", "allowed_origins")
    @classmethod
    def _origins(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return origin_of(value) if isinstance(value, str) else tuple(origin_of(one) for one in value)

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if not self.use_memory_postgres and self.postgres_url is None:
            raise ValueError("POSTGRES_URL names no database, and USE_MEMORY_POSTGRES is not said")
        if self.is_secure != self.main_url.startswith("https:"):
            raise ValueError(
                "PUBLIC_URL and MAIN_URL must both be https, or neither: the cookie of a session is called otherwise"
            )
        return self

    @property
    def is_secure(self) -> bool:
        """Whether people come by https."""
        return self.public_url.startswith("https:")

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may write."""
        return frozenset({self.public_url, *self.allowed_origins})


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that stand in an environment.

    Raises:
        ConfigError: One cannot be (code `setting`), or a file with an address cannot be used.
    """
    found = dict(environment)
    read_setting_files(found, SECRETS)
    given = {name: found[name.upper()] for name in Settings.model_fields if found.get(name.upper())}
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType]  pydantic reads texts
    except ValidationError as fault:
        raise ConfigError(
            "Settings cannot be: " + "; ".join(_told(one["loc"], one["msg"]) for one in fault.errors()),
            code="setting",
            hint="python -m apps.panamia.petsitting --help lists all settings.",
        ) from None


def _told(place: tuple[Any, ...], message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"{str(place[0]).upper()}: {words}" if place else words
