"""A service as a process: it is told everything by its environment, and listens until somebody ends it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from isthmus.errors import IsthmusError

from .settings import Kind, program_of


def run(what: str, kind: type[Kind], read: Callable[[], Kind], create_app: Callable[[Kind], FastAPI]) -> int:
    """Listen until somebody ends it, and return the exit code: 2 where a setting cannot be.

    Args:
        what: What is run, for `--help`: a sentence without its stop.
        kind: The class of its settings; the package in which it stands is the program.
        read: Reads them.
        create_app: Makes the application.
    """
    lines = [f"  {name.upper():26} {one.description}" for name, one in kind.model_fields.items()]
    parser = argparse.ArgumentParser(
        prog=f"python -m {program_of(kind)}",
        description=f"{what}. It is told everything by its environment:",
        epilog="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.parse_args()
    try:
        settings = read()
    except IsthmusError as fault:
        print(f"✗ {fault}", file=sys.stderr)
        return 2
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="info",
        access_log=False,  # it would hold the tokens of links
        proxy_headers=False,  # whoever says for whom they ask is believed by nobody, unless a setting says so
    )
    return 0
