"""Advice by the decision framework: each question has a collection that answers it, with the counts in the reason."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, ObjectId

from isthmus.survey.advice import Advice
from tests.unit.survey.surveys import survey_of

Docs = list[dict[str, Any]]
USERS: Docs = [
    {"_id": ObjectId(), "email": f"user{n}@example.com", "password": "x" * 60, "name": f"User {n}"} for n in range(40)
]
PROFILES: Docs = [
    {
        "_id": ObjectId(),
        "userId": USERS[n]["_id"],
        "bio": "<p>" + "words " * 400 + "</p>",
        "social": dict.fromkeys(("a", "b", "c", "d", "e", "f")[n % 5 : n % 5 + 2], "x"),
        "hours": {"monday": {"open": "9", "close": "5"}},
        **({"theme": n} if n % 4 == 0 else {}),
        **({"banner": "x"} if n % 5 == 0 else {}),
    }
    for n in range(40)
]
LISTINGS: Docs = [{"_id": ObjectId(), "owner": USERS[n % 40]["_id"], "price": Decimal128("9.99")} for n in range(30)]
BOOKINGS: Docs = [
    {
        "_id": ObjectId(),
        "owner": USERS[n % 40]["_id"],
        "listing": LISTINGS[n % 30]["_id"] if n else ObjectId(),
        "status": ["open", "paid", "done"][n % 3],
        "total": 10.5 * n,
    }
    for n in range(60)
]
NOTES: Docs = [{"_id": n, "actor": USERS[n % 40]["_id"], "text": "hello"} for n in range(50)]


@pytest.fixture(scope="module")
def advice(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Advice]:
    rng = random.Random(3)
    things: Docs = [
        {"_id": n, **{f"field{k}": rng.choice([k, str(k), None]) for k in rng.sample(range(30), 4)}} for n in range(80)
    ]
    return survey_of(
        tmp_path_factory.mktemp("advice"),
        {
            "users": USERS,
            "profiles": PROFILES,
            "listings": LISTINGS,
            "bookings": BOOKINGS,
            "notes": NOTES,
            "things": things,
            "zips": [{"_id": n, "city": "x", "pop": n} for n in range(20)],
            "blobs": [{"_id": n, "data": Binary(b"x" * 70_000)} for n in range(2)],
            "empty": [],
            "fs.files": [{"_id": 1, "length": 3}],
            "fs.chunks": [{"_id": n, "files_id": 1, "n": n, "data": b"abc"} for n in range(3)],
            "log": [{"_id": n, "line": "x"} for n in range(5)],
        },
        indexes={"bookings": [{"v": 2, "key": {"owner": 1, "status": 1}, "name": "o"}]},
        options={"log": {"capped": True, "size": 4096}},
    ).advice


def reasons(one: Advice) -> dict[str, str]:
    return {reason.rule: reason.text for reason in one.reasons}


@pytest.mark.parametrize(
    ("collection", "verdict"),
    [
        ("users", "relational"),
        ("listings", "relational"),
        ("bookings", "relational"),
        ("notes", "relational"),
        ("zips", "relational"),
        ("profiles", "jsonb"),
        ("things", "stay"),
        ("blobs", "stay"),
        ("fs.chunks", "stay"),
        ("empty", "undecided"),
    ],
)
def test_verdict_follows_the_framework(advice: dict[str, Advice], collection: str, verdict: str) -> None:
    assert advice[collection].verdict == verdict, advice[collection]


@pytest.mark.parametrize(
    ("collection", "rule", "text"),
    [
        ("users", "identity", "has e-mail and secret fields (email, password): identity"),
        ("users", "referenced", "referenced by 4 collections (180 values)"),
        ("bookings", "foreign-keys", "refers to 2 collections by 2 fields (120 values): foreign keys"),
        ("bookings", "orphans", "1 of these values leads nowhere (0.8 %): a foreign key refuses that"),
        ("bookings", "transactional", "holds amounts (total) and states (status): what changes in transactions"),
        ("bookings", "queries", "1 index beside that of _id, 1 over several fields: queried by more than its id"),
        ("notes", "uniform", "2 of 2 fields are in every document, of one type each: columns fit"),
        ("profiles", "content", "holds long texts (bio; up to 2,407 characters): content"),
        ("profiles", "varied-shapes", "1 field is a whole document of different shapes (social)"),
        ("things", "flexible", "100 % of its fields (30 of 30) are in fewer than half of the documents"),
        ("things", "alone", "refers to nothing, and nothing refers to it"),
        ("blobs", "files", "holds files (data; up to 70.0 kB in one value)"),
        ("log", "capped", "capped: old documents make room for new ones, which no table does"),
        ("empty", "empty", "no documents to tell from"),
    ],
)
def test_reason_is_counted_from_the_data(advice: dict[str, Advice], collection: str, rule: str, text: str) -> None:
    assert reasons(advice[collection]).get(rule) == text


def test_reasons_for_the_verdict_come_first_and_the_weightiest_of_them(advice: dict[str, Advice]) -> None:
    users = advice["users"].reasons
    assert [one.side for one in users] == sorted((one.side for one in users), reverse=True)
    relational = [one.points for one in users if one.side == "relational"]
    assert relational == sorted(relational, reverse=True)


def test_orphans_of_a_sample_are_no_reason(tmp_path: Path) -> None:
    sampled = survey_of(tmp_path, {"users": USERS, "bookings": BOOKINGS}, sample=30).advice["bookings"]
    assert "orphans" not in reasons(sampled)
