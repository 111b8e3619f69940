"""How much space a copy wants, and whether a folder is the server's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.transfer.beginning.space import runs_in, space_wanted


@pytest.mark.parametrize(
    ("source_bytes", "max_wal_bytes", "wanted"), [(0, 1000, 0), (100, 1000, 400), (10_000, 1000, 21_000), (10, 0, 20)]
)
def test_space_that_a_copy_wants_grows_with_the_source_and_counts_the_log_up_to_its_limit(
    source_bytes: int, max_wal_bytes: int, wanted: int
) -> None:
    assert space_wanted(source_bytes, max_wal_bytes) == wanted


@pytest.mark.parametrize(
    ("source_bytes", "max_wal_bytes", "wanted"), [(0, 1000, 0), (100, 1000, 800), (10_000, 1000, 41_000), (10, 0, 40)]
)
def test_rows_that_are_staged_want_their_space_twice(source_bytes: int, max_wal_bytes: int, wanted: int) -> None:
    assert space_wanted(source_bytes, max_wal_bytes, staged=True) == wanted


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("42\n/data\n1700000000\n5432\n", True),
        ("42\n/data\n1700000001\n5432\n", True),
        ("42\n/data\n1700000060\n5432\n", False),  # another server, in a folder of the same name
        ("42\n", False),
        ("", False),
        ("42\n/data\nsoon\n", False),
    ],
)
def test_folder_is_the_servers_own_only_if_a_server_started_there_at_the_same_time(
    tmp_path: Path, text: str, ours: bool
) -> None:
    (tmp_path / "postmaster.pid").write_text(text)
    assert runs_in(tmp_path, 1_700_000_000) is ours


def test_folder_without_a_server_or_that_cannot_be_read_is_not_the_servers_own(tmp_path: Path) -> None:
    assert not runs_in(tmp_path, 1_700_000_000)
    assert not runs_in(tmp_path / "nowhere", 1_700_000_000)
