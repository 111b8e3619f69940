"""What becomes of each collection and field of Pana MIA: asked of `mapping.yaml` itself, and of the rows.

Oracles: the facts about both sides (`facts`), the generated documents, and SQL of these tests' own. Cannot see:
references, which `test_panamia_moved` follows; what is planted, which `test_panamia_planted` judges.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from bson import ObjectId
from psycopg import sql
from psycopg.rows import dict_row
from ruamel.yaml import YAML

from apps.panamia.moving.leading import collections_of
from apps.panamia.moving.phases import PHASES
from isthmus.mapping import load_mapping
from tests.apps.panamia import facts
from tests.apps.panamia.conftest import HOME, MAPPING, Moved
from tests.apps.panamia.dump import Made

COLLECTIONS = {*facts.FIELDS, "mentorsessions"}
"""All there are, with the former name of one."""
ASKED_FOR = {"nextauth_sessions"}
"""Carried only where somebody asks."""
ASIDE = {
    "users": {"favouriteColour", "last", "seen", "status"},
    "profiles": {"migratedFrom", "oldSlug", "primary_address", "pronouns", "tiktokLive"},
    "notifications": {"clicks", "pusherChannelId"},
    "articles": {"authorEmail", "reviews"},
    **{f"{form}intakes": {"instagramReel"} for form in ("apparel", "art", "food", "goods", "organization", "services")},
}
"""What no rule takes, or not in that form, and is kept beside the row: each is planted."""
LOSES = {"articles": {"mastodonTootUrl"}}
"""Former names of fields, where the document has today's too: what they say is kept beside the row as well."""
FOLLOWED = {
    *("nextauth_accounts.userId", "profiles.userId", "notifications.actor", "notifications.object"),
    *("notifications.target", "articles.authorId", "articles.inReplyTo", "articles.removedBy"),
    *("mentorSessions.mentorUserId", "mentorSessions.menteeUserId", "emailmigrations.userId"),
    *("followers.followerId", "followers.userId", "userlists.user_id", "userlists.profiles", "images.userId"),
    *("events.primary_profile", "users.following"),
}
"""Fields that lead to a row; other tests follow them."""
NEW_NAMES = {
    "street1": "line1",
    "street2": "line2",
    "city": "locality",
    "state": "region",
    "zipcode": "postalCode",
    "google_place_id": "googlePlaceId",
    "five_words": "fiveWords",
}
"""Keys that are called otherwise inside jsonb, of places and of descriptions."""
PRONOUNS = {"sheher": "she/her", "hehim": "he/him", "theythem": "they/them", "none": "none", "other": "other"}
_ID = re.compile(r"[0-9a-f]{24}")


@cache
def rules() -> dict[str, dict[str, Any]]:
    """The fields of each collection, as `mapping.yaml` has them; read as YAML, without Isthmus."""
    read = YAML(typ="safe").load(MAPPING.read_text(encoding="utf-8"))["collections"]
    return {
        collection: entry["fields"] for name, entry in read.items() for collection in _sources(entry.get("from", name))
    }


