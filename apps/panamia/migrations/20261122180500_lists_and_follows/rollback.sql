-- Undoes 20261122180500_lists_and_follows. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'public.profile_follows', 'public.user_follows', 'public.user_lists', 'public.user_list_members'
    ]::regclass[] LOOP
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', one);
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
        IF filled THEN
            RAISE EXCEPTION 'The table % holds rows, which this rollback would drop.', one
                USING HINT = 'Carry them back or export them, and delete them; then roll back.';
        END IF;
    END LOOP;
END
$$;

DROP TABLE
    public.user_list_members,
    public.user_lists,
    public.user_follows,
    public.profile_follows;
DROP FUNCTION public.new_cuid2();
