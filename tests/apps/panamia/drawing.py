"""Requests drawn from a service's own OpenAPI by Schemathesis, sound and unsound ones: what all services are asked.

Drawn from a fixed start, so that a failure can be had again. Asked of each answer: no 5xx, a status and a body that the
OpenAPI tells of. Which rows there are, and how a request comes to be for one, each service's test says.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

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

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Drawing(ABC):
    """Requests drawn for one who asks.

    Args:
        headers: Of each request.

    Attributes:
        faults: What should not have been answered.
        answers: Route → the statuses of all answers.
    """

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.faults: list[str] = []
        self.answers: dict[str, set[int]] = {}

    @abstractmethod
    def renew(self, operation: Any) -> None:
        """Put back what requests before may have deleted or ended."""

    @abstractmethod
    def aim(self, case: Any, path: str, turn: int) -> None:
        """Let a request be for something that there is."""

    def of_all(self, url: str, drawn: int, *, but: Collection[str] = ()) -> None:
        """Draw for every route of a service but some, sound requests and unsound ones, so many of each."""
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for found in schema.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            if operation.path not in but:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self._of(operation, mode, drawn)

    def _of(self, operation: Any, mode: GenerationMode, drawn: int) -> None:
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
                self.aim(case, operation.path, turn - turn // 4 - 1)
            headers = {**(case.headers or {}), **self.headers}
            answer = case.call(headers=headers, allow_redirects=False, timeout=60)
            self.answers.setdefault(f"{operation.method.upper()} {operation.path}", set()).add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        self.renew(operation)
        try:
            asked()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "only what takes nothing cannot be asked wrongly"
        except (AssertionError, FailureGroup, Failure, Flaky) as fault:  # flaky: it has changed what was there
            told = fault.exceptions if isinstance(fault, FailureGroup) else [fault]
            self.faults += [f"{operation.method} {operation.path} ({mode.value}): {one}" for one in told]
