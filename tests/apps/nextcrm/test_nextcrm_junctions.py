"""Junction operations of NextCRM on the deployed tables; what they left is read by SQL of the test's own.

Blind spot: what the application's own client does with the same tables at the same time.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session, aliased

from apps.nextcrm import junctions
from apps.nextcrm.junctions import (
    ACCOUNT_WATCHERS,
    CONTACTS_OF_OPPORTUNITY,
    DOCUMENTS_TO_ACCOUNTS,
    DOCUMENTS_TO_TASKS,
    WATCHERS_OF_ACCOUNT,
    WATCHERS_OF_BOARD,
    with_documents,
    with_users,
)
from apps.nextcrm.links import Junction, Links, Replaced, UnknownRowsError
from apps.nextcrm.models import (
    Base,
    Boards,
    CrmAccounts,
    CrmOpportunities,
    Documents,
    Tasks,
    Users,
    account_watchers,
    board_watchers,
)
from tests.apps.nextcrm.conftest import HOME, Carried
from tests.oracle.copying import url

ALL: dict[str, Junction[Any, Any]] = {name: one for name, one in vars(junctions).items() if isinstance(one, Junction)}
SIDES = {f"{name} of {owner.__name__}": one.of(owner) for name, one in ALL.items() for owner in (one.first, one.second)}
FILLING = {str: "x", int: 0, bool: False, datetime: datetime(2025, 11, 5), date: date(2025, 11, 5)}  # noqa: DTZ001


def engine_of(conninfo: str) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=sa.NullPool)


@pytest.fixture(scope="module")
def engine(make_deployed: Callable[[], str]) -> Iterator[sa.Engine]:
    """The way to a deployed database of this module's own."""
    engine = engine_of(make_deployed())
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session of which nothing is committed."""
    with Session(engine) as session:
        yield session
        session.rollback()


def row(cls: type[Base], **said: Any) -> Any:
    """A row with an id and with something in every column that needs it."""
    for name, column in sa.inspect(cls).columns.items():
        if name not in said and not column.nullable and column.server_default is None:
            said[name] = uuid4() if column.type.python_type is UUID else FILLING[column.type.python_type]
    if cls is Users:
        said["email"] = f"{said['id']}@example.com"
    return cls(**said)


def rows(session: Session, cls: type[Base], count: int) -> list[UUID]:
    """Make rows, and return their ids in the order of the ids."""
    if cls is Boards:
        (owner,) = rows(session, Users, 1)
        made = [row(cls, user=owner) for _ in range(count)]
    else:
        made = [row(cls) for _ in range(count)]
    session.add_all(made)
    session.flush()
    return sorted(one.id for one in made)


def pairs(session: Session, links: Links[Any, Any], owner: UUID) -> list[UUID]:
    """What a row is linked with, by plain SQL."""
    near, far = (column(links, cls) for cls in (links.owner, links.other))
    query = sa.text(f'SELECT {far} FROM "{links.table.name}" WHERE {near} = :owner ORDER BY 1')
    return list(session.execute(query, {"owner": owner}).scalars())


def column(links: Links[Any, Any], cls: type[Base]) -> str:
    """The junction's column that points at a class's table, by the catalog's word."""
    (found,) = [key.parent.name for key in links.table.foreign_keys if key.column.table.name == cls.__tablename__]
    return found


def test_all_ten_are_declared() -> None:
    assert len(ALL) == 10
    assert {one.table.name for one in ALL.values()} == {
        *("DocumentsToInvoices", "DocumentsToOpportunities", "DocumentsToContacts", "DocumentsToTasks"),
        *("DocumentsToCrmAccountsTasks", "DocumentsToLeads", "DocumentsToAccounts", "AccountWatchers"),
        *("BoardWatchers", "ContactsToOpportunities"),
    }


