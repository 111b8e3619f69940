"""Pana MIA moved into a target that has a person's row already, under an id that documents hold: rewritten once before.

Oracle: `target_rows` and the outcomes `row` of the generator's truth, and SQL of this test's own. Cannot see: rows that
the application wrote itself, with other values than these.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from apps.panamia.generate import main as generate
from apps.panamia.generator.build import FEWEST
from apps.panamia.moving.phases import PHASES
from tests.apps.panamia import facts
from tests.apps.panamia.dump import Made
from tests.apps.running import isthmus

run = partial(isthmus, home=Path(__file__).parents[3] / "apps" / "panamia")
NOT_CARRIED = "nextauth_sessions"


@pytest.mark.slow
def test_ids_of_a_row_that_is_there_stay_and_the_row_is_kept(database: str, tmp_path: Path) -> None:
    assert generate([str(tmp_path / "panamia"), "--people", str(FEWEST)]) == 0
    made = Made(tmp_path / "panamia")
    (there,) = made.truth["target_rows"]
    assert run("schema", "deploy", database=database).code == 0
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO users (id, email, zip_code) VALUES (%(id)s, %(email)s, 'there')", there)
        before = connection.execute("SELECT u::text FROM users u").fetchall()

    books = moved(made, database)
    holding = [
        line
        for line in made.lines("planted")
        if line["collection"] != NOT_CARRIED
        and any(one["kind"] == "row" and one["table"] == there["table"] for one in line["outcomes"])
    ]
    assert books == wanted(made, there["table"], holding)
    with psycopg.connect(database) as connection:
        query = "SELECT u::text FROM users u WHERE lower(email) = %(email)s"
        assert connection.execute(query, there).fetchall() == before
        check_person(made, there, connection)
        rows = ids(database)
        for line in holding:
            table, columns = facts.FIELDS[line["collection"]]
            column = columns[line["path"].partition("[]")[0].partition(".")[0]]
            query = sql.SQL("SELECT {}::text FROM {} WHERE id = %s").format(*map(sql.Identifier, (column, table)))
            found = connection.execute(query, [rows[line["id"]]]).fetchone()
            assert found is not None, line
            assert there["id"] in found[0], line


def moved(made: Made, database: str) -> dict[str, tuple[int, ...]]:
    """Copy all phases and verify those that meet the row first; return the books of each collection."""
    books: dict[str, tuple[int, ...]] = {}
    source = ("mapping.yaml", "--source", str(made.dump))
    for phase in PHASES:
        if phase.kind != "copy":
            continue
        only = [part for entry in phase.entries for part in ("--only", entry)]
        answers = ("--resolutions", str(made.resolutions))
        ran = run("copy", *source, *answers, *only, "--json", "-", database=database)
        assert ran.code == 1, ran.said
        for name, said in json.loads(ran.out)["collections"].items():
            if said["read"]:
                books[name] = tuple(said[word] for word in ("copied", "kept", "merged", "skipped", "dead_letters"))
        if phase.number in {1, 3}:
            proof = run("verify", *source, "--sample", "all", database=database)
            assert proof.code == 0, proof.said
    return books


def wanted(made: Made, table: str, holding: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    """The books as the truth has them for a target without rows, but for what the row changes."""
    saved = Counter(line["collection"] for line in holding if line["end"] == "dead_letter")
    assert len(saved) > 4
    return {
        name: (
            said["copied"] + saved[name] - (name == table),
            int(name == table),
            said["merged"],
            sum(said["skipped"].values()),
            sum(said["dead_letter"].values()) - saved[name],
        )
        for name, said in made.truth["collections"].items()
        if name != NOT_CARRIED
    }


def check_person(made: Made, there: dict[str, Any], connection: psycopg.Connection[Any]) -> None:
    """All that belongs to the person belongs to the row."""
    (person,) = [line for line in made.lines("people") if line["person"] == there["person"]]
    assert person["key"] == there["email"]
    accounts = "SELECT provider, provider_account_id FROM accounts WHERE user_id = %(id)s"
    assert {tuple(one) for one in person["accounts"]} <= set(connection.execute(accounts, there).fetchall())
    profiles = "SELECT count(*) FROM profiles WHERE user_id = %(id)s"
    assert connection.execute(profiles, there).fetchone() == (len(person["profiles"]),) == (1,)


def ids(database: str) -> dict[str, str]:
    """The id of the row of each document, by the document's id; no two collections have one in common."""
    written = run("ids", "export", database=database).out
    return {one["source_id"]: one["id"] for one in csv.DictReader(io.StringIO(written))}
