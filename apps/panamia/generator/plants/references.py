"""What is planted in every field that refers to something: ids of nothing, in the other form, rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from apps.panamia.generator.cases import FULL
from apps.panamia.generator.planting import Case, Do, Plant
from apps.panamia.generator.verbs import Form, canonical, gone, lost, named, turned, twin


@dataclass(frozen=True)
class Site:
    """A field that refers to something.

    Attributes:
        where: Its collection.
        path: The field; `[]` for the elements of an array.
        form: How it holds an id.
        to: The collection that it means.
        fatal: Whether there is no row without it.
        members: It names people by the ids of `users`, so that it can name one who is joined into another.
    """

    where: str
    path: str
    form: Form
    to: str
    fatal: bool = False
    members: bool = False


SITES: tuple[Site, ...] = (
    Site("nextauth_accounts", "userId", "id", "nextauth_users", fatal=True),
    Site("nextauth_sessions", "userId", "id", "nextauth_users", fatal=True),
    Site("emailmigrations", "userId", "hex", "nextauth_users", fatal=True),
    Site("notifications", "actor", "id", "users", members=True),
    Site("notifications", "target", "id", "users", fatal=True, members=True),
    Site("notifications", "object", "id", "articles"),
    Site("articles", "authorId", "id", "users", members=True),
    Site("articles", "coAuthors[].userId", "id", "users", members=True),
    Site("articles", "reviewedBy.userId", "id", "users", members=True),
    Site("articles", "removedBy", "id", "users", members=True),
    Site("articles", "inReplyTo", "id", "articles"),
    Site("mentorSessions", "mentorUserId", "id", "users", members=True),
    Site("mentorSessions", "menteeUserId", "id", "users", members=True),
    Site("followers", "followerId", "hex", "users", fatal=True, members=True),
    Site("followers", "userId", "hex", "users", fatal=True, members=True),
    Site("userlists", "user_id", "hex", "users", fatal=True, members=True),
    Site("userlists", "profiles[]", "hex", "profiles"),
    Site("images", "userId", "hex", "users", members=True),
    Site("events", "primary_profile", "hex", "profiles"),
    Site("events", "linked_profiles[]", "hex", "profiles"),
    Site("users", "following[]", "hex", "profiles"),
    Site("profiles", "linked_profiles[]", "hex", "profiles"),
)
"""Every field of facts that holds ids, without `profiles.userId`, which the cases of identity are about."""

_NAMED: tuple[tuple[str, str, Literal["email", "screenname", "slug"], bool], ...] = (
    ("followers", "followerId", "screenname", True),
    ("followers", "userId", "email", True),
    ("userlists", "user_id", "email", True),
    ("userlists", "user_id", "screenname", True),
    ("userlists", "profiles[]", "email", False),
    ("userlists", "profiles[]", "slug", False),
    ("users", "following[]", "screenname", False),
    ("users", "following[]", "email", False),
    ("users", "following[]", "slug", False),
)
"""Fields in which a name stands where an id belongs, and whether there is no row without it."""


def _kinds(site: Site) -> Iterator[tuple[str, str, Do]]:
    path, form = site.path, site.form
    yield "gone", "an id that nothing has", gone(path, form, fatal=site.fatal)
    other = "as text" if form == "id" else "as an ObjectId"
    yield "other-form", f"an id {other}", turned(path, form, site.to)
    yield "canonical", "an id of the target, as a rewrite leaves it", canonical(path, site.to, fatal=site.fatal)
    if site.members:
        yield "joined", "the id of a user who is joined into another", twin(path, form)
        yield "left-out", "the id of a user whom somebody left out", lost(path, form, fatal=site.fatal)


def _planted(where: str, name: str, what: str, do: Do) -> Plant | Case:
    if where == "users":
        return Case(name, what, FULL, changes={"user": do})
    if where == "profiles":
        return Case(name, what, FULL, changes={"profile": do})
    return Plant(name, what, where, do)


def _all() -> Iterator[Plant | Case]:
    for site in SITES:
        for kind, what, do in _kinds(site):
            yield _planted(site.where, f"{site.where}/{site.path}-{kind}", f"{site.path}: {what}", do)
    for where, path, by, fatal in _NAMED:
        do = named(path, by, fatal=fatal)
        yield _planted(where, f"{where}/{path}-by-{by}", f"{path}: a {by} in place of an id", do)


REFERENCES: tuple[Plant | Case, ...] = tuple(_all())
