"""The collections as the application had them in January 2026: order, indexes, words in use, sizes; pure data."""

from __future__ import annotations

from apps.generating.sinks import Index

INTAKES = ("apparelintakes", "artintakes", "foodintakes", "goodsintakes", "organizationintakes", "servicesintakes")
"""Six forms, a collection each."""

PER_PERSON: dict[str, float] = {
    "users": 1,
    "nextauth_users": 0.9,
    "nextauth_accounts": 1.1,
    "nextauth_sessions": 1.5,
    "nextauth_verification_tokens": 0.05,
    "profiles": 0.8,
    "notifications": 5,
    "articles": 0.2,
    "mentorSessions": 0.18,
    "mentorsessions": 0.02,
    "emailmigrations": 0.01,
    "oauthverifications": 0.01,
    "followers": 0.5,
    "userlists": 0.1,
    "images": 0.3,
    "signups": 0.3,
    "newsletters": 0.02,
    "contactus": 0.1,
    "brevocontacts": 0.2,
    "interactions": 1,
    "events": 0.01,
    "links": 0.005,
    "podcasts": 0.005,
    **dict.fromkeys(INTAKES, 0.2 / 6),
}
"""Documents a person, roughly, in the order in which they are written.

`mentorsessions` is what `mentorSessions` was called until December 2025; its documents stayed there.
"""
FEWEST = 4
"""Sound documents of any collection."""

ACCOUNT_TYPES = ("personal", "small_business", "hybrid", "other")
ACTIVITIES = ("Invite", "Accept", "Reject", "Create", "Update", "Delete", "Announce", "Like", "Follow", "Undo")
CONTEXTS = ("coauthor", "review", "article", "mentoring", "mention", "follow", "system")
OBJECT_TYPES = ("article", "profile", "session", "comment")
ARTICLE_TYPES = ("business_update", "community_commentary")
ARTICLE_STATUSES = ("published", "draft", "pending_review", "revision_needed", "removed")
SESSION_TYPES = ("artistic", "knowledge_transfer", "panamia_planning", "pana_support")
SESSION_STATUSES = ("completed", "pending", "scheduled", "in_progress", "cancelled", "declined")
ANSWERS = ("accepted", "pending", "declined")
REVIEWS = ("approved", "pending", "revision_needed")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PREFERENCES = (
    "coauthorInvites",
    "reviewRequests",
    "articlePublished",
    "articleReplies",
    "revisionNeeded",
    "mentoringRequests",
    "systemAnnouncements",
)
ACTIONS = {
    "user_signup": 10,
    "newsletter_signup": 0,
    "profile_signup": 50,
    "donation_onetime": 100,
    "donation_membership": 100,
}
"""What is counted, and its points."""
FIRST_CATEGORIES = (
    "products",
    "services",
    "events",
    "music",
    "food",
    "clothing",
    "accessories",
    "art",
    "digital_art",
    "tech",
    "health_beauty",
    "wellness",
    "non_profit",
    "homemade",
)
SECOND_CATEGORIES = (
    "products",
    "services",
    "Venue",
    "music",
    "food",
    "apparel",
    "art",
    "tech",
    "wellness",
    "non_profit",
    "artisanal",
)
"""What a profile can be listed under, as two vintages of the form wrote it."""

INTAKE_TEXTS = (
    "name",
    "about",
    "backgroundEthnicity",
    "igUsername",
    "twitterHandle",
    "website",
    "logo",
    "interest",
    "image1",
    "image2",
    "image3",
    "businessNeed",
    "workshop",
    "workshopDetails",
    "igConsent",
    "marketConsent",
    "vendingConsent",
    "collabConsent",
    "referrals",
)
"""Optional texts of all six forms."""
_MARKET = ("marketInterest",)
INTAKE_OWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "apparelintakes": (("address", *_MARKET), ("category", "locationOptions", "audience", "source")),
    "artintakes": (("category", "productType", *_MARKET), ("mediums", "source")),
    "foodintakes": (
        ("address", *_MARKET),
        ("allergenFriendlyOptions", "locationOptions", "category", "diningOptions"),
    ),
    "goodsintakes": (("address", *_MARKET), ("category", "locationOptions", "audience")),
    "organizationintakes": (
        (
            "volunteerNeed",
            "organizationSize",
            "missionStatement",
            "demographic",
            "address",
            "communityEngagement",
            *_MARKET,
        ),
        ("locationOptions",),
    ),
    "servicesintakes": (("address",), ("category", "locationOptions", "serviceType")),
}
"""Further texts, and further lists, of each form."""


def _plain(*fields: str) -> Index:
    keys = {field.removeprefix("-"): -1 if field.startswith("-") else 1 for field in fields}
    return Index("_".join(f"{field}_{direction}" for field, direction in keys.items()), keys)


def _unique(field: str, **options: object) -> Index:
    return Index(f"{field}_1", {field: 1}, {"unique": True, **options})


_EXPIRES_AT = Index("expiresAt_1", {"expiresAt": 1}, {"expireAfterSeconds": 0})
_IGNORING_CASE = {"locale": "en", "strength": 2}

INDEXES: dict[str, tuple[Index, ...]] = {
    "users": (_unique("email"), _unique("screenname", sparse=True, collation=_IGNORING_CASE)),
    "profiles": (_unique("email"), _plain("userId"), _plain("five_words")),
    "notifications": (
        _plain("actor"),
        _plain("target"),
        _plain("context"),
        _plain("read"),
        _plain("target", "read", "-createdAt"),
        _plain("target", "context", "-createdAt"),
        _EXPIRES_AT,
    ),
    "articles": (
        _unique("slug"),
        _plain("tags"),
        _plain("authorId"),
        _plain("inReplyTo"),
        _plain("status"),
        _plain("publishedAt"),
        _plain("status", "-publishedAt"),
        _plain("authorId", "status"),
        _plain("coAuthors.userId", "status"),
    ),
    "mentorSessions": (
        _plain("mentorEmail"),
        _plain("menteeEmail"),
        _plain("mentorUserId"),
        _plain("menteeUserId"),
        _plain("scheduledAt"),
        _unique("sessionId"),
        _plain("mentorEmail", "-scheduledAt"),
        _plain("menteeEmail", "-scheduledAt"),
    ),
    "emailmigrations": (_plain("userId"), _plain("newEmail"), _unique("migrationToken"), _EXPIRES_AT),
    "oauthverifications": (
        _plain("email"),
        _unique("verificationToken"),
        _plain("provider", "providerAccountId"),
        _EXPIRES_AT,
    ),
    "signups": (_unique("email"),),
    "newsletters": (_unique("email"),),
    "brevocontacts": (_unique("email"),),
    "links": (_unique("label"), _unique("url")),
    "podcasts": (_unique("label"), _unique("url")),
    **{name: (_unique("email"),) for name in INTAKES},
}
"""Indexes besides that of `_id`, without the one on `users.username`, which no collection of both shapes can have."""


def sound(collection: str, people: int) -> int:
    """How many documents without a fault a collection has, of those whose number does not follow from the people."""
    return max(FEWEST, round(PER_PERSON[collection] * people))
