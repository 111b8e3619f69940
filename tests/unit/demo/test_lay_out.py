"""The sample is laid out as it was shipped, and never over a file that the reader changed."""

from __future__ import annotations

import filecmp
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.demo import DUMP, MAPPING
from isthmus.demo.lay_out import LaidOut, lay_out


def as_shipped(laid_out: LaidOut) -> bool:
    names = sorted(file.name for file in DUMP.iterdir())
    return (
        sorted(file.name for file in laid_out.dump.iterdir()) == names
        and filecmp.cmpfiles(DUMP, laid_out.dump, names, shallow=False)[0] == names
        and laid_out.mapping.read_bytes() == MAPPING.read_bytes()
    )


KILLED = """
import resource, signal, sys
from pathlib import Path
from isthmus.demo.lay_out import lay_out
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
lay_out(Path(sys.argv[1]))
"""


def lay_out_until_killed(folder: Path, most_bytes: int) -> None:
    """Lay out in a process that the kernel kills when a file grows beyond `most_bytes`."""
    done = subprocess.run([sys.executable, "-B", "-c", KILLED, folder, str(most_bytes)], check=False)
    assert done.returncode == -signal.SIGXFSZ


@pytest.mark.parametrize("most_bytes", [1, 100, 1_000, 4_000])
def test_killed_half_way_through_the_dump_leaves_nothing_that_looks_changed(tmp_path: Path, most_bytes: int) -> None:
    assert most_bytes < max(file.stat().st_size for file in DUMP.iterdir())
    lay_out_until_killed(tmp_path, most_bytes)
    assert [path for path in tmp_path.rglob("*") if path.is_file()], "it was killed before it wrote anything"
    laid_out = lay_out(tmp_path)
    assert laid_out == LaidOut(tmp_path / "dump" / "crm", tmp_path / "mapping.yaml", ())
    assert as_shipped(laid_out)


def test_killed_half_way_through_the_mapping_leaves_nothing_that_looks_changed(tmp_path: Path) -> None:
    first = lay_out(tmp_path)
    first.mapping.unlink()
    lay_out_until_killed(tmp_path, 1_000)
    assert lay_out(tmp_path) == first
    assert as_shipped(first)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump", "mapping.yaml"]


def test_sample_is_laid_out_once_and_repeating_changes_nothing(tmp_path: Path) -> None:
    first = lay_out(tmp_path)
    assert first == LaidOut(tmp_path / "dump" / "crm", tmp_path / "mapping.yaml", ())
    assert as_shipped(first)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert lay_out(tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_changed_mapping_stays_and_the_shipped_one_goes_beside_it(tmp_path: Path) -> None:
    mapping = lay_out(tmp_path).mapping
    mapping.write_text("isthmus: 1  # mine\n")
    second = lay_out(tmp_path)
    assert (second.mapping, second.kept) == (tmp_path / "mapping-2.yaml", (mapping,))
    assert as_shipped(second)
    second.mapping.write_text("isthmus: 1  # mine, too\n")
    third = lay_out(tmp_path)
    assert (third.mapping, third.kept) == (tmp_path / "mapping-3.yaml", (mapping, second.mapping))
    assert lay_out(tmp_path) == third
    assert mapping.read_text() == "isthmus: 1  # mine\n"
    assert second.mapping.read_text() == "isthmus: 1  # mine, too\n"


@pytest.mark.parametrize("change", ["cut", "added", "folder"])
def test_changed_dump_stays_and_the_shipped_one_goes_beside_it(tmp_path: Path, change: str) -> None:
    dump = lay_out(tmp_path).dump
    mine = dump / ("Tasks.bson" if change == "cut" else "Mine.bson")
    if change == "folder":
        mine.mkdir()
    else:
        mine.write_bytes(b"cut")
    second = lay_out(tmp_path)
    assert (second.dump, second.kept) == (tmp_path / "dump-2" / "crm", (dump,))
    assert as_shipped(second)
    assert mine.is_dir() if change == "folder" else mine.read_bytes() == b"cut"


def test_file_that_was_removed_from_the_dump_comes_back(tmp_path: Path) -> None:
    first = lay_out(tmp_path)
    (first.dump / "Tasks.bson").unlink()
    assert lay_out(tmp_path) == first
    assert as_shipped(first)
