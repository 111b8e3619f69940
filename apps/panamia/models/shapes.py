"""What the jsonb columns hold, as the application writes it; carried rows may lack keys and have further ones. Pure."""

from __future__ import annotations

from typing import Any, TypedDict

Flags = dict[str, bool]
"""Named choices; the names come from the forms, of which there were several vintages."""
Loose = dict[str, Any]
"""An object whose keys nobody fixed."""


class Affiliate(TypedDict, total=False):
    """users.affiliate."""

    activated: bool
    code: str
    accepted_tos: str | None
    tier: int
    points: int


class NotificationPreferences(TypedDict, total=False):
    """users.notification_preferences."""

    coauthorInvites: bool
    reviewRequests: bool
    articlePublished: bool
    articleReplies: bool
    revisionNeeded: bool
    mentoringRequests: bool
    systemAnnouncements: bool
    bookings: bool


class Descriptions(TypedDict, total=False):
    """profiles.descriptions."""

    details: str | None
    background: str | None
    fiveWords: str | None
    tags: str | None
    hearaboutus: str | None


class Socials(TypedDict, total=False):
    """profiles.socials."""

    website: str
    instagram: str
    facebook: str
    tiktok: str
    twitter: str
    spotify: str


class GalleryImages(TypedDict, total=False):
    """profiles.gallery_images."""

    gallery1: str
    gallery2: str
    gallery3: str
    gallery1CDN: str
    gallery2CDN: str
    gallery3CDN: str


class Location(TypedDict, total=False):
    """An element of profiles.locations."""

    name: str
    line1: str
    line2: str
    line3: str
    locality: str
    region: str
    postalCode: str
    country: str
    lat: float | str
    lng: float | str
    googlePlaceId: str
    hours: str


class Mentoring(TypedDict, total=False):
    """profiles.mentoring."""

    enabled: bool
    expertise: list[str]
    languages: list[str]
    bio: str
    videoIntroUrl: str
    goals: str
    hourlyRate: float


class Availability(TypedDict, total=False):
    """profiles.availability; the schedule has a day, `startTime` and `endTime` each."""

    timezone: str
    schedule: list[Loose]


class Verification(TypedDict, total=False):
    """profiles.verification; `verifiedBy` is an e-mail or a user's id."""

    panaVerified: bool
    legalAgeVerified: bool
    verifiedOn: str
    verifiedBy: str


class Roles(TypedDict, total=False):
    """profiles.roles."""

    mentoringModerator: bool
    eventOrganizer: bool
    contentModerator: bool


class ProfileStatus(TypedDict, total=False):
    """profiles.status: when it was what; `access` is a secret."""

    submitted: str
    approved: str
    declined: str
    published: str
    access: str
    notes: str


class CoAuthor(TypedDict, total=False):
    """An element of articles.co_authors; `userId` is an id of users that no foreign key holds."""

    userId: str
    invitedAt: str
    invitationMessage: str | None
    status: str
    acceptedAt: str | None


class Review(TypedDict, total=False):
    """articles.reviewed_by; `userId` is an id of users that no foreign key holds, `earlier` the reviews before it."""

    userId: str
    requestedAt: str
    invitationMessage: str | None
    status: str
    checklist: Flags
    comments: list[Loose]
    approvedAt: str | None
    earlier: list[Loose]


class Place(TypedDict, total=False):
    """social_statuses.location."""

    type: str
    latitude: float
    longitude: float
    name: str
    precision: str
