-- Migration: 20261122180700_engagement
-- Purpose: interactions, names people had, messages, newsletters, and addresses that wait for their confirmation
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TABLE public.interactions (
    id text NOT NULL,
    email text NOT NULL,
    action text,
    affiliate text,
    points integer,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT interactions_pkey PRIMARY KEY (id),
    CONSTRAINT interactions_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE INDEX interactions_action_idx ON public.interactions (action);
CREATE INDEX interactions_created_at_idx ON public.interactions (created_at);
CREATE INDEX interactions_email_idx ON public.interactions (email);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.interactions FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.screenname_history (
    id text NOT NULL,
    screenname text NOT NULL,
    user_id text NOT NULL,
    redirect_to text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT screenname_history_pkey PRIMARY KEY (id),
    CONSTRAINT screenname_history_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT screenname_history_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX screenname_history_screenname_key ON public.screenname_history (lower(screenname));
CREATE INDEX screenname_history_user_id_idx ON public.screenname_history (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.screenname_history FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.contact_submissions (
    id text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    message text,
    acknowledged boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_submissions_pkey PRIMARY KEY (id),
    CONSTRAINT contact_submissions_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE INDEX contact_submissions_created_at_idx ON public.contact_submissions (created_at);
CREATE INDEX contact_submissions_email_idx ON public.contact_submissions (email);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.contact_submissions FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.newsletter_signups (
    id text NOT NULL,
    email text NOT NULL,
    name text,
    signup_type text,
    acknowledged boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT newsletter_signups_pkey PRIMARY KEY (id),
    CONSTRAINT newsletter_signups_email_key UNIQUE (email),
    CONSTRAINT newsletter_signups_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE INDEX newsletter_signups_created_at_idx ON public.newsletter_signups (created_at);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.newsletter_signups FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.newsletters (
    id text NOT NULL,
    email text NOT NULL,
    name text,
    membership_type text,
    ig_username text,
    other_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT newsletters_pkey PRIMARY KEY (id),
    CONSTRAINT newsletters_email_key UNIQUE (email),
    CONSTRAINT newsletters_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.newsletters FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.brevo_contacts (
    id text NOT NULL,
    email text NOT NULL,
    brevo_id integer NOT NULL,
    list_ids integer[] NOT NULL DEFAULT '{}',
    synced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT brevo_contacts_pkey PRIMARY KEY (id),
    CONSTRAINT brevo_contacts_email_key UNIQUE (email),
    CONSTRAINT brevo_contacts_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.brevo_contacts FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.email_migrations (
    id text NOT NULL,
    user_id text NOT NULL,
    old_email text NOT NULL,
    new_email text NOT NULL,
    migration_token text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_migrations_pkey PRIMARY KEY (id),
    CONSTRAINT email_migrations_migration_token_key UNIQUE (migration_token),
    CONSTRAINT email_migrations_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT email_migrations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX email_migrations_expires_at_idx ON public.email_migrations (expires_at);
CREATE INDEX email_migrations_new_email_idx ON public.email_migrations (new_email);
CREATE INDEX email_migrations_user_id_idx ON public.email_migrations (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.email_migrations FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.oauth_verifications (
    id text NOT NULL,
    email text NOT NULL,
    provider text NOT NULL,
    provider_account_id text NOT NULL,
    verification_token text NOT NULL,
    expires_at timestamptz NOT NULL,
    oauth_profile jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_verifications_pkey PRIMARY KEY (id),
    CONSTRAINT oauth_verifications_verification_token_key UNIQUE (verification_token),
    CONSTRAINT oauth_verifications_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE INDEX oauth_verifications_email_idx ON public.oauth_verifications (email);
CREATE INDEX oauth_verifications_expires_at_idx ON public.oauth_verifications (expires_at);
CREATE INDEX oauth_verifications_provider_provider_account_id_idx ON public.oauth_verifications (provider, provider_account_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.oauth_verifications FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
