"""The memory of a copy does not grow with the documents: no id map, no collection, no junction is held.

The kernel itself says the peak (VmHWM). Blind spot: growth too small to be seen between these two sizes; a million
documents are measured in `bench/nextcrm.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from tests.apps.nextcrm.conftest import MAPPING
from tests.oracle.copying import url

ROOT = Path(__file__).parents[3]
FEW, MANY = 3_000, 24_000
MOST_GROWTH_BYTES = 3 << 20
"""Less than an id map of Python would take for the documents that are more: 21,000 at 200 bytes."""


def peak_bytes(dump: Path, database: str, notes: Path) -> int:
    """Copy in a process of its own, with little room for buffers; return the peak of its resident memory."""
    command = [sys.executable, "-m", "bench.observed", str(notes), "--", "copy", str(MAPPING), "--source", str(dump)]
    settings = {**os.environ, "DATABASE_URL": url(database)}
    ran = subprocess.run(
        [*command, "--workers", "1", "--memory", "8MiB"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 1, ran.stderr  # dead letters are planted in it
    return json.loads(notes.read_text(encoding="utf-8"))["high_water_bytes"]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_documents(make_deployed: Callable[[], str], tmp_path: Path) -> None:
    peaks: list[int] = []
    for documents in (FEW, MANY):
        dump = tmp_path / f"{documents}" / "nextcrm"
        generate(profile_of("busy", documents), 5, DumpFolder(dump))
        peaks.append(peak_bytes(dump, make_deployed(), tmp_path / "notes.json"))
    assert min(peaks) > 20 << 20
    assert peaks[1] - peaks[0] < MOST_GROWTH_BYTES, peaks
