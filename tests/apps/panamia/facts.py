"""What is known of Pana MIA's two databases, as data: tables the project had in PostgreSQL, fields of MongoDB.

Written from the facts, not from the models. `!` is NOT NULL.
"""

from __future__ import annotations

STD = "id text!, created_at timestamptz!, updated_at timestamptz!"
STD1 = "id text!, created_at timestamptz!"

TABLES = {
    "users": f"{STD}, email text!, email_verified timestamptz, name text, image text, screenname text,"
    " last_screenname_change timestamptz, role text!, account_type account_type!, locked_at timestamptz,"
    " alternate_emails text[]!, notification_preferences jsonb, zip_code text, affiliate jsonb",
    "accounts": "id text!, user_id text!, type text!, provider text!, provider_account_id text!, refresh_token text,"
    " access_token text, expires_at integer, token_type text, scope text, id_token text, session_state text",
    "sessions": "session_token text!, user_id text!, expires timestamptz!",
    "verification_tokens": "identifier text!, token text!, expires timestamptz!",
    "profiles": f"{STD}, user_id text, email text!, name text!, phone_number text, pronouns text,"
    " primary_image_id text, primary_image_cdn text, address_name text, address_line1 text, address_line2 text,"
    " address_line3 text, address_locality text, address_region text, address_postal_code text, address_country text,"
    " address_lat numeric(10,7), address_lng numeric(10,7), address_google_place_id text, address_hours text,"
    " active boolean!, locally_based text, membership_level membership_level!, descriptions jsonb, socials jsonb,"
    " gallery_images jsonb, categories jsonb, counties jsonb, locations jsonb, geo jsonb, mentoring jsonb,"
    " availability jsonb, verification jsonb, roles jsonb, gentedepana jsonb, status jsonb, administrative jsonb,"
    " linked_profiles jsonb, whatsapp_community boolean!, affiliate text, social_eligible boolean!,"
    " social_eligible_at timestamptz, social_ineligible_reason text, slug text",
    "articles": f"{STD}, slug text!, title text!, content text!, excerpt text, cover_image text,"
    " article_type article_type!, tags text[]!, author_id text!, co_authors jsonb!, reviewed_by jsonb,"
    " in_reply_to text, status article_status!, published_at timestamptz, removed_at timestamptz, removed_by text,"
    " removal_reason text, reading_time integer!, mastodon_post_url text",
    "article_announcements": f"{STD}, article_id text!, author_id text!, actor_id text, content text!, status_id text",
    "social_actors": f"{STD}, username text!, domain text!, profile_id text, uri text!, inbox_url text!,"
    " outbox_url text!, followers_url text!, following_url text!, shared_inbox_url text, public_key text!,"
    " private_key text, name text, summary text, icon_url text, header_url text, following_count integer!,"
    " followers_count integer!, status_count integer!, manually_approves_followers boolean!",
    "social_statuses": f"{STD}, uri text!, actor_id text!, article_id text, type text!, content text,"
    " content_warning text, url text, in_reply_to_uri text, in_reply_to_id text, recipient_to jsonb!,"
    " recipient_cc jsonb!, published timestamptz, is_draft boolean!, expires_at timestamptz, location jsonb,"
    " replies_count integer!, likes_count integer!, announces_count integer!",
    "social_follows": f"{STD}, actor_id text!, target_actor_id text!, uri text, status social_follow_status!,"
    " accepted_at timestamptz",
    "social_likes": f"{STD1}, actor_id text!, status_id text!, uri text",
    "social_attachments": f"{STD1}, status_id text!, type text!, media_type text, url text!, preview_url text,"
    " remote_url text, name text, description text, blurhash text, width integer, height integer, peaks jsonb",
    "social_tags": f"{STD1}, status_id text!, type text!, name text!, href text",
    "mentor_sessions": f"{STD}, mentor_email text!, mentee_email text!, mentor_user_id text, mentee_user_id text,"
    " session_id text!, scheduled_at timestamptz!, duration integer!, topic text!, session_type session_type!,"
    " status session_status!, notes text, completed_at timestamptz, cancelled_at timestamptz, cancelled_by text,"
    " cancel_reason text, declined_at timestamptz, declined_by text, decline_reason text",
    "intake_forms": f"{STD}, email text!, form_type intake_form_type!, name text, complete boolean!, form_data jsonb!",
    "notifications": f"{STD}, type notification_activity_type!, actor text!, target text!, object text,"
    " context notification_context!, actor_screenname text, actor_name text, object_type notification_object_type,"
    " object_title text, object_url text, message text, read boolean!, read_at timestamptz, email_sent boolean!,"
    " email_sent_at timestamptz, email_preference_key text, expires_at timestamptz",
    "interactions": f"{STD1}, email text!, action text, affiliate text, points integer, metadata jsonb",
    "screenname_history": f"{STD1}, screenname text!, user_id text!, redirect_to text",
    "user_follows": "id text!, follower_id text!, following_id text!, created_at timestamptz!",
    "user_lists": f"{STD}, owner_id text!, name text!, description text, is_public boolean!",
    "user_list_members": "id text!, list_id text!, user_id text!, added_at timestamptz!",
    "contact_submissions": f"{STD}, name text!, email text!, message text, acknowledged boolean!",
    "newsletter_signups": f"{STD}, email text!, name text, signup_type text, acknowledged boolean!",
    "brevo_contacts": f"{STD}, email text!, brevo_id integer!, list_ids integer[]!, synced_at timestamptz",
    "email_migrations": f"{STD1}, user_id text!, old_email text!, new_email text!, migration_token text!,"
    " expires_at timestamptz!",
    "oauth_verifications": f"{STD1}, email text!, provider text!, provider_account_id text!,"
    " verification_token text!, expires_at timestamptz!, oauth_profile jsonb!",
}
"""Table → its columns, the dropped tables and `profiles.slug` among them."""

