"""Bookings, blocks, steps, holds that run out, days that pass and people who go, in any order, against a plain model.

Oracle: `Model`, which looks at every two bookings. Blind spots: by which name something is refused
(`test_petsitting_constraint.py`), and two who write at once (`test_petsitting_crowd.py`).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.panamia.petsitting.conftest import Pets
from tests.apps.panamia.petsitting.test_petsitting_crowd import TWICE
from tests.oracle.effort import say_seed, search, tries

LISTINGS, PEOPLE = 2, 4
"""The first two people are the sitters of one listing each; all of them book."""
LONG_AGO = 1_000
"""Days by which those of one booking are moved into the past; of each later one farther, so none meet."""

By = Literal["owner", "sitter", "stranger"]


@dataclass(frozen=True)
class Book:
    listing: int
    owner: int
    first: int
    end: int


@dataclass(frozen=True)
class Block:
    listing: int
    first: int
    end: int


@dataclass(frozen=True)
class Step:
    booking: int
    to: str
    by: By | None
    why: str | None


@dataclass(frozen=True)
class RunOut:
    """The hold of a booking runs out."""

    booking: int


@dataclass(frozen=True)
class Pass:
    """Time goes by: the days of a booking are over."""

    booking: int


@dataclass(frozen=True)
class Unblock:
    booking: int


@dataclass(frozen=True)
class Offer:
    listing: int
    available: bool


@dataclass(frozen=True)
class Leave:
    person: int


Action = Book | Block | Step | RunOut | Pass | Unblock | Offer | Leave


@dataclass(frozen=True)
class Row:
    """A booking as the model has it; days count from today."""

    listing: int
    owner: int | None
    sitter: int | None
    first: int
    end: int
    status: str
    ran_out: bool = False
    by: int | None = None
    why: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether its days are kept from others."""
        return self.status in {"confirmed", "blocked"} or (self.status == "pending" and not self.ran_out)

    @property
    def has_begun(self) -> bool:
        return self.first <= 0

    @property
    def is_over(self) -> bool:
        return self.end <= 0


_STEPS = {
    "confirmed": {"pending": {"sitter"}},
    "declined": {"pending": {"sitter"}},
    "cancelled": {"pending": {"owner", "sitter", None}, "confirmed": {"owner", "sitter"}},
    "completed": {"confirmed": {None}},
}
"""To which status from which, and who may."""


@dataclass
class Model:
    """What may be, as plainly as it can be said."""

    rows: list[Row | None] = field(default_factory=list[Row | None])
    sitters: list[int | None] = field(default_factory=lambda: list(range(LISTINGS)))
    offered: list[bool] = field(default_factory=lambda: [True] * LISTINGS)
    gone: set[int] = field(default_factory=set[int])

    def do(self, action: Action) -> bool:
        """Do it, and tell whether it can be done; what cannot changes nothing."""
        match action:
            case Book():
                return self._book(action)
            case Block(listing, first, end):
                return (
                    first < end
                    and end > 0
                    and self._enter(Row(listing, None, self.sitters[listing], first, end, "blocked"))
                )
            case Step():
                return self._step(action)
            case RunOut(booking):
                row = self._row(booking)
                if row is not None and row.status == "pending":
                    self.rows[booking] = replace(row, ran_out=True)
                return True
            case Pass(booking):
                row = self._row(booking)
                if row is not None and row.status != "blocked" and not row.is_over:
                    past = LONG_AGO + 100 * booking
                    moved = replace(row, first=row.first - past, end=row.end - past)
                    self.rows[booking] = replace(moved, ran_out=True) if row.status == "pending" else moved
                return True
            case Unblock(booking):
                row = self._row(booking)
                if row is not None and row.status == "blocked":
                    self.rows[booking] = None
                return row is None or row.status == "blocked"
            case Offer(listing, available):
                self.offered[listing] = available
                return True
            case Leave(person):
                return self._leave(person)

    def _row(self, booking: int) -> Row | None:
        return self.rows[booking] if booking < len(self.rows) else None

    def _book(self, action: Book) -> bool:
        sitter = self.sitters[action.listing]
        fits = 0 <= action.first < action.end
        if not fits or sitter in {None, action.owner} or action.owner in self.gone or not self.offered[action.listing]:
            return False
        return self._enter(
            Row(action.listing, action.owner, sitter, action.first, action.end, "pending", by=action.owner)
        )

    def _enter(self, row: Row) -> bool:
        met = [
            place
            for place, one in enumerate(self.rows)
            if one is not None and one.listing == row.listing and one.first < row.end and row.first < one.end
        ]
        if any((one := self.rows[place]) is not None and one.is_live for place in met):
            return False
        for place in met:
            one = self.rows[place]
            if one is not None and one.status == "pending":
                self.rows[place] = replace(one, status="cancelled", by=None)
        self.rows.append(replace(row, by=row.sitter if row.status == "blocked" else row.by))
        return True

    def _step(self, action: Step) -> bool:
        row = self._row(action.booking)
        if row is None:
            return True  # of no booking
        person = {"owner": row.owner, "sitter": row.sitter, "stranger": -1}.get(action.by or "")
        if action.to == row.status:  # said again, it changes nothing
            return (person, action.why) == (row.by, row.why)
        by = None if action.to == "completed" else action.by
        may = by in _STEPS[action.to].get(row.status, set[By | None]())
        if by is None and action.to == "cancelled":
            may = may and row.ran_out
        if action.to == "confirmed":
            may = may and not row.ran_out
        if row.status == "confirmed":
            may = may and row.is_over == (action.to == "completed")
            may = may and not (row.has_begun and by == "sitter")
        may = may and (action.why is not None or by is None or action.to == "confirmed")
        if may:
            by, why = (None, None) if by is None else (person, action.why)
            why = why if action.to in {"cancelled", "declined"} else None
            self.rows[action.booking] = replace(row, status=action.to, by=by, why=why)
        return may

    def _leave(self, person: int) -> bool:
        if person in self.gone:
            return True
        mine = [one for one in self.rows if one is not None and person in {one.owner, one.sitter}]
        if any(
            one.is_live and one.status != "blocked" and not (one.status == "confirmed" and one.is_over) for one in mine
        ):
            return False
        self.gone.add(person)
        self.sitters = [None if one == person else one for one in self.sitters]
        for place, one in enumerate(self.rows):
            if one is None:
                continue
            status, by = one.status, None if one.by == person else one.by
            if person in {one.owner, one.sitter} and status in {"pending", "confirmed"}:
                status, by = ("cancelled" if status == "pending" else "completed"), None
            owner, sitter = (None if it == person else it for it in (one.owner, one.sitter))
            self.rows[place] = replace(one, owner=owner, sitter=sitter, status=status, by=by)
        return True


