"""Python source text: literals and calls, broken into lines as the common formatters break them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH = 120
_STEP = "    "


@dataclass(frozen=True)
class Call:
    """`head(item, item)`, or `head[item, item]`, on one line or with a line for each item.

    Attributes:
        head: What comes before the bracket: `sa.Table`, `name: Mapped[int] = mapped_column`; empty for a bare list,
            `name = ` for a tuple.
        items: What is in it, in order.
        brackets: The opening and the closing one.
    """

    head: str
    items: tuple[Node, ...]
    brackets: str = "()"


@dataclass(frozen=True)
class Text:
    """A string literal, in several pieces where a line is too short for it.

    Attributes:
        value: What it stands for.
    """

    value: str


Node = str | Call | Text


def call(head: str, *items: Node) -> Call:
    """Make a call."""
    return Call(head, items)


def text(value: str) -> str:
    """Write a string literal, in double quotes unless that needs more backslashes than single ones."""
    if value.count('"') > value.count("'"):
        return f"'{_escaped(value)}'"
    return f'"{_in_double_quotes(value)}"'


def docstring(value: str) -> str:
    """Write a docstring of one line."""
    return f'"""{_in_double_quotes(value)}"""'


def _in_double_quotes(value: str) -> str:
    return _escaped(value).replace("\\'", "'").replace('"', '\\"')


def _escaped(value: str) -> str:
    """Escape what a literal in single quotes must: backslashes, these quotes, what cannot be seen."""
    return repr(f"\"'{value}")[4:-1]  # with both quotes in it, for else it is Python that chooses the outer ones


def flat(node: Node) -> str:
    """Write a node on one line."""
    if isinstance(node, str):
        return node
    if isinstance(node, Text):
        return text(node.value)
    inside = ", ".join(flat(item) for item in node.items)
    if node.brackets == "()" and node.head.endswith("= ") and len(node.items) == 1:
        inside += ","  # or it is no tuple
    return f"{node.head}{node.brackets[0]}{inside}{node.brackets[1]}"


def lines(node: Node, depth: int = 0, *, end: str = "") -> Iterator[str]:
    """Write a node as lines without line breaks, `depth` steps to the right, followed by `end`."""
    margin = _STEP * depth
    one = f"{margin}{flat(node)}{end}"
    if isinstance(node, str) or len(one) <= WIDTH:
        yield one
    elif isinstance(node, Text):
        pieces = [text(piece) for piece in _pieces(node.value, WIDTH - len(margin) - 20)]
        yield from (f"{margin}{piece}" for piece in pieces[:-1])
        yield f"{margin}{pieces[-1]}{end}"
    else:
        yield f"{margin}{node.head}{node.brackets[0]}"
        for item in node.items:
            yield from lines(item, depth + 1, end=",")
        yield f"{margin}{node.brackets[1]}{end}"


def _pieces(value: str, width: int) -> Iterator[str]:
    """Cut a text into pieces that are at most `width` long as literals, behind spaces where there are any."""
    piece = ""
    for word in re.findall(r"\S*\s+|\S+", value):
        if piece and len(text(piece + word)) > width:
            yield piece
            piece = ""
        piece += word
    yield piece
