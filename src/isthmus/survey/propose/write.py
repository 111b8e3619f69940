"""A proposed mapping as YAML text, comments included. Pure; the same proposal gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from isthmus.mapping.paths import show_path
from isthmus.survey.propose.proposal import Entry, Fields, Index, Junction, Proposal, Rule
from isthmus.survey.propose.yaml_text import comment, flow, is_long, quoted, text

_TYPE = re.compile(r"[a-z][a-z0-9_]*(?:\[\])?!?")
_STEP = "  "


def write_mapping(proposal: Proposal) -> str:
    """Write a whole mapping."""
    lines = [comment(line) for line in proposal.header]
    lines += ["", "isthmus: 1", "ids: uuid"] if lines else ["isthmus: 1", "ids: uuid"]
    if proposal.policies:
        lines.append("policies:")
        for name, (word, why) in proposal.policies.items():
            lines += [f"{_STEP}{comment(why)}", f"{_STEP}{name}: {flow(word)}"]
    if proposal.enums:
        lines += ["", "enums:"]
        lines += [_STEP + line for line in enum_lines(proposal)]
    lines += ["", "collections:"]
    for number, entry in enumerate(proposal.entries):
        lines += ([""] if number else []) + [_STEP + line if line else "" for line in entry_lines(entry)]
    if proposal.junctions:
        lines += ["", "junctions:"]
        for name, junction in sorted(proposal.junctions.items()):
            lines += [_STEP + line for line in junction_lines(name, junction)]
    return "\n".join(lines) + "\n"


def enum_lines(proposal: Proposal, names: set[str] | None = None) -> Iterator[str]:
    """Write the entries of `enums`."""
    for name, enum in sorted(proposal.enums.items()):
        if names is None or name in names:
            yield from (comment(note) for note in enum.notes)
            yield f"{text(name)}: {flow(enum.labels)}"


def junction_lines(name: str, junction: Junction) -> Iterator[str]:
    """Write an entry of `junctions`."""
    yield from (comment(note) for note in junction.notes)
    yield f"{text(name)}: {flow({'columns': junction.columns, 'on_orphan': 'drop'})}"


def entry_lines(entry: Entry) -> Iterator[str]:
    """Write an entry of `collections`."""
    yield from (comment(note) for note in entry.notes)
    if entry.skip is not None:
        yield f"{text(entry.name)}: {flow({'skip': entry.skip})}"
    if entry.fields is None:
        return
    yield f"{text(entry.name)}:"
    for key, value in entry.head.items():
        yield f"{_STEP}{key}: {flow(value)}"
    yield from (_STEP + line for line in fields_lines(entry.fields))


def fields_lines(fields: Fields) -> Iterator[str]:
    """Write `fields`, `indexes` and `search` of a table."""
    if fields.rules:
        yield "fields:"
        keys = {show_path(rule.path) for rule in fields.rules}
        for rule in fields.rules:
            yield from (_STEP + line for line in rule_lines(rule, keys))
    else:
        yield "fields: {}"
    if fields.indexes:
        yield "indexes:"
        for index in fields.indexes:
            yield from (_STEP + line for line in _index_lines(index))
    if fields.search is not None:
        yield f"search: {flow(fields.search['columns'] if list(fields.search) == ['columns'] else fields.search)}"
    yield from (comment(note) for note in fields.notes)


def rule_lines(rule: Rule, keys: set[str]) -> Iterator[str]:
    """Write the rule of a field, block style for child tables, else on one line.

    Args:
        rule: It.
        keys: Keys of other rules; takes the name of a rule whose path is no good key.
    """
    yield from (comment(note) for note in rule.notes)
    key, body = rule_key(rule, keys)
    if rule.child is None:
        yield f"{key}: {_short(body)}"
        return
    yield f"{key}:"
    for name, value in body.items():
        yield f"{_STEP}{name}: {flow(value)}"
    yield from (_STEP + line for line in fields_lines(rule.child))


def rule_key(rule: Rule, keys: set[str]) -> tuple[str, dict[str, Any]]:
    """Return the key that a rule is written under, and the rest: a path that is no good key stands in `path`."""
    if rule.name is not None:
        return text(_free(rule.name, keys)), rule.body
    shown = show_path(rule.path)
    if all(rule.path) and not is_long(shown):
        return _key(shown), rule.body
    name = str(rule.body.get("column") or rule.body.get("child") or rule.body.get("junction") or "field")
    return text(_free(name, keys)), {"path": list(rule.path), **rule.body}


def _free(name: str, keys: set[str]) -> str:
    number, found = 2, name
    while found in keys:
        number, found = number + 1, f"{name}_{number}"
    keys.add(found)
    return found


def _key(shown: str) -> str:
    return shown if text(shown) == shown else quoted(shown)


def _short(body: dict[str, Any]) -> str:
    if list(body) == ["type"]:
        return body["type"] if _TYPE.fullmatch(str(body["type"])) else flow(body["type"])
    return flow(body)


def _index_lines(index: Index) -> Iterator[str]:
    yield from (comment(note) for note in index.notes)
    yield f"- {flow(index.body['columns'] if list(index.body) == ['columns'] else index.body)}"
