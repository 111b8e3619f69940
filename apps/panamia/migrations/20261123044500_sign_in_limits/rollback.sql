-- Undoes 20261123044500_sign_in_limits. What still counts is never dropped with it.

DO $$
BEGIN
    LOCK TABLE public.link_requests IN ACCESS EXCLUSIVE MODE;
    DELETE FROM public.link_requests WHERE expires <= now();
    IF EXISTS (SELECT FROM public.link_requests) THEN
        RAISE EXCEPTION 'The table public.link_requests holds rows, which this rollback would drop.'
            USING HINT = 'Wait an hour without sign-ins, or delete them: then nobody is limited for an hour; then roll back.';
    END IF;
END
$$;

DROP TABLE public.link_requests;
