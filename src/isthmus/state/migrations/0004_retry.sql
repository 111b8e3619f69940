-- 0004 retry: dead letters can be answered with a corrected mapping.
-- Purpose: a run remembers each mapping that its letters were tried with, so that every later command accepts that one too.

ALTER TABLE isthmus.run ADD COLUMN retries jsonb NOT NULL DEFAULT '[]';  -- in order: fingerprint, mapping_text, instants, what came of it

-- The orphans for which one document became a dead letter. An id may be longer than an index entry, so only its beginning is in it.
CREATE INDEX orphan_by_row ON isthmus.orphan (run_id, source_collection, "left"(row_id, 100)) WHERE action = 'dead_letter';
