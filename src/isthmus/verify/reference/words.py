"""YAML text as plain dicts, lists and words, these by the core schema of YAML 1.2.

The parser is ruamel's; what a word stands for is decided here, for its own loader knows more forms of numbers and
dates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

_MARK = "tag:yaml.org,2002:"
_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Truth:
    """`true` or `false` as a key, which beside 1 or 0 would be the same key of a dict."""

    value: bool

    def __bool__(self) -> bool:
        return self.value

    def __str__(self) -> str:
        return "true" if self.value else "false"


def parse(text: str) -> dict[str, Any]:
    """The plain dict of a mapping's text; nothing is checked."""
    from ruamel.yaml import YAML

    return _plain(YAML(typ="safe", pure=True).compose(text))  # pyright: ignore[reportUnknownMemberType]


def _plain(node: Any) -> Any:
    if node.id == "scalar":
        return _word(node)
    if node.id == "sequence":
        return [_plain(item) for item in node.value]
    merged: dict[Any, Any] = {}
    own: dict[Any, Any] = {}
    for key, value in node.value:
        if key.style is None and key.value == "<<":
            found = _plain(value)
            for one in cast("list[dict[Any, Any]]", found if isinstance(found, list) else [found]):
                merged |= {name: inner for name, inner in one.items() if name not in merged}
        else:
            word = _word(key)
            own[Truth(word) if isinstance(word, bool) else word] = _plain(value)
    return {**merged, **own}


def _word(node: Any) -> Any:
    """What a scalar stands for: without quotes and a tag that says it is text, perhaps a number, a truth or nothing."""
    text = str(node.value)
    if node.style is not None or node.tag == f"{_MARK}str":
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if _NUMBER.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _ENDLESS.fullmatch(text) else text
