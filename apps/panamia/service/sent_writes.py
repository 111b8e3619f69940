"""Whether a write was sent to MongoDB: then no answer does not mean that nothing was done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

_WRITES = frozenset({"insert", "update", "delete", "findAndModify", "bulkWrite"})
"""Commands that change documents."""
_NOTED: ContextVar[list[str] | None] = ContextVar("panamia.sent_writes", default=None)


class SentWrites(CommandListener):
    """Notes the writes that a client sends, for whoever asks within `sent_writes`."""

    def started(self, event: CommandStartedEvent) -> None:
        """Note a command that is about to be sent."""
        noted = _NOTED.get()
        if noted is not None and event.command_name in _WRITES:
            noted.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Note nothing."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Note nothing: an error may also be that no answer came."""


@contextmanager
def sent_writes() -> Generator[list[str]]:
    """Give the names of the writes that this task sends within the block; it fills while they are sent."""
    noted: list[str] = []
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)
