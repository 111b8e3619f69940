-- Migration: 20261123023000_restored
-- Purpose: a retirement that was taken back stays written down, with when and by whom
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: 20261122213000_retiring
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop what holds something.

-- Null while the retirement holds.
ALTER TABLE panamia_move.retirement ADD COLUMN restored_at timestamptz, ADD COLUMN restored_by text;
