"""What is said of a path that is no source: what was looked for, what stands nearby, each name once.

Oracle: the sentences as a person would want to read them.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import bson
import pytest

from isthmus.errors import IsthmusError
from isthmus.sources import open_source
from isthmus.sources.databases import listed, offered
from isthmus.sources.files import in_bytes
from isthmus.sources.shown import quoted
from tests.fix_archives import MAGIC, TERMINATOR, archive, write_archive
from tests.fix_dumps import MakeDump, compress

ONE = [{"_id": 1}]


def refused(path: Path, database: str | None = None) -> IsthmusError:
    with pytest.raises(IsthmusError) as caught:
        open_source(str(path), database=database)
    return caught.value


def assert_said_once(error: IsthmusError, path: Path) -> None:
    """Assert that an error as it is shown names its file, and names it once."""
    assert str(error).startswith(f"{path}: "), error
    assert str(path) not in error.message, error


def test_every_database_that_may_be_meant_is_offered(make_dump: MakeDump, tmp_path: Path) -> None:
    for name in ("local", "shop", "admin", "blog", "with space"):
        make_dump({"Users": ONE}, database=name)
    error = refused(tmp_path / "dump")
    assert error.hint == "Say which database is meant: --db blog, --db shop or --db 'with space'"
    assert "the databases admin, blog, local, shop, with space" in error.message
    assert_said_once(error, tmp_path / "dump")
    many = {(f"d{n}", "Users"): ONE for n in range(9)}
    error = refused(write_archive(tmp_path / "all.archive", archive(many)))
    assert str(error.hint).endswith("--db d0, --db d1, --db d2, --db d3, --db d4 or one of 4 more")
    assert_said_once(error, tmp_path / "all.archive")


def test_databases_in_words() -> None:
    assert (listed(["a"]), listed(["a", "b"])) == ("the database a", "the databases a, b")
    assert listed([f"d{n}" for n in range(12)]).endswith("d9 and 2 more")
    assert offered(["admin", "local"]) == "--db admin or --db local"
    assert offered(["a", "b", "c", "d", "e", "f", "local"]).endswith("--db e or another one")


def test_path_that_is_not_there_is_told_from_its_first_missing_part(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE})
    error = refused(tmp_path / "dmup" / "shop")
    assert error.code == "no-such-source"
    assert "There is no folder dmup in" in error.message
    assert error.hint == f"Did you mean {tmp_path / 'dump' / 'shop'}?"
    error = refused(tmp_path / "backup.gz")
    assert f"What can be read there: {tmp_path / 'dump'}." in str(error.hint)
    assert "mongodump" in str(error.hint)
    assert_said_once(error, tmp_path / "backup.gz")


def test_file_that_is_taken_for_a_folder_on_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "dump.tgz").write_bytes(b"x")
    error = refused(tmp_path / "dump.tgz" / "shop")
    assert (error.code, error.exit_code) == ("no-such-source", 3)
    assert "dump.tgz is a file, so nothing is in it" in error.message


def packed(kind: str) -> bytes:
    """Return a dump's file in a packed form that is not read."""
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as zipped:
            zipped.writestr("dump/shop/Users.bson", bson.encode({"_id": 1}))
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("dump/shop/Users.bson"), io.BytesIO())
    return compress(buffer.getvalue()) if kind == "tar.gz" else buffer.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_packed_dump_is_known_as_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"dump.{kind}"
    path.write_bytes(packed(kind))
    error = refused(path)
    assert error.code == "not-a-folder"
    assert "packed" in error.message
    assert "Unpack it" in str(error.hint)
    assert_said_once(error, path)


def test_file_that_is_nothing_known_is_told_with_what_was_looked_for(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE})
    write_archive(tmp_path / "shop.archive", archive({"Users": ONE}))
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    error = refused(path)
    assert error.code == "not-a-folder"
    for looked_for in ("an archive of mongodump", "JSON of mongoexport", "folder"):
        assert looked_for in error.message
    assert f"What can be read there: {tmp_path / 'dump'}, {tmp_path / 'shop.archive'}." in str(error.hint)
    assert_said_once(error, path)