LOOSER = {
    "articles.author_id",
    "article_announcements.author_id",
    "mentor_sessions.session_type",
    "notifications.actor",
    "profiles.name",
    "user_list_members.user_id",
}
"""NOT NULL there, and not here; the decision says why."""

OTHERWISE = {"profiles.pronouns": "text[]!"}
"""Of another type than there."""

ADDED = {
    "users": "legacy_id text, username text, pronouns text, instagram_handle text, twitter_handle text, link1 text,"
    " link2 text, bio text, category jsonb, avatar text, banner_image text, hashed_password text, admin boolean,"
    " featured boolean, onboarding_form_complete boolean, location text, date_joined timestamptz",
    "notifications": "article_id text, session_id text, profile_id text",
    "notification_mails": "notification_id text!, due_at timestamptz!, tries integer!, failure text,"
    " given_up_at timestamptz",
    "profiles": "pronouns_other text, pusher_channel_id text",
    "user_follows": "follower_username text, following_username text",
    "user_list_members": "profile_id text",
    "profile_follows": "follower_id text!, profile_id text!",
    "newsletters": "id text!, email text!, name text, membership_type text, ig_username text, other_url text",
    "images": "id text!, image text!, user_id text",
    "events": "id text!, primary_profile_id text, name text!, event_link text, starts_at timestamptz,"
    " ends_at timestamptz, details text, address jsonb, images jsonb, linked_profiles jsonb",
    "links": "id text!, label text!, url text!, type text, color text",
    "podcasts": "id text!, label text!, url text!, category text!, sort_order text!",
    "link_requests": "subject text!, requested_at timestamptz[]!, expires timestamptz!",
}
"""Columns, and whole tables, that are ours. The two instants are not repeated."""

