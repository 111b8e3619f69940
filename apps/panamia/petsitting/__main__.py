"""Run the sidecar: `python -m apps.panamia.petsitting`."""

from __future__ import annotations

import argparse
import sys

import uvicorn

from isthmus.errors import IsthmusError

from .app import create_app
from .settings import Settings, read_settings


def main() -> int:
    """Listen until somebody ends it; 2 where a setting cannot be."""
    lines = [f"  {name.upper():26} {one.description}" for name, one in Settings.model_fields.items()]
    parser = argparse.ArgumentParser(
        prog="python -m apps.panamia.petsitting",
        description="Run pet sitting, a service beside Pana MIA's. It is told everything by its environment:",
        epilog="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.parse_args()
    try:
        settings = read_settings()
    except IsthmusError as fault:
        print(f"✗ {fault}", file=sys.stderr)
        return 2
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="info",
        access_log=False,  # it would hold the tokens of calendar links
        proxy_headers=False,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
