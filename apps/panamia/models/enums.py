"""The enum types: the words as Python types, and the types of the database."""

from __future__ import annotations

from typing import Literal, get_args

from sqlalchemy.dialects.postgresql import ENUM

AccountType = Literal["personal", "small_business", "hybrid", "other"]
NotificationActivityType = Literal[
    "Invite", "Accept", "Reject", "Create", "Update", "Delete", "Announce", "Like", "Follow", "Undo"
]
NotificationContext = Literal[
    "coauthor", "review", "article", "mentoring", "mention", "follow", "message", "system", "booking"
]
NotificationObjectType = Literal["article", "profile", "session", "comment", "booking"]
ArticleType = Literal["business_update", "community_commentary"]
ArticleStatus = Literal["draft", "pending_review", "revision_needed", "published", "removed"]
MembershipLevel = Literal["free", "basic", "premium", "business", "partner"]
SessionType = Literal["artistic", "knowledge_transfer", "panamia_planning", "pana_support"]
SessionStatus = Literal["pending", "scheduled", "in_progress", "completed", "cancelled", "declined"]
IntakeFormType = Literal["art", "apparel", "food", "goods", "org", "services"]
SocialFollowStatus = Literal["pending", "accepted", "rejected"]

account_type = ENUM(*get_args(AccountType), name="account_type")
notification_activity_type = ENUM(*get_args(NotificationActivityType), name="notification_activity_type")
notification_context = ENUM(*get_args(NotificationContext), name="notification_context")
notification_object_type = ENUM(*get_args(NotificationObjectType), name="notification_object_type")
article_type = ENUM(*get_args(ArticleType), name="article_type")
article_status = ENUM(*get_args(ArticleStatus), name="article_status")
membership_level = ENUM(*get_args(MembershipLevel), name="membership_level")
session_type = ENUM(*get_args(SessionType), name="session_type")
session_status = ENUM(*get_args(SessionStatus), name="session_status")
intake_form_type = ENUM(*get_args(IntakeFormType), name="intake_form_type")
social_follow_status = ENUM(*get_args(SocialFollowStatus), name="social_follow_status")
