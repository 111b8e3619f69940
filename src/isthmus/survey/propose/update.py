"""Add to a mapping that a person keeps what a proposal has and it has not. Pure.

Text is inserted and nothing else is touched, so comments, forms and edits stay byte for byte. What the mapping names in
any way (carried, skipped, inside or around a rule) is decided already and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from isthmus.mapping.model import ChildField, FieldRule, Mapping
from isthmus.mapping.paths import parse_path, show_path
from isthmus.survey.profile import Path
from isthmus.survey.propose.proposal import Entry, Fields, Proposal, Rule
from isthmus.survey.propose.write import entry_lines, enum_lines, junction_lines, rule_key, rule_lines
from isthmus.survey.propose.yaml_text import flow

_STEP = "  "
_MARK = "\ufeff"
_ROOT = ("collections", "ENTRY")


@dataclass
class Updated:
    """A mapping's text with what was added.

    Attributes:
        text: The whole file.
        added: What is new, for people.
        by_hand: What is new but must be added by hand, and why.
    """

    text: str
    added: list[str] = field(default_factory=list[str])
    by_hand: list[str] = field(default_factory=list[str])


def update_text(text: str, mapping: Mapping, proposal: Proposal) -> Updated:
    """Return the text of a mapping with new collections and fields.

    Args:
        text: The file.
        mapping: What it says.
        proposal: Made for this mapping (`propose(…, beside=mapping)`), so that no name stands twice.
    """
    updated = Updated(text)
    editor = _Editor(text.removeprefix(_MARK))
    used: list[Rule] = []
    for entry in proposal.entries:
        if entry.fields is None and entry.skip is None:
            continue
        if not _is_named(mapping, entry.name):
            editor.add(("collections",), [*entry_lines(entry)], lambda entry=entry: _entry_flow(entry))
            used += _rules(entry.fields)
            updated.added.append(f"collection {entry.name}")
            continue
        flows = mapping.flows_of(entry.name)
        if entry.fields is None or len(flows) != 1:
            continue
        kept = mapping.collections[flows[0].entry]
        place = ("collections", flows[0].entry)
        used += _add_fields(editor, updated, entry.fields, kept.fields, place, entry.name)
    _add_named(editor, proposal, used)
    updated.by_hand += editor.refused
    updated.text = (_MARK if text.startswith(_MARK) else "") + editor.result()
    return updated


def _is_named(mapping: Mapping, collection: str) -> bool:
    return collection in mapping.source_collections or mapping.why_skipped(collection) is not None


def _add_fields(
    editor: _Editor,
    updated: Updated,
    proposed: Fields,
    kept: tuple[FieldRule, ...],
    place: tuple[str, ...],
    name: str,
) -> list[Rule]:
    """Add the rules of fields that none of the kept ones speaks of; descend into child tables that both have."""
    used: list[Rule] = []
    paths = [path for rule in kept for path in _paths(rule)]
    keys = {*editor.keys((*place, "fields")), *(show_path(rule.path) for rule in proposed.rules)}
    for rule in proposed.rules:
        same = next((one for one in kept if isinstance(one, ChildField) and one.path == rule.path), None)
        if same is not None and rule.child is not None:
            key = editor.key_of((*place, "fields"), rule.path)
            if key is not None:
                used += _add_fields(editor, updated, rule.child, same.fields, (*place, "fields", key), name)
            continue
        if rule.path == ("_id",) and len(place) == len(_ROOT):
            continue
        if any(_touches(path, rule.path) for path in paths):
            continue
        if editor.add((*place, "fields"), [*rule_lines(rule, keys)], lambda rule=rule: _rule_flow(rule, keys)):
            used += [rule, *_rules(rule.child)]
            updated.added.append(f"field {name}.{'.'.join(rule.path)}")
    return used


def _paths(rule: FieldRule) -> Iterator[Path]:
    found: Any = rule
    yield from (found.paths if hasattr(found, "paths") else (found.path,))


def _touches(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _rules(fields: Fields | None) -> list[Rule]:
    if fields is None:
        return []
    return [one for rule in fields.rules for one in (rule, *_rules(rule.child))]


def _add_named(editor: _Editor, proposal: Proposal, used: Iterable[Rule]) -> None:
    """Add the enums and junctions that new rules name."""
    types = {str(rule.body.get("type", "")).removesuffix("!") for rule in used}
    junctions = {str(rule.body["junction"]) for rule in used if "junction" in rule.body}
    for name in sorted(set(proposal.enums) & types):
        labels = proposal.enums[name].labels
        editor.add(("enums",), [*enum_lines(proposal, {name})], lambda n=name, v=labels: f"{flow(n)}: {flow(v)}")
    for name in sorted(set(proposal.junctions) & junctions):
        junction = proposal.junctions[name]
        lines = [*junction_lines(name, junction)]
        editor.add(("junctions",), lines, lambda lines=lines: lines[-1])


def _entry_flow(entry: Entry) -> str:
    if entry.skip is not None:
        return f"{flow(entry.name)}: {flow({'skip': entry.skip})}"
    inner = [f"{key}: {flow(value)}" for key, value in entry.head.items()]
    return f"{flow(entry.name)}: {{{', '.join([*inner, *(_fields_flow(entry.fields) if entry.fields else ())])}}}"


def _fields_flow(fields: Fields) -> Iterator[str]:
    keys = {show_path(rule.path) for rule in fields.rules}
    yield f"fields: {{{', '.join(_rule_flow(rule, keys) for rule in fields.rules)}}}"
    if fields.indexes:
        yield f"indexes: {flow([index.body for index in fields.indexes])}"
    if fields.search is not None:
        yield f"search: {flow(fields.search)}"


def _rule_flow(rule: Rule, keys: set[str]) -> str:
    key, body = rule_key(rule, keys)
    if rule.child is None:
        return f"{key}: {flow(body['type'] if list(body) == ['type'] else body)}"
    inner = [f"{name}: {flow(value)}" for name, value in body.items()]
    return f"{key}: {{{', '.join([*inner, *_fields_flow(rule.child)])}}}"


class _Editor:
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
        key, node = self._find(place)
        if node is not None and key is not None and node.start_mark.index < key.end_mark.index:
            self.refused.append(f"{'.'.join(place)} repeats what stands elsewhere (an alias): add `{short()}` by hand")
            return False
        if node is None or (node.id == "scalar" and not node.value):
            return self._open(place, key, lines, short)
        if node.id != "mapping":
            self.refused.append(f"{'.'.join(place)} is no map: add `{short()}` by hand")
            return False
        if node.flow_style:
            at = _end(node.value[-1][1], node.value[-1][0]) if node.value else node.end_mark.index - 1
            lead = ", " if node.value or at in self._inserts else ""
            self._inserts.setdefault(at, []).append(lead + short())
            return True
        self._block(self._line_end(_end(node, None)), node.value[0][0].start_mark.column, place, lines)
        return True

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
