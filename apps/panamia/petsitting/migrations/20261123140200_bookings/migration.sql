-- Migration: 20261123140200_bookings
-- Purpose: who has which days of a listing, in one table, so that one constraint sees all; what became of it, and by whom
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261123140100_listings, public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

-- blocked: days that a sitter keeps free; such a row is made and deleted, and becomes nothing else.
CREATE TYPE public.booking_status AS ENUM ('pending', 'confirmed', 'cancelled', 'declined', 'completed', 'blocked');

CREATE TYPE public.booking_side AS ENUM ('owner', 'sitter', 'clock');

CREATE TABLE public.bookings (
    id text NOT NULL DEFAULT public.new_cuid2(),
    listing_id text NOT NULL,
    listing_number bigint NOT NULL,
    sitter_id text,
    owner_id text,
    days daterange NOT NULL,
    status public.booking_status NOT NULL DEFAULT 'pending',
    hold_until timestamptz,
    price_per_day numeric(12, 3),
    currency text,
    total numeric(16, 3) GENERATED ALWAYS AS (
        CASE WHEN isfinite(lower(days)) AND isfinite(upper(days)) THEN price_per_day * (upper(days) - lower(days)) END
    ) STORED,
    note text,
    status_at timestamptz NOT NULL,
    status_as public.booking_side NOT NULL,
    status_by text,
    status_why text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bookings_pkey PRIMARY KEY (id),
    CONSTRAINT bookings_id_owner_id_key UNIQUE (id, owner_id),
    CONSTRAINT bookings_id_listing_id_status_key UNIQUE (id, listing_id, status),
    CONSTRAINT bookings_id_check CHECK (id ~ '^[a-z][a-z0-9]{23}$' AND id !~ '^[a-f0-9]+$'),
    CONSTRAINT bookings_days_check CHECK (
        NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)
        AND lower(days) >= '2000-01-01'::date AND upper(days) <= '2200-01-01'::date
        AND upper(days) - 3660 <= lower(days)
    ),
    CONSTRAINT bookings_parties_check CHECK (owner_id <> sitter_id),
    CONSTRAINT bookings_live_parties_check CHECK (
        status NOT IN ('pending', 'confirmed') OR (owner_id IS NOT NULL AND sitter_id IS NOT NULL)
    ),
    CONSTRAINT bookings_hold_until_check CHECK ((status = 'pending') = (hold_until IS NOT NULL)),
    CONSTRAINT bookings_price_check CHECK (
        CASE WHEN status = 'blocked' THEN num_nonnulls(price_per_day, currency, owner_id) = 0
            ELSE num_nonnulls(price_per_day, currency) = 2 AND price_per_day > 0 AND price_per_day < 1000000000 END
    ),
    CONSTRAINT bookings_note_check CHECK (note ~ '\S' AND char_length(note) <= 2000),
    CONSTRAINT bookings_status_as_check CHECK (
        CASE status
            WHEN 'pending' THEN status_as = 'owner'
            WHEN 'cancelled' THEN true
            WHEN 'completed' THEN status_as = 'clock'
            ELSE status_as = 'sitter'
        END
    ),
    CONSTRAINT bookings_status_by_check CHECK (status_as <> 'clock' OR status_by IS NULL),
    CONSTRAINT bookings_status_why_check CHECK (
        (status_why IS NOT NULL) = (status IN ('cancelled', 'declined') AND status_as <> 'clock')
        AND status_why ~ '\S' AND char_length(status_why) <= 1000
    ),
    CONSTRAINT bookings_listing_id_listing_number_fkey FOREIGN KEY (listing_id, listing_number)
        REFERENCES public.listings(id, number) ON DELETE RESTRICT,
    CONSTRAINT bookings_listing_id_sitter_id_fkey FOREIGN KEY (listing_id, sitter_id)
        REFERENCES public.listings(id, sitter_id) ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT bookings_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE SET NULL,
    CONSTRAINT bookings_status_by_fkey FOREIGN KEY (status_by) REFERENCES public.users(id) ON DELETE SET NULL,
    CONSTRAINT bookings_currency_fkey FOREIGN KEY (currency) REFERENCES public.currencies(code) ON DELETE RESTRICT,
    -- A range of one number stands for =, which an index of this kind has for ranges alone, without an extension.
    CONSTRAINT bookings_days_excl EXCLUDE USING gist (
        int8range(listing_number, listing_number, '[]') WITH &&, days WITH &&
    ) WHERE (status IN ('pending', 'confirmed', 'blocked'))
);

COMMENT ON CONSTRAINT bookings_live_parties_check ON public.bookings IS
    'Whoever has a booking that is pending or confirmed, as owner or as sitter, is not deleted. '
    'Cancel or decline it first; then delete.';
