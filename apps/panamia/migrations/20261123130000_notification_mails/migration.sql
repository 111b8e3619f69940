-- Migration: 20261123130000_notification_mails
-- Purpose: mail that is owed for a notification; rows that were carried from MongoDB have none, so none is sent for them
-- Ticket: #8
-- Reversible: Yes
-- Dependencies: 20261122180200_notifications, public.notifications.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

-- Gone when the mail was sent, or is no longer wanted; one that was given up stays, with why.
CREATE TABLE public.notification_mails (
    notification_id text NOT NULL,
    due_at timestamptz NOT NULL DEFAULT now(),
    tries integer NOT NULL DEFAULT 0,
    failure text,
    given_up_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_mails_pkey PRIMARY KEY (notification_id),
    CONSTRAINT notification_mails_notification_id_fkey
        FOREIGN KEY (notification_id) REFERENCES public.notifications(id) ON DELETE CASCADE
);

CREATE INDEX notification_mails_due_at_idx ON public.notification_mails (due_at) WHERE given_up_at IS NULL;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.notification_mails FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
