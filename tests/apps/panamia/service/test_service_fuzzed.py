"""Requests drawn from the service's own OpenAPI, sound and unsound ones, sent to it as a process of its own.

Schemathesis draws them, from a fixed start so that a failure can be had again. Asked of each answer: no 5xx, a status
and a body that the OpenAPI tells of. Cannot see: whether an answer is right. Soak tests draw many more.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.apps.panamia.service.conftest import ADMIN, World
from tests.fix_postgres import free_port

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NOT_DRAWN = {"/api/auth/signout"}
"""It would end the session that all others need."""
DRAWN = 12
"""Requests of each kind to each route."""


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[str]:
    """URL of the service over the databases of a world, as a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "POSTGRES_"))}
    environment |= {
        "POSTGRES_URL": world.postgres,
        "MONGODB_URI": world.mongodb,
        "PORT": str(port),
        "PUBLIC_URL": url,
        "ADMIN_EMAILS": ADMIN,
        "MAIL": f"file:{tmp_path / 'mail'}",
        "LINKS_PER_HOUR": "1000000",
        "LINKS_PER_HOUR_AND_HOST": "1000000",
    }
    with (tmp_path / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.panamia.service"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        give_up_at = time.monotonic() + 60
        while not _answers(url):
            assert process.poll() is None, (tmp_path / "service.log").read_text()
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (tmp_path / "service.log").read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "person", "admin"])
async def test_no_request_is_answered_with_a_fault(world: World, served: str, who: str) -> None:
    await asyncio.to_thread(draw, world, served, who, DRAWN)


@pytest.mark.soak
@pytest.mark.parametrize("who", ["nobody", "person", "admin"])
async def test_no_request_of_very_many_is_answered_with_a_fault(world: World, served: str, who: str) -> None:
    await asyncio.to_thread(draw, world, served, who, 25 * DRAWN)


def draw(world: World, url: str, who: str, drawn: int) -> None:
    """Send requests to every route, sound ones and unsound ones; tell of every fault."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    headers = {"origin": url}
    if who != "nobody":
        email = ADMIN if who == "admin" else "person@example.org"
        user = world.make_user(email, screenname=who)
        headers["cookie"] = f"authjs.session-token={world.make_session(user)}"
    faults: list[str] = []
    seen = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path in NOT_DRAWN:
            continue
        seen += 1
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _draw_of(operation, mode, headers, drawn)
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, "only what takes nothing cannot be asked wrongly"
            except (AssertionError, FailureGroup, Failure) as fault:
                told = fault.exceptions if isinstance(fault, FailureGroup) else [fault]
                faults += [f"{operation.method} {operation.path} ({mode.value}): {one}" for one in told]
    assert seen > 5
    assert not faults, "\n\n".join(faults)


def _draw_of(operation: Any, mode: GenerationMode, headers: dict[str, str], drawn: int) -> None:
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
        answer = case.call(headers={**(case.headers or {}), **headers}, allow_redirects=False, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    asked()
