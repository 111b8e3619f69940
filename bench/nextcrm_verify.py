"""Suite nextcrm_verify: proving the copied CRM, by the checksum alone and by all layers, beside its copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.data import Data
from bench.load import observe
from bench.machine import say, write
from bench.nextcrm import Way, carry, database_of, ways
from bench.server import Server, server


def measure(data: Data, work: Path, workers: int) -> None:
    """Copy and verify once in each way; write a line for each. Every layer must pass."""
    with server() as on:
        for way in ways(work):
            with database_of(on, way) as (conninfo, _):
                copied, _ = carry(on, way, conninfo, data, work, workers)
                line: dict[str, Any] = {
                    "way": way.name,
                    "data": data.described(),
                    "streams": workers,
                    "postgres": {"version": on.version, "settings": on.settings or "defaults"},
                    "copy": {
                        "seconds": round(copied.whole.seconds, 3),
                        "cpu_seconds": round(copied.whole.cpu_seconds, 3),
                    },
                }
                for name, more in (("checksum", ["--layers", "checksum"]), ("all", [])):
                    line[name] = _verify(on, way, conninfo, data, work, workers, more)
                    line[f"{name}_to_copy"] = round(line[name]["seconds"] / copied.whole.seconds, 3)
                    say(f"{way.name}: copy {copied.whole.seconds:.1f} s, verify {name} {line[name]['seconds']:.1f} s")
            write("nextcrm_verify", line)


def _verify(
    on: Server, way: Way, conninfo: str, data: Data, work: Path, workers: int, more: list[str]
) -> dict[str, Any]:
    on.settle()
    before = on.cpu_seconds()
    where = ["--source", data.folder, "--target", conninfo, "--workers", str(workers)]
    report = work / "verify.json"
    arguments = ["verify", str(way.mapping), *where, "--json", str(report), *more]
    measured, _ = observe(arguments, work / "notes.json", "--server", str(on.pid), sample_memory=True)
    shown = json.loads(report.read_text(encoding="utf-8"))
    assert shown["outcome"] == "passed", shown["differences"]
    return {
        "seconds": round(measured.seconds, 3),
        "cpu_seconds": round(measured.cpu_seconds + on.cpu_seconds() - before, 3),
        "peak_mib": round((measured.peak_bytes or 0) / 2**20),
        "checked": {name: layer["checked"] for name, layer in shown["layers"].items()},
    }
