"""`isthmus survey`: what it prints, writes and returns, for sources that are whole, broken, live and odd.

Oracle: what the test itself put into the source.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId

from tests.fix_archives import archive, write_archive
from tests.fix_dumps import MakeDump
from tests.fix_mongo import MongoDatabase, WireServer, database_url
from tests.integration.cli.conftest import COMMAND, RunCommand

IDS = [ObjectId() for _ in range(40)]
USERS: list[dict[str, Any]] = [
    {"_id": one, "email": f"user{n}@example.com", "password": f"swordfish{n}", "role": ["admin", "member"][n % 2]}
    for n, one in enumerate(IDS)
]
POSTS: list[dict[str, Any]] = [
    {"_id": n, "author": IDS[n % 40] if n else ObjectId(), "title": f"Title {n}"} for n in range(100)
]
BOTH = {"users": USERS, "posts": POSTS}


def page_of_docs(name: str) -> str:
    """Return how a message names a page, which is there."""
    page = f"docs/how-to/{name}.md"
    assert (Path(__file__).parents[3] / page).is_file()
    return page


def survey_json(text: str) -> dict[str, Any]:
    return json.loads(text)


def test_survey_of_a_dump_tells_people_what_is_in_it(isthmus: RunCommand, make_dump: MakeDump) -> None:
    dump = make_dump(BOTH)
    ran = isthmus("survey", dump)
    assert ran.code == 0, ran.all
    assert "2 collections, 140 documents" in ran.out
    assert "all were read." in ran.out
    assert "→ users, 99 % found" in ran.out
    assert "has e-mail and secret fields (email, password): identity" in ran.out
    assert "admin (20), member (20)" in ran.out
    assert ran.err == f"→ isthmus map {dump} -o mapping.yaml proposes a mapping from it.\n"


def test_json_and_page_hold_the_survey_and_no_secret(isthmus: RunCommand, make_dump: MakeDump, tmp_path: Path) -> None:
    page, file = tmp_path / "page.html", tmp_path / "survey.json"
    ran = isthmus("survey", make_dump(BOTH), "--html", page, "--json", file)
    told = survey_json(file.read_text(encoding="utf-8"))
    assert (told["outcome"], told["exit_code"], told["format"]) == ("complete", 0, 1)
    assert told["advice"]["users"]["verdict"] == "relational"
    (reference,) = told["references"]
    assert (reference["collection"], reference["path"], reference["to"]["collection"]) == ("posts", ["author"], "users")
    assert (reference["values"], reference["hits"]) == (100, 99)
    assert all(one["exact"] for one in told["looked_in"])
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert html.count("<svg") == 1
    for text in (ran.all, html, file.read_text(encoding="utf-8")):
        assert "swordfish" not in text
    assert f"The page is in {page}." in ran.err
    assert f"--survey {file} -o mapping.yaml" in ran.err


def test_json_on_standard_output_leaves_it_to_programs(isthmus: RunCommand, make_dump: MakeDump) -> None:
    ran = isthmus("survey", make_dump(BOTH), "--json", "-")
    assert survey_json(ran.out)["collections"]["posts"]["profile"]["documents"] == 100
    assert "2 collections, 140 documents" in ran.err


def test_same_documents_from_dump_archive_and_server_give_the_same_profiles(
    isthmus: RunCommand, make_dump: MakeDump, mongo: MongoDatabase, tmp_path: Path
) -> None:
    mongo.write(BOTH)
    archived = write_archive(tmp_path / "shop.archive", archive(BOTH))
    told = [
        survey_json(isthmus("survey", source, "--json", "-").out) for source in (make_dump(BOTH), archived, mongo.url)
    ]
    first = {name: one["profile"]["root"] for name, one in told[0]["collections"].items()}
    for other in told[1:]:
        assert {name: one["profile"]["root"] for name, one in other["collections"].items()} == first
        assert other["references"] == told[0]["references"]


def test_source_defaults_to_the_environment(isthmus: RunCommand, make_dump: MakeDump) -> None:
    dump = make_dump(BOTH)
    assert isthmus("survey", env={"MONGODB_URI": str(dump)}).code == 0
    ran = isthmus("survey")
    assert ran.code == 2
    assert "SOURCE" in ran.err


def test_only_some_collections_are_read_when_asked(isthmus: RunCommand, make_dump: MakeDump) -> None:
    ran = isthmus("survey", make_dump(BOTH), "--only", "posts")
    assert ran.code == 0
    assert "1 collection, 100 documents" in ran.out
    assert "1 collection was not asked for (users): references to and from them are not seen." in ran.out


@pytest.mark.parametrize(
    ("name", "hint"), [("user", "Did you mean users?"), ("zzz", "It has posts, seen, users."), ("seen", "is a view")]
)
def test_collection_that_cannot_be_read_is_a_usage_error(
    isthmus: RunCommand, make_dump: MakeDump, name: str, hint: str
) -> None:
    seen = {"options": {"viewOn": "users", "pipeline": []}, "indexes": [], "type": "view"}
    dump = make_dump({**BOTH, "seen": None}, metadata={"seen": seen})
    ran = isthmus("survey", dump, "--only", name, "--json", "-")
    assert ran.code == 2, ran.all
    assert hint in ran.err
    assert survey_json(ran.out)["outcome"] == "failed"


def test_sample_reads_less_and_says_what_it_cannot_see(isthmus: RunCommand, make_dump: MakeDump) -> None:
    large = [{"_id": n, "text": "x" * 900} for n in range(9000)]
    ran = isthmus("survey", make_dump({"large": large}), "--sample", 100)
    assert ran.code == 0
    assert "a sample was read." in ran.out
    told = survey_json(isthmus("survey", make_dump({"large": large}), "--sample", 100, "--json", "-").out)
    read = told["collections"]["large"]["profile"]["documents"]
    assert told["sample"] == 100
    assert 100 <= read < 9000
    assert f"Only a sample was read of 1 collection (large: {read:,} documents)" in " ".join(ran.out.split())


def test_broken_dump_is_told_as_far_as_it_can_be_read(isthmus: RunCommand, make_dump: MakeDump, tmp_path: Path) -> None:
    dump = make_dump(BOTH)
    file = dump / "posts.bson"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    page = tmp_path / "page.html"
    ran = isthmus("survey", dump, "--html", page, "--json", tmp_path / "survey.json")
    assert ran.code == 3, ran.all
    assert "not all could be read." in ran.out
    last = len(whole) - len(bson.encode(POSTS[-1]))
    assert f"posts.bson breaks at byte {last:,}." in ran.out
    told = survey_json((tmp_path / "survey.json").read_text(encoding="utf-8"))
    assert (told["outcome"], told["exit_code"]) == ("incomplete", 3)
    assert told["collections"]["posts"]["profile"]["documents"] == 99
    assert told["collections"]["users"]["profile"]["documents"] == 40
    assert "and not all of the source could be read" in page.read_text(encoding="utf-8")
    assert "isthmus map" not in ran.err, "nothing should be proposed from a part"
    last_line = "→ Exit code 3: posts could not be read to its end. Make the dump anew, or repair it: {}."
    assert ran.err.splitlines()[-1] == last_line.format(page_of_docs("repair-a-broken-dump"))


def test_malformed_document_is_counted_apart_and_explains_the_exit_code(
    isthmus: RunCommand, make_dump: MakeDump, tmp_path: Path
) -> None:
    broken = bytearray(bson.encode({"_id": 7, "text": "abc"}))
    broken[-5] = 0xFF  # the text's last letter: a byte that no UTF-8 has is fine
    broken[4] = 0x7E  # no BSON type
    dump = make_dump({"posts": [*POSTS, bytes(broken)], "users": USERS})
    page = tmp_path / "page.html"
    ran = isthmus("survey", dump, "--html", page)
    assert ran.code == 1, ran.all
    first = ran.out.splitlines()[0]
    assert "2 collections, 140 documents" in first
    assert first.endswith("; 1 document is malformed and not counted.")
    assert [
        line.endswith("  1 malformed") for line in ran.out.splitlines() if line.startswith(("posts  ", "users  "))
    ] == [
        True,
        False,
    ]
    assert "and not counted; a copy makes a dead letter of it." in ran.out
    assert page.read_text(encoding="utf-8").count('<strong class="bad-text">1 malformed</strong>') == 1
    last = ran.err.splitlines()[-1]
    assert last.startswith(
        "→ Exit code 1: 1 document of posts is malformed and not counted. A copy keeps its bytes as a dead letter"
    )
    assert last.endswith(f"see {page_of_docs('read-dead-letters')}.")


def test_incomplete_dump_is_a_source_error(isthmus: RunCommand, make_dump: MakeDump) -> None:
    ran = isthmus("survey", make_dump({**BOTH, "gone": None}))
    assert ran.code == 3, ran.all
    assert "gone was left out: gone has metadata but no data file" in ran.out
    assert ran.err.splitlines()[-1].startswith("→ Exit code 3: gone could not be read at all. Make the dump anew")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_survey_that_is_stopped_ends_with_130_and_no_result(
    own_mongo: WireServer, tmp_path: Path, number: signal.Signals
) -> None:
    with own_mongo.client() as client:
        client["shop"]["users"].insert_many(USERS)
    command = [str(COMMAND), "survey", database_url(own_mongo.url, "shop"), "--json", "survey.json"]
    with (
        own_mongo.failing(["find", "getMore"], times=100_000, closeConnection=True),
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        try:
            said = ""
            while "Trying again for up to" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            time.sleep(0.5)
            process.send_signal(number)
            stopped_at = time.monotonic()
            out, rest = process.communicate(timeout=30)
            assert (process.returncode, time.monotonic() - stopped_at < 10) == (130, True), said + rest
        finally:
            process.kill()
    assert f"{number.name}: " in rest
    assert out == ""
    left = survey_json((tmp_path / "survey.json").read_text(encoding="utf-8"))
    assert (left["outcome"], left["exit_code"], "collections" in left) == ("interrupted", 130, False)


def test_hostile_names_reach_neither_terminal_nor_page_as_they_are(
    isthmus: RunCommand, make_dump: MakeDump, tmp_path: Path
) -> None:
    hostile = "<script>alert(1)<\x1b[31m"
    documents = [{"_id": n, "a\x1b]0;owned\x07": "\x1b[2J", "</table>": "<b>"} for n in range(20)]
    ran = isthmus("survey", make_dump({hostile: documents}), "--html", tmp_path / "page.html")
    assert ran.code == 0, ran.all
    assert "\x1b" not in ran.all
    assert "\x07" not in ran.all
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count("<script") == 1
    assert "\x1b" not in html


def test_metadata_that_cannot_be_read_is_told_and_the_rest_is_surveyed(
    isthmus: RunCommand, make_dump: MakeDump
) -> None:
    dump = make_dump(BOTH)
    (dump / "posts.metadata.json").write_text('{"options": {"cap')
    ran = isthmus("survey", dump, "--json", "-")
    told = survey_json(ran.out)
    assert ran.code == 3
    assert told["collections"]["posts"]["profile"]["documents"] == len(BOTH["posts"])
    assert "not readable metadata" in told["collections"]["posts"]["fault"]
    ran = isthmus("survey", dump)
    assert ran.code == 3
    assert "the metadata of posts could not be read, so its indexes are not known" in " ".join(ran.all.split())
    assert isthmus("map", dump, "-o", dump.parent / "m.yaml").code == 3
