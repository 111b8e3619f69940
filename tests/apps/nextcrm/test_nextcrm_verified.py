"""`isthmus check`, a second copy and all seven layers of `verify`, with every document as a sample."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.apps.nextcrm.conftest import MAPPING, Carried, run
from tests.oracle.copying import copy


def asked(command: str, carried: Carried, *more: str) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json -`; its exit code and what it wrote."""
    words = (command, "mapping.yaml", "--source", str(carried.dump), "--json", "-", *more)
    ran = run(*words, database=carried.database)
    return ran.code, json.loads(ran.out)


@pytest.mark.slow
def test_every_layer_passes_with_every_document_of_the_real_run(as_run: Carried) -> None:
    code, report = asked("verify", as_run, "--sample", "all")
    assert (code, report["outcome"]) == (0, "passed"), report["differences"]
    assert {name: layer["outcome"] for name, layer in report["layers"].items()} == dict.fromkeys(
        ("counts", "samples", "references", "types", "rules", "schema", "checksum"), "passed"
    )
    assert report["layers"]["samples"]["checked"] == 9_288 - sum(as_run.truth["letters"].values())


def test_every_layer_passes_where_everything_is_planted(busy: Carried) -> None:
    code, report = asked("verify", busy, "--sample", "10")
    assert (code, report["outcome"]) == (0, "passed"), report["differences"]


def test_a_mapping_stands_against_nothing_in_the_source(as_run: Carried) -> None:
    code, _ = asked("check", as_run)
    assert code == 0


def test_a_collection_that_nobody_names_is_told_before_anything_is_copied(
    as_run: Carried, deployed: str, tmp_path: Path
) -> None:
    dump = tmp_path / "nextcrm"
    shutil.copytree(as_run.dump, dump)
    shutil.copy(dump / "secondBrain_notions.bson", dump / "secondBrain_pages.bson")
    source = ("mapping.yaml", "--source", str(dump))
    for words in (("check", *source, "--target", deployed), ("copy", *source)):
        ran = run(*words, database=deployed)
        assert ran.code == 2, ran.said
        assert "secondBrain_pages" in ran.said
    with psycopg.connect(deployed) as connection:
        assert connection.execute('SELECT count(*) FROM "Users"').fetchone() == (0,)


def test_a_second_copy_changes_nothing(as_run: Carried) -> None:
    again = copy(MAPPING, as_run.dump, as_run.database)
    assert again.report is not None
    assert as_run.copied.report is not None
    assert again.report["collections"] == as_run.copied.report["collections"]
    assert again.code == 0, again.said  # its dead letters are none that the first copy did not name
    assert again.report["repeated"]


@pytest.mark.parametrize("option", ["--clean", "--resume"])
def test_an_option_that_there_is_not_starts_nothing(as_run: Carried, deployed: str, option: str) -> None:
    copied = copy(MAPPING, as_run.dump, deployed, option)
    assert copied.code == 2
    assert option in copied.said
    with psycopg.connect(deployed) as connection:
        assert connection.execute("SELECT count(*) FROM isthmus.run").fetchone() == (0,)
        assert connection.execute('SELECT count(*) FROM "Users"').fetchone() == (0,)


def test_a_source_that_holds_nothing_is_no_success(tmp_path: Path, deployed: str) -> None:
    (tmp_path / "nextcrm").mkdir()
    copied = copy(MAPPING, tmp_path / "nextcrm", deployed)
    assert copied.code == 3, copied.said
    assert "nextcrm" in copied.said
