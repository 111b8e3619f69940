"""What the command line says while a source is opened, and of what lies in it.

The archive that lasts is a small file of many gzip members, each the same documents of zeros: gigabytes to inflate.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest

from tests.fix_archives import archive, write_archive
from tests.fix_dumps import compress, write_collection
from tests.fix_exports import write_export
from tests.integration.cli.conftest import COMMAND, run_command

MAPPING = "isthmus: 1\ncollections: {Users: {fields: {v: text}}}\n"


@pytest.fixture
def lasting(tmp_path: Path) -> Path:
    """Return an archive that takes many seconds to go through."""
    zeros = bson.encode({"_id": 1, "v": bytes(1 << 20)})
    whole = archive({"Users": [zeros]})
    begin = whole.index(zeros) + len(zeros)
    path = tmp_path / "shop.archive"
    member = compress(zeros * 16)
    with path.open("wb") as file:
        file.write(compress(whole[:begin]))
        for _ in range(2_000):
            file.write(member)
    assert path.stat().st_size < 64 << 20
    return path


@contextlib.contextmanager
def started(folder: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start the command; kill it if it is still there at the end."""
    command = [COMMAND, *map(str, arguments)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_opening_that_lasts_says_how_far_it_is_and_ends_at_once_when_it_is_stopped(
    tmp_path: Path, lasting: Path, number: signal.Signals
) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    target = tmp_path / "target"
    command = ["copy", "mapping.yaml", "-s", lasting, "-t", f"embedded:{target}"]
    if number == signal.SIGTERM:
        command = ["check", "mapping.yaml", "-s", lasting]
    with started(tmp_path, *command) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Going through shop.archive to see where its collections stand: "), line
        process.send_signal(number)
        stopped_at = time.monotonic()
        said = process.stderr.read()
        assert (process.wait(), time.monotonic() - stopped_at < 3) == (130, True)
    assert said.strip() == f"{number.name}: ending now. What was committed is kept; the same command may be run again."
    assert not target.exists()


def test_gridfs_bucket_is_named_by_check_whatever_the_source_is(tmp_path: Path) -> None:
    documents = {name: [bson.encode({"_id": 1})] for name in ("pix.files", "pix.chunks", "other.files")}
    for name, own in documents.items():
        write_collection(tmp_path / "dump", name, own)
        write_export(tmp_path / "json", name, own)
    write_archive(tmp_path / "shop.archive", archive(documents))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("isthmus: 1\ncollections: {pix.files: {}, pix.chunks: {}, other.files: {}}\n", encoding="utf-8")
    for source in ("dump", "json", "shop.archive"):
        done = run_command(tmp_path, "check", mapping, "-s", tmp_path / source)
        assert done.code == 0, done.all
        (note,) = [line for line in done.err.splitlines() if line.startswith("note (")]
        assert note.startswith(
            "note (gridfs): pix.files and pix.chunks are a GridFS bucket. They are carried like other"
        )
    mapping.write_text("isthmus: 1\ncollections: {other.files: {}}\n", encoding="utf-8")
    done = run_command(tmp_path, "check", mapping, "-s", tmp_path / "json")
    assert done.code == 2
    assert "pix.chunks" in done.err
    assert "GridFS" in done.err
