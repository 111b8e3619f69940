-- Migration: 20261122180600_mentoring_and_intake
-- Purpose: agreed sessions, and the six intake forms, each of them once for a person
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.session_type AS ENUM ('artistic', 'knowledge_transfer', 'panamia_planning', 'pana_support');

CREATE TYPE public.session_status AS ENUM ('pending', 'scheduled', 'in_progress', 'completed', 'cancelled', 'declined');

CREATE TYPE public.intake_form_type AS ENUM ('art', 'apparel', 'food', 'goods', 'org', 'services');

CREATE TABLE public.mentor_sessions (
    id text NOT NULL,
    mentor_email text NOT NULL,
    mentee_email text NOT NULL,
    mentor_user_id text,
    mentee_user_id text,
    session_id text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    duration integer NOT NULL DEFAULT 60,
    topic text NOT NULL,
    session_type public.session_type,
    status public.session_status NOT NULL DEFAULT 'pending',
    notes text,
    completed_at timestamptz,
    cancelled_at timestamptz,
    cancelled_by text,
    cancel_reason text,
    declined_at timestamptz,
    declined_by text,
    decline_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mentor_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT mentor_sessions_session_id_key UNIQUE (session_id),
    CONSTRAINT mentor_sessions_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT mentor_sessions_mentee_user_id_fkey
        FOREIGN KEY (mentee_user_id) REFERENCES public.users(id) ON DELETE SET NULL,
    CONSTRAINT mentor_sessions_mentor_user_id_fkey
        FOREIGN KEY (mentor_user_id) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX mentor_sessions_mentee_email_scheduled_at_idx ON public.mentor_sessions (mentee_email, scheduled_at DESC);
CREATE INDEX mentor_sessions_mentee_user_id_idx ON public.mentor_sessions (mentee_user_id);
CREATE INDEX mentor_sessions_mentor_email_scheduled_at_idx ON public.mentor_sessions (mentor_email, scheduled_at DESC);
CREATE INDEX mentor_sessions_mentor_user_id_idx ON public.mentor_sessions (mentor_user_id);
CREATE INDEX mentor_sessions_scheduled_at_idx ON public.mentor_sessions (scheduled_at);
CREATE INDEX mentor_sessions_status_idx ON public.mentor_sessions (status);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.mentor_sessions FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.intake_forms (
    id text NOT NULL,
    email text NOT NULL,
    form_type public.intake_form_type NOT NULL,
    name text,
    complete boolean NOT NULL DEFAULT false,
    form_data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT intake_forms_pkey PRIMARY KEY (id),
    CONSTRAINT intake_forms_email_form_type_key UNIQUE (email, form_type),
    CONSTRAINT intake_forms_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$')
);

CREATE INDEX intake_forms_complete_idx ON public.intake_forms (complete);
CREATE INDEX intake_forms_form_type_idx ON public.intake_forms (form_type);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.intake_forms FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
