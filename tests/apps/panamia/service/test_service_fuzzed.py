"""Requests drawn from the service's own OpenAPI, sound and unsound ones, sent to it as a process of its own.

Drawn and judged by `drawing`. Most are for a row that there is, of the person who asks or of another one. Each route is
asked for something it could do. Cannot see: whether an answer is right. Soak tests draw many more.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.apps.panamia.drawing import Drawing
from tests.apps.panamia.service.asked_of import keys_of
from tests.apps.panamia.service.conftest import ADMIN, World
from tests.apps.panamia.service.possessions import ARTICLES, NOTICES, SESSIONS, Owner, own_everything, own_more
from tests.apps.panamia.service.serving import serving

pytestmark = pytest.mark.anyio
NOT_DRAWN = {"/api/auth/signout"}
"""It would end the session that all others need."""
DRAWN = 12
"""Requests of each kind to each route."""


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[str]:
    """URL of the service over the databases of a world, as a process of its own."""
    with serving(world, tmp_path) as service:
        yield service.url


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "person", "admin"])
async def test_no_request_is_answered_with_a_fault(world: World, served: str, who: str) -> None:
    await asyncio.to_thread(draw, world, served, who, DRAWN)


@pytest.mark.soak
@pytest.mark.parametrize("who", ["nobody", "person", "admin"])
async def test_no_request_of_very_many_is_answered_with_a_fault(world: World, served: str, who: str) -> None:
    await asyncio.to_thread(draw, world, served, who, 25 * DRAWN)


class OfPeople(Drawing):
    """Requests drawn for one who asks, who has something of every kind, as another one has.

    Args:
        world: The databases.
        owners: Whoever asks, if anybody, and the other one.
        headers: Of each request.
    """

    def __init__(self, world: World, owners: list[Owner], headers: dict[str, str]) -> None:
        super().__init__(headers)
        self.world, self.owners = world, owners

    def renew(self, operation: Any) -> None:
        """Put back what requests before may have deleted or ended."""
        kinds = {"/api/articles/{": ARTICLES, "/api/mentoring/sessions/{": SESSIONS, "/api/notifications/{": NOTICES}
        for beginning, kind in kinds.items():
            if operation.path.startswith(beginning) and operation.method.upper() != "GET":
                for owner in self.owners:
                    own_more(self.world, owner, kind)

    def aim(self, case: Any, path: str, turn: int) -> None:
        """Let a request be for something that there is: of the first owner, then of the other."""
        names = list[str](case.path_parameters or {})
        there_is = [
            (owner, keys)
            for owner in self.owners
            for keys in itertools.product(*(keys_of(owner, path, name) for name in names))
        ]
        owner, keys = there_is[turn % len(there_is)]
        if names:
            case.path_parameters.update(zip(names, keys, strict=True))
        there = {"userId": owner.friend, "inReplyTo": owner.published, "author": owner.id, "replyTo": owner.published}
        for part in (case.query, case.body):
            if isinstance(part, dict):
                given = cast("dict[str, Any]", part)
                given.update({name: key for name, key in there.items() if name in given})
                if "userId" in given:
                    given.pop("screenname", None)


def draw(world: World, url: str, who: str, drawn: int) -> None:
    """Send requests to every route, sound ones and unsound ones; tell of every fault."""
    owners, headers = [own_everything(world, "another")], {"origin": url}
    if who != "nobody":
        owners.insert(0, own_everything(world, who, ADMIN if who == "admin" else None))
        headers["cookie"] = f"authjs.session-token={owners[0].token}"
    drawing = OfPeople(world, owners, headers)
    drawing.of_all(url, drawn, but=NOT_DRAWN)
    assert len(drawing.answers) > 40
    assert not drawing.faults, "\n\n".join(drawing.faults)
    keyed = {route for route in drawing.answers if "{" in route}
    missed = {route for route in keyed if not drawing.answers[route] & {200, 201, 204, 409}}
    assert who == "nobody" or len(missed) < len(keyed) / 4, f"what was behind the keys of {missed}?"
