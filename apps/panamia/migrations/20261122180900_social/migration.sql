-- Migration: 20261122180900_social
-- Purpose: actors, posts and what others do with them, and what was announced of articles
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id, public.articles.id, public.profiles.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.social_follow_status AS ENUM ('pending', 'accepted', 'rejected');

CREATE TABLE public.social_actors (
    id text NOT NULL,
    username text NOT NULL,
    domain text NOT NULL,
    profile_id text,
    uri text NOT NULL,
    inbox_url text NOT NULL,
    outbox_url text NOT NULL,
    followers_url text NOT NULL,
    following_url text NOT NULL,
    shared_inbox_url text,
    public_key text NOT NULL,
    private_key text,
    name text,
    summary text,
    icon_url text,
    header_url text,
    following_count integer NOT NULL DEFAULT 0,
    followers_count integer NOT NULL DEFAULT 0,
    status_count integer NOT NULL DEFAULT 0,
    manually_approves_followers boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_actors_pkey PRIMARY KEY (id),
    CONSTRAINT social_actors_profile_id_key UNIQUE (profile_id),
    CONSTRAINT social_actors_uri_key UNIQUE (uri),
    CONSTRAINT social_actors_username_domain_key UNIQUE (username, domain),
    CONSTRAINT social_actors_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_actors_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES public.profiles(id) ON DELETE SET NULL
);

CREATE INDEX social_actors_domain_idx ON public.social_actors (domain);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_actors FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.social_statuses (
    id text NOT NULL,
    uri text NOT NULL,
    actor_id text NOT NULL,
    article_id text,
    type text NOT NULL DEFAULT 'Note',
    content text,
    content_warning text,
    url text,
    in_reply_to_uri text,
    in_reply_to_id text,
    recipient_to jsonb NOT NULL DEFAULT '[]',
    recipient_cc jsonb NOT NULL DEFAULT '[]',
    published timestamptz,
    is_draft boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    location jsonb,
    replies_count integer NOT NULL DEFAULT 0,
    likes_count integer NOT NULL DEFAULT 0,
    announces_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_statuses_pkey PRIMARY KEY (id),
    CONSTRAINT social_statuses_uri_key UNIQUE (uri),
    CONSTRAINT social_statuses_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_statuses_actor_id_fkey
        FOREIGN KEY (actor_id) REFERENCES public.social_actors(id) ON DELETE RESTRICT,
    CONSTRAINT social_statuses_article_id_fkey
        FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE SET NULL,
    CONSTRAINT social_statuses_in_reply_to_id_fkey
        FOREIGN KEY (in_reply_to_id) REFERENCES public.social_statuses(id) ON DELETE SET NULL
);

CREATE INDEX social_statuses_actor_id_published_idx ON public.social_statuses (actor_id, published DESC);
CREATE INDEX social_statuses_article_id_idx ON public.social_statuses (article_id);
CREATE INDEX social_statuses_in_reply_to_id_idx ON public.social_statuses (in_reply_to_id);
CREATE INDEX social_statuses_in_reply_to_uri_idx ON public.social_statuses (in_reply_to_uri);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_statuses FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.social_follows (
    id text NOT NULL,
    actor_id text NOT NULL,
    target_actor_id text NOT NULL,
    uri text,
    status public.social_follow_status NOT NULL DEFAULT 'pending',
    accepted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_follows_pkey PRIMARY KEY (id),
    CONSTRAINT social_follows_actor_id_target_actor_id_key UNIQUE (actor_id, target_actor_id),
    CONSTRAINT social_follows_uri_key UNIQUE (uri),
    CONSTRAINT social_follows_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_follows_actor_id_fkey
        FOREIGN KEY (actor_id) REFERENCES public.social_actors(id) ON DELETE CASCADE,
    CONSTRAINT social_follows_target_actor_id_fkey
        FOREIGN KEY (target_actor_id) REFERENCES public.social_actors(id) ON DELETE CASCADE
);

CREATE INDEX social_follows_status_idx ON public.social_follows (status);
CREATE INDEX social_follows_target_actor_id_idx ON public.social_follows (target_actor_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_follows FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.social_likes (
    id text NOT NULL,
    actor_id text NOT NULL,
    status_id text NOT NULL,
    uri text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_likes_pkey PRIMARY KEY (id),
    CONSTRAINT social_likes_actor_id_status_id_key UNIQUE (actor_id, status_id),
    CONSTRAINT social_likes_uri_key UNIQUE (uri),
    CONSTRAINT social_likes_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_likes_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES public.social_actors(id) ON DELETE CASCADE,
    CONSTRAINT social_likes_status_id_fkey
        FOREIGN KEY (status_id) REFERENCES public.social_statuses(id) ON DELETE CASCADE
);

CREATE INDEX social_likes_status_id_idx ON public.social_likes (status_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_likes FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.social_attachments (
    id text NOT NULL,
    status_id text NOT NULL,
    type text NOT NULL,
    media_type text,
    url text NOT NULL,
    preview_url text,
    remote_url text,
    name text,
    description text,
    blurhash text,
    width integer,
    height integer,
    peaks jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_attachments_pkey PRIMARY KEY (id),
    CONSTRAINT social_attachments_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_attachments_status_id_fkey
        FOREIGN KEY (status_id) REFERENCES public.social_statuses(id) ON DELETE CASCADE
);

CREATE INDEX social_attachments_status_id_idx ON public.social_attachments (status_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_attachments FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.social_tags (
    id text NOT NULL,
    status_id text NOT NULL,
    type text NOT NULL,
    name text NOT NULL,
    href text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_tags_pkey PRIMARY KEY (id),
    CONSTRAINT social_tags_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT social_tags_status_id_fkey
        FOREIGN KEY (status_id) REFERENCES public.social_statuses(id) ON DELETE CASCADE
);

CREATE INDEX social_tags_status_id_idx ON public.social_tags (status_id);
CREATE INDEX social_tags_type_name_idx ON public.social_tags (type, name);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.social_tags FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.article_announcements (
    id text NOT NULL,
    article_id text NOT NULL,
    author_id text,
    actor_id text,
    content text NOT NULL,
    status_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT article_announcements_pkey PRIMARY KEY (id),
    CONSTRAINT article_announcements_article_id_author_id_key UNIQUE (article_id, author_id),
    CONSTRAINT article_announcements_status_id_key UNIQUE (status_id),
    CONSTRAINT article_announcements_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT article_announcements_actor_id_fkey
        FOREIGN KEY (actor_id) REFERENCES public.social_actors(id) ON DELETE SET NULL,
    CONSTRAINT article_announcements_article_id_fkey
        FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE RESTRICT,
    CONSTRAINT article_announcements_author_id_fkey
        FOREIGN KEY (author_id) REFERENCES public.users(id) ON DELETE SET NULL,
    CONSTRAINT article_announcements_status_id_fkey
        FOREIGN KEY (status_id) REFERENCES public.social_statuses(id) ON DELETE SET NULL
);

CREATE INDEX article_announcements_actor_id_idx ON public.article_announcements (actor_id);
CREATE INDEX article_announcements_author_id_idx ON public.article_announcements (author_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.article_announcements FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
