"""One spelling for expressions that the server prints in two ways, by how they came to it. Pure.

`c IN ('a', 'b')` on a varchar is kept, and printed, as a cast of an array; read again from what was printed it is kept
as an array of casts. They mean the same, and a definition that went through a file once is in the second form.
"""

from __future__ import annotations

import re

_BEGIN = "(ARRAY["
_CAST = re.compile(r"\]\)::((?:[\w. ]|\"(?:[^\"]|\"\")*\")+)\[\]")
EXPRESSIONS = frozenset({"definition", "default", "generated", "using", "check"})
"""Properties of objects that hold such expressions."""
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")


def one_spelling(text: str) -> str:
    """Return an expression with casts of arrays written as arrays of casts."""
    at = 0
    while (at := _next(text, at)) >= 0:
        items, end = _items(text, at + len(_BEGIN))
        cast = _CAST.match(text, end) if items is not None else None
        if items is not None and cast is not None:
            text = f"{text[:at]}ARRAY[{', '.join(f'({one})::{cast[1]}' for one in items)}]{text[cast.end() :]}"
        at += 1
    return text


def _next(text: str, at: int) -> int:
    """Return where an array in parentheses begins, outside of quotes; -1 for nowhere."""
    begin = text.find(_BEGIN, at)
    if begin < 0:
        return -1
    quoted = [found.span() for found in _QUOTED.finditer(text)]
    while begin >= 0 and any(start < begin < end for start, end in quoted):
        begin = text.find(_BEGIN, begin + 1)
    return begin


def _items(text: str, at: int) -> tuple[list[str] | None, int]:
    """Return what stands between commas up to the bracket that closes an array, and where that is."""
    items: list[str] = []
    depth, begin = 0, at
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        if quoted is not None:
            at = quoted.end()
            continue
        if text[at] in "([":
            depth += 1
        elif text[at] == "]" and depth == 0:
            return [*items, text[begin:at].strip()], at
        elif text[at] in ")]":
            depth -= 1
        elif text[at] == "," and depth == 0:
            items.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    return None, at
