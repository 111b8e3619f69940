"""Writes docs/reference/canonical-forms.md from the description of the module of the core that makes the forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SOURCE = "crates/isthmus-core/src/checksum.rs"
_MARK = "//!"


def page(root: Path) -> str:
    """Write the page."""
    return "\n".join([*_head(), *_description(root / SOURCE), ""])


def _head() -> Iterator[str]:
    yield "# Canonical forms"
    yield ""
    yield f"<!-- Made from {SOURCE} by `make docs`; do not edit. -->"
    yield ""
    yield "By which forms the layer *checksum* of `isthmus verify` compares values, and what it therefore cannot see."
    yield "Why it is one of seven layers: [verification](../explanation/verification.md)."
    yield ""


def _description(source: Path) -> Iterator[str]:
    """Yield the lines of the module's description, which is Markdown."""
    for line in source.read_text(encoding="utf-8").splitlines():
        if not line.startswith(_MARK):
            return
        yield line.removeprefix(_MARK).removeprefix(" ")
