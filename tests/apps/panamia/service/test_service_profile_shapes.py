"""Pure rules of profiles: odd values are read, rows and documents are one, saves touch what they name, slugs."""

from __future__ import annotations

import copy
import datetime
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from pydantic import TypeAdapter, ValidationError

from apps.panamia.models import Base
from apps.panamia.service.profiles import document as profile_document
from apps.panamia.service.profiles.columns import document_of, row_of
from apps.panamia.service.profiles.document import UserId, profile_of
from apps.panamia.service.profiles.inputs import SaveProfile
from apps.panamia.service.profiles.leniently import is_safe_link
from apps.panamia.service.profiles.saving import change_of
from apps.panamia.service.profiles.slugs import LONGEST, first_free, slug_of
from isthmus.polyglot.references.check import check_references

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=datetime.UTC)
ID = "k" * 24
ODD: list[Any] = [
    None,
    "",
    "text",
    " -80.19 ",
    "25.7616810",
    "javascript:alert(1)",
    True,
    0,
    -1,
    Int64(2**62),
    1.5,
    1e300,
    float("nan"),
    float("inf"),
    Decimal128("12.340"),
    Decimal128("NaN"),
    NOW,
    DatetimeMS(2**60),
    ObjectId("64b0000000000000000000aa"),
    b"bytes",
    [],
    ["a", 1, None, {"b": 2}],
    {},
    {"enabled": True, "website": "x", "sheher": True, "food": 1, "Venue": True, "": "empty key", "a.b": None},
    {"street1": 8, "line1": "both", "lat": "x", "lng": [1]},
]
FIELDS = [
    *("userId", "name", "slug", "active", "status", "administrative", "locally_based", "details", "tags"),
    *("five_words", "socials", "phone_number", "whatsapp_community", "pronouns", "counties", "categories"),
    *("primary_address", "gentedepana", "geo", "locations", "images", "linked_profiles", "mentoring", "availability"),
    *("pusherChannelId", "verification", "roles", "createdAt", "updatedAt", "nobody's"),
    *("primary_address.lat", "primary_address.zipcode", "primary_address.nobody's", "images.primaryCDN"),
    *("images.gallery2", "pronouns.other", "pronouns.other_desc", "pronouns.nobody's", "socials.website"),
    *("mentoring.hourlyRate", "mentoring.expertise", "availability.schedule", "verification.verifiedOn"),
    *("roles.eventOrganizer", "status.submitted", "geo.coordinates"),
]


def _with(path: str, value: Any) -> dict[str, Any]:
    outer, _, inner = path.partition(".")
    return {"_id": ID, "email": "a@example.org", outer: {inner: value} if inner else value}


def _row(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    row, rest = row_of(document)
    return {"created_at": None, "updated_at": None, **row}, rest


@pytest.mark.parametrize("path", FIELDS)
def test_document_with_odd_values_is_shown_the_same_from_a_row(path: str) -> None:
    for value in ODD:
        document = _with(path, value)
        bson.encode(document)
        before = copy.deepcopy(document)
        row, rest = _row(document)
        assert document == before, "it was changed"
        again = document_of(row, rest)
        assert profile_of(again).model_dump_json() == profile_of(document).model_dump_json(), (value, row, rest)


@pytest.mark.parametrize("path", ["nobody's", "primary_address.nobody's", "images.nobody's", "pronouns.nobody's"])
def test_what_nobody_named_comes_back_as_it_was(path: str) -> None:
    outer, _, inner = path.partition(".")
    for value in ODD:
        row, rest = _row(_with(path, value))
        again = document_of(row, rest)
        found = again[outer][inner] if inner else again[outer]
        assert bson.encode({"": found}) == bson.encode({"": value})


def test_every_pronoun_that_was_ticked_is_in_the_column() -> None:
    """H15: the second one was lost."""
    row, rest = _row(_with("pronouns", {"sheher": True, "hehim": False, "theythem": True, "none": "?"}))
    assert row["pronouns"] == ["she/her", "they/them"]
    assert rest == {"pronouns": {"none": "?"}}


def test_keys_inside_columns_that_documents_do_not_know_stay() -> None:
    row, rest = _row(_with("details", "old"))
    row["descriptions"]["of_nobody"] = 1
    document = document_of(row, rest) | {"details": "new"}
    assert row_of(document, row)[0]["descriptions"] == {"details": "new", "of_nobody": 1}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ana María Peña", "ana-maria-pena"),
        ("  ¡Café «8»!  ", "cafe-8"),
        ("ﬁesta ½", "fiesta-1-2"),
        ("日本語", "pana"),
        ("🔮", "pana"),
        ("a/../b?c", "a-b-c"),
        ("x" * 200, "x" * LONGEST),
        ("STRAßE", "strasse"),
        ("Admin", "admin-pana"),
        (" ÁPI ", "api-pana"),
        ("Pana", "pana"),
    ],
)
def test_slugs_of_names(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_slug_that_is_taken_gets_a_number() -> None:
    assert first_free("ana", set()) == "ana"
    assert first_free("ana", {"ana", "ana-2", "ana-4"}) == "ana-3"
    assert first_free("ana", {"ana-2"}) == "ana"
    assert first_free("x" * LONGEST, {"x" * LONGEST}) == "x" * LONGEST + "-2"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("https://a.example.org", True),
        ("a.example.org/x", True),
        ("@ana", True),
        ("a.example.org:8080", True),
        ("javascript:alert(1)", False),
        (" JaVaScRiPt:1", False),
        ("java\nscript:1", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
    ],
)
def test_links_lead_to_the_web_or_nowhere(text: str, safe: bool) -> None:
    assert is_safe_link(text) is safe


def test_lists_keep_what_is_not_shown_of_what_stays() -> None:
    stored = [{"street1": "a", "floor": 1}, {"line1": "b", "floor": 2}, "odd", {"street1": "c", "floor": 3}]
    said = SaveProfile.model_validate({"locations": [{"line1": "c"}, {"line1": "a"}]})
    assert change_of(said, {"_id": ID, "locations": stored}).set["locations"] == [stored[3], stored[0]]
    said = SaveProfile.model_validate({"locations": [{"line1": "a"}, {"line1": "B"}, {}, {"line1": "c"}]})
    assert change_of(said, {"_id": ID, "locations": stored}).set["locations"] == [
        stored[0],
        {"street1": "B", "floor": 2},
        {},
        stored[3],
    ]


def test_references_of_the_document_lead_to_tables() -> None:
    checked = check_references([profile_document], Base.metadata, Path.cwd())
    assert checked.problems == ()
    assert [use.reference.name for use, _ in checked.uses] == ["users.id"]


def test_old_ids_are_no_users() -> None:
    keys = TypeAdapter[str](UserId)
    assert keys.validate_python(ID) == ID
    for old in ("507f1f77bcf86cd799439011", "", "K" * 24):
        with pytest.raises(ValidationError):
            keys.validate_python(old)
