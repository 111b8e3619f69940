"""What the CHECK constraints of a column say of the form of its values. Pure.

Understood are conditions that are joined by AND, each a regular expression (`id ~ '…'`, `id !~ '…'`) or a length
(`length(id) = 24`). What is not understood says nothing: a value is never refused for it, PostgreSQL does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.polyglot.references.forms import FORMS, Form, Pattern, text_form

_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_ELSE = re.compile(r"\b(?:OR|CASE)\b", re.IGNORECASE)
"""What joins conditions otherwise than by AND."""
_NAME = r'(?:(?:"(?:[^"]|"")+"|\w+)\.)*(?P<name>"(?:[^"]|"")+"|\w+)'
_CAST = r"(?:::\s*(?:text|varchar|character varying))?"
_MATCHES = re.compile(rf"\(?{_NAME}\)?{_CAST}\s*(?P<sign>!?~)\s*'(?P<regex>(?:[^']|'')*)'{_CAST}", re.IGNORECASE)
_LENGTH = re.compile(
    rf"(?:char_length|character_length|length)\s*\(\s*\(?{_NAME}\)?{_CAST}\s*\)\s*(?P<sign>=|<=|>=|<|>)\s*(?P<size>\d+)",
    re.IGNORECASE,
)
_PIECE = r"(?:\[\^?[A-Za-z0-9_-]+\]|[A-Za-z0-9_-])(?:[*+?]|\{\d+(?:,\d*)?\})?"
_SAME_IN_BOTH = re.compile(rf"\^?(?:{_PIECE})*\$?")
"""Regular expressions that PostgreSQL and Python understand alike."""
_CUID2 = frozenset({"^[a-z][a-z0-9]{23}$", "^[a-z][0-9a-z]{23}$"})


@dataclass
class _Known:
    least: int | None = None
    most: int | None = None
    patterns: tuple[Pattern, ...] = ()
    cuid2: bool = False


def form_of_checks(column: str, checks: Iterator[str], most: int | None = None) -> Form | None:
    """Return the form that CHECK constraints give the texts of a column; None where they say nothing of it.

    Args:
        column: Its name.
        checks: The conditions, as SQL.
        most: Most characters, as its type says.
    """
    known = _Known(most=most)
    for check in checks:
        if _ELSE.search(_blanked(check)):
            continue
        for part in _conditions(check):
            _learn(known, column, part)
    if known.cuid2:
        return FORMS["cuid2"]
    if not known.patterns and known.least is None and known.most == most:
        return None
    return text_form(least=known.least, most=known.most, patterns=known.patterns)


def _conditions(check: str) -> Iterator[str]:
    """Yield the conditions that are joined by AND; what stands in parentheses with others is one of them."""
    check = _unwrapped(check)
    blanked = _blanked(check)
    begin = 0
    for found in _AND.finditer(blanked):
        if blanked.count("(", 0, found.start()) == blanked.count(")", 0, found.start()):
            yield _unwrapped(check[begin : found.start()])
            begin = found.end()
    yield _unwrapped(check[begin:])


def _learn(known: _Known, column: str, condition: str) -> None:
    if (found := _MATCHES.fullmatch(condition)) is not None and _is(found["name"], column):
        regex = found["regex"].replace("''", "'")
        known.cuid2 |= regex in _CUID2 and found["sign"] == "~"
        if _SAME_IN_BOTH.fullmatch(regex) is not None and (text := _of_python(regex)) is not None:
            known.patterns += (Pattern(text, fits=found["sign"] == "~"),)
    elif (found := _LENGTH.fullmatch(condition)) is not None and _is(found["name"], column):
        sign, size = found["sign"], int(found["size"])
        if sign in {"=", ">=", ">"}:
            known.least = max(known.least or 0, size + (sign == ">"))
        if sign in {"=", "<=", "<"}:
            limit = size - (sign == "<")
            known.most = limit if known.most is None else min(known.most, limit)


def _is(written: str, column: str) -> bool:
    return written[1:-1].replace('""', '"') == column if written.startswith('"') else written.lower() == column


def _of_python(regex: str) -> str | None:
    text = f"{regex[:-1]}\\Z" if regex.endswith("$") else regex
    try:
        re.compile(text)
    except re.error:
        return None
    return text


def _unwrapped(text: str) -> str:
    """Return a condition without the parentheses around the whole of it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for place, letter in enumerate(_blanked(text)):
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and place < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def _blanked(text: str) -> str:
    """Return a condition of the same length in which texts hold nothing."""
    return re.sub(r"'(?:[^']|'')*'", lambda found: "'" * len(found[0]), text)
