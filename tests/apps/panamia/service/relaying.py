"""Lets what the service enqueued reach MongoDB, by the command that operators run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from psycopg.conninfo import make_conninfo

from tests import forkserver
from tests.apps.panamia.conftest import HOME, SETTINGS
from tests.apps.panamia.service.conftest import World
from tests.oracle.copying import url


def relay(world: World, *, pooler: int | None = None) -> dict[str, int]:
    """Apply all events of the outbox, and return how many were applied and parked.

    `pooler` is the port of what PostgreSQL is reached through.
    """
    through = world.postgres if pooler is None else make_conninfo(world.postgres, host="127.0.0.1", port=pooler)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= {"DATABASE_URL": url(through), "MONGODB_URI": world.mongodb}
    arguments = ["outbox", "run", "--drain", "--attempts", "1", "--json", "-"]
    ran = forkserver.run("isthmus", arguments, cwd=Path(HOME), env=environment, timeout=60.0)
    found = json.loads(ran.stdout)
    return {"applied": found["applied"], "parked": found["parked"]}
