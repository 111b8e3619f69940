"""What a generated Pana MIA database must have: every field of each collection, every mess of the real data; data."""

from __future__ import annotations

from apps.panamia.generator.plants.references import SITES
from apps.panamia.generator.schema import INTAKE_OWN, INTAKE_TEXTS, INTAKES


def _of(path: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"{path}-{kind}" for kind in kinds)


PROMISED: dict[str, tuple[str, ...]] = {
    # What at least one of the real scripts catered for.
    "e-mail case differs between stores": ("people/email-case", "people/email-spaces", "people/email-accents"),
    "person without an account in the new store": ("people/no-sign-in", "people/legacy-no-sign-in"),
    "userId null or absent on a profile": ("profiles/link-null", "profiles/no-link", "profiles/link-empty"),
    "ids that are already cuid": (
        "people/already-there",
        *(f"{site.where}/{site.path}-canonical" for site in SITES),
    ),
    "ids missing from the map": (
        "profiles/link-gone",
        "profiles/unclaimed-gone",
        *(f"{site.where}/{site.path}-gone" for site in SITES),
    ),
    "expired sessions and tokens": (
        "nextauth_sessions/expired",
        "nextauth_verification_tokens/expired",
        "emailmigrations/expired",
        "oauthverifications/expired",
    ),
    "missing createdAt, updatedAt, role": (
        "users/times-missing",
        "profiles/times-missing",
        "notifications/times-missing",
        "articles/times-missing",
        "users/role-missing",
        "users/status-missing",
    ),
    "orphan accounts and sessions": (
        "nextauth_accounts/userId-gone",
        "nextauth_accounts/user-missing",
        "nextauth_sessions/userId-gone",
    ),
    "invalid enum values": (
        "users/account-type-unknown",
        "notifications/type-unknown",
        "notifications/context-unknown",
        "notifications/object-type-unknown",
        "articles/status-unknown",
        "articles/type-unknown",
        "mentorSessions/status-unknown",
    ),
    "missing authorEmail fallback": ("articles/author-by-email", "articles/author-missing"),
    "pronouns as flags": ("profiles/pronouns-several", "profiles/pronouns-none", "profiles/pronouns-text"),
    "lat and lng as strings": (
        "profiles/lng-text",
        "profiles/lng-spaces",
        "profiles/lat-unreadable",
        "profiles/lat-comma",
        "profiles/lat-empty",
        "profiles/lat-number",
    ),
    "id, e-mail, screenname or slug in following, user_id and profiles": (
        *_of("users/following[]", "other-form", "by-email", "by-screenname", "by-slug"),
        *_of("userlists/user_id", "other-form", "by-email", "by-screenname"),
        *_of("userlists/profiles[]", "other-form", "by-email", "by-slug"),
    ),
    "duplicate follow pairs": ("followers/twice", "users/following-twice"),
    "profile without e-mail or name": ("profiles/email-missing", "profiles/name-missing"),
    "unique conflict on re-run": ("people/already-there",),
    # What none catered for.
    "profile e-mail differs from the account's": (
        "conflict/profile-email-changed",
        "conflict/email-changed-but-for-sign-in",
    ),
    "e-mails of both stores differ": ("conflict/emails-joined-by-profile", "conflict/emails-joined-by-nothing"),
    "account of the other store's user, as text": ("people/account-of-user", "nextauth_accounts/of-user"),
    "junk session key in an account": ("nextauth_accounts/session-key",),
    "sessions of nobody, a random id, another person": (
        "nextauth_sessions/user-missing",
        "nextauth_sessions/user-random",
        "nextauth_sessions/user-another",
    ),
    "profiles without name, five words, userId": (
        "profiles/mentoring-only",
        "profiles/five-words-missing",
        "profiles/no-link",
    ),
    "upper-case e-mail and no userId": ("profiles/upper-case",),
    "two that differ in the case of the e-mail only": (
        "conflict/profiles-case",
        "conflict/users-one-person",
        "conflict/users-two-persons",
        "conflict/sign-ins-one-person",
    ),
    "duplicate slugs": ("profiles/slug-twice",),
    "legacy users without timestamps": ("people/legacy", "people/legacy-no-sign-in", "conflict/legacy-and-new"),
    "several true pronoun flags": ("profiles/pronouns-several",),
    "mentor sessions without type or ids": ("mentorSessions/type-missing", "mentorSessions/ids-missing"),
    "mentor sessions in the lower-case collection": ("mentorsessions/former",),
    "former name of the post's address": ("articles/toot", "articles/toot-and-post"),
    "a context that exists only later": ("notifications/context-message",),
    "rows that outlived their time": ("notifications/expired",),
    # What else was asked for.
    "extras inside and outside": (
        "profiles/channel",
        "users/unknown-keys",
        "profiles/unknown-keys",
        "users/status-unknown-key",
        "profiles/mentoring-unknown-key",
        "articles/checklist-unknown-key",
    ),
    "both vintages of categories": (
        "profiles/categories-first",
        "profiles/categories-second",
        "profiles/categories-both",
    ),
    "both spellings": ("interactions/affilate", "interactions/affiliate", "articles/toot"),
    "lists with gone members": ("userlists/members-gone",),
    "hostile texts": (
        "users/name-hostile",
        "profiles/details-hostile",
        "notifications/message-hostile",
        "articles/tags-hostile",
    ),
    "long texts": ("articles/content-long", "profiles/details-long", "contactus/message-long"),
    "NUL": ("notifications/message-nul", "profiles/details-nul", "articles/content-nul", "contactus/message-nul"),
    "before 1970": ("users/created-early", "articles/published-early", "notifications/created-early"),
    "a profile of X with the e-mail of Y": ("conflict/profile-of-link", "conflict/profile-of-email"),
    "a test account": ("conflict/test-account",),
    "two people who want one screen name": ("users/screenname-taken",),
    "keys inside json that get other names": ("profiles/locations-whole",),
}
"""What the data hold by construction, and the plants that stand for it."""

