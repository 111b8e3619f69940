"""Reading primitives: a node, what it should be, and a problem when it is not.

Collects every problem with its line instead of stopping at the first, and remembers the line of each place of the
mapping, so that `check` can name lines too. Each method returns something usable even after a problem.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from isthmus.errors import Problem, Where
from isthmus.mapping.names import name_fault
from isthmus.mapping.reading.nodes import ListNode, MapNode, Node, ScalarNode

Place = tuple[str, ...]
"""Where something is in the mapping: keys from the root, list positions as digits."""

_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def show_place(place: Place) -> str | None:
    """Print a place: keys joined with dots, keys that hold a dot in quotes; None for the root."""
    if not place:
        return None
    return ".".join(f'"{part}"' if "." in part or not part else part for part in place)


def suggest(word: str, known: Iterable[str]) -> str:
    """Name the nearest of the known words, or all of them when none is near."""
    options = list(dict.fromkeys(known))
    if not options:
        return "There is none yet."
    by_folded = {option.lower(): option for option in options}
    close = difflib.get_close_matches(word.lower(), by_folded, 1, 0.6)
    if close:
        return f"Did you mean `{by_folded[close[0]]}`?"
    shown = ", ".join(f"`{option}`" for option in options[:20])
    return f"Known: {shown}{', …' if len(options) > 20 else ''}."


def shorten(text: str, limit: int = 80) -> str:
    """Cut text for a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class Reader:
    """Collects problems and lines while nodes are read.

    Attributes:
        file_name: As the user gave it.
        problems: In the order found.
        lines: Line of each place.
        broken: Places that had a problem; what stands there now is a stand-in.
        field_keys: Key in the file of each field, by the place of its `fields` and its number among the rules there.
    """

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.problems: list[Problem] = []
        self.lines: dict[Place, int] = {}
        self.broken: set[Place] = set()
        self.field_keys: dict[tuple[Place, int], str] = {}

    def key_of(self, place: Place, number: int) -> str:
        """The key under which a rule of the `fields` at this place stands, by its number among them."""
        return self.field_keys[place, number]

    def line(self, place: Place) -> int | None:
        """The line of a place, or of the nearest place around it that has one."""
        while place not in self.lines:
            if not place:
                return None
            place = place[:-1]
        return self.lines[place]

    def report(
        self, code: str, place: Place, message: str, hint: str | None = None, *, line: int | None = None
    ) -> None:
        """Add a problem; the line is the place's unless given."""
        self.broken.add(place)
        where = Where(file=self.file_name, line=line or self.line(place), path=show_place(place))
        self.problems.append(Problem(code, message, where, hint))

    def is_broken(self, place: Place) -> bool:
        """Whether a problem was reported at this place or inside it."""
        return any(other[: len(place)] == place for other in self.broken)

    def entries(self, node: Node, place: Place, what: str) -> list[tuple[str, Node]]:
        """Read a map whose keys the author chooses; keys are the text as written."""
        if isinstance(node, ScalarNode) and node.value is None:
            return []
        if not isinstance(node, MapNode):
            message = f"{what} must be a map, but this is {_describe(node)}."
            self.report("not-a-map", place, message, "Write {KEY: VALUE}, with as many keys as needed.", line=node.line)
            return []
        for key, _ in reversed(node.entries):
            self.lines[(*place, key.text)] = key.line
        found: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text in found:
                self._twice(key, place)
            found.setdefault(key.text, value)
        return list(found.items())

    def _twice(self, key: ScalarNode, place: Place) -> None:
        message = f"The key `{key.text}` was already given in line {self.lines[(*place, key.text)]}."
        self.report("duplicate-key", (*place, key.text), message, "Keep one of them.", line=key.line)

    def keys(self, node: Node, place: Place, what: str, known: Sequence[str]) -> dict[str, Node]:
        """Read a map whose keys the language defines; unknown ones are reported and left out."""
        found: dict[str, Node] = {}
        for key, value in self.entries(node, place, what):
            if key in known:
                found[key] = value
            else:
                self.report("unknown-key", (*place, key), f"{what} has no key `{shorten(key)}`.", suggest(key, known))
        return found

    def items(self, node: Node, place: Place, what: str) -> list[tuple[Place, Node]]:
        """Read a list; each item with its own place."""
        if not isinstance(node, ListNode):
            message = f"{what} must be a list, but this is {_describe(node)}."
            shown = f"[{shorten(node.text, 40)}]" if isinstance(node, ScalarNode) and node.text else "[A, B]"
            self.report("not-a-list", place, message, f"Write {shown}, in brackets.", line=node.line)
            return []
        places = [((*place, str(position)), item) for position, item in enumerate(node.items)]
        self.lines.update({item_place: item.line for item_place, item in places})
        return places

    def text(self, node: Node, place: Place, what: str, *, default: str = "", hint: str = "Write one text.") -> str:
        """Read a text; a word that YAML takes for a number, a truth value or null is reported."""
        if isinstance(node, ScalarNode):
            if isinstance(node.value, str):
                if node.value.strip():
                    return node.value
                self.report("empty-text", place, f"{what} is empty.", hint, line=node.line)
                return default
            if node.value is not None:
                message = f"{what} must be text, but YAML reads `{shorten(node.text)}` as {_describe(node)}."
                self.report("not-text", place, message, f'Write it in quotes: "{shorten(node.text)}".', line=node.line)
                return node.text
        message = f"{what} must be text, but this is {_describe(node)}."
        self.report("not-text", place, message, hint, line=node.line)
        return default

    def texts(self, node: Node, place: Place, what: str) -> tuple[str, ...]:
        """Read a list of texts."""
        return tuple(self.text(item, at, f"Each entry of {what}") for at, item in self.items(node, place, what))

    def name(self, node: Node, place: Place, what: str, *, default: str) -> str:
        """Read a PostgreSQL name."""
        name = self.text(node, place, what, default=default)
        self.check_name(name, place, what)
        return name

    def check_name(self, name: str, place: Place, what: str) -> None:
        """Report a name that PostgreSQL would refuse or cut."""
        fault = name_fault(name)
        if fault is not None and place not in self.broken:
            shown = f"{what} `{shorten(name)}`" if name else what
            hint = "Choose a shorter or plainer name." if name else "Give it a name."
            self.report("bad-name", place, f"{shown} {fault}.", hint)

    def flag(self, node: Node, place: Place, what: str) -> bool:
        """Read true or false."""
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        hint = "Write `true` or `false`."
        if isinstance(node, ScalarNode) and node.text.lower() in _YES_NO:
            hint = f"Write `{_YES_NO[node.text.lower()]}`; YAML 1.2 reads `{node.text}` as text."
        self.report(
            "not-a-flag", place, f"{what} must be true or false, but this is {_describe(node)}.", hint, line=node.line
        )
        return False

    def choice(self, node: Node, place: Place, what: str, options: Sequence[str], default: str) -> str:
        """Read one of several words; the word `null` may stand without quotes."""
        word = ""  # to which no option is near
        if isinstance(node, ScalarNode):
            word = "null" if node.value is None and "null" in options else node.text
            if word in options:
                return word
        shown = f"`{shorten(word)}`" if word else _describe(node)
        self.report("unknown-choice", place, f"{what} cannot be {shown}.", suggest(word, options), line=node.line)
        return default


def _describe(node: Node) -> str:
    """Name a node's kind for the end of a sentence."""
    if isinstance(node, MapNode):
        return "a map"
    if isinstance(node, ListNode):
        return "a list"
    if node.value is None:
        return "empty (YAML reads it as null)" if node.text in ("", "~") else "null"
    if isinstance(node.value, bool):
        return f"the truth value {str(node.value).lower()}"
    if isinstance(node.value, str):
        return f"the text `{shorten(node.value)}`"
    return f"the number {shorten(node.text)}"


describe = _describe
