"""The cutover from beginning to end, as its page has it: one setting, one command after the other, each exit code.

Cannot see: the application itself, which is not here; whether people find their way by the page.
"""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.apps.nextcrm.conftest import MAPPING, Carried, run
from tests.apps.nextcrm.test_nextcrm_existing import seed
from tests.apps.running import Ran


def stated(ran: Ran, code: int) -> dict[str, object]:
    """What a command wrote as JSON, once its exit code is right."""
    assert ran.code == code, ran.out + ran.said
    return json.loads(ran.out)


def test_tables_are_deployed_filled_verified_and_stay_what_they_are(
    busy: Carried, database: str, postgres: str
) -> None:
    source = ("mapping.yaml", "--source", str(busy.dump))
    assert run("check", *source, "--target", database, database=database).code == 4  # there are no tables yet
    assert stated(run("schema", "deploy", "--json", "-", database=database), 0)["outcome"] == "complete"
    seed(database)  # as the application's build may do
    assert run("check", *source, "--target", database, database=database).code == 0
    copied = run("copy", *source, "--json", "-", database=database)
    assert stated(copied, 1)["outcome"] == "complete"
    letters = run("letters", "list", "--json", "-", database=database)
    assert letters.code == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM isthmus.dead_letter").fetchone() == (
            sum(busy.truth["letters"].values()),
        )
        assert connection.execute("SELECT to_regnamespace('isthmus_stage')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM isthmus.saved_ddl").fetchone() == (0,)
    verified = run("verify", *source, "--sample", "10", "--json", "-", database=database)
    assert stated(verified, 0)["outcome"] == "passed"
    drift = run("schema", "drift", "--scratch", postgres, database=database)
    assert drift.code == 0, drift.out
    again = run("copy", *source, database=database)
    assert again.code == 0, again.said  # nothing new to tell


def test_a_letter_is_answered_by_a_word_in_the_mapping(
    as_run: Carried, deployed: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("answered")
    text = MAPPING.read_text(encoding="utf-8")
    (home / "mapping.yaml").write_text(text, encoding="utf-8")
    assert run("copy", "mapping.yaml", "--source", str(as_run.dump), database=deployed, home=home).code == 1
    means = text.replace("taskStatus: {type: taskStatus, ", "taskStatus: {type: taskStatus, values: {DONE: COMPLETE}, ")
    assert means.count("DONE") == 2
    (home / "mapping.yaml").write_text(means, encoding="utf-8")
    retried = run("letters", "retry", "mapping.yaml", "-c", "Tasks", "--json", "-", database=deployed, home=home)
    assert retried.code == 1, retried.said  # those of other collections are left
    with psycopg.connect(deployed) as connection:
        query = """SELECT (SELECT count(*) FROM "Tasks"), (SELECT count(*) FROM isthmus.dead_letter
            WHERE collection = 'Tasks')"""
        assert connection.execute(query).fetchone() == (as_run.truth["read"]["Tasks"], 0)
