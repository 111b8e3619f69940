"""A row of `profiles` as a document of MongoDB's form, and back, as the mapping carries it. Pure.

What no column takes stands in the extras that Isthmus keeps beside the row, in their place: fields that nobody named,
and values that are none of their column's. So every document that MongoDB could hold can stand here.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from bson import Decimal128

from ..addresses import fold
from .plain import plain
from .words import PRONOUNS

Row = Mapping[str, Any]
Document = dict[str, Any]

TEXTS = {
    "name": "name",
    "slug": "slug",
    "locally_based": "locally_based",
    "affiliate": "affiliate",
    "phone_number": "phone_number",
    "pusherChannelId": "pusher_channel_id",
    "pronouns.other_desc": "pronouns_other",
    "primary_address.name": "address_name",
    "primary_address.street1": "address_line1",
    "primary_address.street2": "address_line2",
    "primary_address.city": "address_locality",
    "primary_address.state": "address_region",
    "primary_address.zipcode": "address_postal_code",
    "primary_address.google_place_id": "address_google_place_id",
    "primary_address.hours": "address_hours",
    "images.primary": "primary_image_id",
    "images.primaryCDN": "primary_image_cdn",
}
"""Path → column, as everywhere below."""
_DIGITS = frozenset({"phone_number", "primary_address.zipcode"})
"""Texts that some documents hold as numbers."""
_FLAGS = {"active": "active", "whatsapp_community": "whatsapp_community"}
_NUMBERS = {"primary_address.lat": "address_lat", "primary_address.lng": "address_lng"}
_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at"}
_JSON = {
    name: name
    for name in (
        "status",
        "administrative",
        "socials",
        "counties",
        "categories",
        "gentedepana",
        "geo",
        "linked_profiles",
        "mentoring",
        "availability",
        "verification",
        "roles",
    )
}
_INSIDE = {
    "descriptions": {
        "details": "details",
        "background": "background",
        "five_words": "fiveWords",
        "tags": "tags",
        "hearaboutus": "hearaboutus",
    },
    "gallery_images": {
        f"images.gallery{number}{end}": f"gallery{number}{end}" for number in (1, 2, 3) for end in ("", "CDN")
    },
}
"""Column of jsonb → path of a document → key in the column."""
_PLACE = {
    "street1": "line1",
    "street2": "line2",
    "city": "locality",
    "state": "region",
    "zipcode": "postalCode",
    "google_place_id": "googlePlaceId",
}
"""What a place of `locations` calls its fields in a document → in the column."""
_PLACE_BACK = {column: path for path, column in _PLACE.items()}
_LARGEST = 1_000
"""No number of three digits and seven behind the point is as large."""
_MISSING: Any = object()


def document_of(row: Row, extras: Mapping[str, Any] | None = None) -> Document:
    """Return the document of a row.

    Args:
        row: Column → value.
        extras: What stands beside it, as values of documents.
    """
    found: Document = {"_id": row["id"]}
    if row["user_id"] is not None:
        found["userId"] = row["user_id"]
    found["email"] = row["email"]
    for path, column in (TEXTS | _FLAGS | _TIMES | _JSON).items():
        if row[column] is not None:
            _put(found, path, copy.deepcopy(row[column]))
    for path, column in _NUMBERS.items():
        if row[column] is not None:
            _put(found, path, float(row[column]))
    for column, keys in _INSIDE.items():
        held = _object(row[column])
        for path, key in keys.items():
            if key in held:
                _put(found, path, held[key])
    for word in row["pronouns"]:
        if word in PRONOUNS:
            _put(found, f"pronouns.{PRONOUNS[word][0]}", True)
    if row["locations"] is not None:
        found["locations"] = _renamed(row["locations"], _PLACE_BACK)
    return _merged(found, extras or {})


def row_of(document: Mapping[str, Any], before: Row | None = None) -> tuple[dict[str, Any], Document]:
    """Return what the columns of a document hold, and what stands beside them. Times that are missing are left out.

    Args:
        document: With its `_id`.
        before: The row as it is; keys of its jsonb that documents do not know stay. None: there is no row.
    """
    rest: Document = copy.deepcopy(dict(document))
    row: dict[str, Any] = {"id": _take(rest, "_id"), "user_id": _user(rest), "email": _email(rest)}
    _take(rest, "__v")
    for path, column in TEXTS.items():
        row[column] = _text(rest, path)
    for path, column in _FLAGS.items():
        row[column] = _fitting(rest, path, bool) is True
    for path, column in _NUMBERS.items():
        row[column] = _number(rest, path)
    for path, column in _TIMES.items():
        moment = _fitting(rest, path, datetime.datetime)
        if moment is not None:
            row[column] = moment
    for path, column in _JSON.items():
        row[column] = _plain(_take(rest, path))
    for column, keys in _INSIDE.items():
        row[column] = _inside(rest, keys, None if before is None else before[column])
    row["pronouns"] = _pronouns(rest)
    row["locations"] = _renamed(_plain(_take(rest, "locations")), _PLACE)
    return row, rest


def _plain(value: Any) -> Any:
    return None if value is _MISSING else plain(value)


def _user(rest: Document) -> str | None:
    return _fitting(rest, "userId", str) or None


def _email(rest: Document) -> str | None:
    email = _fitting(rest, "email", str)
    return None if email is None else fold(str(email))


def _text(rest: Document, path: str) -> str | None:
    value = _take(rest, path)
    if value is _MISSING or value is None or isinstance(value, str):
        return None if value is _MISSING else value
    if path in _DIGITS and isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    return _aside(rest, path, value)


def _number(rest: Document, path: str) -> Decimal | None:
    value = _take(rest, path)
    if value is _MISSING or value is None or value == "":
        return None
    if isinstance(value, int | float | str | Decimal128) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return _aside(rest, path, value)
        if number.is_finite() and abs(number) < _LARGEST - 1:
            return number
    return _aside(rest, path, value)


def _pronouns(rest: Document) -> list[str]:
    flags = rest.get("pronouns")
    if not isinstance(flags, dict):
        return []
    chosen: list[str] = []
    for word, keys in PRONOUNS.items():
        if _fitting(rest, f"pronouns.{keys[0]}", bool):
            chosen.append(word)
    return chosen


def _inside(rest: Document, keys: Mapping[str, str], before: Any) -> Document | None:
    """Return what a column of several fields holds; keys of nobody's stay."""
    held = {key: value for key, value in _object(before).items() if key not in keys.values()}
    for path, key in keys.items():
        value = _take(rest, path)
        if value is not _MISSING:
            held[key] = plain(value)
    return held or None


