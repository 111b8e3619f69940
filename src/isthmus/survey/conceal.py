"""Take the values of fields that look like secrets out of a survey, before anything of it is shown or written. Pure.

What remains says how such values are made (types, lengths, how many), never what one of them is: distinct values,
hashes, examples and keys that are data go, and ranges are widened until no end of them is a value. Keys inside of a
secret document that look like secrets themselves are counted together, as the core does with keys that are data.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, cast

from isthmus.sources.protocol import CollectionInfo
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.profile import ANY_KEY, ELEMENT, Path, read_profile
from isthmus.survey.reference import Reference
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.work.hidden import HIDDEN

_CONDITIONS = frozenset({"partialFilterExpression", "validator"})
"""Parts of indexes and options in which fields are compared with values."""
_INT32 = 2**31
_INT64 = 2**63
_YEAR_MS = 365 * 86_400_000
_KEY_OF_DATA = re.compile(r"(?=.*[0-9])[^\s]{8,}", re.DOTALL)
"""Keys inside of a secret that may be secrets: long, with a digit."""


def conceal(survey: Survey) -> Survey:
    """Return a survey without the values of fields that look like secrets. Safe to repeat."""
    return replace(
        survey,
        collections={name: _collection(one) for name, one in survey.collections.items()},
        references=tuple(_reference(one) for one in survey.references),
    )


def _reference(one: Reference) -> Reference:
    path = tuple(
        ANY_KEY if is_sensitive(one.path[:n]) and _KEY_OF_DATA.fullmatch(step) else step
        for n, step in enumerate(one.path)
    )
    if path != one.path or (one.examples and (is_sensitive(one.path) or is_sensitive(one.to.path))):
        return replace(one, path=path, examples=())
    return one


def _collection(one: Surveyed) -> Surveyed:
    return _profile(replace(one, info=_info(one.info)))


def _info(info: CollectionInfo) -> CollectionInfo:
    """Hide what indexes and options compare secret fields with: conditions of partial indexes, validators."""
    return replace(
        info,
        indexes=tuple(_without_literals(index) for index in info.indexes),
        options=_without_literals(info.options),
    )


def _without_literals(stated: dict[str, object]) -> dict[str, object]:
    return {key: _literals(value, secret=False) if key in _CONDITIONS else value for key, value in stated.items()}


def _literals(value: object, *, secret: bool) -> object:
    """Hide the values that stand below the name of a secret field, at any depth."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        return {
            key: _literals(inner, secret=secret or is_sensitive(tuple(key.split(".")))) for key, inner in found.items()
        }
    if isinstance(value, list):
        return [_literals(item, secret=secret) for item in cast("list[object]", value)]
    return HIDDEN if secret else value


def _profile(one: Surveyed) -> Surveyed:
    found = json.loads(one.text)
    if not _hide_below(found["root"], ()) | _hide_odd_keys(found):
        return one
    text = json.dumps(found, ensure_ascii=False)
    return replace(one, text=text, profile=read_profile(text))


def _hide_below(node: dict[str, Any], path: Path) -> bool:
    """Hide what is secret at a node and below it; tell whether anything was."""
    changed = False
    if is_sensitive(path):
        _hide(node)
        changed = True
    for key, child in node.get("fields", {}).items():
        changed |= _hide_below(child, (*path, key))
    if "elements" in node:
        changed |= _hide_below(node["elements"], (*path, ELEMENT))
    if "collapsed" in node:
        changed |= _hide_below(node["collapsed"]["node"], (*path, ANY_KEY))
    return changed


def _hide(node: dict[str, Any]) -> None:
    node.pop("values", None)
    node.pop("sketch", None)
    if "integer" in node:
        low, high = node["integer"]["range"]
        limit = _INT32 if low >= -_INT32 and high < _INT32 else _INT64
        node["integer"]["range"] = [-limit, limit - 1]
    for kind in ("double", "decimal"):
        node.get(kind, {}).pop("range", None)
    if "date" in node:
        low, high = node["date"]["range"]
        node["date"]["range"] = [low // _YEAR_MS * _YEAR_MS, -(-high // _YEAR_MS) * _YEAR_MS]
    if any(_KEY_OF_DATA.fullmatch(key) for key in node.get("fields", {})):
        _collapse(node)
    if "collapsed" in node:
        node["collapsed"]["examples"] = []


def _collapse(node: dict[str, Any]) -> None:
    """Count what stands under the keys of a document together: how much of which type."""
    children: list[dict[str, Any]] = list(node.pop("fields").values())
    types: dict[str, int] = {}
    for child in children:
        for kind, count in child.get("types", {}).items():
            types[kind] = types.get(kind, 0) + count
    together = {name: sum(child.get(name, 0) for child in children) for name in ("present", "with")}
    inner = {**together, "parents": together["with"], "types": types}
    node["collapsed"] = {"keys": len(children), "examples": [], "look": "mixed", "node": inner}


def _hide_odd_keys(found: dict[str, Any]) -> bool:
    """Shorten the paths of odd keys that stand inside of a secret: a key there may be one itself."""
    changed = False
    for paths in found.get("odd_keys", {}).values():
        for one in paths:
            steps = re.findall(r"(?:\\.|[^.\\])+", one[0], re.DOTALL)
            above = next((n for n in range(1, len(steps)) if is_sensitive(steps[:n])), None)
            if above is not None and steps[above:] != [HIDDEN]:
                one[0] = ".".join([*steps[:above], HIDDEN])
                changed = True
    return changed
