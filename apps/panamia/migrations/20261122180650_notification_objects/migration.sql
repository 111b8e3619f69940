-- Migration: 20261122180650_notification_objects
-- Purpose: what a notification is about is a row that is there, now that the tables for it are
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: 20261122180200_notifications, public.articles.id, public.profiles.id, public.mentor_sessions.id
-- Data Migration: None
-- Rollback:
--   ALTER TABLE public.notifications
--       DROP CONSTRAINT notifications_session_id_fkey,
--       DROP CONSTRAINT notifications_profile_id_fkey,
--       DROP CONSTRAINT notifications_article_id_fkey;

ALTER TABLE public.notifications
    ADD CONSTRAINT notifications_article_id_fkey
        FOREIGN KEY (article_id) REFERENCES public.articles(id) ON DELETE SET NULL,
    ADD CONSTRAINT notifications_profile_id_fkey
        FOREIGN KEY (profile_id) REFERENCES public.profiles(id) ON DELETE SET NULL,
    ADD CONSTRAINT notifications_session_id_fkey
        FOREIGN KEY (session_id) REFERENCES public.mentor_sessions(id) ON DELETE SET NULL;
