"""The form of a rule. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from isthmus.govern.findings import Finding

Subject_contra = TypeVar("Subject_contra", contravariant=True)
Subject = TypeVar("Subject")
"""What rules look at: `Checking` a folder of migrations, `ChangesChecking` the log of changes of models."""


@dataclass(frozen=True)
class Rule(Generic[Subject_contra]):
    """A rule.

    Attributes:
        name: Its name, with hyphens; its page is `docs/reference/rules/NAME.md`.
        find: Yields what it refuses.
        bad: A file that it refuses: path from the folder of the settings, and text; empty where the page shows it in
            words.
        good: The same as it should be.
    """

    name: str
    find: Callable[[Subject_contra], Iterable[Finding]]
    bad: tuple[str, str] = ("", "")
    good: tuple[str, str] = ("", "")


def findings_of(rules: Iterable[Rule[Subject]], subject: Subject, off: Container[str] = ()) -> Iterator[Finding]:
    """Yield what rules refuse, those left out that the settings switch off."""
    for rule in rules:
        if rule.name not in off:
            yield from rule.find(subject)
