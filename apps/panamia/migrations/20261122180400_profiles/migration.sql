-- Migration: 20261122180400_profiles
-- Purpose: the directory, with the slugs under which its pages are known
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TYPE public.membership_level AS ENUM ('free', 'basic', 'premium', 'business', 'partner');

CREATE TABLE public.profiles (
    id text NOT NULL,
    user_id text,
    email text NOT NULL,
    name text,
    slug text,
    phone_number text,
    pronouns text[] NOT NULL DEFAULT '{}',
    pronouns_other text,
    primary_image_id text,
    primary_image_cdn text,
    address_name text,
    address_line1 text,
    address_line2 text,
    address_line3 text,
    address_locality text,
    address_region text,
    address_postal_code text,
    address_country text,
    address_lat numeric(10,7),
    address_lng numeric(10,7),
    address_google_place_id text,
    address_hours text,
    active boolean NOT NULL DEFAULT false,
    locally_based text,
    membership_level public.membership_level NOT NULL DEFAULT 'free',
    descriptions jsonb,
    socials jsonb,
    gallery_images jsonb,
    categories jsonb,
    counties jsonb,
    locations jsonb,
    geo jsonb,
    mentoring jsonb,
    availability jsonb,
    verification jsonb,
    roles jsonb,
    gentedepana jsonb,
    status jsonb,
    administrative jsonb,
    linked_profiles jsonb,
    whatsapp_community boolean NOT NULL DEFAULT false,
    affiliate text,
    social_eligible boolean NOT NULL DEFAULT true,
    social_eligible_at timestamptz,
    social_ineligible_reason text,
    pusher_channel_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT profiles_pkey PRIMARY KEY (id),
    CONSTRAINT profiles_slug_key UNIQUE (slug),
    CONSTRAINT profiles_user_id_key UNIQUE (user_id),
    CONSTRAINT profiles_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX profiles_active_idx ON public.profiles (active);
CREATE UNIQUE INDEX profiles_email_key ON public.profiles (lower(email));

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.profiles FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