def _fitting(rest: Document, path: str, kind: type) -> Any:
    """Take a value of a kind; another one stays, and None is returned as for a missing one."""
    value = _take(rest, path)
    if value is _MISSING or value is None:
        return None
    return value if isinstance(value, kind) else _aside(rest, path, value)


def _aside(rest: Document, path: str, value: Any) -> None:
    _put(rest, path, value)


def _take(document: Document, path: str) -> Any:
    """Take what stands at a path out, and with it the objects that are empty then."""
    name, _, below = path.partition(".")
    if name not in document:
        return _MISSING
    if not below:
        return document.pop(name)
    inner = document[name]
    if not isinstance(inner, dict):
        return _MISSING
    held = cast("Document", inner)
    value = _take(held, below)
    if not held:
        del document[name]
    return value


def _put(document: Document, path: str, value: Any) -> None:
    *way, last = path.split(".")
    for name in way:
        document = document.setdefault(name, {})
    document[last] = value


def _object(value: Any) -> Document:
    return cast("Document", value) if isinstance(value, dict) else {}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(value, list):
        return value
    many = cast("list[Any]", value)
    return [
        {names.get(key, key): held for key, held in _object(one).items()} if isinstance(one, dict) else one
        for one in many
    ]


def _merged(document: Document, extras: Mapping[str, Any]) -> Document:
    for name, value in extras.items():
        inner = document.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            _merged(cast("Document", inner), cast("Mapping[str, Any]", value))
        else:
            document[name] = value
    return document
