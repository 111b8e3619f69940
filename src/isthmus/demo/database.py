"""The sample database in good order: eleven CRM collections, their references and both-sided arrays, without faults.

Every value comes from one seeded random source and a fixed calendar, so the same seed gives the same bytes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bson import Decimal128, Int64, ObjectId
from bson.binary import Binary, UuidRepresentation
from bson.dbref import DBRef

from isthmus.demo import people

Document = dict[str, Any]

EPOCH = datetime(2021, 3, 1, 8, tzinfo=UTC)
"""When the first user signed up."""

SIZES = {
    "Users": 60,
    "Accounts": 260,
    "Contacts": 720,
    "Leads": 360,
    "Opportunities": 420,
    "Documents": 380,
    "Boards": 24,
    "Sections": 84,
    "Tasks": 640,
    "TaskComments": 560,
    "Invoices": 300,
}


@dataclass(frozen=True, slots=True)
class Link:
    """An array of references and its other side: `left.left_path` holds ids of `right`, and the other way round."""

    table: str
    left: str
    left_path: str
    right: str
    right_path: str


LINKS = (
    Link("account_watchers", "Accounts", "watchers", "Users", "watching_accountsIDs"),
    Link("board_watchers", "Boards", "watchers", "Users", "watching_boardsIDs"),
    Link("accounts_to_documents", "Accounts", "documentsIDs", "Documents", "accountsIDs"),
    Link("contacts_to_documents", "Contacts", "documentsIDs", "Documents", "contactsIDs"),
    Link("leads_to_documents", "Leads", "documentsIDs", "Documents", "leadsIDs"),
    Link("opportunities_to_documents", "Opportunities", "connected_documents", "Documents", "opportunitiesIDs"),
    Link("tasks_to_documents", "Tasks", "documentIDs", "Documents", "tasksIDs"),
    Link("invoices_to_documents", "Invoices", "documentsIDs", "Documents", "invoiceIDs"),
    Link("contacts_to_opportunities", "Contacts", "opportunitiesIDs", "Opportunities", "connected_contacts"),
)

REFERENCES: tuple[tuple[str, str, str, bool], ...] = (
    ("Accounts", "assigned_to", "Users", False),
    ("Accounts", "createdBy", "Users", False),
    ("Accounts", "plan", "Plans", False),
    ("Contacts", "accountsIDs", "Accounts", False),
    ("Contacts", "assigned_to", "Users", False),
    ("Leads", "accountsIDs", "Accounts", False),
    ("Leads", "assigned_to", "Users", False),
    ("Opportunities", "account", "Accounts", False),
    ("Opportunities", "assigned_to", "Users", False),
    ("Opportunities", "contact", "Contacts", False),
    ("Documents", "created_by_user", "Users", False),
    ("Boards", "user", "Users", False),
    ("Sections", "board", "Boards", True),
    ("Tasks", "section", "Sections", False),
    ("Tasks", "user", "Users", False),
    ("TaskComments", "task", "Tasks", True),
    ("TaskComments", "user", "Users", False),
    ("Invoices", "accountsIDs", "Accounts", False),
    ("Invoices", "assigned_user_id", "Users", False),
)
"""Collection, path, collection it points at, whether a document is worthless without it."""


@dataclass(slots=True)
class Database:
    """Documents by collection, and the random source that goes on making them."""

    rng: Random
    collections: dict[str, list[Document]] = field(default_factory=dict[str, list[Document]])
    _counter: int = 0
    _machine: bytes = b""

    def new_id(self, at: datetime) -> ObjectId:
        """Return an ObjectId made at `at`; ascending within one second."""
        if not self._machine:
            self._machine = self.rng.randbytes(5)
            self._counter = self.rng.randrange(1 << 20)
        self._counter += 1
        seconds = int(at.timestamp())
        return ObjectId(seconds.to_bytes(4, "big") + self._machine + self._counter.to_bytes(3, "big"))

    def some(self, collection: str) -> ObjectId:
        """Return the id of a random document."""
        return self.rng.choice(self.collections[collection])["_id"]

    def maybe(self, collection: str, share: float = 0.9) -> ObjectId | None:
        """Return a random document's id, or None."""
        return self.some(collection) if self.rng.random() < share else None

    def instant(self) -> datetime:
        """Return an instant in the four years after `EPOCH`, to the millisecond."""
        return EPOCH + timedelta(milliseconds=self.rng.randrange(4 * 365 * 86_400_000))


