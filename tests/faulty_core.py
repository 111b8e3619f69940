"""Runs the command `isthmus` with faults planted in the core's plans: what it then makes of documents is wrong.

`python -m tests.faulty_core FAULTS ARGUMENT…`: FAULTS is a JSON list, the arguments are those of `isthmus`. A fault is
`[collection, changes]`, each change `[place, value]`: what stands at that place of the collection's plan is replaced.
A place is a list of keys; of a list of tables, columns or fields, a name or the last key of a path stands for an item.
A value that is an object with the key `of` is taken from that place of the plan as it was.

Whatever else the command does with a plan, it does with the right one: only what becomes rows, letters and sums is
wrong, and wrong in the same way when it copies and when it verifies.
"""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import isthmus._rust as core

_Transcoder = core.Transcoder


def main() -> None:
    """Plant the faults, then be `isthmus`."""
    faults: list[tuple[str, list[tuple[list[str | int], Any]]]] = json.loads(sys.argv[1])

    def transcoder(plan: str, *arguments: Any, **options: Any) -> core.Transcoder:
        return _Transcoder(_changed(plan, faults), *arguments, **options)

    core.Transcoder = transcoder  # pyright: ignore[reportAttributeAccessIssue]
    from isthmus.cli.main import main as isthmus

    sys.argv = ["isthmus", *sys.argv[2:]]
    isthmus()


def _changed(plan: str, faults: list[tuple[str, list[tuple[list[str | int], Any]]]]) -> str:
    right = json.loads(plan)
    wrong = copy.deepcopy(right)
    found: list[tuple[Any, str | int, Any]] = []  # all places first, for a change may give a field another name
    for collection, changes in faults:
        for place, value in changes if collection == right["collection"] else ():
            holder = _at(wrong, place[:-1])
            taken = _at(right, value["of"]) if isinstance(value, dict) and "of" in value else value
            found.append((holder, _key(holder, place[-1]), taken))
    for holder, key, value in found:
        holder[key] = value
    return json.dumps(wrong)


def _at(plan: Any, place: list[str | int]) -> Any:
    for key in place:
        plan = plan[_key(plan, key)]
    return plan


def _key(holder: Any, key: str | int) -> str | int:
    """Return the key, or of a list the number of the item that has the name."""
    if isinstance(holder, dict) or isinstance(key, int):
        return key
    names = [one.get("name") or (one.get("path") or [None])[-1] for one in holder]
    return names.index(key)


if __name__ == "__main__":
    main()
