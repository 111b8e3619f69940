"""YAML text as a tree of nodes that remember their lines.

Decides what text is a mapping file at all: UTF-8, YAML 1.2, one document, no duplicate keys, no bombs. Plain words are
typed by the YAML 1.2 core schema whatever a `%YAML` directive says, so `no`, `on` and dates stay text; the text of
every plain word is kept, so a key is always what its author wrote. Leaves the meaning to `reader`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from isthmus.errors import Problem, Where

MAX_NODES = 200_000
"""Most nodes a file may have once its aliases are followed; an alias bomb has more."""
MAX_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 60

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset(
    _TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge", "timestamp", "value")
)

Value = str | int | float | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One word.

    Attributes:
        text: As written, without quotes.
        value: By the core schema; numbers with a point are Decimal, `.nan` and `.inf` float.
        line: From 1.
    """

    text: str
    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """A map; keys are unique, in the order of the file.

    A word and its quoted text (`1` and `"1"`) are two keys here; where keys are names, the reader refuses the second.
    """

    entries: tuple[tuple[ScalarNode, Node], ...]
    line: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    items: tuple[Node, ...]
    line: int


Node = ScalarNode | MapNode | ListNode


_Key = tuple[str, bool]


def _identity(key: ScalarNode) -> _Key:
    return key.text, isinstance(key.value, str)


