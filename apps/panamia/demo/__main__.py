"""Try the main service.

python -m apps.panamia.demo
python -m apps.panamia.demo --people 1000 --port 8000
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from ..service.app import create_app
from ..service.embedded import Addresses
from .people import Guest, invite, moved_people
from .running import demo, parser_of, relayed

_MODULE = "apps.panamia.demo"


def main(arguments: list[str] | None = None) -> int:
    """Start everything, say what to try, and end it all when asked to."""
    parser = parser_of(_MODULE, "Start Pana MIA's service on embedded servers with generated people.")
    given = parser.parse_args(arguments)
    return demo(_MODULE, [given.port], lambda stack, folder: _serve(stack, folder, given))


def _serve(stack: ExitStack, folder: Path, given: Namespace) -> None:
    there = moved_people(stack, folder, given.people)
    guest = asyncio.run(invite(there, given.port))
    stack.enter_context(relayed(there))
    _say(guest, there)
    settings = guest.settings
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, log_level="warning")


def _say(guest: Guest, there: Addresses) -> None:
    url = guest.settings.public_url
    print(
        f"""
Pana MIA runs at {url}  (Ctrl-C ends it and takes everything with it)

Sign in with this link; it works once:
  {guest.link}
Mail, as with another link, is printed here, too.

Three things to try:
  1. See what one page gathers from two databases: {url}/ once you are signed in.
     The profile is a document of MongoDB, the notifications are rows of PostgreSQL.
  2. Read the API, and call it from the page: {url}/docs
  3. Ask whether the two databases agree, from another terminal, in this folder (what leads nowhere was planted there):
     . .venv/bin/activate
     export MONGODB_URI={there.mongodb}
     export DATABASE_URL={there.target}
     isthmus refs audit apps/panamia/mapping.yaml
     isthmus outbox status
""",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
