"""Plain values of sound documents: texts, numbers, dates, JSON, by the name of their field."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bson import Decimal128, Int64, ObjectId

Make = Callable[[int, int], Any]
"""Takes a document's number and the time of its making (seconds), gives a value."""

FIRST_NAMES = ("Ada", "Björn", "Chloé", "Dmytro", "Ewa", "Farid", "Grace", "Hüseyin", "Inés", "João", "Kateřina", "李")
LAST_NAMES = ("Novák", "O'Neil", "Okafor", "Müller", "Sánchez", "Дорошенко", "Takahashi", "van der Berg", "Ystad")
CITIES = ("Praha", "Kyjev", "Köln", "São Paulo", "Miami", "København", "Łódź", 'Town "X"')
WORDS = (
    "offer",
    "renewal",
    "call",
    "review",
    "smlouva",
    "migration",
    "Angebot",
    "budget",
    "аудит",
    "demo",
    "price",
    "🚀",
)
DAY = 86_400

_CHOICES: dict[str, tuple[str, ...]] = {
    "currency": ("CZK", "EUR", "USD"),
    "invoice_currency": ("CZK", "EUR", "USD"),
    "currency_symbol": ("Kč", "€", "$"),
    "priority": ("low", "medium", "high", "critical"),
    "visibility": ("public", "private"),
    "invoice_language": ("cz", "en", "de", "uk"),
    "invoice_type": ("taxInvoice", "creditNote", "proforma"),
    "document_file_mimeType": ("application/pdf", "image/png", "text/plain"),
    "invoice_file_mimeType": ("application/pdf", "image/png"),
    "lead_source": ("web", "fair", "friend"),
    "position": ("CEO", "CTO", "buyer", "Einkäufer"),
    "rossum_status": ("importing", "to_review", "exported"),
}
_OFTEN = {
    "crm_Accounts.status": ("Active", "Pending", "Inactive"),
    "crm_Accounts.type": ("Customer", "Partner", "Vendor"),
    "crm_Contacts.type": ("Customer", "Prospect", "Partner"),
    "crm_Leads.status": ("NEW", "CONTACTED", "LOST"),
    "crm_Leads.type": ("DEMO", "DEMO", "OTHER"),
    "crm_campaigns.status": ("ACTIVE", "PENDING", "INACTIVE"),
    "Invoices.status": ("new", "paid", "cancelled"),
    "Documents.status": ("ACTIVE", "PENDING", "INACTIVE"),
}
"""Texts in use as 70, 20 and 10 of a hundred."""
_LATER = {
    "dueDateAt": 14,
    "close_date": 60,
    "date_due": 30,
    "startDate": 10,
    "endDate": 400,
    "renewalReminderDate": 370,
}
"""Days behind the document's making at which a date lies at the earliest; others are of the days after it."""


class Values:
    """Makers of values, all fed by one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.roll = chance.random
        """The source of chance: a number from 0 to 1."""

    def often(self, options: tuple[str, ...]) -> Make:
        """70, 20 and 10 of a hundred; what is behind the third shares the last tenth."""
        roll, rest = self.roll, options[2:] or options[-1:]

        def make(number: int, _created: int) -> str:
            part = roll()
            if part < 0.7:
                return options[0]
            return options[min(1, len(options) - 1)] if part < 0.9 else rest[number % len(rest)]

        return make

    def text(self, collection: str, field: str) -> Make:
        """Texts as people write them into a field of that name."""
        if f"{collection}.{field}" in _OFTEN:
            return self.often(_OFTEN[f"{collection}.{field}"])
        if field in _CHOICES:
            options = _CHOICES[field]
            return lambda number, _created: options[number % len(options)]
        plain = _BY_NAME.get(field)
        if plain is not None:
            return plain
        low = field.lower()
        for part, make in _BY_PART:
            if part in low:
                return make
        return lambda number, _created: f"{field} {WORDS[number % len(WORDS)]} {number}"

    def long(self, field: str) -> Make:
        """Longs, as the application's driver writes every whole number."""
        roll = self.roll
        most = {"__v": 3, "probability": 100, "likes": 20, "size": 9_000_000}.get(field)
        if most is None:
            most = 40 if "osition" in field or field == "order" else 900_000
        return lambda _number, _created: Int64(int(roll() * most))

    def date(self, field: str) -> Make:
        """Instants with milliseconds."""
        roll, later = self.roll, _LATER.get(field, 0) * DAY

        def make(_number: int, created: int) -> datetime:
            part = roll()
            at = datetime.fromtimestamp(created + later + int(part * 9 * DAY), UTC)
            return at.replace(microsecond=int(part * 1e7) % 1000 * 1000)

        return make

    def bool(self) -> Make:
        """Either."""
        roll = self.roll
        return lambda _number, _created: roll() < 0.5

    def json(self, field: str) -> Make:
        """JSON of no fixed form, with the types of BSON that JSON has no word for."""
        return _items if field == "invoice_items" else _tags

    def texts(self) -> Make:
        """Lists of texts, empty ones too."""
        return lambda number, _created: [f"{WORDS[(number + i) % len(WORDS)]}" for i in range(number % 4)]


