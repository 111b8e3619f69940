"""The settings that every service here has: what they are, how they are read, and how a wrong one is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from isthmus.cli.setting_files import read_setting_files
from isthmus.errors import ConfigError

from .origins import origin_of

Url = Annotated[str, Field(description="where people reach this service; links to it begin with it")]
Port = Annotated[int, Field(ge=0, le=65_535, description="the port to listen on; 0: any that is free")]
BodyBytes = Annotated[int, Field(ge=1_024, description="the largest body of a request, in bytes")]
Seconds = Annotated[
    float,
    Field(ge=0.1, le=3_600, description="how long PostgreSQL may take for one statement of a request, in seconds"),
]
NO_POSTGRES = "POSTGRES_URL names no database, and USE_MEMORY_POSTGRES is not said"


class WebSettings(BaseModel):
    """What every service is told from outside; a subclass adds its own, and may give others another default.

    Attributes:
        secrets: Variables whose value may stand in a file, which `…_FILE` names.
    """

    model_config = ConfigDict(frozen=True)
    secrets: ClassVar[tuple[str, ...]] = ("POSTGRES_URL",)

    postgres_url: SecretStr | None = Field(None, description="PostgreSQL; a pooler in transaction mode will do")
    use_memory_postgres: bool = Field(
        default=False, description="start an embedded PostgreSQL with all schemas and no rows instead of POSTGRES_URL"
    )
    public_url: Url
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: Port
    allowed_origins: tuple[str, ...] = Field(
        (), description="further origins that may write, by commas, as `https://pana.example.org`"
    )
    body_bytes: BodyBytes = 65_536
    pool_size: int = Field(10, ge=1, description="connections to PostgreSQL at most")
    statement_seconds: Seconds = 10

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return words(value) if isinstance(value, str) else value

    @field_validator("public_url", "allowed_origins")
    @classmethod
    def _origins(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return origin_of(value) if isinstance(value, str) else tuple(origin_of(one) for one in value)

    @property
    def is_secure(self) -> bool:
        """Whether people come by https."""
        return self.public_url.startswith("https:")

    @property
    def origins(self) -> frozenset[str]:
        """The origins that may write."""
        return frozenset({self.public_url, *self.allowed_origins})

    @property
    def has_postgres(self) -> bool:
        """Whether they say which PostgreSQL."""
        return self.use_memory_postgres or self.postgres_url is not None


class SidecarSettings(WebSettings):
    """What a service is told besides that people do not sign in at."""

    main_url: str = Field(
        "http://localhost:3000",
        description="where people reach the main service, which signs them in; it may be down",
    )

    @field_validator("main_url")
    @classmethod
    def _main_origin(cls, value: str) -> str:
        return origin_of(value)

    @model_validator(mode="after")
    def _whole(self) -> SidecarSettings:
        if not self.has_postgres:
            raise ValueError(NO_POSTGRES)
        if self.is_secure != self.main_url.startswith("https:"):
            raise ValueError(
                "PUBLIC_URL and MAIN_URL must both be https, or neither: the cookie of a session is called otherwise"
            )
        return self


Kind = TypeVar("Kind", bound=WebSettings)


def read(kind: type[Kind], environment: Mapping[str, str]) -> Kind:
    """Return the settings that stand in an environment.

    Raises:
        ConfigError: One cannot be (code `setting`), or a file with a secret cannot be used.
    """
    found = dict(environment)
    read_setting_files(found, kind.secrets)
    return made(kind, found)


def made(kind: type[Kind], found: Mapping[str, str], **more: object) -> Kind:
    """Return the settings that variables make; one that is empty is not there.

    Raises:
        ConfigError: As `refused` has it.
    """
    given = {name: found[name.upper()] for name in kind.model_fields if found.get(name.upper())}
    try:
        return kind.model_validate(given | more)
    except ValidationError as fault:
        raise refused(kind, (_told(one["loc"], one["msg"]) for one in fault.errors())) from None


def refused(kind: type[WebSettings], wrong: Iterable[str]) -> ConfigError:
    """Return the error that tells what is wrong with settings (code `setting`)."""
    hint = f"python -m {program_of(kind)} --help lists all settings."
    return ConfigError("Settings cannot be: " + "; ".join(wrong), code="setting", hint=hint)


def program_of(kind: type[WebSettings]) -> str:
    """Return the module that is run with settings: the package in which they stand."""
    return kind.__module__.rpartition(".")[0]


def words(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(filter(None, (one.strip() for one in text.split(","))))


def _told(place: tuple[int | str, ...], message: str) -> str:
    sentence = message.removeprefix("Value error, ")
    name = "_".join(part.upper() for part in place[:2] if isinstance(part, str))
    return f"{name}: {sentence}" if name else sentence