UNIQUE = {
    "notification_mails": ["notification_id"],
    "users": ["lower(email)", "lower(screenname)"],
    "accounts": ["provider, provider_account_id"],
    "sessions": ["session_token"],
    "verification_tokens": ["token", "identifier, token"],
    "profiles": ["user_id", "lower(email)", "slug"],
    "articles": ["slug"],
    "article_announcements": ["status_id", "article_id, author_id"],
    "social_actors": ["profile_id", "uri", "username, domain"],
    "social_statuses": ["uri"],
    "social_follows": ["uri", "actor_id, target_actor_id"],
    "social_likes": ["uri", "actor_id, status_id"],
    "mentor_sessions": ["session_id"],
    "intake_forms": ["email, form_type"],
    "screenname_history": ["lower(screenname)"],
    "user_follows": ["follower_id, following_id"],
    "profile_follows": ["follower_id, profile_id"],
    "user_list_members": ["list_id, user_id", "list_id, profile_id"],
    "newsletter_signups": ["email"],
    "newsletters": ["email"],
    "brevo_contacts": ["email"],
    "email_migrations": ["migration_token"],
    "oauth_verifications": ["verification_token"],
    "links": ["label"],
    "podcasts": ["label"],
    "link_requests": ["subject"],
}
"""What is unique besides the ids: as the project had it, but for the e-mails and names that ignore case here."""

KEYS = {
    "notification_mails": "notification_id",
    "sessions": "session_token",
    "verification_tokens": "identifier, token",
    "profile_follows": "follower_id, profile_id",
    "link_requests": "subject",
}
"""Primary keys that are no id."""

NO_ROWS = {
    "accounts.provider_account_id",
    "oauth_verifications.provider_account_id",
    "users.legacy_id",
    "profiles.address_google_place_id",
    "profiles.primary_image_id",
    "profiles.pusher_channel_id",
    "mentor_sessions.session_id",
}
"""Columns that are called as if they led to a row, and hold an id of another system, a channel, or a file's name."""

INDEXED = {
    "profiles": ["user_id", "active"],
    "articles": ["status, published_at DESC", "author_id, status", "in_reply_to", "tags", "co_authors"],
    "article_announcements": ["article_id", "author_id"],
    "social_actors": ["domain", "profile_id"],
    "social_statuses": ["actor_id, published DESC", "article_id", "in_reply_to_uri", "in_reply_to_id"],
    "social_follows": ["actor_id", "target_actor_id", "status"],
    "social_likes": ["actor_id", "status_id"],
    "social_attachments": ["status_id"],
    "social_tags": ["status_id", "type, name"],
    "mentor_sessions": [
        "mentor_email, scheduled_at DESC",
        "mentee_email, scheduled_at DESC",
        "mentor_user_id",
        "mentee_user_id",
        "status",
        "scheduled_at",
    ],
    "intake_forms": ["email", "form_type", "complete"],
    "notifications": ["target, read, created_at DESC", "target, context, created_at DESC", "expires_at"],
    "notification_mails": ["due_at"],
    "interactions": ["email", "created_at", "action"],
    "screenname_history": ["user_id"],
    "user_follows": ["follower_id", "following_id"],
    "user_lists": ["owner_id"],
    "user_list_members": ["list_id", "user_id"],
    "contact_submissions": ["email", "created_at"],
    "newsletter_signups": ["created_at"],
    "email_migrations": ["user_id", "new_email", "migration_token", "expires_at"],
    "oauth_verifications": ["email", "verification_token", "provider, provider_account_id", "expires_at"],
}
"""By what rows are looked up; an index that begins with it will do."""

ENUMS = {
    "account_type": "personal, small_business, hybrid, other",
    "notification_activity_type": "Invite, Accept, Reject, Create, Update, Delete, Announce, Like, Follow, Undo",
    "notification_context": "coauthor, review, article, mentoring, mention, follow, message, system, booking",
    "notification_object_type": "article, profile, session, comment, booking",
    "article_type": "business_update, community_commentary",
    "article_status": "draft, pending_review, revision_needed, published, removed",
    "membership_level": "free, basic, premium, business, partner",
    "session_type": "artistic, knowledge_transfer, panamia_planning, pana_support",
    "session_status": "pending, scheduled, in_progress, completed, cancelled, declined",
    "intake_form_type": "art, apparel, food, goods, org, services",
    "social_follow_status": "pending, accepted, rejected",
}

