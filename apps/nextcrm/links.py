"""What a row is linked with through a junction table: changed, asked for in a query, loaded. Knows no table by name.

A `Junction` joins two classes of models; seen from one of them it is `Links`. All operations run in the caller's
session and transaction and commit nothing; what the session itself has not written yet is written first. A refused
operation leaves the transaction as it was before.

They may run at the same time in several sessions, under READ COMMITTED (PostgreSQL's default) or SERIALIZABLE: pairs
are written in the order of their ids, so that two sessions cannot wait for each other within one call, and two
`replace` of one row come one after the other.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapper, Session, selectinload
from sqlalchemy.orm.interfaces import LoaderOption
from sqlalchemy.orm.util import AliasedClass, identity_key

_FOREIGN_KEY_VIOLATION = "23503"
_SHOWN = 5

Owner = TypeVar("Owner", bound=DeclarativeBase)
Other = TypeVar("Other", bound=DeclarativeBase)


class UnknownRowsError(LookupError):
    """Rows that shall be linked are not there.

    Attributes:
        table: Where they were looked for.
        ids: Ids that no row of it has, in the order they were given.
    """

    def __init__(self, table: str, ids: tuple[UUID, ...]) -> None:
        shown = ", ".join(str(one) for one in ids[:_SHOWN])
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        super().__init__(f"{table} has no row with the id {shown}{more}.")
        self.table, self.ids = table, ids


@dataclass(frozen=True)
class Replaced:
    """What a `replace` has done.

    Attributes:
        added: Pairs that were not there before.
        removed: Pairs that are there no more.
    """

    added: int
    removed: int


@dataclass(frozen=True)
class Links(Generic[Owner, Other]):
    """A junction seen from one of its sides; made by `Junction.of`.

    Attributes:
        table: The junction's table.
        owner: The class whose rows are linked.
        other: The class of the rows they are linked with.
    """

    table: sa.Table
    owner: type[Owner]
    other: type[Other]

    def connect(self, session: Session, row: Owner, other_ids: Iterable[UUID]) -> int:
        """Link a row that may be new to its database, and to the session; no ids change nothing.

        Returns:
            How many pairs are new.

        Raises:
            UnknownRowsError: As `add`. The row itself stays in the session, and in its transaction.
        """
        session.add(row)
        session.flush()
        return self.add(session, getattr(row, self._id_name(self.owner)), other_ids)

    def add(self, session: Session, owner_id: UUID, other_ids: Iterable[UUID]) -> int:
        """Link a row with others besides those it has; a pair that is there is left alone, no ids change nothing.

        Returns:
            How many pairs are new.

        Raises:
            UnknownRowsError: The row, or one of the others, is not there; nothing is linked.
            TypeError: An id is no UUID.
        """
        wanted = _ids(other_ids)
        _ids([owner_id])
        if not wanted:
            return 0
        with self._naming_unknown(session, owner_id, wanted), session.begin_nested():
            added = self._insert(session, owner_id, wanted)
        self._forget(session, owner_id, added)
        return len(added)

    def replace(self, session: Session, owner_id: UUID, other_ids: Iterable[UUID]) -> Replaced:
        """Link a row with exactly these others; no ids clear its links.

        The row is locked until the transaction ends, so that of two replacements at the same time one is what is left,
        and not a mixture. The lock hinders nobody who links or reads it, and waits for those who change the row.

        Raises:
            UnknownRowsError: As `add`; also where there are no ids. Nothing is changed.
            TypeError: An id is no UUID.
        """
        wanted = _ids(other_ids)
        _ids([owner_id])
        with self._naming_unknown(session, owner_id, wanted), session.begin_nested():
            own = self._id_column(self.owner)
            lock = sa.select(own).where(own == owner_id).with_for_update(key_share=True)
            if session.execute(lock).first() is None:
                raise UnknownRowsError(own.table.name, (owner_id,))
            near, far = self._columns(self.table)
            delete = sa.delete(self.table).where(near == owner_id, far != sa.all_(_array(wanted))).returning(far)
            removed: list[UUID] = list(session.execute(delete).scalars())
            added = self._insert(session, owner_id, wanted)
        self._forget(session, owner_id, [*added, *removed])
        return Replaced(len(added), len(removed))

    def remove(self, session: Session, owner_id: UUID, other_ids: Iterable[UUID]) -> int:
        """Unlink a row from others; a pair that is not there is no error.

        Returns:
            How many pairs were there.

        Raises:
            TypeError: An id is no UUID.
        """
        wanted = _ids(other_ids)
        _ids([owner_id])
        session.flush()
        near, far = self._columns(self.table)
        delete = sa.delete(self.table).where(near == owner_id, far == sa.any_(_array(wanted))).returning(far)
        removed: list[UUID] = list(session.execute(delete).scalars())
        self._forget(session, owner_id, removed)
        return len(removed)

    def has(self, other_id: UUID, *, of: AliasedClass[Owner] | None = None) -> sa.ColumnElement[bool]:
        """Return the condition that a row is linked with one other, for `select(owner).where(…)`.

        Args:
            other_id: Which.
            of: An alias of the owner's class, where the query has that instead.
        """
        return self.has_any([other_id], of=of)

    def has_any(self, other_ids: Iterable[UUID], *, of: AliasedClass[Owner] | None = None) -> sa.ColumnElement[bool]:
        """Return the condition that a row is linked with at least one of several others; of none, false."""
        pair = self.table.alias()
        near, far = self._columns(pair)
        own: sa.ColumnElement[UUID] = getattr(self.owner if of is None else of, self._id_name(self.owner))
        wanted = _ids(other_ids)
        among = far == wanted[0] if len(wanted) == 1 else far == sa.any_(_array(wanted))
        return sa.exists().where(near == own, among)

    def has_all(self, other_ids: Iterable[UUID], *, of: AliasedClass[Owner] | None = None) -> sa.ColumnElement[bool]:
        """Return the condition that a row is linked with each of several others; of none, true."""
        return sa.and_(sa.true(), *(self.has(one, of=of) for one in _ids(other_ids)))

    def include(self, *columns: InstrumentedAttribute[Any]) -> LoaderOption:
        """Return the option that loads the others with the rows, in one more query however many rows there are.

        They are in the attribute of the models that goes through this junction, such as `account.users`.

        Args:
            columns: Of the others, what is loaded, besides the id. To ask a row for anything else is an error, not a
                query. None for all columns.
        """
        load = selectinload(getattr(self.owner, self._list_name(self.owner)))
        return load.load_only(*columns, raiseload=True) if columns else load

    def _insert(self, session: Session, owner_id: UUID, wanted: list[UUID]) -> list[UUID]:
        near, far = self._columns(self.table)
        one = sa.func.unnest(_array(wanted)).column_valued("one")
        pairs = sa.select(sa.literal(owner_id, postgresql.UUID()), one).order_by(one)
        insert = postgresql.insert(self.table).from_select([near, far], pairs).on_conflict_do_nothing().returning(far)
        return list(session.execute(insert).scalars())

    @contextmanager
    def _naming_unknown(self, session: Session, owner_id: UUID, wanted: list[UUID]) -> Generator[None]:
        """Turn a violated foreign key into the ids that it is about; a savepoint within has been rolled back."""
        try:
            yield
        except IntegrityError as fault:
            if getattr(fault.orig, "sqlstate", None) != _FOREIGN_KEY_VIOLATION:
                raise
            for cls, ids in ((self.owner, [owner_id]), (self.other, wanted)):
                column = self._id_column(cls)
                known = set(session.execute(sa.select(column).where(column == sa.any_(_array(ids)))).scalars())
                unknown = tuple(one for one in ids if one not in known)
                if unknown:
                    raise UnknownRowsError(column.table.name, unknown) from fault
            raise

    def _forget(self, session: Session, owner_id: UUID, changed: list[UUID]) -> None:
        """Let the session read anew what it had loaded of lists that have changed."""
        if not changed:
            return
        for cls, ids in ((self.owner, [owner_id]), (self.other, changed)):
            for one in ids:
                loaded = session.identity_map.get(identity_key(cls, one))
                if loaded is not None:
                    session.expire(loaded, [self._list_name(cls)])

    def _columns(self, table: sa.FromClause) -> tuple[sa.ColumnElement[UUID], sa.ColumnElement[UUID]]:
        """The junction's columns with the ids of the owner and of the other."""
        names: dict[sa.FromClause, str] = {key.column.table: key.parent.name for key in self.table.foreign_keys}
        return table.c[names[_mapper(self.owner).local_table]], table.c[names[_mapper(self.other).local_table]]

    def _id_column(self, cls: type[DeclarativeBase]) -> sa.Column[UUID]:
        mine = _mapper(cls).local_table
        return next(cast("sa.Column[UUID]", key.column) for key in self.table.foreign_keys if key.column.table is mine)

    def _id_name(self, cls: type[DeclarativeBase]) -> str:
        return _mapper(cls).get_property_by_column(self._id_column(cls)).key

    def _list_name(self, cls: type[DeclarativeBase]) -> str:
        return next(one.key for one in _mapper(cls).relationships if one.secondary is self.table)


