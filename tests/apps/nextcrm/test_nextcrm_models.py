"""The models of NextCRM: fresh, the same as what is deployed, and true of rows that a copy has made.

Blind spot: columns in which the generated database has nothing but NULL.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from apps.nextcrm import models
from isthmus.govern.catalog.compare import differences
from isthmus.govern.catalog.read import read_catalog
from isthmus.mapping import ddl, load_mapping
from isthmus.mapping.tables import build_schema
from tests.apps.nextcrm.conftest import HOME, MAPPING, Carried

CLASSES = sorted((mapper.class_ for mapper in models.Base.registry.mappers), key=lambda cls: cls.__name__)


def engine_of(conninfo: str) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sa.NullPool)


@pytest.fixture
def session(busy: Carried) -> Iterator[Session]:
    """A session on the copied database; nothing of it is committed."""
    engine = engine_of(busy.database)
    with Session(engine) as session:
        yield session
        session.rollback()
    engine.dispose()


def test_the_models_are_those_of_the_mapping() -> None:
    wanted = ddl.render(build_schema(load_mapping(MAPPING)), format="sqlalchemy")
    assert (HOME / "models.py").read_text(encoding="utf-8") == wanted, (
        "Write them anew: isthmus ddl apps/nextcrm/mapping.yaml --format sqlalchemy > apps/nextcrm/models.py"
    )


def test_the_models_make_what_the_migrations_make(deployed: str, database: str) -> None:
    engine = engine_of(database)
    models.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(database) as one, psycopg.connect(deployed) as other:
        made, wanted = read_catalog(one), read_catalog(other)
    assert [one.sentence for one in differences(made, wanted)] == []


def test_every_table_has_a_class_and_every_junction_a_table() -> None:
    assert len(CLASSES) == 29
    assert len(models.metadata.tables) == 29 + 10


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_rows_of_a_copy_are_what_the_types_say(session: Session, cls: type[models.Base]) -> None:
    rows = session.scalars(sa.select(cls)).all()
    count = session.execute(sa.text(f'SELECT count(*) FROM "{cls.__tablename__}"')).scalar_one()
    assert len(rows) == count > 0
    for name, said in get_type_hints(cls).items():
        if get_origin(said) is Mapped and name in sa.inspect(cls).column_attrs:
            (wanted,) = get_args(said)
            for row in rows:
                assert fits(getattr(row, name), wanted), (name, wanted)


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of an annotated type."""
    if wanted is Any:
        return True
    origin = get_origin(wanted)
    if origin in (types.UnionType, Union):
        return any(fits(value, one) for one in get_args(wanted))
    if origin is Literal:
        return value in get_args(wanted)
    if origin is list:
        return isinstance(value, list) and all(fits(one, get_args(wanted)[0]) for one in value)
    return isinstance(value, origin or wanted) and not (wanted is int and isinstance(value, bool))


def test_relations_lead_where_the_keys_point(session: Session) -> None:
    account = session.scalars(sa.select(models.CrmAccounts).where(models.CrmAccounts.users.any())).first()
    assert account is not None
    watched = {one.id for one in account.users}
    table = models.account_watchers
    assert watched == set(session.scalars(sa.select(table.c.user_id).where(table.c.account_id == account.id)))
    task = session.scalars(sa.select(models.Tasks).where(models.Tasks.section.is_not(None))).first()
    assert task is not None
    assert task.section_row is not None
    assert task in task.section_row.tasks
    assert task.section_row.board_row.id == task.section_row.board
    comment = session.scalars(
        sa.select(models.TasksComments).where(models.TasksComments.assigned_crm_account_task.is_not(None))
    ).first()
    assert comment is not None
    assert comment.task_row is None
    assert comment.assigned_crm_account_task_row in session.scalars(sa.select(models.CrmAccountsTasks)).all()


def test_every_list_has_as_many_rows_as_its_table_says(session: Session) -> None:
    """All relations of all classes, loaded at once; each pair or key is met from both sides."""
    for cls in CLASSES:
        for relation in sa.inspect(cls).relationships:
            there = session.execute(
                sa.select(sa.func.count()).select_from(cls).join(getattr(cls, relation.key))
            ).scalar_one()
            target = relation.mapper.class_
            assert relation.back_populates is not None
            back = session.execute(
                sa.select(sa.func.count()).select_from(target).join(getattr(target, str(relation.back_populates)))
            ).scalar_one()
            assert there == back, relation
