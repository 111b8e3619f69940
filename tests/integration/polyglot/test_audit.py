"""References that lead nowhere are found in documents and in rows, and nothing else is called dangling.

Oracle: the documents and rows planted, stated in each test; `side_by_side` says who exists.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import Binary, DBRef, Int64
from psycopg.conninfo import make_conninfo

from isthmus.mapping import load_mapping
from isthmus.polyglot import audit_spool
from isthmus.polyglot.audit import audit_references
from isthmus.polyglot.audit_result import Audit, Place
from isthmus.sources import open_source
from isthmus.work.interrupted import Interrupted
from tests.fix_dumps import MakeDump, write_collection
from tests.fix_mongo import MongoDatabase
from tests.integration.copy.carrying import oid
from tests.integration.copy.pooler import pooling
from tests.integration.polyglot.side_by_side import (
    ARTICLES,
    GONE,
    MAPPING,
    SCHEMA,
    Application,
    documents,
    make_application,
)

NOBODY = "cm0x1nobodymadethisid024"
"""A text in the shape of an id that no row ever had."""


@pytest.fixture
def application(tmp_path: Path, database: str, mongo: MongoDatabase) -> Application:
    """Return an application whose users are copied."""
    made = make_application(tmp_path / "app", database, mongo)
    made.carry("users")
    return made


def counts(places: list[Place]) -> dict[str, tuple[int | None, int, int, int, int]]:
    """Return place → values, those of rows, of documents, known ones, new ones."""
    return {one.name: (one.values, one.to_rows, one.to_documents, one.known, one.new) for one in places}


def dangling(found: Audit) -> set[tuple[str, str, str, str]]:
    """Return place, holder, value and kind of everything that dangles and no ledger knows."""
    return {
        (place.name, one.holder, one.value, one.kind)
        for place in (*found.in_documents, *found.in_rows)
        for one in place.listed
        if not one.known
    }


def test_references_to_rows_to_documents_and_to_nothing_are_told_apart(application: Application) -> None:
    found = application.look()
    assert counts(found.in_documents) == {
        "users.following[]": (5, 4, 0, 1, 0),
        f"{ARTICLES}.authorId": (3, 2, 0, 0, 1),
        f"{ARTICLES}.co Authors[].userId": (3, 2, 0, 0, 1),
        f"{ARTICLES}.editors[]": (3, 2, 0, 0, 1),
        "notes.object": (2, 0, 2, 0, 0),
        "notes.actor": (2, 2, 0, 0, 0),
    }
    assert counts(found.in_rows)["follows.followed"] == (4, 4, 0, 0, 0)
    assert dangling(found) == {
        (f"{ARTICLES}.authorId", str(oid(13)), str(GONE), "nowhere"),
        (f"{ARTICLES}.co Authors[].userId", str(oid(13)), str(oid(98)), "nowhere"),
        (f"{ARTICLES}.editors[]", str(oid(12)), str(GONE), "nowhere"),
    }
    author = next(one for one in found.in_documents if one.name == f"{ARTICLES}.authorId")
    assert (author.documents, dict(author.forms)) == (3, {"object_id": 2, "hex": 1})


def test_id_of_a_row_that_is_gone_is_told_from_a_text_that_never_was_one(application: Application) -> None:
    ids = {number: application.id_of(name) for number, name in ((1, "Ann 1"), (4, "Di 4"))}
    notes, articles = application.collection("notes"), application.collection(ARTICLES)
    notes.update_one({"_id": oid(21)}, {"$set": {"actor": ids[1]}})
    notes.update_one({"_id": oid(22)}, {"$set": {"actor": ids[4]}})
    articles.update_one({"_id": oid(11)}, {"$set": {"co Authors": [{"userId": NOBODY}, {"userId": ids[4]}]}})
    application.sql("DELETE FROM users WHERE id = %s", [ids[4]])
    found = application.look()
    assert {one for one in dangling(found) if one[0] == "notes.actor"} == {
        ("notes.actor", str(oid(22)), ids[4], "row-gone")
    }
    authors = {one[2:] for one in dangling(found) if one[:2] == (f"{ARTICLES}.co Authors[].userId", str(oid(11)))}
    assert authors == {(NOBODY, "nowhere"), (ids[4], "row-gone")}
    actor = next(one for one in found.in_documents if one.name == "notes.actor")
    assert (actor.to_rows, dict(actor.forms)) == (1, {"id": 2})


def test_references_of_rows_that_nothing_keeps_are_looked_at(application: Application) -> None:
    ann = application.id_of("Ann 1")
    application.sql(
        """INSERT INTO "Art'icles" VALUES ('a1', 'good', %s, NULL, ARRAY[%s, NULL]),
           ('a2', 'bad', %s, '[{"userId": "65f0c1a2b3c4d5e6f7a8b9c0"}, {"userId": null}, 7, {"other": 1}]',
            ARRAY[%s])""",
        [ann, ann, NOBODY, NOBODY],
    )
    application.sql("INSERT INTO follows VALUES (%s, %s)", [ann, NOBODY])
    (derived,) = application.look().in_rows[:1]
    assert derived.values == 2
    found = application.look()
    assert {one for one in dangling(found) if one[3] == "row"} == {
        ("Art'icles.author_id", "a2", NOBODY, "row"),
        ("Art'icles.co Authors.[].userId", "a2", "65f0c1a2b3c4d5e6f7a8b9c0", "row"),
        ("Art'icles.editors", "a2", NOBODY, "row"),
        ("follows.followed", f"{ann}, {NOBODY}", NOBODY, "row"),
    }
    assert counts(found.in_rows)["Art'icles.author_id"] == (2, 1, 0, 0, 1)


def test_rows_may_lead_to_documents_that_no_copy_has_carried(application: Application) -> None:
    application.carry("notes")
    found = application.look()
    # the objects of both notes are articles, which only MongoDB has
    assert counts(found.in_rows)["notes.object"] == (2, 0, 2, 0, 0)
    assert next(one for one in found.in_rows if one.name == "notes.object").waiting == 2
    application.collection(ARTICLES).delete_one({"_id": oid(12)})
    found = application.look()
    assert counts(found.in_rows)["notes.object"] == (2, 0, 1, 0, 1)
    ((_, _, came, kind),) = {one for one in dangling(found) if one[0] == "notes.object" and one[3] != "nowhere"}
    assert kind == "waits"
    application.sql('INSERT INTO "Art\'icles" (id) VALUES (%s)', [came])
    now = application.look()
    assert counts(now.in_rows)["notes.object"] == (2, 1, 1, 0, 0)
    assert waiting(now)["notes.object"] == 2
    assert counts(found.in_documents)["notes.object"] == (2, 0, 1, 0, 1)


def test_what_waits_with_a_route_is_one_reference_of_the_column_that_it_will_go_to(
    tmp_path: Path, database: str, mongo: MongoDatabase
) -> None:
    one_column = """      object: {references: art.icles "ü", on_orphan: "null"}"""
    route = """      object: {route: {art.icles "ü": of_article, users: of_user}, on_orphan: "null"}
      name: {column: object, type: text}"""
    aims = {"article": oid(11), "Ann": oid(1), "Di": oid(4), "nobody": GONE}
    notes = [{"_id": oid(20 + number), "name": name, "object": aim} for number, (name, aim) in enumerate(aims.items())]
    assert one_column in MAPPING
    mapping = MAPPING.replace(one_column, route)
    made = make_application(tmp_path / "app", database, mongo, made=documents() | {"notes": notes}, mapping=mapping)
    made.sql("ALTER TABLE notes ADD of_article text, ADD of_user text")
    made.carry("notes")
    found = made.look()
    assert counts(found.in_rows)["notes.of_article"] == (2, 0, 1, 0, 1)  # nobody is told once, at the first column
    assert counts(found.in_rows)["notes.of_user"] == (2, 0, 2, 0, 0)
    assert waiting(found) == {"notes.of_article": 2, "notes.of_user": 2}
    made.sql(
        """INSERT INTO users (id) SELECT p.target_id FROM isthmus.pending_reference p JOIN notes n ON n.id = p.row_id
           WHERE n.object = 'nobody' AND p.target_table = 'users'"""
    )
    found = made.look()
    assert [counts(found.in_rows)[f"notes.of_{one}"] for one in ("article", "user")] == [
        (1, 0, 1, 0, 0),
        (2, 0, 2, 0, 0),
    ]
    assert waiting(found) == {
        "notes.of_article": 1,
        "notes.of_user": 3,
    }  # the next copy sets the one whose row has come


def waiting(found: Audit) -> dict[str, int]:
    """Return place → how many references of its rows wait for a later copy."""
    return {one.name: one.waiting for one in found.in_rows if one.waiting}


def test_what_a_ledger_has_is_known_but_not_the_same_of_another_document(application: Application) -> None:
    application.carry()
    found = application.look()
    assert (found.outcome, found.new) == ("clean", 0)
    # the pair, the author, the editor and the co-author in documents; the co-author that stays inside jsonb
    assert found.known == 5
    assert counts(found.in_rows)["Art'icles.co Authors.[].userId"] == (3, 2, 0, 1, 0)
    application.collection(ARTICLES).insert_one({"title": "new", "authorId": GONE})
    found = application.look()
    assert (found.outcome, found.new, found.known) == ("dangling", 1, 5)
    application.sql("DELETE FROM isthmus.orphan WHERE column_name = 'author_id'")
    assert application.look().new == 2


def held(application: Application) -> dict[str, str]:
    """Return table → a digest of its rows, of all tables of the target."""
    listed = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace >= 16384 ORDER BY 1"
    digest = "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
    return {table: application.sql(digest.format(table))[0][0] for (table,) in application.sql(listed)}


def test_nothing_is_written(application: Application) -> None:
    application.carry(ARTICLES)
    before = held(application)
    documents = list(application.collection(ARTICLES).find())
    application.look()
    assert held(application) == before
    assert list(application.collection(ARTICLES).find()) == documents


def test_small_pieces_find_the_same(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    application.carry(ARTICLES)
    whole = application.look().as_json()
    monkeypatch.setattr(audit_spool, "_MOST_MET", 2)
    monkeypatch.setattr(audit_spool, "_MOST_THERE", 3)
    pieces = application.look().as_json()
    assert {**pieces, "seconds": 0} == {**whole, "seconds": 0}


def test_stop_ends_it(application: Application) -> None:
    stop = threading.Event()
    stop.set()
    source = open_source(application.source)
    try:
        with pytest.raises(Interrupted):
            audit_references(load_mapping(application.folder / "mapping.yaml"), source, application.target, stop=stop)
    finally:
        source.close()


def test_command_tells_each_kind_and_exits_1(application: Application) -> None:
    ran = application.audit("--json", "found.json")
    assert ran.code == 1, ran.all
    assert f"  {oid(13)}: authorId {GONE} names no document and no row" in ran.out
    assert "3 of 26 references lead nowhere, and no ledger knows them; a ledger has 1 more." in ran.out
    report = json.loads((application.folder / "found.json").read_text())
    assert (report["outcome"], report["exit_code"], report["new"], report["known"]) == ("dangling", 1, 3, 1)
    application.carry()
    ran = application.audit()
    assert ran.code == 0, ran.all
    assert "None of 37 references dangles that no ledger knows; a ledger has 5 that dangle." in ran.out


def test_sample_is_said_to_be_one(application: Application) -> None:
    application.collection("notes").insert_many([{"object": GONE} for _ in range(50)])
    ran = application.audit("--sample", "1")
    assert ran.code == 0, ran.all
    assert "references in a sample of the documents dangles" in ran.out
    found = application.look(sample=1)
    assert [(one.documents or 0) <= 1 for one in found.in_documents] == [True] * 6
    assert found.in_rows[-1].values == 4  # all rows are looked at
    assert application.audit("--sample", "none").code == 2


def test_target_without_a_run_is_refused(tmp_path: Path, database: str, mongo: MongoDatabase) -> None:
    made = make_application(tmp_path / "app", database, mongo)
    ran = made.audit("--json", "-")
    assert ran.code == 4
    assert "error (no-run)" in ran.err
    assert json.loads(ran.out)["code"] == "no-run"
    ran = made.run("refs", "audit", "mapping.yaml", "-s", tmp_path / "none", "-t", database)
    assert (ran.code, "no-such-source" in ran.err) == (3, True)
    (made.folder / "mapping.yaml").write_text("isthmus: 1\n")
    assert made.audit().code == 2


@pytest.fixture
def looker(application: Application) -> Iterator[str]:
    """Return the conninfo of a role that may read, and make no temporary tables."""
    (name,) = application.sql("SELECT quote_ident(current_database())")[0]
    place = '"' + SCHEMA.replace('"', '""') + '"'
    application.sql("DROP ROLE IF EXISTS audit_looker")
    application.sql("CREATE ROLE audit_looker LOGIN")
    application.sql(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    application.sql(f"GRANT USAGE ON SCHEMA isthmus, {place} TO audit_looker")
    application.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA isthmus, {place} TO audit_looker")
    yield make_conninfo(application.target, user="audit_looker")
    application.sql("DROP OWNED BY audit_looker")
    application.sql("DROP ROLE audit_looker")


def test_role_without_temporary_tables_is_told_so(application: Application, looker: str) -> None:
    ran = application.run("refs", "audit", "mapping.yaml", "-s", application.source, "-t", looker)
    assert ran.code == 4, ran.all
    assert "error (no-temporary-tables)" in ran.err
    assert "GRANT TEMPORARY ON DATABASE" in ran.err


def test_pooler_that_changes_sessions_is_refused(application: Application) -> None:
    with pooling(application.target, per_transaction=True) as pooled:
        for command in (
            ("refs", "audit", "mapping.yaml"),
            ("refs", "map", "mapping.yaml"),
            ("status", "--decommission"),
        ):
            ran = application.run(*command, "-s", application.source, "-t", pooled)
            assert (ran.code, "error (pooled-connection)" in ran.err) == (4, True), ran.all


FORMS = """
isthmus: 1
ids: uuid
collections:
  "O'wn ers":
    fields:
      e-mail: {column: mail, type: text, unique: true, normalise: [trim, lower], sensitive: true}
  kept: {ids: keep, fields: {n: integer}}
  things:
    fields:
      owner: {references: "O'wn ers", on_orphan: "null"}
      mail: {column: by_mail, references: "O'wn ers.e-mail", on_orphan: "null"}
      parts: {child: parts, fields: {kept: {references: kept, on_orphan: "null"}}}
      about: {route: {"O'wn ers": about_owner, things: about_thing}, on_orphan: "null"}