@pytest.mark.parametrize("names", [300, 3])
def test_json_that_breaks_off_in_its_packed_form_is_still_known_as_json(tmp_path: Path, names: int) -> None:
    path = tmp_path / "Users.gz"
    path.write_bytes(compress(b'{"_id": 1, "names": [' + b'"x", ' * names)[:-9])
    error = refused(path)
    assert (error.code, "looks like JSON" in error.message) == ("json-name", True), error


def test_packed_file_that_breaks_off_before_its_first_byte_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "Users.gz"
    path.write_bytes(compress(b"{}")[:10])
    assert "breaks off at its very beginning" in refused(path).message


def test_csv_is_refused_with_the_form_that_keeps_types(tmp_path: Path) -> None:
    path = tmp_path / "Users.csv"
    path.write_text("_id,name\n1,x\n")
    error = refused(path)
    assert (error.code, "--type=json" in str(error.hint)) == ("not-a-folder", True)


def test_folder_without_a_source_names_the_sources_below_it(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE})
    error = refused(tmp_path)
    assert error.code == "empty-source"
    assert f"What can be read there: {tmp_path / 'dump'}." in str(error.hint)
    assert_said_once(error, tmp_path)


def test_folder_of_nothing_but_empty_collections_is_named_once(make_dump: MakeDump) -> None:
    folder = make_dump({"Users": []})
    assert_said_once(refused(folder), folder)


def test_wrong_database_is_named_with_those_that_are_there(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE})
    error = refused(tmp_path / "dump", "quite-another")
    assert "the database shop" in error.message
    assert error.hint == "Say which database is meant: --db shop"
    assert_said_once(error, tmp_path / "dump")


def test_database_that_was_probably_meant_is_written_as_a_shell_takes_it(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE}, database="my shop; ls")
    assert refused(tmp_path / "dump", "my shop, ls").hint == "Did you mean --db 'my shop; ls'?"


RED, BACKWARDS = "\x1b[31m", "\u202e"


def test_names_of_others_send_no_control_characters_to_a_terminal(make_dump: MakeDump, tmp_path: Path) -> None:
    make_dump({"Users": ONE}, database=f"a{RED}b'c\\")
    make_dump({"Users": ONE}, database=f"{BACKWARDS}pohs")
    write_archive(tmp_path / f"{RED}.archive", archive({"Users": ONE}))
    (tmp_path / f"{RED}notes.txt").write_text("hello")
    for path, database in (
        (tmp_path, None),
        (tmp_path / "dump", None),
        (tmp_path / "dump", "pohs"),
        (tmp_path / "dump", "nothing like it"),
        (tmp_path / f"{RED}notes.txt", None),
        (tmp_path / f"{RED}archive", None),
    ):
        error = refused(path, database)
        said = f"{error} {error.hint}"
        assert said.isprintable(), said
    assert f"{tmp_path}/\\x1b[31m.archive" in str(refused(tmp_path).hint)
    (tmp_path / "dump" / f"{BACKWARDS}pohs" / f"{RED}.metadata.json").write_text("{")
    said = str(refused(tmp_path / "dump", f"{BACKWARDS}pohs"))
    assert (said.isprintable(), "metadata.json is not readable" in said) == (True, True), said
    source = open_source(str(tmp_path / f"{RED}.archive"))
    assert source.name.isprintable(), source.name


def test_option_for_a_name_with_control_characters_gives_a_shell_that_name() -> None:
    for name in (
        "plain",
        "with space",
        f"a{RED}b'c\\",
        f"{BACKWARDS}é\n1",
        "\x9b1",
        os.fsdecode(b"caf\xe9"),
        "$(x)`y`",
    ):
        written = quoted(name)
        assert written.isprintable()
        said = subprocess.run(["bash", "-c", f"printf %s {written}"], capture_output=True, check=True).stdout
        assert said == os.fsencode(name), written


def test_sizes_and_texts_are_said_as_a_person_would(tmp_path: Path) -> None:
    assert (in_bytes(1), in_bytes(0), in_bytes(2_000)) == ("1 byte", "0 bytes", "2,000 bytes")
    described = bson.encode({"db": 5, "collection": "Users", "metadata": "{}", "size": 0, "type": "collection"})
    prelude = bson.encode({"concurrent_collections": 1, "version": "0.1", "server_version": "7", "tool_version": "1"})
    path = tmp_path / "odd.archive"
    path.write_bytes(MAGIC + prelude + described + TERMINATOR)
    assert "it holds no text as db, but 5" in refused(path).message
