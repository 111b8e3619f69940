"""Turns the JUnit report of a soak run into one JSON line a test, with the machine and versions that made it.

Run as `python -m tools.soak_results REPORT.xml RESULTS.jsonl`; appends to RESULTS.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET


def conditions(command: str) -> dict[str, str | int | None]:
    """Name what a result of a command depends on: machine, system, versions, commit."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "isthmus": version("isthmus"),
        "commit": commit.stdout.strip() or None,
    }


def results(report: Path) -> list[dict[str, Any]]:
    """Read one entry a test from a JUnit report: name, outcome (passed, failed, skipped), seconds, what it recorded.

    What a test recorded is a value where it is written as JSON (numbers, lists), else text.
    """
    found: list[dict[str, Any]] = []
    # The report was written by pytest a moment ago, on this machine.
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314
        if not case.get("classname"):  # the one that an interruption cut short
            continue
        failed = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if failed else "skipped" if case.find("skipped") is not None else "passed"
        entry: dict[str, Any] = {
            "test": f"{case.get('classname', '')}::{case.get('name', '')}",
            "outcome": outcome,
            "seconds": round(float(case.get("time", "0")), 2),
        }
        for item in case.iter("property"):
            entry[item.get("name", "")] = _value(item.get("value", ""))
        found.append(entry)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def main(report: str, target: str) -> int:
    """Append the lines and say where they are."""
    base = conditions("make soak")
    lines = [json.dumps(base | entry) for entry in results(Path(report))]
    with Path(target).open("a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    print(f"{len(lines)} results appended to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