COMMON = "_id __v createdAt updatedAt"
FIELDS: dict[str, str] = {
    "nextauth_users": "email emailVerified name image",
    "nextauth_accounts": "userId type provider providerAccountId refresh_token access_token expires_at token_type scope"
    " id_token session_state",
    "nextauth_sessions": "sessionToken userId expires",
    "nextauth_verification_tokens": "identifier token expires",
    "users": "email screenname name accountType status.role status.locked affiliate.activated affiliate.code"
    " affiliate.accepted_tos affiliate.tier affiliate.points alternate_emails zip_code following"
    " notificationPreferences.coauthorInvites notificationPreferences.systemAnnouncements id username pronouns"
    " instagramHandle twitterHandle link1 link2 bio category avatar bannerImage hashedPassword admin featured"
    " onboardingFormComplete location dateJoined",
    "profiles": "userId email name slug active status.submitted status.approved status.declined status.published"
    " status.access status.notes administrative locally_based details background tags hearaboutus affiliate five_words"
    " socials.website socials.instagram socials.facebook socials.tiktok socials.twitter socials.spotify phone_number"
    " whatsapp_community pronouns.sheher pronouns.hehim pronouns.theythem pronouns.none pronouns.other"
    " pronouns.other_desc counties.palm_beach counties.broward counties.miami_dade categories.digital_art"
    " categories.Venue categories.artisanal categories.homemade primary_address.name primary_address.street1"
    " primary_address.street2 primary_address.city primary_address.state primary_address.zipcode primary_address.hours"
    " primary_address.lat primary_address.lng primary_address.google_place_id gentedepana.code gentedepana.percentage"
    " gentedepana.details geo.type geo.coordinates locations[].name locations[].street1"
    " locations[].street2 locations[].city locations[].state locations[].zipcode locations[].hours locations[].lat"
    " locations[].lng locations[].google_place_id images.primary images.primaryCDN images.gallery1"
    " images.gallery2 images.gallery3 images.gallery1CDN images.gallery2CDN images.gallery3CDN linked_profiles[]"
    " mentoring.enabled mentoring.expertise[] mentoring.languages[] mentoring.bio mentoring.videoIntroUrl"
    " mentoring.goals mentoring.hourlyRate availability.timezone availability.schedule[].day"
    " availability.schedule[]._id availability.schedule[].startTime availability.schedule[].endTime pusherChannelId"
    " verification.panaVerified verification.legalAgeVerified verification.verifiedOn verification.verifiedBy"
    " roles.mentoringModerator roles.eventOrganizer roles.contentModerator",
    "notifications": "type actor object target context actorScreenname actorName objectType objectTitle objectUrl"
    " message read readAt emailSent emailSentAt emailPreferenceKey expiresAt",
    "articles": "slug title content excerpt coverImage articleType tags[] authorId coAuthors[].userId"
    " coAuthors[].invitedAt coAuthors[].invitationMessage coAuthors[].status coAuthors[].acceptedAt reviewedBy.userId"
    " reviewedBy.requestedAt reviewedBy.invitationMessage reviewedBy.status reviewedBy.checklist.factsVerified"
    " reviewedBy.checklist.sourcesChecked reviewedBy.checklist.communityStandards reviewedBy.comments[].id"
    " reviewedBy.comments[].text reviewedBy.comments[].contentRef reviewedBy.comments[].resolved"
    " reviewedBy.comments[].resolvedAt reviewedBy.comments[].createdAt reviewedBy.approvedAt inReplyTo status"
    " publishedAt removedAt removedBy removalReason readingTime mastodonPostUrl mastodonTootUrl",
    "mentorSessions": "mentorEmail menteeEmail mentorUserId menteeUserId scheduledAt duration topic sessionType status"
    " sessionId notes completedAt cancelledAt cancelledBy cancelReason declinedAt declinedBy declineReason",
    "mentorsessions": "mentorEmail menteeEmail scheduledAt duration topic status sessionId notes completedAt"
    " cancelledAt cancelledBy cancelReason declinedAt declinedBy declineReason",
    "emailmigrations": "userId oldEmail newEmail migrationToken expiresAt createdAt",
    "oauthverifications": "email provider providerAccountId verificationToken expiresAt createdAt oauthProfile.name"
    " oauthProfile.email oauthProfile.image",
    "followers": "followerId followerUserName followedUserName userId",
    "userlists": "user_id name desc public profiles[]",
    "images": "image userId",
    "signups": "email name signupType acknowledged",
    "newsletters": "email name membershipType igUsername otherURL",
    "contactus": "name email message acknowledged",
    "brevocontacts": "email brevo_id",
    "interactions": "email action affilate affiliate points",
    "events": "primary_profile name event_link start end details address images linked_profiles[]",
    "links": "label url type color",
    "podcasts": "label url category order",
    **{name: " ".join(("email complete tags[]", *INTAKE_TEXTS, *sum(INTAKE_OWN[name], ()))) for name in INTAKES},
}
"""Every field of every collection; of objects with many flags the ones that tell vintages apart."""
