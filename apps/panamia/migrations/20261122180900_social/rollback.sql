-- Undoes 20261122180900_social. Rows are never dropped with it: a table that holds some refuses, and is named.

DO $$
DECLARE
    one regclass;
    filled boolean;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'public.social_actors', 'public.social_statuses', 'public.social_follows', 'public.social_likes',
        'public.social_attachments', 'public.social_tags', 'public.article_announcements'
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
    public.article_announcements,
    public.social_tags,
    public.social_attachments,
    public.social_likes,
    public.social_follows,
    public.social_statuses,
    public.social_actors;
DROP TYPE public.social_follow_status;
