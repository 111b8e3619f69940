"""The files of state migrations: which are read, in which order, and which numbers are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import InternalError
from isthmus.state.migrate import read_migrations, state_migrations


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text(f"-- {name}", encoding="utf-8")
    return folder


def test_numbered_files_are_read_in_order_and_others_are_not(tmp_path: Path) -> None:
    found = read_migrations(write(tmp_path, "0002_b.sql", "0001_a.sql", "README.md", "0003_C.sql", "3_d.sql", "x.sql"))
    assert [(one.version, one.name, one.sql) for one in found] == [(1, "a", "-- 0001_a.sql"), (2, "b", "-- 0002_b.sql")]
    assert len({one.checksum for one in found}) == 2


@pytest.mark.parametrize(
    "names",
    [("0001_a.sql", "0003_c.sql"), ("0001_a.sql", "0001_b.sql"), ("0002_b.sql",), ("0000_z.sql", "0001_a.sql")],
    ids=["gap", "repetition", "no first", "zero"],
)
def test_numbers_with_a_gap_or_a_repetition_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InternalError) as caught:
        read_migrations(write(tmp_path, *names))
    assert caught.value.code == "migration-numbers"


def test_files_of_this_version_are_numbered_without_gaps() -> None:
    assert [one.version for one in state_migrations()] == list(range(1, len(state_migrations()) + 1))