class Unreadable(Exception):  # noqa: N818 - carries problems to the caller, never shown itself
    """The text is no YAML that can be read on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_nodes(data: bytes, file_name: str, problems: list[Problem]) -> Node | None:
    """Read YAML.

    Args:
        data: The whole file.
        file_name: For messages.
        problems: Receives what is wrong but lets reading go on (duplicate keys, foreign tags).

    Returns:
        The root; None for a file without content.

    Raises:
        Unreadable: Not UTF-8, not YAML, several documents, an alias bomb, or nested too deeply.
    """
    if len(data) > MAX_BYTES:
        raise _unreadable(file_name, 1, "file-too-large", f"The file has {len(data):,} bytes; {MAX_BYTES:,} are read.")
    text = _decode(data, file_name)
    if not text.strip():
        return None
    root = _compose(text, file_name)
    return None if root is None else _Builder(file_name, problems).build(root, 0)


def _unreadable(file_name: str, line: int | None, code: str, message: str, hint: str | None = None) -> Unreadable:
    return Unreadable(Problem(code, message, Where(file=file_name, line=line), hint))


def _decode(data: bytes, file_name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"byte 0x{data[error.start]:02x}"
        raise _unreadable(
            file_name, line, "not-utf8", f"The file is not UTF-8: {found} at offset {error.start}.", "Save it as UTF-8."
        ) from None


def _compose(text: str, file_name: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    loader = YAML(typ="safe", pure=True)
    try:
        return loader.compose(text)  # pyright: ignore[reportUnknownMemberType]
    except RecursionError:
        raise _unreadable(file_name, None, "yaml-depth", "The file is nested too deeply to be a mapping.") from None
    except MarkedYAMLError as error:
        raise _syntax_fault(text, file_name, cast("Any", error)) from None
    except (YAMLError, ValueError, OverflowError) as error:
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        reason = getattr(error, "reason", None)
        detail = (
            reason if isinstance(reason, str) else str(error).splitlines()[0] if str(error) else "it cannot be read"
        )
        raise _unreadable(file_name, line, "yaml-syntax", f"This is not YAML: {detail}.") from None


def _syntax_fault(text: str, file_name: str, error: Any) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    line: int | None = mark.line + 1 if mark is not None else None
    lines = text.splitlines()
    for number, content in enumerate(lines[: line or len(lines)], start=1):
        indent = content[: len(content) - len(content.lstrip())]
        if "\t" in indent or ("\\t" in str(error.problem) and number == line):
            return _unreadable(
                file_name,
                number,
                "yaml-tab",
                "A tab is used for indentation.",
                "YAML takes spaces only; use two a level.",
            )
    said = " ".join(str(part) for part in (error.context, error.problem) if part)
    hint = None
    if "mapping values are not allowed" in said:
        hint = "Put text that holds `: ` in quotes, and check the indentation."
    elif "alias" in said:
        hint = "An alias `*name` needs an anchor `&name` before it; put a text that begins with `*` in quotes."
    elif "expected <block end>" in said:
        hint = "Check the indentation: the keys of one map begin in the same column."
    elif "flow mapping" in said or "flow sequence" in said:
        hint = "A bracket that is opened before here is not closed, or a comma is missing."
    elif "expected a single document" in said:
        hint = "A mapping is one document; remove the `---` between them."
    elif line is not None and line <= len(lines) and re.match(r"\s*[^#]*[:\-]\s*[@`%|>!&*{\[]", lines[line - 1]):
        hint = "Put text that begins with a special character in quotes."
    return _unreadable(file_name, line, "yaml-syntax", f"This is not YAML: {said}.", hint)


class _Builder:
    """Turns ruamel's nodes into ours; follows aliases, counts, merges `<<`."""

    def __init__(self, file_name: str, problems: list[Problem]) -> None:
        self._file_name = file_name
        self._problems = problems
        self._count = 0
        self._open: set[int] = set()

    def build(self, node: Any, depth: int) -> Node:
        line: int = node.start_mark.line + 1
        self._count += 1
        if self._count > MAX_NODES:
            message = f"With its aliases followed the file has more than {MAX_NODES:,} values."
            raise _unreadable(self._file_name, line, "alias-bomb", message, "Use fewer aliases, or smaller anchors.")
        if depth > _MAX_DEPTH:
            raise _unreadable(self._file_name, line, "yaml-depth", "The file is nested too deeply to be a mapping.")
        if id(node) in self._open:
            raise _unreadable(self._file_name, line, "alias-loop", "An alias stands inside the value it repeats.")
        tag = str(node.tag)
        if tag not in _CORE_TAGS:
            self._report("yaml-tag", f"The tag `{tag.replace(_TAG, '!!')}` means nothing here.", line, "Remove it.")
        kind: str = node.id
        if kind == "scalar":
            return self._scalar(node, line)
        self._open.add(id(node))
        try:
            if kind == "sequence":
                return ListNode(tuple(self.build(item, depth + 1) for item in node.value), line)
            return self._map(node, line, depth)
        finally:
            self._open.discard(id(node))

    def _report(self, code: str, message: str, line: int, hint: str | None = None) -> None:
        self._problems.append(Problem(code, message, Where(file=self._file_name, line=line), hint))

    def _check_text(self, text: str, line: int) -> None:
        if "\0" in text:
            self._report("nul", "This text holds a NUL, which neither a key nor PostgreSQL can.", line, "Remove it.")
        elif not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            self._report(
                "not-unicode", "This text holds half of a surrogate pair.", line, "Write the character itself."
            )

    def _scalar(self, node: Any, line: int) -> ScalarNode:
        text = str(node.value)
        self._check_text(text, line)
        plain = node.style is None and node.tag != f"{_TAG}str"
        return ScalarNode(text, _resolve(text) if plain else text, line)

    def _map(self, node: Any, line: int, depth: int) -> MapNode:
        entries: dict[_Key, tuple[ScalarNode, Node]] = {}
        merged: dict[_Key, tuple[ScalarNode, Node]] = {}
        for key_node, value_node in node.value:
            key_line: int = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                self._report(
                    "yaml-key", "A key must be a single word or text.", key_line, "Use `path: [a, b]` for a path."
                )
                continue
            key = self._scalar(key_node, key_line)
            if key.text == "<<" and key_node.style is None:
                self._merge(value_node, merged, depth)
                continue
            first = entries.get(_identity(key))
            if first is not None:
                message = f"The key `{key.text}` was already given in line {first[0].line}."
                self._report("duplicate-key", message, key_line, "Keep one of them.")
                continue
            value = self.build(value_node, depth + 1)
            if isinstance(value, ScalarNode) and not value.text and value_node.style is None:
                value = replace(value, line=key_line)  # where nothing is written YAML marks what comes next
            entries[_identity(key)] = (key, value)
        combined = {**merged, **entries}
        return MapNode(tuple(combined.values()), line)

    def _merge(self, value_node: Any, merged: dict[_Key, tuple[ScalarNode, Node]], depth: int) -> None:
        value = self.build(value_node, depth + 1)
        for source in value.items if isinstance(value, ListNode) else (value,):
            if isinstance(source, MapNode):
                for key, node in source.entries:
                    merged.setdefault(_identity(key), (key, node))
            else:
                self._report("yaml-merge", "`<<` takes a map, or a list of maps.", source.line)


def _resolve(text: str) -> Value:
    """Type a plain word by the core schema (YAML 1.2.2, section 10.3.2)."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INTEGER.fullmatch(text) and len(text) <= 1000:
        base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
        return int(text, base)
    if _FLOAT.fullmatch(text) and len(text) <= 1000:
        try:
            return Decimal(text)
        except InvalidOperation:  # beyond every exponent, as some ObjectIds are
            return text
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text
