"""Turns what `make fuzz` printed into one JSON line a part, with the machine and versions that made it.

Run as `python -m tools.fuzz_results LOG RESULTS.jsonl`; appends to RESULTS. Only a run in which nothing fell gets here.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tools.soak_results import conditions

_PART = re.compile(r"isthmus: (?P<part>.+), (?P<seconds>\d+) s")
# What cargo-fuzz, the core's mutation tests and tools.fuzz_core say about how much they tried.
_TRIED = re.compile(
    r"stat::number_of_executed_units:\s*(?P<units>\d+)"
    r"|(?P<iterations>\d+) iterations of (?P<documents>\d+) documents"
    r"|isthmus: (?P<blocks>[\d,]+) blocks of damaged documents"
)


def results(log: str) -> list[dict[str, str | int]]:
    """Read one entry a part: its name, its seconds, and how much it tried (`units`, `iterations` or `blocks`)."""
    found: list[dict[str, str | int]] = []
    for line in log.splitlines():
        if tried := _TRIED.search(line):
            found[-1] |= {name: int(text.replace(",", "")) for name, text in tried.groupdict().items() if text}
        elif part := _PART.fullmatch(line):
            found.append({"part": part["part"], "seconds": int(part["seconds"])})
    return found


def main(log: str, target: str) -> int:
    """Append the lines and say where they are."""
    entries = results(Path(log).read_text(encoding="utf-8"))
    with Path(target).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(conditions("make fuzz") | entry) + "\n" for entry in entries)
    print(f"{len(entries)} results appended to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
