"""Somebody who has something of every kind, put into both databases past the service.

Each private text holds a secret of its kind, by which it is known in an answer to somebody else.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import bson

from apps.panamia.models.ids import new_id
from tests.apps.panamia.conftest import contents
from tests.apps.panamia.service.articles_made import co_author, make_article, review
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.sessions_made import make_session

ARTICLES, SESSIONS, NOTICES, PROFILE, ACCOUNT = "articles", "sessions", "notifications", "profile", "account"


@dataclass
class Owner:
    """Whose it is.

    Attributes:
        name: The screen name.
        id: Of the user.
        email: The address.
        friend: Another user, who has a part in some of it.
        token: Of a session.
        articles: Keys by what they are to the owner: of status `draft` …, or `invited`, `reviewer`.
        sessions: Keys of mentoring sessions by their status and the owner's side.
        notifications: Keys; the first two were not read.
        token_hashes: What the tables hold of tokens of links.
        secrets: Kind → the text by which it is known.
    """

    name: str
    id: str
    email: str
    friend: str
    token: str
    articles: dict[str, str] = field(default_factory=dict[str, str])
    sessions: dict[str, str] = field(default_factory=dict[str, str])
    notifications: list[str] = field(default_factory=list[str])
    token_hashes: list[str] = field(default_factory=list[str])
    secrets: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def published(self) -> str:
        """Key of the article that everybody may read."""
        return self.articles["published"]

    def traces(self) -> tuple[str, ...]:
        """What every row and document of the owner holds one of, at least."""
        return (self.id, self.email, *self.articles.values(), *self.sessions.values(), *self.secrets.values())


def own_everything(world: World, name: str, email: str | None = None) -> Owner:
    """Make somebody who has all of it, and a friend who is a mentor."""
    kinds = (ARTICLES, SESSIONS, NOTICES, PROFILE, ACCOUNT)
    marks = {kind: f"secret of {kind} {secrets.token_hex(6)}" for kind in kinds}
    email, friend_email = email or f"{name}.private@example.org", f"friend.of.{name}@example.org"
    user = world.make_user(
        email,
        screenname=name,
        email_verified="2026-01-01",
        name=marks[ACCOUNT],
        zip_code=marks[ACCOUNT],
        hashed_password=marks[ACCOUNT],
    )
    friend = world.make_user(friend_email, screenname=f"{name}-friend", email_verified="2026-01-01")
    owner = Owner(name, user, email, friend, world.make_session(user), secrets=marks)
    _sign_in_rows(world, owner)
    _profiles(world, owner, friend_email)
    for kind in (ARTICLES, SESSIONS, NOTICES):
        own_more(world, owner, kind)
    return owner


def own_more(world: World, owner: Owner, kind: str) -> None:
    """Give somebody new articles, sessions or notifications, whose keys take the place of those before."""
    if kind == ARTICLES:
        _articles(world, owner)
    elif kind == SESSIONS:
        _sessions(world, owner, f"friend.of.{owner.name}@example.org")
    else:
        owner.notifications.clear()
        _notifications(world, owner)


def _sign_in_rows(world: World, owner: Owner) -> None:
    mark = owner.secrets[ACCOUNT]
    owner.token_hashes = [secrets.token_hex(32) for _ in range(3)]
    link, change, verification = owner.token_hashes
    world.rows("INSERT INTO verification_tokens VALUES (%s, %s, now() + interval '1 day')", owner.email, link)
    for table, values in {
        "accounts": {
            "user_id": owner.id,
            "type": "oauth",
            "provider": "google",
            "provider_account_id": f"at google {owner.name}",
            "access_token": mark,
            "refresh_token": mark,
        },
        "email_migrations": {
            "user_id": owner.id,
            "old_email": owner.email,
            "new_email": f"next.{owner.email}",
            "migration_token": change,
            "expires_at": "2999-01-01",
        },
        "oauth_verifications": {
            "email": owner.email,
            "provider": "mastodon",
            "provider_account_id": f"at mastodon {owner.name}",
            "verification_token": verification,
            "expires_at": "2999-01-01",
            "oauth_profile": f'{{"name": "{mark}"}}',
        },
        "screenname_history": {"user_id": owner.id, "screenname": f"{owner.name}-before"},
    }.items():
        _insert(world, table, {"id": new_id(), **values})


def _profiles(world: World, owner: Owner, friend_email: str) -> None:
    mark = owner.secrets[PROFILE]
    private: dict[str, Any] = {
        "userId": owner.id,
        "email": owner.email,
        "name": f"{mark} name",
        "slug": owner.name,
        "active": False,
        "status": {"access": mark, "notes": mark},
        "phone_number": mark,
        "details": mark,
        "five_words": mark,
        "hearaboutus": mark,
        "gentedepana": {"code": mark},
        "mentoring": {"enabled": True, "bio": mark},
        "primary_address": {"street1": mark},
    }
    shown: dict[str, Any] = {
        "userId": owner.friend,
        "email": friend_email,
        "name": "A friend",
        "slug": f"{owner.name}-friend",
        "active": True,
        "five_words": "a b c d e",
        "status": {"access": mark, "notes": mark},
        "phone_number": mark,
        "hearaboutus": mark,
        "gentedepana": {"code": mark, "percentage": "10"},
        "mentoring": {"enabled": True},
    }
    world.write("profiles", private, shown)


def _articles(world: World, owner: Owner) -> None:
    mark = owner.secrets[ARTICLES]
    words: dict[str, object] = {"title": f"{mark} title", "content": mark, "excerpt": mark}
    reviewed = review(owner.friend, "approved", invitationMessage=mark, comments=[{"id": "x", "text": mark}])
    writers = (co_author(owner.friend, "pending", invitationMessage=mark),)
    for status in ("draft", "revision_needed", "removed"):
        key = make_article(world, owner.id, status, co_authors=writers, reviewed_by=reviewed, **words)
        owner.articles[status] = key
    agreed = (co_author(owner.friend, "accepted", invitationMessage=mark),)
    owner.articles["ready"] = make_article(world, owner.id, "draft", co_authors=agreed, **words)
    owner.articles["published"] = make_article(
        world, owner.id, "published", co_authors=agreed, reviewed_by=reviewed, removal_reason=mark
    )
    asked = (co_author(owner.id, "pending", invitationMessage=mark),)
    for name in ("invited", "invited again"):
        owner.articles[name] = make_article(world, owner.friend, "draft", co_authors=asked, **words)
    waits = review(owner.id, "pending", invitationMessage=mark)
    owner.articles["reviewer"] = make_article(world, owner.friend, "pending_review", reviewed_by=waits, **words)


def _sessions(world: World, owner: Owner, friend_email: str) -> None:
    mark = owner.secrets[SESSIONS]
    words = {"topic": f"{mark} topic", "notes": mark, "cancel_reason": mark, "session_type": "artistic"}
    for status in ("pending", "scheduled", "completed"):
        for mentor, mentee, side in ((owner.id, owner.friend, "mentor"), (owner.friend, owner.id, "mentee")):
            emails = {"mentor_email": owner.email, "mentee_email": friend_email}
            if side == "mentee":
                emails = {"mentor_email": friend_email, "mentee_email": owner.email}
            owner.sessions[f"{status} {side}"] = make_session(world, mentor, mentee, status, **words, **emails)
    emails = {"mentor_email": owner.email, "mentee_email": f"gone.{owner.email}"}
    owner.sessions["another"] = make_session(world, owner.id, None, "pending", **words, **emails)


def _notifications(world: World, owner: Owner) -> None:
    mark = owner.secrets[NOTICES]
    for target, actor, read in (
        (owner.id, owner.friend, False),
        (owner.id, owner.friend, False),
        (owner.id, owner.friend, True),
        (owner.friend, owner.id, False),
    ):
        values = {
            "id": new_id(),
            "type": "Invite",
            "context": "coauthor",
            "actor": actor,
            "target": target,
            "article_id": owner.articles["draft"],
            "object_type": "article",
            "object_title": f"{mark} title",
            "message": mark,
            "read": read,
        }
        _insert(world, "notifications", values)
        _insert(world, "notification_mails", {"notification_id": values["id"], "due_at": "2999-01-01"})
        owner.notifications.append(str(values["id"]))


def _insert(world: World, table: str, values: dict[str, object]) -> None:
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    world.rows(f"INSERT INTO {table} ({names}) VALUES ({marks})", *values.values())


def held(world: World, owner: Owner) -> set[str]:
    """Return every row and document that holds a trace of the owner, each as a text that changes when it does."""
    traces = owner.traces()
    rows = {
        f"{table}: {row}"
        for table, found in contents(world.postgres).items()
        for row in found
        if any(one in row for one in traces)
    }
    people = {owner.id, owner.friend}
    documents = {bson.encode(one).hex() for one in world.documents("profiles") if one.get("userId") in people}
    return rows | documents
