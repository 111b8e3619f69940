"""What a figure depends on: the machine, the versions; and where result lines go."""

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

RESULTS = Path(__file__).parent / "results"

keep_results = True
"""Whether lines are appended to the results as well as printed."""


def conditions() -> dict[str, Any]:
    """Name machine, system, versions and commit."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "-m", "bench.run", *sys.argv[1:]]),
        "machine": {
            "cpu": _field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "load_average": [round(value, 1) for value in os.getloadavg()],
        },
        "versions": {
            "isthmus": version("isthmus"),
            "commit": _commit(),
            "python": platform.python_version(),
            "psycopg": version("psycopg"),
            "rust": _said("rustc", "--version"),
        },
    }


def write(suite: str, line: dict[str, Any]) -> None:
    """Print one result line and append it to the results of its suite."""
    text = json.dumps({"suite": suite, **line, **conditions()}, ensure_ascii=False)
    print(text, flush=True)
    if keep_results:
        RESULTS.mkdir(exist_ok=True)
        with (RESULTS / f"{suite}.jsonl").open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def say(sentence: str) -> None:
    """Tell a person how far it is, on standard error."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


def _field(file: Path, name: str) -> str | None:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)


def _commit() -> str | None:
    """Return the commit, with `-dirty` when a file differs from it that is no result."""
    commit = _said("git", "rev-parse", "--short", "HEAD")
    changed = _said("git", "status", "--porcelain", "--", ":/", ":(exclude,top)bench/results")
    return f"{commit}-dirty" if changed else commit


def _said(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None
