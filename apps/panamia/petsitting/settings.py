"""Every setting of the sidecar, each with its variable, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import Field

from ..web.settings import Port, SidecarSettings, Url, read


class Settings(SidecarSettings):
    """What the sidecar is told from outside."""

    public_url: Url = "http://localhost:3001"
    port: Port = 3001
    sweep_seconds: float = Field(
        30,
        ge=0,
        le=3_600,
        description="how often this process writes down which holds have run out and which stays are over; 0: never",
    )


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that stand in an environment, as `read` has it."""
    return read(Settings, environment)
