"""Names for the instants of a work at which something becomes true.

Code calls `reached(NAME)` there. By default nothing listens. Listeners are for people who must know where a run is:
debug logs, and tests that end the process at a named instant to show that the run survives it.
"""

from __future__ import annotations

from collections.abc import Callable

listeners: list[Callable[[str], None]] = []


def reached(stage: str) -> None:
    """Tell every listener that a stage was reached.

    Args:
        stage: `area.instant`, for example `copy.before-commit`. The list stands in docs/reference/stages.md.
    """
    for listener in listeners:
        listener(stage)
