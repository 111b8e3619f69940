"""What the service of Pana MIA is measured on: users, sessions, notifications and profiles, drawn by number."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import psycopg
from pymongo import MongoClient

_SQL = """
INSERT INTO users (id, email, screenname, name)
    SELECT 'u' || lpad(n::text, 23, '0'), 'person' || n || '@example.org', 'person-' || n, 'Person ' || n
    FROM generate_series(0, {users} - 1) AS n;
INSERT INTO sessions (session_token, user_id, expires)
    SELECT 'session-' || n, 'u' || lpad(n::text, 23, '0'), now() + interval '29 days 12 hours'
    FROM generate_series(0, {users} - 1) AS n;
INSERT INTO notifications (
    id, type, context, actor, target, actor_screenname, actor_name, object_type, object_title, message, read,
    created_at, updated_at, expires_at
)
    SELECT 'n' || lpad(n::text, 23, '0'),
        (ARRAY['Invite', 'Accept', 'Create'])[1 + n % 3]::notification_activity_type,
        (ARRAY['coauthor', 'review', 'article', 'mentoring'])[1 + n % 4]::notification_context,
        'u' || lpad(((n * 7919::bigint + 1) % {users})::text, 23, '0'),
        'u' || lpad((CASE WHEN n % 10 = 0 THEN n / 10 % 10 ELSE n::bigint * 104729 % {users} END)::text, 23, '0'),
        'somebody', 'Some Body', 'article', 'An article of some length', NULL, n % 3 = 0,
        now() - n * interval '7 seconds', now(), CASE WHEN n % 5 = 0 THEN now() - interval '1 hour' END
    FROM generate_series(0, {notifications} - 1) AS n;
ANALYZE
"""
"""Every tenth notification is of one of ten people, who so have very many; a fifth of all have expired."""

_AT_ONCE = 5_000


def fill(conninfo: str, users: int, notifications: int) -> None:
    """Write the rows into empty tables."""
    with psycopg.connect(conninfo) as connection:
        for statement in _SQL.format(users=users, notifications=notifications).split(";"):
            connection.execute(statement.encode())


def fill_profiles(url: str, users: int) -> None:
    """Write a document of `profiles` for each user, with the indexes that the application had."""
    with MongoClient[dict[str, Any]](url) as client:
        profiles = client.get_default_database()["profiles"]
        profiles.create_index("userId")
        part: list[dict[str, Any]] = []
        for one in _profiles(users):
            part.append(one)
            if len(part) == _AT_ONCE:
                profiles.insert_many(part)
                part = []
        if part:
            profiles.insert_many(part)


def _profiles(users: int) -> Iterator[dict[str, Any]]:
    then = datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC)
    for number in range(users):
        yield {
            "userId": f"u{number:023}",
            "email": f"person{number}@example.org",
            "name": f"Person {number}",
            "slug": f"person-{number}",
            "active": True,
            "five_words": "one two three four five",
            "details": "What somebody says about what they do. " * 8,
            "socials": {"website": "https://example.org", "instagram": f"@person{number}"},
            "categories": {"products": True, "services": False, "music": number % 2 == 0},
            "primary_address": {"city": "Miami", "state": "FL", "lat": "25.7617", "lng": "-80.1918"},
            "mentoring": {"enabled": number % 5 == 0, "expertise": ["baking"], "languages": ["es", "en"]},
            "verification": {"panaVerified": True},
            "createdAt": then,
            "updatedAt": then,
        }
