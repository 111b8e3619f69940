"""What a deployer tells while it works. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.govern.migrations.script import Script


@dataclass(frozen=True)
class Done:
    """One migration that was applied now.

    Attributes:
        name: Its name.
        seconds: How long it took.
        attempts: How often it was tried, because a lock was not to be had.
    """

    name: str
    seconds: float
    attempts: int


class Telling:
    """Hears of a deployer's work and does nothing; who wants to know of something overrides that."""

    def waits_for_lease(self, words: str) -> None:
        """Another isthmus is at work, and this one waits; called once.

        Args:
            words: A sentence: who it is.
        """

    def begins(self, script: Script) -> None:
        """A migration is begun."""

    def executes(self, script: Script, number: int) -> None:
        """A statement is executed now; from another attempt, too.

        Args:
            script: The migration.
            number: Of the statement, from 1.
        """

    def is_held_up(self, words: str) -> None:
        """The statement that is executed waits for a lock; from a thread of its own.

        Args:
            words: Who holds it; the same words again while it is the same.
        """

    def tries_again(self, script: Script, pause_seconds: float, words: str) -> None:
        """A lock was not to be had; after a pause the migration is tried again.

        Args:
            script: The migration.
            pause_seconds: How long the pause is.
            words: A sentence: why.
        """

    def hears(self, script: Script, severity: str, words: str) -> None:
        """The server says something that is no error.

        Args:
            script: The migration.
            severity: `NOTICE`, `WARNING`, ….
            words: What it says.
        """

    def has_done(self, done: Done) -> None:
        """A migration is through."""
