"""Try the service: embedded servers, generated people, moved so far that both databases are in use.

    python -m apps.panamia.demo
    python -m apps.panamia.demo --people 1000 --port 8000

Everything lies in a folder of its own that is gone when Ctrl-C has ended it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from pymongo import MongoClient

from isthmus.errors import ConfigError, IsthmusError

from .generator.build import FEWEST
from .service.app import create_app
from .service.auth.links import make_link_token
from .service.auth.tokens import link_of
from .service.database import open_engine, sessions_of
from .service.embedded import Addresses, embedded_servers
from .service.settings import Settings, read_settings

_ROOT = Path(__file__).parents[2]
_PHASES = (1, 2, 3, 4)
"""Sign-in, notifications and articles are in PostgreSQL; profiles and the rest live on in MongoDB."""
_WHO = """
SELECT id, email FROM users
WHERE screenname IS NOT NULL AND locked_at IS NULL
ORDER BY (
    SELECT count(*) FROM notifications
    WHERE target = users.id AND NOT read AND (expires_at IS NULL OR expires_at > now())
) DESC, id
LIMIT 2
"""


def main(arguments: list[str] | None = None) -> int:
    """Start everything, say what to try, and end it all when asked to."""
    given = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):  # end as behind Ctrl-C, with nothing left running
        signal.signal(number, _end)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="panamia-demo-")))
            _serve(stack, folder, given.people, given.port)
    except IsthmusError as fault:
        print(f"✗ {fault}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _serve(stack: ExitStack, folder: Path, people: int, port: int) -> None:
    empty = read_settings({"USE_MEMORY_POSTGRES": "true", "USE_MEMORY_MONGODB": "true"})
    with _step("two databases, and the migrations"):
        there = stack.enter_context(embedded_servers(empty))
    with _step(f"{people:,} people in MongoDB"):
        _generate(there, folder, people)
    for number in _PHASES:
        with _step(f"phase {number}: " + ("references" if number == 2 else "copied, and every document verified")):
            _move(there, folder, number)
    settings, link = asyncio.run(_prepare(there, port))
    stack.enter_context(_relay(there))
    _say(settings, link, there)
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, log_level="warning")


def _generate(there: Addresses, folder: Path, people: int) -> None:
    more = ["--truth", folder / "truth.json", "--resolutions", folder / "resolutions.yaml"]
    _run("apps.panamia.generate", there.mongodb, "--people", people, *more)


def _move(there: Addresses, folder: Path, number: int) -> None:
    """Run a phase, verify it, and look at what was planted in it."""
    common = ["--resolutions", folder / "resolutions.yaml"]
    _run("apps.panamia.phase", *common, "run", number, there=there, fine={0, 1})
    _run("apps.panamia.phase", *common, "verify", number, there=there, fine={0, 1})
    told = ["acknowledge", number, "--all", "--reason", "planted by the generator"]
    _run("apps.panamia.phase", *common, *told, there=there)


async def _prepare(there: Addresses, port: int) -> tuple[Settings, str]:
    """Choose who signs in; return the settings of the service and the link."""
    engine = open_engine(there.postgres, 1)
    try:
        async with sessions_of(engine).begin() as db:
            found = await (await db.connection()).exec_driver_sql(_WHO)
            people = {str(row["id"]): str(row["email"]).lower() for row in found.mappings()}
            chosen = await asyncio.to_thread(_with_profile, there, people)
            person, admin = people.pop(chosen), next(iter(people.values()))
            secret = secrets.token_hex(16)
            settings = read_settings(
                {
                    "POSTGRES_URL": there.postgres,
                    "MONGODB_URI": there.mongodb,
                    "AUTH_SECRET": secret,
                    "ADMIN_EMAILS": admin,
                    "PUBLIC_URL": f"http://localhost:{port}",
                    "PORT": str(port),
                }
            )
            return settings, link_of(settings.public_url, await make_link_token(db, person, secret), person)
    finally:
        await engine.dispose()


def _with_profile(there: Addresses, people: Mapping[str, str]) -> str:
    """Return the id of the first who has a profile in MongoDB, or of the first where nobody has one."""
    with MongoClient[dict[str, Any]](there.mongodb) as client:
        profiles = client.get_default_database()["profiles"]
        having = {one["userId"] for one in profiles.find({"userId": {"$in": list(people)}, "active": True})}
    return next((key for key in people if key in having), next(iter(people)))


@contextmanager
def _relay(there: Addresses) -> Generator[None]:
    """The outbox's relay, as long as the block."""
    relay = subprocess.Popen(
        [sys.executable, "-m", "isthmus", "outbox", "run"],
        env=_environment(there),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        relay.send_signal(signal.SIGTERM)
        relay.wait()


def _say(settings: Settings, link: str, there: Addresses) -> None:
    url = settings.public_url
    print(
        f"""
Pana MIA runs at {url}  (Ctrl-C ends it and takes everything with it)

Sign in with this link; it works once:
  {link}

Three things to try:
  1. See what one page gathers from two databases: {url}/ once you are signed in.
     The profile is a document of MongoDB, the notifications are rows of PostgreSQL.
  2. Read the API, and call it from the page: {url}/docs
  3. Ask whether the two databases agree, from another terminal (what leads nowhere was planted there):
     export MONGODB_URI={there.mongodb}
     export DATABASE_URL={there.target}
     isthmus refs audit apps/panamia/mapping.yaml
     isthmus outbox status
""",
        flush=True,
    )


@contextmanager
def _step(what: str) -> Generator[None]:
    print(f"  … {what}", end="", flush=True)
    began = time.monotonic()
    yield
    print(f"\r  ✓ {what} ({time.monotonic() - began:.1f} s)", flush=True)


def _run(
    module: str, *words: object, there: Addresses | None = None, fine: frozenset[int] | set[int] = frozenset({0})
) -> None:
    command = [sys.executable, "-m", module, *map(str, words)]
    ran = subprocess.run(  # noqa: S603 - our own parts
        command, cwd=_ROOT, env=_environment(there), capture_output=True, text=True, check=False
    )
    if ran.returncode not in fine:
        print()
        said = (ran.stderr or ran.stdout).strip()[-1_500:]
        raise ConfigError(f"{module} {words[0] if words else ''} ended with {ran.returncode}.\n{said}", code="demo")


def _environment(there: Addresses | None) -> Mapping[str, str]:
    ours = ("PG", "POSTGRES_", "MONGODB_", "DATABASE_URL", "ISTHMUS_")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    if there is not None:
        found |= {"MONGODB_URI": there.mongodb, "POSTGRES_DIRECT_URL": there.target}
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog="python -m apps.panamia.demo",
        description="Start Pana MIA's service on embedded servers with generated people.",
        epilog="Exit codes: 0 ended; 2 it cannot start, the message says why; 130 Ctrl-C before it was started.",
    )
    parser.add_argument("--people", type=_people, default=200, help=f"{FEWEST} or more; default: 200")
    parser.add_argument("--port", type=int, default=3000, help="where to listen; default: 3000")
    return parser


def _people(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
