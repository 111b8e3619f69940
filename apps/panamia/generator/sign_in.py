"""Sound documents around signing in: accounts, sessions, tokens, changes of the e-mail, unproven sign-ins. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from apps.panamia.generator.people import AUTH, ODD
from apps.panamia.generator.planting import Document
from apps.panamia.generator.values import DAY, FAR, FIRST, NOW, at, email, name, nanoid, token, url
from apps.panamia.generator.world import Make, World

PROVIDERS = ("google", "apple", "facebook", "mastodon", "wikimedia")
EXPIRING = {
    "nextauth_sessions": "expires",
    "nextauth_verification_tokens": "expires",
    "emailmigrations": "expiresAt",
    "oauthverifications": "expiresAt",
}
"""Collections whose documents end with an instant, and its field: behind it they are skipped."""
BY_HAND = "people/account-of-user"
"""The case whose account a route made by hand, for a user who has none of the sign-in."""


def sign_ins(number: int) -> list[tuple[str, str]]:
    """Provider and id there of each account of a user of the sign-in; every fifth has two."""
    first = number % 5
    places = (first, (first + 2) % 5) if number % 5 == 2 else (first,)
    return [(PROVIDERS[place], f"{place}{number:09}") for place in places]


def accounts(world: World) -> Iterator[Document]:
    """All sound accounts, in order: of every user of the sign-in that is not left out."""
    for number in range(world.people.spare):
        owner = _holder(world, number)
        if owner is not None:
            for place, (provider, known) in enumerate(sign_ins(number)):
                yield make_account(world, 2 * number + place, provider, known) | {"userId": owner}


def _holder(world: World, number: int) -> object | None:
    """What `userId` of the accounts of a number holds; None where there are none."""
    people = world.people
    if number < people.count and not people.flags[number] & ODD:
        return world.auth(number) if people.flags[number] & AUTH else None
    played = people.played("nextauth_users", number)
    if played is not None:
        instance, member = played
        return world.auth(number) if instance.case.end(member)[0] is None else None
    instance = people.instance(number)
    return str(world.user(number)) if instance is not None and instance.case.name == BY_HAND else None


def make_account(world: World, number: int, provider: str, known: str) -> Document:
    """Make an account, without the user."""
    document: Document = {
        "_id": world.ids.of("nextauth_accounts", number),
        "type": "oidc" if provider in {"google", "apple"} else "oauth",
        "provider": provider,
        "providerAccountId": known,
        "access_token": f"at-{token(number, 1)}",
        "token_type": "bearer",
        "scope": "openid email profile",
    }
    if number % 3:
        document |= {"expires_at": NOW + number % 3600, "refresh_token": f"rt-{token(number, 2)}"}
    if provider in {"google", "apple"}:
        document["id_token"] = f"eyJ.{token(number, 3)}.{token(number, 4)}"
    if number % 11 == 0:
        document["session_state"] = token(number, 5)[:32]
    return document


def sessions(world: World) -> Make:
    """Every third has expired."""

    def make(number: int) -> Document:
        person = world.people.having(number, AUTH)
        return {
            "_id": world.ids.of("nextauth_sessions", number),
            "sessionToken": f"st-{token(number, 6)}",
            "userId": world.auth(person),
            "expires": FAR if number % 3 else at(NOW - DAY * (1 + number % 400)),
        }

    return make


def tokens(world: World) -> Make:
    """Half of them have expired; a few are of nobody yet."""

    def make(number: int) -> Document:
        who = email(number % world.people.count) if number % 10 else f"nobody.{number}@example.org"
        return {
            "_id": world.ids.of("nextauth_verification_tokens", number),
            "identifier": who,
            "token": token(number, 7),
            "expires": FAR if number % 2 else at(NOW - DAY * (1 + number % 90)),
        }

    return make


def email_migrations(world: World) -> Make:
    """Changes of the e-mail that were asked for; three of four have expired."""

    def make(number: int) -> Document:
        person = world.with_all(number * 37)
        return {
            "_id": world.ids.of("emailmigrations", number),
            "userId": str(world.auth(person)),
            "oldEmail": email(person),
            "newEmail": f"changed.{number}@example.org",
            "migrationToken": nanoid(number, 32),
            "expiresAt": at(NOW - 30 + number % 20) if number % 4 else FAR,
            "createdAt": at(NOW - 330 + number % 20),
        }

    return make


def verifications(world: World) -> Make:
    """Sign-ins of providers that are not trusted; three of four have expired."""

    def make(number: int) -> Document:
        person = number * 41 % world.people.count
        return {
            "_id": world.ids.of("oauthverifications", number),
            "email": email(person),
            "provider": "mastodon",
            "providerAccountId": f"https://social.example/@{number}",
            "verificationToken": nanoid(number + 7_000_000, 32),
            "expiresAt": at(NOW - 30 + number % 20) if number % 4 else FAR,
            "createdAt": at(max(FIRST, NOW - 330 + number % 20)),
            "oauthProfile": {"name": name(person), "email": email(person), "image": url("avatar", number)},
        }

    return make