def _name(number: int, _created: int) -> str:
    return f"{FIRST_NAMES[number % 12]} {LAST_NAMES[number // 5 % 9]}"


def _sentence(number: int, _created: int) -> str:
    return (
        f"{WORDS[number % 12]} {WORDS[number // 7 % 12]} – {WORDS[number // 11 % 12]} “{number}”\n{CITIES[number % 8]}"
    )


def _email(number: int, _created: int) -> str:
    return f"mail.{number}@example.org"


def _phone(number: int, _created: int) -> str:
    return f"+420 {600 + number % 190} {number % 1000:03} {number * 7 % 1000:03}"


def _url(number: int, _created: int) -> str:
    return f"https://example.com/f/{number}?x=%20"


def _amount(number: int, _created: int) -> str:
    return f"{number * 37 % 100_000}.{number % 100:02}"


def _tags(number: int, created: int) -> Any:
    kind = number % 8
    if kind == 0:
        return [{"name": WORDS[number % 12], "color": f"#{number % 0xFFFFFF:06x}"}]
    if kind == 1:
        return {"by": ObjectId(created.to_bytes(4, "big") + bytes(8)), "at": datetime.fromtimestamp(created, UTC)}
    if kind == 2:
        return [WORDS[number % 12], None, True, Int64(number), 1.5, Decimal128("10.50")]
    if kind == 3:
        return []
    return [WORDS[number % 12], WORDS[number // 3 % 12]]


def _items(number: int, _created: int) -> list[dict[str, Any]]:
    return [
        {
            "description": f"{WORDS[(number + line) % 12]} „{line}“",
            "quantity": line + 1,
            "unit_price": Decimal128(f"{number % 900}.{line}0"),
            "tax": {"rate": 21.0, "included": bool(line % 2)},
        }
        for line in range(1 + number % 4)
    ]


_BY_NAME: dict[str, Make] = {
    "birthday": lambda number, _created: f"{1 + number % 28}/{1 + number % 12}/{1950 + number % 50}",
    "createdAt": lambda _number, created: datetime.fromtimestamp(created, UTC).isoformat(),
    "annual_revenue": _amount,
    "invoice_amount": _amount,
    "employees": lambda number, _created: str(number % 5000),
    "password": lambda number, _created: f"$2b$12${number * 2_654_435_761 % 10**22:022}{number:031}",
    "name": _name,
    "first_name": lambda number, _created: FIRST_NAMES[number % 12],
    "firstName": lambda number, _created: FIRST_NAMES[number % 12],
    "username": lambda number, _created: f"u{number}",
}
_BY_PART: tuple[tuple[str, Make], ...] = (
    ("email", _email),
    ("prefix", lambda _number, _created: "+420"),
    ("phone", _phone),
    ("url", _url),
    ("website", _url),
    ("avatar", _url),
    ("description", _sentence),
    ("content", _sentence),
    ("next_step", _sentence),
    ("city", lambda number, _created: CITIES[number % 8]),
    ("zip", lambda number, _created: f"{number % 90_000 + 10_000}"),
    ("postal_code", lambda number, _created: f"{number % 90_000 + 10_000}"),
    ("symbol", lambda number, _created: f"{number:010}"),
)
