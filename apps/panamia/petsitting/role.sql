-- What the sidecar's role may do, and nothing more: it reads who people are, tells them things, and writes its own
-- tables. Once as the owner of the tables, and again behind each deployment, while it runs: one transaction gives all.
-- psql "$POSTGRES_DIRECT_URL" -v ON_ERROR_STOP=1 -f role.sql
-- A login of its own is a member: CREATE ROLE pet_service LOGIN PASSWORD '…' IN ROLE petsitting;

BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'petsitting') THEN
        CREATE ROLE petsitting NOLOGIN;
    END IF;
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM petsitting;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM petsitting;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM petsitting;
GRANT USAGE ON SCHEMA public TO petsitting;

-- The main service's: identity is only read, and the one inbox only written to.
GRANT SELECT (id, screenname, locked_at) ON public.users TO petsitting;
GRANT SELECT (session_token, user_id, expires) ON public.sessions TO petsitting;
GRANT INSERT (
    id, type, actor, target, context, actor_screenname, actor_name, object_type, object_title, object_url, message,
    email_preference_key, expires_at
) ON public.notifications TO petsitting;
GRANT INSERT (notification_id) ON public.notification_mails TO petsitting;

-- Its own.
GRANT SELECT ON public.listing_kinds, public.currencies, public.time_zones, public.booking_steps TO petsitting;
GRANT SELECT, DELETE ON public.listings, public.listing_photos, public.calendar_feeds, public.bookings TO petsitting;
GRANT INSERT (
    kind, sitter_id, title, description, price_per_day, currency, time_zone, lat, lng, place_name, available
) ON public.listings TO petsitting;
GRANT UPDATE (title, description, price_per_day, currency, time_zone, lat, lng, place_name, available)
    ON public.listings TO petsitting;
GRANT INSERT (listing_id, url, caption, position) ON public.listing_photos TO petsitting;
GRANT INSERT (listing_id, token_hash), UPDATE (token_hash) ON public.calendar_feeds TO petsitting;
GRANT INSERT (listing_id, owner_id, days, status, status_why, note) ON public.bookings TO petsitting;
GRANT UPDATE (status, status_by, status_why) ON public.bookings TO petsitting;
GRANT SELECT ON public.listing_reviews, public.booking_notifications TO petsitting;
GRANT INSERT (booking_id, listing_id, author_id, rating, text) ON public.listing_reviews TO petsitting;
GRANT INSERT (notification_id, booking_id) ON public.booking_notifications TO petsitting;
GRANT EXECUTE ON FUNCTION public.new_cuid2(), public.hold_listing(text, text) TO petsitting;

COMMIT;
