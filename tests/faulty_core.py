"""Runs the command `isthmus` with faults planted in the core: what it then makes of documents is wrong.

`python -m tests.faulty_core FAULTS ARGUMENT…`: FAULTS is a JSON list, the arguments are those of `isthmus`.

A fault of a plan is
`[collection, changes]`, each change `[place, value]`: what stands at that place of the collection's plan is replaced.
A place is a list of keys; of a list of tables, columns or fields, a name or the last key of a path stands for an item.
A value that is an object with the key `of` is taken from that place of the plan as it was.

Whatever else the command does with a plan, it does with the right one: only what becomes rows, letters and sums is
wrong, and wrong in the same way when it copies and when it verifies.

A fault of a conversion is an object with `table`, `where` (a column and the text in it), `column`, and `change`, one of
`CHANGES` with what it needs, if anything: the value in that column of that row is another one in the rows that the core
gives for COPY. Only a copy takes these, so a verification goes through the right core.
"""

from __future__ import annotations

import copy
import json
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any

import isthmus._rust as core

_Transcoder = core.Transcoder
_PlanFault = tuple[str, list[tuple[list[str | int], Any]]]
_Row = dict[str, bytes | None]


def main() -> None:
    """Plant the faults, then be `isthmus`."""
    faults: list[Any] = json.loads(sys.argv[1])
    planned: list[_PlanFault] = [one for one in faults if not isinstance(one, dict)]
    converted: list[dict[str, Any]] = [one for one in faults if isinstance(one, dict)]

    def transcoder(plan: str, *arguments: Any, **options: Any) -> Any:
        right = _Transcoder(_changed(plan, planned), *arguments, **options)
        return _Faulty(right, plan, converted) if converted else right

    core.Transcoder = transcoder  # pyright: ignore[reportAttributeAccessIssue]
    from isthmus.cli.main import main as isthmus

    sys.argv = ["isthmus", *sys.argv[2:]]
    isthmus()


class _Faulty:
    """A transcoder whose batches hold faults."""

    def __init__(self, right: core.Transcoder, plan: str, faults: Sequence[dict[str, Any]]) -> None:
        self._right = right
        tables = [table for shape in json.loads(plan)["shapes"] for table in shape["tables"]]
        self._columns = [[column["name"] for column in table["columns"]] for table in tables]
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)

    def transcode(self, documents: Any) -> Any:
        """See `Transcoder`."""
        return _FaultyBatch(self._right.transcode(documents), self._columns, self._faults)


class _FaultyBatch:
    """A batch with faults in its rows; its books are those of the right one."""

    def __init__(self, right: core.Batch, columns: list[list[str]], faults: Sequence[dict[str, Any]]) -> None:
        self._right = right
        self._columns = columns
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)

    def copy_data(self, table: int) -> memoryview:
        """See `Batch`."""
        data = self._right.copy_data(table)
        faults = [one for one in self._faults if one["table"] == self._right.tables[table]]
        return memoryview(_with_faults(bytes(data), self._columns[table], faults)) if faults else data


def _with_faults(data: bytes, columns: list[str], faults: Sequence[dict[str, Any]]) -> bytes:
    made = bytearray()
    at = 0
    while at < len(data):
        row: _Row = {}
        at += 2
        for name in columns:
            (length,) = struct.unpack_from(">i", data, at)
            row[name] = None if length < 0 else data[at + 4 : at + 4 + length]
            at += 4 + max(length, 0)
        right = dict(row)
        for fault in faults:
            column, text = fault["where"]
            if right.get(column) == text.encode():
                change, *more = fault["change"]
                row[fault["column"]] = CHANGES[change](right, right[fault["column"]] or b"", *more)
        made += struct.pack(">h", len(columns))
        for value in row.values():
            made += struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
    return bytes(made)


def _added(value: bytes, amount: int, at: int = 0, end: int | None = None) -> bytes:
    """Add to the whole number that stands at a place of a value, both signs allowed."""
    part = value[at:end]
    number = int.from_bytes(part, "big", signed=True) + amount
    return value[:at] + number.to_bytes(len(part), "big", signed=True) + value[at + len(part) :]


def _elements(array: bytes) -> tuple[bytes, list[bytes]]:
    """Split an array of one dimension into its header and its elements, each with its length."""
    found: list[bytes] = []
    at = 20
    while at < len(array):
        (length,) = struct.unpack_from(">i", array, at)
        found.append(array[at : at + 4 + max(length, 0)])
        at += 4 + max(length, 0)
    return array[:20], found


def _reversed(array: bytes) -> bytes:
    header, elements = _elements(array)
    return header + b"".join(reversed(elements))


def _shortened(array: bytes) -> bytes:
    header, elements = _elements(array)
    return _added(header, -1, 12, 16) + b"".join(elements[:-1])


CHANGES: dict[str, Callable[..., bytes | None]] = {
    "add": lambda _, value, amount: _added(value, amount),
    "last bit": lambda _, value: value[:-1] + bytes([value[-1] ^ 1]),
    "bit": lambda _, value, at: value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :],
    "bytes swapped": lambda _, value: value[1::-1] + value[2:],
    # a numeric is: number of digits, weight, sign, scale, digits to the base 10,000; two bytes each
    "weight": lambda _, value: _added(value, 1, 2, 4),
    "sign": lambda _, value: value[:4] + bytes([value[4] ^ 0x40]) + value[5:],
    "scale": lambda _, value, amount: _added(value, amount, 6, 8),
    "digit": lambda _, value, amount: _added(value, amount, len(value) - 2),
    "text": lambda _, value, old, new: value.replace(old.encode(), new.encode(), 1),
    "null": lambda _, __: None,
    "value": lambda _, __, text: text.encode(),
    "order": lambda _, value: _reversed(value),
    "shorter": lambda _, value: _shortened(value),
    "of": lambda row, _, column: row[column],
}
"""How a value becomes another one, from the row, the value as COPY's binary form has it, and what else is given."""


def _changed(plan: str, faults: list[_PlanFault]) -> str:
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
