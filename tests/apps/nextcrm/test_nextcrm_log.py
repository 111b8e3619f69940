"""The log of a copy of NextCRM: what the real script's log did wrong (38 headers, a tail cut off, secrets), done right.

Oracle: the truth of the generator, and the ledger in the target.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from bson import ObjectId, json_util

from tests.apps.nextcrm.conftest import MAPPING, Carried, run
from tests.apps.nextcrm.test_nextcrm_secrets import secrets_of
from tests.chaos.sessions import Copy
from tests.oracle.copying import copy

KILLED = -9


@pytest.fixture
def lost_comments(as_run: Carried, tmp_path: Path) -> Path:
    """The dump of the real run, but none of the 38 comments has a task any more."""
    dump = tmp_path / "nextcrm"
    shutil.copytree(as_run.dump, dump)
    comments = bson.decode_all((dump / "tasksComments.bson").read_bytes())
    gone = [bson.encode({**one, "task": ObjectId(f"{number:024x}")}) for number, one in enumerate(comments)]
    (dump / "tasksComments.bson").write_bytes(b"".join(gone))
    return dump


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Every line; each is whole."""
    text = log.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def letters_of(lines: list[dict[str, Any]]) -> list[tuple[int, str, str, str]]:
    found = [line for line in lines if line.get("event") == "dead-letter"]
    return sorted((one["letter"], one["collection"], one["source_id"], one["code"]) for one in found)


def ledger(database: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        query = "SELECT id, collection, source_id_text, code FROM isthmus.dead_letter ORDER BY id"
        return connection.execute(query).fetchall()


def test_38_lost_comments_are_38_lines_under_one_head_although_copies_were_killed(
    lost_comments: Path, deployed: str, tmp_path: Path
) -> None:
    log, key = tmp_path / "copy.log", tmp_path / "id.key"
    key.write_text("c0de" * 16, encoding="ascii")
    options = ("--workers", "2", "--log", str(log))
    killed = Copy(MAPPING, lost_comments, deployed, key, tmp_path, options=options)
    for instant in (["copy.before-commit", 9], ["finish.routes-after-commit", 1], ["deliver.after-commit", 1]):
        ended = killed.run(kill=instant)
        assert ended.code == KILLED, (instant, ended.text)
        if log.exists():
            lines_of(log)
    assert killed.run().code == 1
    lines = lines_of(log)
    assert [number for number, line in enumerate(lines) if "isthmus_log" in line] == [0]
    assert letters_of(lines) == ledger(deployed)
    assert Counter(name for _, name, _, _ in letters_of(lines))["tasksComments"] == 38
    told = [line for line in lines if line.get("event") == "dead-letter" and line["collection"] == "tasksComments"]
    assert len({line["source_id"] for line in told}) == 38
    for line in told:
        (cause,) = line["causes"]
        assert (line["code"], line["stage"], cause["path"]) == ("orphan", "finish", "task")
        assert "which is not in the target" in cause["message"]
        assert line["location"].startswith("tasksComments.bson")
    assert (lines[-1]["event"], lines[-1]["exit_code"], lines[-1]["dead_letters"]) == ("end", 1, 38 + 6)


def test_the_log_names_every_planted_letter_and_holds_no_secret_of_the_source(
    busy: Carried, deployed: str, tmp_path: Path
) -> None:
    log = tmp_path / "copy.log"
    assert copy(MAPPING, busy.dump, deployed, "--log", str(log)).code == 1
    planted = Counter(
        (item["collection"], json_util.loads(json.dumps(item["id"])), one["code"])
        for item in busy.truth["planted"]
        for one in item["outcomes"]
        if one["kind"] == "letter"
    )
    lines = lines_of(log)
    told = Counter((name, source_id, code) for _, name, source_id, code in letters_of(lines))
    assert told == Counter({(name, str(key), code): count for (name, key, code), count in planted.items()})
    text = log.read_text(encoding="utf-8")
    assert not [secret for secret in secrets_of(busy.dump) if secret in text]
    assert lines[-1]["skipped_collections"].keys() == busy.truth["left_behind"].keys()
    number, _, source_id, _ = letters_of(lines)[0]
    shown = json.loads(run("letters", "show", str(number), "--json", "-", database=deployed).out)
    assert shown["document"]["_id"] == {"$oid": source_id}  # the log leads to the document, which it does not hold
