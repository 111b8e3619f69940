"""Insert entries into the maps of a YAML text, and touch nothing else of it. Pure.

What cannot be inserted (the map is an alias, its keys are written with `?`) is named, to be added by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from isthmus.mapping.paths import parse_path
from isthmus.survey.profile import Path
from isthmus.survey.propose.yaml_text import text as shown_text

_STEP = "  "


class Editor:
    """Inserts entries into the maps of a YAML text, whatever style they are written in.

    Attributes:
        refused: Places that cannot be added to, with the reason.
    """

    def __init__(self, text: str) -> None:
        from ruamel.yaml import YAML

        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._text = text
        composed: Any = YAML(typ="safe", pure=True).compose(text)  # pyright: ignore[reportUnknownMemberType]
        self._root = composed
        self._inserts: dict[int, list[str]] = {}
        self._blocks: dict[tuple[int, int, tuple[str, ...]], list[str]] = {}
        self._flows: dict[tuple[str, ...], tuple[int, str, list[str]]] = {}
        self._opened: set[tuple[str, ...]] = set()
        self.refused: list[str] = []

    def result(self) -> str:
        """Return the text with everything inserted: of blocks that end in one place the inner ones first."""
        for (at, _, _), lines in sorted(self._blocks.items(), key=lambda one: (one[0][0], -one[0][1])):
            if at == len(self._text) and not self._text.endswith("\n") and at not in self._inserts:
                self._inserts[at] = [self._newline]
            self._inserts.setdefault(at, []).extend(line + self._newline for line in lines)
        for place, (at, lead, shown) in self._flows.items():
            comma = ", " if at in self._inserts else lead
            self._inserts.setdefault(at, []).append(f"{comma}{place[-1]}: {{{', '.join(shown)}}}")
        self._blocks.clear()
        self._flows.clear()
        parts: list[str] = []
        before = 0
        for at in sorted(self._inserts):
            parts += [self._text[before:at], *self._inserts[at]]
            before = at
        return "".join([*parts, self._text[before:]])

    def keys(self, place: tuple[str, ...]) -> set[str]:
        """Return the keys of the map at a place."""
        _, node = self._find(place)
        return {str(key.value) for key, _ in node.value} if node is not None and node.id == "mapping" else set()

    def key_of(self, place: tuple[str, ...], path: Path) -> str | None:
        """Return the key of the rule of a path among the fields at a place."""
        _, fields = self._find(place)
        for key, value in fields.value if fields is not None and fields.id == "mapping" else ():
            own = parse_path(str(key.value))
            for inner_key, inner in value.value if value.id == "mapping" else ():
                if inner_key.value == "path":
                    own = (
                        tuple(str(one.value) for one in inner.value)
                        if inner.id == "sequence"
                        else parse_path(str(inner.value))
                    )
            if own == path:
                return str(key.value)
        return None

    def add(self, place: tuple[str, ...], lines: list[str], short: Callable[[], str]) -> bool:
        """Add an entry to the map at a place, which is made where it is not there.

        Args:
            place: Keys from the root.
            lines: The entry in block style.
            short: Gives it in flow style, without comments.

        Returns:
            Whether it was added; what cannot be is in `refused`.
        """
        why = self.refusal(place)
        if why is not None:
            self.refused.append(f"{why}: add `{short()}` by hand")
            return False
        key, node = self._find(place)
        if node is None or (node.id == "scalar" and not node.value):
            return self._open(place, key, lines, short)
        if node.flow_style:
            at = _end(node.value[-1][1], node.value[-1][0]) if node.value else node.end_mark.index - 1
            lead = ", " if node.value or at in self._inserts else ""
            self._inserts.setdefault(at, []).append(lead + short())
            return True
        self._block(self._line_end(_end(node, None)), node.value[0][0].start_mark.column, place, lines)
        return True

    def refusal(self, place: tuple[str, ...]) -> str | None:
        """Say why nothing can be added to the map at a place; None where it can, or where it can be made."""
        key, node = self._find(place)
        shown = ".".join(place)
        if node is not None and key is not None and node.start_mark.index < key.end_mark.index:
            return f"{shown} repeats what stands elsewhere (an alias)"
        if node is not None and node.id != "mapping" and node.value:
            return f"{shown} is no map"
        for length in (*range(len(place)), len(place)):
            _, outer = self._find(place[:length])
            for one, _ in outer.value if outer is not None and outer.id == "mapping" else ():
                within = length >= len(place) - 1 or length == 0 or one.value == place[length]
                if within and self._is_explicit(one):
                    named = shown_text(str(one.value))
                    return f"the key {named} around or beside {shown} is written with a question mark (`? key`)"
        return None

    def _is_explicit(self, key: Any) -> bool:
        """Tell whether a key does not stand on one line with its colon."""
        if key.style in {"|", ">"}:
            return True
        end = key.end_mark.index
        return not self._text[end : self._line_end(end)].lstrip(" \t").startswith(":")

    def _open(self, place: tuple[str, ...], key: Any, lines: list[str], short: Callable[[], str]) -> bool:
        """Make a map that is not there, or add to one that was just made."""
        outer_key, outer = self._find(place[:-1])
        if key is not None:  # the key stands there with nothing behind it
            indent = key.start_mark.column + len(_STEP)
            self._block(self._line_end(key.end_mark.index), indent, place, lines)
            return True
        if outer is None or outer.id != "mapping":
            if outer_key is None or (outer is not None and outer.value):
                self.refused.append(f"{'.'.join(place)} cannot be made: add `{short()}` by hand")
                return False
            column = outer_key.start_mark.column + len(_STEP)
            self._made(place, self._line_end(outer_key.end_mark.index), column, lines)
            return True
        if outer.flow_style:
            if place not in self._flows:
                at = _end(outer.value[-1][1], outer.value[-1][0]) if outer.value else outer.end_mark.index - 1
                self._flows[place] = (at, ", " if outer.value else "", [])
            self._flows[place][2].append(short())
            return True
        column = outer.value[0][0].start_mark.column
        before = next((one for one, _ in outer.value if one.value == "collections"), None) if len(place) == 1 else None
        at = self._line_end(_end(outer, None)) if before is None or place[0] != "enums" else self._line_start(before)
        self._made(place, at, column, lines)
        return True

    def _made(self, place: tuple[str, ...], at: int, column: int, lines: list[str]) -> None:
        """Add to a map that is made at `at`, with its key."""
        self._block(at, column, place, [*([] if place in self._opened else [f"{place[-1]}:"])])
        self._opened.add(place)
        self._block(at, column, place, [_STEP + line if line else "" for line in lines])

    def _block(self, at: int, column: int, place: tuple[str, ...], lines: list[str]) -> None:
        shown = (" " * column + line if line else "" for line in lines)
        self._blocks.setdefault((at, column, place), []).extend(shown)

    def _find(self, place: tuple[str, ...]) -> tuple[Any, Any]:
        """Return the key node and the value node at a place; None for what is not there."""
        key: Any = None
        node: Any = self._root
        for step in place:
            if node is None or node.id != "mapping":
                return None, None
            found = next(((one, value) for one, value in node.value if one.value == step), (None, None))
            key, node = found
        return key, node

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

    def _line_start(self, key: Any) -> int:
        return key.start_mark.index - key.start_mark.column


def _end(node: Any, key: Any) -> int:
    """Return the offset behind the last character of a node: block maps and lists end with their last value."""
    if node.id in {"mapping", "sequence"} and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1], last[0]) if node.id == "mapping" else _end(last, None)
    if node.id == "scalar" and not node.value and key is not None and node.style is None:
        return key.end_mark.index
    if node.id == "scalar" and node.style in {"|", ">"}:
        buffer = node.start_mark.buffer
        end = node.end_mark.index
        return end - 1 if buffer is None else len(buffer[:end].rstrip("\0").rstrip())
    return node.end_mark.index
