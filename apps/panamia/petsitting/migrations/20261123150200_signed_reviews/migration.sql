-- Migration: 20261123150200_signed_reviews
-- Purpose: a review begins with its author; what triggers execute is executed by these triggers alone
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261123140300_reviews
-- Data Migration: None
--
-- The rollback stands in rollback.sql. Rows stay as they are, here and there.

-- A foreign key does not look at a null. Later the author may go; the review stays.
CREATE FUNCTION public.guard_review() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    IF NEW.author_id IS NULL THEN
        PERFORM public.refuse_row('listing_reviews', 'listing_reviews_author_check', 'A review says whose it is.');
    END IF;
    RETURN NEW;
END
$function$;

CREATE TRIGGER guard_review BEFORE INSERT ON public.listing_reviews FOR EACH ROW
    EXECUTE FUNCTION public.guard_review();

-- Whoever may execute a function can put it on a table of their own, a temporary one too: with those that act as their
-- owner that would be a way to write steps that nobody took. Triggers that there are need no such right.
REVOKE ALL ON FUNCTION
    public.enter_booking(), public.change_booking(), public.keep_booking(), public.write_booking_step(),
    public.guard_listing(), public.guard_review()
    FROM PUBLIC;
