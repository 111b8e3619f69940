"""What `ensure` asks for, and the answers that are no values. Pure.

The decisions are generators that yield these and are sent the answers, so that one text serves both faces of the
driver. `asking` sends them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A method of the collection. The answer is what it returns, a cursor's as a list; or Duplicate, Gone, or Trouble.

    Attributes:
        method: Its name.
        arguments: What it is given in their order.
        options: What it is given by name.
        of_server: Whether it asks of the server itself, which no majority has.
    """

    method: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    of_server: bool = False


@dataclass(frozen=True)
class Make:
    """The document of the caller's factory. The answer is what it returns."""


@dataclass(frozen=True)
class Wait:
    """A while. There is no answer; where the time is over, what the server said last is raised.

    Attributes:
        seconds: How long.
    """

    seconds: float


@dataclass(frozen=True)
class Duplicate:
    """An index that is unique has the value already.

    Attributes:
        fields: Of that index; empty where the server does not say.
    """

    fields: frozenset[str]


@dataclass(frozen=True)
class Gone:
    """The index that was to be dropped is not there, or the whole collection is not."""


@dataclass(frozen=True)
class Trouble:
    """The server is in trouble that passes; what was sent may have been done, or not."""


Ask = Call | Make | Wait
Asking = Generator[Ask, Any, T]
