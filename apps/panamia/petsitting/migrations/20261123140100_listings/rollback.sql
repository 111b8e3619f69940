-- Undoes 20261123140100_listings. Rows are never dropped with it: a table that holds some refuses, and is named. Kinds
-- and currencies may hold what the migration itself wrote, which is dated as it is; zones are the server's own.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY['public.listings', 'public.listing_photos']::regclass[] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
        IF filled THEN
            RAISE EXCEPTION 'The table % holds rows, which this rollback would drop.', one
                USING HINT = 'Export them, and delete them; then roll back.';
        END IF;
    END LOOP;
    FOREACH one IN ARRAY ARRAY['public.listing_kinds', 'public.currencies']::regclass[] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE (created_at, updated_at) <> ($1, $1))', one)
            INTO filled USING '2026-11-23 14:01:00+00'::timestamptz;
        IF filled THEN
            RAISE EXCEPTION 'The table % holds rows that were written since, which this rollback would drop.', one
                USING HINT = 'Export them, and delete them; then roll back.';
        END IF;
    END LOOP;
END
$$;

DROP TABLE
    public.listing_photos,
    public.listings,
    public.time_zones,
    public.currencies,
    public.listing_kinds;
DROP FUNCTION public.guard_listing();
DROP FUNCTION public.refuse_row(text, text, text);
