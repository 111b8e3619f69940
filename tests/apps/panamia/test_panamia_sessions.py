"""Sign-ins of Pana MIA: nobody's are carried, unless somebody asks for them.

Oracle: the planted truth; SQL of the test's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.apps.panamia.conftest import Moved, isthmus, phase_command
from tests.apps.twins import twin_of
from tests.fix_postgres import create_database, drop_database

SESSIONS = "nextauth_sessions"


@pytest.fixture
def moved(moved_from_dump: Moved, postgres: str) -> Iterator[Moved]:
    """The finished move, in a database of its own."""
    database = twin_of(postgres, moved_from_dump.database)
    yield replace(moved_from_dump, database=database)
    drop_database(postgres, database)


def test_nobody_s_are_carried_and_the_reason_is_told(moved_from_dump: Moved) -> None:
    with psycopg.connect(moved_from_dump.database) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    told = moved_from_dump.copies[1].result
    assert "sign in again" in told["skipped_collections"][SESSIONS]
    assert told["skipped_documents"][SESSIONS] > 30


def test_who_asks_gets_those_that_hold_and_are_somebody_s(moved: Moved, tmp_path: Path) -> None:
    words = ["copy", "mapping.yaml", "--source", moved.source, "--resolutions", str(moved.answers)]
    copied = isthmus(*words, "--only", SESSIONS, database=moved.database, json_file=tmp_path / "copy.json")
    left = Counter(end["end"] for end in moved.lines("ends") if end["collection"] == SESSIONS)
    books = copied.result["collections"][SESSIONS]
    assert {"skipped": books["skipped"], "dead_letter": books["dead_letters"]} == dict(left), copied.said
    assert books["copied"] == books["read"] - left.total() > 0
    with psycopg.connect(moved.database) as connection:
        tokens = [str(token) for (token,) in connection.execute("SELECT session_token FROM sessions").fetchall()]
        letters = connection.execute(
            "SELECT (to_jsonb(d) - 'document')::text FROM isthmus.dead_letter d WHERE collection = %s", (SESSIONS,)
        ).fetchall()
    assert len(tokens) == books["copied"]
    shown = isthmus("letters", "list", database=moved.database).said
    proof = moved.verify(1, tmp_path)
    for text in (copied.said, str(copied.result), shown, proof.said, str(proof.result), str(letters)):
        assert not re.search(r"(?<![a-z])st-0", text), "a token"
    assert proof.code == 0, proof.said
    again = isthmus(*words, "--only", SESSIONS, database=moved.database, json_file=tmp_path / "again.json")
    assert SESSIONS not in again.result["skipped_collections"]
    with psycopg.connect(moved.database) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (len(tokens),)


@pytest.mark.slow
def test_the_first_phase_carries_them_where_somebody_asks_and_takes_them_back(
    moved_from_dump: Moved, postgres: str, forked: None
) -> None:
    database = create_database(postgres)

    def said(*words: str) -> tuple[int, str]:
        given = {"source": moved_from_dump.source, "database": database, "answers": moved_from_dump.answers}
        ran = phase_command(*words, **given)  # pyright: ignore[reportArgumentType]
        return ran.code, ran.said

    try:
        assert isthmus("schema", "deploy", database=database).code == 0
        assert said("run", "1", "--with-sessions")[0] == 1, "there are dead letters"
        assert said("verify", "1")[0] == 0
        assert said("acknowledge", "1", "--all", "--reason", "planted")[0] == 0
        assert '"word": "done"' in said("status", "--json")[1]
        with psycopg.connect(database) as connection:
            ((carried,),) = connection.execute("SELECT count(*) FROM sessions").fetchall()
        assert carried > 0
        code, told = said("undo", "1", "--live")
        assert code == 0, told
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT (SELECT count(*) FROM sessions), count(*) FROM users").fetchone() == (
                *(0, 0),
            )
        assert '"word": "done"' not in said("status", "--json")[1]
        told = said("run", "1")[1]
        assert "as they were before" not in told, "nobody has asked since"
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT (SELECT count(*) FROM sessions), count(*) > 0 FROM users").fetchone() == (
                *(0, True),
            )
    finally:
        drop_database(postgres, database)
