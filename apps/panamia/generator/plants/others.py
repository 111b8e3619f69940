"""What is planted around signing in, in follows, lists, pictures, forms and pages."""

from __future__ import annotations

from bson import Int64, ObjectId

from apps.generating.outcomes import Outcome, holds
from apps.panamia.generator.planting import Do, Document, Plant, Spot
from apps.panamia.generator.schema import INTAKES
from apps.panamia.generator.values import EARLY, HOSTILE, NUL, TODAY
from apps.panamia.generator.verbs import (
    becomes,
    carried,
    ended,
    long,
    meant,
    nobody,
    refers,
    refused,
    required,
    without,
    without_times,
)


def _another_s(spot: Spot, document: Document) -> list[Outcome]:
    """The session of one person, with the id of another: nothing in the data tells."""
    document["userId"] = spot.id("nextauth_users", 1)
    return [{"kind": "belongs", "person": spot.person(), "says": spot.person(1)}]


def _random(spot: Spot, document: Document) -> list[Outcome]:
    document["userId"] = ObjectId(spot.gone(7).binary[:4] + b"\xde\xad\xbe\xef\x00" + spot.gone(7).binary[9:])
    return [nobody("userId", document["userId"])]


def _same_account(spot: Spot, document: Document) -> list[Outcome]:
    """Provider and id of the account of the same person's first sign-in."""
    provider, known = spot.account()
    document |= {"provider": provider, "providerAccountId": known}
    return []


def _mixed_identifier(spot: Spot, document: Document) -> list[Outcome]:
    document["identifier"] = f" {spot.email().title()} "
    return [meant("identifier", "email", spot.person())]


def _of_user(spot: Spot, document: Document) -> list[Outcome]:
    document["userId"] = str(spot.id("users"))
    return [refers("userId", spot.person())]


def _pair_again(spot: Spot, document: Document) -> list[Outcome]:
    """Another document of somebody who follows, with the same two."""
    document |= spot.again()
    return []


def _self(spot: Spot, document: Document) -> list[Outcome]:
    document["followerId"] = document["userId"] = str(spot.id("users"))
    return [refers("followerId", spot.person()), refers("userId", spot.person())]


def _list_twice(spot: Spot, document: Document) -> list[Outcome]:
    one, other = str(spot.id("profiles")), str(spot.id("profiles", 1))
    document["profiles"] = [one, other, one]
    return [refers("profiles[]", document=("profiles", value)) for value in (one, other)]


def _list_part(spot: Spot, document: Document) -> list[Outcome]:
    one = str(spot.id("profiles"))
    document["profiles"] = [str(spot.gone()), one]
    return [nobody("profiles[]", spot.gone()), refers("profiles[]", document=("profiles", one))]


def _two_forms(spot: Spot, document: Document) -> list[Outcome]:
    """The e-mail that the other form has as well."""
    document["email"] = f"two.forms.{spot.turn}@example.org"
    return [holds("email", document["email"])]


def _plant(name: str, what: str, do: Do, rate: float = 1, most: int | None = None) -> Plant:
    return Plant(name, what, name.partition("/")[0], do, rate, most)


