"""Add to a mapping that a person keeps what a proposal has and it has not. Pure.

Text is inserted and nothing else is touched, so comments, forms and edits stay byte for byte. What the mapping names in
any way (carried, skipped, inside or around a rule) is decided already and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from isthmus.mapping.model import ChildField, Collection, ColumnField, FieldRule, Mapping
from isthmus.mapping.paths import show_path
from isthmus.survey.profile import Path
from isthmus.survey.propose.editor import Editor
from isthmus.survey.propose.proposal import Entry, Fields, Proposal, Rule
from isthmus.survey.propose.write import entry_lines, enum_lines, junction_lines, rule_key, rule_lines
from isthmus.survey.propose.yaml_text import flow

_MARK = "\ufeff"
_ROOT = ("collections", "ENTRY")
_ID = ("_id",)
_QUOTED = re.compile('"([^"]+)"')


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
    editor = Editor(text.removeprefix(_MARK))
    adder = _Adder(editor, updated, proposal)
    for entry in proposal.entries:
        if entry.fields is None and entry.skip is None:
            continue
        if not _is_named(mapping, entry.name):
            adder.add_entry(entry)
            continue
        kept = [mapping.collections[flow.entry] for flow in mapping.flows_of(entry.name)]
        if entry.fields is None or not kept:
            continue
        if len(kept) > 1 or len(kept[0].sources) > 1:
            updated.by_hand += _shared(entry.name, entry.fields, mapping)
        else:
            place = ("collections", mapping.flows_of(entry.name)[0].entry)
            adder.add_fields(entry.fields, kept[0], place, f"{entry.name}.")
    adder.add_named()
    updated.by_hand += editor.refused
    updated.text = (_MARK if text.startswith(_MARK) else "") + editor.result()
    return updated


def _shared(name: str, proposed: Fields, mapping: Mapping) -> Iterator[str]:
    """Name new fields of a collection whose entry nobody but a person can tell, or that is another one's, too."""
    entries = [flow.entry for flow in mapping.flows_of(name)]
    kept = [mapping.collections[entry].fields for entry in entries]
    fields = [*_new(proposed, kept, f"{name}.")]
    if not fields:
        return
    several = f"{name} is carried by the entries {', '.join(entries)}"
    one = f"{entries[0]} carries other collections beside {name}"
    why = several if len(entries) > 1 else one
    yield f"{why}, so that {', '.join(fields)} must be added by hand (isthmus map -o to another file shows their rules)"


def _new(proposed: Fields, kept: list[tuple[FieldRule, ...]], above: str) -> Iterator[str]:
    """Name the fields that no entry speaks of."""
    for rule in proposed.rules:
        same = [one for rules in kept for one in rules if isinstance(one, ChildField) and one.path == rule.path]
        if same and rule.child is not None:
            yield from _new(rule.child, [child.fields for child in same], f"{above}{show_path(rule.path)}[].")
        elif rule.path != _ID and not any(_touches(path, rule.path) for rules in kept for path in _all_paths(rules)):
            yield above + show_path(rule.path)


def stated_policies(text: str) -> frozenset[str]:
    """Return the policies that the text of a mapping states for the whole file."""
    return frozenset(Editor(text.removeprefix(_MARK)).keys(("policies",)))


def _is_named(mapping: Mapping, collection: str) -> bool:
    return collection in mapping.source_collections or mapping.why_skipped(collection) is not None


