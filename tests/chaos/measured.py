"""How much there is to disturb in a copy of the troubled database, so that tests hit places that exist."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from tests.chaos.proxy import Proxy
from tests.fix_copies import FINISHED, World
from tests.fix_postgres import create_database, drop_database


@dataclass(frozen=True)
class Measured:
    """What one worker sends in an undisturbed copy; two workers send as much or a little more.

    Attributes:
        commits: COMMITs.
        copies: Messages of COPY data.
        statements: Everything the runner counts as sent.
    """

    commits: int
    copies: int
    statements: int


def spread(share: int, shares: int, most: int) -> int:
    """Return one of `shares` numbers that lie evenly between 1 and `most`."""
    return 1 + (most - 1) * share // (shares - 1)


@pytest.fixture(scope="session")
def measured(world: World, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Return what an undisturbed copy of `world` sends."""
    target = create_database(postgres)
    try:
        copy = world.copy(target, tmp_path_factory.mktemp("measured"))
        with Proxy(target) as proxy:
            through = dataclasses.replace(copy, target=proxy.conninfo(target))
            ended = through.run("--workers", "1", statement=0)  # counted, never reached
        assert ended.code == FINISHED, ended.text
        return Measured(proxy.commits, proxy.copies, ended.stages["statement"])
    finally:
        drop_database(postgres, target)
