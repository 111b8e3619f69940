-- Undoes 20261122180700_engagement. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'public.interactions', 'public.screenname_history', 'public.contact_submissions',
        'public.newsletter_signups', 'public.newsletters', 'public.brevo_contacts', 'public.email_migrations',
        'public.oauth_verifications'
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
    public.oauth_verifications,
    public.email_migrations,
    public.brevo_contacts,
    public.newsletters,
    public.newsletter_signups,
    public.contact_submissions,
    public.screenname_history,
    public.interactions;
