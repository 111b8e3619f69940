"""Cases of identity: people whose documents do not say plainly who they are, and what a person would answer; data."""

from __future__ import annotations

from apps.generating.outcomes import Outcome
from apps.panamia.generator.planting import Answer, Case, Do, Document, Member, Spot
from apps.panamia.generator.values import FIRST, at, name, slug, text, url

USER = Member("user", "users")
AUTH = Member("auth", "nextauth_users")
PROFILE = Member("profile", "profiles", link="auth")
FULL = (USER, AUTH, PROFILE)
"""What most people have."""
_UNCLAIMED = Member("profile", "profiles")


def _legacy(spot: Spot, document: Document) -> list[Outcome]:
    """Make a user of the days when the application kept passwords."""
    number, email = spot.number, document["email"]
    kept = {"_id": document["_id"]}
    document.clear()
    document |= {
        **kept,
        "id": f"legacy-{number}",
        "username": f"Old_{slug(number)}",
        "name": name(number),
        "pronouns": "they/them",
        "email": email,
        "instagramHandle": f"@{slug(number)}",
        "twitterHandle": f"@{number}",
        "link1": url("one", number),
        "link2": "",
        "bio": text("bio", number),
        "category": ["music", "art"],
        "avatar": url("avatar", number),
        "bannerImage": url("banner", number),
        "hashedPassword": f"$2b$10${number:053}",
        "admin": False,
        "featured": number % 2 == 0,
        "onboardingFormComplete": True,
        "location": "Miami",
        "dateJoined": at(FIRST + number),
    }
    return []


LEGACY = Do("username", _legacy)

