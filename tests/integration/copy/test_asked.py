"""`asked`: a collection that no copy carries unless it is told to, and what is said of it before and behind."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from isthmus.mapping import parse_mapping
from isthmus.polyglot.decommission_checks import collections_check
from isthmus.polyglot.decommission_copies import Copy
from tests.integration.copy.carrying import World, balanced, oid

TABLES = """
CREATE TABLE users (id uuid PRIMARY KEY, name text);
CREATE TABLE sessions (token text PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, expires timestamptz NOT NULL);
"""
MAPPING = """
isthmus: 1
target: {tables: existing, rerun: tracked}
extras: dead_letter
collections:
  users: {fields: {name: text}}
  "old Sessions":
    table: sessions
    key: token
    asked: "nobody's are trusted; all \\"sign in\\" again"
    skip: [{when: {expires: {before: now}}, why: over}]
    fields:
      token: {type: text!, sensitive: true}
      user: {column: user_id, references: users, required: true}
      expires: timestamptz!
"""
WHY = 'nobody\'s are trusted; all "sign in" again'
SESSIONS = "old Sessions"
FAR, PAST = datetime(2999, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)


def prepare(world: World) -> None:
    world.rows(TABLES)
    world.write(
        {
            "users": [{"_id": oid(1), "name": "Ann"}],
            SESSIONS: [
                {"_id": oid(11), "token": "secret 1", "user": oid(1), "expires": FAR},
                {"_id": oid(12), "token": "secret 2", "user": oid(1), "expires": PAST},
                {"_id": oid(13), "token": "secret 3", "user": oid(9), "expires": FAR},
                {"_id": oid(14), "token": "secret 4", "expires": FAR},
            ],
        }
    )


def test_nobody_asked_so_it_is_left_behind_with_its_reason(world: World) -> None:
    prepare(world)
    for _ in range(2):
        result = world.copy(MAPPING)
        balanced(result)
        assert (result.skipped_collections, result.skipped_documents) == ({SESSIONS: WHY}, {SESSIONS: 4})
        assert result.balance is not None
        assert set(result.balance.collections) == {"users"}
    assert world.one("SELECT count(*) FROM sessions") == 0
    found = world.verify(MAPPING)
    assert found.passed, found.differences


def test_who_asks_gets_those_that_hold_and_are_somebody_s(world: World) -> None:
    prepare(world)
    world.copy(MAPPING)
    result = world.copy(MAPPING, only=(SESSIONS,))
    assert result.skipped_collections == {}
    assert world.rows("SELECT token, name FROM sessions JOIN users ON users.id = user_id") == [("secret 1", "Ann")]
    assert result.balance is not None
    books = result.balance.collections[SESSIONS]
    assert (books.read, books.copied, books.skipped, books.dead_letters) == (4, 1, 1, 2)
    told = str(world.rows("SELECT to_jsonb(d) - 'document' FROM isthmus.dead_letter d")) + " ".join(world.notes)
    assert "secret" not in told
    found = world.verify(MAPPING)
    assert found.passed, found.differences
    # what was carried once is no more said to be left behind, and stays
    result = world.copy(MAPPING, only=("users",))
    assert result.skipped_collections == {}
    assert world.one("SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize("carried", [True, False])
def test_what_still_needs_mongodb_knows_whether_it_was_carried(*, carried: bool) -> None:
    copy = Copy(1, complete=True, verified=True, why_not="")
    mapping = parse_mapping(MAPPING)
    known = {"users": copy, SESSIONS: copy} if carried else {"users": copy}
    check = collections_check(mapping, ["users", SESSIONS], known)
    assert check.facts[SESSIONS]["fate"] == ("carried" if carried else "left behind")
    assert check.stands is False