@pytest.mark.parametrize("side", sorted(SIDES))
def test_every_junction_from_both_sides(session: Session, side: str) -> None:
    links = SIDES[side]
    (one, another), (a, b, c, d) = rows(session, links.owner, 2), rows(session, links.other, 4)
    assert links.add(session, another, [a, b, c, d]) == 4
    assert links.add(session, one, []) == 0
    assert links.add(session, one, [b, a]) == 2
    assert links.add(session, one, [a, c, c, b]) == 1  # a repeated pair is no error
    assert pairs(session, links, one) == [a, b, c]
    assert links.replace(session, one, [d, c]) == Replaced(added=1, removed=2)
    assert pairs(session, links, one) == [c, d]
    assert links.remove(session, one, [c, a, uuid4()]) == 1
    assert pairs(session, links, one) == [d]
    assert links.remove(session, one, []) == 0
    assert links.replace(session, one, []) == Replaced(added=0, removed=1)
    assert pairs(session, links, one) == []
    assert pairs(session, links, another) == [a, b, c, d]
    backwards = ALL[side.split(" ", maxsplit=1)[0]].of(links.other)
    assert backwards.remove(session, b, [another]) == 1
    assert pairs(session, links, another) == [a, c, d]


@pytest.mark.parametrize("side", sorted(SIDES))
def test_filters_find_exactly_the_linked(session: Session, side: str) -> None:
    links = SIDES[side]
    (one, two, three), (a, b, c) = rows(session, links.owner, 3), rows(session, links.other, 3)
    links.add(session, one, [a])
    links.add(session, two, [a, b])

    def found(condition: sa.ColumnElement[bool]) -> list[UUID]:
        mine = links.owner.__table__.c["id"]
        return sorted(session.scalars(sa.select(mine).select_from(links.owner).where(condition)))

    assert found(links.has(a)) == sorted([one, two])
    assert found(links.has(b)) == [two]
    assert found(links.has(c)) == []
    assert found(links.has_any([b, a, c])) == sorted([one, two])
    assert found(links.has_any([])) == []
    assert found(links.has_all([a, b])) == [two]
    assert three in found(links.has_all([]))
    assert found(sa.and_(~links.has(b), links.has(a))) == [one]
    assert three in found(~links.has_any([a, b]))
    other = aliased(links.owner)
    query = sa.select(sa.inspect(other).selectable.c["id"]).select_from(other).where(links.has(b, of=other))
    assert list(session.scalars(query)) == [two]


def test_a_new_row_is_written_and_linked_at_once(session: Session) -> None:
    documents = rows(session, Documents, 2)
    links = DOCUMENTS_TO_TASKS.of(Tasks)
    task = Tasks(v=0, position=0, priority="high", title="call")
    assert links.connect(session, task, documents) == 2
    assert pairs(session, links, task.id) == documents
    bare = Tasks(v=0, position=0, priority="high", title="bare")
    assert links.connect(session, bare, []) == 0
    assert session.get(Tasks, bare.id) is bare


def test_unknown_rows_are_all_named_and_nothing_is_changed(session: Session) -> None:
    links = WATCHERS_OF_ACCOUNT
    (account,), users = rows(session, CrmAccounts, 1), rows(session, Users, 2)
    links.add(session, account, users)
    strangers = [uuid4() for _ in range(7)]
    attempts: list[Callable[[], object]] = [
        lambda: links.add(session, account, [users[0], *strangers]),
        lambda: links.replace(session, account, [*strangers, users[0]]),
    ]
    for attempt in attempts:
        with pytest.raises(UnknownRowsError) as refused:
            attempt()
        assert (refused.value.table, refused.value.ids) == ("Users", tuple(strangers))
        assert str(refused.value) == (
            f"Users has no row with the id {', '.join(str(one) for one in strangers[:5])} and 2 more."
        )
        assert pairs(session, links, account) == users  # the transaction goes on
    for nobody in (lambda: links.add(session, strangers[0], users), lambda: links.replace(session, strangers[0], [])):
        with pytest.raises(UnknownRowsError) as refused:
            nobody()
        assert (refused.value.table, refused.value.ids) == ("crm_Accounts", (strangers[0],))
    assert links.remove(session, strangers[0], users) == 0


def test_a_new_row_stays_when_what_it_shall_be_linked_with_is_not_there(session: Session) -> None:
    task = Tasks(v=0, position=0, priority="high", title="call")
    with pytest.raises(UnknownRowsError):
        DOCUMENTS_TO_TASKS.of(Tasks).connect(session, task, [uuid4()])
    session.flush()
    assert session.scalar(sa.select(Tasks.title).where(Tasks.id == task.id)) == "call"