_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at"}
_INTAKE = {"email": "email", "name": "name", "complete": "complete"}
FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "nextauth_users": (
        "users",
        {"email": "email", "emailVerified": "email_verified", "name": "name", "image": "image"},
    ),
    "nextauth_accounts": (
        "accounts",
        {
            "userId": "user_id",
            "type": "type",
            "provider": "provider",
            "providerAccountId": "provider_account_id",
            "refresh_token": "refresh_token",
            "access_token": "access_token",
            "expires_at": "expires_at",
            "token_type": "token_type",
            "scope": "scope",
            "id_token": "id_token",
            "session_state": "session_state",
        },
    ),
    "nextauth_sessions": ("sessions", {"sessionToken": "session_token", "userId": "user_id", "expires": "expires"}),
    "nextauth_verification_tokens": (
        "verification_tokens",
        {"identifier": "identifier", "token": "token", "expires": "expires"},
    ),
    "users": (
        "users",
        {
            "email": "email",
            "screenname": "screenname",
            "name": "name",
            "accountType": "account_type",
            "status.role": "role",
            "status.locked": "locked_at",
            "affiliate": "affiliate",
            "alternate_emails": "alternate_emails",
            "zip_code": "zip_code",
            "following": "profile_follows.profile_id",
            "notificationPreferences": "notification_preferences",
            **_TIMES,
            "id": "legacy_id",
            "username": "username",
            "pronouns": "pronouns",
            "instagramHandle": "instagram_handle",
            "twitterHandle": "twitter_handle",
            "link1": "link1",
            "link2": "link2",
            "bio": "bio",
            "category": "category",
            "avatar": "avatar",
            "bannerImage": "banner_image",
            "hashedPassword": "hashed_password",
            "admin": "admin",
            "featured": "featured",
            "onboardingFormComplete": "onboarding_form_complete",
            "location": "location",
            "dateJoined": "date_joined",
        },
    ),
    "profiles": (
        "profiles",
        {
            "userId": "user_id",
            "email": "email",
            "name": "name",
            "slug": "slug",
            "active": "active",
            "status": "status",
            "administrative": "administrative",
            "locally_based": "locally_based",
            "details": "descriptions",
            "background": "descriptions",
            "tags": "descriptions",
            "hearaboutus": "descriptions",
            "five_words": "descriptions",
            "affiliate": "affiliate",
            "socials": "socials",
            "phone_number": "phone_number",
            "whatsapp_community": "whatsapp_community",
            "pronouns": "pronouns",
            "pronouns.other_desc": "pronouns_other",
            "counties": "counties",
            "categories": "categories",
            "primary_address.name": "address_name",
            "primary_address.street1": "address_line1",
            "primary_address.street2": "address_line2",
            "primary_address.city": "address_locality",
            "primary_address.state": "address_region",
            "primary_address.zipcode": "address_postal_code",
            "primary_address.hours": "address_hours",
            "primary_address.lat": "address_lat",
            "primary_address.lng": "address_lng",
            "primary_address.google_place_id": "address_google_place_id",
            "gentedepana": "gentedepana",
            "geo": "geo",
            "locations": "locations",
            "images.primary": "primary_image_id",
            "images.primaryCDN": "primary_image_cdn",
            "images": "gallery_images",
            "linked_profiles": "linked_profiles",
            "mentoring": "mentoring",
            "availability": "availability",
            "pusherChannelId": "pusher_channel_id",
            "verification": "verification",
            "roles": "roles",
            **_TIMES,
        },
    ),
    "notifications": (
        "notifications",
        {
            "type": "type",
            "actor": "actor",
            "object": "object",
            "target": "target",
            "context": "context",
            "actorScreenname": "actor_screenname",
            "actorName": "actor_name",
            "objectType": "object_type",
            "objectTitle": "object_title",
            "objectUrl": "object_url",
            "message": "message",
            "read": "read",
            "readAt": "read_at",
            "emailSent": "email_sent",
            "emailSentAt": "email_sent_at",
            "emailPreferenceKey": "email_preference_key",
            "expiresAt": "expires_at",
            **_TIMES,
        },
    ),
    "articles": (
        "articles",
        {
            "slug": "slug",
            "title": "title",
            "content": "content",
            "excerpt": "excerpt",
            "coverImage": "cover_image",
            "articleType": "article_type",
            "tags": "tags",
            "authorId": "author_id",
            "coAuthors": "co_authors",
            "reviewedBy": "reviewed_by",
            "inReplyTo": "in_reply_to",
            "status": "status",
            "publishedAt": "published_at",
            "removedAt": "removed_at",
            "removedBy": "removed_by",
            "removalReason": "removal_reason",
            "readingTime": "reading_time",
            "mastodonPostUrl": "mastodon_post_url",
            "mastodonTootUrl": "mastodon_post_url",
            **_TIMES,
        },
    ),
    "mentorSessions": (
        "mentor_sessions",
        {
            "mentorEmail": "mentor_email",
            "menteeEmail": "mentee_email",
            "mentorUserId": "mentor_user_id",
            "menteeUserId": "mentee_user_id",
            "scheduledAt": "scheduled_at",
            "duration": "duration",
            "topic": "topic",
            "sessionType": "session_type",
            "status": "status",
            "sessionId": "session_id",
            "notes": "notes",
            "completedAt": "completed_at",
            "cancelledAt": "cancelled_at",
            "cancelledBy": "cancelled_by",
            "cancelReason": "cancel_reason",
            "declinedAt": "declined_at",
            "declinedBy": "declined_by",
            "declineReason": "decline_reason",
            **_TIMES,
        },
    ),
    "emailmigrations": (
        "email_migrations",
        {
            "userId": "user_id",
            "oldEmail": "old_email",
            "newEmail": "new_email",
            "migrationToken": "migration_token",
            "expiresAt": "expires_at",
            "createdAt": "created_at",
        },
    ),
    "oauthverifications": (
        "oauth_verifications",
        {
            "email": "email",
            "provider": "provider",
            "providerAccountId": "provider_account_id",
            "verificationToken": "verification_token",
            "expiresAt": "expires_at",
            "createdAt": "created_at",
            "oauthProfile": "oauth_profile",
        },
    ),
    "followers": (
        "user_follows",
        {
            "followerId": "follower_id",
            "followerUserName": "follower_username",
            "followedUserName": "following_username",
            "userId": "following_id",
        },
    ),
    "userlists": (
        "user_lists",
        {
            "user_id": "owner_id",
            "name": "name",
            "desc": "description",
            "public": "is_public",
            "profiles": "user_list_members.profile_id",
            **_TIMES,
        },
    ),
    "images": ("images", {"image": "image", "userId": "user_id"}),
    "signups": (
        "newsletter_signups",
        {
            "email": "email",
            "name": "name",
            "signupType": "signup_type",
            "acknowledged": "acknowledged",
            **_TIMES,
        },
    ),
    "newsletters": (
        "newsletters",
        {
            "email": "email",
            "name": "name",
            "membershipType": "membership_type",
            "igUsername": "ig_username",
            "otherURL": "other_url",
        },
    ),
    "contactus": (
        "contact_submissions",
        {"name": "name", "email": "email", "message": "message", "acknowledged": "acknowledged", **_TIMES},
    ),
    "brevocontacts": ("brevo_contacts", {"email": "email", "brevo_id": "brevo_id", **_TIMES}),
    "interactions": (
        "interactions",
        {
            "email": "email",
            "action": "action",
            "affilate": "affiliate",
            "affiliate": "affiliate",
            "points": "points",
            **_TIMES,
        },
    ),
    "events": (
        "events",
        {
            "primary_profile": "primary_profile_id",
            "name": "name",
            "event_link": "event_link",
            "start": "starts_at",
            "end": "ends_at",
            "details": "details",
            "address": "address",
            "images": "images",
            "linked_profiles": "linked_profiles",
            **_TIMES,
        },
    ),
    "links": ("links", {"label": "label", "url": "url", "type": "type", "color": "color"}),
    "podcasts": ("podcasts", {"label": "label", "url": "url", "category": "category", "order": "sort_order"}),
    **{
        f"{form}intakes": ("intake_forms", {**_INTAKE, "all else": "form_data"})
        for form in ("apparel", "art", "food", "goods", "organization", "services")
    },
}
"""Collection → its table, and every field of it with the column that takes it, of another table where it says so."""
