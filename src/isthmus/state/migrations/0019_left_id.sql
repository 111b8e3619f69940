-- Migration: 0019_left_id
-- Purpose: which id of a row others had put in the place of what a rewrite wrote, where somebody said that it may stay
-- Ticket: N/A
-- Reversible: Yes
-- Rollback:
--   ALTER TABLE isthmus.rewrite_log DROP COLUMN left_id;
-- Dependencies: isthmus.rewrite_log

-- Of a line that is left, and of no other. Its reason is null then: nothing waits for it any more.
ALTER TABLE isthmus.rewrite_log ADD COLUMN left_id text;