@dataclass
class Database:
    """The same, done by the database in one transaction, which is rolled back."""

    connection: psycopg.Connection
    today: datetime.date
    listings: list[str]
    people: list[str]
    bookings: list[str] = field(default_factory=list[str])

    def do(self, action: Action) -> bool:
        """Do it, and tell whether the database let it through."""
        try:
            with self.connection.transaction():
                return self._do(action)
        except psycopg.Error as fault:
            if (fault.sqlstate or "")[:2] not in {"23", "22"}:
                raise
            return False

    def _do(self, action: Action) -> bool:
        match action:
            case Book(listing, owner, first, end):
                columns = {"listing_id": self.listings[listing], "owner_id": self.people[owner]}
                self._insert({**columns, "days": self._days(first, end)})
            case Block(listing, first, end):
                columns = {"listing_id": self.listings[listing], "status": "blocked"}
                self._insert({**columns, "days": self._days(first, end)})
            case Unblock(booking) | Pass(booking) | RunOut(booking) | Step(booking) if booking >= len(self.bookings):
                pass
            case Step(booking, to, by, why):
                query = "SELECT owner_id, sitter_id FROM bookings WHERE id = %s"
                found = self._ask(query, self.bookings[booking])
                if found:
                    stranger = next((one for one in self.people if one not in found[0]), None)
                    who = {"owner": found[0][0], "sitter": found[0][1], "stranger": stranger}.get(by or "")
                    assert who is not None or by in {None, "owner", "sitter"}
                    query = "UPDATE bookings SET status = %s, status_by = %s, status_why = %s WHERE id = %s"
                    self._ask(query, to, who, why, self.bookings[booking])
            case RunOut(booking):
                ends = "least(hold_until, clock_timestamp())"  # one that has run out does not last until now
                query = f"UPDATE bookings SET hold_until = {ends} WHERE id = %s AND status = 'pending'"
                self._ask(query, self.bookings[booking])
            case Pass(booking):
                self._ask("SET LOCAL session_replication_role = replica")
                query = (
                    "UPDATE bookings SET days = daterange(lower(days) - %s, upper(days) - %s),"
                    " hold_until = hold_until - make_interval(days => %s)"
                    " WHERE id = %s AND status <> 'blocked' AND upper(days) > %s"
                )
                past = LONG_AGO + 100 * booking
                self._ask(query, past, past, past, self.bookings[booking], self.today)
                self._ask("SET LOCAL session_replication_role = origin")
            case Unblock(booking):
                self._ask("DELETE FROM bookings WHERE id = %s", self.bookings[booking])
            case Offer(listing, available):
                self._ask("UPDATE listings SET available = %s WHERE id = %s", available, self.listings[listing])
            case Leave(person):
                self._ask("DELETE FROM users WHERE id = %s", self.people[person])
        return True

    def rows(self) -> list[Row | None]:
        """What stands there, as the model says it."""
        place = {key: number for number, key in enumerate(self.people)}
        query = (
            "SELECT id, listing_id, owner_id, sitter_id, lower(days) - %s, upper(days) - %s, status::text,"
            " hold_until <= clock_timestamp(), status_by, status_why FROM bookings"
        )
        found = {
            row[0]: Row(
                self.listings.index(row[1]),
                place.get(row[2]),
                place.get(row[3]),
                row[4],
                row[5],
                row[6],
                ran_out=bool(row[7]),
                by=place.get(row[8]),
                why=row[9],
            )
            for row in self._ask(query, self.today, self.today)
        }
        return [found.get(key) for key in self.bookings]

    def _days(self, first: int, end: int) -> str:
        return f"[{self.today + datetime.timedelta(first)},{self.today + datetime.timedelta(end)})"

    def _insert(self, columns: dict[str, str]) -> None:
        marks = ", ".join(["%s"] * len(columns))
        query = f"INSERT INTO bookings ({', '.join(columns)}) VALUES ({marks}) RETURNING id"
        made = self._ask(query, *columns.values())
        self._ask("SET CONSTRAINTS ALL IMMEDIATE")
        self.bookings.append(made[0][0])

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description is not None else []


