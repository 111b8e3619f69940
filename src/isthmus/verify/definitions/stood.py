"""Hold what hangs on tables that were there before against what hung on them when the copy began. Pure.

Keys, constraints, indexes, triggers, rules and policies; columns are for `existing` to look at. What came since is no
difference, nor is what is valid only now.

Blind spots: constraints of domains; what somebody changed before the copy began.
"""

from __future__ import annotations

import re
from collections import Counter

from isthmus.connect.definitions import Definition, Definitions
from isthmus.verify.definitions.compare import parts_of, said, word
from isthmus.verify.result import ColumnCheck, LayerResult

WORSE = {
    "validated": "is not validated: rows that are there were never held against it",
    "enforced": "is not enforced: a trigger of it is switched off",
    "index valid": "has an index that is not valid",
    "valid": "is not valid",
    "enabled": "is switched off",
}
"""Part that says yes or no → what is wrong where it says no."""
_INDEX_NAME = re.compile(r'^(CREATE (?:UNIQUE )?INDEX )("(?:[^"]|"")*"|\S+) ')


def check_standing(result: LayerResult, before: Definitions, now: Definitions) -> None:
    """Enter what is gone, changed, or valid no more; note what came, what was renamed, and what never was valid."""
    come = {place: one for place, one in now.items() if place not in before and one.kind not in {"table", "column"}}
    counts = Counter[str]()
    for place, was in before.items():
        if was.kind == "column" or ("table", was.table, was.table) not in now:
            continue  # who looks at the tables says that one is missing
        counts[was.table] += 1
        have = now.get(place)
        if have is None and (have := _renamed(was, come)) is not None:
            del come[have.place]
            result.notes.append(f"The {word(was.kind)} {was.name} of {was.table} is called {have.name} now.")
        if have is None:
            message = f"The {word(was.kind)} {was.name} is missing. It was there when the copy began."
            result.differs(was.table, was.name, message, expected=_told(was), actual=None)
        else:
            _compare(result, was, have)
    for table, count in counts.items():
        result.checked += count
        result.columns.append(ColumnCheck(table, "", count))
    for one in come.values():
        but = "".join(f"; it {why}" for part, why in WORSE.items() if one.parts.get(part) == "no")
        result.notes.append(f"New since the copy began: the {word(one.kind)} {one.name} of {one.table}{but}.")


def _compare(result: LayerResult, was: Definition, have: Definition) -> None:
    for part, why in WORSE.items():
        if have.parts.get(part) != "no":
            continue
        if was.parts.get(part) == "no":
            how = "validated" if part == "validated" else part
            result.notes.append(f"The {word(was.kind)} {was.name} of {was.table} was not {how} before the copy.")
        else:
            message = f"The {word(was.kind)} {have.name} {why}."
            result.differs(was.table, have.name, message, expected=f"{part}: yes", actual=f"{part}: no")
    if have.name != was.name:
        return
    changed = [part for part in parts_of(was) if part not in WORSE and have.parts.get(part, "") != was.parts[part]]
    if changed:
        message = f"The {word(was.kind)} {was.name} is not what it was when the copy began."
        result.differs(was.table, was.name, message, expected=said(was, changed), actual=said(have, changed))


def _renamed(was: Definition, come: Definitions) -> Definition | None:
    """Return what came that is the same under another name."""
    if "definition" not in was.parts:
        return None
    for one in come.values():
        if (one.kind, one.table) == (was.kind, was.table) and _nameless(one) == _nameless(was):
            return one
    return None


def _nameless(one: Definition) -> str:
    """Return a definition without the name of the index, which is the only one that says its own."""
    return _INDEX_NAME.sub(r"\1", one.parts["definition"]) if one.kind == "index" else one.parts["definition"]


def _told(one: Definition) -> str:
    return said(one, ["definition"] if "definition" in one.parts else parts_of(one))
