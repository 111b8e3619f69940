"""What a second look at the documents tells that the rewrite did not know.

Oracle: stated here. Cannot see: what Isthmus lists (`test_panamia_rewritten.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.panamia.moving.doing import not_known
from apps.panamia.moving.phases import PHASES, Standing, next_step
from tests.apps.panamia.test_panamia_phases import done


def listed(outcome: str, reason: str | None = None, path: str = "userId") -> dict[str, Any]:
    return {"collection": "images", "id": "a/ü b", "path": path, "outcome": outcome, "reason": reason}


@pytest.mark.parametrize(
    ("one", "items", "is_new"),
    [
        (listed("would_change"), [], True),
        (listed("unmapped"), [], True),
        (listed("ambiguous"), [], True),
        (listed("cannot", "validator"), [], True),
        (listed("unmapped"), ["images/a/ü b/userId/unmapped"], False),
        (listed("unmapped"), ["images/a/ü b/userId/ambiguous"], True),
        (listed("unmapped", path="by"), ["images/a/ü b/userId/unmapped"], True),
        (listed("cannot", "validator"), ["images/a/ü b/userId/validator"], False),
        (listed("would_change"), ["images/a/ü b/userId/duplicate-key"], False),
        (listed("would_change"), ["images/a/ü b/userId/moved"], True),
    ],
)
def test_what_the_rewrite_did_not_know(one: dict[str, Any], items: list[str], *, is_new: bool) -> None:
    what = f"images/a/ü b/{one['path']}/{one['reason'] or one['outcome']}"
    assert not_known([one], items) == ([what] if is_new else [])


def test_a_phase_that_was_verified_in_vain_is_run_again_first() -> None:
    standings: dict[int, Standing] = {one.number: done(one.number) for one in PHASES}
    standings[2] = replace(done(2), verified_at=None)
    assert next_step(standings) == "verify 2"
    standings[2] = replace(standings[2], failed="failed")
    assert next_step(standings) == "run 2"
    standings[2] = done(2)
    standings[3] = replace(done(3), verified_at=None, failed="failed")
    assert next_step(standings) == "run 3"
