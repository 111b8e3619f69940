"""Sign-ins of Pana MIA: nobody's are carried, unless somebody asks for them.

Oracle: the planted truth; SQL of the test's own.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from apps.panamia.moving.phases import PHASES
from isthmus.work.hidden import HIDDEN
from tests.apps.panamia.conftest import Moved, isthmus, phase_command
from tests.apps.panamia.secrets_of import documents
from tests.fix_postgres import create_database, drop_database

SESSIONS = "nextauth_sessions"


def test_nobody_s_are_carried_and_the_reason_is_told(moved_from_dump: Moved) -> None:
    with psycopg.connect(moved_from_dump.database) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    told = moved_from_dump.copies[1].result
    assert "sign in again" in told["skipped_collections"][SESSIONS]
    assert told["skipped_documents"][SESSIONS] > 30


def test_who_asks_gets_those_that_hold_and_are_somebody_s(twin: Moved, tmp_path: Path) -> None:
    words = ["copy", "mapping.yaml", "--source", twin.source, "--resolutions", str(twin.answers)]
    copied = isthmus(*words, "--only", SESSIONS, database=twin.database, json_file=tmp_path / "copy.json")
    left = Counter(end["end"] for end in twin.lines("ends") if end["collection"] == SESSIONS)
    books = copied.result["collections"][SESSIONS]
    assert {"skipped": books["skipped"], "dead_letter": books["dead_letters"]} == dict(left), copied.said
    assert books["copied"] == books["read"] - left.total() > 0
    with psycopg.connect(twin.database) as connection:
        tokens = [str(token) for (token,) in connection.execute("SELECT session_token FROM sessions").fetchall()]
        letters = connection.execute(
            "SELECT (to_jsonb(d) - 'document')::text FROM isthmus.dead_letter d WHERE collection = %s", (SESSIONS,)
        ).fetchall()
    assert len(tokens) == books["copied"]
    shown = isthmus("letters", "list", database=twin.database).said
    proof = twin.verify(1, tmp_path)
    for text in (copied.said, str(copied.result), shown, proof.said, str(proof.result), str(letters)):
        assert not re.search(r"(?<![a-z])st-0", text), "a token"
    assert proof.code == 0, proof.said
    again = isthmus(*words, "--only", SESSIONS, database=twin.database, json_file=tmp_path / "again.json")
    assert SESSIONS not in again.result["skipped_collections"]
    with psycopg.connect(twin.database) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (len(tokens),)


def test_no_list_shows_a_token_where_sessions_are_carried(twin: Moved, tmp_path: Path) -> None:
    words = ["copy", "mapping.yaml", "--source", twin.source, "--resolutions", str(twin.answers)]
    words += [part for entry in (*PHASES[0].entries, SESSIONS) for part in ("--only", entry)]
    copied = isthmus(*words, database=twin.database, json_file=tmp_path / "copy.json")
    assert copied.result["collections"][SESSIONS]["copied"] > 1, copied.said
    with psycopg.connect(twin.database) as connection:  # one is written to, and the application adds one
        connection.execute(
            "UPDATE sessions SET expires = now() WHERE session_token = (SELECT min(session_token) FROM sessions)"
        )
        connection.execute(
            "INSERT INTO sessions (session_token, user_id, expires)"
            " SELECT 'st-0 of the application', min(id), now() FROM users"
        )
        found = connection.execute("SELECT session_token FROM sessions").fetchall()
        letters = connection.execute(
            "SELECT count(*) FROM isthmus.orphan WHERE table_name = 'sessions' AND action = 'dead_letter'"
        ).fetchone()
    assert letters is not None
    assert letters[0] > 0, "some lead to nobody"
    tokens = {str(token) for (token,) in found} | {
        str(one["sessionToken"]) for one in documents(twin.source, SESSIONS) if one.get("sessionToken")
    }
    lists = [[name, "list", "--limit", "1000000"] for name in ("orphans", "conflicts", "letters")]
    lists[0].append("--waiting")
    dry = [["undo", "mapping.yaml", "--only", one, "--limit", "100000"] for one in (SESSIONS, "users")]
    said: dict[str, str] = {}
    for one in [*lists, ["status"], *dry, [*dry[0], "--leave-new-rows"]]:
        for more in ((), ("--json", "-")):
            ran = isthmus(*one, *more, database=twin.database)
            assert ran.code == int(one[0] == "undo"), ran.said
            said[" ".join((*one, *more))] = ran.said
    for number in ("1", "6"):
        told = phase_command(
            *("items", number, "--all"), source=twin.source, database=twin.database, answers=twin.answers
        )
        said[f"items {number}"] = told.said
    text = said[" ".join((*dry[0], "--json", "-"))]
    listed = json.loads(text[text.index("{") : text.rindex("}") + 1])["in_the_way"]
    ids = {one["why"]: one["ids"] for one in listed if one["table"] == "sessions"}
    assert ids == {"edited": [HIDDEN], "new": [HIDDEN]}
    undone = {name: text for name, text in said.items() if name.startswith("undo") and "--json" not in name}
    assert all("sessions" in text for text in undone.values()), undone
    assert any("sessions_user_id_fkey" in text for text in undone.values()), undone
    shown = {name: [one for one in tokens if one in text] for name, text in said.items()}
    assert {name: held for name, held in shown.items() if held} == {}


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
