"""How hard property tests try, and how to run one again.

`ISTHMUS_EFFORT` multiplies the number of examples (make soak sets it). Without `ISTHMUS_SEED` every run tries the same
examples; with it, the examples of that seed. The seed is in the report of every failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, note, seed, settings

EFFORT = float(os.environ.get("ISTHMUS_EFFORT", "1"))
SEED = os.environ.get("ISTHMUS_SEED")


def tries(examples: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a property (below `given`'s line it would not see it: put this one on top)."""
    chosen = settings(
        max_examples=max(1, round(examples * EFFORT)),
        derandomize=SEED is None,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        return chosen(test) if SEED is None else seed(int(SEED))(chosen(test))

    return decorate


def say_seed() -> None:
    """Put the seed into the report of this example, should it fail."""
    note("the fixed examples of this test" if SEED is None else f"ISTHMUS_SEED={SEED}")