@pytest.mark.parametrize("bad", ["00000000-0000-0000-0000-000000000000", 5, None, b"x" * 16, object()])
def test_what_is_no_id_is_refused_before_the_database_is_asked(session: Session, bad: Any) -> None:
    links, good = WATCHERS_OF_ACCOUNT, uuid4()
    for attempt in (
        lambda: links.add(session, good, [good, bad]),
        lambda: links.add(session, bad, [good]),
        lambda: links.add(session, bad, []),
        lambda: links.replace(session, good, [bad]),
        lambda: links.replace(session, bad, []),
        lambda: links.remove(session, good, [bad]),
        lambda: links.remove(session, bad, []),
        lambda: links.has(bad),
        lambda: links.has_any([bad]),
        lambda: links.has_all([bad]),
    ):
        with pytest.raises(TypeError, match="is no UUID"):
            attempt()


def test_one_id_or_a_text_in_place_of_a_list_is_refused(session: Session) -> None:
    one = uuid4()
    for bad in (one, str(one)):
        with pytest.raises(TypeError):
            WATCHERS_OF_ACCOUNT.add(session, one, bad)  # pyright: ignore[reportArgumentType]


def test_a_list_may_be_any_collection_and_longer_than_a_statement_has_parameters(session: Session) -> None:
    links = WATCHERS_OF_ACCOUNT
    (account,), users = rows(session, CrmAccounts, 1), rows(session, Users, 3)
    assert links.add(session, account, (one for one in users)) == 3
    many = [*(uuid4() for _ in range(70_000)), users[1]]
    assert session.scalars(sa.select(CrmAccounts.id).where(links.has_any(many))).all() == [account]
    assert links.remove(session, account, set(many)) == 1
    with pytest.raises(UnknownRowsError) as refused:
        links.replace(session, account, many)
    assert len(refused.value.ids) == 70_000
    assert pairs(session, links, account) == [users[0], users[2]]


def test_another_refusal_of_the_database_is_left_as_it_is(session: Session) -> None:
    (account,), users = rows(session, CrmAccounts, 1), rows(session, Users, 1)
    session.execute(sa.text('ALTER TABLE "AccountWatchers" ADD CONSTRAINT closed CHECK (user_id IS NULL) NOT VALID'))
    with pytest.raises(IntegrityError, match="closed"):
        WATCHERS_OF_ACCOUNT.add(session, account, users)
    assert pairs(session, WATCHERS_OF_ACCOUNT, account) == []


def test_lists_that_the_session_has_loaded_are_read_anew(session: Session) -> None:
    (account_id,), users = rows(session, CrmAccounts, 1), rows(session, Users, 2)
    account, user = session.get_one(CrmAccounts, account_id), session.get_one(Users, users[0])
    assert (account.users, user.crm_accounts_by_account_watchers) == ([], [])
    WATCHERS_OF_ACCOUNT.add(session, account_id, users)
    assert {one.id for one in account.users} == set(users)
    assert user.crm_accounts_by_account_watchers == [account]
    WATCHERS_OF_ACCOUNT.replace(session, account_id, users[1:])
    assert [one.id for one in account.users] == users[1:]
    assert user.crm_accounts_by_account_watchers == []
    WATCHERS_OF_ACCOUNT.remove(session, account_id, users)
    assert account.users == []


def test_what_the_session_has_not_written_yet_counts(session: Session) -> None:
    users = rows(session, Users, 2)
    account = row(CrmAccounts, users=[session.get_one(Users, users[0])])
    with session.no_autoflush:
        session.add(account)
        assert WATCHERS_OF_ACCOUNT.add(session, account.id, users) == 1
        account.users.append(extra := row(Users))
        assert WATCHERS_OF_ACCOUNT.remove(session, account.id, [extra.id, *users]) == 3


def test_nothing_is_committed(engine: sa.Engine) -> None:
    with Session(engine) as session:
        (account,), users = rows(session, CrmAccounts, 1), rows(session, Users, 2)
        session.commit()
        WATCHERS_OF_ACCOUNT.add(session, account, users)
        session.rollback()
        assert pairs(session, WATCHERS_OF_ACCOUNT, account) == []


