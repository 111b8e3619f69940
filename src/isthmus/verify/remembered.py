"""What was looked up in the target, kept for who asks again; by the thousand where it is known what will be asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Generic, TypeVar

_AT_ONCE = 10_000

Place = TypeVar("Place", bound=Hashable)
Found = TypeVar("Found")


class Remembered(Generic[Place, Found]):
    """What values in some places lead to. For one thread.

    Args:
        look_up: Returns what several values of a place lead to, in their order.
        most: How much is kept at most before all of it is forgotten.
    """

    def __init__(self, look_up: Callable[[Place, list[str]], Iterable[Found]], most: int) -> None:
        self._look_up = look_up
        self._most = most
        self._found: dict[tuple[Place, str], Found] = {}

    def find(self, place: Place, value: str) -> Found:
        """Return what a value leads to, looked up where it is not known."""
        if (place, value) not in self._found:
            self.prepare(place, [value])
        return self._found[place, value]

    def prepare(self, place: Place, values: Collection[str]) -> None:
        """Look several values up at once: they will be asked for."""
        wanted = [value for value in values if (place, value) not in self._found]
        if len(self._found) + len(wanted) > self._most:
            self._found.clear()
            wanted = list(values)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            self._found.update(zip(((place, value) for value in some), self._look_up(place, some), strict=True))
