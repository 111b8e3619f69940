"""Writes docs/reference/rules: a page for each rule of migrations, from its module, and the list of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from isthmus.govern.rules.all import RULES
from isthmus.govern.rules.rule import Rule

FOLDER = "docs/reference/rules"


def pages() -> dict[str, Callable[[Path], str]]:
    """Return path → what writes the page."""
    found: dict[str, Callable[[Path], str]] = {f"{FOLDER}/README.md": _list}
    return found | {f"{FOLDER}/{rule.name}.md": partial(_page, rule) for rule in RULES}


def _text(rule: Rule) -> tuple[str, str]:
    """Return the first sentence of a rule's module, and the rest."""
    said = sys.modules[rule.find.__module__].__doc__ or ""
    first, _, rest = said.strip().partition("\n\n")
    return " ".join(first.split()), rest.strip()


def _list(root: Path) -> str:
    del root
    lines = [
        "# Rules of migrations",
        "",
        "<!-- Made from src/isthmus/govern/rules by `make docs`; do not edit. -->",
        "",
        "What `isthmus schema check` asks. A rule is switched off in the settings alone, and with a reason:",
        '`off = {migration-time = "names come from another system"}`.',
        "",
        "| rule | asks |",
        "| --- | --- |",
        *(f"| [`{rule.name}`]({rule.name}.md) | {_text(rule)[0]} |" for rule in RULES),
    ]
    return "\n".join([*lines, ""])


def _page(rule: Rule, root: Path) -> str:
    del root
    return "\n".join([*_lines(rule), ""])


def _lines(rule: Rule) -> Iterator[str]:
    title, rest = _text(rule)
    yield f"# {rule.name}"
    yield ""
    yield "<!-- Made from src/isthmus/govern/rules by `make docs`; do not edit. -->"
    yield ""
    yield title
    yield ""
    for paragraph in rest.split("\n\n"):
        word, colon, text = paragraph.partition(":")
        named = colon and word in {"Problem", "Solution"}
        yield f"**{word}.** {text.strip()[:1].upper()}{text.strip()[1:]}" if named else paragraph
        yield ""
    for words, (file, sql) in (("Refused", rule.bad), ("As it should be", rule.good)):
        if file:
            yield f"{words}, `{file}`:"
            yield ""
            yield "```sql"
            yield from sql.rstrip().splitlines()
            yield "```"
            yield ""
    yield "[All rules](README.md)"
