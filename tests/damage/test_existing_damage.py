"""Tables that were there before the copy: undamaged they pass, and every damage is named as it was said beforehand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.damage.case import Case, judged, prepare
from tests.damage.existing import BETWEEN, CASES, HIDDEN, MAPPING, SCHEMA, TABLES, database
from tests.damage.target import Target, create_database, drop_database, write_dump


@pytest.fixture(scope="module")
def office(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Tables with rows of others in them, copied to twice; nobody damages them, and nobody stays connected."""
    folder = tmp_path_factory.mktemp("existing")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    dump = write_dump(folder / "dump" / "office", database())
    target = Target(create_database(postgres), dump, folder / "mapping.yaml", SCHEMA)
    target.do([TABLES])
    for between in ((), BETWEEN):
        target.do(between)
        copied = target.copy()
        assert copied.code == 0, copied.said
    assert target.one("SELECT max(id) FROM isthmus.run") == "2"
    yield target
    drop_database(postgres, target.conninfo)


def test_undamaged_tables_pass_and_what_was_kept_is_not_said_to_be_compared(office: Target) -> None:
    ended = office.verify()
    assert ended.code == 0, ended.said
    assert ended.report is not None
    for layer in ("checksum", "samples", "types"):
        checks = {(one["table"], one["column"]): one for one in ended.report["layers"][layer]["columns"]}
        assert checks["staff", "age"]["accounted"] >= 1, layer
        assert checks["staff", "age"]["left_out"] == 0, layer
    types = {(one["table"], one["column"]): one for one in ended.report["layers"]["types"]["columns"]}
    # eight documents: the row of one was kept, that of another was deleted
    assert (types["staff", "age"]["compared"], types["staff", "age"]["accounted"]) == (6, 2)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_damage_is_named(case: Case, office: Target, postgres: str) -> None:
    prepared = prepare(case, office)
    twin = office.twin(postgres)
    try:
        twin.do(prepared.damage)
        ended = twin.verify()
    finally:
        drop_database(postgres, twin.conninfo)
    wrong = judged([prepared], ended)
    assert not wrong, "\n".join(wrong)
    assert HIDDEN not in ended.said
