"""Rows that are known by a secret are listed without it: by `isthmus undo` and by `isthmus conflicts list`.

Oracle: the secrets that the test wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from tests.fix_dumps import MakeDump
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked, on_conflict: keep_target}
collections:
  sessions:
    key: token
    fields: {token: {type: text!, sensitive: true}, user: text}
"""
SECRETS = ["live-secret-one", "live-secret-two"]


def documents(user: str) -> list[dict[str, object]]:
    return [{"_id": oid(number), "token": one, "user": user} for number, one in enumerate(SECRETS)]


def test_keys_that_are_secret_stand_in_no_list(
    isthmus: RunCommand, make_dump: MakeDump, database: str, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING, encoding="utf-8")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE TABLE sessions (token text PRIMARY KEY, "user" text)')
    dump = make_dump({"sessions": documents("a")})
    assert isthmus("copy", mapping, "-s", dump, "-t", database).code == 0
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE sessions SET \"user\" = 'b'")
    ran = isthmus("undo", mapping, "-t", database, "--json", tmp_path / "undo.json")
    assert ran.code == 1, ran.all
    said = json.loads((tmp_path / "undo.json").read_text())["in_the_way"]
    assert [(one["why"], one["count"], one["ids"]) for one in said] == [("edited", 2, ["(hidden)", "(hidden)"])]
    dump = make_dump({"sessions": documents("c")})
    again = isthmus("copy", mapping, "-s", dump, "-t", database)
    listed = isthmus("conflicts", "list", "-t", database)
    written = isthmus("conflicts", "list", "-t", database, "--json", "-")
    assert json.loads(written.out)["total"] == 2
    everything = " ".join([ran.all, str(said), again.all, listed.all, written.all])
    assert not [one for one in SECRETS if one in everything]
    shown = isthmus("conflicts", "list", "-t", database, "--show-sensitive")
    assert SECRETS[0] in shown.out
