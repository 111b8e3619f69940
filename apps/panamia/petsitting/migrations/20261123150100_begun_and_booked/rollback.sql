-- Undoes 20261123150100_begun_and_booked: the functions are what they were. No row is changed.

COMMENT ON CONSTRAINT bookings_live_parties_check ON public.bookings IS
    'Whoever has a booking that is pending or confirmed, as owner or as sitter, is not deleted. '
    'Cancel or decline it first; then delete.';

CREATE OR REPLACE FUNCTION public.enter_booking() RETURNS trigger LANGUAGE plpgsql
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

CREATE OR REPLACE FUNCTION public.change_booking() RETURNS trigger LANGUAGE plpgsql
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

CREATE OR REPLACE FUNCTION public.guard_listing() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF TG_OP = 'UPDATE' AND (
        (NEW.id, NEW.number, NEW.kind) IS DISTINCT FROM (OLD.id, OLD.number, OLD.kind)
        OR (NEW.sitter_id IS DISTINCT FROM OLD.sitter_id AND NEW.sitter_id IS NOT NULL)
    ) THEN
        PERFORM public.refuse_row('listings', 'listings_kept_check',
            'A listing keeps its id, its number, its kind and whose it is.');
    END IF;
    IF EXISTS (
        SELECT FROM public.currencies WHERE code = NEW.currency AND round(NEW.price_per_day, digits) <> NEW.price_per_day
    ) THEN
        PERFORM public.refuse_row('listings', 'listings_digits_check',
            'The price has more digits behind the point than its currency.');
    END IF;
    RETURN NEW;
END
$function$;
