"""What sidecars read of people and sessions: it is there, and their roles may read it and nothing else of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from apps.panamia.models import metadata
from apps.panamia.web.database import open_engine, sessions_of
from apps.panamia.web.identity import SESSIONS, USERS
from apps.panamia.web.people import FORMER, person, shown
from apps.panamia.web.sessions import Signed, who
from isthmus.govern.sql.statements import split
from tests.apps.panamia.sidecars import HOME, Template, template
from tests.fix_postgres import drop_database

ROLES = sorted(HOME.glob("*/role.sql"))
_RIGHTS = """
SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges WHERE grantee = %s
ORDER BY 1, 2, 3
"""


@pytest.fixture(scope="module", params=ROLES, ids=lambda file: file.parent.name)
def role(request: pytest.FixtureRequest, postgres: str) -> Iterator[tuple[Path, Template]]:
    """The rights of a sidecar, and a database in which its role has them."""
    with template(postgres, request.param.parent.name) as found:
        yield request.param, found


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


def test_who_runs_meanwhile_keeps_its_rights_while_they_are_given_anew(
    role: tuple[Path, Template], postgres: str
) -> None:
    """Sent as `psql -f` does, one statement at a time: up to each of them, where it is cut off, and to the end."""
    file, found = role
    statements = split(file.read_text(encoding="utf-8"))
    database = found.copy(postgres)
    before = database.rows(_RIGHTS, file.parent.name)
    assert ("users", "id", "SELECT") in before
    for end in range(len(statements) + 1):
        with closing(psycopg.connect(database.owner, autocommit=True)) as deploying:
            for one in statements[:end]:
                deploying.execute(one.text.encode())
            assert database.rows(_RIGHTS, file.parent.name) == before, statements[:end]
        assert database.rows(_RIGHTS, file.parent.name) == before, statements[:end]
    drop_database(postgres, database.owner)


@pytest.mark.anyio
async def test_who_asks_is_read_with_the_rights_of_a_sidecar(role: tuple[Path, Template], postgres: str) -> None:
    await _ask(role[1], postgres)


async def _ask(found: Template, postgres: str) -> None:
    database = found.copy(postgres)
    ana = database.make_user(screenname="ana")
    nameless = database.make_user()
    locked = database.make_user(locked_at="2026-01-01")
    good, over, shut = database.make_session(ana), database.make_session(ana, hours=-1), database.make_session(locked)
    engine = open_engine(database.role, 2)
    try:
        async with sessions_of(engine)() as db:
            assert await who(db, good) == Signed(ana, "ana")
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
