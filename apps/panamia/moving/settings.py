"""Where the move reads and writes: addresses from options, the environment or files it names; files beside us."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isthmus.cli.setting_files import ADDRESSES, read_setting_files
from isthmus.errors import ConfigError, Where

HOME = Path(__file__).parent.parent
MAPPING = HOME / "mapping.yaml"
RESOLUTIONS = HOME / "resolutions.yaml"


@dataclass(frozen=True)
class Settings:
    """Where to read and write.

    Attributes:
        source: The MongoDB database, or its dump; None where no command needs it.
        target: The PostgreSQL database: its direct address, or embedded:DIR.
        mapping: The mapping.
        resolutions: The answers to conflicts of identities; the default file need not be there.
    """

    source: str | None
    target: str
    mapping: Path = MAPPING
    resolutions: Path = RESOLUTIONS

    def environment(self) -> dict[str, str]:
        """Return the environment of a command of Isthmus that works on them; no address stands in its arguments."""
        files = {f"{name}_FILE" for name in ADDRESSES}  # what they hold is known
        found = {name: value for name, value in os.environ.items() if name not in files}
        found["DATABASE_URL"] = self.target
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
        ConfigError: No target is named (code `no-target`), the answers that are named are not there (`no-resolutions`),
            or a file with an address cannot be used, as `read_setting_files` says.
    """
    environment = dict(environment)
    read_setting_files(environment)
    named = environment.get("ISTHMUS_RESOLUTIONS")
    resolutions = resolutions or (Path(named) if named else None)
    if resolutions is not None and not resolutions.is_file():
        raise ConfigError(
            "The answers of people that are named are not there.",
            code="no-resolutions",
            where=Where(file=str(resolutions)),
            hint="Name the file that --resolutions means, or leave the option out.",
        )
    names = ("POSTGRES_DIRECT_URL", "DATABASE_URL")  # not POSTGRES_URL, a pooler's: locks here belong to sessions
    address = target or next((environment[name] for name in names if environment.get(name)), None)
    if address is None:
        raise ConfigError(
            "No target is named.", code="no-target", hint=f"Give --target, or set one of {', '.join(names)}."
        )
    return Settings(
        source or environment.get("MONGODB_URI") or None, address, mapping or MAPPING, resolutions or RESOLUTIONS
    )