SIGN_IN: tuple[Plant, ...] = (
    _plant("nextauth_accounts/user-missing", "an account of nobody", required("userId")),
    _plant(
        "nextauth_accounts/of-user", "the id of the user as text, beside a user of the sign-in", Do("userId", _of_user)
    ),
    _plant(
        "nextauth_accounts/session-key",
        "options of the driver, which a route passed inside the document",
        carried("session", {"id": {"id": ObjectId("64b0000000000000000000bb")}, "ended": False}),
    ),
    _plant(
        "nextauth_accounts/expires-double",
        "seconds as a double",
        becomes("expires_at", 1_767_225_600.0, "expires_at", 1_767_225_600),
    ),
    _plant(
        "nextauth_accounts/expires-long",
        "seconds as a long",
        becomes("expires_at", Int64(1_767_225_600), "expires_at", 1_767_225_600),
    ),
    _plant(
        "nextauth_accounts/expires-huge",
        "milliseconds where seconds belong",
        refused("expires_at", Int64(1_767_225_600_000), "out-of-range"),
    ),
    _plant("nextauth_accounts/provider-missing", "no provider", required("provider")),
    _plant(
        "nextauth_accounts/twice",
        "the same account twice",
        Do("providerAccountId", _same_account, "dead_letter", "duplicate-key"),
    ),
    _plant(
        "nextauth_accounts/scope-hostile",
        "quotes and directions in what a provider sent",
        becomes("scope", HOSTILE, "scope", HOSTILE),
    ),
    _plant("nextauth_sessions/user-missing", "a session of nobody", required("userId"), 5),
    _plant(
        "nextauth_sessions/user-random",
        "a fresh id in place of a person's",
        Do("userId", _random, "dead_letter", "orphan"),
        5,
    ),
    _plant("nextauth_sessions/user-another", "the id of another person", Do("userId", _another_s), 5),
    _plant("nextauth_sessions/expired", "expired", ended("expires", EARLY, "skipped", "expired")),
    _plant(
        "nextauth_sessions/expires-text",
        "an instant as text",
        becomes("expires", "2099-01-01T00:00:00.000Z", "expires", "2099-01-01T00:00:00"),
    ),
    _plant("nextauth_verification_tokens/expired", "expired", ended("expires", TODAY, "skipped", "expired")),
    _plant(
        "nextauth_verification_tokens/identifier-mixed",
        "an e-mail with capitals and spaces",
        Do("identifier", _mixed_identifier),
    ),
    _plant(
        "nextauth_verification_tokens/identifier-nobody",
        "an e-mail that nobody has",
        carried("identifier", "never.seen@example.org"),
    ),
    _plant("emailmigrations/of-user", "the id of the user, which the reader expects", Do("userId", _of_user)),
    _plant(
        "emailmigrations/expired", "outlived its time by half a minute", ended("expiresAt", TODAY, "skipped", "expired")
    ),
    _plant("emailmigrations/user-missing", "of nobody", required("userId")),
    _plant(
        "oauthverifications/expired",
        "outlived its time by half a minute",
        ended("expiresAt", TODAY, "skipped", "expired"),
    ),
    _plant(
        "oauthverifications/profile-odd",
        "a profile that is only a text's object",
        carried("oauthProfile", {"name": HOSTILE, "email": None}),
    ),
)
CIRCLES: tuple[Plant, ...] = (
    _plant("followers/twice", "the same two again", Do("followerId", _pair_again, "merged", "duplicate"), 5),
    _plant("followers/self", "somebody who follows nobody else", Do("followerId", _self)),
    _plant("followers/follower-missing", "nobody follows", required("followerId")),
    _plant("userlists/member-twice", "one profile twice", Do("profiles[]", _list_twice)),
    _plant("userlists/members-gone", "a profile that is not there, and one that is", Do("profiles[]", _list_part), 2),
    _plant("userlists/profiles-missing", "no list", without("profiles")),
    _plant("userlists/profiles-empty", "an empty list", carried("profiles", [])),
    _plant("userlists/name-missing", "no name", without("name", column="name", stored="Unnamed List")),
    _plant("userlists/name-hostile", "a name of quotes and directions", becomes("name", HOSTILE, "name", HOSTILE)),
    _plant("userlists/times-missing", "no timestamps", without_times()),
    _plant(
        "images/image-hostile",
        "a file's name with quotes",
        becomes("image", "up/ñ 'x'\".png", "image", "up/ñ 'x'\".png"),
    ),
    _plant("images/user-missing", "nobody's picture", without("userId", column="user_id")),
)
FORMS: tuple[Plant, ...] = (
    _plant("signups/name-missing", "no name", without("name", column="name")),
    _plant("signups/email-missing", "no e-mail", required("email"), most=1),
    _plant("signups/email-upper", "an e-mail in capitals", carried("email", "SOMEBODY@EXAMPLE.ORG"), most=1),
    _plant("newsletters/name-hostile", "a name of quotes and directions", becomes("name", HOSTILE, "name", HOSTILE)),
    _plant("contactus/message-nul", "a NUL inside the message", refused("message", NUL, "nul")),
    _plant("contactus/message-long", "a message longer than a batch", long("message", "message"), most=20),
    _plant("contactus/message-missing", "no message", without("message", column="message")),
    _plant(
        "contactus/acknowledged-missing",
        "nothing about being read",
        without("acknowledged", column="acknowledged", stored=False),
    ),
    _plant("contactus/times-missing", "no timestamps", without_times()),
    _plant("brevocontacts/id-double", "a number as a double", becomes("brevo_id", 77.0, "brevo_id", 77)),
    _plant("brevocontacts/id-text", "a number as a text", becomes("brevo_id", "78", "brevo_id", 78)),
    _plant("brevocontacts/id-huge", "a number beyond the column", refused("brevo_id", Int64(2**40), "out-of-range")),
    _plant(
        "interactions/affilate",
        "the schema's spelling",
        becomes("affilate", "CP0000000001", "affiliate", "CP0000000001"),
    ),
    _plant(
        "interactions/affiliate",
        "the code's spelling",
        becomes("affiliate", "CP0000000002", "affiliate", "CP0000000002"),
    ),
    _plant("interactions/points-double", "points as a double", becomes("points", 10.0, "points", 10)),
    _plant("interactions/points-fraction", "a fraction of a point", refused("points", 0.5, "fraction")),
    _plant("interactions/action-unknown", "an action of nobody's", becomes("action", "dance", "action", "dance")),
    _plant("interactions/email-missing", "no e-mail", required("email")),
    _plant("artintakes/two-forms", "one person with two forms: this and food", Do("email", _two_forms)),
    _plant("foodintakes/two-forms", "one person with two forms: this and art", Do("email", _two_forms)),
    *(
        _plant(f"{name}/unknown-keys", "answers to questions of nobody's form", carried("instagramReel", HOSTILE))
        for name in INTAKES
    ),
    *(
        _plant(
            f"{name}/complete-missing",
            "nothing about being complete",
            without("complete", column="complete", stored=False),
        )
        for name in INTAKES
    ),
    _plant("events/name-missing", "no name", required("name")),
    _plant("events/start-early", "began before 1970", carried("start", EARLY)),
    _plant("events/times-missing", "no timestamps", without_times()),
    _plant("links/color-missing", "no colour", without("color", "type", column="color")),
    _plant("podcasts/order-odd", "an order that is no number", carried("order", "último")),
)
