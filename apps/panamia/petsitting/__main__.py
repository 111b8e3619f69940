"""Run the sidecar: `python -m apps.panamia.petsitting`."""

from __future__ import annotations

from ..web.running import run
from .app import create_app
from .settings import Settings, read_settings

if __name__ == "__main__":
    raise SystemExit(run("Run pet sitting, a service beside Pana MIA's", Settings, read_settings, create_app))
