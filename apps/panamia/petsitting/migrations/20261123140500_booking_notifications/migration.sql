-- Migration: 20261123140500_booking_notifications
-- Purpose: which booking a notification is about; the notification itself is in the inbox that people have
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261123140200_bookings, public.notifications.id
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop a table that holds rows.

CREATE TABLE public.booking_notifications (
    notification_id text NOT NULL,
    booking_id text NOT NULL,
    CONSTRAINT booking_notifications_pkey PRIMARY KEY (notification_id),
    CONSTRAINT booking_notifications_notification_id_fkey
        FOREIGN KEY (notification_id) REFERENCES public.notifications(id) ON DELETE CASCADE,
    CONSTRAINT booking_notifications_booking_id_fkey
        FOREIGN KEY (booking_id) REFERENCES public.bookings(id) ON DELETE CASCADE
);

CREATE INDEX booking_notifications_booking_id_idx ON public.booking_notifications (booking_id);
