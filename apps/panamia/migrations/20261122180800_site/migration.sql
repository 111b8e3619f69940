-- Migration: 20261122180800_site
-- Purpose: images, events, links and podcasts, for which there was no table
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id, public.profiles.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TABLE public.images (
    id text NOT NULL,
    image text NOT NULL,
    user_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT images_pkey PRIMARY KEY (id),
    CONSTRAINT images_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT images_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX images_user_id_idx ON public.images (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.images FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.events (
    id text NOT NULL,
    primary_profile_id text,
    name text NOT NULL,
    event_link text,
    starts_at timestamptz,
    ends_at timestamptz,
    details text,
    address jsonb,
    images jsonb,
    linked_profiles jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (id),
    CONSTRAINT events_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT events_primary_profile_id_fkey
        FOREIGN KEY (primary_profile_id) REFERENCES public.profiles(id) ON DELETE SET NULL
);

CREATE INDEX events_primary_profile_id_idx ON public.events (primary_profile_id);
CREATE INDEX events_starts_at_idx ON public.events (starts_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.events FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.links (
    id text NOT NULL,
    label text NOT NULL,
    url text NOT NULL,
    type text,
    color text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT links_pkey PRIMARY KEY (id),
    CONSTRAINT links_label_key UNIQUE (label),
    CONSTRAINT links_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.links FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.podcasts (
    id text NOT NULL,
    label text NOT NULL,
    url text NOT NULL,
    category text NOT NULL,
    sort_order text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT podcasts_pkey PRIMARY KEY (id),
    CONSTRAINT podcasts_label_key UNIQUE (label),
    CONSTRAINT podcasts_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.podcasts FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
