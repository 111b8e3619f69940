"""Findings of a check, and what commands leave that were refused or stopped, as JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from isthmus.cli.interrupt import STOPPED, is_interruption, tidied_before_leaving
from isthmus.cli.output import write_json
from isthmus.connect.secrets import hide
from isthmus.errors import IsthmusError, Problem, Where

if TYPE_CHECKING:
    from isthmus.transfer.beginning.preflight import Finding


def findings_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return each finding: code, severity (`error` or `remark`), exit code, message, where, hint."""
    return [_problem(one.problem, one.severity.exit_code if one.severity else 0) for one in findings]


@contextlib.contextmanager
def writing_refusals(
    json_file: str | None,
    as_json: Callable[[IsthmusError], dict[str, Any]],
    write_page: Callable[[IsthmusError], None] | None = None,
) -> Generator[None]:
    """Write what a command leaves that is refused or stopped, then let what ended it pass.

    The files of an earlier command must not be taken for the result of this one.

    Args:
        json_file: As `write_json` takes it.
        as_json: Called with the error, when there is one; of a command that is stopped it has the code `stopped`.
        write_page: Writes the page, where there may be one.
    """

    def leave(fault: IsthmusError) -> None:
        if write_page is not None:
            write_page(fault)
        write_json(as_json(fault), json_file)

    # Who leaves at once takes nothing from standard output any more.
    files_only = json_file != "-"
    try:
        with tidied_before_leaving(lambda: leave(_stopped())) if files_only else contextlib.nullcontext():
            yield
    except BaseException as ending:
        fault = _refusal(ending)
        if fault is not None:
            leave(fault)
        raise


def _refusal(ending: BaseException) -> IsthmusError | None:
    """Return what is to be told of what ended a command; None where nobody is told anything."""
    if isinstance(ending, IsthmusError):
        return ending
    return _stopped() if is_interruption(ending) else None


def _stopped() -> IsthmusError:
    stopped = IsthmusError("It was stopped before its end.", code="stopped", hint="Run the same command again.")
    stopped.exit_code = STOPPED
    return stopped


def failed_json(fault: IsthmusError) -> dict[str, Any]:
    """Return what every refusal tells: outcome (failed, interrupted), exit code, code, the error's sentence."""
    outcome = "interrupted" if fault.exit_code == STOPPED else "failed"
    return {"outcome": outcome, "exit_code": fault.exit_code, "code": fault.code, "error": hide(str(fault))}


def uncopied_json(fault: IsthmusError, known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a copy leaves that was refused, or that an error ended.

    Args:
        fault: The error.
        known: The target's newest run and its books so far, as `run_so_far` gives them; None or empty: none is known.
    """
    return {
        "run": None,
        **failed_json(fault),
        "collections": {},
        "junctions": {},
        "references": {},
        **(known or {}),
    }


def refused_json(fault: IsthmusError, findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """Return what a refused check leaves: `failed_json` and every finding.

    Args:
        fault: The error that ended it.
        findings: What was found before, each with its own exit code, remarks included.
    """
    told = {finding.problem for finding in findings}
    problems = fault.problems or (Problem(fault.code, fault.message, fault.where, fault.hint),)
    own = [_problem(problem, fault.exit_code) for problem in problems if problem not in told]
    return {**failed_json(fault), "findings": [*findings_json(findings), *own]}


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
