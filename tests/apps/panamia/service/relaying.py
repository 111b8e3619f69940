"""Lets what the service enqueued reach MongoDB, by the command that operators run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests import forkserver
from tests.apps.panamia.conftest import HOME, SETTINGS
from tests.apps.panamia.service.conftest import World
from tests.oracle.copying import url


def relay(world: World) -> dict[str, int]:
    """Apply all events of the outbox, and return how many were applied and parked."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= {"DATABASE_URL": url(world.postgres), "MONGODB_URI": world.mongodb}
    arguments = ["outbox", "run", "--drain", "--attempts", "1", "--json", "-"]
    ran = forkserver.run("isthmus", arguments, cwd=Path(HOME), env=environment, timeout=60.0)
    found = json.loads(ran.stdout)
    return {"applied": found["applied"], "parked": found["parked"]}
