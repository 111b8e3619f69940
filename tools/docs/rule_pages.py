"""Writes docs/reference/rules: a page for each rule, from its module, and the list of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from isthmus.govern.changes.rules.all import RULES as RULES_OF_CHANGES
from isthmus.govern.rules.all import RULES as RULES_OF_MIGRATIONS
from isthmus.govern.rules.rule import Rule

FOLDER = "docs/reference/rules"


@dataclass(frozen=True)
class Kind:
    """Rules of one command.

    Attributes:
        title: What they are about.
        command: What asks them.
        source: Where their modules are.
        rules: All of them.
        off: How one is switched off, as an example.
    """

    title: str
    command: str
    source: str
    rules: Sequence[Rule[Any]]
    off: str


KINDS = (
    Kind(
        "Migrations",
        "isthmus schema check",
        "src/isthmus/govern/rules",
        RULES_OF_MIGRATIONS,
        '[schema]: `off = {migration-time = "names come from another system"}`',
    ),
    Kind(
        "Changes of models",
        "isthmus changes check",
        "src/isthmus/govern/changes/rules",
        RULES_OF_CHANGES,
        '[changes]: `off = {entry-ticket = "tickets come with the new tracker"}`',
    ),
)


def pages() -> dict[str, Callable[[Path], str]]:
    """Return path → what writes the page."""
    found: dict[str, Callable[[Path], str]] = {f"{FOLDER}/README.md": _list}
    return found | {f"{FOLDER}/{rule.name}.md": partial(_page, kind, rule) for kind in KINDS for rule in kind.rules}


def _text(rule: Rule[Any]) -> tuple[str, str]:
    """Return the first sentence of a rule's module, and the rest."""
    said = sys.modules[rule.find.__module__].__doc__ or ""
    first, _, rest = said.strip().partition("\n\n")
    return " ".join(first.split()), rest.strip()


def _list(root: Path) -> str:
    del root
    return "\n".join([*_listed(), ""])


def _listed() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield f"<!-- Made from {' and '.join(kind.source for kind in KINDS)} by `make docs`; do not edit. -->"
    yield ""
    yield "A rule is switched off in the settings alone, and with a reason."
    for kind in KINDS:
        yield ""
        yield f"## {kind.title}"
        yield ""
        yield f"What `{kind.command}` asks. To switch one off, write below {kind.off}."
        yield ""
        yield "| rule | asks |"
        yield "| --- | --- |"
        yield from (f"| [`{rule.name}`]({rule.name}.md) | {_text(rule)[0]} |" for rule in kind.rules)


def _page(kind: Kind, rule: Rule[Any], root: Path) -> str:
    del root
    return "\n".join([*_lines(kind, rule), ""])


def _lines(kind: Kind, rule: Rule[Any]) -> Iterator[str]:
    title, rest = _text(rule)
    yield f"# {rule.name}"
    yield ""
    yield f"<!-- Made from {kind.source} by `make docs`; do not edit. -->"
    yield ""
    yield title
    yield ""
    for paragraph in rest.split("\n\n"):
        word, colon, text = paragraph.partition(":")
        named = colon and word in {"Problem", "Solution"}
        yield f"**{word}.** {text.strip()[:1].upper()}{text.strip()[1:]}" if named else paragraph
        yield ""
    for words, (file, text) in (("Refused", rule.bad), ("As it should be", rule.good)):
        if file:
            yield f"{words}, `{file}`:"
            yield ""
            yield f"```{'markdown' if file.endswith('.md') else 'sql'}"
            yield from text.rstrip().splitlines()
            yield "```"
            yield ""
    yield "[All rules](README.md)"
