-- 0007 gone: rows whose document is gone, and which run's ledger has them.
-- Purpose: what is gone is told once, and again when it had come back, or when that run is forgotten.

ALTER TABLE isthmus.row_state ADD COLUMN gone_in bigint;   -- that run; NULL: some document gives it, or nobody told yet
