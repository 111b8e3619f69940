-- Migration: 20261122180500_lists_and_follows
-- Purpose: whom people follow and which lists they keep, which the project had dropped with their rows
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: public.users.id, public.profiles.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

-- A key where nobody gives one. Its first letter is no hex digit, so that it is never the text of an ObjectId.
CREATE FUNCTION public.new_cuid2() RETURNS text LANGUAGE sql
    SET search_path = pg_catalog, pg_temp AS $function$
    SELECT substr('ghijklmnopqrstuvwxyz', get_byte(drawn, 0) % 20 + 1, 1)
        || string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz', get_byte(drawn, place) % 36 + 1, 1), '')
    FROM (SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))) AS random (drawn),
        generate_series(1, 23) AS place
    GROUP BY drawn
$function$;

CREATE TABLE public.profile_follows (
    follower_id text NOT NULL,
    profile_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT profile_follows_pkey PRIMARY KEY (follower_id, profile_id),
    CONSTRAINT profile_follows_follower_id_fkey FOREIGN KEY (follower_id) REFERENCES public.users(id) ON DELETE CASCADE,
    CONSTRAINT profile_follows_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES public.profiles(id) ON DELETE CASCADE
);

CREATE INDEX profile_follows_profile_id_idx ON public.profile_follows (profile_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.profile_follows FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.user_follows (
    id text NOT NULL,
    follower_id text NOT NULL,
    following_id text NOT NULL,
    follower_username text,
    following_username text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_follows_pkey PRIMARY KEY (id),
    CONSTRAINT user_follows_follower_id_following_id_key UNIQUE (follower_id, following_id),
    CONSTRAINT user_follows_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT user_follows_follower_id_fkey FOREIGN KEY (follower_id) REFERENCES public.users(id) ON DELETE CASCADE,
    CONSTRAINT user_follows_following_id_fkey FOREIGN KEY (following_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX user_follows_following_id_idx ON public.user_follows (following_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.user_follows FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.user_lists (
    id text NOT NULL,
    owner_id text NOT NULL,
    name text NOT NULL,
    description text,
    is_public boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_lists_pkey PRIMARY KEY (id),
    CONSTRAINT user_lists_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT user_lists_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX user_lists_owner_id_idx ON public.user_lists (owner_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.user_lists FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();

CREATE TABLE public.user_list_members (
    id text NOT NULL DEFAULT public.new_cuid2(),
    list_id text NOT NULL,
    user_id text,
    profile_id text,
    added_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_list_members_pkey PRIMARY KEY (id),
    CONSTRAINT user_list_members_list_id_profile_id_key UNIQUE (list_id, profile_id),
    CONSTRAINT user_list_members_list_id_user_id_key UNIQUE (list_id, user_id),
    CONSTRAINT user_list_members_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT user_list_members_one_check CHECK (num_nonnulls(user_id, profile_id) = 1),
    CONSTRAINT user_list_members_list_id_fkey FOREIGN KEY (list_id) REFERENCES public.user_lists(id) ON DELETE CASCADE,
    CONSTRAINT user_list_members_profile_id_fkey
        FOREIGN KEY (profile_id) REFERENCES public.profiles(id) ON DELETE CASCADE,
    CONSTRAINT user_list_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE
);

CREATE INDEX user_list_members_profile_id_idx ON public.user_list_members (profile_id);
CREATE INDEX user_list_members_user_id_idx ON public.user_list_members (user_id);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.user_list_members FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