COMMENT ON COLUMN public.bookings.status_as IS
    'Who brought the status about: one of the two, or the clock, where a hold ran out or the days are over.';

-- Whether days are free is asked of very many listings at once: by equality, which can be hashed, and of the index alone.
CREATE INDEX bookings_listing_number_days_idx ON public.bookings (listing_number, days) INCLUDE (hold_until)
    WHERE status IN ('pending', 'confirmed', 'blocked');
CREATE INDEX bookings_listing_id_upper_idx ON public.bookings (listing_id, upper(days));
CREATE INDEX bookings_owner_id_created_at_id_idx ON public.bookings (owner_id, created_at DESC, id DESC);
CREATE INDEX bookings_sitter_id_created_at_id_idx ON public.bookings (sitter_id, created_at DESC, id DESC);
CREATE INDEX bookings_status_by_idx ON public.bookings (status_by) WHERE status_by IS NOT NULL;
CREATE INDEX bookings_currency_idx ON public.bookings (currency);
CREATE INDEX bookings_hold_until_idx ON public.bookings (hold_until) WHERE status = 'pending';
CREATE INDEX bookings_upper_idx ON public.bookings (upper(days)) WHERE status = 'confirmed';

-- Every step of a booking, in order; written by its trigger alone.
CREATE TABLE public.booking_steps (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    booking_id text NOT NULL,
    done_at timestamptz NOT NULL,
    from_status public.booking_status,
    to_status public.booking_status NOT NULL,
    done_as public.booking_side NOT NULL,
    done_by text,
    why text,
    CONSTRAINT booking_steps_pkey PRIMARY KEY (id),
    CONSTRAINT booking_steps_booking_id_fkey
        FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE CASCADE,
    CONSTRAINT booking_steps_done_by_fkey FOREIGN KEY (done_by) REFERENCES public.users(id) ON DELETE SET NULL
);

CREATE INDEX booking_steps_booking_id_id_idx ON public.booking_steps (booking_id, id);
CREATE INDEX booking_steps_done_by_idx ON public.booking_steps (done_by) WHERE done_by IS NOT NULL;