"""
OWNERS = [
    {"_id": oid(1), "e-mail": " Ann@Example.org"},
    {"_id": 5, "e-mail": "five@example.org"},
    {"_id": "t", "e-mail": "t@example.org"},
]
KEPT = [{"_id": 7, "n": 1}, {"_id": "seven", "n": 2}]
THINGS: list[dict[str, Any]] = [
    {"_id": 1, "owner": Int64(5), "mail": "ANN@example.org ", "parts": [{"kept": "seven"}], "about": 2},
    {"_id": 2, "owner": 5.0, "mail": "nobody@example.org", "parts": [{"kept": "none"}], "about": oid(1)},
    # what follows is refused as a whole
    {"_id": 3, "owner": DBRef("O'wn ers", oid(1)), "parts": {"kept": "eight"}, "about": "nobody"},
    {"_id": 4, "owner": DBRef("kept", 7)},
    {"_id": 5, "owner": {"a": 1}, "mail": 3, "about": None},
    {"_id": 6, "parts": [{"kept": 7}]},
]


@pytest.fixture
def forms(tmp_path: Path, database: str, make_dump: MakeDump) -> Callable[..., Application]:
    """Return a function that makes an application of a dump whose ids and references have every form."""

    def make(**more: Any) -> Application:
        folder = tmp_path / "forms"
        folder.mkdir()
        (folder / "mapping.yaml").write_text(FORMS, encoding="utf-8")
        dump = make_dump({"O'wn ers": OWNERS, "kept": KEPT, "things": THINGS, **more})
        return Application(folder, database, str(dump))

    return make


def test_ids_and_references_that_no_column_can_have_lead_nowhere(forms: Callable[..., Application]) -> None:
    not_utf8 = bson.encode({"_id": "xy", "n": 3}).replace(b"xy", b"\xff\xfe")
    short = {"_id": 7, "parts": [{"kept": Binary(b"short", 4)}]}
    made = forms(kept=b"".join(map(bson.encode, KEPT)) + not_utf8, things=[*THINGS, short])
    made.carry()
    (kept,) = [place for place in made.look().in_documents if place.name == "things.parts[].kept"]
    assert '{"$numberInt":"7"}' in {one.holder for one in kept.listed}


def test_every_form_of_ids_and_references_is_understood(forms: Callable[..., Application]) -> None:
    made = forms()
    made.carry()
    found = made.look()
    nowhere = {(place.name, one.holder[-3]) for place in found.in_documents for one in place.listed}
    assert nowhere == {
        ("things.owner", "4"),  # into another collection
        ("things.owner", "5"),
        ("things.mail", "2"),
        ("things.mail", "5"),
        ("things.parts[].kept", "2"),
        ("things.parts[].kept", "3"),
        ("things.about", "3"),
    }
    assert counts(found.in_documents) == {
        "things.owner": (5, 3, 0, 2, 0),
        "things.mail": (3, 1, 0, 2, 0),
        "things.parts[].kept": (4, 1, 1, 2, 0),  # a number as an id that is kept as text was refused
        "things.about": (3, 2, 0, 1, 0),
    }
    assert counts(found.in_rows) == {
        "things.owner": (2, 2, 0, 0, 0),
        "things.by_mail": (1, 1, 0, 0, 0),
        "things.about_owner": (1, 1, 0, 0, 0),
        "things.about_thing": (1, 1, 0, 0, 0),
        "parts.things_id": (2, 2, 0, 0, 0),
        "parts.kept": (1, 1, 0, 0, 0),
    }


def test_document_that_was_joined_leads_to_the_row_it_is_now(
    tmp_path: Path, database: str, make_dump: MakeDump
) -> None:
    folder = tmp_path / "joined"
    folder.mkdir()
    (folder / "mapping.yaml").write_text(
        """
