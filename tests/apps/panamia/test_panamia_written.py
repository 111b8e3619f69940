"""What the application writes to PostgreSQL between the phases, and what running phases again does to it: nothing.

Oracle: the rows as they were written, and the tables as they stood before. Cannot see: writes while a phase runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from apps.panamia.generate import main as generate
from apps.panamia.moving.phases import PHASES, Phase
from tests.apps.panamia.conftest import MAPPING, Ran, contents, isthmus
from tests.fix_postgres import create_database, drop_database

COPIES = [phase for phase in PHASES if phase.kind == "copy"]
PEOPLE = 200

WRITES = {
    1: """
        INSERT INTO users (id, email, name) VALUES ('wnew00000000000000000001', 'New.Person@example.org', 'new');
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id)
            VALUES ('wnew00000000000000000002', 'wnew00000000000000000001', 'oauth', 'google', 'w-1');
        UPDATE users SET name = 'edited in PostgreSQL' WHERE id = (SELECT min(id) FROM users WHERE id !~ '^wnew');
        DELETE FROM accounts WHERE id = (SELECT max(id) FROM accounts WHERE id !~ '^wnew');""",
    3: """
        INSERT INTO notifications (id, type, context, actor, target)
            SELECT 'wnew00000000000000000003', type, context, actor, target FROM notifications ORDER BY id LIMIT 1;
        UPDATE notifications SET read = NOT read WHERE id = (SELECT max(id) FROM notifications WHERE id !~ '^wnew');
        DELETE FROM notifications WHERE id = (SELECT min(id) FROM notifications);""",
    4: """
        UPDATE articles SET title = 'edited in PostgreSQL' WHERE id = (SELECT min(id) FROM articles);
        UPDATE articles SET author_id = NULL
            WHERE id = (SELECT max(id) FROM articles WHERE author_id IS NOT NULL);""",
    5: """
        UPDATE profiles SET user_id = NULL WHERE id = (SELECT min(id) FROM profiles WHERE user_id IS NOT NULL);
        UPDATE profiles SET name = 'edited in PostgreSQL' WHERE id = (SELECT max(id) FROM profiles);
        DELETE FROM profile_follows WHERE (follower_id, profile_id) =
            (SELECT follower_id, profile_id FROM profile_follows ORDER BY 1, 2 LIMIT 1);""",
    6: """
        DELETE FROM user_list_members WHERE (list_id, profile_id) =
            (SELECT list_id, profile_id FROM user_list_members ORDER BY 1, 2 LIMIT 1);
        UPDATE mentor_sessions SET notes = 'edited in PostgreSQL' WHERE id = (SELECT min(id) FROM mentor_sessions);
        INSERT INTO user_follows (id, follower_id, following_id)
            SELECT 'wnew00000000000000000006', 'wnew00000000000000000001', min(id) FROM users WHERE id !~ '^wnew';""",
}
"""By phase: what is written behind it."""


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated database of few people; its answers lie beside it."""
    folder = tmp_path_factory.mktemp("written") / "dump"
    assert generate([str(folder), "--people", str(PEOPLE)]) == 0
    return folder


@pytest.fixture
def target(postgres: str) -> Iterator[str]:
    """A database with the application's schema."""
    made = create_database(postgres)
    deployed = isthmus("schema", "deploy", database=made)
    assert deployed.code == 0, deployed.said
    yield made
    drop_database(postgres, made)


def run(phase: Phase, dump: Path, target: str, folder: Path) -> Ran:
    only = [part for entry in phase.entries for part in ("--only", entry)]
    answers = ["--resolutions", f"{dump}.resolutions.yaml"]
    words = ["copy", str(MAPPING), "--source", str(dump), *answers, *only]
    ran = isthmus(*words, database=target, json_file=folder / "copy.json")
    assert ran.result["outcome"] == "complete", ran.said
    return ran


def test_what_is_written_between_phases_survives_every_later_run(dump: Path, target: str, tmp_path: Path) -> None:
    for phase in COPIES:
        run(phase, dump, target, tmp_path)
        with psycopg.connect(target) as connection:
            for statement in filter(str.strip, WRITES[phase.number].split(";")):
                done = connection.execute(statement.encode())
                assert done.rowcount == 1, statement
    before = contents(target)
    assert any("wnew00000000000000000006" in row for row in before["user_follows"])
    for phase in [*COPIES, *reversed(COPIES)]:
        run(phase, dump, target, tmp_path)
        after = contents(target)
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}, phase.name
    proof = isthmus("verify", str(MAPPING), "--source", str(dump), "--sample", "all", database=target)
    assert proof.code == 0, proof.said
