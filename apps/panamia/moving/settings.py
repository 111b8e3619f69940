"""Where the move reads and writes: addresses from options or the environment, files beside this package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import ConfigError

HOME = Path(__file__).parent.parent
MAPPING = HOME / "mapping.yaml"
RESOLUTIONS = HOME / "resolutions.yaml"


@dataclass(frozen=True)
class Settings:
    """Where to read and write.

    Attributes:
        source: The MongoDB database, or its dump; None where no command needs it.
        target: The PostgreSQL database, by its direct address.
        mapping: The mapping.
        resolutions: The answers to conflicts of identities; the file need not be there.
    """

    source: str | None
    target: str
    mapping: Path = MAPPING
    resolutions: Path = RESOLUTIONS

    def environment(self) -> dict[str, str]:
        """Return the environment of a command of Isthmus that works on them; no address stands in its arguments."""
        found = {**os.environ, "DATABASE_URL": self.target}
        return found | ({"MONGODB_URI": self.source} if self.source else {})

    def need_source(self) -> str:
        """Return the source.

        Raises:
            ConfigError: None is named.
        """
        if self.source is None:
            raise ConfigError(
                "No source is named.", code="no-source", hint="Give --source, or set MONGODB_URI: a server or a dump."
            )
        return self.source


def read_settings(
    source: str | None,
    target: str | None,
    mapping: Path | None,
    resolutions: Path | None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Put options and environment together; options win.

    Raises:
        ConfigError: No target is named.
    """
    names = ("POSTGRES_DIRECT_URL", "DATABASE_URL", "POSTGRES_URL")
    address = target or next((environment[name] for name in names if environment.get(name)), None)
    if address is None:
        raise ConfigError(
            "No target is named.", code="no-target", hint=f"Give --target, or set one of {', '.join(names)}."
        )
    return Settings(
        source or environment.get("MONGODB_URI") or None, address, mapping or MAPPING, resolutions or RESOLUTIONS
    )
