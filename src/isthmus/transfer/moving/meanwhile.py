"""What may come and go in a source that moves while a run is on its way, without being another source."""

from __future__ import annotations

from dataclasses import replace

from isthmus.transfer.beginning.preflight import Finding


def since_it_began(findings: list[Finding]) -> list[Finding]:
    """Judge findings about a source that moves once more, for a run that goes on.

    A collection that came into being is a remark: changing the mapping would be refused, and the next copy of the
    complete run names it again. One that was dropped stops the run, for to carry nothing of it must be somebody's will.
    """
    return [_judged(finding) for finding in findings]


def _judged(finding: Finding) -> Finding:
    problem = finding.problem
    if problem.code == "unnamed-collection":
        hint = "It is not carried; when this run is complete, name it in the mapping and copy again with --fresh."
        return Finding(replace(problem, hint=hint), None)
    if problem.code == "no-such-collection":
        hint = (
            "If it was dropped since this run began: create it again, empty, and run the same command; its documents"
            " are counted as gone then. Or take it out of the mapping and start over with --fresh."
        )
        return Finding(replace(problem, hint=hint), finding.severity)
    return finding