@pytest.fixture(scope="module")
def made(make_module_pets: Callable[[], Pets]) -> Iterator[Callable[[], Database]]:
    """Return a function that gives the database with its people and listings, as they were at first."""
    pets = make_module_pets()
    people = [pets.make_user() for _ in range(PEOPLE)]
    hours = 12 - datetime.datetime.now(datetime.UTC).hour
    zone = f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"  # where it is noon, so that no day passes by itself
    listings = [pets.make_listing(one, time_zone=zone) for one in people[:LISTINGS]]
    with psycopg.connect(pets.owner) as connection:

        def anew() -> Database:
            connection.rollback()
            connection.execute("SELECT")  # begins the transaction that all of an example is done in
            return Database(connection, pets.today(listings[0]), listings, people)

        yield anew
        connection.rollback()


_DAY = st.integers(-1, 9)
_LISTING, _BOOKING = st.integers(0, LISTINGS - 1), st.integers(0, 9)
ACTIONS: st.SearchStrategy[list[Action]] = st.lists(
    st.one_of(
        st.builds(Book, _LISTING, st.integers(0, PEOPLE - 1), _DAY, st.integers(0, 12)),
        st.builds(Book, _LISTING, st.integers(LISTINGS, PEOPLE - 1), st.integers(0, 9), st.integers(6, 12)),
        st.builds(Block, _LISTING, _DAY, st.integers(0, 12)),
        st.builds(
            Step,
            _BOOKING,
            st.sampled_from(sorted(_STEPS)),
            st.sampled_from(["owner", "sitter", "sitter", "stranger", None]),
            st.sampled_from(["why", "why", None]),
        ),
        st.builds(Step, _BOOKING, st.just("confirmed"), st.just("sitter"), st.none()),
        st.builds(RunOut, _BOOKING),
        st.builds(Pass, _BOOKING),
        st.builds(Unblock, _BOOKING),
        st.builds(Offer, _LISTING, st.sampled_from([True, True, False])),
        st.builds(Leave, st.integers(0, PEOPLE - 1)),
    ),
    max_size=30,
)


def agree(database: Database, actions: list[Action]) -> None:
    """Do the same to both, and look at both behind each."""
    model = Model()
    for action in actions:
        assert database.do(action) == model.do(action), action
        seen = [row and (row if row.status == "pending" else replace(row, ran_out=False)) for row in database.rows()]
        meant = [row and (row if row.status == "pending" else replace(row, ran_out=False)) for row in model.rows]
        assert seen == meant, action
        assert database.connection.execute(TWICE.encode()).fetchall() == []


@tries(40)
@given(actions=ACTIONS)
def test_the_database_says_what_the_model_says(made: Callable[[], Database], actions: list[Action]) -> None:
    say_seed()
    agree(made(), actions)


@pytest.mark.soak
@pytest.mark.parametrize("at", range(4))
def test_the_database_says_what_the_model_says_at_full_size(made: Callable[[], Database], at: int) -> None:
    search(lambda actions: agree(made(), actions), ACTIONS, count=1_000, at=at)
