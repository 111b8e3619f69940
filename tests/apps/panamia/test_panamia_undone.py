"""Phases taken back and done again: nothing that somebody wrote since is lost, and the same comes out.

Oracle: both sides as they were behind the phase before, and behind the phase. Cannot see: what `isthmus undo` and
`refs rewrite --undo` refuse in other databases (`tests/integration/undo`, `tests/integration/polyglot`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient

from tests.apps.panamia.conftest import Moved, Ran, Served, contents, phase_command

pytestmark = pytest.mark.slow
NEW, REPLY = "anewrowbehindthephase000", "areplybehindthephase0000"


def test_a_copied_phase_is_taken_back_and_carried_again_to_the_same_rows(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(5)
    full, before = contents(served.database), contents(served.stages[4].database)
    dry = served.phase("undo", "5")
    assert dry.code == 0, dry.said
    assert contents(served.database) == full, "without --live nothing is done"
    assert served.words()[5] == "done"
    assert served.phase("undo", "5", "--live").code == 0
    assert contents(served.database) == before
    assert served.words() == {1: "done", 2: "done", 3: "done", 4: "done", 5: "not begun", 6: "not begun"}
    assert served.phase("verify", "5").code == 2, "what was verified is not there any more"
    assert served.phase("undo", "5", "--live").code == 5, "once is enough"
    assert served.phase("run", "6").code == 5
    again = served.phase("run", "5")
    assert _timeless(contents(served.database)) == _timeless(full), again.said
    assert served.phase("verify", "5").code == 0
    assert served.words()[5].endswith(" open"), "what was said of it before does not count any more"


def _timeless(rows: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Leave out when follows came into being, which no document says."""
    pairs = Counter({",".join(row.split(",")[:2]): count for row, count in rows["profile_follows"].items()})
    return {**rows, "profile_follows": pairs}