@contextmanager
def counting(session: Session) -> Generator[list[str]]:
    """Record the statements that are sent."""
    sent: list[str] = []

    def record(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", record)
    yield sent
    event.remove(connection, "before_cursor_execute", record)


def test_users_come_with_their_boards_in_two_queries_and_without_their_secrets(session: Session) -> None:
    boards, users = rows(session, Boards, 20), rows(session, Users, 5)
    for number, board in enumerate(boards):
        WATCHERS_OF_BOARD.add(session, board, users[: number % 6])
    session.execute(sa.update(Users).values({"password": "hash", "name": "N", "avatar": "A"}))
    session.expunge_all()
    with counting(session) as sent:
        found = session.scalars(
            sa.select(Boards).where(Boards.id.in_(boards)).order_by(Boards.id).options(with_users(WATCHERS_OF_BOARD))
        ).all()
        shown = [[(one.id, one.name, one.email, one.avatar) for one in board.users] for board in found]
    assert len(sent) == 2
    assert not any("password" in statement for statement in sent)
    assert [{one[0] for one in users} for users in shown] == [set(users[: number % 6]) for number in range(20)]
    assert shown[1][0][1:] == ("N", f"{users[0]}@example.com", "A")
    with pytest.raises(InvalidRequestError, match="password"):
        _ = found[1].users[0].password


def test_documents_come_with_their_tasks_in_two_queries(session: Session) -> None:
    tasks, documents = rows(session, Tasks, 20), rows(session, Documents, 3)
    links = DOCUMENTS_TO_TASKS.of(Tasks)
    for task in tasks:
        links.add(session, task, documents)
    session.expunge_all()
    with counting(session) as sent:
        found = session.scalars(sa.select(Tasks).where(links.has(documents[0])).options(with_documents(links))).all()
        names = [one.document_name for task in found for one in task.documents]
    assert (len(sent), len(found), len(names)) == (2, 20, 60)


def test_a_query_may_use_a_junction_twice_and_join_it_too(session: Session) -> None:
    accounts, users = rows(session, CrmAccounts, 3), rows(session, Users, 3)
    for account in accounts:
        WATCHERS_OF_ACCOUNT.add(session, account, users[: 1 + accounts.index(account)])
    query = (
        sa.select(CrmAccounts.id, Users.id)
        .join(account_watchers, account_watchers.c.account_id == CrmAccounts.id)
        .join(Users, Users.id == account_watchers.c.user_id)
        .where(WATCHERS_OF_ACCOUNT.has(users[0]), WATCHERS_OF_ACCOUNT.has(users[1]))
        .where(ACCOUNT_WATCHERS.of(Users).has(accounts[2]))
    )
    assert set(map(tuple, session.execute(query))) == {
        (account, user) for account in accounts[1:] for user in users[: 1 + accounts.index(account)]
    }


def test_a_junction_of_other_tables_is_refused() -> None:
    with pytest.raises(TypeError, match="BoardWatchers does not join CrmAccounts and Users"):
        Junction(board_watchers, CrmAccounts, Users)
    with pytest.raises(TypeError, match="does not join"):
        Junction(board_watchers, Users, Users)
    with pytest.raises(TypeError, match="AccountWatchers joins CrmAccounts and Users, not Boards"):
        ACCOUNT_WATCHERS.of(Boards)  # pyright: ignore[reportArgumentType, reportCallIssue]


def committed(engine: sa.Engine, owners: int, others: int) -> tuple[list[UUID], list[UUID]]:
    """Accounts and users that every session sees."""
    with Session(engine) as session:
        made = rows(session, CrmAccounts, owners), rows(session, Users, others)
        session.commit()
    return made


def test_adding_the_same_at_the_same_time_adds_each_once_and_none_waits_for_ever(engine: sa.Engine) -> None:
    accounts, users = committed(engine, 2, 40)
    workers = 8
    start = threading.Barrier(workers)

    def work(number: int) -> int:
        random, new = Random(number), 0
        start.wait()
        for _ in range(6):
            some = random.sample(users, 25)
            with Session(engine) as session, session.begin():
                new += WATCHERS_OF_ACCOUNT.add(session, accounts[0], some)
            with Session(engine) as session, session.begin():  # the same pairs, from the other side
                for user in some[:3]:
                    new += ACCOUNT_WATCHERS.of(Users).add(session, user, [accounts[0]])
        return new

    with ThreadPoolExecutor(workers) as pool:
        new = sum(pool.map(work, range(workers)))
    with Session(engine) as session:
        there = pairs(session, WATCHERS_OF_ACCOUNT, accounts[0])
    assert new == len(there) == len(set(there))


def waits(conninfo: sa.Engine) -> bool:
    """Whether some session waits for a lock."""
    with conninfo.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return connection.exec_driver_sql(query).scalar_one() > 0


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come")


@pytest.mark.parametrize("first", ["commit", "rollback"])
def test_a_pair_that_another_session_is_adding_is_waited_for(engine: sa.Engine, first: str) -> None:
    (account,), (user,) = committed(engine, 1, 1)

    def second() -> int:
        with Session(engine) as session, session.begin():
            return WATCHERS_OF_ACCOUNT.add(session, account, [user])

    with Session(engine) as session, ThreadPoolExecutor(1) as pool:
        assert WATCHERS_OF_ACCOUNT.add(session, account, [user]) == 1
        answer = pool.submit(second)
        until(lambda: waits(engine))
        getattr(session, first)()
        assert answer.result(10) == (0 if first == "commit" else 1)
    with Session(engine) as session:
        assert pairs(session, WATCHERS_OF_ACCOUNT, account) == [user]


def test_of_two_replacements_one_is_what_is_left(engine: sa.Engine) -> None:
    (account,), users = committed(engine, 1, 4)

    def second() -> Replaced:
        with Session(engine) as session, session.begin():
            return WATCHERS_OF_ACCOUNT.replace(session, account, users[2:])

    with Session(engine) as session, ThreadPoolExecutor(1) as pool:
        assert WATCHERS_OF_ACCOUNT.replace(session, account, users[:2]) == Replaced(2, 0)
        answer = pool.submit(second)
        until(lambda: waits(engine))
        with Session(engine) as other, other.begin():  # nobody else is hindered
            other.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
            assert DOCUMENTS_TO_ACCOUNTS.of(CrmAccounts).add(other, account, rows(other, Documents, 1)) == 1
            assert WATCHERS_OF_ACCOUNT.add(other, account, rows(other, Users, 1)) == 1
            other.rollback()
        session.commit()
        assert answer.result(10) == Replaced(added=2, removed=2)
    with Session(engine) as session:
        assert pairs(session, WATCHERS_OF_ACCOUNT, account) == users[2:]


def test_a_row_that_is_deleted_meanwhile_is_named(engine: sa.Engine) -> None:
    (account,), (user,) = committed(engine, 1, 1)

    def second() -> int:
        with Session(engine) as session, session.begin():
            return WATCHERS_OF_ACCOUNT.add(session, account, [user])

    with Session(engine) as session, ThreadPoolExecutor(1) as pool:
        session.execute(sa.delete(Users).where(Users.id == user))
        answer = pool.submit(second)
        until(lambda: waits(engine))
        session.commit()
        with pytest.raises(UnknownRowsError, match=f"Users has no row with the id {user}"):
            answer.result(10)


PLANS: dict[str, tuple[str, Callable[[UUID, UUID, list[UUID]], sa.Select[Any]]]] = {
    "watched by a user": (
        "AccountWatchers_user_id_idx",
        lambda user, _, __: sa.select(CrmAccounts.name).where(WATCHERS_OF_ACCOUNT.has(user)),
    ),
    "watched by any of several users": (
        "AccountWatchers_user_id_idx",
        lambda user, _, users: sa.select(CrmAccounts.name).where(WATCHERS_OF_ACCOUNT.has_any([user, *users])),
    ),
    "users who watch an account": (
        "AccountWatchers_pkey",
        lambda _, account, __: sa.select(Users.name).where(ACCOUNT_WATCHERS.of(Users).has(account)),
    ),
    "an account that a user watches": (
        "AccountWatchers_pkey",
        lambda user, account, _: sa.select(CrmAccounts.name).where(
            CrmAccounts.id == account, WATCHERS_OF_ACCOUNT.has(user)
        ),
    ),
}


@pytest.fixture(scope="module")
def full(make_deployed: Callable[[], str]) -> Iterator[sa.Engine]:
    """20,000 accounts, 2,000 users, 40,000 pairs."""
    conninfo = make_deployed()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        fill = """
            INSERT INTO "crm_Accounts" (id, __v, name)
            SELECT md5('a' || n)::uuid, 0, 'n' FROM generate_series(1, 20000) n;
            INSERT INTO "Users" (id, email) SELECT md5('u' || n)::uuid, n FROM generate_series(1, 2000) n;
            INSERT INTO "AccountWatchers" SELECT md5('a' || n)::uuid, md5('u' || (1 + (n * k) % 2000))::uuid
            FROM generate_series(1, 20000) n, generate_series(1, 2) k ON CONFLICT DO NOTHING;
        """
        connection.execute(fill)
        for name in ("crm_Accounts", "Users", "AccountWatchers"):
            connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(name)))
    engine = engine_of(conninfo)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("what", sorted(PLANS))
