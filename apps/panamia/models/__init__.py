"""Pana MIA's tables as SQLAlchemy 2 models, by area. The migrations make the same: `isthmus schema drift` tells."""

from __future__ import annotations

from .auth import Account, LinkRequest, Session, User, VerificationToken
from .base import Base, add_triggers
from .content import Article, ArticleAnnouncement
from .engagement import Interaction, Notification, NotificationMail, ScreennameHistory
from .lists import ProfileFollow, UserFollow, UserList, UserListMember
from .mentoring import IntakeForm, MentorSession
from .ops import BrevoContact, ContactSubmission, EmailMigration, Newsletter, NewsletterSignup, OAuthVerification
from .profiles import Profile
from .site import Event, Image, Link, Podcast
from .social import SocialActor, SocialAttachment, SocialFollow, SocialLike, SocialStatus, SocialTag

metadata = Base.metadata
add_triggers(metadata)

__all__ = [
    "Account",
    "Article",
    "ArticleAnnouncement",
    "Base",
    "BrevoContact",
    "ContactSubmission",
    "EmailMigration",
    "Event",
    "Image",
    "IntakeForm",
    "Interaction",
    "Link",
    "LinkRequest",
    "MentorSession",
    "Newsletter",
    "NewsletterSignup",
    "Notification",
    "NotificationMail",
    "OAuthVerification",
    "Podcast",
    "Profile",
    "ProfileFollow",
    "ScreennameHistory",
    "Session",
    "SocialActor",
    "SocialAttachment",
    "SocialFollow",
    "SocialLike",
    "SocialStatus",
    "SocialTag",
    "User",
    "UserFollow",
    "UserList",
    "UserListMember",
    "VerificationToken",
    "metadata",
]
