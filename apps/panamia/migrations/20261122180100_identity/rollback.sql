-- Undoes 20261122180100_identity. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'public.users', 'public.accounts', 'public.sessions', 'public.verification_tokens'
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
    public.verification_tokens,
    public.sessions,
    public.accounts,
    public.users;
DROP FUNCTION public.set_updated_at();
DROP TYPE public.account_type;
