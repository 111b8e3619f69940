-- Migration: 20261122180200_notifications
-- Purpose: what people are told, with its expiry, which MongoDB took care of by a TTL index
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.notification_activity_type AS ENUM (
    'Invite', 'Accept', 'Reject', 'Create', 'Update', 'Delete', 'Announce', 'Like', 'Follow', 'Undo'
);

CREATE TYPE public.notification_context AS ENUM (
    'coauthor', 'review', 'article', 'mentoring', 'mention', 'follow', 'message', 'system'
);

CREATE TYPE public.notification_object_type AS ENUM ('article', 'profile', 'session', 'comment');

CREATE TABLE public.notifications (
    id text NOT NULL,
    type public.notification_activity_type NOT NULL,
    actor text NOT NULL,
    target text NOT NULL,
    article_id text,
    session_id text,
    profile_id text,
    object text GENERATED ALWAYS AS (COALESCE(article_id, session_id, profile_id)) STORED,
    context public.notification_context NOT NULL,
    actor_screenname text,
    actor_name text,
    object_type public.notification_object_type,
    object_title text,
    object_url text,
    message text,
    read boolean NOT NULL DEFAULT false,
    read_at timestamptz,
    email_sent boolean NOT NULL DEFAULT false,
    email_sent_at timestamptz,
    email_preference_key text,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT notifications_object_check CHECK (num_nonnulls(article_id, session_id, profile_id) <= 1),
    CONSTRAINT notifications_actor_fkey FOREIGN KEY (actor) REFERENCES public.users(id) ON DELETE CASCADE,
    CONSTRAINT notifications_target_fkey FOREIGN KEY (target) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX notifications_actor_idx ON public.notifications (actor);
CREATE INDEX notifications_article_id_idx ON public.notifications (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX notifications_expires_at_idx ON public.notifications (expires_at);
CREATE INDEX notifications_profile_id_idx ON public.notifications (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX notifications_session_id_idx ON public.notifications (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX notifications_target_context_created_at_idx ON public.notifications (target, context, created_at DESC);
CREATE INDEX notifications_target_read_created_at_idx ON public.notifications (target, read, created_at DESC);

-- Column by column, since a row with a generated column cannot be compared as a whole.
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
