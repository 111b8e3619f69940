"""Try the sidecar beside the main service: two processes, one database, one sign-in.

python -m apps.panamia.demo.petsitting
python -m apps.panamia.demo.petsitting --listings 500 --port 8000 --sitting-port 8001
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import http.client
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import uvicorn
from psycopg.conninfo import make_conninfo

from isthmus.errors import ConfigError

from ..petsitting.settings import Settings, read_settings
from ..service.app import create_app
from .offering import Made, count_people, offer_all
from .people import Guest, invite, moved_people
from .running import beside, demo, environment, parser_of, relayed, step
from .stays import offers

_MODULE = "apps.panamia.demo.petsitting"
_LOGIN = "pet_service"
_ROLE = Path(__file__).parents[1] / "petsitting" / "role.sql"
_SECONDS = 60


def main(arguments: list[str] | None = None) -> int:
    """Start everything, say what to try, and end it all when asked to."""
    parser = parser_of(
        _MODULE,
        "Start Pana MIA's service and its sidecar, pet sitting, on embedded servers with people and listings.",
    )
    parser.add_argument("--sitting-port", type=int, default=3001, help="where the sidecar listens; default: 3001")
    parser.add_argument("--listings", type=_listings, default=40, help="2 or more; default: 40")
    given = parser.parse_args(arguments)
    return demo(_MODULE, [given.port, given.sitting_port], lambda stack, folder: _serve(stack, folder, given))


def _listings(text: str) -> int:
    number = int(text)
    if number < 2:  # the guest's own, and one that the guest has booked
        raise argparse.ArgumentTypeError("at least 2")
    return number


def _serve(stack: ExitStack, folder: Path, given: argparse.Namespace) -> None:
    there = moved_people(stack, folder, given.people)
    guest = asyncio.run(invite(there, given.port))
    variables = {
        "POSTGRES_URL": _login(there.postgres),
        "PUBLIC_URL": f"http://localhost:{given.sitting_port}",
        "MAIN_URL": guest.settings.public_url,
        "PORT": str(given.sitting_port),
        "SWEEP_SECONDS": "5",
    }
    settings = read_settings(variables)
    with step(f"{given.listings:,} listings, and who booked them"):
        people = asyncio.run(count_people(there.postgres, guest.id))
        wanted = list(offers(given.listings, people))
        made = asyncio.run(offer_all(settings, there.postgres, guest.id, wanted))
    stack.enter_context(relayed(there))
    with step("the sidecar, a process of its own"):
        log = folder / "sidecar.log"
        apart = _without_settings(environment(None)) | variables
        _wait_for(settings, stack.enter_context(beside("apps.panamia.petsitting", variables=apart, log=log)), log)
    _say(guest, settings, made)
    main = guest.settings
    uvicorn.run(create_app(main), host=main.host, port=main.port, log_level="warning")


def _login(owner: str) -> str:
    """Make the sidecar's own login, with no more rights than it needs, and return its conninfo."""
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(_ROLE.read_bytes())
        connection.execute(f"CREATE ROLE {_LOGIN} LOGIN IN ROLE petsitting".encode())
    return make_conninfo(owner, user=_LOGIN)  # by the server's socket, which nobody else reaches


def _without_settings(found: dict[str, str]) -> dict[str, str]:
    """Return an environment without what would tell the sidecar otherwise."""
    names = {name.upper() for name in Settings.model_fields} | {f"{name}_FILE" for name in Settings.secrets}
    return {name: value for name, value in found.items() if name not in names}


def _wait_for(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + _SECONDS
    while not _is_ready(settings.port):
        if process.poll() is not None or time.monotonic() > give_up_at:
            print()
            said = log.read_text("utf-8", errors="replace").strip()[-1_500:]
            raise ConfigError(f"The sidecar does not start.\n{said}", code="demo")
        time.sleep(0.1)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _say(guest: Guest, settings: Settings, made: Made) -> None:
    main, sitting = guest.settings.public_url, settings.public_url
    first = datetime.date.today() + datetime.timedelta(30)  # noqa: DTZ011 - any day will do
    wish = f"kind=rental&lat=25.77&lng=-80.2&radiusKm=30&from={first}&to={first + datetime.timedelta(3)}"
    print(
        f"""
Pana MIA runs at {main}, and pet sitting, its sidecar, at {sitting}
(Ctrl-C ends both and takes everything with it)

Sign in with this link; it works once, and the session counts at both:
  {guest.link}
Mail, as with another link, is printed here, too.

Three things to try, once you are signed in:
  1. Somebody wants you to sit, and waits for your answer: {sitting}/bookings/{made.asked}
     Confirm it, or say why not. What people tell you about bookings is among your notifications: {main}/
  2. Book what others have booked in part, and be told which days are taken: {sitting}/listings/{made.listing}/calendar
     Then ask for days that are free.
  3. Look for what is free, of {made.count:,} listings: {sitting}/
     Programs ask the API, here for rentals near Miami: {sitting}/api/listings?{wish}
     It is all at {sitting}/docs; what you offer yourself is at {sitting}/listings
""",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
