-- Migration: 20261123044500_sign_in_limits
-- Purpose: requests of sign-in links are counted, so that limits hold over processes and restarts
-- Ticket: #8
-- Reversible: Yes
-- Dependencies: 20261122180100_identity
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop what holds something.

-- subject is a keyed hash of an address: the table names nobody.
CREATE TABLE public.link_requests (
    subject text NOT NULL,
    requested_at timestamptz[] NOT NULL,
    expires timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT link_requests_pkey PRIMARY KEY (subject)
);

CREATE INDEX link_requests_expires_idx ON public.link_requests (expires);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.link_requests FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