class _Adder:
    """Adds the entries and rules of a proposal, with the enums and junctions that they name.

    Args:
        editor: Of the file.
        updated: Takes what was added, and what was not.
        proposal: What they are of.
    """

    def __init__(self, editor: Editor, updated: Updated, proposal: Proposal) -> None:
        self._editor = editor
        self._updated = updated
        self._proposal = proposal
        self._used: list[Rule] = []

    def add_entry(self, entry: Entry) -> None:
        """Add a collection."""
        lines = [*entry_lines(entry)]
        if self._add(("collections",), lines, lambda: _entry_flow(entry), _rules(entry.fields)):
            self._updated.added.append(f"collection {entry.name}")

    def add_fields(self, proposed: Fields, kept: Collection | ChildField, place: tuple[str, ...], above: str) -> None:
        """Add the rules of fields that none of the kept ones speaks of; descend into child tables that both have."""
        paths = _all_paths(kept.fields)
        keys = {*self._editor.keys((*place, "fields")), *(show_path(rule.path) for rule in proposed.rules)}
        new: list[Rule] = []
        for rule in proposed.rules:
            same = next((one for one in kept.fields if isinstance(one, ChildField) and one.path == rule.path), None)
            if same is not None and rule.child is not None:
                key = self._editor.key_of((*place, "fields"), rule.path)
                if key is not None:
                    within = f"{above}{show_path(rule.path)}[]."
                    self.add_fields(rule.child, same, (*place, "fields", key), within)
                continue
            if (rule.path == _ID and len(place) == len(_ROOT)) or any(_touches(path, rule.path) for path in paths):
                continue
            lines = [*rule_lines(rule, keys)]
            if self._add(
                (*place, "fields"), lines, lambda rule=rule: _rule_flow(rule, keys), [rule, *_rules(rule.child)]
            ):
                new.append(rule)
                self._updated.added.append(f"field {above}{show_path(rule.path)}")
        self._updated.by_hand += _indexes_by_hand(proposed, kept, new, above.rstrip("."))

    def add_named(self) -> None:
        """Add the enums and junctions that new rules name."""
        enums, junctions = self._proposal.enums, self._proposal.junctions
        for name in sorted(_enums(self._used, self._proposal)):
            lines = [*enum_lines(self._proposal, {name})]
            self._editor.add(("enums",), lines, lambda n=name: f"{flow(n)}: {flow(enums[n].labels)}")
        for name in sorted(set(junctions) & _junctions(self._used)):
            lines = [*junction_lines(name, junctions[name])]
            self._editor.add(("junctions",), lines, lambda lines=lines: lines[-1])

    def _add(self, place: tuple[str, ...], lines: list[str], short: Callable[[], str], rules: list[Rule]) -> bool:
        """Add an entry or a rule, where what it names can be added, too."""
        names = [("enums",)] if _enums(rules, self._proposal) else []
        names += [("junctions",)] if _junctions(rules) else []
        for other in names:
            why = self._editor.refusal(other)
            if why is not None:
                self._editor.refused.append(f"{why}: add `{short()}` and what it names there by hand")
                return False
        if not self._editor.add(place, lines, short):
            return False
        self._used += rules
        return True


def _enums(rules: Iterable[Rule], proposal: Proposal) -> set[str]:
    return set(proposal.enums) & {str(rule.body.get("type", "")).removesuffix("!") for rule in rules}


def _junctions(rules: Iterable[Rule]) -> set[str]:
    return {str(rule.body["junction"]) for rule in rules if "junction" in rule.body}


def _indexes_by_hand(proposed: Fields, kept: Collection | ChildField, new: list[Rule], above: str) -> Iterator[str]:
    """Name indexes and the search of a table that is there, as far as they are of new fields."""
    added = {rule.column for rule in new}
    names = _names_there(proposed, kept, added)
    for index in proposed.indexes:
        columns = [str(one) for one in index.body["columns"]]
        if not added & set(columns):
            continue
        body = {**index.body, "columns": [names.get(one, one) for one in columns]}
        if "where" in body:
            body["where"] = _QUOTED.sub(lambda found: f'"{names.get(found[1], found[1])}"', str(body["where"]))
        yield f"{above} has an index over new fields in MongoDB: add `{flow(body)}` to its `indexes` by hand"
    searched = [str(one) for one in (proposed.search or {}).get("columns", ())]
    if added & set(searched):
        shown = flow([names.get(one, one) for one in searched])
        has = "add the new ones of" if kept.search is not None else "add"
        yield f"{above} has new fields that a search would find words in: {has} `search: {shown}` by hand"


def _names_there(proposed: Fields, kept: Collection | ChildField, added: set[str]) -> dict[str, str]:
    """Return the columns of a proposal by the names that the mapping has for them."""
    there = {rule.paths: rule.column for rule in kept.fields if isinstance(rule, ColumnField)}
    found = {
        rule.column: there[(rule.path,)]
        for rule in proposed.rules
        if (rule.path,) in there and rule.column not in added
    }
    return {**found, "id": kept.id.column} if isinstance(kept, Collection) else found


def _paths(rule: FieldRule) -> Iterator[Path]:
    found: Any = rule
    yield from (found.paths if hasattr(found, "paths") else (found.path,))


def _all_paths(rules: Iterable[FieldRule]) -> list[Path]:
    return [path for rule in rules for path in _paths(rule)]


def _touches(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _rules(fields: Fields | None) -> list[Rule]:
    if fields is None:
        return []
    return [one for rule in fields.rules for one in (rule, *_rules(rule.child))]


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
