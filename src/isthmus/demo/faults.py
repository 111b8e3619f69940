"""What is wrong in the sample database: each fault of real data once or a few times, each with a stated fate.

A fault is planted into a document that has none yet, and recorded. Faults that no encoder would write (broken UTF-8, a
lying length, an unknown type, a key twice) are patches of the encoded bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bson import Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef

from isthmus.demo import people
from isthmus.demo.database import EPOCH, Database, Document

Patch = Callable[[bytes], bytes]

YEAR_300000_MS = 9_404_943_177_600_000
"""Some day in the year 300000, milliseconds since 1970; PostgreSQL's timestamps end in 294276."""

_DEPTH = 120
_NO_USER = ObjectId("5f5f5f5f5f5f5f5f5f5f0001")
_NO_TASK = ObjectId("5f5f5f5f5f5f5f5f5f5f0002")
_NO_ACCOUNT = ObjectId("5f5f5f5f5f5f5f5f5f5f0003")
_NO_SECTION = ObjectId("5f5f5f5f5f5f5f5f5f5f0004")
_NO_CONTACT = ObjectId("5f5f5f5f5f5f5f5f5f5f0005")
_NO_DOCUMENT = ObjectId("5f5f5f5f5f5f5f5f5f5f0006")


@dataclass(slots=True)
class Faults:
    """What was planted.

    Attributes:
        planted: One record a fault: collection, id (24 hex digits), path, kind, fate, and the code of a dead letter.
        dead: Ids per collection that become dead letters for their own sake, without those that follow.
        skipped: Ids per collection that the mapping's conditions leave out.
        patches: What happens to a document's encoded bytes, by its id.
    """

    planted: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    dead: dict[str, set[Any]] = field(default_factory=dict[str, set[Any]])
    skipped: dict[str, set[Any]] = field(default_factory=dict[str, set[Any]])
    patches: dict[ObjectId, Patch] = field(default_factory=dict[ObjectId, Patch])


class _Planter:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.faults = Faults()
        self._used: set[ObjectId] = set()

    def pick(self, collection: str) -> Document:
        """Return a document without a fault."""
        while True:
            one = self.database.rng.choice(self.database.collections[collection][40:])
            if one["_id"] not in self._used:
                self._used.add(one["_id"])
                return one

    def record(self, collection: str, document: Document, path: str, kind: str, fate: str, *, code: str = "") -> None:
        entry = {"collection": collection, "id": str(document["_id"]), "path": path, "kind": kind, "fate": fate}
        self.faults.planted.append({**entry, "code": code} if code else entry)

    def dead(self, collection: str, path: str, code: str, kind: str) -> Document:
        """Pick a document that becomes a dead letter with `code`; the caller breaks it."""
        one = self.pick(collection)
        self.kill(collection, one, path, code, kind)
        return one

    def kill(self, collection: str, document: Document, path: str, code: str, kind: str) -> None:
        self.faults.dead.setdefault(collection, set()).add(document["_id"])
        self.record(collection, document, path, kind, "dead_letter", code=code)

    def value(self, collection: str, path: str, value: object, code: str, kind: str) -> None:
        self.dead(collection, path, code, kind)[path] = value

    def orphan(self, collection: str, path: str, value: object) -> None:
        one = self.pick(collection)
        one[path] = value
        self.record(collection, one, path, "orphan", "null")


def plant(database: Database) -> Faults:
    """Break some of the documents of a freshly made database, in place."""
    planter = _Planter(database)
    _values(planter)
    _bytes(planter)
    _policies(planter)
    _users(planter)
    _orphans(planter)
    _deleted(planter)
    return planter.faults


def _values(planter: _Planter) -> None:
    """Values that do not fit their column."""
    for _ in range(2):
        one = planter.dead("Contacts", "email", "nul", "NUL in an e-mail address")
        one["email"] = one["email"].replace("@", "\0@")
    planter.value("Contacts", "status", "Inactive", "type", "text of an older schema in a boolean")
    planter.value("Accounts", "employees", "about 50", "type", "text that is no number")
    planter.value("Opportunities", "budget", 1200.5, "fraction", "fraction in an integer")
    planter.value("Opportunities", "currency", "EURO", "too-long", "text longer than its column")
    midday = EPOCH + timedelta(days=400, hours=4)
    planter.value("Opportunities", "close_date", midday, "time-of-day", "time of day in a date")
    planter.value("Invoices", "invoice_number", Int64(5_000_000_000), "out-of-range", "64-bit number in 32 bits")
    planter.value("Invoices", "discount_code", "SPRING", "unknown-field", "field nobody named, where none is allowed")
    wrong = DBRef("Contacts", planter.database.some("Contacts"))
    planter.value("Invoices", "assigned_user_id", wrong, "wrong-collection", "DBRef to another collection")
    planter.value("Tasks", "taskStatus", "Active", "enum", "value outside its enum")
    planter.value("Tasks", "steps", "none", "not-an-array", "text where an array belongs")
    planter.value("Leads", "lastName", None, "required", "null in a required field")
    del planter.dead("Leads", "lastName", "required", "required field missing")["lastName"]
    planter.value("Documents", "date_created", DatetimeMS(YEAR_300000_MS), "range", "date in the year 300000")
    nested: Document = {}
    for _ in range(_DEPTH):
        nested = {"in": nested}
    planter.value("Documents", "meta", nested, "nesting", "nested deeper than MongoDB allows")


