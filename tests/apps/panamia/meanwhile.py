"""Applications that write in the very moment in which a command says a line, or MongoDB has answered it."""

from __future__ import annotations

import io
from collections.abc import Callable

from pymongo import monitoring


class Writes(io.StringIO):
    """Standard error at which an application writes to MongoDB when a certain line comes."""

    def __init__(self, line: str, do: Callable[[], object]) -> None:
        super().__init__()
        self._line, self._do = line, do

    def write(self, text: str, /) -> int:
        if self._line in text:
            self._do()
        return super().write(text)


class Behind(monitoring.CommandListener):
    """An application that writes to a collection right behind a command of somebody else, once."""

    def __init__(self) -> None:
        self.behind, self.do = "", lambda: None
        self.asked: list[tuple[str, bool]] = []

    def wait(self, command: str, do: Callable[[], object]) -> None:
        """Write when a command has been done."""
        self.behind, self.do = command, do

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Note which question it is, and whether it is for names alone."""
        if event.command_name.lower() not in {"buildinfo", "endsessions", "hello", "ping"}:
            self.asked.append((event.command_name, bool(event.command.get("nameOnly"))))

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing is done behind a command that failed."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Write."""
        if event.command_name.lower() == self.behind.lower():
            self.behind = ""
            self.do()
