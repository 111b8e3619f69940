"""The form of a rule. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding


@dataclass(frozen=True)
class Rule:
    """A rule of migrations.

    Attributes:
        name: Its name, with hyphens; its page is `docs/reference/rules/NAME.md`.
        find: Yields what it refuses. It looks at new migrations alone where `Checking.new` says so, else at all.
        bad: A file that it refuses: path from the folder of migrations, and text; empty where the page shows it in
            words.
        good: The same as it should be.
    """

    name: str
    find: Callable[[Checking], Iterable[Finding]]
    bad: tuple[str, str] = ("", "")
    good: tuple[str, str] = ("", "")
