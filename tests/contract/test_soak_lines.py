"""What a soak test records of itself stands in its result line: which stage, how often hit, at which instants.

Oracle: the values a small test records, passed through pytest's report as `make soak` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.soak_results import results

RECORDING = """
import json

def test_kills(record_property):
    record_property("stage", "copy.before-commit")
    record_property("times_hit", 3)
    record_property("hits", [1, 2])
    record_property("kills", json.dumps([{"seconds": 0.25, "stage": "copy.rows-sent"}]))

def test_fails(record_property):
    record_property("times_hit", 1)
    assert not "as it should"
"""


def test_lines_carry_what_tests_record_as_values(tmp_path: Path) -> None:
    (tmp_path / "test_recording.py").write_text(RECORDING, encoding="ascii")
    report = tmp_path / "soak.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-o", "junit_family=xunit1"]
    subprocess.run(
        [*command, "--rootdir", str(tmp_path), f"--junitxml={report}", str(tmp_path / "test_recording.py")],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        check=False,
    )
    kills, fails = results(report)
    assert kills.pop("seconds") >= 0
    assert kills == {
        "test": "test_recording::test_kills",
        "outcome": "passed",
        "stage": "copy.before-commit",
        "times_hit": 3,
        "hits": [1, 2],
        "kills": [{"seconds": 0.25, "stage": "copy.rows-sent"}],
    }
    assert (fails["outcome"], fails["times_hit"]) == ("failed", 1)
