"""How hard property tests try, and how to run one again.

Every run tries the same examples, unless `ISTHMUS_SEED` names others; `ISTHMUS_EFFORT` multiplies their number. Soak
tests search with seeds of their own. The seed is in the report of every failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis.strategies import SearchStrategy

EFFORT = float(os.environ.get("ISTHMUS_EFFORT", "1"))
HEALTH_CHECKS: Any = list(HealthCheck)  # pyright: ignore[reportArgumentType]
SEED = os.environ.get("ISTHMUS_SEED")


def tries(examples: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a property (below `given`'s line it would not see it: put this one on top)."""
    chosen = settings(
        max_examples=max(1, round(examples * EFFORT)),
        derandomize=SEED is None,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=HEALTH_CHECKS,
    )

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        return chosen(test) if SEED is None else seed(int(SEED))(chosen(test))

    return decorate


def say_seed() -> None:
    """Put the seed into the report of this example, should it fail."""
    note("the fixed examples of this test" if SEED is None else f"ISTHMUS_SEED={SEED}")


def search(law: Callable[[Any], None], examples: SearchStrategy[Any], *, count: int, at: int) -> None:
    """Try a law on `count` examples of seed `at`; what soak tests do."""
    chosen = settings(
        max_examples=round(count * EFFORT), database=None, deadline=None, suppress_health_check=HEALTH_CHECKS
    )

    def seeded(example: Any) -> None:
        note(f"seed {at}")
        law(example)

    seed(at)(chosen(given(examples)(seeded)))()
