"""Findings of a check and refusals as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isthmus.connect.secrets import hide
from isthmus.errors import IsthmusError, Problem, Where

if TYPE_CHECKING:
    from isthmus.transfer.preflight import Finding


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return each finding: code, severity (`error` or `remark`), exit code, message, where, hint."""
    return [_problem(one.problem, one.severity.exit_code if one.severity else 0) for one in findings]


def refused_json(fault: IsthmusError, findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """Return what a refused command leaves: outcome, exit code, code, the error's sentence, every finding.

    Args:
        fault: The error that ended it.
        findings: What was found before, each with its own exit code, remarks included.
    """
    told = {finding.problem for finding in findings}
    problems = fault.problems or (Problem(fault.code, fault.message, fault.where, fault.hint),)
    own = [_problem(problem, fault.exit_code) for problem in problems if problem not in told]
    return {
        "outcome": "failed",
        "exit_code": fault.exit_code,
        "code": fault.code,
        "error": hide(str(fault)),
        "findings": [*findings_json(findings), *own],
    }


def _problem(problem: Problem, exit_code: int) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": "error" if exit_code else "remark",
        "exit_code": exit_code,
        "message": hide(problem.message),
        "where": _where(problem.where),
        "hint": hide(problem.hint) if problem.hint else None,
    }


def _where(where: Where) -> dict[str, Any]:
    return {name: value for name, value in vars(where).items() if value is not None}
