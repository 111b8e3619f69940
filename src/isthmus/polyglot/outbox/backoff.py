"""How long to wait before another attempt, and when an event is parked. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """What a relay goes by when MongoDB refuses an event, or is away.

    Attributes:
        attempts: With so many refusals an event is parked.
        first_seconds: Wait behind the first refusal; each further one doubles it.
        longest_seconds: The longest wait.
    """

    attempts: int = 8
    first_seconds: float = 1.0
    longest_seconds: float = 300.0

    def parks(self, refusals: int) -> bool:
        """Tell whether an event that was refused so often, this time included, is parked."""
        return refusals >= self.attempts

    def wait_seconds(self, refusals: int) -> float:
        """Return how long to wait behind so many refusals, from 1 on."""
        doublings = min(refusals - 1, 32)  # beyond that every wait is the longest
        return min(self.first_seconds * 2.0**doublings, self.longest_seconds)
