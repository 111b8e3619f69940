"""What is planted in users and in users of the sign-in, besides who they are."""

from __future__ import annotations

from dataclasses import replace

from bson import Int64

from apps.generating.outcomes import Outcome, instant
from apps.panamia.generator.cases import AUTH, FULL, PROFILE, USER
from apps.panamia.generator.planting import Case, Do, Document, Member, Spot
from apps.panamia.generator.schema import PREFERENCES
from apps.panamia.generator.values import EARLY, HOSTILE, TODAY
from apps.panamia.generator.verbs import (
    aside,
    becomes,
    becomes_json,
    carried,
    refers,
    required,
    without,
    without_times,
)

_ALONE = (USER,)
_FURTHER = ["Second@Example.org", "second@example.org", "Second@Example.org", ""]
_IN_FULL = dict.fromkeys(PREFERENCES, True)


def _misspelt(_spot: Spot, document: Document) -> list[Outcome]:
    document.pop("zip_code", None)
    return becomes("zipCode", "33130", "zip_code", "33130").change(_spot, document)


def _twice(spot: Spot, document: Document) -> list[Outcome]:
    one = str(spot.id("profiles"))
    document["following"] = [one, one]
    return [refers("following[]", document=("profiles", one))]


def _taken(spot: Spot, document: Document) -> list[Outcome]:
    """Another's screen name, with spaces that no other claimant has: the index that ignores case lets it through."""
    document["screenname"] = f"{' ' * (1 + spot.turn)}{spot.screenname()} "
    return [{"kind": "taken", "path": "screenname", "person": spot.person()}]


def _user(name: str, what: str, do: Do, members: tuple[Member, ...] = FULL, most: int | None = None) -> Case:
    return Case(f"users/{name}", what, members, changes={"user": do}, most=most)


def _auth(name: str, what: str, do: Do, members: tuple[Member, ...] = FULL, most: int | None = None) -> Case:
    return Case(f"nextauth_users/{name}", what, members, changes={"auth": do}, most=most)


USERS: tuple[Case, ...] = (
    _user("email-missing", "no e-mail at all", required("email"), _ALONE, most=1),
    _user(
        "account-type-unknown",
        "an account type that is none",
        becomes("accountType", "nonprofit", "account_type", "personal"),
    ),
    _user("account-type-missing", "no account type", without("accountType", column="account_type", stored="personal")),
    _user("status-missing", "no status: no role", without("status", column="role", stored="user")),
    _user("status-null", "null in place of the status", becomes("status", None, "role", "user")),
    _user("role-missing", "a status without a role", without("status.role", column="role", stored="user")),
    _user("locked", "a locked account", becomes("status.locked", EARLY, "locked_at", instant(EARLY))),
    _user(
        "status-unknown-key",
        "a status with a key that nobody declared",
        carried("status", {"role": "user", "locked": None, "note": HOSTILE}),
    ),
    _user("affiliate-missing", "no affiliate", without("affiliate", column="affiliate")),
    _user("affiliate-empty", "an empty affiliate, which the next visit would fill", becomes_json("affiliate", {})),
    _user(
        "alternates-missing",
        "no list of further e-mails",
        without("alternate_emails", column="alternate_emails", stored=[]),
    ),
    _user("alternates-null", "null in place of the list", becomes("alternate_emails", None, "alternate_emails", [])),
    _user(
        "alternates-odd",
        "further e-mails with capitals, twice, and an empty one",
        becomes("alternate_emails", _FURTHER, "alternate_emails", _FURTHER),
    ),
    _user("zip-number", "a number as zip code", becomes("zip_code", 33_101, "zip_code", "33101")),
    _user("zip-misspelt", "the spelling of the code, which strict mode drops", Do("zipCode", _misspelt)),
    _user("preferences-missing", "no preferences: all are wanted", without("notificationPreferences")),
    _user("preferences-empty", "empty preferences: all are wanted", carried("notificationPreferences", {})),
    _user(
        "preferences-some",
        "some of the preferences, and one that nobody declared",
        carried("notificationPreferences", {"reviewRequests": False, "weeklyDigest": True}),
    ),
    _user("preferences-none", "nothing is wanted", carried("notificationPreferences", dict.fromkeys(_IN_FULL, False))),
    _user("following-twice", "one profile twice", Do("following", _twice)),
    _user("following-missing", "no list of profiles", without("following")),
    _user("following-null", "null in place of the list", carried("following", None)),
    _user(
        "screenname-hostile",
        "a screen name that no form lets through",
        becomes("screenname", HOSTILE, "screenname", HOSTILE),
        most=1,
    ),
    _user(
        "screenname-reserved",
        "a reserved screen name, with capitals",
        becomes("screenname", "Admin", "screenname", "Admin"),
        most=1,
    ),
    _user(
        "screenname-taken",
        "another person's screen name, with spaces around it: whose it was first has it, the other's row waits",
        Do("screenname", _taken, "dead_letter", "duplicate-key"),
        (USER, replace(AUTH, end="dead_letter", why="joined-left"), PROFILE),
        most=20,
    ),
    _user("name-null", "null as the name", carried("name", None)),
    _user(
        "name-hostile", "a name of quotes, directions and four-byte letters", becomes("name", HOSTILE, "name", HOSTILE)
    ),
    _user("times-missing", "no timestamps", without_times()),
    _user("created-early", "made before 1970", becomes("createdAt", EARLY, "created_at", instant(EARLY))),
    _user(
        "unknown-keys",
        "fields that nobody declared",
        aside(favouriteColour="teal", seen=Int64(2**53 + 1), last={"at": TODAY}),
    ),
    # The store of the sign-in.
    _auth("name-missing", "no name and no picture", without("name", "image")),
    _auth("verified-null", "the e-mail is not proven", becomes("emailVerified", None, "email_verified", None)),
    _auth("verified-missing", "nothing about the proof", without("emailVerified", column="email_verified")),
    _auth("email-missing", "no e-mail: from a provider that gave none", required("email"), (AUTH,), most=1),
    _auth("unknown-keys", "what another adapter left", aside(role="admin", createdAt=TODAY)),
)
