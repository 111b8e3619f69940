"""Files and folders whose names are not UTF-8: what is kept of them and shown can be written down everywhere.

Bad input, and what it gets: the bytes that are no UTF-8 become U+FFFD in names of collections and databases, in the
name of the source and in places; two files that become one name so are refused (`ambiguous-collection`).
"""

from __future__ import annotations

import os
from pathlib import Path

import bson
import pytest

from isthmus.errors import SourceError
from isthmus.sources import Source, open_source
from tests.fix_archives import archive

ONE = bson.encode({"_id": 1})
FOREIGN = os.fsdecode(b"caf\xe9")


def written(tmp_path: Path, kind: str) -> Path:
    """Return a source in a place whose name is not UTF-8."""
    folder = tmp_path / FOREIGN
    folder.mkdir()
    if kind == "archive":
        path = folder / f"{FOREIGN}.archive"
        path.write_bytes(archive({"caf\ufffd": [{"_id": 1}]}))
        return path
    name, data = (f"{FOREIGN}.bson", ONE) if kind == "dump" else (f"{FOREIGN}.json", b'{"_id": 1}\n')
    (folder / name).write_bytes(data)
    return folder


def read(source: Source) -> bytes:
    return b"".join(
        block.data
        for info in source.collections()
        for partition in source.partitions(info.name, 1)
        for block in source.read(partition, after=None, until=None, max_bytes=100)
    )


@pytest.mark.parametrize("kind", ["dump", "json", "archive"])
def test_everything_that_is_kept_or_shown_is_text(tmp_path: Path, kind: str) -> None:
    source = open_source(str(written(tmp_path, kind)))
    (info,) = source.collections()
    assert info.name == "caf\ufffd"
    (partition,) = source.partitions(info.name, 1)
    place = source.locate(partition.start, 0, collection=info.name)
    assert "caf\ufffd" in place
    for text in (source.name, place, repr(source.identity()), str(source.identity().get("database"))):
        text.encode()
    assert read(source) == (ONE if kind != "json" else bson.encode({"_id": 1}))


@pytest.mark.parametrize("ending", [".bson", ".json"])
def test_two_files_that_become_one_name_are_refused(tmp_path: Path, ending: str) -> None:
    for raw in (b"caf\xe9", b"caf\xe8"):
        (tmp_path / f"{os.fsdecode(raw)}{ending}").write_bytes(ONE if ending == ".bson" else b'{"_id": 1}')
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path))
    assert caught.value.code == "ambiguous-collection"