def _bytes(planter: _Planter) -> None:
    """Bytes that no driver writes any more."""
    one = planter.dead("Contacts", "last_name", "utf8", "text that is not UTF-8")
    one["last_name"] = "Nov~~k"
    planter.faults.patches[one["_id"]] = _replace(b"Nov~~k", b"Nov\xe1\xf8k")
    one = planter.dead("TaskComments", "comment", "bson", "string longer than its document")
    planter.faults.patches[one["_id"]] = _lie_about_length
    one = planter.dead("TaskComments", "comment", "bson-type", "type that BSON does not have")
    planter.faults.patches[one["_id"]] = _replace(b"\x02comment\0", b"\x21comment\0")
    one = planter.pick("Leads")
    one["companx"] = one["company"] + " (renamed)"
    planter.faults.patches[one["_id"]] = _replace(b"companx\0", b"company\0")
    planter.record("Leads", one, "company", "key twice", "last_wins")


def _replace(old: bytes, new: bytes) -> Patch:
    def patch(raw: bytes) -> bytes:
        if raw.count(old) != 1 or len(old) != len(new):
            raise ValueError(f"{old!r} does not stand exactly once in the document")
        return raw.replace(old, new)

    return patch


def _lie_about_length(raw: bytes) -> bytes:
    at = raw.index(b"\x02comment\0") + len(b"\x02comment\0")
    return raw[:at] + (0x7FFFFFF0).to_bytes(4, "little") + raw[at + 4 :]


def _policies(planter: _Planter) -> None:
    """Values that the mapping's policies change and list."""
    for _ in range(3):
        one = planter.pick("Leads")
        one["description"] = "scanned\0 card"
        planter.record("Leads", one, "description", "NUL in text", "adjusted", code="nul_removed")
    for _ in range(2):
        one = planter.pick("Documents")
        one["document_name"] = "p~~l.pdf"
        planter.faults.patches[one["_id"]] = _replace(b"p~~l.pdf", b"p\xf8\xedl.pdf")
        planter.record("Documents", one, "document_name", "text that is not UTF-8", "adjusted", code="utf8_replaced")
    one = planter.pick("Documents")
    one["meta"] = {"pages": 3, "confidence": float("nan")}
    planter.record("Documents", one, "meta", "NaN in JSON", "adjusted", code="nan_null")
    one = planter.pick("Tasks")
    one["dueDateAt"] = DatetimeMS(YEAR_300000_MS)
    planter.record("Tasks", one, "dueDateAt", "date in the year 300000", "adjusted", code="range_infinity")


def _users(planter: _Planter) -> None:
    """Two people who signed up twice; somebody gave a task to one of the second accounts."""
    database = planter.database
    users = database.collections["Users"]
    for number in (3, 7):
        at = EPOCH + timedelta(days=4 * 365 + number)
        twin: Document = {
            **users[number],
            "_id": database.new_id(at),
            "password": people.password_hash(database.rng),
            "created_on": at,
            "watching_accountsIDs": [],
            "watching_boardsIDs": [],
        }
        users.append(twin)
        planter.kill("Users", twin, "email", "duplicate-key", "second user with one e-mail address")
    task = planter.pick("Tasks")
    task["user"] = users[-1]["_id"]
    planter.record("Tasks", task, "user", "reference to a dead letter", "null")


def _orphans(planter: _Planter) -> None:
    """References and pairs that lead nowhere."""
    for _ in range(3):
        planter.orphan("Accounts", "assigned_to", _NO_USER)
    planter.orphan("Accounts", "plan", "gold")
    planter.orphan("Contacts", "accountsIDs", _NO_ACCOUNT)
    planter.orphan("Contacts", "accountsIDs", str(_NO_ACCOUNT))
    planter.orphan("Tasks", "section", _NO_SECTION)
    planter.orphan("Tasks", "section", _NO_SECTION)
    planter.orphan("Opportunities", "contact", _NO_CONTACT)
    planter.value("TaskComments", "task", _NO_TASK, "orphan", "required reference that leads nowhere")
    for collection, path, value in (
        ("Accounts", "watchers", _NO_USER),
        ("Accounts", "watchers", _NO_USER),
        ("Contacts", "documentsIDs", _NO_DOCUMENT),
    ):
        one = planter.pick(collection)
        one[path].append(value)
        planter.record(collection, one, path, "pair that leads nowhere", "pair_dropped")
    for collection, path in (("Accounts", "documentsIDs"), ("Tasks", "documentIDs"), ("Leads", "documentsIDs")):
        one = planter.pick(collection)
        while not one[path]:
            one = planter.pick(collection)
        one[path].append(one[path][0])
        planter.record(collection, one, path, "pair twice", "once")
    one = planter.pick("Tasks")
    one["documentIDs"].append(None)
    planter.record("Tasks", one, "documentIDs", "null among references", "left_out")


def _deleted(planter: _Planter) -> None:
    """Tasks in the bin, with their comments; the mapping skips both."""
    for _ in range(6):
        task = planter.pick("Tasks")
        task["deleted"] = True
        planter.faults.skipped.setdefault("Tasks", set()).add(task["_id"])
        planter.record("Tasks", task, "deleted", "task in the bin", "skipped")
        for comment in planter.database.collections["TaskComments"]:
            if comment["task"] == task["_id"] and comment["_id"] not in planter.faults.dead["TaskComments"]:
                comment["deleted"] = True
                planter.faults.skipped.setdefault("TaskComments", set()).add(comment["_id"])
                planter.record("TaskComments", comment, "deleted", "comment on a task in the bin", "skipped")
