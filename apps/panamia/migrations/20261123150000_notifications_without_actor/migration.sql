-- Migration: 20261123150000_notifications_without_actor
-- Purpose: what somebody was told stays when who did it is gone, without the name; and what nobody did can be told
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261122180200_notifications, public.users.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses while a notification has no actor.

ALTER TABLE public.notifications ALTER COLUMN actor DROP NOT NULL;
ALTER TABLE public.notifications
    DROP CONSTRAINT notifications_actor_fkey,
    ADD CONSTRAINT notifications_actor_fkey
        FOREIGN KEY (actor) REFERENCES public.users(id) ON DELETE SET NULL NOT VALID;
ALTER TABLE public.notifications VALIDATE CONSTRAINT notifications_actor_fkey;

COMMENT ON COLUMN public.notifications.actor IS 'Null: gone since, or nobody did it, but the clock.';

-- The names are those of the actor, and go with the id. What was carried of somebody who is not there keeps them.
CREATE FUNCTION public.forget_actor() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    NEW.actor_screenname := NULL;
    NEW.actor_name := NULL;
    RETURN NEW;
END
$function$;

CREATE TRIGGER forget_actor BEFORE UPDATE ON public.notifications FOR EACH ROW
    WHEN (OLD.actor IS NOT NULL AND NEW.actor IS NULL) EXECUTE FUNCTION public.forget_actor();
