"""What sidecars read of people and sessions: it is there, and their roles may read it and nothing else of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.panamia.models import metadata
from apps.panamia.web.database import open_engine, sessions_of
from apps.panamia.web.identity import SESSIONS, USERS
from apps.panamia.web.people import FORMER, person, shown
from apps.panamia.web.sessions import Signed, who
from tests.apps.panamia.sidecars import HOME, Template, template
from tests.fix_postgres import drop_database

ROLES = sorted(HOME.glob("*/role.sql"))


@pytest.mark.parametrize("table", [USERS, SESSIONS], ids=str)
def test_columns_are_those_of_the_main_models(table: sa.TableClause) -> None:
    there = metadata.tables[table.name]
    for column in table.columns:
        assert str(there.c[column.name].type) == str(column.type), column.name


@pytest.mark.parametrize("file", ROLES, ids=lambda file: file.parent.name)
@pytest.mark.parametrize("table", [USERS, SESSIONS], ids=str)
def test_roles_may_read_these_and_no_others(table: sa.TableClause, file: Path) -> None:
    granted = re.findall(rf"GRANT (.*?) ON public\.{table.name} TO", file.read_text(encoding="utf-8"))
    assert granted == [f"SELECT ({', '.join(column.name for column in table.columns)})"]


@pytest.mark.anyio
async def test_who_asks_is_read_with_the_rights_of_a_sidecar(postgres: str) -> None:
    with template(postgres, "petsitting") as found:
        await _ask(found, postgres)


async def _ask(found: Template, postgres: str) -> None:
    database = found.copy(postgres)
    ana = database.make_user("Ana@Example.org ", screenname="ana", name="Ana Ñ")
    nameless = database.make_user()
    locked = database.make_user(locked_at="2026-01-01")
    good, over, shut = database.make_session(ana), database.make_session(ana, hours=-1), database.make_session(locked)
    engine = open_engine(database.role, 2)
    try:
        async with sessions_of(engine)() as db:
            assert await who(db, good) == Signed(ana, "ana@example.org", "ana", "Ana Ñ")
            assert [await who(db, one) for one in (over, shut, "none", "")] == [None] * 4
            people = await shown(db, [ana, nameless, None, "gone"])
            assert people == {ana: person(ana, "ana"), nameless: person(nameless, None)}
            assert await shown(db, [None]) == {}
    finally:
        await engine.dispose()
        drop_database(postgres, database.owner)


def test_people_are_shown_without_their_addresses() -> None:
    assert person("k", "ana").model_dump() == {"id": "k", "screenname": "ana", "name": "ana"}
    assert person("k", None).name == "Someone"
    assert person(None, "ana") == FORMER
