"""A map of references: what the mapping says, what documents hold, what the target keeps.

Oracle: the application of `side_by_side`, and what the test wrote.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from isthmus.connect.postgres import connect
from isthmus.mapping import load_mapping
from isthmus.polyglot.reference_counts import fill_documents
from isthmus.polyglot.reference_map import reference_map
from isthmus.polyglot.reference_there import fill_rows
from isthmus.sources import open_source
from isthmus.sources.reading import Options
from isthmus.work.progress import Progress
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import run_command
from tests.integration.copy.carrying import oid
from tests.integration.polyglot.side_by_side import ARTICLES, Application, make_application


@pytest.fixture
def application(tmp_path: Path, database: str, mongo: MongoDatabase) -> Application:
    """Return an application whose users are copied; one note is rewritten by hand, one author is no id at all."""
    made = make_application(tmp_path / "app", database, mongo)
    made.carry("users")
    made.collection("notes").update_one({"_id": oid(21)}, {"$set": {"actor": made.id_of("Ann 1")}})
    made.collection(ARTICLES).update_one({"_id": oid(13)}, {"$set": {"authorId": "me"}})
    return made


def read_map(application: Application, *, source: bool = False, target: bool = False) -> dict[str, Any]:
    """Return the map as its JSON has it, made in this process."""
    mapping = load_mapping(application.folder / "mapping.yaml")
    told = reference_map(mapping)
    with ExitStack() as stack:
        connection = stack.enter_context(connect(application.target, autocommit=True)) if target else None
        if connection is not None:
            fill_rows(told, connection, "the target")
        if source:
            opened = stack.enter_context(closing(open_source(application.source)))
            fill_documents(told, mapping, opened, connection, Options(workers=1), Progress(), threading.Event())
    return json.loads(json.dumps(told.as_json()))


def test_mapping_alone_is_enough(application: Application) -> None:
    told = read_map(application)
    found = {(one["collection"], one["path"], *one["leads_to"], one["kept_in"]) for one in told["documents"]}
    assert found == {
        ("users", "following[]", "users.id", "follows.followed"),
        (ARTICLES, "authorId", "users.id", "Art'icles.author_id"),
        (ARTICLES, "co Authors[].userId", "users.id", "Art'icles.co Authors.[].userId"),
        (ARTICLES, "editors[]", "users.id", "Art'icles.editors"),
        ("notes", "object", "Art'icles.id", "notes.object"),
        ("notes", "actor", "users.id", "notes.actor_id"),
    }
    assert {(one["table"], one["column"], one["leads_to"], one["how"]) for one in told["rows"]} == {
        ("Art'icles", "author_id", "users.id", "column"),
        ("Art'icles", "co Authors.[].userId", "users.id", "jsonb"),
        ("Art'icles", "editors", "users.id", "array"),
        ("notes", "object", "Art'icles.id", "column"),
        ("notes", "actor_id", "users.id", "column"),
        ("follows", "follower", "users.id", "junction"),
        ("follows", "followed", "users.id", "junction"),
    }
    assert all(one["values"] is None and one["rewritten_by_isthmus"] is None for one in told["documents"])
    assert all(one["has_foreign_key"] is None for one in told["rows"])


@pytest.mark.parametrize("with_target", [False, True])
def test_values_are_counted_by_how_they_are_written(application: Application, with_target: bool) -> None:
    told = read_map(application, source=True, target=with_target)
    written = {(one["collection"], one["path"]): one["written"] for one in told["documents"]}
    assert written["notes", "actor"] == {"object_id": 1, "hex": 0, "rewritten": 1, "other": 0}
    assert written[ARTICLES, "authorId"] == {"object_id": 1, "hex": 1, "rewritten": 0, "other": 1}
    assert written["users", "following[]"] == {"object_id": 4, "hex": 1, "rewritten": 0, "other": 0}
    assert told["collections"] == {"users": 4, ARTICLES: 3, "notes": 2}


def test_only_the_target_tells_ids_from_texts_that_look_like_them(application: Application) -> None:
    application.collection("notes").update_one({"_id": oid(22)}, {"$set": {"actor": "cm0x1nobodymadethisid024"}})
    for target, rewritten in ((False, 2), (True, 1)):
        told = read_map(application, source=True, target=target)
        actor = next(one for one in told["documents"] if one["path"] == "actor")
        assert (actor["written"]["rewritten"], actor["written"]["other"]) == (rewritten, 2 - rewritten)


def test_target_says_what_it_keeps_and_what_was_carried(application: Application) -> None:
    application.sql(
        "CREATE TABLE badges (id text PRIMARY KEY, holder text CONSTRAINT held REFERENCES users ON DELETE SET NULL)"
    )
    told = read_map(application, target=True)
    keys = {(one["table"], one["column"]): (one["foreign_key"], one["on_delete"], one["how"]) for one in told["rows"]}
    assert keys["notes", "actor_id"] == ("notes_actor_id_fkey", None, "column")
    assert keys["Art'icles", "author_id"] == (None, None, "column")
    assert keys["badges", "holder"] == ("held", "set null", "key")
    tables = {one["table"]: (one["rows"], one["carried_by_run"], one["there"]) for one in told["tables"]}
    assert tables["users"] == (4, 1, True)
    assert tables["Art'icles"] == (0, None, True)
    application.sql('DROP TABLE "Art\'icles"')
    ran = application.run("refs", "map", "mapping.yaml", "-t", application.target)
    assert re.search(r'Art\'icles +art.icles "ü" +not there +not yet', ran.out), ran.out
    assert "foreign key, on delete set null" in ran.out


def test_after_refs_rewrite_map_audit_and_status_know_what_it_did(application: Application) -> None:
    ran = application.run(
        "refs", "rewrite", "mapping.yaml", "-s", application.source, "-t", application.target, "--to", "users", "--live"
    )
    assert ran.code == 1, ran.all  # what leads nowhere stays
    ran = application.run("refs", "map", "mapping.yaml", "-s", application.source, "-t", application.target)
    told, _, _ = ran.out.partition("Rows that refer to rows")
    lines = {line.split("  ")[0]: line.split()[-6:] for line in told.splitlines()}
    assert lines["users.following[]"] == ["5", "1", "–", "4", "–", "4"]
    assert lines["notes.actor"] == ["2", "–", "–", "2", "–", "1"]  # one was rewritten by hand
    assert lines["notes.object"] == ["2", "2", "–", "–", "–", "–"]  # articles are not carried
    found = application.look()
    assert found.in_documents[0].forms["id"] == 4
    assert {one.kind for place in found.in_documents for one in place.listed} == {"nowhere"}
    application.sql("DELETE FROM follows")
    application.sql("DELETE FROM users WHERE name = 'Cy 3'")
    gone = {
        (place.name, one.kind)
        for place in application.look().in_documents
        for one in place.listed
        if one.kind == "row-gone"
    }
    assert gone == {("users.following[]", "row-gone"), (f"{ARTICLES}.editors[]", "row-gone")}
    ran = application.run("status", "-t", application.target, "--decommission", "-s", application.source, "--json", "-")
    checks = {one["check"]: one["facts"] for one in json.loads(ran.out)["checks"]}
    users = checks["documents"]["users"]
    assert (users["rewritten"], users["changed"]) == (3, 0)
    assert f"{ARTICLES}.authorId" in checks["references"]  # of those that lead nowhere


def test_page_is_whole_and_shows_no_value(application: Application) -> None:
    ran = application.run(
        "refs", "map", "mapping.yaml", "-s", application.source, "-t", application.target, "--html", "map.html"
    )
    assert ran.code == 0, ran.all
    assert "The page is in map.html." in ran.err
    page = (application.folder / "map.html").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"http-equiv|postgresql://|http://www.w3.org/2000/svg", "", page)
    assert page.count('<g class="box') == 7  # three collections, four tables
    assert "art.icles &#34;ü&#34;" in page
    assert application.id_of("Ann 1") not in page
    assert str(oid(1)) not in page


def test_target_that_nothing_was_copied_to_is_no_error(tmp_path: Path, database: str, mongo: MongoDatabase) -> None:
    made = make_application(tmp_path / "app", database, mongo)
    told = read_map(made, source=True, target=True)
    assert "Nothing was copied to the target yet." in told["notes"]
    assert next(one for one in told["documents"] if one["path"] == "object")["written"]["object_id"] == 2


def test_what_is_wrong_is_said_also_in_the_files(tmp_path: Path, database: str) -> None:
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\ncollections: {a: {fields: {b: {references: nobody}}}}\n")
    ran = run_command(tmp_path, "refs", "map", "mapping.yaml", "--html", "map.html", "--json", "map.json")
    assert ran.code == 2
    assert "No map" in (tmp_path / "map.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "map.json").read_text())["outcome"] == "failed"
    (tmp_path / "mapping.yaml").write_text("isthmus: 1\ncollections: {a: {fields: {b: text}}}\n")
    ran = run_command(tmp_path, "refs", "map", "mapping.yaml", "-s", "nowhere")
    assert (ran.code, "no-such-source" in ran.err) == (3, True)
    ran = run_command(tmp_path, "refs", "map", "mapping.yaml", "-t", "postgresql://127.0.0.1:1/no")
    assert (ran.code, "unreachable" in ran.err) == (4, True)
    ran = run_command(tmp_path, "refs", "map", "mapping.yaml", "-t", database)
    assert ran.code == 0
    assert "The mapping names no reference." in ran.out
