-- Undoes 20261123140000_booking_words. A server cannot take a word out of a type: both are made anew, and the columns
-- with them. Rows that say one of the words refuse.

DO $$
BEGIN
    LOCK TABLE public.notifications IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM public.notifications WHERE context = 'booking' OR object_type = 'booking') THEN
        RAISE EXCEPTION 'The table public.notifications holds rows that are about bookings, which would have no word.'
            USING HINT = 'Export them, and delete them; then roll back.';
    END IF;
END
$$;

DROP TRIGGER set_updated_at ON public.notifications;

ALTER TYPE public.notification_context RENAME TO notification_context_with_booking;
ALTER TYPE public.notification_object_type RENAME TO notification_object_type_with_booking;

CREATE TYPE public.notification_context AS ENUM (
    'coauthor', 'review', 'article', 'mentoring', 'mention', 'follow', 'message', 'system'
);

CREATE TYPE public.notification_object_type AS ENUM ('article', 'profile', 'session', 'comment');

ALTER TABLE public.notifications
    ALTER COLUMN context TYPE public.notification_context USING context::text::public.notification_context,
    ALTER COLUMN object_type TYPE public.notification_object_type
        USING object_type::text::public.notification_object_type;

DROP TYPE public.notification_context_with_booking;
DROP TYPE public.notification_object_type_with_booking;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.notifications FOR EACH ROW
    WHEN (
        (OLD.id, OLD.type, OLD.actor, OLD.target, OLD.article_id, OLD.session_id, OLD.profile_id, OLD.context,
            OLD.actor_screenname, OLD.actor_name, OLD.object_type, OLD.object_title, OLD.object_url, OLD.message,
            OLD.read, OLD.read_at, OLD.email_sent, OLD.email_sent_at, OLD.email_preference_key, OLD.expires_at,
            OLD.created_at, OLD.updated_at)
        IS DISTINCT FROM
        (NEW.id, NEW.type, NEW.actor, NEW.target, NEW.article_id, NEW.session_id, NEW.profile_id, NEW.context,
            NEW.actor_screenname, NEW.actor_name, NEW.object_type, NEW.object_title, NEW.object_url, NEW.message,
            NEW.read, NEW.read_at, NEW.email_sent, NEW.email_sent_at, NEW.email_preference_key, NEW.expires_at,
            NEW.created_at, NEW.updated_at)
    )
    EXECUTE FUNCTION public.set_updated_at();