def test_rows_written_since_stay_and_stand_in_the_way(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(4)
    with psycopg.connect(served.database) as connection:
        connection.execute("UPDATE articles SET title = 'by hand' WHERE id = (SELECT min(id) FROM articles)")
    edited = contents(served.database)
    for how in ((), ("--live",)):
        ran = served.phase("undo", "4", *how)
        assert ran.code == 1, ran.said
        assert "articles" in ran.said
    assert contents(served.database) == edited
    assert served.words()[4] == "done"


def test_a_row_added_since_is_named_and_stays_where_somebody_says_so(twin: Moved, forked: None) -> None:
    database = twin.database

    def undo(*words: str) -> Ran:
        given = {"source": twin.source, "database": database, "answers": twin.answers}
        return phase_command("undo", *words, **given)  # pyright: ignore[reportArgumentType]

    def do(*statements: str) -> None:
        with psycopg.connect(database) as connection:
            for one in statements:
                connection.execute(one.encode())

    insert = "INSERT INTO articles (id, slug, title, content, article_type, in_reply_to) SELECT '{0}', '{0}', 'Later',"
    insert += " 'Ü ''é''', (enum_range(NULL::article_type))[1], {1}"
    for number in ("6", "5"):
        assert undo(number, "--live").code == 0
    before = contents(database)
    do(insert.format(NEW, "NULL"))
    added = contents(database)
    (row,) = added["articles"] - before["articles"]
    for how in ((), ("--live",)):
        ran = undo("4", *how)
        assert ran.code == 1, ran.said
        assert "articles: 1 row that others added since the first copy" in ran.said
        assert NEW in ran.said
        assert contents(database) == added
    do(insert.format(REPLY, "(SELECT min(id) FROM articles)"))
    replied = contents(database)
    ran = undo("4", "--leave-new-rows", "--live")
    assert ran.code == 1, "it refers to an article that would go"
    assert "articles_in_reply_to_fkey" in ran.said
    assert REPLY in ran.said
    assert contents(database) == replied
    do(f"DELETE FROM articles WHERE id = '{REPLY}'")
    ran = undo("4", "--leave-new-rows", "--live")
    assert ran.code == 0, ran.said
    after = contents(database)
    assert after["notifications"].total() == before["notifications"].total(), "theirs to articles wait again"
    assert after == {**before, "articles": Counter([row]), "notifications": after["notifications"]}


def test_the_rewrite_is_taken_back_to_the_byte_and_done_again(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(2)
    rewritten, before = served.documents(), served.stages[1].by_id()
    assert rewritten == served.stages[2].by_id() != before
    ran = served.phase("undo", "2", "--leave-new-rows", "--live")
    assert (ran.code, "no-new-rows" in ran.said) == (2, True), ran.said
    assert served.phase("undo", "2").code == 0
    assert served.documents() == rewritten, "without --live nothing is done"
    with psycopg.connect(served.database) as connection:  # one that had ended behind the first value
        first = "SELECT min(id) FROM isthmus.rewrite_log WHERE state = 'done'"
        undone = "state = 'undone', settled_at = clock_timestamp()"
        connection.execute(f"UPDATE isthmus.rewrite_log SET {undone} WHERE id = ({first})")
        assert served.words()[2] == "done", "not committed yet"
        connection.commit()
        assert served.words()[2] == "half undone"
        assert served.phase("run", "3").code == 5
        connection.execute(
            f"UPDATE isthmus.rewrite_log SET state = 'done' WHERE id = ({first.replace('done', 'undone')})"
        )
    assert served.phase("undo", "2", "--live").code == 0
    assert served.documents() == before
    assert served.words()[2] == "not begun"
    assert served.phase("run", "3").code == 5
    assert served.phase("run", "2").code == 1, "what is unmapped is told"
    assert served.documents() == rewritten
    assert served.phase("verify", "2").code == 0
    assert served.words()[2].endswith(" open")


def test_phases_are_taken_back_in_the_opposite_order(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(3)
    for number, why in ((1, "undo that first"), (2, "undo that first"), (4, "never run"), (9, "no phase 9")):
        ran = served.phase("undo", str(number), "--live")
        assert ran.code == (2 if number == 9 else 5)
        assert why in ran.said
    for number in (3, 2, 1):
        ran = served.phase("undo", str(number), "--live")
        assert ran.code == 0, ran.said
    assert set(served.words().values()) == {"not begun"}
    assert not any(contents(served.database).values())


def test_a_dump_has_no_references_to_put_back(moved_from_dump: Moved, forked: None) -> None:
    moved = moved_from_dump
    ran = phase_command("undo", "2", source=moved.source, database=moved.database, answers=moved.answers)
    assert ran.code == 5
    assert "changes no dump" in ran.said


def test_where_others_put_the_id_of_another_row_somebody_decides(at_phase: Callable[[int], Served]) -> None:
    """No command is named as the next one that cannot help; the id may stay, and the phase is undone."""
    served = at_phase(2)
    with MongoClient[dict[str, Any]](served.source) as client:
        images = client.get_default_database()["images"]
        first, *_, other = [
            one for one in images.find({"userId": {"$type": "string"}}).sort("_id", 1) if len(one["userId"]) == 24
        ]
        assert first["userId"] != other["userId"]
        images.update_one({"_id": first["_id"]}, {"$set": {"userId": other["userId"]}})
        ran = served.phase("undo", "2", "--live")
        assert ran.code == 1
        assert "--leave-ids" in ran.said
        assert served.words()[2] == "half undone"
        assert json.loads(served.phase("status", "--json").said)["next"] == "undo 2"
        assert served.phase("undo", "2", "--leave-ids", "--live").code == 0
        assert served.words()[2] == "not begun"
        left = images.find_one({"_id": first["_id"]})
        assert left is not None
        assert left["userId"] == other["userId"]
    assert served.phase("undo", "1", "--leave-ids").code == 2, "a copy writes no ids into documents"
