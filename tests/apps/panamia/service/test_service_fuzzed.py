"""Requests drawn from the service's own OpenAPI, sound and unsound ones, sent to it as a process of its own.

Schemathesis draws them, from a fixed start so that a failure can be had again. Most are for a row that there is, of
the person who asks or of another one. Asked of each answer: no 5xx, a status and a body that the OpenAPI tells
of; and that each route was asked for something it could do. Cannot see: whether an answer is right. Soak tests draw
many more.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky, Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.apps.panamia.service.asked_of import keys_of
from tests.apps.panamia.service.conftest import ADMIN, World
from tests.apps.panamia.service.possessions import ARTICLES, NOTICES, SESSIONS, Owner, own_everything, own_more
from tests.apps.panamia.service.serving import serving

pytestmark = pytest.mark.anyio
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
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


@dataclass
class Drawing:
    """Requests drawn for one who asks, who has something of every kind, as another one has.

    Attributes:
        owners: Whoever asks, if anybody, and the other one.
        headers: Of each request.
        faults: What should not have been answered.
        answers: Route → the statuses of all answers.
    """

    world: World
    owners: list[Owner]
    headers: dict[str, str]
    faults: list[str] = field(default_factory=list[str])
    answers: dict[str, set[int]] = field(default_factory=dict[str, set[int]])

    def of(self, operation: Any, mode: GenerationMode, drawn: int) -> None:
        """Draw for a route; three of four requests are for something that there is, one thing after the other."""
        turns = itertools.count()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=drawn,
            deadline=None,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
            phases=[Phase.explicit, Phase.generate],
        )
        def asked(case: Any) -> None:
            turn = next(turns)
            if turn % 4:
                self._aim(case, operation.path, turn - turn // 4 - 1)
            headers = {**(case.headers or {}), **self.headers}
            answer = case.call(headers=headers, allow_redirects=False, timeout=60)
            self.answers.setdefault(f"{operation.method.upper()} {operation.path}", set()).add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        self._renew(operation)
        try:
            asked()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "only what takes nothing cannot be asked wrongly"
        except (AssertionError, FailureGroup, Failure, Flaky) as fault:  # flaky: it has changed what was there
            told = fault.exceptions if isinstance(fault, FailureGroup) else [fault]
            self.faults += [f"{operation.method} {operation.path} ({mode.value}): {one}" for one in told]

    def _renew(self, operation: Any) -> None:
        """Put back what requests before may have deleted or ended."""
        kinds = {"/api/articles/{": ARTICLES, "/api/mentoring/sessions/{": SESSIONS, "/api/notifications/{": NOTICES}
        for beginning, kind in kinds.items():
            if operation.path.startswith(beginning) and operation.method.upper() != "GET":
                for owner in self.owners:
                    own_more(self.world, owner, kind)

    def _aim(self, case: Any, path: str, turn: int) -> None:
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
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    owners, headers = [own_everything(world, "another")], {"origin": url}
    if who != "nobody":
        owners.insert(0, own_everything(world, who, ADMIN if who == "admin" else None))
        headers["cookie"] = f"authjs.session-token={owners[0].token}"
    drawing = Drawing(world, owners, headers)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path not in NOT_DRAWN:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                drawing.of(operation, mode, drawn)
    assert len(drawing.answers) > 40
    assert not drawing.faults, "\n\n".join(drawing.faults)
    keyed = {route for route in drawing.answers if "{" in route}
    missed = {route for route in keyed if not drawing.answers[route] & {200, 201, 204, 409}}
    assert who == "nobody" or len(missed) < len(keyed) / 4, f"what was behind the keys of {missed}?"
