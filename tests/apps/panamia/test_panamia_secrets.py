"""No secret of Pana MIA's documents stands in what a command writes, in a report, a log, or a ledger that is no copy.

Oracle: every token, hash and signed link of the source documents themselves. Cannot see: a secret in a form that
`secrets_of.forms` does not know; the export of `retire`, which is the documents (`test_panamia_retired`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from apps.panamia.moving.phases import PHASES
from tests.apps.panamia.conftest import Moved, isthmus, phase_command
from tests.apps.panamia.secrets_of import FIELDS, Finder, by_text, forms, secrets_of
from tests.apps.twins import twin_of
from tests.fix_postgres import drop_database

COPIES = [phase for phase in PHASES if phase.kind == "copy"]
WHOLE = {"dead_letter.document", "conflict.document"}
"""Columns that keep documents whole, for what nothing else keeps; `letters export` and others hide in them."""
KEYS = {"id_map.id", "row_state.id"}
"""Columns by which a row is known again: a token, where that is the key of its table. No list shows it."""
MOST = "1000000"
COMMANDS: list[list[str]] = [
    ["letters", "list", "--limit", MOST],
    ["letters", "list", "--limit", MOST, "--json", "-"],
    ["letters", "export"],
    ["conflicts", "list", "--limit", MOST],
    ["conflicts", "list", "--limit", MOST, "--json", "-"],
    ["orphans", "list", "--limit", MOST, "--waiting"],
    ["orphans", "list", "--limit", MOST, "--waiting", "--json", "-"],
    ["identities", "list", "--limit", MOST, "--json", "-"],
    ["identities", "export"],
    ["ids", "export"],
    ["status", "--json", "-"],
]


@pytest.fixture
def finder(moved: Moved) -> Finder:
    """Knows every secret there is."""
    found = secrets_of(moved.source)
    assert found.keys() == {f"{name}.{path}" for name, paths in FIELDS.items() for path in paths}
    assert min(len(values) for values in found.values()) >= 3, {name: len(values) for name, values in found.items()}
    assert sum(map(len, found.values())) > 1_000
    return Finder(found)


@pytest.fixture
def apart(moved: Moved, postgres: str) -> Iterator[Moved]:
    """The same in a database of its own, so that a command may leave something there."""
    database = twin_of(postgres, moved.database)
    yield replace(moved, database=database)
    drop_database(postgres, database)


def test_no_secret_stands_in_what_the_phases_said(moved: Moved, finder: Finder) -> None:
    ran = {f"run {number}": one for number, one in moved.copies.items()}
    ran |= {f"verify {number}": one for number, one in moved.proofs.items()}
    assert len(ran) == 2 * len(moved.copies) > 9
    texts = [(name, one.said + json.dumps(one.result, ensure_ascii=False)) for name, one in ran.items()]
    assert by_text(finder, texts) == {}


def test_no_secret_stands_in_an_export_or_a_list(moved: Moved, finder: Finder) -> None:
    said = {" ".join(words): isthmus(*words, database=moved.database) for words in COMMANDS}
    assert {name: ran.said for name, ran in said.items() if ran.code not in {0, 1}} == {}
    listed = said["letters list --limit 1000000 --json -"].said
    letters = json.loads(listed[listed.index("{") : listed.rindex("}") + 1])["letters"]
    one_of_each = {(one["collection"], one["code"]): one["id"] for one in letters if one["collection"] in FIELDS}
    assert one_of_each
    for number in one_of_each.values():
        ran = isthmus("letters", "show", str(number), database=moved.database)
        assert ran.code == 0, ran.said
        said[f"letters show {number}"] = ran
    said["phase items"] = phase_command(
        *("items", "1", "--all"), source=moved.source, database=moved.database, answers=moved.answers
    )
    assert sum(len(ran.said) for ran in said.values()) > 200_000
    assert by_text(finder, ((name, ran.said) for name, ran in said.items())) == {}


def test_no_secret_stands_in_a_log_or_a_report(apart: Moved, finder: Finder, tmp_path: Path) -> None:
    common = ["--source", apart.source, "--resolutions", str(apart.answers)]
    only = [part for entry in COPIES[0].entries for part in ("--only", entry)]
    for name, words in {
        "copy": ["copy", "mapping.yaml", *common, *only, "--log", str(tmp_path / "copy.log")],
        "verify": [
            *("verify", "mapping.yaml", "--source", apart.source, "--sample", "all"),
            *("--html", str(tmp_path / "verify.html"), "--json", str(tmp_path / "verify.json")),
        ],
        "survey": ["survey", apart.source, "--html", str(tmp_path / "s.html"), "--json", str(tmp_path / "s.json")],
        "plan": ["identities", "plan", "mapping.yaml", *common, "--json", str(tmp_path / "plan.json")],
    }.items():
        ran = isthmus(*words, database=apart.database)
        (tmp_path / f"{name}.said").write_text(ran.said, encoding="utf-8")
        assert ran.code in {0, 1}, ran.said
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(files) == 10
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in files]
    assert all(len(text) > 100 for _, text in texts)
    assert by_text(finder, texts) == {}


def test_no_secret_stands_in_the_books_beside_the_rows(moved: Moved, finder: Finder) -> None:
    texts: list[tuple[str, str]] = []
    with psycopg.connect(moved.database) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE table_schema IN ('isthmus', 'panamia_move')"
        ).fetchall()
        for schema, table, column in columns:
            if f"{table}.{column}" not in WHOLE | KEYS:
                query = sql.SQL("SELECT string_agg({}::text, ' ') FROM {}")
                ((text,),) = connection.execute(
                    query.format(sql.Identifier(column), sql.Identifier(schema, table))
                ).fetchall()
                texts.append((f"{table}.{column}", text or ""))
    assert sum(len(text) for _, text in texts) > 1_000_000
    assert by_text(finder, texts) == {}


def test_a_secret_is_found_in_all_its_forms(finder: Finder, moved: Moved) -> None:
    for place, values in secrets_of(moved.source).items():
        for form in forms(values[-1]):
            assert finder.places(f'{{"x": "said:{form}"}}\n') & {place}, (place, form)
    assert finder.places("nothing of it") == set()
