"""What a rule found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a rule refuses.

    Attributes:
        file: Path from the repository's root.
        line: From 1; 0 where it is about the file as a whole.
        rule: Name of the rule.
        message: A sentence: what is wrong.
        hint: What to do.
    """

    file: str
    line: int
    rule: str
    message: str
    hint: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "rule": self.rule,
            "file": self.file,
            "line": self.line or None,
            "message": self.message,
            "hint": self.hint,
        }
