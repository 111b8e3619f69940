-- Undoes 20261123150000_notifications_without_actor. Rows that have no actor are not dropped with it: they refuse.

DO $$
BEGIN
    LOCK TABLE public.notifications IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM public.notifications WHERE actor IS NULL) THEN
        RAISE EXCEPTION 'The table public.notifications holds rows without an actor, which would have to have one.'
            USING HINT = 'Export them, and delete them; then roll back.';
    END IF;
END
$$;

DROP TRIGGER forget_actor ON public.notifications;
DROP FUNCTION public.forget_actor();

COMMENT ON COLUMN public.notifications.actor IS NULL;

ALTER TABLE public.notifications
    DROP CONSTRAINT notifications_actor_fkey,
    ADD CONSTRAINT notifications_actor_fkey
        FOREIGN KEY (actor) REFERENCES public.users(id) ON DELETE CASCADE NOT VALID;
ALTER TABLE public.notifications VALIDATE CONSTRAINT notifications_actor_fkey;
ALTER TABLE public.notifications ALTER COLUMN actor SET NOT NULL;
