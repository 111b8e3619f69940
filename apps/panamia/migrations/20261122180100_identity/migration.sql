-- Migration: 20261122180100_identity
-- Purpose: users and how they sign in, so that PostgreSQL becomes the authority for who people are
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: None
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.account_type AS ENUM ('personal', 'small_business', 'hybrid', 'other');

-- Moves updated_at where a statement says nothing of it. Not in sessions of Isthmus, and where somebody says
-- SET panamia.keep_updated_at = 'on': rows are copied there whose times are not ours.
CREATE FUNCTION public.set_updated_at() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
        AND current_setting('application_name') <> 'isthmus'
        AND coalesce(current_setting('panamia.keep_updated_at', true), '') <> 'on'
    THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$function$;

CREATE TABLE public.users (
    id text NOT NULL,
    email text NOT NULL,
    email_verified timestamptz,
    name text,
    image text,
    screenname text,
    last_screenname_change timestamptz,
    role text NOT NULL DEFAULT 'user',
    account_type public.account_type NOT NULL DEFAULT 'personal',
    locked_at timestamptz,
    alternate_emails text[] NOT NULL DEFAULT '{}',
    notification_preferences jsonb,
    zip_code text,
    affiliate jsonb,
    legacy_id text,
    username text,
    pronouns text,
    instagram_handle text,
    twitter_handle text,
    link1 text,
    link2 text,
    bio text,
    category jsonb,
    avatar text,
    banner_image text,
    hashed_password text,
    admin boolean,
    featured boolean,
    onboarding_form_complete boolean,
    location text,
    date_joined timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE UNIQUE INDEX users_email_key ON public.users (lower(email));
CREATE UNIQUE INDEX users_screenname_key ON public.users (lower(screenname));

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.accounts (
    id text NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    provider text NOT NULL,
    provider_account_id text NOT NULL,
    refresh_token text,
    access_token text,
    expires_at integer,
    token_type text,
    scope text,
    id_token text,
    session_state text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_provider_provider_account_id_key UNIQUE (provider, provider_account_id),
    CONSTRAINT accounts_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX accounts_user_id_idx ON public.accounts (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.accounts FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.sessions (
    session_token text NOT NULL,
    user_id text NOT NULL,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sessions_pkey PRIMARY KEY (session_token),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX sessions_expires_idx ON public.sessions (expires);
CREATE INDEX sessions_user_id_idx ON public.sessions (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.sessions FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.verification_tokens (
    identifier text NOT NULL,
    token text NOT NULL,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT verification_tokens_pkey PRIMARY KEY (identifier, token),
    CONSTRAINT verification_tokens_token_key UNIQUE (token)
);

CREATE INDEX verification_tokens_expires_idx ON public.verification_tokens (expires);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.verification_tokens FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
