-- Migration: 20261122213000_retiring
-- Purpose: collections that are about to be dropped are told from those that were, and rewrites that were put back are known
-- Ticket: #7
-- Reversible: Yes
-- Dependencies: 20261122181000_phases
-- Data Migration: None
--
-- The rollback stands in rollback.sql. It refuses to drop what holds something.

-- Null while it is about to be dropped: its export is whole, and whoever retires goes on here.
ALTER TABLE panamia_move.retirement ADD COLUMN dropped_at timestamptz;

CREATE TABLE panamia_move.undone_rewrite (
    rewrite_id bigint NOT NULL,
    undone_by text NOT NULL,
    undone_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT undone_rewrite_pkey PRIMARY KEY (rewrite_id)
);
