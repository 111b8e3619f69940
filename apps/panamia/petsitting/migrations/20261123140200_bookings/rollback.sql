-- Undoes 20261123140200_bookings. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['public.bookings', 'public.booking_steps']::regclass[] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
        IF filled THEN
            RAISE EXCEPTION 'The table % holds rows, which this rollback would drop.', one
                USING HINT = 'Export them, and TRUNCATE both tables, for bookings are not deleted; then roll back.';
        END IF;
    END LOOP;
END
$$;

DROP TABLE
    public.booking_steps,
    public.bookings;
DROP FUNCTION public.write_booking_step();
DROP FUNCTION public.keep_booking();
DROP FUNCTION public.change_booking();
DROP FUNCTION public.enter_booking();
DROP FUNCTION public.hold_listing(text, text);
DROP TYPE public.booking_side;
DROP TYPE public.booking_status;