First = TypeVar("First", bound=DeclarativeBase)
Second = TypeVar("Second", bound=DeclarativeBase)


@dataclass(frozen=True)
class Junction(Generic[First, Second]):
    """A junction table, and the two classes it joins.

    Attributes:
        table: The table: two columns, each a foreign key, that are its primary key together.
        first: One class.
        second: The other one; not the same.

    Raises:
        TypeError: The table does not join these two classes.
    """

    table: sa.Table
    first: type[First]
    second: type[Second]

    def __post_init__(self) -> None:
        joined = {key.column.table for key in self.table.foreign_keys}
        wanted = {_mapper(self.first).local_table, _mapper(self.second).local_table}
        if joined != wanted or len(joined) != 2 or len(self.table.primary_key) != 2:
            raise TypeError(f"{self.table.name} does not join {self.first.__name__} and {self.second.__name__}.")

    @overload
    def of(self, owner: type[First]) -> Links[First, Second]: ...
    @overload
    def of(self, owner: type[Second]) -> Links[Second, First]: ...
    def of(self, owner: type[First] | type[Second]) -> Links[First, Second] | Links[Second, First]:
        """Look at it from one side: the links of the rows of that class.

        Raises:
            TypeError: The class is neither of the two.
        """
        if owner is self.first:
            return Links(self.table, self.first, self.second)
        if owner is self.second:
            return Links(self.table, self.second, self.first)
        raise TypeError(
            f"{self.table.name} joins {self.first.__name__} and {self.second.__name__}, not {owner.__name__}."
        )


def _mapper(cls: type[DeclarativeBase]) -> Mapper[Any]:
    return cast("Mapper[Any]", sa.inspect(cls))


def _ids(given: Iterable[UUID]) -> list[UUID]:
    """Each id once, in the order given."""
    found = list(dict.fromkeys(cast("Iterable[object]", given)))
    for one in found:
        if not isinstance(one, UUID):
            raise TypeError(f"{one!r} is no UUID: ids of rows are, in a list or another collection of them.")
    return cast("list[UUID]", found)


def _array(ids: list[UUID]) -> sa.BindParameter[Sequence[UUID]]:
    return sa.literal(ids, postgresql.ARRAY(postgresql.UUID()))
