-- Undoes 20261123130000_notification_mails. Mail that is owed is never dropped with it: a table that holds some refuses.

DO $$
BEGIN
    LOCK TABLE public.notification_mails IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM public.notification_mails) THEN
        RAISE EXCEPTION 'The table public.notification_mails holds rows, which this rollback would drop.'
            USING HINT = 'Send them, or delete them; then roll back.';
    END IF;
END
$$;

DROP TABLE public.notification_mails;