CASES: tuple[Case, ...] = (
    # Nothing to ask.
    Case(
        "people/email-case",
        "the e-mail is written in another case in each store",
        (
            Member("user", "users", form="mixed"),
            AUTH,
            Member("profile", "profiles", form="upper", link="auth"),
        ),
        per_thousand=20,
    ),
    Case(
        "people/email-spaces",
        "the e-mail has spaces around it",
        (Member("user", "users", form="spaced"), AUTH, PROFILE),
        per_thousand=2,
    ),
    Case(
        "people/email-accents",
        "letters beyond ASCII, in both cases",
        (Member("user", "users", form="accents-upper"), Member("auth", "nextauth_users", form="accents")),
    ),
    Case(
        "people/no-sign-in",
        "in the application, and never signed in: no row of the sign-in's store",
        (USER, Member("profile", "profiles", link="user")),
        per_thousand=5,
    ),
    Case("people/sign-in-only", "signed in, and unknown to the application", (AUTH,), per_thousand=3),
    Case(
        "people/no-user",
        "signed in, with a profile, and unknown to the application",
        (AUTH, PROFILE),
    ),
    Case(
        "people/account-of-user",
        "an account whose userId is the user's id as text, and no sign-in's user",
        (USER,),
        per_thousand=5,
    ),
    Case(
        "people/legacy",
        "the password era's shape, without timestamps",
        FULL,
        changes={"user": LEGACY},
        per_thousand=10,
    ),
    Case(
        "people/legacy-no-sign-in",
        "the password era's shape, never signed in again",
        (USER,),
        changes={"user": LEGACY},
        per_thousand=5,
    ),
    Case(
        "people/already-there",
        "a person whose row the target may have already; the profile holds that row's id",
        (USER, AUTH, Member("profile", "profiles", link="canonical")),
        ("dangling",),
        (Answer("same", ("profile", "user"), "the id is that of the row"),),
        most=1,
    ),
    # Profiles.
    Case("profiles/of-user", "userId is the id of the user", (USER, AUTH, Member("profile", "profiles", link="user"))),
    Case("profiles/no-link", "no userId: from before the field", (USER, AUTH, Member("profile", "profiles"))),
    Case("profiles/link-null", "userId is null", (USER, AUTH, Member("profile", "profiles", link="null"))),
    Case("profiles/link-empty", "userId is an empty text", (USER, AUTH, Member("profile", "profiles", link="empty"))),
    Case(
        "profiles/link-gone",
        "userId is nobody's, the e-mail somebody's",
        (USER, AUTH, Member("profile", "profiles", link="gone")),
        ("dangling",),
        (Answer("same", ("profile", "user"), "the e-mail is right"),),
    ),
    Case(
        "profiles/upper-case",
        "from the bulk import: an e-mail in capitals, and no userId",
        (USER, AUTH, Member("profile", "profiles", form="upper")),
        per_thousand=5,
    ),
    Case("profiles/unclaimed", "of nobody: no such e-mail, no userId", (_UNCLAIMED,), per_thousand=5),
    Case(
        "profiles/unclaimed-gone",
        "of nobody: no such e-mail, and userId is nobody's",
        (Member("profile", "profiles", link="gone"),),
    ),
    # Conflicts, with the answer.
    Case(
        "conflict/users-one-person",
        "two users that differ in the case of the e-mail only: one person",
        (USER, AUTH, Member("user2", "users", form="mixed"), PROFILE),
        ("several",),
        (Answer("same", ("user", "user2"), "one person, who signed up twice; asked by phone"),),
        per_thousand=2,
    ),
    Case(
        "conflict/users-two-persons",
        "two users that differ in the case of the e-mail only: two people, who share a mailbox",
        (
            USER,
            Member("user2", "users", owner=1, form="mixed", end="dead_letter", why="duplicate-key"),
            AUTH,
        ),
        ("several",),
        (
            Answer("different", ("user", "user2"), "mother and son share a mailbox"),
            Answer("same", ("user", "auth"), "the mother signs in, the son does not"),
        ),
        persons=2,
    ),
    Case(
        "conflict/sign-ins-one-person",
        "two users of the sign-in that differ in the case of the e-mail only: one person with two accounts",
        (
            USER,
            AUTH,
            Member("auth2", "nextauth_users", form="mixed"),
            Member("profile", "profiles", link="auth2"),
        ),
        ("several",),
        (Answer("same", ("auth", "auth2"), "one person with two providers"),),
        per_thousand=2,
    ),
    Case(
        "conflict/legacy-and-new",
        "the password era's user beside today's, in another case: one person",
        (USER, Member("user2", "users", form="mixed"), AUTH),
        ("several",),
        (Answer("same", ("user", "user2"), "came back after the password era"),),
        changes={"user": LEGACY},
    ),
    Case(
        "conflict/profile-of-link",
        "userId names one person, the e-mail another: it is the first one's",
        (
            USER,
            Member("user2", "users", owner=1, of=1),
            AUTH,
            Member("auth2", "nextauth_users", owner=1, of=1),
            Member("profile", "profiles", of=1, link="auth"),
        ),
        ("several", "differing"),
        (
            Answer("different", ("profile", "user2"), "entered by a friend, with the friend's e-mail"),
            Answer("different", ("profile", "auth2"), "entered by a friend, with the friend's e-mail"),
            Answer("same", ("profile", "auth"), "claimed by its owner"),
        ),
        persons=2,
    ),
    Case(
        "conflict/profile-of-email",
        "userId names one person, the e-mail another: it is the second one's",
        (
            USER,
            Member("user2", "users", owner=1, of=1),
            AUTH,
            Member("auth2", "nextauth_users", owner=1, of=1),
            Member("profile", "profiles", owner=1, of=1, link="auth"),
        ),
        ("several", "differing"),
        (Answer("different", ("profile", "auth"), "claimed by mistake, on a shared computer: the e-mail is right"),),
        persons=2,
    ),
    Case(
        "conflict/profile-email-changed",
        "the profile's e-mail was changed, and nothing else's",
        (USER, AUTH, Member("profile", "profiles", form="new", link="auth")),
        ("differing",),
        (Answer("same", ("profile", "auth"), "changed the e-mail in December"),),
        per_thousand=2,
    ),
    Case(
        "conflict/email-changed-but-for-sign-in",
        "the e-mail of user and profile was changed, that of the sign-in was not",
        (
            Member("user", "users", form="new"),
            AUTH,
            Member("profile", "profiles", form="new", link="auth"),
        ),
        ("differing",),
        (Answer("same", ("profile", "auth"), "changed the e-mail, signs in with the former one"),),
    ),
    Case(
        "conflict/emails-joined-by-profile",
        "user and sign-in have different e-mails; only the profile joins them",
        (USER, Member("auth", "nextauth_users", form="new"), PROFILE),
        ("differing",),
        (Answer("same", ("user", "auth", "profile"), "a private and a business address"),),
    ),
    Case(
        "conflict/emails-joined-by-nothing",
        "user and sign-in have different e-mails, and nothing joins them: only a person knows",
        (USER, Member("auth", "nextauth_users", form="new")),
        (),
        (Answer("same", ("user", "auth"), "told us at the desk"),),
    ),
    Case(
        "conflict/profiles-case",
        "two profiles of one person, in another case",
        (USER, AUTH, PROFILE, Member("profile2", "profiles", owner=None, form="upper", end="skipped", why="drop")),
        ("several",),
        (Answer("drop", ("profile2",), "from the bulk import; the other one is kept up"),),
    ),
    Case(
        "conflict/profiles-claimed-twice",
        "two profiles whose userId is one person's; the second is another's shop, and unclaimed",
        (USER, AUTH, PROFILE, Member("profile2", "profiles", owner=None, form="new", link="auth")),
        ("several", "differing"),
        (Answer("different", ("profile2", "auth"), "a shop that was claimed by mistake"),),
    ),
    Case(
        "conflict/test-account",
        "an account of the developers, which nobody needs",
        (
            Member("user", "users", owner=None, end="skipped", why="drop"),
            Member("auth", "nextauth_users", owner=None, end="skipped", why="drop"),
        ),
        (),
        (Answer("drop", ("user",), "test account"), Answer("drop", ("auth",), "test account")),
    ),
)
"""The cases that are about who somebody is. Names with `conflict/` have an answer in `resolutions.yaml`."""
