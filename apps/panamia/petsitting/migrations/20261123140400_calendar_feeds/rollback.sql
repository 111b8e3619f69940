-- Undoes 20261123140400_calendar_feeds. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['public.calendar_feeds']::regclass[] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
        IF filled THEN
            RAISE EXCEPTION 'The table % holds rows, which this rollback would drop.', one
                USING HINT = 'Export them, and delete them; then roll back.';
        END IF;
    END LOOP;
END
$$;

DROP TABLE public.calendar_feeds;