-- Makes whoever writes bookings of a listing wait for one another, and says whether it is there. First to be locked are
-- the people, who may be about to be deleted, then the listing, then bookings: in this order nobody waits in a ring.
CREATE FUNCTION public.hold_listing(wanted text, person text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    PERFORM FROM public.users
    WHERE id = ANY (ARRAY[person, (SELECT sitter_id FROM public.listings WHERE id = wanted)])
    ORDER BY id FOR KEY SHARE;
    PERFORM FROM public.listings WHERE id = wanted FOR NO KEY UPDATE;
    RETURN FOUND;
END
$function$;

REVOKE ALL ON FUNCTION public.hold_listing(text, text) FROM PUBLIC;

-- Fills in what a new booking takes from its listing, refuses what the clock or the listing forbid, and ends holds that
-- have run out on its days, so that they are in nobody's way.
CREATE FUNCTION public.enter_booking() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    listing public.listings;
    kind public.listing_kinds;
    at timestamptz;
    today date;
    longest timestamptz;
    over text;
BEGIN
    IF NEW.status NOT IN ('pending', 'blocked') THEN
        PERFORM public.refuse_row('bookings', 'bookings_transition_check', 'A booking begins as pending, or as blocked.');
    END IF;
    IF isempty(NEW.days) OR lower_inf(NEW.days) OR upper_inf(NEW.days)
        OR NOT isfinite(lower(NEW.days)) OR NOT isfinite(upper(NEW.days))
    THEN
        PERFORM public.refuse_row('bookings', 'bookings_days_check', 'The days have a first one and a last one.');
    END IF;
    IF NOT public.hold_listing(NEW.listing_id, NEW.owner_id) THEN
        RAISE EXCEPTION 'There is no such listing.' USING ERRCODE = 'foreign_key_violation', SCHEMA = 'public',
            TABLE = 'bookings', CONSTRAINT = 'bookings_listing_id_listing_number_fkey';
    END IF;
    SELECT * INTO listing FROM public.listings WHERE id = NEW.listing_id;
    SELECT * INTO kind FROM public.listing_kinds WHERE key = listing.kind;
    at := clock_timestamp();
    today := (at AT TIME ZONE listing.time_zone)::date;
    NEW.listing_number := coalesce(NEW.listing_number, listing.number);
    NEW.sitter_id := coalesce(NEW.sitter_id, listing.sitter_id);
    NEW.status_at := at;
    IF NEW.status = 'blocked' THEN
        IF upper(NEW.days) <= today THEN
            PERFORM public.refuse_row('bookings', 'bookings_past_check', 'The days are over.');
        END IF;
        NEW.status_as := 'sitter';
        NEW.status_by := NEW.sitter_id;
    ELSE
        IF lower(NEW.days) < today THEN
            PERFORM public.refuse_row('bookings', 'bookings_past_check', 'The first day has passed where the listing is.');
        ELSIF upper(NEW.days) - lower(NEW.days) > kind.longest_days THEN
            PERFORM public.refuse_row('bookings', 'bookings_longest_check',
                format('No more than %s days are booked at once.', kind.longest_days));
        ELSIF lower(NEW.days) > today + kind.furthest_days THEN
            PERFORM public.refuse_row('bookings', 'bookings_furthest_check',
                format('Days are booked no more than %s days ahead.', kind.furthest_days));
        ELSIF NOT listing.available THEN
            PERFORM public.refuse_row('bookings', 'bookings_offered_check', 'The listing is not offered now.');
        END IF;
        NEW.price_per_day := coalesce(NEW.price_per_day, listing.price_per_day);
        NEW.currency := coalesce(NEW.currency, listing.currency);
        IF (NEW.price_per_day, NEW.currency) IS DISTINCT FROM (listing.price_per_day, listing.currency) THEN
            PERFORM public.refuse_row('bookings', 'bookings_agreed_price_check', 'The price is not that of the listing.');
        END IF;
        longest := least(
            at + make_interval(mins => kind.hold_minutes), upper(NEW.days)::timestamp AT TIME ZONE listing.time_zone
        );
        NEW.hold_until := coalesce(NEW.hold_until, longest);
        IF NEW.hold_until > longest THEN
            PERFORM public.refuse_row('bookings', 'bookings_longest_hold_check', 'A hold does not last so long.');
        END IF;
        NEW.status_as := 'owner';
        NEW.status_by := NEW.owner_id;
    END IF;
    FOR over IN
        SELECT id FROM public.bookings
        WHERE listing_id = NEW.listing_id AND status = 'pending' AND hold_until <= at AND days && NEW.days
        ORDER BY id FOR UPDATE
    LOOP
        UPDATE public.bookings SET status = 'cancelled', status_by = NULL WHERE id = over;
    END LOOP;
    RETURN NEW;
END
$function$;

-- What was agreed stays; of statuses only those steps are taken that there are, by whom they are open to.
CREATE FUNCTION public.change_booking() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    at timestamptz := clock_timestamp();
    ran_out boolean := OLD.status = 'pending' AND OLD.hold_until <= at;
    ended boolean := false;
BEGIN
    IF (NEW.id, NEW.listing_id, NEW.listing_number, NEW.days, NEW.price_per_day, NEW.currency)
        IS DISTINCT FROM (OLD.id, OLD.listing_id, OLD.listing_number, OLD.days, OLD.price_per_day, OLD.currency)
        OR (NEW.owner_id IS DISTINCT FROM OLD.owner_id AND NEW.owner_id IS NOT NULL)
        OR (NEW.sitter_id IS DISTINCT FROM OLD.sitter_id AND NEW.sitter_id IS NOT NULL)
    THEN
        PERFORM public.refuse_row('bookings', 'bookings_agreed_check',
            'Listing, people, days and price of a booking stay as they were agreed.');
    END IF;
    IF OLD.status = 'confirmed' THEN
        SELECT upper(OLD.days) <= (at AT TIME ZONE time_zone)::date INTO ended
        FROM public.listings WHERE id = OLD.listing_id;
    END IF;
    -- Somebody is being deleted: what the clock has decided already is not in the way.
    IF NEW.status = OLD.status AND (NEW.owner_id IS NULL OR NEW.sitter_id IS NULL) THEN
        NEW.status := CASE WHEN ran_out THEN 'cancelled' WHEN ended THEN 'completed' ELSE NEW.status END;
        IF NEW.status <> OLD.status THEN
            NEW.status_by := NULL;
        END IF;
    END IF;
    IF NEW.status = OLD.status THEN
        IF (NEW.status_at, NEW.status_as, NEW.status_why) IS DISTINCT FROM (OLD.status_at, OLD.status_as, OLD.status_why)
            OR (NEW.status_by IS DISTINCT FROM OLD.status_by
                AND (NEW.status_by IS NOT NULL OR EXISTS (SELECT FROM public.users WHERE id = OLD.status_by)))
        THEN
            PERFORM public.refuse_row('bookings', 'bookings_step_check', 'Who did what and why stays as it was said.');
        ELSIF NEW.hold_until > OLD.hold_until THEN
            PERFORM public.refuse_row('bookings', 'bookings_longest_hold_check', 'A hold does not last longer.');
        END IF;
    ELSE
        IF (OLD.status, NEW.status) NOT IN (
            ('pending', 'confirmed'), ('pending', 'cancelled'), ('pending', 'declined'),
            ('confirmed', 'cancelled'), ('confirmed', 'completed')
        ) THEN
            PERFORM public.refuse_row('bookings', 'bookings_transition_check',
                format('A booking that is %s does not become %s.', OLD.status, NEW.status));
        ELSIF NEW.status = 'confirmed' AND ran_out THEN
            PERFORM public.refuse_row('bookings', 'bookings_hold_check', 'The hold has run out.');
        ELSIF NEW.status = 'completed' AND NOT ended THEN
            PERFORM public.refuse_row('bookings', 'bookings_completed_check', 'The days are not over where the listing is.');
        ELSIF OLD.status = 'confirmed' AND NEW.status = 'cancelled' AND ended THEN
            PERFORM public.refuse_row('bookings', 'bookings_ended_check', 'The days are over: nothing is left to cancel.');
        END IF;
        IF NEW.status = 'completed' THEN
            NEW.status_by := NULL;
        END IF;
        NEW.status_at := at;
        NEW.status_as := CASE NEW.status_by WHEN OLD.owner_id THEN 'owner' WHEN OLD.sitter_id THEN 'sitter' ELSE 'clock' END;
        NEW.hold_until := NULL;
        IF NEW.status_as = 'clock' AND (NEW.status_by IS NOT NULL OR NOT (ran_out OR NEW.status = 'completed')) THEN
            PERFORM public.refuse_row('bookings', 'bookings_party_check',
                'A booking is taken a step further by its owner or its sitter, who is named.');
        ELSIF NEW.status_as = 'clock' OR NEW.status = 'confirmed' THEN
            NEW.status_why := NULL;
        END IF;
    END IF;
    -- The row stays in the way of others, and the constraint looks at it anew: two that look at each other wait in a
    -- ring. This row is locked already, so the listing is not waited for.
    IF NEW.status IN ('pending', 'confirmed', 'blocked') AND NEW.owner_id IS NOT DISTINCT FROM OLD.owner_id THEN
        BEGIN
            PERFORM FROM public.listings WHERE id = OLD.listing_id FOR NO KEY UPDATE NOWAIT;
        EXCEPTION WHEN lock_not_available THEN
            RAISE EXCEPTION 'Somebody else writes bookings of the listing at this moment.'
                USING ERRCODE = 'lock_not_available', HINT = 'SELECT hold_listing(…) first, in the same transaction.';
        END;
    END IF;
    RETURN NEW;
END
$function$;

CREATE FUNCTION public.keep_booking() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF OLD.status <> 'blocked' THEN
        PERFORM public.refuse_row('bookings', 'bookings_kept_check', 'A booking is never deleted; it is cancelled.');
    END IF;
    RETURN OLD;
END
$function$;

CREATE FUNCTION public.write_booking_step() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF NEW.status <> 'blocked' AND (TG_OP = 'INSERT' OR NEW.status <> OLD.status) THEN
        INSERT INTO public.booking_steps (booking_id, done_at, from_status, to_status, done_as, done_by, why)
        VALUES (NEW.id, NEW.status_at, CASE TG_OP WHEN 'UPDATE' THEN OLD.status END, NEW.status, NEW.status_as,
            NEW.status_by, NEW.status_why);
    END IF;
    RETURN NULL;
END
$function$;

CREATE TRIGGER enter_booking BEFORE INSERT ON public.bookings FOR EACH ROW
    EXECUTE FUNCTION public.enter_booking();
CREATE TRIGGER change_booking BEFORE UPDATE ON public.bookings FOR EACH ROW
    EXECUTE FUNCTION public.change_booking();
CREATE TRIGGER keep_booking BEFORE DELETE ON public.bookings FOR EACH ROW
    EXECUTE FUNCTION public.keep_booking();
CREATE TRIGGER write_booking_step AFTER INSERT OR UPDATE ON public.bookings FOR EACH ROW
    EXECUTE FUNCTION public.write_booking_step();

-- Column by column, since a row with generated columns cannot be compared as a whole.
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.bookings FOR EACH ROW
    WHEN (
        (OLD.id, OLD.listing_id, OLD.listing_number, OLD.sitter_id, OLD.owner_id, OLD.days, OLD.status, OLD.hold_until,
            OLD.price_per_day, OLD.currency, OLD.note, OLD.status_at, OLD.status_as, OLD.status_by, OLD.status_why,
            OLD.created_at, OLD.updated_at)
        IS DISTINCT FROM
        (NEW.id, NEW.listing_id, NEW.listing_number, NEW.sitter_id, NEW.owner_id, NEW.days, NEW.status, NEW.hold_until,
            NEW.price_per_day, NEW.currency, NEW.note, NEW.status_at, NEW.status_as, NEW.status_by, NEW.status_why,
            NEW.created_at, NEW.updated_at)
    )
    EXECUTE FUNCTION public.set_updated_at();