isthmus: 1
collections:
  users: {table: people, on_duplicate: merge, fields: {mail: {type: text, unique: true}}}
  auth: {table: people, on_duplicate: merge, fields: {mail: {type: text, unique: true}}}
  posts: {fields: {author: {references: users, on_orphan: "null"}}}
""",
        encoding="utf-8",
    )
    people = [{"_id": oid(1), "mail": "a"}], [{"_id": oid(2), "mail": "a"}, {"_id": "text", "mail": "b"}]
    posts = [{"_id": number, "author": author} for number, author in enumerate((oid(1), oid(2), str(oid(2)), GONE))]
    made = Application(folder, database, str(make_dump({"users": people[0], "auth": people[1], "posts": posts})))
    made.carry()
    assert counts(made.look().in_documents) == {"posts.author": (4, 3, 0, 1, 0)}
    made.sql("DELETE FROM public.posts")
    made.sql("DELETE FROM public.people WHERE mail = 'a'")  # the documents are still there
    assert counts(made.look().in_documents) == {"posts.author": (4, 0, 3, 1, 0)}


def test_letter_of_a_document_speaks_of_it_only_as_it_was(forms: Callable[..., Application]) -> None:
    made = forms()
    made.carry()
    assert made.look().new == 0
    changed = [one if one["_id"] != 4 else {**one, "more": 1} for one in THINGS]
    write_collection(Path(made.source), "things", changed)
    assert dangling(made.look()) == {("things.owner", '{"$numberInt":"4"}', shown_dbref(), "nowhere")}


def shown_dbref() -> str:
    return '{"$ref":"kept","$id":{"$numberInt":"7"}}'


def test_sensitive_values_are_shown_nowhere(forms: Callable[..., Application]) -> None:
    made = forms()
    made.carry()
    ran = made.audit("--json", "-")
    assert "nobody@example.org" not in ran.all
    assert "ann@example.org" not in ran.all.casefold()
    listed = {one["value"] for place in json.loads(ran.out)["in_documents"] for one in place["listed"]}
    assert "(hidden)" in listed


def test_documents_that_cannot_be_read_are_no_clean_audit(forms: Callable[..., Application]) -> None:
    broken = b"\x0b\0\0\0\x10_id\0\1\0"
    made = forms(kept=b"".join(bson.encode(one) for one in KEPT) + broken)
    made.carry()
    ran = made.audit()
    assert ran.code == 0, ran.all
    assert "1 document of kept could not be read (1 in the ledger of dead letters)." in ran.out
    made.sql("DELETE FROM isthmus.dead_letter WHERE collection = 'kept'")
    ran = made.audit("--json", "-")
    assert ran.code == 1, ran.all
    assert json.loads(ran.out)["outcome"] == "incomplete"
    assert "But not everything could be read." in ran.err


def test_audit_sees_the_documents_of_tables_that_are_not_there_yet(
    tmp_path: Path, database: str, mongo: MongoDatabase
) -> None:
    made = make_application(tmp_path / "app", database, mongo)
    made.carry("users")
    made.sql('DROP TABLE "Art\'icles"')
    ran = made.audit()
    assert ran.code == 1, ran.all
    assert "Art'icles.author_id: not looked at, there is no such table" in ran.out
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM isthmus.run").fetchone() == (1,)
