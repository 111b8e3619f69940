"""A sales office: thirteen collections in which every form of reference occurs, as grown applications keep them.

Ids are ObjectIds but for sections (text), products (numbers) and invoices (documents). Some references are written in
two ways, some arrays stand on both sides, and each collection has fields that look like references and are none.
Everything converts: nothing that PostgreSQL refuses is planted here (`random_database` does that).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bson import Binary, Decimal128, Int64, ObjectId

from tests.planted.database import Builder, Database
from tests.planted.nodes import EPOCH, document
from tests.planted.planter import Blemishes, PlantedReference, PlantedRelation, object_id

SHARES = {
    "users": 6,
    "accounts": 10,
    "contacts": 12,
    "leads": 8,
    "opportunities": 10,
    "products": 2,
    "boards": 2,
    "sections": 3,
    "tasks": 15,
    "documents": 10,
    "invoices": 7,
    "comments": 8,
    "activities": 7,
}
"""Collections and how many of a hundred documents they have."""
FEWEST = 12

FIRST_NAMES = ["Ada", "Björn", "Chloé", "Dimitri", "Ewa", "Farid", "Grace", "Hüseyin", "Inés", "João", "Kateřina", "李"]
LAST_NAMES = ["Novák", "O'Neil", "Okafor", "Müller", "Sánchez", "Дорошенко", "Takahashi", "van der Berg", "Ystad"]
PLACES = ["Praha", "Kyjev", "Köln", "São Paulo", "Miami", "København"]
WORDS = ["offer", "renewal", "call", "review", "contract", "migration", "draft", "budget", "audit", "demo", "price"]
ORPHANS = Blemishes(orphans=0.02)


def generate(*, seed: int = 1, documents: int = 1000) -> Database:
    """Make the sample.

    Args:
        seed: The same seed and size give the same bytes.
        documents: About so many in all collections together; each has at least twelve.
    """
    sample = _Crm(seed, documents)
    for name in SHARES:
        make = getattr(sample, f"_{name}")
        for number, identifier in enumerate(sample.ids[name].values):
            sample.build.add(name, document(make(number, identifier)))
    return sample.build.finish()


class _Crm:
    def __init__(self, seed: int, documents: int) -> None:
        self.build = Builder("crm", "crm", seed, {"documents": documents})
        self.chance = self.build.chance
        self.plant = self.build.planter
        self.sizes = {name: max(FEWEST, documents * share // 100) for name, share in SHARES.items()}
        for name in SHARES:
            self.build.collection(name, maps={("scores",): "day"} if name == "activities" else None)
        self._make_keys()
        self._plant_references()
        self._plant_relations()
        self._plant_distractors()
        self._index()

    def _make_keys(self) -> None:
        sizes, chance = self.sizes, self.chance
        ids: dict[str, list[Any]] = {name: [object_id(chance) for _ in range(size)] for name, size in sizes.items()}
        ids["products"] = list(range(1, sizes["products"] + 1))
        ids["sections"] = [f"section-{chance.randrange(36**4):04x}-{number}" for number in range(sizes["sections"])]
        ids["invoices"] = [
            {"year": 2019 + number % 6, "number": 1 + number // 6} for number in range(sizes["invoices"])
        ]
        # A lead that was won became a contact and kept its id.
        for number in range(0, sizes["contacts"], 10):
            ids["contacts"][number] = ids["leads"][number // 10 % sizes["leads"]]
        self.ids = {name: self.plant.key(name, "_id", values) for name, values in ids.items()}
        self.emails = self.plant.key(
            "users", "email", [f"user{number}@example.com" for number in range(sizes["users"])]
        )
        self.numbers = self.plant.key("accounts", "number", [1990 + number for number in range(sizes["accounts"])])
        emails = [f"contact{number}@example.org" for number in range(sizes["contacts"])]
        self.contact_emails = self.plant.key("contacts", "email", emails)
        self.skus = self.plant.key("products", "sku", [f"SKU-{number:05}" for number in range(sizes["products"])])

    def _plant_references(self) -> None:
        ids, refer = self.ids, self.plant.reference
        mostly_ids = {"object_id": 0.85, "hex": 0.15}
        text, dbref = {"hex": 1.0}, {"dbref": 1.0}
        self.manager = refer("users", "manager", ids["users"])
        self.parent_account = refer("accounts", "parent", ids["accounts"], coverage=0.3)
        self.account_owner = refer("accounts", "assigned_to", ids["users"], forms=mostly_ids, blemishes=ORPHANS)
        self.contact_account = refer("contacts", "accountId", ids["accounts"], forms=text, blemishes=ORPHANS)
        self.contact_creator = refer("contacts", "audit.createdBy", ids["users"])
        self.lead_owner = refer("leads", "assigned_to", ids["users"], blemishes=Blemishes(others=0.02))
        # Named in the plural, one id: so it was.
        self.lead_account = refer("leads", "accountsIDs", ids["accounts"], forms=mostly_ids)
        self.deal_account = refer("opportunities", "account", ids["accounts"], blemishes=Blemishes(orphans=0.05))
        self.deal_creator = refer("opportunities", "created_by", ids["users"])
        self.deal_owner = refer("opportunities", "assigned_to", ids["users"], blemishes=ORPHANS)
        self.deal_products = refer("opportunities", "items[].sku", self.skus)
        self.board_owner = refer("boards", "user", ids["users"])
        self.board_readers = refer("boards", "sharedWith[]", ids["users"], blemishes=ORPHANS)
        self.section_board = refer("sections", "board", ids["boards"], blemishes=ORPHANS)
        self.task_section = refer("tasks", "section", ids["sections"], blemishes=ORPHANS)
        self.task_user = refer("tasks", "user", ids["users"])
        self.task_parent = refer("tasks", "parent", ids["tasks"])
        self.task_checker = refer("tasks", "checklist[].by", ids["users"], forms=mostly_ids)
        self.document_owner = refer("documents", "owner", ids["users"], forms=dbref, blemishes=ORPHANS)
        self.uploader = refer("documents", "versions[].uploaded.by", ids["users"], forms=text)
        self.invoice_account = refer("invoices", "account_number", self.numbers, blemishes=ORPHANS)
        self.invoice_issuer = refer("invoices", "issued_by", self.emails, blemishes=ORPHANS)
        self.line_product = refer("invoices", "lines[].product", ids["products"], blemishes=ORPHANS)
        self.discount_by = refer("invoices", "lines[].discounts[].approvedBy", ids["users"])
        self.replaced = refer("invoices", "replaces", ids["invoices"])
        self.comment_author = refer("comments", "author.user", ids["users"], forms=text)
        self.comment_on = {
            kind: refer("comments", "subject", ids[name], kind=(["subject_type"], kind), blemishes=ORPHANS)
            for kind, name in {"Task": "tasks", "Account": "accounts", "Lead": "leads"}.items()
        }
        self.activity_about = [
            refer("activities", "about", ids[name], forms=dbref) for name in ("opportunities", "leads")
        ]
        self.activity_invoice = refer("activities", "invoice", ids["invoices"], blemishes=ORPHANS)
        self.activity_told = refer("activities", "notified[]", self.emails)
        self.participant = {
            kind: refer(
                "activities", "participants[].ref", ids[name], forms=text, kind=(["participants", "[]", "kind"], kind)
            )
            for kind, name in {"user": "users", "contact": "contacts"}.items()
        }

    def _plant_relations(self) -> None:
        self.documents_of_tasks = self._relation("tasks", "documentIDs", "documents", "taskIDs")
        self.documents_of_accounts = self._relation("accounts", "documentsIDs", "documents", "accountsIDs")
        self.deals_of_contacts = self._relation("contacts", "opportunitiesIDs", "opportunities", "contactsIDs")
        self.watchers = self._relation("accounts", "watchers", "users", "watching_accounts", right_form="hex")

    def _relation(
        self, left: str, left_field: str, right: str, right_field: str, right_form: str = "object_id"
    ) -> PlantedRelation:
        """Plant a relation in two arrays of ids."""
        one = self.plant.reference(left, f"{left_field}[]", self.ids[right])
        other = self.plant.reference(right, f"{right_field}[]", self.ids[left], forms={right_form: 1.0})
        return self.plant.relation(one, other)

    def _plant_distractors(self) -> None:
        distract = self.plant.distractor
        self.external_id = distract("users", "external_id", "name")
        self.is_admin = distract("users", "is_admin", "boolean")
        self.company_id = distract("accounts", "company_id", "name")
        self.member_of = distract("accounts", "member_of", "name")
        self.founded = distract("accounts", "founded", "year")
        self.version = distract("accounts", "__v", "small_int")
        self.contact_id = distract("contacts", "_id", "reused_ids")
        self.lead_id = distract("leads", "_id", "reused_ids")
        self.lead_email = distract("leads", "email", "shared_text")
        self.campaign = distract("leads", "campaign", "name")
        self.position = distract("sections", "position", "small_int")
        self.priority = distract("tasks", "priority", "small_int")
        self.document_id = distract("documents", "document_id", "name")
        self.quantity = distract("invoices", "lines[].quantity", "small_int")
        self.score = distract("activities", "scores.{}", "small_int")
        self.parts = {
            (collection, field, part): distract(collection, f"{field}.{part}", "part_of_key")
            for collection, field in (("invoices", "_id"), ("invoices", "replaces"), ("activities", "invoice"))
            for part in ("year", "number")
        }
        self.reminder = distract("activities", "reminder", "date")
        self.session_id = distract("activities", "session_id", "ids_of_nothing")
        self.request_id = distract("activities", "request_id", "ids_of_nothing")

    def _index(self) -> None:
        index = self.build.index
        index("users", "email", unique=True)
        index("accounts", "number", unique=True)
        index("accounts", "assigned_to", "-createdAt")
        index("products", "sku", unique=True)
        index("contacts", "accountId")
        index("tasks", "section", "taskStatus")
        index("tasks", "dueDateAt", partialFilterExpression={"taskStatus": "ACTIVE"})
        index("documents", "title:text", "description:text")
        index("activities", "expiresAt", expireAfterSeconds=0)
        index("leads", "email", sparse=True)

    # Small parts of documents.

    def _sometimes(self, share: float, value: Any) -> Any:
        """Return the value, or None."""
        return value if self.chance.random() < share else None

    def _named(self, reference: PlantedReference, holder: Any, share: float) -> Any:
        """Return a value of a reference, or None."""
        return reference.value(holder) if self.chance.random() < share else None

    def _moment(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.chance.randint(1_500_000_000_000, 1_735_000_000_000))

    def _text(self, most: int = 5) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, most)))

    def _person(self) -> str:
        return f"{self.chance.choice(FIRST_NAMES)} {self.chance.choice(LAST_NAMES)}"

    def _loose(self, fields: dict[str, Any], rate: float = 0.5) -> dict[str, Any]:
        """Return the fields without some of those that are None: these are missing then, not null."""
        return {key: value for key, value in fields.items() if value is not None or self.chance.random() < rate}

    def _list(self, items: list[Any]) -> list[Any] | None:
        """Return the list; an empty one is now and then none at all."""
        return items or self._sometimes(0.6, items)

    def _compound(self, collection: str, field: str, key: dict[str, int] | None) -> dict[str, int] | None:
        """Return a compound key, and put its parts into the book of what looks like references."""
        for part, number in (key or {}).items():
            self.parts[collection, field, part].value(number)
        return key

    # One method a collection: the document with this number and this `_id`.

    def _users(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        return self._loose(
            {
                "_id": identifier,
                "__v": Int64(0),
                "name": self._person(),
                "email": self.emails.values[number],
                "password": self.chance.randbytes(20).hex(),
                "userStatus": self.chance.choice(["ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "PENDING"]),
                "userLanguage": self._sometimes(0.9, self.chance.choice(["cz", "en", "de", "uk"])),
                "is_admin": self.is_admin.value(self.chance.random() < 0.1),
                "external_id": self.external_id.value(self._sometimes(0.4, f"ldap:{self.chance.randrange(10**6)}")),
                "manager": self._named(self.manager, identifier, 0.8),
                "watching_accounts": self._list(self.watchers.of_right(identifier)),
                "preferences": {"theme": self.chance.choice(["dark", "light"]), "mail": self.chance.random() < 0.5},
                "createdAt": self._moment(),
            }
        )

    def _accounts(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        # Older documents hold it as text.
        employees = self.chance.randint(1, 5000)
        return self._loose(
            {
                "_id": identifier,
                "__v": Int64(self.version.value(number % 3)),
                "number": self.numbers.values[number],
                "name": f"{self.chance.choice(LAST_NAMES)} & {self.chance.choice(LAST_NAMES)}",
                "type": self.chance.choice(["Customer", "Partner", "Vendor", None]),
                "status": self.chance.choice(["Active", "Inactive"]),
                "company_id": self.company_id.value(self._sometimes(0.7, f"DE{self.chance.randrange(10**9):09}")),
                "member_of": self.member_of.value(self._sometimes(0.2, self.chance.choice(["", "Chamber", "Guild"]))),
                "founded": self.founded.value(self._sometimes(0.8, self.chance.randint(1950, 2024))),
                "employees": str(employees) if number % 4 else employees,
                "annual_revenue": self._sometimes(0.6, Decimal128(f"{self.chance.randrange(10**9)}.{number % 100:02}")),
                "billing": {"city": self.chance.choice(PLACES), "postal_code": f"{self.chance.randrange(10**5):05}"},
                "geo": {"type": "Point", "coordinates": [self.chance.uniform(-180, 180), self.chance.uniform(-90, 90)]},
                "parent": self._named(self.parent_account, identifier, 0.3),
                "assigned_to": self._named(self.account_owner, identifier, 0.9),
                "documentsIDs": self._list(self.documents_of_accounts.of_left(identifier)),
                "watchers": self._list(self.watchers.of_left(identifier)),
                "createdAt": self._moment(),
                "updatedAt": self._sometimes(0.7, self._moment()),
            }
        )

    def _contacts(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        return self._loose(
            {
                "_id": self.contact_id.value(identifier),
                "first_name": self._sometimes(0.9, self.chance.choice(FIRST_NAMES)),
                "last_name": self.chance.choice(LAST_NAMES),
                "email": self.contact_emails.values[number],
                "birthday": self._sometimes(
                    0.3, f"{self.chance.randint(1950, 2005)}-{self.chance.randint(1, 12):02}-01"
                ),
                "status": self._sometimes(0.9, self.chance.random() < 0.8),
                "tags": self._list(self.chance.sample(["vip", "cold", "press", "fair"], self.chance.randint(0, 3))),
                "accountId": self._named(self.contact_account, identifier, 0.9),
                "opportunitiesIDs": self._list(self.deals_of_contacts.of_left(identifier)),
                "audit": {"createdBy": self.contact_creator.value(identifier), "at": self._moment()},
            }
        )

    def _leads(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        # Some leads became contacts, some are users: texts that are unique elsewhere, and not meant as references.
        known = [f"contact{number * 10}@example.org", f"user{number}@example.com"]
        email = self.chance.choice(known) if number % 5 == 0 else f"lead{number}@example.net"
        return self._loose(
            {
                "_id": self.lead_id.value(identifier),
                "lastName": self.chance.choice(LAST_NAMES),
                "email": self.lead_email.value(self._sometimes(0.9, email)),
                "campaign": self.campaign.value(self._sometimes(0.5, self._text(2))),
                "status": self.chance.choice(["NEW", "CONTACTED", "QUALIFIED", "LOST", "new", None]),
                "assigned_to": self._named(self.lead_owner, identifier, 0.85),
                "accountsIDs": self._named(self.lead_account, identifier, 0.5),
                "createdAt": self._moment(),
            }
        )

    def _opportunities(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        budget = self.chance.randrange(10**6)
        return self._loose(
            {
                "_id": identifier,
                "name": self._text(),
                "status": self.chance.choice(["ACTIVE", "INACTIVE", "PENDING", "CLOSED"]),
                "budget": [Int64(budget), budget, float(budget), str(budget)][number % 7 % 4],
                "currency": self._sometimes(0.9, self.chance.choice(["EUR", "USD", "CZK"])),
                "account": self._named(self.deal_account, identifier, 0.95),
                "created_by": self.deal_creator.value(identifier),
                "assigned_to": self._named(self.deal_owner, identifier, 0.9),
                "contactsIDs": self._list(self.deals_of_contacts.of_right(identifier)),
                "items": [
                    {"sku": self.deal_products.value(identifier), "count": self.chance.randint(1, 500)}
                    for _ in range(self.chance.randint(0, 3))
                ],
                "close_date": self._sometimes(0.7, self._moment()),
                "created_on": self._moment(),
            }
        )

    def _products(self, number: int, identifier: int) -> dict[str, Any]:
        return {
            "_id": identifier,
            "sku": self.skus.values[number],
            "title": self._text(3),
            "price": Decimal128(f"{self.chance.randrange(10**5)}.{self.chance.randrange(100):02}"),
            "active": self.chance.random() < 0.9,
        }

    def _boards(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        return {
            "_id": identifier,
            "title": f"Board {number}",
            "user": self.board_owner.value(identifier),
            "sharedWith": self.board_readers.values(identifier, 4),
        }

    def _sections(self, number: int, identifier: str) -> dict[str, Any]:
        return {
            "_id": identifier,
            "title": self.chance.choice(["To do", "Doing", "Done"]),
            "board": self.section_board.value(identifier),
            "position": Int64(self.position.value(number % 4)),
        }

    def _tasks(self, _number: int, identifier: ObjectId) -> dict[str, Any]:
        return self._loose(
            {
                "_id": identifier,
                "title": self._text(),
                "content": self._sometimes(0.7, self._text(30)),
                "priority": self.priority.value(self._sometimes(0.9, self.chance.randint(1, 5))),
                "taskStatus": self.chance.choice(["ACTIVE", "PENDING", "COMPLETE"]),
                "section": self._named(self.task_section, identifier, 0.95),
                "user": self._named(self.task_user, identifier, 0.9),
                "parent": self._named(self.task_parent, identifier, 0.2),
                "documentIDs": self._list(self.documents_of_tasks.of_left(identifier)),
                "checklist": [
                    self._loose(
                        {
                            "text": self._text(),
                            "done": self.chance.random() < 0.5,
                            "by": self._named(self.task_checker, identifier, 0.7),
                        }
                    )
                    for _ in range(self.chance.randint(0, 4))
                ],
                "dueDateAt": self._sometimes(0.8, self._moment()),
            }
        )

    def _documents(self, _number: int, identifier: ObjectId) -> dict[str, Any]:
        return self._loose(
            {
                "_id": identifier,
                "title": self._text(),
                "description": self._sometimes(0.5, self._text(20)),
                "document_id": self.document_id.value(str(_uuid(self.chance.randbytes(16)))),
                "document_system_type": self.chance.choice(["INVOICE", "RECEIPT", "CONTRACT", "OFFER", "OTHER", None]),
                "checksum": Binary(self.chance.randbytes(16), 5),
                "owner": self._named(self.document_owner, identifier, 0.9),
                "taskIDs": self._list(self.documents_of_tasks.of_right(identifier)),
                "accountsIDs": self._list(self.documents_of_accounts.of_right(identifier)),
                "versions": [
                    {"size": Int64(self.chance.randrange(1 << 33)), "uploaded": self._upload(identifier)}
                    for _ in range(self.chance.randint(1, 3))
                ],
            }
        )

    def _upload(self, identifier: ObjectId) -> dict[str, Any]:
        return {"at": self._moment(), "by": self.uploader.value(identifier)}

    def _invoices(self, _number: int, identifier: dict[str, int]) -> dict[str, Any]:
        return self._loose(
            {
                "_id": self._compound("invoices", "_id", identifier),
                "account_number": self.invoice_account.value(identifier),
                "issued_by": self.invoice_issuer.value(identifier),
                "replaces": self._compound("invoices", "replaces", self._named(self.replaced, identifier, 0.1)),
                "total": Decimal128(f"{self.chance.randrange(10**6)}.00"),
                "paid": self._sometimes(0.6, self._moment()),
                "lines": [self._line(identifier) for _ in range(self.chance.randint(1, 5))],
            }
        )

    def _line(self, identifier: dict[str, int]) -> dict[str, Any]:
        discounts = [
            {"percent": self.chance.uniform(0, 20), "approvedBy": self.discount_by.value(identifier)}
            for _ in range(max(0, self.chance.randint(-2, 2)))
        ]
        return {
            "product": self.line_product.value(identifier),
            "quantity": self.quantity.value(self.chance.randint(1, 9)),
            "discounts": discounts,
        }

    def _comments(self, _number: int, identifier: ObjectId) -> dict[str, Any]:
        kind = self.chance.choice(list(self.comment_on))
        return {
            "_id": identifier,
            "text": self._text(40),
            "author": {"user": self.comment_author.value(identifier), "name": self._person()},
            "subject_type": kind,
            "subject": self.comment_on[kind].value(identifier),
            "createdAt": self._moment(),
        }

    def _activities(self, number: int, identifier: ObjectId) -> dict[str, Any]:
        kinds = self.chance.choices(list(self.participant), k=self.chance.randint(0, 3))
        # A count of days that somebody stored as a date: milliseconds as small as the ids of products.
        reminder = EPOCH + timedelta(milliseconds=self.chance.randint(1, FEWEST))
        days = [f"2024-{number % 12 + 1:02}-{day:02}" for day in self.chance.sample(range(1, 29), number % 4)]
        return self._loose(
            {
                "_id": identifier,
                "type": self.chance.choice(["call", "mail", "visit"]),
                "about": self._named(self.chance.choice(self.activity_about), identifier, 0.8),
                "invoice": self._compound("activities", "invoice", self._named(self.activity_invoice, identifier, 0.4)),
                "notified": self.activity_told.values(identifier, 3),
                "participants": [{"kind": kind, "ref": self.participant[kind].value(identifier)} for kind in kinds],
                "scores": {day: self.score.value(self.chance.randint(0, 100)) for day in days},
                "reminder": self.reminder.value(self._sometimes(0.3, reminder)),
                "session_id": self.session_id.value(object_id(self.chance)),
                "request_id": self.request_id.value(str(object_id(self.chance))),
                "expiresAt": self._sometimes(0.5, self._moment()),
            }
        )


def _uuid(content: bytes) -> str:
    text = content.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])