def test_filters_go_through_the_junction_s_indexes(full: sa.Engine, what: str) -> None:
    index, query = PLANS[what]
    with full.connect() as connection:
        ids = 'SELECT user_id, account_id FROM "AccountWatchers" ORDER BY 1, 2 LIMIT 3'
        some = connection.exec_driver_sql(ids).fetchall()
        statement = query(some[0][0], some[0][1], [one[0] for one in some])
        written = statement.compile(connection, compile_kwargs={"render_postcompile": True})
        plan = "\n".join(one[0] for one in connection.exec_driver_sql(f"EXPLAIN {written}", written.construct_params()))
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan


def test_pairs_of_a_copy_are_found_and_changed(busy: Carried) -> None:
    """On the copied database, in a transaction that is rolled back."""
    engine = engine_of(busy.database)
    with Session(engine) as session:
        everything = 'SELECT user_id, array_agg(account_id ORDER BY account_id) FROM "AccountWatchers" GROUP BY 1'
        watched = session.execute(sa.text(everything)).all()
        assert len(watched) > 20
        for user, accounts in watched:
            query = sa.select(CrmAccounts.id).where(WATCHERS_OF_ACCOUNT.has(user)).order_by(CrmAccounts.id)
            assert session.scalars(query).all() == accounts
        some = session.scalars(sa.select(CrmOpportunities).where(CrmOpportunities.crm_contacts.any()).limit(1)).one()
        contacts = [one.id for one in some.crm_contacts]
        assert CONTACTS_OF_OPPORTUNITY.add(session, some.id, contacts) == 0
        assert CONTACTS_OF_OPPORTUNITY.replace(session, some.id, contacts[:1]) == Replaced(0, len(contacts) - 1)
        assert [one.id for one in some.crm_contacts] == contacts[:1]
        session.rollback()
    engine.dispose()


def test_the_example_of_the_page_does_what_it_shows(
    make_deployed: Callable[[], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (HOME / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    conninfo = make_deployed()
    engine = engine_of(conninfo)
    with Session(engine) as session:
        account, user = row(CrmAccounts, name="Ostrich & Söhne"), row(Users)
        account.users = [user]
        session.add_all([account, *(row(Documents, document_name=name) for name in "abcd")])
        session.commit()
        email = user.email
    monkeypatch.setenv("DATABASE_URL", url(conninfo))
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec", dont_inherit=True), names)  # noqa: S102 - the page's own text
    names["engine"].dispose()
    assert capsys.readouterr().out.splitlines() == [
        f"Ostrich & Söhne is watched by {email}",
        "3 documents are linked,",
        "2 of them no more.",
    ]
    with engine.connect() as connection:  # the page says that it rolls back
        assert connection.exec_driver_sql('SELECT count(*) FROM "Tasks"').scalar_one() == 0
    engine.dispose()