def make_database(seed: int) -> Database:
    """Make all collections."""
    database = Database(Random(seed))  # noqa: S311 - repeatable on purpose
    database.collections["Plans"] = _plans(database)
    makers = {
        "Users": _user,
        "Accounts": _account,
        "Contacts": _contact,
        "Leads": _lead,
        "Opportunities": _opportunity,
        "Documents": _document,
        "Boards": _board,
        "Sections": _section,
        "Tasks": _task,
        "TaskComments": _comment,
        "Invoices": _invoice,
    }
    for name, make in makers.items():
        instants = sorted(database.instant() for _ in range(SIZES[name]))
        database.collections[name] = [make(database, number, at) for number, at in enumerate(instants)]
    database.collections["Sessions"] = [
        {"_id": database.new_id(database.instant()), "token": database.rng.randbytes(16).hex(), "user": one["_id"]}
        for one in database.collections["Users"][:30]
    ]
    for link in LINKS:
        _connect(database, link)
    return database


def _connect(database: Database, link: Link) -> None:
    """Fill both arrays of a link; every eleventh pair stands on the left side only, every thirteenth on the right."""
    left, right = database.collections[link.left], database.collections[link.right]
    for one in left:
        one[link.left_path] = []
    for other in right:
        other[link.right_path] = []
    number = 0
    for one in left:
        for other in database.rng.sample(right, database.rng.choice((0, 0, 1, 1, 2, 3))):
            number += 1
            if number % 13:
                one[link.left_path].append(other["_id"])
            if number % 11:
                other[link.right_path].append(one["_id"])


def _plans(database: Database) -> list[Document]:
    """A small collection that grew over years: its `_id`s are of every type that people use."""
    ids: list[Any] = [
        "basic",
        "5",
        5,
        Int64(1 << 40),
        2.5,
        Decimal128("10.00"),
        True,
        datetime(2022, 1, 1, tzinfo=UTC),
        {"region": "EU", "level": 2},
        Binary.from_uuid(uuid.UUID("8c1f8f0e-51d5-4f4b-9d2e-0c7a3c2b9f10"), UuidRepresentation.STANDARD),
        "65f0c0ffee65f0c0ffee0001",
        database.new_id(EPOCH),
    ]
    return [
        {
            "_id": one,
            "name": f"Plan {number}",
            "price": Decimal128(Decimal(number * 1000 + 990) / 100),
            "features": people.tags(database.rng),
            "limits": {"seats": number * 5, "storage": Int64(number << 33), "beta": number % 3 == 0},
        }
        for number, one in enumerate(ids)
    ]


