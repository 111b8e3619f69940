"""Run the service: `python -m apps.panamia.service`."""

from __future__ import annotations

from ..web.running import run
from .app import create_app
from .settings import Settings, read_settings

if __name__ == "__main__":
    raise SystemExit(run("Run the service of Pana MIA", Settings, read_settings, create_app))