def _sources(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def taken(fields: dict[str, Any]) -> set[str]:
    """Every path that a rule reads; what lies below one goes with it."""
    found: set[str] = set()
    for name, rule in fields.items():
        more = rule if isinstance(rule, dict) else {}
        inner = more.get("object") or more.get("flags") or more.get("first_of")
        if inner is None:
            found.add(name)
        elif isinstance(inner, list):
            found.update(inner)
        else:
            found.update(inner.values() if "object" in more else inner)
    return found


def untaken(document: dict[str, Any], paths: set[str]) -> Iterator[str]:
    """Paths of a document that no rule reads."""

    def walk(value: Any, path: str) -> Iterator[str]:
        if path in paths:
            return
        if isinstance(value, dict) and any(one.startswith(f"{path}.") for one in paths):
            for word, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
                yield from walk(inner, f"{path}.{word}")
        else:
            yield path

    for word, value in document.items():
        if word != "_id":
            yield from walk(value, word)


def test_every_collection_is_named_in_the_mapping_and_of_one_phase() -> None:
    mapping = load_mapping(MAPPING)
    assert set(rules()) == set(mapping.source_collections) == COLLECTIONS
    assert len(COLLECTIONS) == 29
    phases = Counter(name for phase in PHASES for name in collections_of(mapping, phase))
    assert phases == dict.fromkeys(COLLECTIONS, 1)
    asked = {name for name, entry in mapping.collections.items() if getattr(entry, "asked", None)}
    assert asked == ASKED_FOR


def test_the_readme_tells_what_becomes_of_each_collection() -> None:
    text = (HOME / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## What becomes of each collection") : text.index("## The schema")]
    named = set(re.findall(r"`(\w+)`", part))
    assert {name for name in COLLECTIONS - named if not name.endswith("intakes")} == set()
    assert "six `…intakes`" in part


@pytest.mark.parametrize("collection", sorted(facts.FIELDS))
def test_every_field_of_the_facts_is_named_in_the_mapping(collection: str) -> None:
    paths = taken(rules()[collection])
    for field in facts.FIELDS[collection][1]:
        if field != "all else":
            below = any(one.startswith(f"{field}.") for one in paths)
            above = any(field == one or field.startswith(f"{one}.") for one in paths)
            assert above or below, field


def test_every_field_of_the_documents_has_a_rule_or_is_kept_aside_on_purpose(moved_from_dump: Moved) -> None:
    found: dict[str, set[str]] = {}
    for collection, documents in Made(Path(moved_from_dump.source)).documents.items():
        paths = taken(rules()[collection])
        left = {path for document in documents for path in untaken(document, paths)}
        if left:
            found[collection] = left
    tops = {name: {path.partition(".")[0] for path in left} for name, left in found.items()}
    assert tops == ASIDE, found
    with psycopg.connect(moved_from_dump.database) as connection:
        query = "SELECT table_name, key FROM isthmus.extras, jsonb_object_keys(document) AS key"
        kept: dict[str, set[str]] = defaultdict(set)
        for table, key in connection.execute(query).fetchall():
            kept[table].add(key)
    assert kept == {facts.FIELDS[name][0]: keys | LOSES.get(name, set()) for name, keys in ASIDE.items()}


def test_every_value_stands_in_the_column_that_the_facts_name(
    moved: Moved, moved_from_dump: Moved, rows: psycopg.Connection[Any]
) -> None:
    """Of every sound document, whatever the mapping says."""
    made = Made(Path(moved_from_dump.source))
    odd = {line["id"] for line in moved.lines("planted") if not line["plant"].startswith("people/")}
    odd |= {line["id"] for line in moved.lines("ends")}
    seen: Counter[str] = Counter()
    for collection, (table, columns) in facts.FIELDS.items():
        if collection in ASKED_FOR:
            continue
        there = _rows(rows, table)
        for document in made.documents[collection]:
            if str(document["_id"]) not in odd:
                row = there[_key(moved, collection, document)]
                mine = {field: column for field, column in columns.items() if f"{collection}.{field}" not in FOLLOWED}
                for field in _compare(document, row, mine):
                    seen[f"{collection}.{field}"] += 1
    assert sum(seen.values()) > 20_000
    never = {one for one in _never(seen) if not one.startswith("nextauth_users.")}  # mostly part of another's row
    assert never == {"articles.mastodonTootUrl", "interactions.affiliate"}, "only documents they were planted in"


def _never(seen: Counter[str]) -> Iterator[str]:
    for collection, (_, columns) in facts.FIELDS.items():
        if collection not in ASKED_FOR:
            yield from ({f"{collection}.{field}" for field in columns} - FOLLOWED - seen.keys())


def _rows(connection: psycopg.Connection[Any], table: str) -> dict[str, dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))).fetchall()
    return {str(row["token"] if table == "verification_tokens" else row["id"]): row for row in found}


def _key(moved: Moved, collection: str, document: dict[str, Any]) -> str:
    if collection == "nextauth_verification_tokens":
        return document["token"]
    return str(moved.row_of(collection, str(document["_id"])))


def _compare(document: dict[str, Any], row: dict[str, Any], columns: dict[str, str]) -> Iterator[str]:
    """Compare every field; give back the name of each that was."""
    for field, column in columns.items():
        if field == "all else":
            rest = {key: value for key, value in document.items() if key not in {"_id", "__v", *columns}}
            assert _same(rest, row[column]), (field, document["_id"])
            yield field
            continue
        value: Any = document
        for word in field.split("."):
            value = value.get(word) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if value is None:
            continue
        assert _same(*_sides(field, column, value, row[column])), (field, value, row[column], document["_id"])
        yield field


def _sides(field: str, column: str, value: Any, held: Any) -> tuple[Any, Any]:
    """Both sides of a field that goes into a part of a column, or is made of parts."""
    if column == "descriptions":
        return value, held[NEW_NAMES.get(field, field)]
    if field == "images" and column == "gallery_images":
        return {word: one for word, one in value.items() if word.startswith("gallery")}, held or {}
    if field == "pronouns" and isinstance(value, dict):
        return [text for word, text in PRONOUNS.items() if value.get(word)], held  # pyright: ignore[reportUnknownMemberType]
    if field == "locations":
        return [{NEW_NAMES.get(word, word): inner for word, inner in one.items()} for one in value], held
    if isinstance(value, str) and (field.lower().endswith("email") or field == "identifier"):
        return value.strip().lower(), held
    return value, held


def _same(value: Any, held: Any) -> bool:
    if isinstance(value, dict):
        return (
            isinstance(held, dict)
            and value.keys() == held.keys()  # pyright: ignore[reportUnknownMemberType]
            and all(_same(one, held[word]) for word, one in value.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        )
    if isinstance(value, list):
        return isinstance(held, list) and len(value) == len(held) and all(map(_same, value, held))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, ObjectId) or (isinstance(value, str) and _ID.fullmatch(value)):
        return isinstance(held, str) and len(held) == 24
    if isinstance(value, datetime):
        there = datetime.fromisoformat(held) if isinstance(held, str) else held
        return isinstance(there, datetime) and there.astimezone(UTC).replace(tzinfo=None) == value
    if isinstance(held, Decimal):
        return held == Decimal(str(value))
    return value == held or (isinstance(held, str) and not isinstance(value, str | bool) and held == str(value))