def _user(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    first, last = rng.choice(people.FIRST), rng.choice(people.LAST)
    user: Document = {
        "_id": database.new_id(at),
        "__v": Int64(rng.randrange(3)),
        "name": f"{first} {last}",
        "email": f"user{number:03d}@example.com",
        "password": people.password_hash(rng),
        "is_admin": number == 0,
        "userStatus": rng.choice(("ACTIVE", "ACTIVE", "PENDING", "INACTIVE")),
        "userLanguage": rng.choice(("cz", "en", "de", "uk")),
        "created_on": at,
        "preferences": {
            "theme": rng.choice(("dark", "light")),
            "notifications": {"email": rng.random() < 0.7, "push": rng.random() < 0.3},
        },
    }
    if rng.random() < 0.3:
        user["openAiKey"] = "sk-" + rng.randbytes(18).hex()
    if rng.random() < 0.8:
        user["lastLoginAt"] = database.instant()
    return user


def _account(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    account: Document = {
        "_id": database.new_id(at),
        "__v": rng.randrange(3),
        "name": people.company(rng),
        "email": f"office{number}@example.net",
        "office_phone": people.phone(rng),
        "website": rng.choice((None, f"https://example.net/{number}?a=1&b=2")),
        "annual_revenue": Int64(rng.randrange(10**5, 10**12)),
        "employees": rng.choice((rng.randrange(1, 900), str(rng.randrange(1, 900)), float(rng.randrange(1, 900)))),
        "status": rng.choice(("Active", "Inactive")),
        "billing": {
            "street": f"{rng.choice(people.LAST)} {rng.randrange(1, 200)}",
            "city": rng.choice(people.CITY),
            "postal_code": f"{rng.randrange(100000):05d}",
        },
        "tags": people.tags(rng),
        "createdAt": at,
        "createdBy": database.some("Users"),
        "assigned_to": database.maybe("Users"),
    }
    if rng.random() < 0.5:
        account["plan"] = rng.choice(database.collections["Plans"])["_id"]
    if number % 9 == 0:
        account["date_created"] = at.date().isoformat()
        account["billing"]["gps"] = [round(rng.uniform(45, 55), 5), round(rng.uniform(5, 25), 5)]
    return account


def _contact(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    account = database.maybe("Accounts")
    contact: Document = {
        "_id": database.new_id(at),
        "__v": 0,
        "first_name": rng.choice((rng.choice(people.FIRST), None)),
        "last_name": rng.choice(people.LAST),
        "email": f"contact{number}@example.org",
        "mobile_phone": people.phone(rng),
        "status": rng.random() < 0.9,
        "accountsIDs": str(account) if account is not None and number % 7 == 0 else account,
        "assigned_to": database.maybe("Users"),
        "notes": rng.sample(people.SENTENCE, rng.randrange(3)),
        "created_on": at,
        "social": {"linkedin": f"https://example.com/in/{number}", "skype": None},
    }
    if rng.random() < 0.4:
        birthday = datetime(rng.randrange(1950, 2004), rng.randrange(1, 13), rng.randrange(1, 29), tzinfo=UTC)
        contact["birthday"] = birthday
    if rng.random() < 0.1:
        del contact["status"]
    return contact


def _lead(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    lead: Document = {
        "_id": database.new_id(at),
        "firstName": rng.choice(people.FIRST),
        "lastName": rng.choice(people.LAST),
        "company": people.company(rng),
        "email": f"lead{number}@example.org",
        "phone": people.phone(rng),
        "description": rng.choice(people.SENTENCE),
        "status": rng.choice(("NEW", "CONTACTED", "QUALIFIED", "LOST")),
        "score": rng.choice((rng.randrange(100), round(rng.uniform(0, 100), 3))),
        "location": {"lat": round(rng.uniform(45, 55), 6), "lng": round(rng.uniform(5, 25), 6)},
        "assigned_to": database.maybe("Users"),
        "accountsIDs": database.maybe("Accounts", 0.4),
        "createdAt": at,
    }
    if number % 12 == 0:
        lead["date_modify"] = at + timedelta(days=3)
        lead["last_activity_by"] = database.some("Users")
    return lead


def _opportunity(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    midnight = (at + timedelta(days=rng.randrange(30, 200))).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "_id": database.new_id(at),
        "name": f"{rng.choice(people.TRADE)} for {people.company(rng)} #{number}",
        "account": database.maybe("Accounts"),
        "contact": database.maybe("Contacts", 0.6),
        "assigned_to": database.maybe("Users"),
        "budget": rng.choice((Int64(rng.randrange(10**6)), float(rng.randrange(10**6)), rng.randrange(10**6))),
        "expected_revenue": Int64(rng.randrange(10**10)),
        "probability": rng.choice((10, 12.5, 25, 45.75, 95)),
        "currency": rng.choice(("EUR", "CZK", "USD")),
        "status": rng.choice(("ACTIVE", "INACTIVE", "PENDING", "CLOSED")),
        "close_date": rng.choice((midnight, None)),
        "next_step": rng.choice(people.SENTENCE),
    }


def _document(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    size = rng.randrange(10**7)
    document: Document = {
        "_id": database.new_id(at),
        "document_name": f"{rng.choice(people.THING)} {number}.pdf",
        "description": rng.choice((None, rng.choice(people.SENTENCE))),
        "document_file_mimeType": "application/pdf",
        "document_file_url": f"https://files.example.com/{number}",
        "document_system_type": rng.choice(("INVOICE", "RECEIPT", "CONTRACT", "OFFER", "OTHER")),
        "size": rng.choice((size, Int64(size), float(size))),
        "checksum": Binary(rng.randbytes(20)),
        "key": Binary.from_uuid(uuid.UUID(bytes=rng.randbytes(16), version=4), UuidRepresentation.STANDARD),
        "tags": people.tags(rng),
        "meta": {"pages": rng.randrange(1, 60), "scanned": rng.choice((True, False)), "dpi": rng.choice((150.0, 300))},
        "created_by_user": database.maybe("Users"),
        "date_created": at,
    }
    if number % 6 == 0:
        document["thumbnail"] = Binary(rng.randbytes(48))
    return document


def _board(database: Database, number: int, at: datetime) -> Document:
    return {
        "_id": database.new_id(at),
        "title": f"{database.rng.choice(people.TRADE)} board",
        "favourite": database.rng.choice((True, False, None)),
        "position": Int64(number),
        "user": database.some("Users"),
        "createdAt": at,
    }


def _section(database: Database, number: int, at: datetime) -> Document:
    title = ("To do", "Doing", "Done")[number % 3]
    return {"_id": database.new_id(at), "title": title, "position": number % 3, "board": database.some("Boards")}


def _task(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    task: Document = {
        "_id": database.new_id(at),
        "__v": 0,
        "title": f"{rng.choice(people.VERB)} {rng.choice(people.THING)}",
        "content": rng.choice(people.SENTENCE),
        "priority": rng.choice(("low", "normal", "high")),
        "position": rng.randrange(50),
        "estimate": rng.choice((None, 0.5, 1.25, 8, Decimal128("2.50"))),
        "taskStatus": rng.choice(("ACTIVE", "PENDING", "COMPLETE")),
        "dueDateAt": at + timedelta(days=rng.randrange(1, 60)),
        "section": database.maybe("Sections", 0.95),
        "user": database.maybe("Users"),
        "tags": rng.choice((people.tags(rng), {"color": "red", "since": at}, None)),
        "steps": [
            {"name": f"{rng.choice(people.VERB)} it", "done": rng.random() < 0.5, "at": at + timedelta(hours=hours)}
            for hours in range(rng.choice((0, 0, 1, 2, 4)))
        ],
    }
    if number % 5 == 0:
        task["checklists"] = [
            {"title": f"List {one}", "items": [{"text": rng.choice(people.THING)} for _ in range(rng.randrange(4))]}
            for one in range(rng.randrange(1, 3))
        ]
    if number % 4 == 0:
        # Users near the start of the collection are never faulty, so ids inside JSON always lead somewhere.
        reviewers = rng.sample(database.collections["Users"][:40], rng.randrange(1, 3))
        task["reviewers"] = [{"userId": one["_id"], "verdict": rng.choice(("ok", "no", None))} for one in reviewers]
    if number % 8 == 0:
        task["likes"] = rng.randrange(10)
    if number % 10 == 3:
        task["account"] = None
    return task


def _comment(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    comment: Document = {
        "_id": database.new_id(at),
        "comment": rng.choice(people.SENTENCE),
        "task": database.some("Tasks"),
        "user": str(database.some("Users")),
    }
    if number % 3:
        comment["createdAt"] = at
    return comment


def _invoice(database: Database, number: int, at: datetime) -> Document:
    rng = database.rng
    lines = [
        {
            "description": rng.choice(people.THING),
            "quantity": rng.choice((1, 2, 0.5, Decimal128("1.250"))),
            "unit_price": Decimal128(Decimal(rng.randrange(100, 10**6)) / 100),
        }
        for _ in range(rng.randrange(1, 4))
    ]
    total = sum((Decimal(str(line["quantity"])) * Decimal(str(line["unit_price"])) for line in lines), start=Decimal(0))
    return {
        "_id": database.new_id(at),
        "invoice_number": Int64(20_240_000 + number),
        "partner": people.company(rng),
        "accountsIDs": database.maybe("Accounts"),
        "assigned_user_id": DBRef("Users", database.some("Users")),
        "date_issued": at,
        "currency": rng.choice(("EUR", "CZK")),
        "total": Decimal128(total.quantize(Decimal("0.01"))),
        "paid": rng.choice((True, False)),
        "lines": lines,
    }
