-- Migration: 20261123140000_booking_words
-- Purpose: notifications may be about bookings, which sidecars keep; people have one inbox for all
-- Ticket: #9
-- Reversible: Yes
-- Dependencies: 20261122180200_notifications
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses while a notification says one of the words.

ALTER TYPE public.notification_context ADD VALUE 'booking';
ALTER TYPE public.notification_object_type ADD VALUE 'booking';
